"""The schedule: free times, booking, the calendar, checking in, the flow board."""
