"""Look-ups that ask for a second look: one's own record, family, coworkers, VIPs, patients nobody sent."""
