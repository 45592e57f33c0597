"""Nothing is missed and nothing is sealed twice, however writers overlap and whoever dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.conf import LazySettings
from django.db import connections

from openward.audit.sealing.anchors import AnchorFailed
from openward.audit.sealing.keys import signer
from openward.audit.sealing.sealer import CounterWentBack, seal_all, seal_next
from openward.record import sealing
from openward.record.sealing import Sealer, own_wire, seal_now, sealing_wire
from tests.audit.sealing.shelf import as_owner, seal, verify, write

pytestmark = pytest.mark.usefixtures("committed_db")

ENTRY = """insert into audit.entry (tenant, id, outcome, agent, interaction) select 1, (random() * 1e15)::bigint, 0, coalesce((select id from audit.agent limit 1), gen_random_uuid()), 'read'
  from generate_series(1, %s)"""


@contextmanager
def under_way(entries: int = 1) -> Iterator[psycopg.Connection]:
    """A transaction that has written to the trail and has not ended."""
    with own_wire() as wire, wire.transaction():
        wire.execute(ENTRY, (entries,))
        yield wire


def count(sql: str) -> int:
    with sealing_wire() as wire:
        return int((wire.execute(sql).fetchone() or (0,))[0])


def test_what_a_transaction_under_way_wrote_waits_for_its_end(tmp_path: Path) -> None:
    write(2)
    with under_way():
        write(3)  # later, and already committed
        assert seal(tmp_path) == 1
        assert count("select sum(count) from audit.seal") == 2
    seal(tmp_path)
    assert count("select sum(count) from audit.seal") == 6
    assert verify(tmp_path).is_sound


def test_a_transaction_that_is_rolled_back_leaves_no_gap(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), under_way():
        seal(tmp_path)
        raise RuntimeError
    write(1)
    seal(tmp_path)
    assert (verify(tmp_path).is_sound, verify(tmp_path).entries) == (True, 1)


def test_nothing_new_makes_no_seal(tmp_path: Path) -> None:
    write(1)
    assert (seal(tmp_path), seal(tmp_path)) == (1, 0)


def test_one_transaction_larger_than_a_batch_goes_under_several_seals(tmp_path: Path) -> None:
    with under_way(23):
        pass
    assert seal(tmp_path, batch=5) == 5
    report = verify(tmp_path)
    assert report.entries == 23
    assert all(sentence.startswith("Agent") and "is missing" in sentence for sentence in report.findings)  # those named here were never written


def test_while_one_seals_another_finds_nothing_to_do(tmp_path: Path) -> None:
    write(3)
    with sealing_wire() as one, sealing_wire() as other, one.transaction():
        assert seal_next(one, 1, signer(tmp_path)) is not None
        assert seal_next(other, 1, signer(tmp_path)) is None


def test_many_writers_and_two_sealers_at_once_miss_nothing(tmp_path: Path) -> None:
    ended = threading.Event()

    def writes() -> None:
        try:
            for _ in range(40):
                write(1)
                with under_way(3) as wire:
                    wire.execute("select pg_sleep(0.003)")
        finally:
            connections.close_all()

    def seals() -> None:
        with sealing_wire() as wire:
            while not ended.is_set():
                list(seal_all(wire, signer(tmp_path), batch=20))

    writers = [threading.Thread(target=writes) for _ in range(4)]
    sealers = [threading.Thread(target=seals) for _ in range(2)]
    for thread in [*writers, *sealers]:
        thread.start()
    for thread in writers:
        thread.join()
    ended.set()
    for thread in sealers:
        thread.join()
    seal(tmp_path)
    assert count("select sum(count) from audit.seal") == count("select count(*) from audit.entry") == 4 * 40 * 4
    assert count("select count(*) from audit.seal") > 5
    assert [sentence for sentence in verify(tmp_path).findings if not sentence.startswith("Agent")] == []


SEALS_FOR_EVER = """
import sys, django; django.setup()
from pathlib import Path
from openward.audit.sealing.keys import signer
from openward.audit.sealing.anchors import FileAnchor, keep_up
from openward.audit.sealing.sealer import prepare, seal_all
import psycopg, json
with psycopg.connect(**json.loads(sys.argv[1]), autocommit=True) as wire:
    prepare(wire)
    print("ready", flush=True)
    while True:
        for made in seal_all(wire, signer(Path(sys.argv[2])), batch=3):
            keep_up(wire, 1, FileAnchor(Path(sys.argv[2]) / "anchors"))
