"""Only what is sealed, past its retention and under no hold can go, whoever asks; what went leaves its seals."""

from __future__ import annotations

import datetime as dt
from itertools import product
from pathlib import Path

import psycopg
import pytest
from psycopg.errors import RestrictViolation

from openward.audit.models import Hold, Retention
from openward.audit.sealing.keys import signer
from openward.audit.sealing.purges import INSERT, Purge, purge, purgeable
from openward.audit.sealing.role import restrict, standing
from openward.audit.sealing.seals import seals
from openward.record.sealing import sealing_wire
from tests.audit.sealing.shelf import as_owner, seal, verify, write

pytestmark = pytest.mark.usefixtures("committed_db")

LATER = dt.datetime.now(dt.UTC) + dt.timedelta(days=2192 + 70)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Ten entries of seven years ago under two seals, and three of today under a third."""
    write(10)
    with as_owner() as cursor:
        cursor.execute("update audit.entry set at = at - interval '7 years'")
    seal(tmp_path)
    write(3)
    seal(tmp_path)
    return tmp_path


def keep_six_years() -> None:
    Retention.objects.create(tenant=1, days=2192, set_by="Pia Officer")


def purged(data: Path) -> int:
    with sealing_wire() as wire:
        last = purgeable(wire, 1, 2192, dt.datetime.now(dt.UTC))
        assert last is not None
        return purge(wire, last, signer(data), actor="system:test").removed


def test_what_is_past_its_retention_goes_and_the_chain_stays_sound(old: Path) -> None:
    keep_six_years()
    assert purged(old) == 10
    report = verify(old)
    assert (report.findings, report.entries, report.purged, report.seals) == ([], 3, 10, 3)
    assert "Entries up to seal 2 were removed by system:test" in report.notices[0]


def test_a_second_purge_finds_nothing(old: Path) -> None:
    keep_six_years()
    purged(old)
    with sealing_wire() as wire:
        assert purgeable(wire, 1, 2192, dt.datetime.now(dt.UTC)) is None


def test_without_a_period_nothing_goes(old: Path) -> None:
    with pytest.raises(RestrictViolation, match="kept for ever"):
        purged(old)


def test_while_a_hold_stands_nothing_goes(old: Path) -> None:
    keep_six_years()
    Hold.objects.create(tenant=1, reason="Example v. Sample", placed_by="Pia Officer")
    with pytest.raises(RestrictViolation, match="legal hold"):
        purged(old)
    Hold.objects.update(released_at=dt.datetime.now(dt.UTC), released_by="Pia Officer")
    assert purged(old) == 10


def test_what_is_not_old_enough_is_refused_by_the_database_itself(old: Path) -> None:
    keep_six_years()
    with sealing_wire() as wire:
        last = purgeable(wire, 1, 1, LATER)
        assert last is not None
        with pytest.raises(RestrictViolation, match="past its retention"):
            purge(wire, last, signer(old), actor="system:test")
    assert verify(old).is_sound


@pytest.mark.parametrize("days", [0, 365, 2191])
def test_a_period_shorter_than_the_law_allows_is_refused(days: int) -> None:
    from django.db import IntegrityError, transaction

    with pytest.raises(IntegrityError), transaction.atomic():
        Retention.objects.create(tenant=1, days=days, set_by="x")


def test_an_entry_put_back_into_a_purged_period_is_found(old: Path) -> None:
    keep_six_years()
    purged(old)
    with as_owner() as cursor:
        cursor.execute(
            "insert into audit.entry (tenant, tx, id, outcome, agent, interaction) select 1, '5', 5, 0, id, 'read' from audit.agent limit 1"
        )
    assert any("added to a period that is purged" in sentence for sentence in verify(old).findings)


def test_a_purge_nobody_signed_hides_nothing(old: Path) -> None:
    with as_owner() as cursor:
        cursor.execute(
            """insert into audit.purge select tenant, number, until_tx, until_id, count, now(), 'system:x', key_id, signature
               from audit.seal where number = 2"""
        )
        cursor.execute("delete from audit.entry where at < now() - interval '1 year'")
    findings = verify(old).findings
    assert "not signed" in findings[0]
    assert any("missing" in sentence for sentence in findings)


def purged_by_hand(data: Path, through: int, at: dt.datetime) -> list[str]:
    """As by someone who owns the database and has the key, and puts the triggers out of action; what verifying finds."""
    with sealing_wire() as wire:
        last = next(seals(wire, 1, "and number = %s", through))
    with as_owner() as cursor:
        made = Purge(1, through, last.until, 0, at, "system:x", signer(data).id)
        where = str(last.until.tx), last.until.id
        cursor.execute(INSERT, (1, through, *where, 0, at, "system:x", made.key_id, signer(data).sign(made.told())))
        cursor.execute("delete from audit.entry where (tx, id) < (%s::text::xid8, %s)", where)
    return verify(data).findings


def test_a_purge_of_what_is_younger_than_the_law_allows_is_found(old: Path) -> None:
    assert purged_by_hand(old, 3, dt.datetime.now(dt.UTC)) == ["The entries of seal 3 were purged before they were six years old."]


def test_a_purge_of_a_time_to_come_is_found(old: Path) -> None:
    """Dated so late everything would be old enough."""
    (told,) = purged_by_hand(old, 3, dt.datetime.now(dt.UTC) + dt.timedelta(days=7 * 366))
    assert told.endswith("which is still to come.")


class TestTheRestrictedRole:
    @pytest.fixture
    def role(self) -> str:
        name = "openward_audit_test"
        with sealing_wire() as wire:
            restrict(wire, name)
            restrict(wire, name)  # again does no harm
            wire.execute(f"grant {name} to current_user")
        yield name
        with sealing_wire() as wire:
            wire.execute(f"drop owned by {name}")
            wire.execute(f"drop role {name}")

    def test_cannot_change_the_trail(self, role: str) -> None:
        statements = ["update audit.{} set tenant = 9", "delete from audit.{}", "truncate audit.{}", "alter table audit.{} disable trigger all"]
        with sealing_wire() as wire:
            wire.execute(f"set role {role}")
            for statement, table in product(statements, ["entry", "agent", "seal", "purge"]):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    wire.execute(statement.format(table))

    def test_can_write_seal_and_read_it(self, role: str, tmp_path: Path) -> None:
        from openward.audit.sealing.sealer import seal_all

        write(2)
        with sealing_wire() as wire:
            wire.execute(f"set role {role}")
            wire.execute("insert into audit.entry (tenant, id, outcome, agent, interaction) select 1, 7, 0, id, 'read' from audit.agent limit 1")
            assert [made.count for made in seal_all(wire, signer(tmp_path))] == [3]

    def test_is_told_from_the_owner(self, role: str) -> None:
        with sealing_wire() as wire:
            assert "could remove those" in standing(wire)
            wire.execute(f"set role {role}")
            assert standing(wire) == "append-only by role: the database user can only add"
