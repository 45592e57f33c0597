"""The database user of daily work: everything the program does goes on under it, and nothing of the trail or the ledger can be changed by it."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import errors

from openward.cluster import EmbeddedCluster
from openward.database import DAILY_ROLE
from tests.installation import Installation, Server, prepared, scratch_folder

LEDGER = ("public.ledger_transaction", "public.ledger_entry")
TRAIL = ("audit.entry", "audit.agent", "audit.seal", "audit.purge")


@pytest.fixture
def daily(served: Server) -> Iterator[psycopg.Connection]:
    parameters = {**EmbeddedCluster(served.installation.data).parameters(), "user": DAILY_ROLE}
    with psycopg.connect(**parameters, autocommit=True) as connection:  # type: ignore[arg-type]
        yield connection


def users_of(served: Server) -> set[str]:
    """Who is connected for the web server, the worker and the live process."""
    with psycopg.connect(**EmbeddedCluster(served.installation.data).parameters(), autocommit=True) as owner:  # type: ignore[arg-type]
        rows = owner.execute("select usename from pg_stat_activity where datname = 'openward' and pid <> pg_backend_pid() and usename is not null")
        return {name for (name,) in rows}


def test_is_who_the_running_server_connects_as(served: Server) -> None:
    assert served.ask("GET", "/account/sign-in").status == 200
    assert served.ask("GET", "/fhir/Patient", headers={"Authorization": f"Bearer {served.installation.token('system/*.rs')}"}).status == 200
    assert users_of(served) == {DAILY_ROLE}


def test_is_told_of_by_the_check(served: Server) -> None:
    done = served.installation.openward("check")
    assert "append-only by role: the database user can only add" in done.stdout


@pytest.mark.parametrize("table", [*TRAIL, *LEDGER])
@pytest.mark.parametrize(
    "statement",
    [
        "update {} set tenant = 9",
        "delete from {}",
        "truncate {}",
        "alter table {} disable trigger all",
        "alter table {} disable trigger user",
        "drop trigger append_only on {}",
        "create trigger silent before insert on {} for each row execute function audit.refuse()",
        "create rule silent as on insert to {} do instead nothing",
        "alter table {} add column note text",
        "alter table {} enable row level security",
        "alter table {} rename to other",
        "alter table {} owner to openward_app",
        "drop table {} cascade",
        "select 1 from {} for update",
        "merge into {} t using (select 1) s on true when matched then delete",
    ],
)
def test_cannot_change_or_remove_what_is_only_added_to(daily: psycopg.Connection, statement: str, table: str) -> None:
    with pytest.raises((errors.InsufficientPrivilege, errors.WrongObjectType)):
        daily.execute(statement.format(table).encode())


@pytest.mark.parametrize(
    "statement",
    [
        "set role postgres",
        "set session authorization postgres",
        "grant postgres to openward_app",
        "alter role openward_app superuser",
        "alter role postgres password 'x'",
        "create role other login",
        "set session_replication_role = replica",
        "alter system set fsync = off",
        "alter database openward owner to openward_app",
        "alter function audit.refuse_entry() security definer",
        "create or replace function audit.refuse_entry() returns trigger language plpgsql as 'begin return old; end'",
        "drop schema audit cascade",
        "alter schema audit owner to openward_app",
        "create table public.mine (id int)",
        "create table audit.mine (id int)",
        "create function public.mine() returns int language sql as 'select 1'",
        "copy audit.entry to program 'cat'",
        "select pg_read_file('postgresql.conf')",
        "insert into audit.purge select 1, 1, '9'::xid8, 9, 0, now(), 'system:x', 'x', ''",
        "do language plpgsql 'begin execute ''set role postgres''; end'",
    ],
)
def test_cannot_become_more(daily: psycopg.Connection, statement: str) -> None:
    with pytest.raises((errors.InsufficientPrivilege, errors.InvalidGrantOperation)):
        daily.execute(statement.encode())


def test_cannot_grant_itself_anything(daily: psycopg.Connection) -> None:
    daily.execute("grant delete on audit.entry to openward_app")  # PostgreSQL warns that nothing was granted
    assert daily.execute("select has_table_privilege('audit.entry', 'delete')").fetchone() == (False,)


def test_owns_nothing(daily: psycopg.Connection) -> None:
    owned = "select count(*) from pg_class where relowner = current_user::regrole union all select count(*) from pg_proc where proowner = current_user::regrole"
    assert daily.execute(owned).fetchall() == [(0,), (0,)]


def test_reads_writes_and_works_everywhere_else(daily: psycopg.Connection) -> None:
    """Whatever table there is: what the program may need of it, it has."""
    lacking = """select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p') and n.nspname in ('public', 'fhir')
        and not exists (select from pg_trigger t where t.tgrelid = c.oid and t.tgname = 'append_only')
        and not (has_table_privilege(c.oid, 'select') and has_table_privilege(c.oid, 'insert')
          and has_table_privilege(c.oid, 'update') and has_table_privilege(c.oid, 'delete'))"""
    assert daily.execute(lacking.encode()).fetchall() == []


def test_sees_since_when_the_owners_transactions_are_open(served: Server, daily: psycopg.Connection) -> None:
    """A subscription tells up to the oldest of them: one it could not see would be overlooked."""
    with psycopg.connect(**EmbeddedCluster(served.installation.data).parameters()) as owner:  # type: ignore[arg-type]
        owner.execute("select pg_current_xact_id()")
        seen = "select backend_type, xact_start is not null, backend_xid is not null from pg_stat_activity where pid = %s"
        assert daily.execute(seen, (owner.info.backend_pid,)).fetchall() == [("client backend", True, True)]


class TestADataFolderOfBefore:
    """Made by a version that had one database user, with a table that user made later."""

    @pytest.fixture
    def old(self) -> Iterator[Installation]:
        with scratch_folder() as folder:
            yield from self._without_its_user(Installation(prepared(folder / "data")))

    def _without_its_user(self, installation: Installation) -> Iterator[Installation]:
        cluster = EmbeddedCluster(installation.data)
        cluster.start()
        try:
            with psycopg.connect(**cluster.parameters(), autocommit=True) as owner:  # type: ignore[arg-type]
                owner.execute(f"drop owned by {DAILY_ROLE}".encode())
                owner.execute(f"drop role {DAILY_ROLE}".encode())
            yield installation
        finally:
            cluster.stop()

    def test_gets_the_user_at_its_next_start_and_works(self, old: Installation) -> None:
        with old.serving() as server:
            assert users_of(server) == {DAILY_ROLE}
            assert server.ask("GET", "/health").status == 200

    def test_gets_it_once_however_many_start_at_once(self, old: Installation) -> None:
        import subprocess

        running = [subprocess.Popen(old.command("check"), env=old.environment, stdout=subprocess.PIPE, text=True) for _ in range(3)]
        said = [process.communicate()[0] for process in running]
        assert ["append-only by role" in one for one in said] == [True] * 3


def test_what_belongs_to_the_owner_is_done_by_the_owner(served: Server) -> None:
    done = served.installation.openward("audit", "purge")
    assert (done.returncode, done.stdout) == (0, "No retention period is set: the trail is kept for ever.\n")
    assert served.installation.openward("audit", "verify").returncode == 0
