"""What a value set's composition holds: listed one after the other, and asked of one code. https://hl7.org/fhir/R4/valueset.html#composition"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from openward.fhir.errors import FhirError
from openward.fhir.terminology.catalogue import Catalogue, Definition
from openward.fhir.terminology.concepts import Concept, Designation, Filter, InvalidFilter, Sought, UnknownSystem
from openward.fhir.terminology.systems import CodeSystem
from openward.fhir.terminology.versions import Versions, split, versioned

DEEPEST = 20


class UnknownValueSet(FhirError):
    """The value set {url} is not here."""

    status = 404
    code = "not-found"


class CircularValueSet(FhirError):
    """The value set {url} includes itself."""

    status = 422
    code = "business-rule"


class Composition:
    """Evaluates value sets of one catalogue. Not for use by two threads at once."""

    def __init__(self, catalogue: Catalogue, versions: Versions | None = None) -> None:
        self.catalogue = catalogue
        self.versions = versions or Versions()
        self.used: dict[tuple[str, str | None], CodeSystem] = {}
        """Each (code system, version) that was asked."""
        self._inside: list[str] = []
        self._lacking: list[FhirError] = []

    @property
    def is_whole(self) -> bool:
        """Whether all of the code systems that were asked is here."""
        return all(system.is_whole for system in self.used.values())

    # -- listing ------------------------------------------------------------------------------------------------

    def concepts(self, definition: Definition, sought: Sought | None = None, *, active_only: bool = False) -> Iterator[Concept]:
        """Every concept once, in the order of the definition. Raises UnknownSystem, UnknownValueSet, CircularValueSet, InvalidFilter, UnknownFilter."""
        compose = definition.resource.get("compose")
        if not compose:
            yield from _distinct(one for one in listed(definition) if _is_wanted(one, sought) and not (active_only and one.inactive))
            return
        active_only = active_only or compose.get("inactive") is False
        with self._entering(definition.url):
            excluded = self._excluded(definition)
        found = (one for include in _parts(compose, "include") for one in self._included(include, definition, sought))
        yield from _distinct(one for one in found if not (active_only and one.inactive) and not excluded(one))

    def _included(self, include: Mapping[str, Any], definition: Definition, sought: Sought | None) -> Iterator[Concept]:
        if include.get("valueSet"):
            yield from self._imported(include, definition, sought)
        elif include.get("concept"):
            yield from self._enumerated(include, definition, sought)
        else:
            system = self._needed(include, definition)
            yield from system.each([Filter.of(one) for one in include.get("filter", ())], sought)

    def _imported(self, include: Mapping[str, Any], definition: Definition, sought: Sought | None) -> Iterator[Concept]:
        """What all the imported sets hold, and of the system, where one is named too."""
        first = self._set(include["valueSet"][0], definition)
        rest = {**include, "valueSet": include["valueSet"][1:]}
        with self._entering(definition.url):
            kept = list(self.concepts(first, sought))
            if include.get("concept") or include.get("filter"):
                self._needed(include, definition)
            if rest["valueSet"] or rest.get("system"):
                kept = [one for one in kept if self._told(rest, definition, one) is not False]
        yield from kept

    def _enumerated(self, include: Mapping[str, Any], definition: Definition, sought: Sought | None) -> Iterator[Concept]:
        """A listed code its system does not have is left out; without the system it is taken on trust."""
        system = self._system(include, definition)
        for row in include["concept"]:
            found = system.find(row["code"]) if system else Concept(split(include["system"])[0], row["code"])
            if found is None and system is not None and not system.is_whole:
                found = Concept(system.url, row["code"], version=system.version)
            if found is not None:
                named = replace(found, display=row.get("display") or found.display, designations=[*found.designations, *_designations(row)])
                if _is_wanted(named, sought):
                    yield named

    def _excluded(self, definition: Definition) -> Callable[[Concept], bool]:
        parts = _parts(definition.resource["compose"], "exclude")
        by_list = {(split(part.get("system", ""))[0], row["code"]) for part in parts if not part.get("valueSet") for row in part.get("concept", ())}
        others = [part for part in parts if part.get("valueSet") or not part.get("concept")]
        return lambda one: (one.system, one.code) in by_list or any(self._told(part, definition, one) is True for part in others)

    def _told(self, part: Mapping[str, Any], definition: Definition, one: Concept) -> bool | None:
        """As `_part_holds`. Raises UnknownSystem or UnknownValueSet where that is why it cannot be told: what is listed would be a guess.

        https://hl7.org/fhir/R4/valueset-operation-expand.html: a server that cannot correctly expand a value set SHALL return an error
        """
        self._lacking.clear()
        answer = self._part_holds(part, definition, one.system, one.code)
        if answer is None and self._lacking:
            raise self._lacking[0]
        return answer

    # -- asking -------------------------------------------------------------------------------------------------

    def holds(self, definition: Definition, system: str | None, code: str) -> bool | None:
        """Whether the set has the code; `system` None: the code alone. None when it cannot be told."""
        compose = definition.resource.get("compose")
        if not compose:
            return any(one.code == code and system in (None, one.system) for one in listed(definition))
        with self._entering(definition.url):
            included = _any(self._part_holds(part, definition, system, code) for part in _parts(compose, "include"))
            if included is False:
                return False
            excluded = _any(self._part_holds(part, definition, system, code) for part in _parts(compose, "exclude"))
            if excluded is True:
                return False
        if compose.get("inactive") is False and self._is_inactive(compose, definition, system, code):
            return False
        return included if excluded is False else None

    def _part_holds(self, part: Mapping[str, Any], definition: Definition, system: str | None, code: str) -> bool | None:
        """Of one include or exclude: all it says must hold."""
        mine = split(part["system"])[0] if part.get("system") else None
        if mine and system is not None and system != mine:
            return False
        answers = [self._holds_import(url, definition, mine or system, code) for url in part.get("valueSet", ())]
        if mine:
            answers.append(self._system_holds(part, definition, code))
        return _all(answers)

    def _holds_import(self, url: str, definition: Definition, system: str | None, code: str) -> bool | None:
        found = self.catalogue.value_set(url, definition.package)
        if found is None:
            self._lacking.append(UnknownValueSet(url=url[:200]))
        return self.holds(found, system, code) if found else None

    def _system_holds(self, part: Mapping[str, Any], definition: Definition, code: str) -> bool | None:
        system = self._system(part, definition)
        if part.get("concept"):
            return _is_listed(part, code, system)
        if system is None:
            self._lacking.append(UnknownSystem(system=versioned(part["system"], part.get("version"))))
            return None
        filters = [Filter.of(one) for one in part.get("filter", ())]
        if filters:
            return system.holds(code, filters)
        return True if system.find(code) else False if system.is_whole else None

    def pinned(self, definition: Definition, system: str) -> set[str]:
        """The versions its includes say they mean of a code system; none where one of them says none."""
        parts = [part for part in _parts(definition.resource.get("compose", {}), "include") if split(part.get("system", ""))[0] == system]
        stated = [part.get("version") or split(part["system"])[1] for part in parts]
        return set() if None in stated else {one for one in stated if one}

    def names(self, definition: Definition, system: str, code: str) -> list[Designation]:
        """What the set itself calls a code it lists, and what the sets call it that it imports."""
        compose = definition.resource.get("compose")
        if not compose:
            rows = [one for one in listed(definition) if (one.system, one.code) == (system, code)]
            return [name for one in rows for name in (*([Designation(one.display)] if one.display else []), *one.designations)]
        found: list[Designation] = []
        with self._entering(definition.url):
            for part in _parts(compose, "include"):
                if not part.get("system") or split(part["system"])[0] == system:
                    found += [name for row in part.get("concept", ()) if row["code"] == code for name in _names(row)]
                    sets = [self.catalogue.value_set(url, definition.package) for url in part.get("valueSet", ())]
                    found += [name for one in sets if one for name in self.names(one, system, code)]
        return found

    def _is_inactive(self, compose: Mapping[str, Any], definition: Definition, system: str | None, code: str) -> bool:
        systems = [self._system(part, definition) for part in _parts(compose, "include") if part.get("system") and system in (None, part["system"])]
        return any(found.inactive for one in systems if one and (found := one.find(code)))

    # -- what it names ------------------------------------------------------------------------------------------

    def _set(self, url: str, definition: Definition) -> Definition:
        found = self.catalogue.value_set(url, definition.package)
        if found is None:
            raise UnknownValueSet(url=url[:200])
        return found

    def _system(self, part: Mapping[str, Any], definition: Definition) -> CodeSystem | None:
        if not part.get("system"):
            raise InvalidFilter(what="a part of the value set names codes or filters and no system")
        url, stated = split(part["system"])
        version = self.versions.meant(url, part.get("version") or stated)
        found = self.catalogue.system(url, version, definition.package)
        if found is not None:
            self.used[url, found.version] = found
        return found

    def _needed(self, part: Mapping[str, Any], definition: Definition) -> CodeSystem:
        found = self._system(part, definition)
        if found is None:
            raise UnknownSystem(system=versioned(part["system"], part.get("version")))
        return found

    @contextmanager
    def _entering(self, url: str) -> Iterator[None]:
        if self._inside.count(url) > 1 or len(self._inside) > DEEPEST:
            raise CircularValueSet(url=url[:200])
        self._inside.append(url)
        try:
            yield
        finally:
            self._inside.pop()


def listed(definition: Definition) -> Iterator[Concept]:
    """The codes of an expansion that came with the value set."""
    rows = list(definition.resource.get("expansion", {}).get("contains", ()))
    while rows:
        row = rows.pop(0)
        if row.get("code") and row.get("system"):
            version, inactive, abstract = row.get("version"), row.get("inactive", False), row.get("abstract", False)
            yield Concept(row["system"], row["code"], row.get("display"), None, version, inactive, abstract, _designations(row))
        rows[:0] = row.get("contains", ())


def _parts(compose: Mapping[str, Any], kind: str) -> Sequence[Mapping[str, Any]]:
    parts: Sequence[Mapping[str, Any]] = compose.get(kind, ())
    return parts


def _is_listed(part: Mapping[str, Any], code: str, system: CodeSystem | None) -> bool:
    codes = {row["code"] for row in part["concept"]}
    if code in codes:
        return system is None or not system.is_whole or system.find(code) is not None
    return system is not None and not system.is_case_sensitive and code.casefold() in {one.casefold() for one in codes}


def _designations(row: Mapping[str, Any]) -> list[Designation]:
    return [
        Designation(
            one["value"],
            one.get("language"),
            (use.get("system"), use["code"], use.get("display")) if (use := one.get("use", {})).get("code") else None,
        )
        for one in row.get("designation", ())
        if one.get("value")
    ]


def _names(row: Mapping[str, Any]) -> list[Designation]:
    return [*([Designation(row["display"])] if row.get("display") else []), *_designations(row)]


def _is_wanted(one: Concept, sought: Sought | None) -> bool:
    return sought is None or sought.fits(one.code, (one.display, *(name.value for name in one.designations)))


def _distinct(found: Iterator[Concept]) -> Iterator[Concept]:
    seen: set[tuple[str, str]] = set()
    for one in found:
        if (one.system, one.code) not in seen:
            seen.add((one.system, one.code))
            yield one


def _any(answers: Iterator[bool | None]) -> bool | None:
    """Three-valued or."""
    unknown = False
    for answer in answers:
        if answer:
            return True
        unknown = unknown or answer is None
    return None if unknown else False


def _all(answers: Sequence[bool | None]) -> bool | None:
    """Three-valued and; nothing said holds nothing."""
    if not answers or False in answers:
        return False
    return None if None in answers else True
