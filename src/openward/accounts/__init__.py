"""People and clients who sign in."""