"""


def test_a_sealer_killed_in_the_middle_is_taken_up_where_it_was(tmp_path: Path) -> None:
    import json

    write(1)
    with sealing_wire() as wire:
        database = json.dumps({**wire.info.get_parameters(), "password": wire.info.password or None})
    for _ in range(3):
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "openward.server.settings"}
        process = subprocess.Popen([sys.executable, "-c", SEALS_FOR_EVER, database, str(tmp_path)], stdout=subprocess.PIPE, env=environment)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        before = count("select count(*) from audit.seal")
        while count("select count(*) from audit.seal") < before + 4:
            write(7)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    seal(tmp_path)
    report = verify(tmp_path)
    assert (report.findings, report.unsealed) == ([], 0)
    assert report.entries == count("select count(*) from audit.entry")


def test_a_torn_line_of_the_anchor_is_passed_over(tmp_path: Path) -> None:
    write(7)
    seal(tmp_path)
    path = next((tmp_path / "anchors").iterdir())
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-1]) + lines[-1][:40])
    with as_owner() as cursor:
        cursor.execute("update audit.anchored set number = number - 1")
    seal(tmp_path)
    assert (verify(tmp_path).findings, verify(tmp_path).notices) == ([], [])


def test_a_counter_that_went_back_is_not_sealed_over(tmp_path: Path) -> None:
    write(2)
    seal(tmp_path)
    with as_owner() as cursor:
        cursor.execute("update audit.seal set until_tx = '9000000000'")
    with sealing_wire() as wire, pytest.raises(CounterWentBack, match="restored from a dump"):
        seal_next(wire, 1, signer(tmp_path))


def test_the_worker_seals_within_seconds_and_stops_when_told(settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.OPENWARD_DATA = tmp_path
    monkeypatch.setattr(sealing, "EVERY_SECONDS", 0.02)
    sealer = Sealer()
    sealer.start()
    write(2)
    while count("select coalesce(sum(count), 0) from audit.seal") < 2:
        time.sleep(0.02)
    sealer.stop()
    sealer.join()
    assert verify(tmp_path).is_sound


def test_a_trouble_nobody_expected_does_not_end_the_sealing(settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.OPENWARD_DATA = tmp_path
    monkeypatch.setattr(sealing, "AFTER_TROUBLE_SECONDS", 0.02)
    monkeypatch.setattr(sealing, "EVERY_SECONDS", 0.02)
    real, troubles = sealing.seal_now, iter([ValueError("of a row"), KeyError("x")])

    def troubled(wire: psycopg.Connection) -> int:
        if trouble := next(troubles, None):
            raise trouble
        return real(wire)

    monkeypatch.setattr(sealing, "seal_now", troubled)
    write(2)
    sealer = Sealer()
    sealer.start()
    while sealer.is_alive() and count("select coalesce(sum(count), 0) from audit.seal") < 2:
        time.sleep(0.02)
    assert sealer.is_alive()
    sealer.stop()
    sealer.join()
    assert verify(tmp_path).is_sound


class TestHealth:
    def test_is_well_when_all_is_sealed(self, settings: LazySettings, tmp_path: Path) -> None:
        settings.OPENWARD_DATA = tmp_path
        write(2)
        with sealing_wire() as wire:
            seal_now(wire)
        assert sealing.seals() is None

    def test_tells_that_the_trail_waits_to_be_sealed(self, settings: LazySettings, tmp_path: Path) -> None:
        settings.OPENWARD_DATA = tmp_path
        write(1)
        with as_owner() as cursor:
            cursor.execute("update audit.entry set at = at - interval '10 minutes'")
        assert "not sealed since" in (sealing.seals() or "")

    def test_tells_that_an_anchor_is_behind(self, settings: LazySettings, tmp_path: Path) -> None:
        settings.OPENWARD_DATA, settings.OPENWARD_AUDIT_ANCHORS = tmp_path, f"file,syslog:{tmp_path}/no-such-socket"
        write(1)
        with sealing_wire() as wire, pytest.raises(AnchorFailed, match="no-such-socket"):
            seal_now(wire)
        with as_owner() as cursor:
            cursor.execute("update audit.seal set at = at - interval '10 minutes'")
        assert "do not reach syslog:" in (sealing.seals() or "")
