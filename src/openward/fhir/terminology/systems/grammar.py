"""Code systems without a list: a code is right when it can be read. Units, languages, media types, addresses.

https://hl7.org/fhir/R4/terminologies-systems.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from openward.fhir.terminology.concepts import Concept, Filter, NoList, Sought
from openward.fhir.terminology.shipping.archive import languages
from openward.fhir.terminology.systems.filters import Facts, predicate
from openward.fhir.terminology.systems.system import Property
from openward.fhir.ucum import UnitUnknown, canonical_code, unit

Read = Callable[[str], tuple[str, Mapping[str, str]] | None]
"""A code → its name and its parts; None when it is not one."""

UCUM = "http://unitsofmeasure.org"
LANGUAGES = "urn:ietf:bcp:47"
MEDIA_TYPES = "urn:ietf:bcp:13"
ADDRESSES = "urn:ietf:rfc:3986"


@dataclass(frozen=True)
class GrammarSystem:
    """`parts` are the properties a code may have, for filters."""

    url: str
    name: str
    version: str | None
    read: Read
    parts: frozenset[str] = frozenset()
    is_case_sensitive: bool = True
    is_whole: bool = True
    has_hierarchy: bool = False
    package: str = "other"

    def find(self, code: str) -> Concept | None:
        found = self.read(code)
        return Concept(self.url, code, found[0], version=self.version) if found else None

    def each(self, filters: Sequence[Filter] = (), sought: Sought | None = None) -> Iterator[Concept]:
        """Only what a filter names can be listed."""
        listed = [one for one in filters if one.about in ("concept", "code") and one.op in ("=", "in")]
        if not listed:
            raise NoList(url=self.url)
        for code in sorted(listed[0].values if listed[0].op == "in" else {listed[0].value}):
            concept = self.find(code)
            if concept and self.holds(code, filters) and (sought is None or sought.fits(code, [concept.display])):
                yield concept

    def holds(self, code: str, filters: Sequence[Filter]) -> bool | None:
        found = self.read(code)
        return found is not None and all(self._passes(one, code, found) for one in filters)

    def _passes(self, one: Filter, code: str, found: tuple[str, Mapping[str, str]]) -> bool:
        values = {"code": code, "concept": code, "display": found[0], **found[1]}
        own = [values[one.about]] if values.get(one.about) else []
        if one.about == "canonical" and one.op == "=":
            one = replace(one, value=self._canonical(one.value))
        return predicate(one, Facts(self.url, self.parts, self.is_case_sensitive))(own)

    def _canonical(self, said: str) -> str:
        """What units are told to measure may be said by any unit of it: FHIR's own `all-time-units` says years, the base unit is the second."""
        found = self.read(said)
        return found[1]["canonical"] if found else said

    def count(self) -> int | None:
        return None

    def properties(self, code: str) -> list[Property]:
        found = self.read(code)
        return [Property(name, "String", value) for name, value in found[1].items()] if found else []

    def parents(self, code: str) -> list[str]:
        return []

    def children(self, code: str) -> list[str]:
        return []

    def lineage(self, codes: Collection[str]) -> Mapping[str, list[str]]:
        return {}

    def ancestors(self, code: str) -> list[str]:
        return []

    def descendants(self, code: str, limit: int) -> list[str]:
        return []


def read_unit(code: str) -> tuple[str, Mapping[str, str]] | None:
    try:
        return code, {"canonical": canonical_code(unit(code))}
    except UnitUnknown:
        return None


TOKEN = r"[A-Za-z0-9!#$&^_.+-]{1,127}"  # noqa: S105 - a token of RFC 6838, not a secret
MEDIA_TYPE = re.compile(rf"({TOKEN})/({TOKEN})((?:\s*;\s*{TOKEN}=(?:{TOKEN}|\"[^\"]*\"))*)")


def read_media_type(code: str) -> tuple[str, Mapping[str, str]] | None:
    """https://www.rfc-editor.org/rfc/rfc6838#section-4.2, with parameters"""
    found = MEDIA_TYPE.fullmatch(code) if len(code) < 500 else None
    return (code, {"type": found[1].lower(), "subtype": found[2].lower()}) if found else None


ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")


def read_address(code: str) -> tuple[str, Mapping[str, str]] | None:
    """https://www.rfc-editor.org/rfc/rfc3986#section-4.3"""
    return (code, {}) if len(code) < 2000 and ADDRESS.fullmatch(code) else None


TAG = re.compile(
    r"(?P<language>[a-z]{2,3}|[a-z]{5,8})(?P<extlang>(?:-[a-z]{3}){0,3})(?:-(?P<script>[a-z]{4}))?(?:-(?P<region>[a-z]{2}|[0-9]{3}))?"
    r"(?P<variant>(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*)(?P<extension>(?:-[0-9a-wy-z](?:-[a-z0-9]{2,8})+)*)(?:-(?P<private>x(?:-[a-z0-9]{1,8})+))?"
)
PARTS = {"language": "language", "extlang": "ext-lang", "script": "script", "region": "region", "variant": "variant", "extension": "extension"}
REGISTERED = ("language", "extlang", "script", "region", "variant")


def read_language(code: str) -> tuple[str, Mapping[str, str]] | None:
    """https://www.rfc-editor.org/rfc/rfc5646#section-2.1; every subtag must be registered."""
    tag = code.lower()
    known = languages()
    if tag in known["grandfathered"]:
        return known["grandfathered"][tag], {"language": code}
    found = TAG.fullmatch(tag) if len(tag) < 100 else None
    if not found or not all(sub in known[kind] for kind in REGISTERED for sub in filter(None, (found[kind] or "").split("-"))):
        return None
    parts = {PARTS[kind]: text.lstrip("-") for kind, text in found.groupdict().items() if text and kind in PARTS}
    if found["private"]:
        parts["private-use"] = found["private"]
    details = [known[kind][found[kind]] for kind in ("script", "region") if found[kind]]
    name = known["language"][found["language"]]
    return (f"{name} ({', '.join(details)})" if details else name), parts


GRAMMARS: Mapping[str, GrammarSystem] = {
    one.url: one
    for one in (
        GrammarSystem(UCUM, "Unified Code for Units of Measure (UCUM)", "2.2", read_unit, frozenset({"canonical"})),
        GrammarSystem(LANGUAGES, "Tags for the Identification of Languages", None, read_language, frozenset(PARTS.values()) | {"private-use"}, False),
        GrammarSystem(MEDIA_TYPES, "Media types", None, read_media_type, frozenset({"type", "subtype"})),
        GrammarSystem(ADDRESSES, "Uniform Resource Identifiers", None, read_address),
    )
}
