"""The data folder's own files: what is in a backup besides the database, and writing them back.

Left out: the database, what is made anew by itself (static files, caches), locks, other backups, and the outer keys, which must not lie beside what they wrap.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from openward.backup.errors import CannotWrite, PieceBroken
from openward.backup.series import Mark, Series, StoredFile

CHUNK_BYTES = 8 * 2**20
MADE_ANEW = frozenset({"postgres", "static", "cache", ".restoring", ".drill", ".serve.state", ".serve.new"})


@dataclass(frozen=True)
class DataFiles:
    """The files of a data folder; `apart` are paths in it that belong to no backup: outer keys, the backups themselves."""

    data: Path
    apart: tuple[Path, ...]

    def stored(self, series: Series, before: Mark | None) -> list[StoredFile]:
        """Keep what changed since the mark before, and list everything. Raises CannotWrite."""
        known = {one.path: one for one in before.files} if before else {}
        there = series.names("files/")
        found = []
        for path in sorted(self._walk(self.data)):
            with suppress(FileNotFoundError):  # taken away this moment: an export that expired, a scratch file
                found.append(self._stored(series, path, known.get(path.relative_to(self.data).as_posix()), there))
        return found

    def _walk(self, folder: Path) -> Iterator[Path]:
        for entry in os.scandir(folder):
            path = Path(entry.path)
            if path in self.apart or (folder == self.data and entry.name in MADE_ANEW) or entry.name.endswith((".lock", ".part")):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from self._walk(path)
            elif entry.is_file(follow_symlinks=False):
                yield path

    def _stored(self, series: Series, path: Path, known: StoredFile | None, there: set[str]) -> StoredFile:
        facts = path.stat()
        if known and (known.size, known.changed) == (facts.st_size, facts.st_mtime_ns):
            return known
        pieces, size = [], 0
        with path.open("rb") as file:
            while content := file.read(CHUNK_BYTES):
                name = series.content_name(content)
                if name not in there:
                    series.put(name, content)
                    there.add(name)
                pieces.append(name)
                size += len(content)
        return StoredFile(path.relative_to(self.data).as_posix(), stat.S_IMODE(facts.st_mode), size, facts.st_mtime_ns, pieces)


def files_at(moment_ns: int, earlier: Mark | None, later: Mark) -> list[StoredFile]:
    """The files as of a moment between two marks: what the later one has from before it, and what was taken away since the earlier one."""
    found = {one.path: one for one in (earlier.files if earlier else [])}
    found |= {one.path: one for one in later.files if one.changed <= moment_ns}
    return list(found.values())


def write_back(series: Series, files: Iterable[StoredFile], folder: Path) -> int:
    """Put the files into the folder; how many. Raises PieceMissing, PieceBroken, CannotWrite."""
    done = 0
    for one in files:
        path = folder / one.path
        if not path.resolve().is_relative_to(folder.resolve()):
            raise PieceBroken(name=one.path)
        try:
            _write(series, one, path)
        except OSError as error:
            raise CannotWrite(name=one.path, reason=error.strerror or error) from None
        done += 1
    return done


def _write(series: Series, one: StoredFile, path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, one.mode)
    with os.fdopen(descriptor, "wb") as file:
        for name in one.pieces:
            content = series.get(name)
            if series.content_name(content) != name:
                raise PieceBroken(name=name)
            file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.utime(path, ns=(one.changed, one.changed))
