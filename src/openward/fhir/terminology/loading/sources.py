"""Where lines come from: a file, or a file in a zip archive. Bytes are read as they are needed; nothing is unpacked to disk."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from openward.fhir.errors import BadRequest

SAMPLE = 1 << 20
LONGEST_LINE = 1 << 20


class UnreadableRelease(BadRequest):
    """{name} cannot be read: {reason}."""


@dataclass(frozen=True)
class Source:
    """`member` is the name inside the archive; None for a file of its own."""

    path: Path
    member: str | None = None

    @property
    def name(self) -> str:
        return (self.member or str(self.path)).rpartition("/")[2]

    @property
    def trail(self) -> str:
        """The whole way to it, for what versions are told from."""
        return f"{self.path}/{self.member}" if self.member else str(self.path)

    @property
    def size(self) -> int:
        """Bytes, unpacked."""
        if self.member is None:
            return self.path.stat().st_size
        with zipfile.ZipFile(self.path) as archive:
            return archive.getinfo(self.member).file_size

    def digest(self) -> str:
        """Tells one content from another: the archive's own checksum, or that of the beginning and the end with the size."""
        if self.member is not None:
            with zipfile.ZipFile(self.path) as archive:
                entry = archive.getinfo(self.member)
                return f"{entry.file_size}-{entry.CRC:08x}"
        with self.path.open("rb") as file:
            begin = file.read(SAMPLE)
            file.seek(max(self.size - SAMPLE, 0))
            return f"{self.size}-{hashlib.sha256(begin + file.read()).hexdigest()[:32]}"

    @contextmanager
    def _open(self) -> Iterator[IO[bytes]]:
        if self.member is None:
            with self.path.open("rb") as file:
                yield file
            return
        with zipfile.ZipFile(self.path) as archive, archive.open(self.member) as member:
            yield member

    def lines(self, position: int = 0) -> Iterator[tuple[int, str]]:
        """Lines without their end, from a position that an earlier run ended at, each with the position after it. Raises UnreadableRelease."""
        with self._open() as file:
            try:
                if position:
                    file.seek(position)
                while line := file.readline(LONGEST_LINE):
                    position += len(line)
                    if len(line) == LONGEST_LINE:
                        raise UnreadableRelease(name=self.name, reason="a line is longer than a megabyte")
                    yield position, _text(line).rstrip("\r\n")
            except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
                raise UnreadableRelease(name=self.name, reason="the archive is damaged") from error


def _text(line: bytes) -> str:
    """UTF-8, as nearly all releases are; some older ones of CMS and the AMA are in Windows' western letters."""
    try:
        return line.decode("utf-8-sig").replace("\x00", "")
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace").replace("\x00", "")


def sources(paths: Iterable[Path]) -> list[Source]:
    """Every file of these files, folders and archives, in the order of their names. Raises UnreadableRelease for a damaged archive."""
    found: list[Source] = []
    for path in paths:
        for file in sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]:
            found += _inside(file) if file.suffix.lower() == ".zip" else [Source(file)]
    return found


def _inside(path: Path) -> list[Source]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
    except zipfile.BadZipFile as error:
        raise UnreadableRelease(name=path.name, reason="the archive is damaged") from error
    return [Source(path, name) for name in sorted(names)]
