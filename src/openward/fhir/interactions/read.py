"""FHIR read: the current version of one resource.

https://hl7.org/fhir/R4/http.html#read
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from openward.fhir.ids import key as key_of
from openward.fhir.interactions.seeing import address, known_type, refuse_missing, unopened, visible, watched
from openward.fhir.packed import EPOCH, MICROSECOND
from openward.fhir.protocols import Event, Where
from openward.fhir.sealing.bodies import MARK_BYTE, opened_in_part
from openward.fhir.search.rows import COLUMNS, number
from openward.fhir.versions import Version

if TYPE_CHECKING:
    from openward.fhir.store import Store

# For who may see all of the type: the newest version, unless it is a deletion; the search row has nothing to add.
NEWEST = f"""select {COLUMNS} from (
    select * from fhir.body where tenant = %(tenant)s and rtype = %(rtype)s and rkey = %(rkey)s order by ver desc limit 1) b
  where b.op <> 'D'"""  # noqa: S608


@lru_cache(maxsize=1000)
def _newest_shown(type: str, policy: str) -> str:
    """The same, for whom nothing is hidden but what is labelled: only of a text that speaks of labels the row is asked."""
    return f"""select {COLUMNS} from (
        select * from fhir.body where tenant = %(tenant)s and rtype = {known_type(type)} and rkey = %(rkey)s order by ver desc limit 1) b
      where b.op <> 'D' and (strpos(b.body, '"security"') = 0 or {_row_shows(type, policy)})"""  # noqa: S608


@lru_cache(maxsize=1000)
def _newest_seen(type: str, policy: str) -> str:
    """The same, if the row by which the policy decides is there and may be seen; that of a deleted resource is gone.

    The type's number stands in the statement, so that its plan knows the one partition and can be kept.
    """
    return f"""select {COLUMNS} from fhir.body b
      where b.tenant = %(tenant)s and b.rtype = {known_type(type)} and b.rkey = %(rkey)s and {_row_shows(type, policy)}
      order by b.ver desc limit 1"""  # noqa: S608


def _row_shows(type: str, policy: str) -> str:
    row = f"c.tenant = %(tenant)s and c.rtype = {known_type(type)} and c.rkey = %(rkey)s"
    return f"exists (select from fhir.current c where {row} and ({policy}))"  # noqa: S608


@lru_cache(maxsize=1000)
def _to_send(select: str, audit: str | None) -> str:
    """Of what is found only that of which an answer is made, and its audit. For a connection on which nothing waits for the disk."""
    audited = f", audited as ({audit})" if audit else ""
    return f"with seen as materialized ({select}){audited} select ver, ts, patient, body from seen"  # noqa: S608


def _newest(type: str, where: Where) -> str:
    if where.everything:
        return NEWEST
    return (_newest_shown if where.hides_labelled_alone else _newest_seen)(type, where.sql)


def _select(type: str, key: str, policy: str) -> str:
    return f"""select {COLUMNS} from fhir.current c join fhir.body b using (tenant, rtype, rkey, ver)
      where c.tenant = %(tenant)s and c.rtype = {known_type(type)} and c.rkey = {key} and ({policy})"""  # noqa: S608


def read(store: Store, type: str, id: str) -> Version:
    """One statement: policy, body and audit. Raises NotFound, also for what the actor may not see, and Gone."""
    params = address(store, type, id)
    where = visible(store, "read", type, id)
    versions = watched(store, _newest(type, where), params, where=where, interaction="read", type=type)
    if not versions:
        raise refuse_missing(store, "read", type, id, where)
    return versions[0]


class Sent(NamedTuple):
    """A current version on its way out: the bytes of its text, its number, and when it was stored, in microseconds since 2000."""

    body: bytes
    number: int
    at: int


def read_to_send(store: Store, type: str, id: str) -> Sent:
    """`read` for who passes on what is stored and asks nothing else of it: less is fetched, and nothing is made of it. Raises Locked, too."""
    if not store.reads_only:
        version = read(store, type, id)
        return Sent((version.text or "").encode(), version.number, (version.at - EPOCH) // MICROSECOND)
    params = address(store, type, id)
    where = visible(store, "read", type, id)
    audit = store.auditor.insert(store.connection, store.tenant, store.actor, "read", type, many=False)
    sql = _to_send(_newest(type, where), audit.sql if audit else None)
    row = store.wire.first(sql, {**params, **where.params, **(audit.params if audit else {})})
    if row is None:
        raise refuse_missing(store, "read", type, id, where)
    key, (ver, at, patient, body) = params["rkey"], row
    if body[:1] == MARK_BYTE:
        text, locked = opened_in_part(body.decode())
        if locked is not None:
            store.refuse(unopened("read", type, key, number(ver), UUID(bytes=patient) if patient else None))
            raise locked
        body = text.encode()
    if audit is None:
        store.record_reading([Event("read", type, key, number(ver), (UUID(bytes=patient),) if patient else ())])
    return Sent(body, number(ver), number(at, signed=True))


def read_many(store: Store, wanted: Iterable[tuple[str, str]]) -> list[Version]:
    """The current versions of the wanted (type, id) pairs, in their order; one statement a type. What is missing or not to be seen is left out."""
    pairs = [(type, key_of(type, id)) for type, id in wanted]
    found: dict[tuple[str, object], Version] = {}
    for type in dict.fromkeys(type for type, _ in pairs):
        where = store.policy.where(store.actor, "read", type)
        if where is None:
            continue
        params = {"tenant": store.tenant, "rkeys": list({key for named, key in pairs if named == type})}
        select = _select(type, "any(%(rkeys)s::uuid[])", where.sql)
        found.update({(type, v.key): v for v in watched(store, select, params, where=where, interaction="read", type=type, many=True)})
    return [found[pair] for pair in dict.fromkeys(pairs) if pair in found]
