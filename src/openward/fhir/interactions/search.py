"""FHIR search over the store: policy and audit around openward.fhir.search, and the answer as a Bundle.

https://hl7.org/fhir/R4/http.html#search
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from openward.fhir.bundles.answers import links, raw
from openward.fhir.errors import BadRequest, Issue
from openward.fhir.interactions.seeing import known_type, visible
from openward.fhir.protocols import Event, Where
from openward.fhir.resources import Resource
from openward.fhir.search import Page
from openward.fhir.search import search as run
from openward.fhir.search.query import CONTROLS, pairs
from openward.fhir.versions import Version

if TYPE_CHECKING:
    from openward.fhir.store import Store

Params = Mapping[str, Any] | Sequence[tuple[str, Any]]


def search(store: Store, type: str, params: Params, *, strict: bool = False) -> Page[Resource]:
    """One page. The policy is asked for every type the search touches; the audit event names every patient whose data is on the page."""
    known_type(type)
    visible(store, "search", type)
    store.flush()
    page = run(store.connection, store.tenant, type, params, where=_sight(store), strict=strict)
    store.record_reading([_event(type, page)])
    return page


def matches(store: Store, type: str, params: Sequence[tuple[str, str]]) -> list[Version]:
    """At most two of the resources a condition names: enough to know whether it names exactly one.

    Strict: a parameter that is unknown or empty would make the condition hold for everything.
    """
    for name, value in params:
        if name in CONTROLS or name.startswith(("_include", "_revinclude")) or not value.strip():
            raise BadRequest(f"{name}={value} is not a condition.")
    return list(search(store, type, [*pairs(params), ("_count", "2")], strict=True).matches)


def searchset(store: Store, type: str, params: Params, base: str, *, strict: bool = False) -> dict[str, Any]:
    """One page as a Bundle whose resources are the stored bytes. `base` is the server's address."""
    page = search(store, type, params, strict=strict)
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset"}
    if page.total is not None:
        bundle["total"] = page.total
    bundle["link"] = links(_links(f"{base}/{type}", page))
    entries = [*(_entry(version, base, "match") for version in page.matches), *(_entry(version, base, "include") for version in page.includes)]
    if page.ignored:
        entries.append(_ignored(page.ignored))
    if entries:
        bundle["entry"] = entries
    return bundle


def _sight(store: Store) -> Callable[[str], Where | None]:
    return partial(store.policy.where, store.actor, "search")


def _event(type: str, page: Page[Resource]) -> Event:
    seen = [*page.matches, *page.includes]
    return Event("search", type, patients=tuple(dict.fromkeys(version.patient for version in seen if version.patient)))


def _links(address: str, page: Page[Resource]) -> list[tuple[str, str]]:
    query = urlencode(page.used)
    found = [("self", f"{address}?{query}" if query else address)]
    if page.next:
        found.append(("next", f"{address}?{urlencode([*page.used, ('_cursor', page.next)])}"))
    return found


def _entry(version: Version, base: str, mode: str) -> dict[str, Any]:
    return {"fullUrl": f"{base}/{version.reference}", "resource": raw(version), "search": {"mode": mode}}


def _ignored(names: Sequence[str]) -> dict[str, Any]:
    issues = [Issue("not-supported", f"{name} is unknown and was ignored.", severity="warning").to_fhir() for name in names]
    return {"resource": {"resourceType": "OperationOutcome", "issue": issues}, "search": {"mode": "outcome"}}
