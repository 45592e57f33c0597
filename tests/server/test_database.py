"""The embedded database starts anywhere it can, says why where it cannot, and survives being killed."""

from __future__ import annotations

import os
import pwd
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from openward.cluster import EmbeddedCluster
from openward.database import Database, from_url, open_database, require_writable
from openward.server.supervisor import alone_in, require_free
from openward.troubles import FolderInUse, FolderNotWritable, PortTaken, Unreachable, WrongUrl

PLAIN_USER = "nobody"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.delenv("OPENWARD_DATABASE_URL", raising=False)
    monkeypatch.setenv("OPENWARD_SHARED_BUFFERS", "32MB")
    data = tmp_path / "data"
    yield data
    if data.exists():
        EmbeddedCluster(data).stop()


def postmaster(data: Path) -> int:
    return int((data / "postgres" / "postmaster.pid").read_text().splitlines()[0])


class TestTheEmbeddedDatabase:
    def test_starts_from_nothing_and_is_found_running_the_second_time(self, folder: Path) -> None:
        first, second = open_database(folder), open_database(folder)
        assert first.cluster is not None
        assert second.cluster is not None
        assert first.cluster.started_here
        assert not second.cluster.started_here

    def test_keeps_what_was_committed_when_every_process_is_killed(self, folder: Path) -> None:
        database = open_database(folder)
        with database.connect() as connection:
            connection.execute("create table kept (n int)")
            connection.execute("insert into kept values (7)")
            os.kill(postmaster(folder), signal.SIGKILL)
        with open_database(folder).connect() as connection:
            assert connection.execute("select n from kept").fetchone() == (7,)

    def test_listens_on_no_network_address(self, folder: Path) -> None:
        with open_database(folder).connect() as connection:
            assert connection.execute("show listen_addresses").fetchone() == ("",)

    def test_checks_pages_and_prints_no_values_of_patients(self, folder: Path) -> None:
        with open_database(folder).connect() as connection:
            settings = dict(connection.execute("select name, setting from pg_settings").fetchall())
        assert settings["data_checksums"] == "on"
        assert settings["log_error_verbosity"] == "terse"
        assert settings["log_parameter_max_length_on_error"] == "0"

    def test_takes_a_folder_whose_path_is_too_long_for_a_socket(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("OPENWARD_DATABASE_URL", raising=False)
        monkeypatch.setenv("OPENWARD_SHARED_BUFFERS", "32MB")
        data = tmp_path / ("long-" * 18) / "data"
        database = open_database(data)
        try:
            database.connect().close()
        finally:
            EmbeddedCluster(data).stop()

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can become a plain user")
    def test_starts_for_a_plain_user_too(self) -> None:
        home = folder_for_all()
        plain = pwd.getpwnam(PLAIN_USER)
        os.chown(home, plain.pw_uid, plain.pw_gid)
        child = os.fork()
        if child == 0:
            os.setgroups([])
            os.setgid(plain.pw_gid)
            os.setuid(plain.pw_uid)
            os._exit(0 if starts_and_answers(home / "data") else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def folder_for_all() -> Path:
    """A folder that any user can walk to; pytest's own are for their owner only."""
    return Path(tempfile.mkdtemp(prefix="openward-plain-", dir="/tmp"))


def starts_and_answers(data: Path) -> bool:
    try:
        database = open_database(data)
        database.connect().close()
        assert database.cluster is not None
        database.cluster.stop()
    except Exception:
        return False
    return True


class TestWhatIsWrongIsSaidClearly:
    def test_a_folder_that_cannot_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("not a folder")
        with pytest.raises(FolderNotWritable, match="cannot be written by this user"):
            require_writable(tmp_path / "file" / "data")

    def test_a_folder_in_use_by_another_server(self, tmp_path: Path) -> None:
        with alone_in(tmp_path), pytest.raises(FolderInUse, match=f"process {os.getpid()}"), alone_in(tmp_path):
            pass

    def test_a_port_that_is_taken(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            with pytest.raises(PortTaken, match="is taken by another program"):
                require_free("127.0.0.1", taken.getsockname()[1])

    @pytest.mark.parametrize("url", ["mysql://x/y", "postgresql://host", "not a url", "postgresql://u:secret@h:notaport/db"])
    def test_a_wrong_database_address(self, url: str) -> None:
        with pytest.raises(WrongUrl) as trouble:
            from_url(url)
        assert "secret" not in str(trouble.value)

    def test_a_database_that_does_not_answer(self) -> None:
        database = from_url("postgresql://u:secret@127.0.0.1:1/db")
        with pytest.raises(Unreachable, match="does not answer") as trouble:
            database.connect()
        assert "secret" not in str(trouble.value)


def test_a_url_may_name_any_libpq_parameter() -> None:
    assert from_url("postgresql://u:p@h:5433/db?sslmode=require").parameters["sslmode"] == "require"


def test_a_connection_commits_by_itself(folder: Path) -> None:
    database: Database = open_database(folder)
    with database.connect() as connection:
        assert connection.autocommit
        assert isinstance(connection, psycopg.Connection)
