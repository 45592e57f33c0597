"""The pages of the schedule: the day's list, booking, the calendar, checking in, the flow board."""
