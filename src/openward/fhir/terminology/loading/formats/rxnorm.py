"""RxNorm in its rich release format (RRF). https://www.nlm.nih.gov/research/umls/rxnorm/docs/techdoc.html"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from openward.fhir.terminology.loading.formats import named, told
from openward.fhir.terminology.loading.release import ConceptRow, Fields, NameRow, ParentRow, Part, PropertyRow, Release, Row
from openward.fhir.terminology.loading.sources import Source

URL = "http://www.nlm.nih.gov/research/umls/rxnorm"
SYNONYMS = frozenset({"SY", "TMSY", "PSN", "ET"})
SUPPRESSED = frozenset({"O", "E", "Y"})
ATTRIBUTES = frozenset({"RXN_STRENGTH", "RXN_HUMAN_DRUG", "RXN_VET_DRUG", "RXTERM_FORM", "NDC", "RXN_QUANTITY", "RXN_AVAILABLE_STRENGTH"})


def releases(sources: Sequence[Source], version: str | None) -> Iterator[Release]:
    names = named(sources, r"RXNCONSO\.RRF")
    if not names:
        return
    files = ((r"RXNCONSO\.RRF", _name), (r"RXNREL\.RRF", _relation), (r"RXNSAT\.RRF", _attribute), (r"RXNSTY\.RRF", _type))
    parts = [Part(one.name, one, parse, "pipe") for pattern, parse in files for one in _outer(named(sources, pattern))]
    yield Release("RxNorm", URL, version or _version(names[0]) or "unknown", parts, case_sensitive=False, hierarchy=True)


def _outer(found: list[Source]) -> list[Source]:
    """A full release has the prescribable subset in a folder of its own; the full files stand above it."""
    return sorted(found, key=lambda one: ("prescribe" in one.trail.lower(), one.trail))[:1]


def _version(source: Source) -> str | None:
    """Year, month, day of `RxNorm_full_MMDDYYYY`, so that versions sort."""
    date = told(source, r"RxNorm_\w+?_(\d{8})")
    return f"{date[4:]}{date[:4]}" if date else None


def _name(fields: Fields) -> Iterable[Row]:
    code, language, atom, source, kind, text, suppressed = fields[0], fields[1], fields[7], fields[11], fields[12], fields[14], fields[16]
    if source != "RXNORM":
        return
    if kind in SYNONYMS:
        yield NameRow(code, atom, text, "en" if language == "ENG" else language.lower(), (None, kind, None))
        return
    yield ConceptRow(code, text, inactive=suppressed in SUPPRESSED)
    yield PropertyRow(code, "TTY", kind, "Code")


def _relation(fields: Fields) -> Iterable[Row]:
    """The second concept has the relation to the first."""
    one, kind, other, relation, source = fields[0], fields[2], fields[4], fields[7], fields[10]
    if source != "RXNORM" or kind != "CUI" or not relation or not one or not other:
        return
    if relation == "isa":
        yield ParentRow(other, one)
    else:
        yield PropertyRow(other, relation, one, "Code")


def _attribute(fields: Fields) -> Iterable[Row]:
    code, name, source, value = fields[0], fields[8], fields[9], fields[10]
    return [PropertyRow(code, name, value)] if source == "RXNORM" and name in ATTRIBUTES and code else ()


def _type(fields: Fields) -> Iterable[Row]:
    return [PropertyRow(fields[0], "STY", fields[3])]
