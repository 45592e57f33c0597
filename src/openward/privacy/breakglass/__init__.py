"""Breaking the glass: emergency access to a record that is closed to someone, for an hour, with a reason, and always looked at afterwards."""
