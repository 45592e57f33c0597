"""How claims leave and remittances come. The default is a folder, which is also how many clearinghouses are reached (a synchronised directory).

DATA/clearinghouse/out      claim files, whole when they appear
DATA/clearinghouse/in       remittances, dropped here
DATA/clearinghouse/in/posted, in/refused    where they go afterwards; beside a refused file stands its reason
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from django.conf import settings

SETTLED_SECONDS = 2.0
OVERDUE_SECONDS = 300.0
MAX_BYTES = 50 * 2**20
_UNFINISHED = (".tmp", ".part", ".filepart", ".crdownload")


@dataclass(frozen=True, slots=True)
class Received:
    """A file that has arrived; `data` is None of one that is too large to be read whole."""

    name: str
    data: bytes | None


class Clearinghouse(Protocol):
    def send(self, name: str, body: bytes) -> None:
        """Hand a claim file over; sending the same name again replaces it. Raises OSError."""

    def waiting(self) -> Iterator[Received]:
        """The remittance files that have arrived and are complete as far as can be seen."""

    def posted(self, name: str) -> None:
        """This file was dealt with."""

    def refused(self, name: str, reason: str) -> None:
        """This file cannot be read."""


class FolderClearinghouse:
    def __init__(self, root: Path) -> None:
        self.out, self.arrivals = root / "out", root / "in"
        self.done, self.rejects = self.arrivals / "posted", self.arrivals / "refused"

    def send(self, name: str, body: bytes) -> None:
        """Written beside its place and moved there: nobody ever picks up half a file."""
        self.out.mkdir(parents=True, exist_ok=True)
        part = self.out / f".{name}.part"
        with part.open("wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.out / name)

    def waiting(self) -> Iterator[Received]:
        """One that cannot be read does not hold up the others: its fault is raised once they are through. One taken away meanwhile is nobody's."""
        unreadable: OSError | None = None
        for file in self.files():
            try:
                found = file.stat()
                if time.time() - found.st_mtime < SETTLED_SECONDS:
                    continue
                received = Received(file.name, file.read_bytes() if found.st_size <= MAX_BYTES else None)
            except FileNotFoundError:
                continue
            except OSError as error:
                unreadable = error
                continue
            yield received
        if unreadable is not None:
            raise unreadable

    def files(self) -> list[Path]:
        """What lies in the folder, oldest first; files still being copied are left alone."""
        self.arrivals.mkdir(parents=True, exist_ok=True)
        found = [each for each in self.arrivals.iterdir() if each.is_file() and not each.name.startswith(".") and each.suffix not in _UNFINISHED]
        return sorted(found, key=lambda each: (_arrived(each), each.name))

    def overdue(self) -> int:
        """How many files lie there longer than the job that takes them needs."""
        return sum(time.time() - _arrived(file) > OVERDUE_SECONDS for file in self.files())

    def posted(self, name: str) -> None:
        self._move(name, self.done)

    def refused(self, name: str, reason: str) -> None:
        moved = self._move(name, self.rejects)
        moved.with_name(moved.name + ".reason.txt").write_text(reason + "\n", encoding="utf-8")

    def _move(self, name: str, folder: Path) -> Path:
        """Never over a file that is there: a second one of that name gets the time in front."""
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / name
        if target.exists():
            target = folder / f"{time.time_ns()}-{name}"
        (self.arrivals / name).replace(target)
        return target


def _arrived(file: Path) -> float:
    """When it came, in seconds; now for one that was taken away since it was listed."""
    try:
        return file.stat().st_mtime
    except FileNotFoundError:
        return time.time()


def clearinghouse() -> FolderClearinghouse:
    return FolderClearinghouse(Path(settings.OPENWARD_DATA) / "clearinghouse")
