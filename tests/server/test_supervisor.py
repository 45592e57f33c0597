"""A child of the server's family: forked, named, alone in its session, and without its parent's hold on the data folder."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from openward.server.supervisor import CannotListen, Child, Supervisor, alone_in, require_free
from openward.troubles import FolderInUse


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    """Started while its parent holds the folder, which the parent then lets go."""
    made = Child("sleeper", "openward sleeper", lambda: time.sleep(60))
    with alone_in(tmp_path) as held:
        made.start(held)
        _until_named(made)
    yield made
    made.ask_to_stop()
    made.make_stop(time.monotonic() + 5)


def _until_named(child: Child) -> None:
    assert child.process is not None
    until = time.monotonic() + 20
    while "sleeper" not in " ".join(psutil.Process(child.process.pid).cmdline()):
        assert time.monotonic() < until, "the child has not named itself"
        time.sleep(0.01)


def test_it_does_not_hold_the_folder_its_parent_has_let_go(child: Child, tmp_path: Path) -> None:
    with alone_in(tmp_path):
        assert child.ended() is False


def test_two_parents_cannot_hold_one_folder(tmp_path: Path) -> None:
    with alone_in(tmp_path), pytest.raises(FolderInUse), alone_in(tmp_path):
        pass


def test_it_leads_a_session_of_its_own(child: Child) -> None:
    assert child.process is not None
    assert child.process.pid
    assert os.getsid(child.process.pid) == child.process.pid


def test_it_stops_when_it_is_asked_to(child: Child) -> None:
    child.ask_to_stop()
    child.make_stop(time.monotonic() + 10)
    assert child.ended()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell a child that its parent is gone")
def test_it_ends_with_a_parent_that_was_killed_outright(tmp_path: Path) -> None:
    """It would go on answering on the port, and the next server would be told that another program has it."""
    with subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    child.wait(20)


PARENT = """
import os, sys, time
from pathlib import Path
from openward.server.supervisor import Child, alone_in
def work():
    os.write(1, f"{os.getpid()}\\n".encode())
    time.sleep(60)
with alone_in(Path(sys.argv[1])) as held:
    Child("sleeper", "openward sleeper", work).start(held)
    time.sleep(60)
"""


class TestAChildThatFallsAgainAndAgain:
    def test_waits_twice_as_long_each_time_and_a_minute_at_most(self) -> None:
        child = Child("worker", "openward worker", print, started=100.0)
        assert [child.fell(100.0) for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]

    def test_begins_anew_after_it_has_lived_for_a_while(self) -> None:
        child = Child("worker", "openward worker", print, started=100.0, falls=6)
        assert child.fell(100.0 + 3600) == 1

    def test_is_told_in_the_data_folder_and_in_one_line_of_the_log(self, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        child = Child("worker", "openward sleeper", broken)
        with alone_in(tmp_path) as held:
            family = Supervisor([child], held)
            child.start(held)
            assert child.process is not None
            child.process.join(20)
            family._revive()
            family._revive()
        assert (tmp_path / ".serve.state").read_text() == '{"worker": 1}'
        assert child.falls == 1
        assert child.process.exitcode == 1
        assert "Traceback" not in capfd.readouterr().err


def broken() -> None:
    raise ValueError("Ada Example cannot be read")


@pytest.mark.parametrize(("host", "port"), [("300.1.1.1", 8000), ("no-such-host.invalid", 8000), ("192.0.2.7", 8000)])
def test_an_address_that_is_not_of_this_machine_is_not_said_to_be_taken(host: str, port: int) -> None:
    with pytest.raises(CannotListen, match="cannot listen"):
        require_free(host, port)
