"""Backups of a real cluster: under load, killed in the middle, damaged, and restored to a moment between."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from openward.backup.errors import AlreadyRunning, NotProved, PieceBroken
from openward.backup.files import DataFiles
from openward.backup.making import Made, Maker, alone
from openward.backup.places import Folder
from openward.backup.proofs import counted, prove
from openward.backup.restoring import Restorer, plan
from openward.backup.series import ids
from openward.cluster import EmbeddedCluster
from openward.fhir.sealing import port
from openward.keys.outer import OuterKeys, outer_keys
from tests.installation import ROOT, scratch_folder

SCHEMA = """
create schema fhir; create schema audit;
create table fhir.body (tenant int, rtype smallint, rkey uuid, ver int, tx xid8 default pg_current_xact_id(), ts timestamptz default now(), op "char",
                        patient uuid, body text);
create table audit.entry (tenant int, tx xid8 default pg_current_xact_id(), id bigint);
create function audit.refuse() returns trigger language plpgsql as $$ begin raise exception 'append-only'; end $$;
create trigger append_only before update or delete on audit.entry for each row execute function audit.refuse();
create table written (n serial primary key, body text);
"""


@dataclass
class Site:
    root: Path
    cluster: EmbeddedCluster
    keys: OuterKeys
    drawn: list[tuple[int, int, str]] = field(default_factory=list)

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def place(self) -> Folder:
        return Folder(self.root / "backups")

    def connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(**self.cluster.parameters(), autocommit=True)  # type: ignore[arg-type]

    def back_up(self, *, full: bool = False, count: bool = False) -> Made:
        files = DataFiles(self.data, ())
        return Maker(self.cluster, self.place, self.keys, files, lambda *told: self.drawn.append(told)).run(full=full, count=count)

    def restorer(self, name: str, at: dt.datetime | None = None) -> Restorer:
        (self.root / name).mkdir()
        return Restorer(plan(self.place, self.keys, at=at, now=dt.datetime.now(dt.UTC)), self.root / name, lambda *told: self.drawn.append(told))

    def restored(self, name: str, at: dt.datetime | None = None) -> set[int]:
        """The numbers in the restored copy's table."""
        self.restorer(name, at).restore()
        copy = EmbeddedCluster(self.root / name)
        copy.start()
        try:
            with psycopg.connect(**copy.parameters()) as connection:  # type: ignore[arg-type]
                return {n for (n,) in connection.execute("select n from written").fetchall()}
        finally:
            copy.stop()


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with scratch_folder() as root:
        root.chmod(0o711)
        (root / "data").mkdir()
        cluster = EmbeddedCluster(root / "data")
        cluster.start()
        made = Site(root, cluster, outer_keys([root / "outer.key"]))
        try:
            with made.connect() as connection:
                connection.execute(SCHEMA)
                connection.execute(
                    "insert into fhir.body (tenant, rtype, rkey, ver, body) select 1, 102, gen_random_uuid(), 1, 'resource ' || n from generate_series(1, 500) n"
                )
                connection.execute("insert into audit.entry (id) select generate_series(1, 500)")
            yield made
        finally:
            cluster.stop()


class Writer(threading.Thread):
    """Writes one row after another and remembers when each was begun and acknowledged."""

    def __init__(self, site: Site) -> None:
        super().__init__()
        self.site, self.done = site, threading.Event()
        self.rows: list[tuple[dt.datetime, int, dt.datetime]] = []

    def run(self) -> None:
        with self.site.connect() as connection:
            while not self.done.is_set():
                begun = dt.datetime.now(dt.UTC)
                row = connection.execute("insert into written (body) values (repeat('x', 500)) returning n").fetchone()
                assert row is not None
                self.rows.append((begun, row[0], dt.datetime.now(dt.UTC)))


def test_what_was_acknowledged_before_the_moment_is_there_and_nothing_that_began_after_it(site: Site) -> None:
    writers = [Writer(site) for _ in range(3)]
    for writer in writers:
        writer.start()
    try:
        site.back_up(full=True)
        moment = _after_some(writers)
        _after_some(writers)
        site.back_up()
        _after_some(writers)  # what no backup reached
    finally:
        for writer in writers:
            writer.done.set()
        for writer in writers:
            writer.join()
    found = site.restored("between", moment)
    rows = [row for writer in writers for row in writer.rows]
    assert {n for _, n, acknowledged in rows if acknowledged < moment} <= found
    assert not {n for begun, n, _ in rows if begun > moment} & found
    assert any(begun > moment for begun, _, _ in rows)
    assert {note for _, _, note in site.drawn} >= {"base", "log"}


