"""The statements of one connection: through the driver's cursor, and, for those sent with every read, straight to libpq."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from psycopg import Cursor, Error, OperationalError
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, Format
from psycopg.rows import tuple_row

from openward.fhir.definitions import type_name
from openward.fhir.search.rows import version_of
from openward.fhir.versions import Version

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.pq.abc import PGresult

PLACEHOLDER = re.compile(r"%\((\w+)\)s")
KEPT = 500  # statements a connection keeps prepared in this way
EPOCH = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)  # PostgreSQL counts microseconds from here

# How the server reads a value of this class as text; a statement with any other goes through the driver.
AS_TEXT: Mapping[type, Callable[[Any], bytes | None]] = {
    int: lambda number: b"%d" % number,
    str: str.encode,
    UUID: lambda key: key.hex.encode(),
    type(None): lambda nothing: None,
}

# The same few statements again and again: as the same bytes, the driver finds what it knows of them at once.
_encoded = lru_cache(maxsize=1000)(str.encode)


class Wire:
    """One connection and the cursor kept on it, which knows the types of the statements it has run. Not for use by two threads at once.

    `straight`: nothing but statements that commit by themselves run on it, so that reads may pass the driver by.
    """

    def __init__(self, connection: Connection[Any], *, straight: bool = False) -> None:
        self.connection = connection
        self._cursor = Cursor(connection, row_factory=tuple_row)
        self._straight = straight
        self._prepared: dict[str, tuple[bytes, tuple[str, ...]]] = {}

    def execute(self, sql: str, params: Mapping[str, Any] | None = None) -> Cursor[Any]:
        """Run one statement, parameters bound by the server. One of few texts: it stays prepared. Its rows must be taken before the next one is run."""
        return self._cursor.execute(_encoded(sql), params, prepare=True, binary=True)

    def versions(self, sql: str, params: Mapping[str, Any]) -> list[Version]:
        """The rows of a SELECT of `openward.fhir.search.rows.COLUMNS`. Raises psycopg.Error."""
        if self._straight and (prepared := self._prepared.get(sql) or self._prepare(sql)):
            name, places = prepared
            try:
                values = [AS_TEXT[params[place].__class__](params[place]) for place in places]
            except KeyError:
                pass
            else:
                return self._read(self.connection.pgconn.exec_prepared(name, values, result_format=Format.BINARY))  # type: ignore[arg-type] # NULL is None
        return [version_of(row) for row in self.execute(sql, params)]

    def _prepare(self, sql: str) -> tuple[bytes, tuple[str, ...]] | None:
        """The statement's name on this connection, and which parameter stands in each of its places."""
        if len(self._prepared) == KEPT:
            return None
        places = tuple(dict.fromkeys(PLACEHOLDER.findall(sql)))
        numbered = PLACEHOLDER.sub(lambda found: f"${places.index(found[1]) + 1}", sql).replace("%%", "%")
        name = b"read_%d" % len(self._prepared)
        result = self.connection.pgconn.prepare(name, numbered.encode())
        if result.status != ExecStatus.COMMAND_OK:
            raise self._failure(result)
        self._prepared[sql] = name, places
        return name, places

    def _read(self, result: PGresult) -> list[Version]:
        if result.status != ExecStatus.TUPLES_OK:
            raise self._failure(result)
        value = result.get_value
        return [_version([value(row, column) for column in range(8)]) for row in range(result.ntuples)]

    def _failure(self, result: PGresult) -> Error:
        """What the server said; a connection that broke has no code to say it by."""
        error = error_from_result(result)
        return OperationalError(str(error)) if self.connection.closed and not isinstance(error, OperationalError) else error


def _version(sent: list[Any]) -> Version:
    """A row of `COLUMNS` in PostgreSQL's binary form. https://www.postgresql.org/docs/current/protocol-overview.html#PROTOCOL-FORMAT-CODES"""
    rtype, id, rkey, ver, ts, op, patient, body = sent
    key, name = _key(rkey)
    return Version(
        type_name(int.from_bytes(rtype, "big")),
        id.decode() if id is not None else name,
        key,
        int.from_bytes(ver, "big"),
        EPOCH + dt.timedelta(microseconds=int.from_bytes(ts, "big", signed=True)),
        op.decode(),
        _key(patient)[0] if patient is not None else None,
        body.decode() if body is not None else None,
    )


@lru_cache(maxsize=16_384)
def _key(sent: bytes) -> tuple[UUID, str]:
    """The key, and its text: a patient's is met with everything that is theirs."""
    key = UUID(bytes=sent)
    return key, str(key)
