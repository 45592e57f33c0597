"""Backslash escapes in parameter values: `\\,` `\\|` `\\$` `\\\\`. https://hl7.org/fhir/R4/search.html#escaping"""

from __future__ import annotations

import re


def split_escaped(text: str, separator: str) -> list[str]:
    """The parts between separators that no backslash precedes; the escapes stay for whoever splits further."""
    if "\\" not in text:
        return text.split(separator)
    parts = [""]
    for piece in re.findall(r"\\.|[^\\]|\\", text, re.DOTALL):
        if piece == separator:
            parts.append("")
        else:
            parts[-1] += piece
    return parts


def unescaped(text: str) -> str:
    return re.sub(r"\\([,|$\\])", r"\1", text) if "\\" in text else text
