"""Keeping the digests of seals where the database cannot reach them. Whoever changes the trail and seals it anew is found by them.

`OPENWARD_AUDIT_ANCHORS` names the anchors, separated by commas: `file` (the data folder's `anchors/`), `syslog:/dev/log`, `syslog:HOST:PORT` (UDP,
RFC 3164), or an `https://` address that takes a POST of the same JSON line and answers with a 2xx status. A line may arrive twice, never not at all.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import psycopg

from openward.audit.sealing.seals import Seal, after

AT_ONCE = 500
WAIT_SECONDS = 10.0
AUTHPRIV_INFO = 10 * 8 + 6
MOVED = """insert into audit.anchored (tenant, anchor, number) values (%s, %s, %s)
  on conflict (tenant, anchor) do update set number = greatest(audit.anchored.number, excluded.number)"""


class AnchorFailed(Exception):
    """The anchor {name} did not take the seals: {reason}."""

    def __init__(self, name: str, reason: object) -> None:
        super().__init__((type(self).__doc__ or "").format(name=name, reason=reason))


class Anchor(Protocol):
    @property
    def name(self) -> str: ...

    def keep(self, lines: Sequence[str], tenant: int, month: str) -> None:
        """Keep these lines of JSON, in this order, for good. Raises AnchorFailed."""


class FileAnchor:
    """One file a tenant and month, only ever appended to and on disk when `keep` returns."""

    name = "file"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, lines: Sequence[str], tenant: int, month: str) -> None:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self.folder / f"tenant-{tenant}-{month}.jsonl"
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "ab") as file:
                torn = _is_torn(path)
                file.write((b"\n" if torn else b"") + "".join(f"{line}\n" for line in lines).encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise AnchorFailed(self.name, error.strerror or error) from None


class SyslogAnchor:
    """One datagram a seal, facility authpriv, severity info. https://www.rfc-editor.org/rfc/rfc3164"""

    def __init__(self, target: str) -> None:
        self.name = f"syslog:{target}"
        host, _, port = target.rpartition(":")
        self.address: str | tuple[str, int] = target if target.startswith("/") else (host, int(port))

    def keep(self, lines: Sequence[str], tenant: int, month: str) -> None:  # noqa: ARG002 - a log has one stream
        try:
            with socket.socket(socket.AF_UNIX if isinstance(self.address, str) else socket.AF_INET, socket.SOCK_DGRAM) as channel:
                channel.connect(self.address)
                for line in lines:
                    channel.send(f"<{AUTHPRIV_INFO}>openward-seal: {line}".encode())
        except OSError as error:
            raise AnchorFailed(self.name, error.strerror or error) from None


class WebAnchor:
    def __init__(self, url: str) -> None:
        self.url = url
        self.name = url

    def keep(self, lines: Sequence[str], tenant: int, month: str) -> None:  # noqa: ARG002 - the receiver files them as it likes
        body = "".join(f"{line}\n" for line in lines).encode()
        import urllib.error
        import urllib.request

        asked = urllib.request.Request(self.url, body, {"Content-Type": "application/x-ndjson"})  # noqa: S310 - the operator's own setting, https by `anchors`
        try:
            with urllib.request.urlopen(asked, timeout=WAIT_SECONDS):  # noqa: S310
                return
        except (urllib.error.URLError, OSError, ValueError) as error:
            raise AnchorFailed(self.name, type(error).__name__) from None


class UnknownAnchor(ValueError):
    """OPENWARD_AUDIT_ANCHORS names {name}, which is none of file, syslog:/path, syslog:HOST:PORT and https://…"""

    def __init__(self, name: str) -> None:
        super().__init__((type(self).__doc__ or "").format(name=name[:100]))


def anchors(setting: str, data: Path) -> list[Anchor]:
    """Raises UnknownAnchor."""
    return [_anchor(name.strip(), data) for name in setting.split(",") if name.strip()]


def _anchor(name: str, data: Path) -> Anchor:
    if name == "file":
        return FileAnchor(data / "anchors")
    if name.startswith("https://"):
        return WebAnchor(name)
    target = name.removeprefix("syslog:")
    if target != name and (target.startswith("/") or target.rpartition(":")[2].isdecimal()):
        return SyslogAnchor(target)
    raise UnknownAnchor(name)


def keep_up(wire: psycopg.Connection[Any], tenant: int, anchor: Anchor) -> int:
    """Hand over the seals this anchor has not got yet; how many. Raises AnchorFailed."""
    done = 0
    while waiting := after(wire, tenant, anchored_up_to(wire, tenant, anchor.name), AT_ONCE):
        for month, lines in _by_month(waiting):
            anchor.keep(lines, tenant, month)
        psycopg.Cursor(wire).execute(MOVED, (tenant, anchor.name, waiting[-1].number))
        done += len(waiting)
    return done


def line_of(seal: Seal) -> str:
    at = seal.at.isoformat(timespec="milliseconds")
    return json.dumps({"tenant": seal.tenant, "number": seal.number, "digest": seal.digest.hex(), "count": seal.count, "at": at})


def _by_month(waiting: Sequence[Seal]) -> Iterator[tuple[str, list[str]]]:
    months = dict.fromkeys(f"{seal.at:%Y-%m}" for seal in waiting)
    for month in months:
        yield month, [line_of(seal) for seal in waiting if f"{seal.at:%Y-%m}" == month]


def anchored_up_to(wire: psycopg.Connection[Any], tenant: int, anchor: str) -> int:
    """The last seal that was handed over to the anchor of this name; 0 before the first."""
    row = psycopg.Cursor(wire).execute("select number from audit.anchored where (tenant, anchor) = (%s, %s)", (tenant, anchor)).fetchone()
    return int(row[0]) if row else 0


def _is_torn(path: Path) -> bool:
    """Whether the last line was cut by a crash: what follows begins on a line of its own."""
    with path.open("rb") as file:
        if file.seek(0, os.SEEK_END) == 0:
            return False
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"
