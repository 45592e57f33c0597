"""A concept of a code system, and a filter that picks some. https://hl7.org/fhir/R4/codesystem.html"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from openward.fhir.errors import BadRequest, FhirError, Issue

Operator = Literal["=", "is-a", "descendent-of", "is-not-a", "regex", "in", "not-in", "generalizes", "exists"]
OPERATORS = frozenset({"=", "is-a", "descendent-of", "is-not-a", "regex", "in", "not-in", "generalizes", "exists"})
HIERARCHY = frozenset({"is-a", "descendent-of", "is-not-a", "generalizes"})
WORD = re.compile(r"\w+")


class UnknownFilter(FhirError):
    """The filter {property} {op} cannot be applied to {system}."""

    status = 422
    code = "not-supported"


class ExpansionTooCostly(FhirError):
    """{url} holds more codes than can be listed at once ({limit:,}); narrow it with filter, or page with count."""

    status = 422
    code = "too-costly"


class NoList(FhirError):
    """{url} has no list of its codes: every one that can be read is a code. Name those that are meant."""

    status = 422
    code = "too-costly"


class UnknownSystem(FhirError):
    """The code system {system} is not on this installation; `openward terminology list` says what is."""

    status = 422
    code = "not-found"


FULLY_SPECIFIED = "900000000000003001"
"""The use of those names of SNOMED CT that tell a concept from every other, such as `Myocardial infarction (disorder)`."""


class InvalidFilter(BadRequest):
    """A filter of the value set is not one FHIR allows: {what}."""

    status = 422


@dataclass(frozen=True, slots=True)
class Designation:
    """Another name of a concept. `use` is (system, code, display)."""

    value: str
    language: str | None = None
    use: tuple[str | None, str, str | None] | None = None

    def to_fhir(self) -> dict[str, Any]:
        made: dict[str, Any] = {"language": self.language} if self.language else {}
        if self.use:
            made["use"] = {key: value for key, value in zip(("system", "code", "display"), self.use, strict=True) if value}
        return {**made, "value": self.value}

    def is_in(self, language: str) -> bool:
        """Whether it is in that language or a dialect of it."""
        return bool(self.language) and (str(self.language).lower() + "-").startswith(language.lower() + "-")


@dataclass(frozen=True, slots=True)
class Concept:
    """`version` is that of the code system. An abstract concept only groups others."""

    system: str
    code: str
    display: str | None = None
    definition: str | None = None
    version: str | None = None
    inactive: bool = False
    abstract: bool = False
    designations: Sequence[Designation] = ()

    def named(self, language: str | None) -> str | None:
        """The display in that language where there is one, else in the language it is a dialect of: `de-AT`, then `de` (RFC 4647, 3.4).

        Where the display is itself one of the names in that language it stays: of SNOMED CT's many it is the preferred one.
        """
        while language:
            names = [name for name in self.designations if name.is_in(language)]
            if names:
                return self.display if any(name.value == self.display for name in names) else min(names, key=partial(_preference, language)).value
            language = language.rpartition("-")[0]
        return self.display


def _preference(language: str, name: Designation) -> tuple[bool, bool]:
    """The smaller, the better it names a concept to a person: rather a synonym than a fully specified name, rather the very language than a dialect."""
    return name.use is not None and name.use[1] == FULLY_SPECIFIED, str(name.language).lower() != language.lower()


@dataclass(frozen=True, slots=True)
class Filter:
    """`about` is the property it is about. https://hl7.org/fhir/R4/valueset.html#filter"""

    about: str
    op: Operator
    value: str

    @classmethod
    def of(cls, data: Any) -> Filter:
        """Raises InvalidFilter."""
        if not isinstance(data, dict) or not all(isinstance(data.get(key), str) for key in ("property", "op", "value")):
            raise InvalidFilter(what="it needs property, op and value")
        if data["op"] not in OPERATORS:
            raise InvalidFilter(what=f"{data['op'][:40]} is not an operator")
        return cls(data["property"], data["op"], data["value"])

    @property
    def is_of_hierarchy(self) -> bool:
        return self.op in HIERARCHY and self.about in ("concept", "code")

    @property
    def values(self) -> frozenset[str]:
        return frozenset(part.strip() for part in self.value.split(",") if part.strip())


@dataclass(frozen=True, slots=True)
class Sought:
    """What a person typed to find a concept: every word must begin a word of one of its names, or the whole be the beginning of its code."""

    text: str
    words: tuple[str, ...]

    @classmethod
    def of(cls, text: str | None) -> Sought | None:
        return cls(text.strip().lower(), tuple(WORD.findall(text.lower()))[:20]) if text and text.strip() else None

    def fits(self, code: str, names: Iterable[str | None]) -> bool:
        return code.lower().startswith(self.text) or any(name is not None and self._begins(name) for name in names)

    def _begins(self, name: str) -> bool:
        there = WORD.findall(name.lower())
        return bool(self.words) and all(any(word.startswith(wanted) for word in there) for wanted in self.words)


def invalid(message: str, code: str = "code-invalid", severity: str = "error") -> Issue:
    return Issue(code, message, severity=severity)
