"""FHIR history: the versions of one resource, of a type, or of the whole record, newest first.

https://hl7.org/fhir/R4/http.html#history
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from openward.fhir.definitions import RESOURCE_TYPES, type_number
from openward.fhir.errors import BadRequest
from openward.fhir.interactions.read import read
from openward.fhir.interactions.seeing import STANDING, address, known_type, record_locked, refuse_missing, visible
from openward.fhir.protocols import Event, Where
from openward.fhir.search.reference import pointer
from openward.fhir.search.rows import COLUMNS, version_in_part
from openward.fhir.versions import Version

if TYPE_CHECKING:
    from openward.fhir.store import Store

MAX_COUNT = 1000
VERSIONED = re.compile(r"[A-Za-z]+/[A-Za-z0-9.-]{1,64}(?:/_history/(\d{1,9}))?\Z")

# A page never shows a version whose transaction may still be joined by one that started earlier: later pages would skip that one.
WATERMARK = "b.tx < %(watermark)s::xid8"

# Current at some point of a time: begun before its end, and not followed by another before its beginning.
CURRENT = """(%(until)s::timestamptz is null or (b.ts < %(until)s and not exists (select from fhir.body n where n.tenant = b.tenant
    and n.rtype = b.rtype and n.rkey = b.rkey and n.ver = b.ver + 1 and n.ts <= %(from)s::timestamptz)))"""

ONE = f"""select {COLUMNS} from {STANDING} join fhir.body b using (tenant, rtype, rkey)
  where (POLICY) and (%(since)s::timestamptz is null or b.ts >= %(since)s) and (%(ver)s::int is null or b.ver BEYOND %(ver)s)
  and {CURRENT} and (LISTED)
  order by b.ver ORDER limit %(limit)s"""  # noqa: S608

# Of a type: the log from its end; the policy decides by each resource as it stands now.
LOG = f"""select {COLUMNS} from fhir.body b where b.tenant = %(tenant)s and b.rtype = %(rtype)s and {WATERMARK}
  and (%(since)s::timestamptz is null or b.ts >= %(since)s)
  and (%(ts)s::timestamptz is null or (b.ts, b.rkey, b.ver) BEYOND (%(ts)s, %(rkey)s::uuid, %(ver)s::int))
  and (STANDS) and {CURRENT} and (LISTED)
  order by b.ts ORDER, b.rkey ORDER, b.ver ORDER limit %(limit)s"""  # noqa: S608

LISTED = """b.rkey = any(%(keys)s::uuid[]) and exists (select from unnest(%(keys)s::uuid[], %(types)s::smallint[], %(numbers)s::int[]) l(k, t, n)
  where l.k = b.rkey and l.t = b.rtype and (l.n is null or l.n = b.ver))"""

STANDS = """exists (select from fhir.current c where c.tenant = b.tenant and c.rtype = b.rtype and c.rkey = b.rkey and (POLICY))
  or (not exists (select from fhir.current c where c.tenant = b.tenant and c.rtype = b.rtype and c.rkey = b.rkey)
    and exists (select from (select b.tenant, b.rtype, b.rkey, b.ver, b.ts as last_updated, b.patient, null::timestamptz as date_lo,
      null::timestamptz as date_hi, null::bigint as code, '{}'::bigint[] as tok) c where POLICY))"""


@dataclass(frozen=True)
class History:
    """One page of versions, newest first. `next` is the cursor of the following page, None on the last."""

    versions: list[Version]
    next: str | None

    def __iter__(self) -> Iterator[Version]:
        return iter(self.versions)


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page ended, and the watermark all pages of one walk share."""

    watermark: str
    at: str | None = None
    key: str | None = None
    number: int | None = None

    def cursor(self) -> str:
        return base64.urlsafe_b64encode(json.dumps([self.watermark, self.at, self.key, self.number]).encode()).decode().rstrip("=")

    @classmethod
    def of(cls, cursor: str) -> Position:
        try:
            watermark, at, key, number = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
            if not 0 <= int(watermark) < 2**63 or not 0 <= int(number or 0) < 2**31:
                raise ValueError("what the database does not count to")
            return cls(str(int(watermark)), at and dt.datetime.fromisoformat(at).isoformat(), key and str(UUID(key)), number and int(number))
        except (ValueError, TypeError, AttributeError, OverflowError, binascii.Error) as error:
            raise BadRequest("The page link is not one this server gave.") from error


