"""The FHIR R4 engine. Knows FHIR and PostgreSQL; knows no Django and no clinic."""
