"""SMART on FHIR: apps that act for people, programs that act for themselves, and who let them in."""
