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
