"""Columns of many rows as PostgreSQL takes arrays in binary, each made in one go.

The driver's own lists cost a call and a few objects for every value; a bundle has tens of thousands of them.
https://www.postgresql.org/docs/current/protocol-overview.html#PROTOCOL-FORMAT-CODES
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from struct import Struct
from typing import Any
from uuid import UUID

from psycopg import Connection, Cursor
from psycopg.abc import AdaptContext, PyFormat
from psycopg.adapt import Dumper
from psycopg.pq import Format
from psycopg.rows import tuple_row

EPOCH = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)  # PostgreSQL counts microseconds from here
MICROSECOND = dt.timedelta(microseconds=1)
NULL = b"\xff\xff\xff\xff"
LENGTH = Struct("!i").pack
# Dimensions, whether there may be nulls, the type's number, how many, and the index of the first.
HEAD = Struct("!iiIii").pack


class Packed:
    """An array parameter, ready for the wire. `type`: the number PostgreSQL knows the array's type by."""

    __slots__ = ("data", "type")

    def __init__(self, type: int, element: int, parts: Sequence[bytes]) -> None:
        self.type = type
        self.data = HEAD(1 if parts else 0, 1, element, len(parts), 1) + b"".join(parts) if parts else HEAD(0, 0, element, 0, 0)[:12]


class _PackedDumper(Dumper):
    format = Format.BINARY

    def __init__(self, cls: type, context: AdaptContext | None = None, type: int = 0) -> None:
        super().__init__(cls, context)
        self.oid = type

    def dump(self, obj: Packed) -> bytes:
        return obj.data

    def get_key(self, obj: Packed, format: PyFormat) -> Any:
        return self.cls, obj.type

    def upgrade(self, obj: Packed, format: PyFormat) -> _PackedDumper:
        return _PackedDumper(self.cls, None, obj.type)


def cursor(connection: Connection[Any]) -> Cursor[Any]:
    """A cursor that takes packed columns, its rows tuples."""
    connection.adapters.register_dumper(Packed, _PackedDumper)
    return Cursor(connection, row_factory=tuple_row)


Column = Callable[[Iterable[Any]], Packed]


def _fixed(type: int, element: int, form: str) -> Column:
    """A column of numbers, None among them."""
    shape = Struct("!i" + form)
    pack, size = shape.pack, shape.size - 4
    return lambda values: Packed(type, element, [NULL if value is None else pack(size, value) for value in values])


smallints: Column = _fixed(1005, 21, "h")
ints: Column = _fixed(1007, 23, "i")
bigints: Column = _fixed(1016, 20, "q")
floats: Column = _fixed(1022, 701, "d")
_instants: Column = _fixed(1185, 1184, "q")


def instants(values: Iterable[dt.datetime]) -> Packed:
    """Aware times, to the microsecond."""
    return _instants([(value - EPOCH) // MICROSECOND for value in values])


def uuids(values: Iterable[UUID | None]) -> Packed:
    return Packed(2951, 2950, [NULL if value is None else b"\x00\x00\x00\x10" + value.bytes for value in values])


def texts(values: Iterable[str | None]) -> Packed:
    """Texts of any length, and whatever SQL casts from text."""
    return Packed(1009, 25, [NULL if value is None else LENGTH(len(text := value.encode())) + text for value in values])


@cache
def _interleaved(count: int, form: str) -> Callable[..., bytes]:
    return Struct("!" + f"i{form}" * count).pack


def of_numbers(numbers: Sequence[int], element: int) -> bytes:
    """One array of `int` (23) or `bigint` (20), none of them None."""
    count, (form, size) = len(numbers), (("q", 8) if element == 20 else ("i", 4))
    if not count:
        return HEAD(0, 0, element, 0, 0)[:12]
    parts: list[int] = [size] * (2 * count)
    parts[1::2] = numbers
    return HEAD(1, 0, element, count, 1) + _interleaved(count, form)(*parts)


def lists(values: Iterable[Iterable[int]]) -> Packed:
    """Lists of numbers, each of its own length: as texts, for an array of arrays must be square. SQL casts them to `int[]` or `bigint[]`."""
    return texts(["{" + ",".join(map(str, numbers)) + "}" for numbers in values])
