"""What proves a restored copy: everything can be read, what only grows is the same row for row, bodies read back are the bytes of the record.

A transaction that had ended when the mark was begun (`tx` before its `xmin`) is the same in both, whoever writes meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg

from openward.backup.errors import NotProved
from openward.fhir.sealing.bodies import in_clear
from openward.fhir.sealing.port import Locked

Connection = psycopg.Connection[Any]
Proof = Callable[[Connection, Connection, dict[str, int]], str]

# Tables that only grow, and what of a row is compared: not the body itself, which the sample reads.
GROWING = {
    "fhir.body": "tenant, rtype, rkey, ver, tx, ts, op, patient, octet_length(body)",
    "audit.entry": "e",
}
SAMPLE = 50
PROOFS: dict[str, Proof] = {}


def restore_proof(name: str) -> Callable[[Proof], Proof]:
    """Register a proof: called with the restored copy, the record, and what was counted; gives a sentence of fact. Raises NotProved."""

    def register(proof: Proof) -> Proof:
        PROOFS[name] = proof
        return proof

    return register


def counted(connection: Connection) -> dict[str, int]:
    """Rows of transactions that have ended, by table, and which those are: `xmin`."""
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read")
        xmin = int(_one(connection, "select pg_snapshot_xmin(pg_current_snapshot())::text"))
        found = {table: _rows(connection, table, xmin)[0] for table in GROWING if _exists(connection, table)}
    return {"xmin": xmin, **found}


def prove(restored: Connection, record: Connection, counts: dict[str, int]) -> list[str]:
    """Every proof; their sentences. Raises NotProved, psycopg.Error when a page cannot be read."""
    return [proof(restored, record, counts) for proof in PROOFS.values()]


@restore_proof("readable")
def everything_can_be_read(restored: Connection, record: Connection, counts: dict[str, int]) -> str:  # noqa: ARG001
    """A scan of every table; a page whose checksum is wrong is an error."""
    names = restored.execute(
        "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname not in ('pg_catalog', 'information_schema')"
    ).fetchall()
    total = sum(int(_one(restored, f"select count(*) from {name}")) for (name,) in names)  # noqa: S608 - quoted by the server
    return f"{total:,} rows in {len(names)} tables read"


@restore_proof("same rows")
def what_only_grows_is_the_same(restored: Connection, record: Connection, counts: dict[str, int]) -> str:
    """Versions and audit entries: as many as were counted, and the same as the record has. Bodies that were sealed anew since are as long as they are."""
    for table in GROWING:
        if table not in counts:
            continue
        columns = GROWING[table].replace("octet_length(body)", "0") if _was_sealed_since(record, counts["xmin"]) else GROWING[table]
        here, there = (_rows(one, table, counts["xmin"], columns) for one in (restored, record))
        if here[0] != counts[table]:
            raise NotProved(what=f"{table} has {here[0]:,} rows where {counts[table]:,} were counted")
        if here != there:
            raise NotProved(what=f"rows of {table} differ from the record's")
    return ", ".join(f"{counts[table]:,} of {table}" for table in GROWING if table in counts) + " as counted and compared"


@restore_proof("bodies")
def bodies_read_back_are_the_records(restored: Connection, record: Connection, counts: dict[str, int]) -> str:
    """A sample of resource versions, byte for byte; of one that was sealed anew since, what it says."""
    sample = "select tenant, rtype, rkey, ver, body from fhir.body where tx < %s::text::xid8 order by random() limit %s"
    rows = restored.execute(sample, [counts["xmin"], SAMPLE]).fetchall()
    for tenant, rtype, rkey, version, body in rows:
        found = record.execute(
            "select body from fhir.body where (tenant, rtype, rkey, ver) = (%s, %s, %s, %s)", [tenant, rtype, rkey, version]
        ).fetchone()
        if found is None or not _say_the_same(found[0], body):
            raise NotProved(what=f"version {version} of {rkey} is another")
    return f"{len(rows)} resources read back, byte for byte"


@restore_proof("audit")
def the_audit_trail_is_guarded(restored: Connection, record: Connection, counts: dict[str, int]) -> str:  # noqa: ARG001
    """The triggers that refuse changes of the trail came along and are on; its rows were compared before."""
    guards = (
        "select count(*) from pg_trigger t join pg_class c on c.oid = t.tgrelid where c.relnamespace = 'audit'::regnamespace and t.tgenabled <> 'D'"
    )
    here, there = _one(restored, guards), _one(record, guards)
    if not here or here < there:
        raise NotProved(what=f"the audit trail has {here} guards where the record has {there}")
    return f"{here} guards of the audit trail are on"


def _was_sealed_since(record: Connection, xmin: int) -> bool:
    """Whether what stood in clear, or under an older key, may have been sealed anew after the mark."""
    changed = "select exists (select from fhir.sealing_walk where changed >= %s::text::xid8)"
    return _exists(record, "fhir.sealing_walk") and record.execute(changed, [str(xmin)]).fetchone() == (True,)


def _say_the_same(one: str, other: str) -> bool:
    try:
        return one == other or in_clear(one) == in_clear(other)
    except Locked:
        return False


def _rows(connection: Connection, table: str, xmin: int, columns: str = "1") -> tuple[int, int]:
    """How many rows ended before `xmin`, and a digest of these columns of them that knows no order."""
    row = connection.execute(
        f"select count(*), coalesce(bit_xor(hashtextextended(row({columns})::text, 0)), 0) from {table} e where tx < %s::text::xid8",  # noqa: S608
        [xmin],
    ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def _exists(connection: Connection, table: str) -> bool:
    return connection.execute("select to_regclass(%s) is not null", [table]).fetchone() == (True,)


def _one(connection: Connection, sql: str) -> Any:
    row = connection.execute(sql).fetchone()
    return row[0] if row else None
