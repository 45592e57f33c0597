"""The trail as FHIR AuditEvent: made from the entries when it is asked for, read and searched, never written."""
