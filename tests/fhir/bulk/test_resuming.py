"""An export outlives the process that writes it: nothing is lost and nothing is there twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from openward.fhir.bulk import exports
from openward.fhir.bulk.exports import Export
from openward.fhir.bulk.house import Limits
from openward.fhir.bulk.running import run
from openward.fhir.bulk.source import NOWHERE, Source
from openward.fhir.bulk.spec import Spec
from openward.fhir.bulk.stored import plain
from openward.fhir.interactions import writing
from openward.fhir.protocols import Where
from openward.fhir.store import Store
from tests.fhir.bulk.conftest import ACTORS, Bulk
from tests.fhir.house import House

PATIENTS = 600


@pytest.fixture
def many(store: Store) -> Store:
    entries = [
        {"request": {"method": "PUT", "url": f"Patient/p{number}"}, "resource": {"resourceType": "Patient", "id": f"p{number}", "gender": "other"}}
        for number in range(PATIENTS)
    ]
    store.bundle({"resourceType": "Bundle", "type": "transaction", "entry": entries})
    return store


def asked(bulk: Bulk) -> UUID:
    return exports.ask(bulk.house.connections[0], 1, "all", bulk.remember(ACTORS["all"]), Spec(types=("Patient",)), "", "")


def found(bulk: Bulk, id: UUID) -> Export:
    export = exports.find(bulk.house.connections[0], 1, id)
    assert export
    return export


def exported(bulk: Bulk, id: UUID) -> Counter[str]:
    """How often each patient is in the files, as the manifest counts them."""
    folder = exports.folder_of(bulk.folder, id)
    seen: Counter[str] = Counter()
    for file in exports.files_of(bulk.house.connections[0], found(bulk, id)):
        text = b"".join(plain(file.path(folder), file.stored))
        lines = text.splitlines()
        assert len(lines) == file.rows
        assert len(text) == file.bytes
        assert zlib.crc32(text) == file.crc
        assert file.path(folder).stat().st_size == file.stored
        seen.update(json.loads(line)["id"] for line in lines)
    return seen


EVERYONE = Counter(f"p{number}" for number in range(PATIENTS))


def kill_in_the_middle(bulk: Bulk, id: UUID, rows: int) -> None:
    """Start the job in a process and kill that process once `rows` resources are written."""
    command = [sys.executable, "-m", "tests.fhir.bulk.job", bulk.house.url, str(bulk.folder), str(id)]
    root = Path(__file__).resolve().parents[3]
    process = subprocess.Popen(command, cwd=root, env={**os.environ, "PYTHONPATH": f"{root / 'src'}:{root}"})
    try:
        with psycopg.connect(bulk.house.url, autocommit=True) as connection:
            while process.poll() is None:
                row = connection.execute("select coalesce(sum(rows), 0) from fhir.export_file where export = %s", (id,)).fetchone()
                if row and row[0] >= rows:
                    break
                time.sleep(0.002)
        assert process.poll() is None, "the job ended before it could be killed"
        os.kill(process.pid, signal.SIGKILL)
    finally:
        process.wait()
    _wait_until_its_session_ended(bulk)


def _wait_until_its_session_ended(bulk: Bulk) -> None:
    """Until then it holds the lock that keeps two workers from one export."""
    held = "select exists (select from pg_locks join pg_database d on d.oid = database where locktype = 'advisory' and datname = current_database())"
    with psycopg.connect(bulk.house.url, autocommit=True) as connection:
        while connection.execute(held).fetchone() == (True,):
            time.sleep(0.01)


def test_a_killed_job_is_taken_up_at_its_last_whole_chunk(bulk: Bulk, many: Store) -> None:
    id = asked(bulk)
    for rows in (20, 150, 300):
        kill_in_the_middle(bulk, id, rows)
        assert found(bulk, id).state == "running"
    bulk.limits = Limits(chunk_bytes=1000, file_bytes=50_000, dawdle_seconds=0.0)
    run(bulk.house.connect(), 1, id, bulk)
    assert found(bulk, id).state == "done"
    assert exported(bulk, id) == EVERYONE


def test_what_a_dead_job_left_beyond_its_last_chunk_is_cut_off(bulk: Bulk, many: Store) -> None:
    id = asked(bulk)
    kill_in_the_middle(bulk, id, 50)
    folder = exports.folder_of(bulk.folder, id)
    with max(folder.iterdir()).open("ab") as file:
        file.write(b'{"resourceType":"Patient","id":"torn')
    run(bulk.house.connect(), 1, id, bulk)
    assert exported(bulk, id) == EVERYONE


def test_what_changes_while_it_is_down_is_not_in_it(bulk: Bulk, many: Store) -> None:
    id = asked(bulk)
    kill_in_the_middle(bulk, id, 50)
    many.update({"resourceType": "Patient", "id": "p599", "gender": "female"})
    many.update({"resourceType": "Patient", "id": "late"})
    many.delete("Patient", "p598")
    run(bulk.house.connect(), 1, id, bulk)
    assert exported(bulk, id) == EVERYONE


def test_two_jobs_at_one_export_write_it_once(bulk: Bulk, many: Store) -> None:
    id = asked(bulk)
    other = bulk.house.connect()
    other.execute("select pg_advisory_lock(%s)", (id.int & (2**63 - 1),))
    run(bulk.house.connect(), 1, id, bulk)
    assert found(bulk, id).state == "waiting"
    other.close()
    run(bulk.house.connect(), 1, id, bulk)
    assert exported(bulk, id) == EVERYONE


def test_waits_for_changes_that_were_begun_before_it(bulk: Bulk, many: Store, house: House) -> None:
    """A change stamped before the export's moment and committed after it must be in it, or an incremental export would never show it."""
    id = asked(bulk)
    writer = house.connect()
    with writer.transaction():
        house.store(connection=writer).update({"resourceType": "Patient", "id": "slow", "gender": "other"})
        command = [sys.executable, "-m", "tests.fhir.bulk.job", bulk.house.url, str(bulk.folder), str(id)]
        process = subprocess.Popen(command, cwd=Path(__file__).resolve().parents[3])
        while found(bulk, id).state == "waiting" and process.poll() is None:
            time.sleep(0.01)
        time.sleep(0.3)
        assert exports.files_of(house.connections[0], found(bulk, id)) == []
    assert process.wait(60) == 0
    assert exported(bulk, id) == EVERYONE + Counter(["slow"])


