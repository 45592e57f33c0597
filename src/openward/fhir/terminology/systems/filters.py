"""Filters on the values of a property. Regular expressions run in linear time: one that would backtrack cannot stop the server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

from openward.fhir.terminology.concepts import Filter, InvalidFilter, UnknownFilter

EVERYWHERE = frozenset(
    {"concept", "code", "display", "definition", "parent", "child", "inactive", "status", "notSelectable", "abstract", "deprecated"}
)
"""What may be asked of any code system, whether or not it says so of a concept."""
LONGEST_PATTERN = 500


@dataclass(frozen=True, slots=True)
class Facts:
    """What a filter must know of its code system."""

    system: str
    properties: frozenset[str]
    is_case_sensitive: bool

    def check(self, filter: Filter) -> None:
        """Raises UnknownFilter for a property the code system does not have: an empty answer would be a wrong one."""
        if filter.about not in self.properties and filter.about not in EVERYWHERE:
            raise UnknownFilter(property=filter.about[:80], op=filter.op, system=self.system)
        if filter.op in ("is-a", "descendent-of", "is-not-a", "generalizes"):
            raise UnknownFilter(property=filter.about[:80], op=filter.op, system=self.system)


def predicate(filter: Filter, facts: Facts) -> Callable[[Sequence[Any]], bool]:
    """The test of the values a concept has for `filter.about`."""
    facts.check(filter)
    if filter.op == "exists":
        wanted = filter.value == "true"
        return lambda values: bool(values) == wanted
    if filter.op == "regex":
        whole = pattern(filter.value)
        return lambda values: any(whole.fullmatch(text(value)) is not None for value in values)
    fold = str if facts.is_case_sensitive else str.casefold
    among = {fold(value) for value in (filter.values if filter.op in ("in", "not-in") else [filter.value])}
    if filter.op == "not-in":
        return lambda values: not any(fold(text(value)) in among for value in values)
    if filter.about in ("inactive", "notSelectable", "abstract") and among == {"false"}:
        return lambda values: not any(fold(text(value)) == "true" for value in values)
    return lambda values: any(fold(text(value)) in among or fold(text(value).rpartition("|")[2]) in among for value in values)


@lru_cache(maxsize=200)
def pattern(source: str) -> Any:
    """A compiled pattern; `fullmatch` it, as FHIR's are anchored. Raises InvalidFilter for what is too long or needs backtracking."""
    if len(source) > LONGEST_PATTERN:
        raise InvalidFilter(what=f"a regular expression longer than {LONGEST_PATTERN} characters")
    options = re2.Options()
    options.max_mem = 1 << 20
    options.log_errors = False
    try:
        return re2.compile(source, options)
    except re2.error as error:
        raise InvalidFilter(what="a regular expression that is not one, or that looks ahead or back") from error


def text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
