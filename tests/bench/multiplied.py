"""The record made larger inside PostgreSQL: every patient and all that belongs to them once more under other keys, so that sizes can be compared.

What is searched is copied with its references; the texts of the copies still carry the ids of their originals, which no search looks at.
"""

from __future__ import annotations

import psycopg

Connection = psycopg.Connection[tuple[object, ...]]

# The same key in the same copy always becomes the same other key.
OTHER_KEY = (
    "create or replace function pg_temp.other(key uuid, copy int) returns uuid language sql immutable as $$ select md5(key::text || copy)::uuid $$"
)
# What is not about a patient, such as a hospital, stays one; all are found by its own key.
MOVED = "create temporary table moved as select tenant, rtype, rkey from fhir.current where tenant = 1 and patient is not null"
COPIES = (
    """insert into fhir.body (tenant, rtype, rkey, ver, ts, op, patient, body)
      select tenant, rtype, pg_temp.other(rkey, %(copy)s), 1, v.ts, 'C', pg_temp.other(v.patient, %(copy)s), v.body
      from moved join fhir.current c using (tenant, rtype, rkey) join fhir.body v using (tenant, rtype, rkey, ver)""",
    """insert into fhir.current (tenant, rtype, rkey, ver, last_updated, patient, date_lo, date_hi, code, tok, has)
      select tenant, rtype, pg_temp.other(rkey, %(copy)s), 1, last_updated, pg_temp.other(patient, %(copy)s), date_lo, date_hi, code, tok, has
      from moved join fhir.current v using (tenant, rtype, rkey)""",
    """insert into fhir.edge (tenant, tgt, link, stype, src)
      select e.tenant, coalesce((select pg_temp.other(m.rkey, %(copy)s) from moved m where m.rkey = e.tgt limit 1), e.tgt), e.link, e.stype,
        pg_temp.other(e.src, %(copy)s) from fhir.edge e join moved s on (s.tenant, s.rtype, s.rkey) = (e.tenant, e.stype, e.src)""",
    """insert into fhir.string_value (tenant, rtype, param, norm, value, rkey)
      select tenant, rtype, v.param, v.norm, v.value, pg_temp.other(rkey, %(copy)s) from moved join fhir.string_value v using (tenant, rtype, rkey)""",
    """insert into fhir.date_value (tenant, rtype, param, lo, hi, rkey)
      select tenant, rtype, v.param, v.lo, v.hi, pg_temp.other(rkey, %(copy)s) from moved join fhir.date_value v using (tenant, rtype, rkey)""",
    """insert into fhir.quantity_value (tenant, rtype, param, lo, hi, units, rkey)
      select tenant, rtype, v.param, v.lo, v.hi, v.units, pg_temp.other(rkey, %(copy)s) from moved join fhir.quantity_value v using (tenant, rtype, rkey)""",
)


def grow(connection: Connection, resources: int) -> int:
    """Copy until there are about `resources` in all; how many there are then."""
    had = count(connection)
    connection.execute(OTHER_KEY)
    connection.execute(MOVED)
    connection.execute("create index on moved (rkey); analyze moved")
    row = connection.execute("select count(*) from moved").fetchone()
    assert row
    for copy in range(max(0, resources - had) // int(str(row[0]))):
        for statement in COPIES:
            connection.execute(statement.encode(), {"copy": copy})
    connection.execute("drop table moved")
    connection.execute("vacuum analyze fhir.body, fhir.current, fhir.edge, fhir.string_value, fhir.date_value, fhir.quantity_value")
    return count(connection)


def count(connection: Connection) -> int:
    row = connection.execute("select count(*) from fhir.current where tenant = 1").fetchone()
    assert row
    return int(str(row[0]))
