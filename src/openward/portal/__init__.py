"""The patient's own door: visits, results in plain words, medications, immunizations, messages, bills, booking."""
