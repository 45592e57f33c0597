"""The statements of one connection: through the driver's cursor, and, for those sent with every read, straight to libpq."""

from __future__ import annotations

import itertools
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any
from uuid import UUID
from weakref import WeakKeyDictionary

from psycopg import Cursor, Error, OperationalError
from psycopg.errors import error_from_result
from psycopg.pq import DiagnosticField, ExecStatus, Format, PipelineStatus, TransactionStatus
from psycopg.rows import tuple_row

from openward.fhir.search.rows import version_in_part, version_sent
from openward.fhir.versions import Version

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.pq.abc import PGresult

Taken = Callable[[Mapping[str, Any]], tuple[Any, ...]]
PLACEHOLDER = re.compile(r"%\((\w+)\)s")
NO_SUCH_NAME = b"26000"  # https://www.postgresql.org/docs/current/errcodes-appendix.html
KEPT = 500  # statements a connection keeps prepared in this way
PLANS = 100  # shapes of searches whose plans it keeps, the latest used


def _text(text: str) -> bytes:
    """A NUL would end the text on its way: let the driver say what is wrong with it. Raises KeyError."""
    if "\0" in text:
        raise KeyError(str)
    return text.encode()


WITHOUT_QUOTES = frozenset({int, UUID})


def _array(items: Sequence[Any]) -> bytes:
    """https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO. Raises KeyError for items of a class that is not sent so."""
    if not WITHOUT_QUOTES.issuperset(map(type, items)):
        return b"{" + b",".join([b'"' + IN_ARRAY[item.__class__](item).replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"' for item in items]) + b"}"
    return f"{{{','.join(map(str, items))}}}".encode()


# How the server reads a value of this class as text; a statement with any other goes through the driver.
IN_ARRAY: Mapping[type, Callable[[Any], bytes]] = {int: b"%d".__mod__, str: _text, UUID: lambda key: b"%032x" % key.int}
AS_TEXT: Mapping[type, Callable[[Any], bytes | None]] = {
    **IN_ARRAY,
    float: lambda number: repr(number).encode(),
    list: _array,
    type(None): lambda nothing: None,
}

_numbers = itertools.count(1)  # so that no two wires give one connection the same name

# By connection, the searches whose plans it keeps and the names of these: a wire may last no longer than a page.
_planned: WeakKeyDictionary[Connection[Any], OrderedDict[str, bytes]] = WeakKeyDictionary()

# The same few statements again and again: as the same bytes, the driver finds what it knows of them at once.
_encoded = lru_cache(maxsize=1000)(str.encode)


class Wire:
    """One connection and the cursor kept on it, which knows the types of the statements it has run. Not for use by two threads at once.

    What is looked for outside a transaction passes the driver by. `straight`: nothing but statements that commit by themselves run on it, so that reads may do so, too.
    """

    def __init__(self, connection: Connection[Any], *, straight: bool = False) -> None:
        self.connection = connection
        self._cursor = Cursor(connection, row_factory=tuple_row)
        self._straight = straight
        self._prepared: dict[str, tuple[bytes, Taken]] = {}
        self._planned = _planned.setdefault(connection, OrderedDict())

    def execute(self, sql: str, params: Mapping[str, Any] | None = None) -> Cursor[Any]:
        """Run one statement, parameters bound by the server. One of few texts: it stays prepared. Its rows must be taken before the next one is run."""
        return self._cursor.execute(_encoded(sql), params, prepare=True, binary=True)

    def first(self, sql: str, params: Mapping[str, Any]) -> list[Any] | None:
        """The first row of a statement of few texts, its columns as PostgreSQL sends them in binary; None when there is none. Raises psycopg.Error."""
        result = self._by_name(sql, params) if self._straight else None
        if result is None:
            result = self.result(sql, params, keep=True)
        if result.status != ExecStatus.TUPLES_OK:
            raise self._failure(result)
        value = result.get_value
        return [value(0, column) for column in range(result.nfields)] if result.ntuples else None

    def versions(self, sql: str, params: Mapping[str, Any]) -> list[Version]:
        """The rows of a SELECT of `openward.fhir.search.rows.COLUMNS`. Raises psycopg.Error."""
        if self._straight and (result := self._by_name(sql, params)) is not None:
            return self._read(result)
        if self._is_free:
            return self._read(self.result(sql, params, keep=True))
        return [version_in_part(row) for row in self.execute(sql, params)]

    def result(self, sql: str, params: Mapping[str, Any], *, keep: bool = False) -> PGresult:
        """The rows of one SELECT in PostgreSQL's binary form. Raises psycopg.Error.

        It is planned for its values, unless `keep`: then one plan must be good for all values.
        """
        if self._straight or self._is_free:
            numbered, places = _numbered(sql)
            try:
                values = [AS_TEXT[params[place].__class__](params[place]) for place in places]
            except KeyError:
                pass
            else:
                return self._straight_result(sql, numbered, values, keep)
        result = self._cursor.execute(sql.encode(), params, prepare=keep, binary=True).pgresult
        assert result is not None
        return result

    def _by_name(self, sql: str, params: Mapping[str, Any]) -> PGresult | None:
        """As a statement kept for good; None where there are too many, or a value is not sent so."""
        prepared = self._prepared.get(sql) or self._prepare(sql)
        if prepared is None:
            return None
        name, taken = prepared
        try:
            values = [AS_TEXT[value.__class__](value) for value in taken(params)]
        except KeyError:
            return None
        return self.connection.pgconn.exec_prepared(name, values, result_format=Format.BINARY)  # type: ignore[arg-type] # NULL is None

    @property
    def _is_free(self) -> bool:
        """Whether nothing is under way and none is begun, so that the driver would send the statement and nothing else."""
        pgconn = self.connection.pgconn
        return self.connection.autocommit and pgconn.transaction_status == TransactionStatus.IDLE and pgconn.pipeline_status == PipelineStatus.OFF

    def _straight_result(self, sql: str, numbered: bytes, values: list[bytes | None], keep: bool) -> PGresult:
        result = self._kept_result(sql, numbered, values) if keep else self._planned_result(numbered, values)
        if result.status != ExecStatus.TUPLES_OK and result.error_field(DiagnosticField.SQLSTATE) == NO_SUCH_NAME and keep and not self._straight:
            # The driver lets go of every plan of its connection when a transaction is rolled back: https://www.psycopg.org/psycopg3/docs/advanced/prepare.html
            self._planned.clear()
            result = self._kept_result(sql, numbered, values)
        if result.status != ExecStatus.TUPLES_OK:
            raise self._failure(result)
        return result

    def _kept_result(self, sql: str, numbered: bytes, values: list[bytes | None]) -> PGresult:
        name = self._plan(sql, numbered)
        return self.connection.pgconn.exec_prepared(name, values, result_format=Format.BINARY)  # type: ignore[arg-type] # NULL is None

    def _planned_result(self, numbered: bytes, values: list[bytes | None]) -> PGresult:
        return self.connection.pgconn.exec_params(numbered, values, result_format=Format.BINARY)

    def _plan(self, sql: str, numbered: bytes) -> bytes:
        """The name under which the statement is prepared; the one that was not used for longest makes room for it."""
        name = self._planned.get(sql)
        if name is not None:
            self._planned.move_to_end(sql)
            return name
        if len(self._planned) >= PLANS:
            self.connection.pgconn.exec_(b"deallocate " + self._planned.popitem(last=False)[1])
        name = b"search_%d" % next(_numbers)
        self._make(name, numbered)
        self._planned[sql] = name
        return name

    def _make(self, name: bytes, numbered: bytes) -> None:
        result = self.connection.pgconn.prepare(name, numbered)
        if result.status != ExecStatus.COMMAND_OK:
            raise self._failure(result)

    def _prepare(self, sql: str) -> tuple[bytes, Taken] | None:
        """The statement's name on this connection, and what takes the parameters in their places."""
        if len(self._prepared) == KEPT:
            return None
        numbered, places = _numbered(sql)
        name = b"read_%d" % len(self._prepared)
        self._make(name, numbered)
        self._prepared[sql] = found = name, itemgetter(*places) if len(places) > 1 else lambda params: tuple(params[place] for place in places)
        return found

    def _read(self, result: PGresult) -> list[Version]:
        if result.status != ExecStatus.TUPLES_OK:
            raise self._failure(result)
        value = result.get_value
        return [version_sent(value, row) for row in range(result.ntuples)]

    def _failure(self, result: PGresult) -> Error:
        """What the server said; a connection that broke has no code to say it by."""
        error = error_from_result(result)
        return OperationalError(str(error)) if self.connection.closed and not isinstance(error, OperationalError) else error


@lru_cache(maxsize=1000)
def _numbered(sql: str) -> tuple[bytes, tuple[str, ...]]:
    """The statement with PostgreSQL's own placeholders, and which parameter stands in each of its places."""
    places = tuple(dict.fromkeys(PLACEHOLDER.findall(sql)))
    return PLACEHOLDER.sub(lambda found: f"${places.index(found[1]) + 1}", sql).replace("%%", "%").encode(), places
