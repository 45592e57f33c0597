"""AuditEvent as the REST surface answers it: by policy, a page at a time, each look on the trail too."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from openward.audit.events.asking import ENTRY_ID, PARAMETERS, Asked, asked
from openward.audit.events.finding import Finder, Place, names
from openward.audit.events.resource import Entry, version
from openward.fhir.bundles.answers import links, raw
from openward.fhir.errors import Issue, NotFound
from openward.fhir.ids import key
from openward.fhir.interactions.seeing import visible
from openward.fhir.protocols import Event
from openward.fhir.search.cursor import key_of, read, sign
from openward.fhir.versions import Version

if TYPE_CHECKING:
    from openward.fhir.store import Store

TYPE = "AuditEvent"
Resolve = Callable[[int, Sequence[str]], list[str]]
"""(tenant, references) → the ids of the actors who are those people."""


class Trail:
    """The virtual type AuditEvent. `base` is the address that events name as the serving side."""

    type = TYPE
    parameters: Mapping[str, str] = PARAMETERS
    documentation = (
        "The audit trail, made from its entries when it is asked for; nothing can be written to it. "
        "_sort is date or -date, _count at most 1,000, and _total counts. A patient as entity means everything of theirs."
    )

    def __init__(self, resolve: Resolve, base: Callable[[], str]) -> None:
        self._resolve = resolve
        self._base = base

    def read(self, store: Store, id: str) -> Version:
        """Raises NotFound."""
        where = visible(store, "read", TYPE, id)
        found = Finder(store.connection, store.tenant, asked([("_id", id)], strict=True), where, ()).page(None) if ENTRY_ID.fullmatch(id) else []
        if not found:
            store.refuse(Event("read", TYPE, key(TYPE, id), outcome=4))
            raise NotFound(type=TYPE, id=id)
        made = self._versions(store, found)[0]
        store.record_reading([Event("read", TYPE, made.key, 1, tuple(found[0].whose))])
        return made

    def searchset(self, store: Store, params: Sequence[tuple[str, str]], base: str, *, strict: bool) -> dict[str, Any]:
        where = visible(store, "search", TYPE)
        wanted = asked(params, strict=strict)
        signed = [TYPE, store.tenant, wanted.pairs, wanted.oldest_first]
        secret = key_of(store.connection)
        after = _place(read(secret, signed, wanted.cursor, 3)) if wanted.cursor else None
        finder = Finder(store.connection, store.tenant, wanted, where, self._actors(store, wanted))
        total = finder.total() if wanted.wants_total else None
        found = finder.page(after) if wanted.count else []
        shown = found[: wanted.count]
        store.record_reading([Event("search", TYPE, patients=tuple(dict.fromkeys(whose for entry in shown for whose in entry.whose)))])
        following = sign(secret, signed, [shown[-1].at.isoformat(), str(shown[-1].tx), str(shown[-1].id)]) if len(found) > wanted.count else None
        return self._bundle(wanted, total, self._versions(store, shown), base, following)

    def _actors(self, store: Store, wanted: Asked) -> list[list[str]]:
        return [*wanted.actors, *(self._resolve(store.tenant, references) for references in wanted.agents)]

    def _versions(self, store: Store, entries: Sequence[Entry]) -> list[Version]:
        known, base = names(store.connection, store.tenant, entries), self._base()
        return [version(entry, key(TYPE, entry.event_id), known, base) for entry in entries]

    def _bundle(self, wanted: Asked, total: int | None, versions: Sequence[Version], base: str, following: str | None) -> dict[str, Any]:
        query = [*wanted.pairs, ("_sort", "date" if wanted.oldest_first else "-date"), ("_count", str(wanted.count))]
        if wanted.wants_total:
            query.append(("_total", "accurate"))
        address = f"{base}/{TYPE}?"
        told = [("self", address + urlencode([*query, ("_cursor", wanted.cursor)] if wanted.cursor else query))]
        if following:
            told.append(("next", address + urlencode([*query, ("_cursor", following)])))
        entries: list[dict[str, Any]] = [
            {"fullUrl": f"{base}/{one.reference}", "resource": raw(one), "search": {"mode": "match"}} for one in versions
        ]
        if wanted.ignored:
            issues = [Issue("not-supported", f"{name} is unknown and was ignored.", severity="warning").to_fhir() for name in wanted.ignored]
            entries.append({"resource": {"resourceType": "OperationOutcome", "issue": issues}, "search": {"mode": "outcome"}})
        made: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset"}
        if total is not None:
            made["total"] = total
        made["link"] = links(told)
        return {**made, "entry": entries} if entries else made


def _place(parts: Sequence[str]) -> Place:
    return Place(parts[0], int(parts[1]), int(parts[2]))
