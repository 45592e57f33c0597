"""Who may do what, for the administrator: roles of the house's own, clearances, and what a person can see and why."""
