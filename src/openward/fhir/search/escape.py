"""Backslash escapes in parameter values: `\\,` `\\|` `\\$` `\\\\`. https://hl7.org/fhir/R4/search.html#escaping"""

from __future__ import annotations

import re

BAR = "\x1d"  # no text of FHIR's holds it
ESCAPED = re.compile(r"\\([,|$\\])")


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


def parted(value: str) -> tuple[str, str, str]:
    """System, bar and code of a token as `held` left it: the last bar that no backslash precedes parts it."""
    system, bar, code = value.rpartition("|")
    return (plain(system), bar, plain(code)) if BAR in value else (system, bar, code)


def held(text: str) -> str:
    """`unescaped`, but for an escaped bar, which is no bar before the value has been taken apart by `parted`."""
    return ESCAPED.sub(lambda found: BAR if found[1] == "|" else found[1], text) if "\\" in text else text


def plain(value: str) -> str:
    """The text that was meant by a value that `held` kept."""
    return value.replace(BAR, "|")


def unescaped(text: str) -> str:
    return ESCAPED.sub(r"\1", text) if "\\" in text else text
