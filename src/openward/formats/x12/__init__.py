"""X12 5010: a strict reader and writer, the professional claim (837P) and the remittance advice (835).

Each module is imported by its own name: who needs a code of a claim does not load the reader of remittances.
"""
