"""The rows of a page as PostgreSQL sent them, in its binary form: what is only passed on is never made into Python's objects.

https://www.postgresql.org/docs/current/protocol-overview.html#PROTOCOL-FORMAT-CODES
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, overload
from uuid import UUID

from openward.fhir.definitions import type_name
from openward.fhir.json import dumps
from openward.fhir.packed import EPOCH
from openward.fhir.sealing.bodies import MARK_BYTE, bytes_in_clear, in_part, in_words
from openward.fhir.sealing.port import Locked
from openward.fhir.search import rows
from openward.fhir.versions import Version, parsed

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

# As `rows.COLUMNS`, but with every id as its text.
COLUMNS = rows.COLUMNS.replace("b.id", "coalesce(b.id, b.rkey::text) as id")
RTYPE, ID, KEY, NUMBER, AT, OP, PATIENT, BODY = range(8)
WIDTH = 8


class Sent:
    """One row of a SELECT that begins with `COLUMNS`. `body`: the resource as it is stored. `patient`: the key, as bytes."""

    __slots__ = ("_result", "_row", "body", "id", "locked", "patient", "sealed", "type")

    def __init__(self, result: PGresult, row: int) -> None:
        value = result.get_value
        self._result = result
        self._row = row
        self.type = _type(value(row, RTYPE))
        self.id = (value(row, ID) or b"").decode()
        self.patient = value(row, PATIENT)
        self.body = value(row, BODY) or b""
        self.locked: Locked | None = None
        if self.body[:1] == MARK_BYTE:
            self._open()

    def _open(self) -> None:
        """What cannot be opened is said in its place on the page: one lost key hides nothing else."""
        try:
            self.body = bytes_in_clear(self.body)
        except Locked as locked:
            self.locked, self.sealed, self.body = locked, self.body, dumps(locked.outcome())

    @property
    def place(self) -> list[str]:
        """The columns that follow, texts: where the row stands in the order of the page."""
        return [self._value(column).decode() for column in range(WIDTH, self._result.nfields)]

    def version(self) -> Version:
        """With whatever of it opens."""
        body = dumps(in_part(self.sealed.decode())) if self.locked else self.body
        return Version(
            self.type,
            self.id,
            UUID(bytes=self._value(KEY)),
            int.from_bytes(self._value(NUMBER), "big"),
            EPOCH + dt.timedelta(microseconds=int.from_bytes(self._value(AT), "big", signed=True)),
            self._value(OP).decode(),
            UUID(bytes=self.patient) if self.patient is not None else None,
            body.decode() or None,
            self.locked,
        )

    def _value(self, column: int) -> bytes:
        return self._result.get_value(self._row, column) or b""


class Rows(Sequence[Version]):
    """Rows as versions, each made when it is asked for."""

    def __init__(self, sent: Iterable[Sent]) -> None:
        self.sent = list(sent)
        self._made: list[Version | None] = [None] * len(self.sent)

    def __len__(self) -> int:
        return len(self.sent)

    @overload
    def __getitem__(self, place: int) -> Version: ...
    @overload
    def __getitem__(self, place: slice) -> list[Version]: ...
    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return [self._version(number) for number in range(*place.indices(len(self)))]
        return self._version(range(len(self))[place])

    def _version(self, number: int) -> Version:
        made = self._made[number]
        if made is None:
            made = self._made[number] = self.sent[number].version()
        return made


def contents(versions: Sequence[Version]) -> list[dict[str, Any]]:
    """The resources, parsed, for people to read: words stand where something does not open. Of rows as they were sent no versions are made."""
    if isinstance(versions, Rows):
        return [parsed(row.body) if row.locked is None else in_words(row.version().content) for row in versions.sent]
    return [version.content for version in versions]


def all_of(result: PGresult) -> list[Sent]:
    return [Sent(result, row) for row in range(result.ntuples)]


@cache
def _type(sent: bytes | None) -> str:
    return type_name(int.from_bytes(sent or b"", "big"))
