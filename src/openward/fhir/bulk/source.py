"""The rows of one type in an export, a chunk at a time, put together by PostgreSQL.

The log of versions is never changed, so the newest version up to a moment is the same whenever it is asked for: a chunk can be read anew after a
crash, and no snapshot need be held while files are written.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from psycopg import Connection, Cursor
from psycopg.rows import tuple_row

from openward.fhir.definitions import type_number
from openward.fhir.ids import key
from openward.fhir.json import dumps
from openward.fhir.protocols import Where
from openward.fhir.sealing.bodies import in_clear, opened_lines
from openward.fhir.sealing.port import Locked
from openward.fhir.search.conditions import Scope, rows
from openward.fhir.search.facts import Facts
from openward.fhir.search.query import CONTROLS, parse
from openward.fhir.search.sql import FALSE, Bindings, all_of, any_of

NOWHERE = UUID(int=0)
KEY_BYTES = 16
ROWS_AT_MOST = 10_000  # looked at for one chunk; what bounds a chunk is its bytes

# Walked in the order of its key; the next row tells whether this one is its resource's newest.
LOG = """select rkey, ver, ts, op, patient, id, body, lead(rkey) over (order by rkey, ver) is distinct from rkey as newest
  from fhir.body where tenant = %(tenant)s and rtype = {rtype} and rkey > %(after)s and ts <= %(at)s"""

# `before` counts the bytes ahead of a row: lengths are read from headers, nothing is unpacked for it.
PART = """select rkey, ver, ts, op, patient, id, body, sum(octet_length({text})) over (order by rkey) - octet_length({text}) as before
  from (select * from ({log}) b where {wanted} order by rkey limit {limit}) b"""

CHUNK = """select string_agg({text}, E'\\n' order by rkey), count(*), (array_agg(rkey order by rkey))[count(*)], string_agg(uuid_send(patient), '')
  from ({part}) b where before < %(bytes)s"""

# Without it a chunk would go through all of the type that came before, once more.
FURTHER = "c.rkey > %(after)s"

LINE = {
    "output": "body",
    "deleted": """'{{"resourceType":"Bundle","type":"transaction","entry":[{{"request":{{"method":"DELETE","url":"{type}/' || coalesce(id, rkey::text) || '"}}}}]}}'""",
}


@dataclass(frozen=True, slots=True)
class Chunk:
    """Lines without the last line's end; `last` is the key of the last of them. No rows: there are no more.

    `locked`: how many of the rows do not open and are not among the lines. `patients`: whom the rows are about, None where that was not asked.
    """

    text: bytes
    rows: int
    last: UUID
    locked: int = 0
    patients: frozenset[bytes] | None = None


@dataclass
class Source:
    """The resources of one type in one export.

    `where`: what the client may export of the type; `sight`: what they may search of any type, for filters that look at others.
    `patients`: the keys of those whose data is wanted, None for everyone's. `among`: one more condition, of this package's own words. `errors`: a line that says so for each of them that does not open, and none of the others.
    """

    connection: Connection[Any]
    tenant: int
    type: str
    where: Where
    sight: Callable[[str], Where | None]
    at: dt.datetime
    since: str | None = None
    until: str | None = None
    compartment: bool = False
    patients: Sequence[UUID] | None = None
    queries: Sequence[str] = ()
    deleted: bool = False
    errors: bool = False
    among: str = "true"

    def __post_init__(self) -> None:
        self.bind = Bindings(self.tenant, Facts(self.connection, self.tenant))
        self.wanted = all_of([*self._of_the_version(), *self._of_the_resource()])

    def chunk(self, after: UUID, at_most: int) -> Chunk:
        """The next lines after a key, `at_most` bytes and the rest of the last line."""
        lines, rows, last, locked, patients = self._stored(after, at_most)
        if not self.errors:
            return Chunk(lines, rows, last, len(locked), patients)
        while rows and not locked:
            _lines, rows, last, locked, _patients = self._stored(last, at_most)
        told = [dumps(one.outcome()) for one in locked]
        return Chunk(b"\n".join(told), len(told), last)

    def _stored(self, after: UUID, at_most: int) -> tuple[bytes, int, UUID, list[Locked], frozenset[bytes]]:
        """The lines that open, how many rows were looked at, the key of the last, what is to be said of the others, and the keys of the patients."""
        text = self._line()
        part = PART.format(text=text, log=self._log(), wanted=self.wanted, limit=ROWS_AT_MOST)
        result = self._run(CHUNK.format(text=text, part=part), after, at_most).pgresult
        assert result is not None
        if not (found := int.from_bytes(result.get_value(0, 1) or b"")):
            return b"", 0, after, [], frozenset()
        lines, locked = opened_lines(result.get_value(0, 0) or b"")
        keys = result.get_value(0, 3) or b""
        patients = frozenset([keys[start : start + KEY_BYTES] for start in range(0, len(keys), KEY_BYTES)])
        return lines, found, UUID(bytes=result.get_value(0, 2)), locked, patients

    def patients_between(self, after: UUID, last: UUID) -> int:
        """How many people the resources with keys after one and up to another are about."""
        select = f"select count(distinct patient) from ({self._log()} and rkey <= %(last)s) b where {self.wanted}"  # noqa: S608
        row = self._run(select, after, 0, last).fetchone()
        return int(row[0]) if row else 0

    def bodies(self, after: UUID, limit: int) -> list[tuple[UUID, str | None]]:
        """(key, text) of the next resources, for what must be cut to elements one by one; None for one that does not open."""
        select = f"select rkey, body from ({self._log()}) b where {self.wanted} order by rkey limit {int(limit)}"  # noqa: S608
        return [(row[0], _opened(row[1])) for row in self._run(select, after, 0)]

    def _run(self, statement: str, after: UUID, at_most: int, last: UUID | None = None) -> Cursor[Any]:
        given = {**self.bind.values, "after": after, "at": self.at, "bytes": at_most, "last": last or after}
        cursor = Cursor(self.connection, row_factory=tuple_row)
        return cursor.execute(statement.encode(), given, binary=True)

    def _line(self) -> str:
        return LINE["deleted"].format(type=self.type) if self.deleted else LINE["output"]

    def _log(self) -> str:
        return LOG.format(rtype=type_number(self.type))

    def _of_the_version(self) -> list[str]:
        """What can be said of a row of the log alone."""
        parts = ["newest", "op = 'D'" if self.deleted else "op <> 'D'"]
        if self.errors:
            parts.append("left(body, 1) = ' '")
        if self.since:
            parts.append(f"ts > {self.bind.place(self.since, '::timestamptz')}")
        if self.until:
            parts.append(f"ts <= {self.bind.place(self.until, '::timestamptz')}")
        if self.patients is not None:
            parts.append(f"patient = any({self.bind.place(list(self.patients), '::uuid[]')})")
        elif self.compartment:
            parts.append("patient is not null")
        return parts

    def _of_the_resource(self) -> list[str]:
        """What the policy and the filters say of the resource as it stands now; whoever may not see it all gets nothing that is gone."""
        parts = [self.among]
        if not self.where.everything:
            here = f"c.tenant = %(tenant)s and c.rtype = {type_number(self.type)} and c.rkey = b.rkey and {FURTHER}"
            standing = all_of([here, self.bind.policy(self.where)])
            parts.append(f"exists (select from fhir.current c where {standing})")  # noqa: S608
        if self.queries and not self.deleted:
            found = any_of([self._matching(query) for query in self.queries])
            parts.append(f"rkey in (select c.rkey from fhir.current c where {FURTHER} and {found})")  # noqa: S608
        return parts

    def _matching(self, query: str) -> str:
        pairs = [
            pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] not in CONTROLS and not pair[0].startswith(("_include", "_rev"))
        ]
        found = rows(Scope(self.bind, self.sight), self.type, parse(self.type, pairs).conditions)
        return "false" if found == FALSE else f"({found})"


def _opened(text: str) -> str | None:
    try:
        return in_clear(text)
    except Locked:
        return None


def patient_keys(ids: Sequence[str]) -> list[UUID]:
    return [key("Patient", id) for id in ids]


def members(group: Mapping[str, Any]) -> list[UUID]:
    """The keys of the patients who belong to a Group. https://hl7.org/fhir/R4/group.html"""
    active = [member for member in group.get("member", ()) if not member.get("inactive")]
    references = [member.get("entity", {}).get("reference", "") for member in active]
    return patient_keys([reference.split("/")[1] for reference in references if reference.startswith("Patient/")])
