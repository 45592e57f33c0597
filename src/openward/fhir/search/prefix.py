"""The comparison prefixes of numbers, dates and quantities. https://hl7.org/fhir/R4/search.html#prefix"""

from __future__ import annotations

import re

PREFIX = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb|ap)(?=[\d.+-])")


def split_prefix(value: str) -> tuple[str, str]:
    """`ge2026` → (`ge`, `2026`); `eq` when there is none."""
    match = PREFIX.match(value)
    return (match.group(1), value[2:]) if match else ("eq", value)
