"""Every word of billing that a person reads. No SQL, no request."""
