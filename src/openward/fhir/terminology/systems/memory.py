"""A code system whose concepts are in memory as columns: the shipped ones, small ones of the record, and those sent along with a request."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from openward.fhir.terminology.concepts import Concept, Designation, Filter, Sought
from openward.fhir.terminology.systems.filters import Facts, predicate
from openward.fhir.terminology.systems.system import Property

GONE = frozenset({"retired", "inactive"})
ABSTRACT = ("notSelectable", "abstract")
FLAGS = ("inactive", "notSelectable")
"""What the concept itself says, and no property of it repeats."""


class MemorySystem:
    """`table` as openward.fhir.terminology.shipping.compile_systems makes it."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        self._table = table
        self.url: str = table["url"]
        self.version: str | None = table.get("version")
        self.name: str | None = table.get("title") or table.get("name")
        self.package: str = table.get("package", "record")
        self.is_case_sensitive: bool = table.get("sensitive", False)
        self.is_whole: bool = table.get("content", "complete") == "complete"
        self._codes: Sequence[str] = table.get("codes", ())
        self._displays: Sequence[str | None] = table.get("displays", ())
        self._definitions: Sequence[str | None] = table.get("definitions", ())
        self._parents: Mapping[str, Sequence[int]] = table.get("parents", {})
        self._properties: Mapping[str, Any] = table.get("properties", {})
        self._unsaid: Mapping[str, Sequence[Any]] = table.get("unsaid", {})
        self._numbers = {code: number for number, code in enumerate(self._codes)}

    @property
    def has_hierarchy(self) -> bool:
        return bool(self._parents)

    def count(self) -> int:
        return len(self._codes)

    def find(self, code: str) -> Concept | None:
        number = self._number(code)
        return None if number is None else self._concept(number)

    def each(self, filters: Sequence[Filter] = (), sought: Sought | None = None) -> Iterator[Concept]:
        tests = self._tests(filters)
        for number in range(len(self._codes)):
            if all(test(number) for test in tests) and (sought is None or self._fits(number, sought)):
                yield self._concept(number)

    def holds(self, code: str, filters: Sequence[Filter]) -> bool | None:
        number = self._number(code)
        if number is None:
            return False if self.is_whole else None
        return all(test(number) for test in self._tests(filters))

    def properties(self, code: str) -> list[Property]:
        number = self._number(code)
        if number is None:
            return []
        return [
            Property(name, kind, value)
            for name, (kind, column) in self._properties.items()
            if name not in FLAGS
            for value in column.get(str(number), ())
        ]  # fmt: skip

    def parents(self, code: str) -> list[str]:
        number = self._number(code)
        return [] if number is None else [self._codes[parent] for parent in self._above(number)]

    def children(self, code: str) -> list[str]:
        number = self._number(code)
        return [] if number is None else [self._codes[child] for child in self._below.get(number, ())]

    def lineage(self, codes: Collection[str]) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = {}
        waiting = list(codes)
        while waiting:
            code = waiting.pop()
            if code not in found:
                found[code] = self.parents(code)
                waiting += found[code]
        return found

    def ancestors(self, code: str) -> list[str]:
        number = self._number(code)
        return [] if number is None else [self._codes[found] for found in _walk(number, self._above)]

    def descendants(self, code: str, limit: int) -> list[str]:
        number = self._number(code)
        return [] if number is None else [self._codes[found] for found in _walk(number, lambda one: self._below.get(one, ()), limit)]

    # -- by number ----------------------------------------------------------------------------------------------

    def _number(self, code: str) -> int | None:
        number = self._numbers.get(code)
        return self._folded.get(code.casefold()) if number is None and not self.is_case_sensitive else number

    def _above(self, number: int) -> Sequence[int]:
        return self._parents.get(str(number), ())

    @cached_property
    def _folded(self) -> Mapping[str, int]:
        return {code.casefold(): number for code, number in reversed(self._numbers.items())}

    @cached_property
    def _below(self) -> Mapping[int, list[int]]:
        below: dict[int, list[int]] = {}
        for number in range(len(self._codes)):
            for parent in self._above(number):
                below.setdefault(parent, []).append(number)
        return below

    @cached_property
    def _designations(self) -> Mapping[int, list[Designation]]:
        found: dict[int, list[Designation]] = {}
        for number, language, system, code, value, title in self._table.get("designations", ()):
            found.setdefault(number, []).append(Designation(value, language, (system, code, title) if code else None))
        return found

    def _concept(self, number: int) -> Concept:
        return Concept(
            self.url, self._codes[number], self._displays[number], self._definitions[number] if self._definitions else None, self.version,
            number in self._inactive, number in self._abstract, self._designations.get(number, ()),
        )  # fmt: skip

    @cached_property
    def _inactive(self) -> frozenset[int]:
        return self._having("inactive", lambda value: value is True) | self._having("status", lambda value: value in GONE)

    @cached_property
    def _abstract(self) -> frozenset[int]:
        return frozenset().union(*(self._having(name, lambda value: value is True) for name in ABSTRACT))

    def _having(self, name: str, fits: Callable[[Any], bool]) -> frozenset[int]:
        _, column = self._properties.get(name, ("", {}))
        return frozenset(int(number) for number, values in column.items() if any(map(fits, values)))

    def _fits(self, number: int, sought: Sought) -> bool:
        others = (designation.value for designation in self._designations.get(number, ()))
        return sought.fits(self._codes[number], (self._displays[number], *others))

    def _tests(self, filters: Sequence[Filter]) -> list[Callable[[int], bool]]:
        return [self._test(one) for one in filters]

    def _test(self, filter: Filter) -> Callable[[int], bool]:
        if filter.is_of_hierarchy:
            return self._hierarchy_test(filter)
        passes = predicate(filter, Facts(self.url, frozenset(self._properties), self.is_case_sensitive))
        return lambda number: passes(self._values(number, filter.about))

    def _hierarchy_test(self, filter: Filter) -> Callable[[int], bool]:
        start = self._number(filter.value)
        if start is None:
            return lambda number: filter.op == "is-not-a"
        if filter.op == "generalizes":
            return {start, *_walk(start, self._above)}.__contains__
        below = set(_walk(start, lambda one: self._below.get(one, ())))
        if filter.op == "descendent-of":
            return below.__contains__
        below.add(start)
        return (lambda number: number not in below) if filter.op == "is-not-a" else below.__contains__

    def _values(self, number: int, name: str) -> Sequence[Any]:
        """What the concept says under that name: a defined property, or one every code system has."""
        if name in ("concept", "code"):
            return (self._codes[number],)
        if name == "display":
            return (self._displays[number],) if self._displays[number] else ()
        if name == "definition":
            return (self._definitions[number],) if self._definitions and self._definitions[number] else ()
        if name in ("parent", "child"):
            return [self._codes[other] for other in (self._above(number) if name == "parent" else self._below.get(number, ()))]
        if name == "inactive":
            return (number in self._inactive,)
        _, column = self._properties.get(name, ("", {}))
        found: Sequence[Any] = column.get(str(number), ()) or self._unsaid.get(name, ())
        return found


def _walk(start: int, step: Callable[[int], Sequence[int]], limit: int | None = None) -> list[int]:
    """Everything reached from `start`, without it, nearest first; a circle ends where it closes."""
    seen, found, level = {start}, list[int](), [start]
    while level and (limit is None or len(found) <= limit):
        level = [other for one in level for other in step(one) if other not in seen and not seen.add(other)]  # type: ignore[func-returns-value]
        found += level
    return found
