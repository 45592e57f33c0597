"""What patients permit and refuse: writing a FHIR Consent the policy enforces, withdrawing it, and saying in plain words what it does."""
