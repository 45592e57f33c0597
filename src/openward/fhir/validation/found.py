"""A finding on its way up: where (`.name[0].family`, relative), the issue type, the sentence."""

from __future__ import annotations

Found = tuple[str, str, str]


def under(prefix: str, found: list[Found]) -> list[Found]:
    return [(prefix + where, code, message) for where, code, message in found]
