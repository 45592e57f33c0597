"""The administrator's room: who may sign in, how the system is, what waits in the outbox."""
