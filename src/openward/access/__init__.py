"""Who may do what: actors, permissions, roles as data, and the one policy that decides."""
