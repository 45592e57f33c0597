"""Whatever a database owner does to the trail is found, and named."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from openward.audit.sealing.keys import Signer, signer
from openward.audit.sealing.rows import Position
from openward.audit.sealing.seals import insert, seals
from openward.record.sealing import sealing_wire
from tests.audit.sealing.shelf import as_owner, nth, nurse, seal, verify, write

pytestmark = pytest.mark.usefixtures("committed_db")
Cursor = psycopg.Cursor[Any]


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    """Twelve entries under three seals."""
    write(12)
    assert seal(tmp_path) == 3
    return tmp_path


def test_an_untouched_trail_is_sound(sealed: Path) -> None:
    report = verify(sealed)
    assert (report.is_sound, report.entries, report.seals, report.unsealed, report.notices) == (True, 12, 3, 0, [])


def test_entries_that_are_not_sealed_yet_are_told_and_no_trouble(sealed: Path) -> None:
    write(2)
    report = verify(sealed)
    assert (report.is_sound, report.unsealed) == (True, 2)


def update(cursor: Cursor) -> None:
    cursor.execute("update audit.entry set interaction = 'history' where (tx, id) = (%s::text::xid8, %s)", nth(cursor, 7))


def update_time(cursor: Cursor) -> None:
    cursor.execute("update audit.entry set at = at - interval '1 microsecond' where (tx, id) = (%s::text::xid8, %s)", nth(cursor, 7))


def delete(cursor: Cursor) -> None:
    cursor.execute("delete from audit.entry where (tx, id) = (%s::text::xid8, %s)", nth(cursor, 7))


def delete_first(cursor: Cursor) -> None:
    cursor.execute("delete from audit.entry where (tx, id) = (%s::text::xid8, %s)", nth(cursor, 0))


def delete_batch(cursor: Cursor) -> None:
    cursor.execute("delete from audit.entry where (tx, id) >= (%s::text::xid8, %s)", nth(cursor, 5))


def add(cursor: Cursor) -> None:
    columns = "tenant, at, rtype, outcome, agent, rkey, patient, interaction"
    cursor.execute(
        f"insert into audit.entry (tx, id, {columns}) select tx, id + 1, {columns} from audit.entry where (tx, id) = (%s::text::xid8, %s)",
        nth(cursor, 7),
    )


def swap(cursor: Cursor) -> None:
    one, other = nth(cursor, 6), nth(cursor, 7)
    cursor.execute("update audit.entry set tx = '1' where (tx, id) = (%s::text::xid8, %s)", one)
    cursor.execute("update audit.entry set (tx, id) = (%s::text::xid8, %s) where (tx, id) = (%s::text::xid8, %s)", (*one, *other))
    cursor.execute("update audit.entry set (tx, id) = (%s::text::xid8, %s) where tx = '1'", other)


def move_to_another_tenant(cursor: Cursor) -> None:
    cursor.execute("update audit.entry set tenant = 2 where (tx, id) = (%s::text::xid8, %s)", nth(cursor, 7))


def edit_agent(cursor: Cursor) -> None:
    cursor.execute("update audit.agent set actor_name = 'Somebody Else'")


def remove_agent(cursor: Cursor) -> None:
    cursor.execute("delete from audit.agent")


def name_another_agent(cursor: Cursor) -> None:
    cursor.execute("update audit.entry set agent = gen_random_uuid() where (tx, id) = (%s::text::xid8, %s)", nth(cursor, 7))


def drop_seal(cursor: Cursor) -> None:
    cursor.execute("delete from audit.seal where number = 2")


def drop_first_seal(cursor: Cursor) -> None:
    cursor.execute("delete from audit.seal where number = 1")


def drop_last_seal(cursor: Cursor) -> None:
    cursor.execute("delete from audit.seal where number = 3")


def drop_every_seal(cursor: Cursor) -> None:
    cursor.execute("delete from audit.seal")


def swap_seals(cursor: Cursor) -> None:
    cursor.execute("update audit.seal set number = case number when 1 then 11 else 12 end where number in (1, 2)")
    cursor.execute("update audit.seal set number = case number when 11 then 2 else 1 end where number in (11, 12)")


def widen_seal(cursor: Cursor) -> None:
    cursor.execute("update audit.seal set until_tx = '9000000000' where number = 2")


def date_seal_back(cursor: Cursor) -> None:
    cursor.execute("update audit.seal set at = at - interval '1 day' where number = 2")


def false_signature(cursor: Cursor) -> None:
    cursor.execute("update audit.seal set signature = set_byte(signature, 3, get_byte(signature, 3) # 1) where number = 2")


def impossible_time(cursor: Cursor) -> None:
    cursor.execute("update audit.entry set at = 'infinity' where (tx, id) = (%s::text::xid8, %s)", nth(cursor, 7))


def impossible_time_of_a_seal(cursor: Cursor) -> None:
    cursor.execute("update audit.seal set at = 'infinity' where number = 2")


def seal_without_end(cursor: Cursor) -> None:
    cursor.execute("update audit.seal set until_tx = '18446744073709551615' where number = 2")


def false_prints(cursor: Cursor) -> None:
    cursor.execute("update audit.seal set prints = (select prints from audit.seal where number = 1) where number = 2")


@dataclass(frozen=True)
class Tampering:
    do: Callable[[Cursor], None]
    told: str
    batch: str = "2 of tenant 1"


TAMPERINGS = [
    Tampering(update, "was changed"),
    Tampering(update_time, "was changed"),
    Tampering(delete, "1 entry is missing after"),
    Tampering(delete_first, "1 entry is missing at the beginning of the batch", "1 of tenant 1"),
    Tampering(delete_batch, "5 entries are missing"),
    Tampering(add, "was added"),
    Tampering(swap, "was changed"),
    Tampering(move_to_another_tenant, "1 entry is missing"),
    Tampering(edit_agent, "who is named in seal 1, was changed", "1 of tenant 1"),
    Tampering(remove_agent, "is missing", "1 of tenant 1"),
    Tampering(name_another_agent, "was changed"),
    Tampering(drop_seal, "Seal 2 is missing", "3 of tenant 1"),
    Tampering(drop_first_seal, "Seal 1 is missing"),
    Tampering(drop_last_seal, "The anchor has seals up to 3, the database only up to 2", ""),
    Tampering(drop_every_seal, "The anchor has seals up to 3, the database only up to 0", ""),
    Tampering(swap_seals, "does not continue", "1 of tenant 1"),
    Tampering(widen_seal, "Seal 2 was changed"),
    Tampering(date_seal_back, "Seal 2 was changed"),
    Tampering(false_signature, "The signature of seal 2 is false"),
    Tampering(impossible_time, "was changed"),
    Tampering(impossible_time_of_a_seal, "Seal 2 was changed: it does not give its own digest"),
    Tampering(seal_without_end, "Seal 2 was changed: it does not give its own digest"),
    Tampering(false_prints, "Seal 2 was changed: the prints by which it tells entries apart are not theirs"),
]


@pytest.mark.parametrize("tampering", TAMPERINGS, ids=lambda one: one.do.__name__)
def test_what_a_database_owner_does_is_found(sealed: Path, tampering: Tampering) -> None:
    with as_owner() as cursor:
        tampering.do(cursor)
    report = verify(sealed)
    assert any(tampering.told in sentence for sentence in report.findings), report.findings
    assert report.first_bad.startswith(tampering.batch)


def test_the_entry_that_was_changed_is_named_and_no_other(sealed: Path) -> None:
    with as_owner() as cursor:
        tx, id = nth(cursor, 7)
        update(cursor)
    report = verify(sealed)
    assert len(report.findings) == 1
    assert f"Entry {tx}-{id} of " in report.findings[0]


def test_both_entries_that_were_swapped_are_named(sealed: Path) -> None:
    with as_owner() as cursor:
        names = {"{}-{}".format(*nth(cursor, place)) for place in (6, 7)}
        swap(cursor)
    assert {sentence.split()[1] for sentence in verify(sealed).findings} == names


def sealed_anew(data: Path, with_key: Signer) -> None:
    """The whole chain made again over what stands there now, as by someone who knows how it is made."""
    with as_owner() as cursor:
        cursor.execute("delete from audit.seal")
    with sealing_wire() as wire:
        from openward.audit.sealing.sealer import seal_all

        list(seal_all(wire, with_key, batch=5))


def test_a_chain_signed_with_another_key_is_found(sealed: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    with as_owner() as cursor:
        update(cursor)
    sealed_anew(sealed, signer(tmp_path_factory.mktemp("elsewhere")))
    assert any("not one of this installation's" in sentence for sentence in verify(sealed).findings)


def test_a_chain_made_anew_with_the_right_key_differs_from_its_anchor(sealed: Path) -> None:
    with as_owner() as cursor:
        update(cursor)
    sealed_anew(sealed, signer(sealed))
    assert verify(sealed).findings[0] == "Seal 1 differs from its anchor: it is not the one that was made then."


def test_an_entry_that_stands_under_another_seal_is_found(sealed: Path) -> None:
    """Two seals of the same installation: one put in the place of the other."""
    with sealing_wire() as wire:
        second = next(seals(wire, 1, "and number = 2"))
    with as_owner() as cursor:
        cursor.execute("delete from audit.seal where number = 3")
        insert(cursor.connection, replace(second, number=3).signed(signer(sealed)))
    assert any("does not continue" in sentence for sentence in verify(sealed).findings)


@pytest.mark.parametrize("changed", ["previous", "since"])
def test_a_seal_of_the_right_key_that_continues_something_else_is_found(sealed: Path, changed: str) -> None:
    """Made and signed as it should be, over another past: without an anchor the chain alone tells."""
    with sealing_wire() as wire:
        first, second, third = seals(wire, 1, "order by number")
    other = {"previous": first.digest, "since": Position(second.until.tx, second.until.id + 1)}
    with as_owner() as cursor:
        cursor.execute("delete from audit.seal where number = 3")
        insert(cursor.connection, replace(third, **{changed: other[changed]}).signed(signer(sealed)))
    shutil.rmtree(sealed / "anchors")
    assert "Seal 3 does not continue the one before it: the chain is broken." in verify(sealed).findings


def test_a_database_restored_from_a_dump_is_said_to_be_one(sealed: Path) -> None:
    """Its transactions count from the beginning again: the seals speak of ones that are still to come."""
    with as_owner() as cursor:
        for table in ("entry set tx", "seal set from_tx", "seal set until_tx"):
            column = table.split()[-1]
            cursor.execute(f"update audit.{table} = ({column}::text::bigint + 1000000)::text::xid8 where {column} <> '0'")
    assert any("restored from a dump" in sentence for sentence in verify(sealed).findings)


def test_an_old_backup_is_said_to_be_one(sealed: Path) -> None:
    """What came after the backup is gone from the database, entries and seals alike; the anchor knows of it."""
    with as_owner() as cursor:
        old = nth(cursor, 10)
    write(6)
    seal(sealed)
    with as_owner() as cursor:
        cursor.execute("delete from audit.entry where (tx, id) >= (%s::text::xid8, %s)", old)
        cursor.execute("delete from audit.seal where number > 2")
    report = verify(sealed)
    assert report.findings == [
        "The anchor has seals up to 5, the database only up to 2: an old backup was restored, or seals were removed at the end."
    ]


def test_each_tenant_has_a_chain_of_its_own(sealed: Path) -> None:
    write(3, nurse(tenant=2))
    seal(sealed)
    with as_owner() as cursor:
        cursor.execute("update audit.entry set outcome = 8 where tenant = 2")
    assert (verify(sealed, 1).is_sound, verify(sealed, 2).is_sound) == (True, False)


def test_findings_without_end_are_counted(tmp_path: Path) -> None:
    write(40)
    seal(tmp_path, batch=1)
    with as_owner() as cursor:
        cursor.execute("update audit.entry set outcome = 8")
        cursor.execute("update audit.seal set at = at - interval '1 hour'")
    report = verify(tmp_path)
    assert (len(report.findings), len(report.findings) + report.more) == (50, 80)


def test_a_seal_that_is_none_is_a_finding_and_no_crash(sealed: Path) -> None:
    with as_owner() as cursor:
        cursor.execute("begin")
        cursor.execute("alter table audit.seal alter root drop not null")
        cursor.execute("update audit.seal set root = null where number = 2")
        cursor.execute("commit")
    try:
        report = verify(sealed)
    finally:
        with as_owner() as cursor:
            cursor.execute("delete from audit.seal")
            cursor.execute("alter table audit.seal alter root set not null")
    assert report.findings == ["The trail of tenant 1 cannot be read past seal 0 (TypeError): what follows is not proven."]


def test_an_entry_with_an_impossible_time_is_sealed_like_any_other(sealed: Path) -> None:
    """Whoever may add to the trail could stop its sealing otherwise."""
    with as_owner() as cursor:
        cursor.execute(
            "insert into audit.entry (tenant, id, at, outcome, agent, interaction) select 1, 5, 'infinity', 0, id, 'read' from audit.agent limit 1"
        )
        cursor.execute(
            "insert into audit.entry (tenant, id, at, outcome, agent, interaction) select 1, 6, '-infinity', 0, id, 'read' from audit.agent limit 1"
        )
    assert seal(sealed) == 1
    report = verify(sealed)
    assert (report.findings, report.entries) == ([], 14)
    assert "holds entries that are dated later, up to 9000-01-01 00:00:00 UTC" in report.notices[0]


def test_a_clock_that_went_back_between_two_seals_is_told(sealed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(1)
    with monkeypatch.context() as earlier:
        earlier.setattr("openward.audit.sealing.sealer.dt.datetime", YesterdaysClock)
        seal(sealed)
    report = verify(sealed)
    assert report.is_sound
    assert report.notices[0].startswith("The clock went back: seal 3 was made on")
    assert "holds entries that are dated later" in report.notices[1]


class YesterdaysClock(dt.datetime):
    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> YesterdaysClock:  # type: ignore[override]
        return super().now(tz) - dt.timedelta(days=1)


def test_a_line_taken_out_of_the_anchor_is_missed(sealed: Path) -> None:
    path = next((sealed / "anchors").iterdir())
    lines = path.read_text().splitlines(keepends=True)
    path.write_text(lines[0] + lines[2])
    (told,) = verify(sealed).findings
    assert told.startswith("1 seals that were written to the anchor of tenant 1 stand there no more, the first is seal 2")