def history(
    store: Store,
    type: str | None,
    id: str | None,
    *,
    count: int,
    cursor: str | None,
    since: dt.datetime | None,
    at: tuple[str, str] | None = None,
    oldest_first: bool = False,
    listed: str | None = None,
) -> History:
    """One page. `at`: the half-open range of instants at some point of which a version was current. `listed`: the id of a List; of what it names,
    every version, or the one it names.

    Raises NotFound for a resource that never was or may not be seen, BadRequest for a cursor that is not ours.
    """
    store.flush()
    limit = max(1, min(count, MAX_COUNT))
    position = Position.of(cursor) if cursor else Position(_watermark(store))
    begin, end = at or (None, None)
    params = {"tenant": store.tenant, "since": since, "ts": position.at, "rkey": position.key, "ver": position.number, "limit": limit + 1}
    params |= {"from": begin, "until": end, **(_named(store, listed) if listed else {})}
    if type and id:
        versions = _of_one(store, type, id, params, oldest_first)
    else:
        versions = _of_types(store, [type] if type else list(RESOURCE_TYPES), {**params, "watermark": position.watermark}, oldest_first)
    page = versions[:limit] if count else []
    _record(store, type, id, page)
    more = bool(page) and len(versions) > limit
    return History(page, _after(page[-1], position).cursor() if more else None)


def _after(last: Version, position: Position) -> Position:
    return Position(position.watermark, last.at.isoformat(), str(last.key), last.number)


def _watermark(store: Store) -> str:
    """Everything below it is committed or rolled back for good; in a transaction of our own, what we wrote counts as well."""
    select = "select coalesce(pg_current_xact_id_if_assigned()::text::numeric + 1, pg_snapshot_xmin(pg_current_snapshot())::text::numeric)::text"
    row = store.execute(select).fetchone()
    assert row is not None
    return str(row[0])


def _named(store: Store, id: str) -> dict[str, Any]:
    """What the entries of a List name, but those it says are deleted. Raises NotFound for a List the actor may not see."""
    entries = read(store, "List", id).content.get("entry", ())
    names = [VERSIONED.match(str(entry.get("item", {}).get("reference", ""))) for entry in entries if not entry.get("deleted")]
    found = [(pointer(name[0]), name[1]) for name in names if name]
    at = [(place, number) for place, number in found if place]
    keys, types = [key for (_, key), _ in at], [type_number(type) for (type, _), _ in at]
    return {"keys": keys, "types": types, "numbers": [int(number) if number else None for _, number in at]}


def _directed(sql: str, oldest_first: bool, params: Mapping[str, Any]) -> str:
    directed = sql.replace("BEYOND", ">" if oldest_first else "<").replace("ORDER", "asc" if oldest_first else "desc")
    return directed.replace("LISTED", LISTED if "keys" in params else "true")


def _of_one(store: Store, type: str, id: str, params: Mapping[str, Any], oldest_first: bool) -> list[Version]:
    where = visible(store, "history", type, id)
    every = {**params, **address(store, type, id), **where.params}
    versions = [version_in_part(row) for row in store.execute(_directed(ONE, oldest_first, params).replace("POLICY", where.sql), every)]
    if not versions and "keys" not in params and params["since"] is None and params["ver"] is None and params["until"] is None:
        raise refuse_missing(store, "history", type, id, where)
    return versions


def _of_types(store: Store, types: list[str], params: Mapping[str, Any], oldest_first: bool) -> list[Version]:
    """The first of each type the actor may see, merged."""
    if len(types) == 1:
        known_type(types[0])
        seen = [(types[0], visible(store, "history", types[0]))]
    else:
        grants = [(type, store.policy.where(store.actor, "history", type)) for type in _stored_types(store)]
        seen = [(type, where) for type, where in grants if where is not None]
    versions = [version for type, where in seen for version in _of_type(store, type, where, params, oldest_first)]
    return sorted(versions, key=lambda v: (v.at, v.key, v.number), reverse=not oldest_first)[: params["limit"]]


def _of_type(store: Store, type: str, where: Where, params: Mapping[str, Any], oldest_first: bool) -> list[Version]:
    standing = "true" if where.everything else STANDS.replace("POLICY", where.sql)
    rows = store.execute(_directed(LOG, oldest_first, params).replace("STANDS", standing), {**params, "rtype": type_number(type), **where.params})
    return [version_in_part(row) for row in rows]


def _stored_types(store: Store) -> list[str]:
    """The types that have any version: one index descent each."""
    select = """select r from unnest(%(all)s::smallint[]) r where exists (select from fhir.body where tenant = %(tenant)s and rtype = r)"""
    rows = store.execute(select, {"tenant": store.tenant, "all": list(range(len(RESOURCE_TYPES)))})
    return [RESOURCE_TYPES[row[0]] for row in rows]


def _record(store: Store, type: str | None, id: str | None, page: list[Version]) -> None:
    patients = tuple(dict.fromkeys(v.patient for v in page if v.patient))
    key = page[0].key if id and page else None
    store.record_reading([Event("history", type, key, patients=patients)])
    record_locked(store, "history", page)
