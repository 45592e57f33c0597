"""FHIR search over the store: policy and audit around openward.fhir.search, and the answer as a Bundle.

https://hl7.org/fhir/R4/http.html#search
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import UUID

from msgspec import Raw

from openward.fhir.bundles.answers import links, raw
from openward.fhir.errors import BadRequest, Issue
from openward.fhir.interactions.seeing import known_type, record_locked, visible
from openward.fhir.protocols import AuditInsert, Event, Where
from openward.fhir.resources import Resource
from openward.fhir.search import Page
from openward.fhir.search import search as run
from openward.fhir.search.places import Place
from openward.fhir.search.query import CONTROLS, SHORT, pairs
from openward.fhir.search.sent import Rows
from openward.fhir.versions import Version

if TYPE_CHECKING:
    from openward.fhir.store import Store

Params = Mapping[str, Any] | Sequence[tuple[str, Any]]


def search(store: Store, place: str | Place, params: Params, *, strict: bool = False, bare: bool = False) -> Page[Resource]:
    """One page. The policy is asked for every type the search touches; the audit event names every patient whose data is on the page.

    `bare`: nothing is asked of the matches but their ids and what they say, so that less need be fetched.
    """
    type = _only_type(place)
    if type is not None:
        known_type(type)
        sight = _sight(store, {type: visible(store, "search", type)})
    else:
        sight = _sight(store, {})
    store.flush()
    page = run(store.connection, store.tenant, place, params, where=sight, strict=strict, wire=store.wire, watch=_watch(store), bare=bare)
    if not page.is_on_record:
        store.record_reading([_event(type, page)])
    record_locked(store, "search", [*_locked(page.matches), *_locked(page.includes)])
    return page


def _only_type(place: str | Place) -> str | None:
    if isinstance(place, str):
        return place
    return place.types[0] if place.types is not None else None


def matches(store: Store, type: str, params: Sequence[tuple[str, str]]) -> list[Version]:
    """At most two of the resources a condition names: enough to know whether it names exactly one. Raises Locked.

    Strict: a parameter that is unknown or empty would make the condition hold for everything.
    """
    for name, value in params:
        if name in CONTROLS or name.startswith(("_include", "_revinclude")) or not value.strip():
            raise BadRequest(f"{name}={value} is not a condition.")
    return [found.whole for found in search(store, type, [*pairs(params), ("_count", "2")], strict=True).matches]


def searchset(store: Store, place: str | Place, params: Params, base: str, *, strict: bool = False) -> dict[str, Any]:
    """One page as a Bundle whose resources are the stored bytes. `base` is the server's address."""
    asked = pairs(params)
    page = search(store, place, asked, strict=strict, bare=True)
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset"}
    if page.total is not None:
        bundle["total"] = page.total
    name = place if isinstance(place, str) else place.name
    bundle["link"] = links(_links(f"{base}/{name}" if name else base, page, next((value for key, value in asked if key == "_cursor"), None)))
    entries = [*_entries(page.matches, base, "match"), *_entries(page.includes, base, "include")]
    if page.ignored:
        entries.append(_ignored(page.ignored))
    if entries:
        bundle["entry"] = entries
    return bundle


def _sight(store: Store, known: dict[str, Where | None]) -> Callable[[str], Where | None]:
    """The policy, which one search asks again and again, once for each type; `known` is what it has said of this search already."""

    def sight(type: str) -> Where | None:
        if type not in known:
            known[type] = store.policy.where(store.actor, "search", type)
        return known[type]

    return sight


def _watch(store: Store) -> Callable[[str], AuditInsert | None] | None:
    """On a connection for reading alone a search may leave its audit event by its own statement."""
    return partial(_audit, store) if store.reads_only else None


def _audit(store: Store, type: str) -> AuditInsert | None:
    return store.auditor.insert(store.connection, store.tenant, store.actor, "search", type, many=False)


def _event(type: str | None, page: Page[Resource]) -> Event:
    seen = dict.fromkeys([*_patients(page.matches), *_patients(page.includes)])
    return Event("search", type, patients=tuple(patient for patient in seen if patient))


def _locked(versions: Sequence[Version]) -> list[Version]:
    if isinstance(versions, Rows):
        return [versions[row] for row in versions.locked]
    return [version for version in versions if version.locked]


def _patients(versions: Sequence[Version]) -> list[UUID | None]:
    if isinstance(versions, Rows):
        return list(versions.patients())
    return [version.patient for version in versions]


def _links(address: str, page: Page[Resource], here: str | None) -> list[tuple[str, str]]:
    """The pages before and after are opaque addresses: what was searched for, perhaps by POST so that no log shows it, is not in them."""
    query = "&".join([(_remembered if len(pair[1]) <= SHORT else _encoded)(pair) for pair in (page.used if here is None else [("_cursor", here)])])
    found = [("self", f"{address}?{query}" if query else address)]
    # A cursor's letters stand in an address as they are.
    return [*found, *((relation, f"{address}?_cursor={cursor}") for relation, cursor in (("first", page.first), ("next", page.next)) if cursor)]


def _encoded(pair: tuple[str, str]) -> str:
    return urlencode([pair])


_remembered = lru_cache(maxsize=4096)(_encoded)  # most searches have but one value that is new

LOCKED = {"mode": "outcome"}


def _entries(versions: Sequence[Version], base: str, mode: str) -> list[dict[str, Any]]:
    """Resources go from the database into the answer as the bytes they are."""
    search = {"mode": mode}
    if isinstance(versions, Rows):
        found = [
            {"fullUrl": f"{base}/{type}/{id}", "resource": Raw(body), "search": search}
            for type, id, body in zip(versions.types(), versions.ids(), versions.bodies, strict=True)
        ]
        for row in versions.locked:
            found[row]["search"] = LOCKED
        return found
    return [_entry(version, base, search) for version in versions]


def _entry(version: Version, base: str, search: Mapping[str, str]) -> dict[str, Any]:
    """What does not open is said in its place, in one and the same way whatever else was asked for."""
    resource, said = (raw(version), search) if version.locked is None else (version.locked.outcome(), LOCKED)
    return {"fullUrl": f"{base}/{version.reference}", "resource": resource, "search": said}


def _ignored(names: Sequence[str]) -> dict[str, Any]:
    issues = [Issue("not-supported", f"{name} is unknown and was ignored.", severity="warning").to_fhir() for name in names]
    return {"resource": {"resourceType": "OperationOutcome", "issue": issues}, "search": {"mode": "outcome"}}
