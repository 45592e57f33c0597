"""Django's PostgreSQL with one thing changed: how a connection that waited is found to be still there."""
