"""Bundles: reading their entries and answering with one. https://hl7.org/fhir/R4/bundle.html"""
