"""Sealing what the record already holds: versions of before it was sealed, and what stands under keys that were retired.

Every version is gone through once for each change of the rules or the keys, a batch a transaction, in the order of the primary key; how far it is
stands in `fhir.sealing_walk`, so that it may be stopped at any time. A body is changed in how it stands, never in what it says: the number, the
time, the transaction and the audit of a version stay as they are.

What is found by a keyed digest (a social security number) is indexed anew with it. Until all of it is, searches look for the old digest too; then
the old key is taken away.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any
from uuid import UUID

import psycopg
from django.db import connection, transaction
from django.utils import timezone

from openward.fhir import packed
from openward.fhir.definitions import type_name
from openward.fhir.errors import FhirError
from openward.fhir.sealing.bodies import MARK, SEALED, changed, in_clear, sealed
from openward.fhir.sealing.rules import ACT_CODE, CONFIDENTIALITY, RESTRICTED, SENSITIVE, sealed_texts
from openward.fhir.sealing.rules import BLIND as BLIND_MARK
from openward.fhir.search.index import extract
from openward.fhir.search.own import OWN
from openward.fhir.search.person import write_people
from openward.fhir.search.token import token_hash
from openward.fhir.versions import parsed
from openward.keys.bodies import FOUND_BY, PURPOSES, RecordKeys
from openward.keys.models import DataKey
from openward.keys.ring import BLIND, REMEMBERED_SECONDS
from openward.keys.rotation import lost_keys, sealed_place
from openward.keys.sealing import key_id, key_of

log = logging.getLogger("openward.keys")

KEYS = RecordKeys()
RULES = "1"
"""Raise it when `openward.fhir.sealing.rules` seals more: everything is gone through again."""

EARLY = " early"
"""After what is wanted: begun while processes may still have written under older keys, so that it must be gone through once more."""
SETTLED = dt.timedelta(seconds=4 * REMEMBERED_SECONDS)  # nobody indexes under an older key any more, and what they had begun has ended
INDEX_KEY = f"{FOUND_BY}{BLIND}"

LOCK = "select wanted, done, at_tenant, at_rtype, at_rkey, at_ver from fhir.sealing_walk for update skip locked"
MAKE = "insert into fhir.sealing_walk default values on conflict do nothing"
MOVE = """update fhir.sealing_walk set wanted = %s, done = %s, at_tenant = %s, at_rtype = %s, at_rkey = %s, at_ver = %s,
  changed = case when %s then pg_current_xact_id() else changed end"""
# A note labelled later is no sign of an older record: its older versions are sealed by night, between walks.
CLEAR = "update fhir.sealing_walk set clear_until = now() where wanted <> ''"
WANT = "update fhir.sealing_walk set wanted = %s"
CLEAR_UNTIL = "select clear_until from fhir.sealing_walk where clear_until is not null"

# Whatever may hold something to seal, or something sealed; the rest is only passed by.
PARTS = ('"data":"', '/us-ssn"', "2.16.840.1.113883.4.1", '"security":[', '"code":"SS"', '"code":"SB"')
MAY_HOLD = " or ".join(f"strpos(body, '{part}') > 0" for part in PARTS)
LOOKED_AT = f"""select tenant, rtype, rkey, ver, left(body, 1) = ' ' or {MAY_HOLD} from fhir.body
  where (tenant, rtype, rkey, ver) > (%s, %s::smallint, %s::uuid, %s) order by tenant, rtype, rkey, ver limit %s"""  # noqa: S608 - fixed texts
CHANGE = "update fhir.body set body = %s where tenant = %s and rtype = %s and rkey = %s and ver = %s"

READ = "select body from fhir.body where tenant = %s and rtype = %s and rkey = %s and ver = %s"

LABELLED = "select tenant, rtype, rkey from fhir.current where rkey = any(%s::uuid[]) and tok && %s::bigint[]"
LATELY = """select b.tenant, b.rtype, b.rkey, b.ver from fhir.current c join fhir.body b on b.tenant = c.tenant and b.rtype = c.rtype and b.rkey = c.rkey
  where c.tok && %s::bigint[] and c.ver > 1 and c.last_updated > now() - interval '3 days' and b.ver < c.ver and b.body is not null"""

CURRENT = "select 1 from fhir.current where tenant = %s and rtype = %s and rkey = %s and ver = %s for update"
INDEX = "update fhir.current set tok = %s::bigint[] where tenant = %s and rtype = %s and rkey = %s"
DROP_TEXTS = "delete from fhir.string_value where tenant = %s and rtype = %s and rkey = %s and value = any(%s)"
# What somebody took from a patient while the key changed had been indexed under the older one.
STRAYS = """delete from fhir.person_key k where k.kind = 'i' and k.key >= %(first)s and k.key < %(beyond)s and not exists (
  select from fhir.person p where p.tenant = k.tenant and p.rkey = k.rkey and k.key = any(p.identifiers))"""
KNOWN = """select c.tok, array(select k.key from fhir.person_key k where k.tenant = c.tenant and k.rkey = c.rkey and k.kind = 'i')
  from fhir.current c where c.tenant = %s and c.rtype = %s and c.rkey = %s"""
DROP_PERSON = "delete from fhir.person_key where tenant = %s and rkey = %s"

Place = tuple[int, int, UUID, int]
START: Place = (-(2**31), -1, UUID(int=0), 0)


@dataclass(frozen=True, slots=True)
class Stored:
    """A version, and its body once it is read: one at a time, for attachments are long."""

    tenant: int
    rtype: int
    key: UUID
    number: int
    body: str | None = None

    @property
    def place(self) -> Place:
        return self.tenant, self.rtype, self.key, self.number


@sealed_place("record", indexes=(FOUND_BY,))
def reseal(limit: int) -> int:
    """Go on until a batch had something to seal; how much it had. 0 when all has been gone through, or another worker is at it."""
    while (done := _batch(limit)) is not None:
        if done:
            return done
    return 0


def _batch(limit: int) -> int | None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(MAKE)
        cursor.execute(LOCK)
        row = cursor.fetchone()
        retired = _retired()
        stamp = _stamp(retired)
        if row is None or _is_done(row[1], stamp):
            return None
        going = row[0] in (stamp, stamp + EARLY)
        wanted = row[0] if going else stamp if _is_settled(retired) else stamp + EARLY
        place: Place = row[2:] if going else START
        cursor.execute(LOOKED_AT, [*place, limit])
        looked_at = cursor.fetchall()
        if not looked_at:
            _end(cursor, stamp if wanted == stamp else row[1], retired)
            return None
        OWN.keep_fresh(connection.connection)
        cursor.execute(WANT, [wanted])
        done = _seal_all(cursor, [Stored(*place) for *place, may_hold in looked_at if may_hold], retired)
        cursor.execute(MOVE, [wanted, row[1], *looked_at[-1][:4], done > 0])
        return done


def _stamp(retired: Mapping[int, dt.datetime]) -> str:
    return f"{RULES} {max(retired.values()).isoformat()}" if retired else RULES


def _is_done(done: str, stamp: str) -> bool:
    """All was gone through for these keys, or for later ones: the last that were retired may have been taken away since."""
    return done.partition(" ")[0] == RULES and done >= stamp


def is_unfinished() -> bool:
    """Whether there is something to go through for the rules and keys as they are."""
    with connection.cursor() as cursor:
        cursor.execute("select done from fhir.sealing_walk")
        row = cursor.fetchone()
    return row is None or not _is_done(row[0], _stamp(_retired()))


def clear_until() -> dt.datetime | None:
    """Until when something of before it was sealed stood in clear: what is older, and holds a copy of the database, holds that too."""
    with connection.cursor() as cursor:
        cursor.execute(CLEAR_UNTIL)
        row = cursor.fetchone()
    return row[0] if row else None


def _end(cursor: Any, finished: str, retired: Mapping[int, dt.datetime]) -> None:
    """What the indexes were made anew without is taken away; not while a key is missing, for what it sealed is still indexed as it was."""
    cursor.execute(MOVE, ["", finished, *START, False])
    if finished == _stamp(retired) and not lost_keys():
        cursor.execute(STRAYS, {"first": BLIND_MARK, "beyond": chr(ord(BLIND_MARK) + 1)})
        DataKey.objects.filter(purpose=INDEX_KEY, id__in=retired).delete()


def _seal_all(cursor: Any, versions: Sequence[Stored], retired: Collection[int]) -> int:
    """How many had to be. Older versions of what is labelled now are as sensitive as the newest."""
    cursor.execute(LABELLED, [[one.key for one in versions], labels()])
    labelled = {tuple(row) for row in cursor.fetchall()}
    return sum(_seal(cursor, _read(cursor, one), retired, labelled=one.place[:3] in labelled) for one in versions)


@sealed_place("labelled")
def seal_older_versions(limit: int) -> int:
    """Seal the older versions of what was labelled in the last days; how many."""
    with connection.cursor() as cursor:
        cursor.execute(LATELY, [labels()])
        found = [Stored(*row) for row in cursor.fetchall()]
    done = 0
    for start in range(0, len(found), limit):
        with transaction.atomic(), connection.cursor() as cursor:
            done += _seal_all(cursor, found[start : start + limit], ())
    return done


def _read(cursor: Any, one: Stored) -> Stored:
    cursor.execute(READ, one.place)
    return replace(one, body=cursor.fetchone()[0])


@cache
def labels() -> list[int]:
    """The tokens of the labels that make a resource's notes sensitive."""
    codes = [(CONFIDENTIALITY, code) for code in RESTRICTED] + [(ACT_CODE, code) for code in SENSITIVE]
    return sorted(token_hash("_security", system, code) for system, code in codes)


