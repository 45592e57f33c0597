"""A code system under another address, and one with what supplements add to its concepts: names and properties, never codes. https://hl7.org/fhir/R4/codesystem.html#supplements"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from openward.fhir.terminology.concepts import Concept, Filter, Sought
from openward.fhir.terminology.systems.memory import MemorySystem
from openward.fhir.terminology.systems.system import CodeSystem, Property


class Supplemented:
    def __init__(self, system: CodeSystem, supplements: Sequence[MemorySystem]) -> None:
        self._system = system
        self._supplements = supplements

    def __getattr__(self, name: str) -> Any:
        """Everything a supplement cannot change."""
        return getattr(self._system, name)

    def find(self, code: str) -> Concept | None:
        concept = self._system.find(code)
        return self._added(concept) if concept else None

    def each(self, filters: Sequence[Filter] = (), sought: Sought | None = None) -> Iterator[Concept]:
        """Where something is sought, first what the system's own names tell, then what only a supplement calls so."""
        if sought is None:
            yield from map(self._added, self._system.each(filters))
            return
        found: set[str] = set()
        for concept in self._system.each(filters, sought):
            found.add(concept.code)
            yield self._added(concept)
        for code in dict.fromkeys(self._called(sought)):
            more = self.find(code) if code not in found and self._system.holds(code, filters) else None
            if more is not None:
                yield more

    def _called(self, sought: Sought) -> Iterator[str]:
        """The codes that a supplement gives such a name."""
        for extra in self._supplements:
            for one in extra.each():
                if sought.fits(one.code, [name.value for name in one.designations]):
                    yield one.code

    def properties(self, code: str) -> Sequence[Property]:
        return [*self._system.properties(code), *(one for extra in self._supplements for one in extra.properties(code))]

    def _added(self, concept: Concept) -> Concept:
        more = [one for extra in self._supplements if (found := extra.find(concept.code)) for one in found.designations]
        return replace(concept, designations=[*concept.designations, *more]) if more else concept


class Renamed:
    """The same code system under another of its addresses."""

    def __init__(self, system: CodeSystem, url: str) -> None:
        self._system = system
        self.url = url

    def __getattr__(self, name: str) -> Any:
        return getattr(self._system, name)

    def find(self, code: str) -> Concept | None:
        concept = self._system.find(code)
        return replace(concept, system=self.url) if concept else None

    def each(self, filters: Sequence[Filter] = (), sought: Sought | None = None) -> Iterator[Concept]:
        return (replace(one, system=self.url) for one in self._system.each(filters, sought))
