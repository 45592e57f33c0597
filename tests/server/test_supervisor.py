"""A child of the server's family: forked, named, alone in its session, and without its parent's hold on the data folder."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from openward.server.supervisor import Child, alone_in
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