def _retired() -> dict[int, dt.datetime]:
    """Which data keys of the record no longer seal or index, and since when."""
    rows = DataKey.objects.filter(purpose__in=(*PURPOSES, INDEX_KEY), retired_at__isnull=False).values_list("id", "retired_at")
    return {id: at for id, at in rows if at is not None}


def _is_settled(retired: Mapping[int, dt.datetime]) -> bool:
    """Other processes may seal under a key a while after it was retired: what they wrote behind a walk that began before is for the next one."""
    return not retired or timezone.now() - max(retired.values()) > SETTLED


def _seal(cursor: Any, one: Stored, retired: Collection[int], *, labelled: bool) -> bool:
    """Whether it had to be sealed, or sealed or indexed anew. One whose key is missing stays as it is, for the key may come back."""
    assert one.body is not None
    try:
        clear = in_clear(one.body) or ""
        body = _as_it_should_stand(one, clear, retired, labelled=labelled)
        if body is not None and in_clear(body) != clear:
            return False
        if body is not None:
            cursor.execute(CHANGE, [body, *one.place])
        if body is not None and body.count(SEALED) > one.body.count(SEALED):
            _index(cursor, one, clear)
            cursor.execute(CLEAR)
        elif _is_found_by_digest(one.body):
            return _index(cursor, one, clear) or body is not None
    except FhirError as trouble:
        log.error("a version of %s %s stays as it is: %s", type_name(one.rtype), one.key, type(trouble).__name__)
        return False
    return body is not None


