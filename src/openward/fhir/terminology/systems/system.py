"""What every code system can be asked, wherever its codes are kept."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from openward.fhir.terminology.concepts import Concept, Filter, Sought

READ: Mapping[str, Callable[[str], Any]] = {"Boolean": "true".__eq__, "Integer": int, "Decimal": Decimal}
"""Kind of a property → how its value is read from the text the tables keep."""


@dataclass(frozen=True, slots=True)
class Property:
    """`kind` is the FHIR type of the value: Code, Coding (`system|code`), String, Integer, Boolean, DateTime, Decimal."""

    code: str
    kind: str
    value: Any


class CodeSystem(Protocol):
    @property
    def url(self) -> str: ...
    @property
    def version(self) -> str | None: ...
    @property
    def name(self) -> str | None: ...
    @property
    def is_whole(self) -> bool:
        """Whether a code that is not found here does not exist; else it may be one of those not here."""

    @property
    def is_case_sensitive(self) -> bool: ...
    @property
    def has_hierarchy(self) -> bool: ...
    @property
    def package(self) -> str:
        """Where it comes from; a value set of the same package means this version of it."""

    def find(self, code: str) -> Concept | None: ...

    def each(self, filters: Sequence[Filter] = (), sought: Sought | None = None) -> Iterator[Concept]:
        """The concepts in their order. Raises UnknownFilter, InvalidFilter, ExpansionTooCostly where they cannot be listed."""

    def holds(self, code: str, filters: Sequence[Filter]) -> bool | None:
        """Whether the concept passes the filters; False for a code that does not exist, None when it cannot be told."""

    def count(self) -> int | None:
        """How many concepts there are; None when they cannot be counted."""

    def properties(self, code: str) -> Sequence[Property]: ...
    def parents(self, code: str) -> Sequence[str]: ...
    def children(self, code: str) -> Sequence[str]: ...

    def lineage(self, codes: Collection[str]) -> Mapping[str, Sequence[str]]:
        """The parents of each of these codes, and of every code above them; a code without parents may be left out."""

    def ancestors(self, code: str) -> Sequence[str]:
        """Every code that subsumes this one, without itself."""

    def descendants(self, code: str, limit: int) -> Sequence[str]:
        """Every code this one subsumes, without itself, at most `limit` + 1 of them."""
