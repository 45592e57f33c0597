"""What an owner does to the tables themselves, so that the trail is guarded no more or the pages show less of it, is told."""

from __future__ import annotations

import psycopg
import pytest

from openward.audit.sealing.structure import alterations
from openward.record.sealing import sealing_wire

pytestmark = pytest.mark.usefixtures("committed_db")

TAME = "create or replace function audit.refuse() returns trigger language plpgsql as $$ begin return null; end $$"
ALTERED = {
    "alter table audit.entry disable trigger append_only": "The trigger entry.append_only of the trail is not as the migrations made it: it is switched off.",
    "drop trigger never_emptied on audit.agent": "The trigger agent.never_emptied of the trail is gone.",
    TAME: "The function refuse of the trail is not as the migrations made it.",
    "alter table audit.entry enable row level security": "The table entry of the trail is not as the migrations made it: it is a table, logged, row security t.",
    "alter table audit.entry set unlogged": "The table entry of the trail is not as the migrations made it: it is a table, not logged, row security f.",
    "create policy some_of_it on audit.entry using (interaction <> 'read')": "The policy entry.some_of_it of the trail was added: no migration made it.",
    "create rule nothing as on insert to audit.entry do instead nothing": "The rule entry.nothing of the trail was added: no migration made it.",
    "alter table audit.entry drop constraint entry_pkey": "The key entry.entry_pkey of the trail is gone.",
    "alter table audit.seal alter root drop not null": "The column seal.root of the trail is not as the migrations made it.",
    "drop table audit.seal": "The table seal of the trail is gone.",
}


def altered(*statements: str) -> list[str]:
    """What is told while these stand; they are taken back at once."""
    with sealing_wire() as wire:
        wire.autocommit = False
        for statement in statements:
            psycopg.Cursor(wire).execute(statement.encode())
        found = alterations(wire)
        wire.rollback()
    return found


def test_tables_as_the_migrations_made_them_are_well() -> None:
    assert altered() == []


@pytest.mark.parametrize(("statement", "told"), ALTERED.items())
def test_an_alteration_is_told(statement: str, told: str) -> None:
    assert altered(statement) == [told]


def test_a_view_that_shows_less_is_told() -> None:
    with sealing_wire() as wire:
        (shown,) = wire.execute("select pg_get_viewdef('audit.event'::regclass)").fetchone() or ("",)
    told = altered(f"create or replace view audit.event as {shown.rstrip(';')} where e.interaction <> 'read'")
    assert told == ["The rule event._RETURN of the trail is not as the migrations made it."]


def test_looking_leaves_nothing_behind() -> None:
    altered()
    with sealing_wire() as wire:
        assert wire.execute("select count(*) from pg_namespace where nspname like 'audit%'").fetchone() == (1,)
