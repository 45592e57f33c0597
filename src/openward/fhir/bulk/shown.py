"""Whether what stands in a finished file may still be shown to who takes it: labels and consents may have changed since it was written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from psycopg import Connection

from openward.fhir.bulk import stored
from openward.fhir.bulk.exports import File
from openward.fhir.definitions import type_number
from openward.fhir.ids import key
from openward.fhir.json import loads
from openward.fhir.protocols import Where

AT_ONCE = 10_000
# Each as it stands now; of a deleted one a row made from its last version, as a read has it.
SEEN = """select count(*) from (
    select tenant, rtype, rkey, ver, last_updated, patient, date_lo, date_hi, code, tok from fhir.current
    where tenant = %(tenant)s and rtype = %(rtype)s and rkey = any(%(keys)s::uuid[])
    union all
    (select distinct on (b.rkey) b.tenant, b.rtype, b.rkey, b.ver, b.ts, b.patient, null::timestamptz, null::timestamptz, null::bigint, '{}'::bigint[]
     from fhir.body b where b.tenant = %(tenant)s and b.rtype = %(rtype)s and b.rkey = any(%(keys)s::uuid[])
     and not exists (select from fhir.current n where n.tenant = b.tenant and n.rtype = b.rtype and n.rkey = b.rkey)
     order by b.rkey, b.ver desc)
  ) c where """


def is_still_shown(connection: Connection[Any], tenant: int, file: File, path: Path, where: Where) -> bool:
    """Whether every resource in the file may be exported by who has `where` now. Looks at each only if anything is hidden from them at all."""
    if where.everything or file.kind == "deleted":
        return True
    keys = _keys(file, path)
    while some := list(islice(keys, AT_ONCE)):
        if not _all_seen(connection, tenant, file.type, some, where):
            return False
    return True


def _all_seen(connection: Connection[Any], tenant: int, type: str, keys: list[UUID], where: Where) -> bool:
    given = {**where.params, "tenant": tenant, "rtype": type_number(type), "keys": keys}
    row = connection.execute(f"{SEEN}({where.sql})".encode(), given).fetchone()
    return row is not None and row[0] == len(keys)


def _keys(file: File, path: Path) -> Iterator[UUID]:
    """The keys of the resources in the file, line by line."""
    begun = b""
    for piece in stored.plain(path, file.stored):
        *lines, begun = (begun + piece).split(b"\n")
        for line in lines:
            yield key(file.type, _id(line))


# Where the engine writes it: behind the type. Anything else is read as JSON.
NAMED = re.compile(rb'^\{"resourceType":"OperationOutcome","issue":\[\{[^}]*"diagnostics":"[A-Za-z]+/([A-Za-z0-9\-.]{1,64}) ')
PLAIN = re.compile(rb'\{"resourceType":"[A-Za-z]+","id":"([A-Za-z0-9\-.]{1,64})"')


def _id(line: bytes) -> str:
    if told := NAMED.search(line):
        return told[1].decode()
    plain = PLAIN.match(line)
    return plain[1].decode() if plain else str(loads(line)["id"])
