"""How the files of a test run are handed to its workers: what shares a running server stays together, and the longest goes first.

pytest-xdist hands out a file at a time, those with the most tests first. The files that start installations have few tests and take the longest:
they would come last, one worker busy while the others have nothing left, and each worker would start a server of its own for what one can serve.
https://pytest-xdist.readthedocs.io/en/stable/distribution.html
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

TESTS = Path(__file__).resolve().parent

# A session fixture that starts a server, or makes what takes as long, and the folder whose files ask for it by that name.
SHARED = {"clinic": "browser", "surface": "conformance", "served": "server", "made": "demo"}
# What takes minutes when everything else takes seconds, the longest first; all that is not here comes after.
LONGEST = (
    "the files of served", "the files of surface", "the files of clinic", "tests/server/test_faults.py", "tests/server/test_keeping.py",
    "tests/conformance/test_specification_examples.py", "tests/house/test_doors.py", "tests/backup/test_restore.py", "tests/entrance/test_second_step.py",
    "tests/server/test_sealed_record.py", "tests/server/test_transport.py", "tests/server/test_subscriptions.py", "tests/server/test_canaries.py",
    "tests/server/test_other_postgresql.py", "tests/web/test_in_a_browser.py", "tests/server/test_audits.py",
)  # fmt: skip


class Together(LoadFileScheduling):
    """One unit of work is a file, or all files of one server; units are handed out in the order they were collected in."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)


def unit_of(nodeid: str) -> str:
    file = nodeid.split("::", 1)[0]
    return _units().get(file, file)


@lru_cache(maxsize=1)
def _units() -> dict[str, str]:
    return {file.relative_to(TESTS.parent).as_posix(): f"the files of {name}" for name, folder in SHARED.items() for file in _asking(name, folder)}


def _asking(name: str, folder: str) -> list[Path]:
    return [file for file in sorted((TESTS / folder).rglob("test_*.py")) if f" {name}:" in file.read_text(encoding="utf-8").replace("(", " ")]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    return Together(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a worker: the longest units first, then those with the most tests."""
    if not hasattr(config, "workerinput"):
        return
    units = [unit_of(item.nodeid) for item in items]
    sizes, first = Counter(units), {unit: place for place, unit in reversed(list(enumerate(units)))}

    def place(item: pytest.Item) -> tuple[int, int, int]:
        unit = unit_of(item.nodeid)
        return (LONGEST.index(unit) if unit in LONGEST else len(LONGEST), -sizes[unit], first[unit])

    items.sort(key=place)
