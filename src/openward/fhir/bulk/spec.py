"""What a client wants exported: the parameters of `$export`, checked.

https://hl7.org/fhir/uv/bulkdata/export.html#query-parameters
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from openward.fhir.definitions import RESOURCE_TYPES, compartment, is_resource_type
from openward.fhir.definitions import element as elements_of
from openward.fhir.errors import BadRequest
from openward.fhir.ids import is_id
from openward.fhir.search.query import CONTROLS, first_blank, parse
from openward.fhir.virtual import VIRTUAL

if TYPE_CHECKING:
    from openward.fhir.operations.parameters import Parameters

FORMATS = frozenset({"application/fhir+ndjson", "application/ndjson", "ndjson"})
KNOWN = frozenset({"_outputFormat", "_since", "_until", "_type", "_typeFilter", "_elements", "patient", "includeAssociatedData"})
LATEST, RELEVANT = "LatestProvenanceResources", "RelevantProvenanceResources"
FILTERS_AT_MOST = 50
CONDITIONS_AT_MOST = 100
PATIENTS_AT_MOST = 10_000
NEXT = re.compile(r"(,)\s*([A-Za-z]{1,64})\?")
"""Where one filter may end and the next begin."""


class NotSupported(BadRequest):
    """{what} is not supported by this server."""

    code = "not-supported"


@dataclass(frozen=True)
class Spec:
    """One export as asked for, plain enough to be kept as JSON.

    `group`: the id of the Group whose members are exported. `compartment`: only what belongs to patients. `types`: what was named, none for all.
    `filters`: type → search queries, any of which a resource must meet. `since` and `until` are ISO 8601. `provenance`: LATEST or RELEVANT, where
    the Provenance of what is exported is wanted besides.
    """

    group: str | None = None
    compartment: bool = False
    types: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None
    filters: Mapping[str, list[str]] = field(default_factory=dict)
    elements: Mapping[str, list[str]] = field(default_factory=dict)
    patients: tuple[str, ...] = ()
    provenance: str | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Spec:
        return cls(**{**given, "types": tuple(given["types"]), "patients": tuple(given["patients"])})

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def candidates(self) -> list[str]:
        """The types it is about, before anyone asks what the client may see."""
        if not self.compartment:
            return list(self.types or RESOURCE_TYPES)
        inside = {"Patient", *compartment("Patient")}
        return [type for type in self.types or RESOURCE_TYPES if type in inside]


def spec(parameters: Parameters, *, level: str, id: str | None = None, lenient: bool = False) -> Spec:
    """`level`: system, Patient or Group. Raises BadRequest; with `lenient`, what this server does not know is left out instead."""
    _format(parameters)
    unknown = [name for name in parameters.names if name not in KNOWN]
    if unknown and not lenient:
        raise NotSupported(what=", ".join(unknown)[:200])
    types = _types(_words(parameters.all("_type")), lenient)
    since, until = parameters.instant("_since"), parameters.instant("_until")
    return Spec(
        group=id if level == "Group" else None,
        compartment=level != "system",
        types=types,
        since=_text(since),
        until=_text(until),
        filters=_filters(_queries(parameters.all("_typeFilter")), lenient),
        elements=_elements(_words(parameters.all("_elements"))),
        patients=_patients(parameters.all("patient"), level),
        provenance=_provenance(_words(parameters.all("includeAssociatedData")), lenient),
    )


def _format(parameters: Parameters) -> None:
    wanted = parameters.text("_outputFormat")
    if wanted is not None and wanted.replace(" ", "+") not in FORMATS:
        raise NotSupported(what=f"_outputFormat {wanted[:64]}")


def _text(moment: dt.datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _words(values: Iterable[Any]) -> list[str]:
    """The parts of comma-separated lists; a list may be given several times."""
    texts = [value for value in values if isinstance(value, str)]
    return list(dict.fromkeys(part.strip() for text in texts for part in text.split(",") if part.strip()))


def _types(named: list[str], lenient: bool) -> tuple[str, ...]:
    unknown = [name for name in named if not is_resource_type(name)]
    if unknown and not lenient:
        raise BadRequest(f"_type: {', '.join(unknown)[:200]} is no resource type of FHIR R4.")
    made = [name for name in named if name in VIRTUAL]  # which no file holds
    if made and not lenient:
        raise NotSupported(what=f"_type={made[0]}")
    known = tuple(name for name in named if is_resource_type(name) and name not in VIRTUAL)
    if named and not known:
        raise BadRequest("_type names no resource type this server knows.")
    return known


def _queries(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        begins = [0, *(found.end(1) for found in NEXT.finditer(str(value)) if is_resource_type(found[2]))]
        for first, last in pairwise([*begins, len(str(value)) + 1]):
            yield str(value)[first : last - 1].strip()


def _filters(values: Iterable[str], lenient: bool) -> dict[str, list[str]]:
    """`Type?query` each, as several parameters or, as the guide's first release has it, in one, with a comma before the next `Type?`.

    Any other comma separates values of a search.
    """
    found: dict[str, list[str]] = {}
    for value in values:
        type, mark, query = value.partition("?")
        if not mark or not is_resource_type(type):
            raise BadRequest("_typeFilter is a search such as Observation?category=laboratory.")
        found.setdefault(type, []).append(_checked(type, query, lenient))
    if sum(map(len, found.values())) > FILTERS_AT_MOST:
        raise BadRequest(f"At most {FILTERS_AT_MOST} filters are taken.")
    return found


def _checked(type: str, query: str, lenient: bool) -> str:
    """Only what says which resources; order, paging and includes are about pages, and there are none here."""
    if query.count("&") >= CONDITIONS_AT_MOST:
        raise BadRequest(f"A _typeFilter holds at most {CONDITIONS_AT_MOST} conditions.")
    pairs = parse_qsl(query, keep_blank_values=True)
    if (blank := first_blank(pairs)) is not None:
        raise BadRequest(f"_typeFilter: {blank[:64]} has no value.")
    about_pages = [name for name, _ in pairs if name in CONTROLS or name.startswith(("_include", "_revinclude"))]
    if about_pages and not lenient:
        raise NotSupported(what=f"{about_pages[0]} in _typeFilter")
    asked = parse(type, [pair for pair in pairs if pair[0] not in about_pages], strict=not lenient)
    if not asked.conditions:
        raise BadRequest(f"_typeFilter of {type} holds no condition.")
    return query


def _elements(named: list[str]) -> dict[str, list[str]]:
    """Type, or `*` for every type, → its elements."""
    found: dict[str, list[str]] = {}
    for name in named:
        type, dot, element = name.partition(".")
        if dot and is_resource_type(type):
            if element not in elements_of(type):
                raise BadRequest(f"_elements: {type} has no element {element[:64]}.")
            found.setdefault(type, []).append(element)
        elif dot:
            raise BadRequest(f"_elements takes elements of the root only; {name[:64]} is none.")
        else:
            found.setdefault("*", []).append(name)
    return found


def _patients(values: Iterable[Any], level: str) -> tuple[str, ...]:
    """The ids of the patients asked for: References, or the text of one."""
    texts = [value.get("reference") if isinstance(value, dict) else value for value in values]
    if texts and level == "system":
        raise BadRequest("patient narrows an export of patients or of a group, not of the whole system.")
    if len(texts) > PATIENTS_AT_MOST:
        raise BadRequest(f"At most {PATIENTS_AT_MOST:,} patients are taken; make a Group of them.")
    ids = [text.removeprefix("Patient/") if isinstance(text, str) else "" for text in texts]  # by an identifier alone nobody is found
    if not all(is_id(id) for id in ids):
        raise BadRequest("patient is a reference such as Patient/123.")
    return tuple(dict.fromkeys(ids))


def _provenance(named: list[str], lenient: bool) -> str | None:
    unknown = [name for name in named if name not in (LATEST, RELEVANT)]
    if unknown and not lenient:
        raise NotSupported(what=f"includeAssociatedData {unknown[0][:64]}")
    return RELEVANT if RELEVANT in named else LATEST if LATEST in named else None
