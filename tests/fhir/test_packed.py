from __future__ import annotations

import datetime as dt
import struct
from typing import Any
from uuid import UUID

import pytest

from openward.fhir import packed
from tests.fhir.house import House

A_UUID = UUID("0d1a9f0e-9c0b-4f0e-8d53-0f5c1b8e2a11")
A_TIME = dt.datetime(1969, 7, 20, 20, 17, 40, 123456, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("pack", "type", "values"),
    [
        (packed.smallints, "smallint[]", [0, -32768, 32767, None]),
        (packed.ints, "int[]", [0, -(2**31), 2**31 - 1, None]),
        (packed.bigints, "bigint[]", [0, -(2**63), 2**63 - 1, None]),
        (packed.floats, "float8[]", [0.0, -1.5, float("inf"), float("-inf"), None]),
        (packed.uuids, "uuid[]", [A_UUID, None]),
        (packed.instants, "timestamptz[]", [A_TIME, dt.datetime(2026, 11, 22, tzinfo=dt.UTC)]),
        (packed.texts, "text[]", ["", "Ünïcode ✓ 𝄞", 'a "quoted\\" {text}, NULL', "NULL", None]),
        (packed.texts, "text[]", []),
        (packed.uuids, "uuid[]", []),
    ],
)
def test_a_column_arrives_as_it_was(house: House, pack: packed.Column, type: str, values: list[Any]) -> None:
    row = packed.cursor(house.connect()).execute(f"select %s::{type}".encode(), [pack(values)]).fetchone()
    assert row == (values,)


def test_lists_of_their_own_lengths_are_cast_row_by_row(house: House) -> None:
    sql = b"select t::bigint[] from unnest(%s::text[]) with ordinality u(t, n) order by n"
    rows = packed.cursor(house.connect()).execute(sql, [packed.lists([[1], [], [2**62, -3]])]).fetchall()
    assert rows == [([1],), ([],), ([2**62, -3],)]


def test_what_does_not_fit_is_not_packed() -> None:
    with pytest.raises(struct.error):
        packed.smallints([70000])
