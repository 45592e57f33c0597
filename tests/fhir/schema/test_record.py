from __future__ import annotations

import re
from importlib.resources import files

from openward.fhir.definitions import type_number
from tests.fhir.house import House

SCHEMA = files("openward.fhir.schema").joinpath("0001_record.sql").read_text()


class TestTheTables:
    def test_each_busy_type_has_the_partition_of_its_number(self) -> None:
        partitions = re.findall(r"for values in \((\d+)\).*-- (\w+)", SCHEMA)
        assert partitions
        assert all(int(number) == type_number(name) for number, name in partitions)

    def test_the_tenant_leads_every_key(self, house: House) -> None:
        keys = """select conrelid::regclass::text, (select attname from pg_attribute where attrelid = conrelid and attnum = conkey[1])
          from pg_constraint c join pg_class t on t.oid = conrelid where contype in ('p', 'u') and t.relnamespace = 'fhir'::regnamespace"""
        found = dict(house.connections[0].execute(keys).fetchall())
        assert {table for table, column in found.items() if column != "tenant"} <= {"fhir.secret", "fhir.sealing_walk"}

    def test_no_key_depends_on_another_table(self, house: House) -> None:
        foreign = "select count(*) from pg_constraint where contype = 'f' and connamespace = 'fhir'::regnamespace"
        assert house.connections[0].execute(foreign).fetchone() == (0,)

    def test_an_update_that_changes_no_search_value_stays_in_its_page(self, house: House) -> None:
        """HOT: neither the version nor the time is in any index."""
        indexed = """select distinct a.attname from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
          where i.indrelid = 'fhir.current'::regclass"""
        columns = {row[0] for row in house.connections[0].execute(indexed)}
        assert not columns & {"ver", "last_updated", "has"}
