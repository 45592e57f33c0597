from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
import pytest

from openward.fhir.search.rows import COLUMNS
from openward.fhir.versions import Version
from openward.fhir.wire import KEPT, Wire
from tests.fhir.house import House

EVERYTHING = f"select {COLUMNS} from fhir.body b where tenant = %(tenant)s order by rkey, ver"
NAMED = f"select {COLUMNS} from fhir.body b where tenant = %(tenant)s and rkey = any(%(keys)s::uuid[]) order by rkey, ver"


@pytest.fixture
def straight(house: House) -> Wire:
    return Wire(house.connect(), straight=True)


def through_the_driver(house: House, sql: str, params: Mapping[str, Any]) -> list[Version]:
    return Wire(house.connect()).versions(sql, params)


class TestAStraightWire:
    def test_reads_what_the_driver_reads(self, house: House, straight: Wire) -> None:
        store = house.store()
        store.update({"resourceType": "Patient", "id": "own-name", "name": [{"family": "Zoë 😀"}]})
        observed = store.create(
            {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": {"reference": "Patient/own-name"}}
        )
        store.delete("Observation", observed.id)
        for _ in range(2):
            found = straight.versions(EVERYTHING, {"tenant": 1})
            assert found == through_the_driver(house, EVERYTHING, {"tenant": 1})
            assert [version.op for version in found].count("D") == 1

    def test_leaves_to_the_driver_what_it_cannot_write_as_text(self, house: House, straight: Wire) -> None:
        kept = house.store().create({"resourceType": "Patient"})
        keys = [version.key for version in straight.versions(EVERYTHING, {"tenant": 1})]
        assert [version.id for version in straight.versions(NAMED, {"tenant": 1, "keys": keys})] == [kept.id]

    def test_says_what_the_database_says_when_a_statement_fails(self, straight: Wire) -> None:
        for _ in range(2):
            with pytest.raises(psycopg.errors.UndefinedTable):
                straight.versions("select 1 from fhir.nothing where %(tenant)s = 1", {"tenant": 1})
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            straight.versions(EVERYTHING, {"tenant": "one"})
        assert straight.versions(EVERYTHING, {"tenant": 1}) == []

    def test_keeps_a_bounded_number_of_statements(self, house: House, straight: Wire) -> None:
        house.store().create({"resourceType": "Patient"})
        for number in range(KEPT + 2):
            assert len(straight.versions(f"{EVERYTHING} limit {number + 1}", {"tenant": 1})) == 1
        kept = straight.connection.execute("select count(*) from pg_prepared_statements where name like 'read\\_%'").fetchone()
        assert kept == (KEPT,)

    def test_tells_that_its_connection_broke(self, house: House, straight: Wire) -> None:
        house.connections[0].execute("select pg_terminate_backend(%s)", (straight.connection.info.backend_pid,))
        with pytest.raises(psycopg.OperationalError):
            straight.versions(EVERYTHING, {"tenant": 1})
        assert straight.connection.closed


COUNTED = "select count(*) from fhir.body where tenant = (select %(tenant)s::int)::int"


def number(wire: Wire, tenant: int = 1) -> int:
    return int.from_bytes(wire.result(COUNTED, {"tenant": tenant}, keep=True).get_value(0, 0) or b"", "big")


def plans(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute("select count(*) from pg_prepared_statements where name like 'search%'").fetchone()
    assert row is not None
    return int(row[0])


class TestAWireOfAConnectionThatWrites:
    def test_keeps_a_plan_longer_than_itself(self, house: House) -> None:
        connection = house.connect()
        house.store().create({"resourceType": "Patient"})
        assert [number(Wire(connection)) for _ in range(3)] == [1, 1, 1]
        assert plans(connection) == 1

    def test_makes_a_plan_anew_after_the_driver_let_go_of_all(self, house: House) -> None:
        connection = house.connect()
        wire = Wire(connection)
        wire.execute("select 1")  # the driver lets go of all plans where it has one of its own
        assert number(wire) == 0
        with connection.transaction(force_rollback=True):
            connection.execute("select 1")
        connection.execute("select 1")
        assert plans(connection) == 0
        assert (number(wire), plans(connection)) == (0, 1)

    def test_sees_what_its_transaction_has_written(self, house: House) -> None:
        connection = house.connect()
        before = number(Wire(connection))
        with connection.transaction(force_rollback=True):
            house.store(connection=connection).create({"resourceType": "Patient"})
            assert number(Wire(connection)) == before + 1
        assert number(Wire(connection)) == before

    def test_says_what_the_database_says_when_a_statement_fails(self, house: House) -> None:
        wire = Wire(house.connect())
        for keep in (True, False):
            with pytest.raises(psycopg.errors.UndefinedTable):
                wire.result("select 1 from fhir.nothing where %(tenant)s::int = 1", {"tenant": 1}, keep=keep)
        assert number(wire) == 0
