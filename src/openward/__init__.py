"""Openward: an integrated healthcare management system over one FHIR R4 record."""

__version__ = "0.1.0"