def _after_some(writers: list[Writer]) -> dt.datetime:
    """A moment by which every writer has written fifty rows more."""
    goals = [len(writer.rows) + 50 for writer in writers]
    while any(len(writer.rows) < goal for writer, goal in zip(writers, goals, strict=True)):
        time.sleep(0.01)
    return dt.datetime.now(dt.UTC)


KILLED = """
import os, signal, sys
from pathlib import Path
from openward.backup import making, places
from openward.backup.files import DataFiles
from openward.cluster import EmbeddedCluster
from openward.keys.outer import outer_keys
root, stop, full = Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "full"
put = places.Folder.put
def killed(self, name, content):
    if stop in name:
        os.kill(os.getpid(), signal.SIGKILL)
    put(self, name, content)
places.Folder.put = killed
making.Maker(EmbeddedCluster(root / "data"), places.Folder(root / "backups"), outer_keys([root / "outer.key"]), DataFiles(root / "data", ()),
             lambda *_: None).run(full=full)
"""


def kill_at(site: Site, piece: str, *, full: bool) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-c", KILLED, str(site.root), piece, "full" if full else ""]
    assert subprocess.run(command, env=environment, capture_output=True, check=False).returncode == -signal.SIGKILL


@pytest.mark.parametrize(("piece", "full"), [("base/000003", True), ("base.json", True), ("wal/", False), ("marks/", False)])
def test_a_backup_killed_anywhere_leaves_those_before_it_and_the_next_one_goes_on(site: Site, piece: str, full: bool) -> None:
    site.back_up()
    before = plan(site.place, site.keys, now=dt.datetime.now(dt.UTC))
    kill_at(site, piece, full=full)
    after = plan(site.place, site.keys, now=dt.datetime.now(dt.UTC))
    assert (after.series.id, after.mark) == (before.series.id, before.mark)
    made = site.back_up()
    assert (made.series, made.mark.number) == (before.series.id, before.mark.number + 1)
    assert list(ids(site.place).values()) == [[before.series.id]]


def test_after_kills_the_newest_state_is_whole(site: Site) -> None:
    with site.connect() as connection:
        row = connection.execute("insert into written default values returning n").fetchone()
        site.back_up()
        kill_at(site, "marks/", full=False)
    assert row is not None
    assert row[0] in site.restored("newest")