def _as_it_should_stand(one: Stored, clear: str, retired: Collection[int], *, labelled: bool) -> str | None:
    """None when it stands so already. What was sealed once stays sealed, though a label was taken away since."""
    assert one.body is not None
    body = sealed(one.tenant, clear, sensitive=labelled)
    if body.count(SEALED) > one.body.count(SEALED):
        return body
    if not _is_under(one.body, retired):
        return None
    return changed(one.body, lambda value, about: f'{SEALED}{KEYS.reseal(value, about)}"')


def _is_under(body: str, retired: Collection[int]) -> bool:
    return any(key_id(part.partition('"')[0]) in retired for part in body.split(SEALED)[1:]) if body.startswith(MARK) else False


def _is_found_by_digest(body: str) -> bool:
    """Whether a body that opens holds what is indexed under a key."""
    return any(key_of(part.partition('"')[0]).purpose == FOUND_BY for part in body.split(SEALED)[1:]) if body.startswith(MARK) else False


def _index(cursor: Any, one: Stored, clear: str) -> bool:
    """What search knew of the resource is replaced by what it knows now; whether it knew anything else."""
    cursor.execute(CURRENT, one.place)
    if cursor.fetchone() is None:
        return False
    content = parsed(clear)
    row = extract(content, type_name(one.rtype), tenant=one.tenant)
    where = one.place[:3]
    cursor.execute(KNOWN, where)
    tok, numbers = cursor.fetchone()
    if tok == row.tok and (row.person is None or set(row.person.identifiers) <= set(numbers)):
        return False
    cursor.execute(INDEX, [row.tok, *where])
    cursor.execute(DROP_TEXTS, [*where, list(sealed_texts(content))])
    if row.person is not None:
        cursor.execute(DROP_PERSON, [one.tenant, one.key])
        wire: psycopg.Connection[Any] = connection.connection
        write_people(packed.cursor(wire), one.tenant, [(None, row.person)])
    return True