def test_waits_for_who_dawdles_between_the_clock_and_the_statement(bulk: Bulk, many: Store, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A single write is stamped before the statement that is its transaction."""
    stamped = writing.now()
    bulk.limits = Limits(dawdle_seconds=2.0)
    id = asked(bulk)
    with ThreadPoolExecutor(1) as worker:
        exporting = worker.submit(run, bulk.house.connect(), 1, id, bulk)
        while found(bulk, id).state == "waiting":
            time.sleep(0.01)
        monkeypatch.setattr(writing, "now", lambda: stamped)
        many.update({"resourceType": "Patient", "id": "slow", "gender": "other"})
        exporting.result(60)
    assert exported(bulk, id) == EVERYONE + Counter(["slow"])


def test_a_job_that_went_silent_is_found(bulk: Bulk, many: Store, house: House) -> None:
    id = asked(bulk)
    assert exports.stalled(house.connections[0], 60) == []
    assert exports.stalled(house.connections[0], -1) == [(1, id)]


@pytest.mark.usefixtures("many")
def test_a_full_disk_ends_the_export_with_a_sentence(bulk: Bulk, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    id = asked(bulk)
    monkeypatch.setattr(os, "fdatasync", full)
    run(bulk.house.connect(), 1, id, bulk)
    assert (found(bulk, id).state, found(bulk, id).note) == ("failed", "The server could not write the files.")


def test_a_chunk_looks_at_nothing_before_it(many: Store) -> None:
    """However the planner joins what may be seen: else the last chunk of a type goes through all of it once more."""
    sources, connection = [], many.connection
    source = Source(connection, 1, "Patient", Where("c.tok is not null"), lambda other: Where(), writing.now())
    plain = source._run
    source._run = lambda statement, after, at_most, last=None: (sources.append(statement), plain(statement, after, at_most, last))[1]  # type: ignore[method-assign]
    halfway = source.chunk(NOWHERE, 20_000)
    assert 0 < halfway.rows < 400
    connection.execute("set enable_nestloop = off; set enable_hashjoin = off")
    given = {**source.bind.values, "after": halfway.last, "at": source.at, "bytes": 10**9, "last": halfway.last}
    (plan,) = connection.execute(f"explain (analyze, format json) {sources[0]}".encode(), given).fetchone() or ()
    looked_at = [node["Actual Rows"] for node in _nodes(plan[0]["Plan"]) if str(node.get("Relation Name", "")).startswith("current")]
    assert looked_at
    assert max(looked_at) <= len(EVERYONE) - halfway.rows


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for one in plan.get("Plans", ()):
        yield from _nodes(one)
