"""National Provider Identifiers: ten digits with a check digit. https://www.cms.gov/Regulations-and-Guidance/Administrative-Simplification/NationalProvIdentStand"""

from __future__ import annotations


def is_npi(text: str) -> bool:
    """Whether the check digit is right: Luhn over the number with the prefix 80840 of US health identifiers."""
    if len(text) != 10 or not text.isascii() or not text.isdigit():
        return False
    total = 24  # what the prefix 80840 adds
    for place, digit in enumerate(int(mark) for mark in reversed(text)):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0
