"""Every string of the schedule that a person reads. No SQL, no request."""
