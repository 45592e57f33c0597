"""`openward audit` as an operator uses it."""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import LazySettings
from django.db import connections

from openward.audit.models import AuditEvent, Hold, Retention
from openward.record.wires import own_wire
from openward.server import audits
from openward.server.audits import Done, run
from tests.audit.sealing.shelf import as_owner, nth, write
from tests.beside import seal_after_the_others

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture(autouse=True)
def data(settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    seal_after_the_others(monkeypatch)
    settings.OPENWARD_DATA = tmp_path
    return tmp_path


def audit(action: str, **options: object) -> Done:
    return run(argparse.Namespace(**{"action": action, "anchors": [], "reason": "", "name": "", **options}))


def seal_some(times: int = 2) -> None:
    """So many seals of three entries each."""
    for _ in range(times):
        write(3)
        audit("seal")


def test_a_sound_trail_ends_with_status_0() -> None:
    seal_some()
    done = audit("verify")
    assert (done.status, done.lines[0], done.lines[-1]) == (0, "6 entries under 2 seals, 0 not sealed yet", "The trail is sound.")


def test_a_tampered_trail_ends_with_status_1_and_names_the_batch_and_the_row() -> None:
    seal_some()
    with as_owner() as cursor:
        tx, id = nth(cursor, 4)
        cursor.execute("update audit.entry set outcome = 4 where (tx, id) = (%s::text::xid8, %s)", (tx, id))
    done = audit("verify")
    assert done.status == 1
    assert any(f"{tx}-{id}" in line for line in done.lines)
    assert done.lines[-2].startswith("The first bad batch is seal 2 of tenant 1")


def test_a_trail_that_nobody_wrote_is_sound() -> None:
    assert audit("verify").status == 0


def test_anchor_files_that_are_gone_are_missed(data: Path) -> None:
    seal_some()
    for path in (data / "anchors").iterdir():
        path.unlink()
    assert any("are gone: 2 seals were written to them" in line for line in audit("verify").lines)


def test_a_database_emptied_of_everything_is_found_by_its_anchors() -> None:
    seal_some()
    with as_owner() as cursor:
        cursor.execute("truncate audit.entry, audit.seal, audit.agent, audit.anchored")
    assert any("only up to 0" in line for line in audit("verify").lines)


def test_lines_kept_elsewhere_serve_too(data: Path) -> None:
    seal_some()
    elsewhere = data / "elsewhere.jsonl"
    elsewhere.write_text(next((data / "anchors").iterdir()).read_text())
    with as_owner() as cursor:
        cursor.execute("delete from audit.seal where number = 2")
    assert any("old backup" in line for line in audit("verify", anchors=[elsewhere]).lines)


def taken_back() -> None:
    """The database as it was before its last seal, and used since."""
    with as_owner() as cursor:
        old = nth(cursor, 3)
        cursor.execute("delete from audit.entry where (tx, id) >= (%s::text::xid8, %s)", old)
        cursor.execute("delete from audit.seal where number > 1")
        cursor.execute("update audit.anchored set number = 1")


@pytest.mark.parametrize("used", [False, True])
def test_a_restore_that_is_accepted_is_told_for_ever_and_no_trouble(used: bool) -> None:
    seal_some(3)
    taken_back()
    if used:
        seal_some(1)  # the chain went on before anyone accepted it
    assert audit("verify").status == 1
    assert audit("accept-restore", reason="Disk lost, backup of Sunday").lines == [
        "tenant 1: accepted that the database or its anchor was taken back to seal 1"
    ]
    seal_some(1)
    done = audit("verify")
    assert done.status == 0, done.lines
    assert any("Disk lost, backup of Sunday" in line for line in done.lines)


def test_there_is_nothing_to_accept_when_nothing_was_restored() -> None:
    seal_some()
    assert audit("accept-restore", reason="x").lines == ["The database and its anchor agree: there is nothing to accept."]


def test_tampering_after_an_accepted_restore_is_still_found() -> None:
    seal_some(3)
    taken_back()
    audit("accept-restore", reason="x")
    seal_some(1)
    with as_owner() as cursor:
        cursor.execute("delete from audit.entry where (tx, id) = (%s::text::xid8, %s)", nth(cursor, 1))
    assert audit("verify").status == 1


def test_a_purge_is_on_the_trail_and_leaves_it_sound() -> None:
    write(4)
    with as_owner() as cursor:
        cursor.execute("update audit.entry set at = at - interval '8 years'")
    audit("seal")
    assert audit("purge").lines == ["No retention period is set: the trail is kept for ever."]
    Retention.objects.create(tenant=1, days=2192, set_by="Pia Officer")
    assert audit("purge").lines == ["tenant 1: 4 entries removed, up to seal 1; the seals remain"]
    assert AuditEvent.objects.filter(interaction="audit-purge").count() == 1
    assert audit("verify").status == 0
    assert audit("purge").lines == ["tenant 1: nothing is past its 2,192 days"]


def past_retention() -> None:
    write(4)
    with as_owner() as cursor:
        cursor.execute("update audit.entry set at = at - interval '8 years'")
    audit("seal")
    Retention.objects.create(tenant=1, days=2192, set_by="Pia Officer")


def test_a_purge_while_a_hold_stands_says_so_and_ends_with_status_1() -> None:
    past_retention()
    Hold.objects.create(tenant=1, reason="Example v. Sample", placed_by="Pia Officer")
    done = audit("purge")
    assert (done.lines, done.status) == (["tenant 1: a legal hold stands: nothing of the trail may go"], 1)


def test_a_purge_waits_for_a_hold_that_is_being_placed_and_leaves_what_it_holds() -> None:
    """Whoever placed it was told that it stands, and what it holds would be gone."""
    past_retention()
    with ThreadPoolExecutor(1) as beside, own_wire() as wire:
        with wire.transaction():
            wire.execute(
                "insert into audit_hold (id, tenant, reason, placed_by, placed_at, released_by) values (gen_random_uuid(), 1, 'x', 'Pia', now(), '')"
            )
            purging = beside.submit(purge_and_close)
            until_blocked(wire)
        assert purging.result(30).status == 1
    assert AuditEvent.objects.filter(interaction="audit-purge").count() == 0


def purge_and_close() -> Done:
    try:
        return audit("purge")
    finally:
        connections.close_all()


def until_blocked(wire: psycopg.Connection[Any]) -> None:
    waiting = "select count(*) from pg_locks l where not l.granted and l.relation = 'audit_hold'::regclass"
    until = time.monotonic() + 20
    while not wire.execute(waiting).fetchone()[0]:  # type: ignore[index] - a count has a row
        assert time.monotonic() < until, "nobody waits for the hold"
        time.sleep(0.02)


def test_who_keeps_it_append_only_is_said() -> None:
    assert audits.how_it_stands().startswith("append-only by")


def test_a_trigger_that_is_switched_off_is_told_with_the_rest() -> None:
    seal_some()
    with as_owner() as cursor:
        cursor.execute("alter table audit.entry disable trigger append_only")
    try:
        done = audit("verify")
    finally:
        with as_owner() as cursor:
            cursor.execute("alter table audit.entry enable trigger append_only")
    assert done.status == 1
    assert "TROUBLE   The trigger entry.append_only of the trail is not as the migrations made it: it is switched off." in done.lines


@pytest.mark.parametrize(
    "text", ["nonsense\n", '{"tenant": 1, "through": "2", "at": "", "reason": "", "key": "", "signature": ""}\n', '{"tenant": 1, "through": 2}\n']
)
def test_a_line_nobody_left_in_the_anchor_is_a_finding_beside_the_others(data: Path, text: str) -> None:
    seal_some()
    with next((data / "anchors").iterdir()).open("a") as file:
        file.write(text)
    with as_owner() as cursor:
        cursor.execute("delete from audit.entry where (tx, id) = (%s::text::xid8, %s)", nth(cursor, 4))
    lines = "\n".join(audit("verify").lines)
    assert "is not one a seal left" in lines
    assert "1 entry is missing" in lines


def test_lines_elsewhere_that_are_not_there_are_told(data: Path) -> None:
    seal_some()
    assert (
        f"TROUBLE   The anchor {data}/nothing.jsonl cannot be read: No such file or directory."
        in audit("verify", anchors=[data / "nothing.jsonl"]).lines
    )


def test_a_file_of_another_name_among_the_anchors_is_passed_over(data: Path) -> None:
    seal_some()
    (data / "anchors" / "tenant-one-more.jsonl").write_text("")
    assert audit("verify").status == 0


def test_an_old_copy_of_the_anchor_is_told_and_accepted_after_a_restore(data: Path) -> None:
    seal_some()
    path = next((data / "anchors").iterdir())
    old = path.read_text()
    seal_some()
    path.write_text(old)
    assert any("2 seals that were written to the anchor of tenant 1 stand there no more" in line for line in audit("verify").lines)
    assert audit("accept-restore", reason="restored to noon").lines == ["tenant 1: accepted that the database or its anchor was taken back to seal 2"]
    done = audit("verify")
    assert (done.status, done.lines[-1]) == (0, "The trail is sound.")
    assert any("restored to noon" in line for line in done.lines)
