"""Subscriptions: who wants to be told of what, and telling them. https://hl7.org/fhir/uv/subscriptions-backport/"""
