"""Reading what the file anchor, or whoever collected the lines elsewhere, holds: number by number, in bounded memory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from openward.audit.sealing.keys import Trusted


class Kept(NamedTuple):
    number: int
    digest: bytes


@dataclass(frozen=True)
class Restored:
    """A line by which someone accepted that the database was taken back: what was anchored before it past `through` no longer counts."""

    line: int
    through: int
    at: str
    reason: str


@dataclass(frozen=True)
class Line:
    nth: int
    told: dict[str, Any]


class UnreadableAnchor(Exception):
    """Line {line} of {path} is not one a seal left."""

    def __init__(self, path: Path, line: int) -> None:
        super().__init__((type(self).__doc__ or "").format(path=path, line=line))


class Anchored:
    """The lines of one tenant. `paths`: files in the order they were written; `promised`: up to which seal all of them must be there.

    Raises UnreadableAnchor, OSError.
    """

    def __init__(self, paths: Sequence[Path], tenant: int, trusted: Trusted, promised: int = 0) -> None:
        self.promised = promised
        self._paths = paths
        self._tenant = tenant
        self.restored = [found for line in self._lines() if (found := _restored(line, trusted))]

    @property
    def is_empty(self) -> bool:
        return next(self._lines(), None) is None

    def kept(self) -> Iterator[Kept]:
        """What counts, in the order it was written; the same line may come twice. Raises UnreadableAnchor."""
        for line in self._lines():
            number = line.told.get("number")
            if number is not None and not any(line.nth < back.line and number > back.through for back in self.restored):
                yield Kept(number, bytes.fromhex(line.told["digest"]))

    def _lines(self) -> Iterator[Line]:
        """A line that a crash tore off, which was written again in whole, is passed over at the end of a run of lines only."""
        nth = 0
        for path in self._paths:
            with path.open(encoding="utf-8", errors="replace") as file:
                for count, text in enumerate(file, 1):
                    told = _told(text)
                    if told is None and not _is_torn(text):
                        raise UnreadableAnchor(path, count)
                    if told is not None and told["tenant"] == self._tenant:
                        nth += 1
                        yield Line(nth, told)


def files(folder: Path, tenant: int) -> list[Path]:
    return sorted(folder.glob(f"tenant-{tenant}-*.jsonl"))


def told_by(tenant: int, through: int, at: str, reason: str) -> bytes:
    """What is signed of a line that accepts a restore."""
    return json.dumps(["openward restore accepted", tenant, through, at, reason]).encode()


def _told(text: str) -> dict[str, Any] | None:
    try:
        told = json.loads(text)
        if isinstance(told["tenant"], int) and (_accepts(told) if "through" in told else _keeps(told)):
            return dict(told)
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    return None


def _keeps(told: dict[str, Any]) -> bool:
    return isinstance(told["number"], int) and len(bytes.fromhex(told["digest"])) == 32


def _accepts(told: dict[str, Any]) -> bool:
    bytes.fromhex(told["signature"])
    return isinstance(told["through"], int) and all(isinstance(told[name], str) for name in ("at", "reason", "key"))


def _is_torn(text: str) -> bool:
    """Cut off in the middle, as a line is that was being written when the machine stopped."""
    return text.strip() == "" or (text.startswith("{") and not text.rstrip().endswith("}"))


def _restored(line: Line, trusted: Trusted) -> Restored | None:
    told = line.told
    if "through" not in told:
        return None
    content = told_by(told["tenant"], told["through"], told["at"], told["reason"])
    if not trusted.signed(told["key"], bytes.fromhex(told["signature"]), content):
        return None
    return Restored(line.nth, told["through"], told["at"], told["reason"])
