"""`openward import` of the Synthea bundles, against COPY of the same JSON into a table with one index."""

from __future__ import annotations

import tarfile
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.bench.ground import Ground
from tests.bench.table import Row, Spread
from tests.conftest import OUTSIDE_DATA

BAR = 0.12
ARCHIVE = OUTSIDE_DATA / "synthea" / "r4-100-patients-2020.tar.xz"

TABLE = """drop table if exists bench_copy; create table bench_copy
  (tenant int not null, rtype smallint not null, rkey uuid not null, ver int not null, body text not null, primary key (tenant, rtype, rkey, ver))"""
READ_OUT = "copy (select tenant, rtype, rkey, ver, body from fhir.body where tenant = 1) to stdout (format binary)"
PUT_IN = "copy bench_copy from stdin (format binary)"


@contextmanager
def unpacked() -> Iterator[Path]:
    """The bundles as files in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="openward-synthea-") as folder, tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
        yield Path(folder)


def measure(
    ground: Ground, connection: psycopg.Connection[tuple[object, ...]], files: int | None, say: Callable[[str], None]
) -> Generator[Row, None, float | None]:
    """`files`: how many bundles of the set, None for all. Leaves them in the record for what is measured next.

    Returns the resources a second of the floor.
    """
    if not ARCHIVE.exists():
        say(f"SKIPPED import: {ARCHIVE} IS NOT THERE. Nothing is known about the speed of import, and the chart page has no patient.")
        return None
    with unpacked() as folder:
        # The hospitals and practitioners first, as in the set's own order of names: the patients' bundles point at them.
        bundles = sorted(folder.rglob("*.json"), key=lambda path: (not path.name.startswith(("hospital", "practitioner")), path.name))[:files]
        began = time.perf_counter()
        report = ground.openward("import", *map(str, bundles))
        seconds = time.perf_counter() - began
    say(report.strip())
    data, resources = _bodies(connection)
    copies = Spread(tuple(resources / _copy(connection, data) for _ in range(3)))
    yield _row(len(bundles), resources, len(data), seconds, copies)
    return copies.middle


def _row(bundles: int, resources: int, size: int, seconds: float, copies: Spread) -> Row:
    ours = resources / seconds
    ratio = ours / copies.middle
    return Row(
        f"import {bundles} Synthea bundles, {resources:,} resources ({size / 2**20:,.0f} MB)",
        f"{ours:,.0f}/s in {seconds:.1f} s",
        f"copy {copies.text()}/s",
        f"{ratio:.3f}",
        f"≥ {BAR}",
        ratio >= BAR,
    )


def _bodies(connection: psycopg.Connection[tuple[object, ...]]) -> tuple[bytes, int]:
    """Every stored body as COPY carries it, and how many there are."""
    with connection.cursor().copy(READ_OUT) as copy:
        data = b"".join(bytes(part) for part in copy)
    row = connection.execute("select count(*) from fhir.body where tenant = 1").fetchone()
    assert row
    return data, int(str(row[0]))


def _copy(connection: psycopg.Connection[tuple[object, ...]], data: bytes) -> float:
    """Seconds until PostgreSQL has committed them."""
    connection.execute(TABLE)
    connection.execute("checkpoint")
    began = time.perf_counter()
    with connection.cursor().copy(PUT_IN) as copy:
        copy.write(data)
    seconds = time.perf_counter() - began
    connection.execute("drop table bench_copy")
    return seconds