def test_a_server_that_was_killed_is_backed_up_on(site: Site) -> None:
    before = site.back_up()
    postmaster = int((site.cluster.folder / "postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGKILL)
    site.cluster.start()
    after = site.back_up()
    assert (after.series, after.mark.number) == (before.series, before.mark.number + 1)


def test_a_second_backup_at_once_is_refused(site: Site) -> None:
    with alone(site.data), pytest.raises(AlreadyRunning):
        site.back_up()


def test_a_log_that_was_lost_makes_a_new_base(site: Site) -> None:
    before = site.back_up()
    with site.connect() as connection:
        connection.execute("select pg_drop_replication_slot(slot_name) from pg_replication_slots")
    after = site.back_up()
    assert (before.is_full, after.is_full) == (False, True)
    assert after.series != before.series


def test_a_restored_record_is_backed_up_on_into_the_same_place(site: Site) -> None:
    with site.connect() as connection:
        connection.execute("insert into written default values")
    original = site.back_up()
    site.restorer("goes-on").restore()
    copy = EmbeddedCluster(site.root / "goes-on")
    copy.start()
    try:
        files = DataFiles(site.root / "goes-on", ())
        first, second = (Maker(copy, site.place, site.keys, files, lambda *_: None).run() for _ in range(2))
    finally:
        copy.stop()
    assert (first.is_full, second.is_full, second.series) == (True, False, first.series)
    assert plan(site.place, site.keys, now=dt.datetime.now(dt.UTC)).series.id == first.series
    assert site.restored("goes-on-again")
    again = site.back_up()  # the one it was restored from, which lives on, does not write into the other's series
    assert again.is_full
    assert len({original.series, first.series, again.series}) == 3


def test_a_damaged_chunk_is_refused_by_name_and_nothing_is_left_running_or_in_place(site: Site) -> None:
    made = site.back_up(full=True)
    path = site.place.path / made.installation / made.series / "base/000002"
    sound = path.read_bytes()
    path.write_bytes(sound[:5000] + bytes([sound[5000] ^ 1]) + sound[5001:])
    try:
        restorer = site.restorer("damaged")
        with pytest.raises(PieceBroken, match="base/000002"):
            restorer.restore()
    finally:
        path.write_bytes(sound)
    assert not restorer.cluster.is_running()
    assert not [path for path in (site.root / "damaged").iterdir() if path.name != ".backup.lock"]  # what was taken out so far stood there in clear
    Restorer(plan(site.place, site.keys, now=dt.datetime.now(dt.UTC)), site.root / "damaged", lambda *_: None).restore()
    assert (site.root / "damaged" / "postgres" / "PG_VERSION").exists()


class TestADrill:
    @pytest.fixture
    def copy(self, site: Site) -> Iterator[tuple[psycopg.Connection[Any], dict[str, int]]]:
        made = site.back_up(count=True)
        restorer = site.restorer(f"drill{made.mark.number}")
        restorer.recover()
        try:
            with restorer.connected() as connection:
                yield connection, made.mark.counts
        finally:
            restorer.cluster.stop()

    def test_proves_a_copy_that_is_the_records_and_refuses_one_that_is_not(
        self, site: Site, copy: tuple[psycopg.Connection[Any], dict[str, int]]
    ) -> None:
        restored, counts = copy
        with site.connect() as record:
            record.execute("insert into fhir.body (tenant, rtype, rkey, ver, body) values (1, 102, gen_random_uuid(), 1, 'later')")
            assert f"{counts['fhir.body']:,} of fhir.body" in " ".join(prove(restored, record, counts))
            for change, said in (
                ("update fhir.body set body = 'forged!' where body = 'resource 7'", "rows of fhir.body|is another"),
                ("alter table audit.entry disable trigger append_only; delete from audit.entry where id = 7", "audit.entry has 499 rows"),
            ):
                with restored.transaction(force_rollback=True):
                    restored.execute(change)
                    with pytest.raises(NotProved, match=said):
                        prove(restored, record, counts)
            with restored.transaction(force_rollback=True):
                restored.execute("drop trigger append_only on audit.entry")
                with pytest.raises(NotProved, match="guards"):
                    prove(restored, record, counts)

    def test_knows_a_body_that_was_sealed_anew_since_by_what_it_says(
        self, site: Site, copy: tuple[psycopg.Connection[Any], dict[str, int]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        restored, counts = copy
        monkeypatch.setattr(port, "_held", [SpelledBackwards()])
        with site.connect() as record, record.transaction(force_rollback=True):
            record.execute("create table fhir.sealing_walk (changed xid8)")
            record.execute("insert into fhir.sealing_walk values (pg_current_xact_id())")
            kept = """ {"resourceType":"Binary","id":"1","data":"' || chr(92) || '/' || reverse(body) || '"}"""
            before = """{"resourceType":"Binary","id":"1","data":' || to_json(body)::text || '}"""
            restored.execute(f"update fhir.body set body = '{before}' where body like 'resource %'")  # noqa: S608
            record.execute(f"update fhir.body set body = '{kept}' where body like 'resource %'")  # noqa: S608
            assert "resources read back" in " ".join(prove(restored, record, counts))
            record.execute("update fhir.body set body = replace(body, 'ecruoser', 'ecruosER')")
            with pytest.raises(NotProved, match="is another"):
                prove(restored, record, counts)


class SpelledBackwards:
    """A way to seal for these tests."""

    def seal(self, purpose: str, content: bytes, about: tuple[str, str], tenant: int) -> str:
        return content.decode()[::-1]

    def unseal(self, sealed: str, about: tuple[str, str]) -> bytes:
        return f'"{sealed[::-1]}"'.encode()

    def absent(self) -> str:
        return "cannot be opened"

    def blinded(self, text: str, tenant: int) -> tuple[str, ...]:  # noqa: ARG002 - as the port has it
        return (text,)


def test_what_is_counted_is_of_transactions_that_have_ended(site: Site) -> None:
    with site.connect() as other, other.transaction(force_rollback=True), site.connect() as connection:
        other.execute("insert into audit.entry (id) values (-1)")
        connection.execute("insert into audit.entry (id) values (-2)")
        counts = counted(connection)
        found = connection.execute("select count(*) from audit.entry where tx < %s::text::xid8", [counts["xmin"]]).fetchone()
    assert found == (counts["audit.entry"],)
