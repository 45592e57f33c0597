"""Bulk Data Access: everything a client may see as files, and files into the record. https://hl7.org/fhir/uv/bulkdata/"""
