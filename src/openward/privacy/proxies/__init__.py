"""Letting someone look after another's record: parents, guardians, carers."""
