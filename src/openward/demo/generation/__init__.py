"""From (seed, number of patients, date) to FHIR resources. Pure: the same arguments give the same bytes."""
