"""The append-only trail of who did what to whose record."""
