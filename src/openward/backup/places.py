"""Where backups are kept: a folder, or whatever `OPENWARD_BACKUP_STORE` adapts (an S3 bucket). Pieces are whole or absent, never half."""

from __future__ import annotations

import importlib
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from openward.backup.errors import CannotRead, CannotWrite, PieceMissing


class Place(Protocol):
    """Holds named pieces of bytes, at most about 20 MB each. Names are of `[A-Za-z0-9._/-]`."""

    def put(self, name: str, content: bytes) -> None:
        """Kept, whole and on disk, when this returns; a piece of that name is replaced. Raises CannotWrite."""

    def get(self, name: str) -> bytes:
        """Raises PieceMissing, CannotRead."""

    def names(self, prefix: str) -> Iterator[str]:
        """The names that begin with `prefix`, in no order."""

    def remove(self, prefix: str) -> None:
        """Remove every piece whose name begins with `prefix`, which ends in a slash."""


class Folder:
    """Pieces as files, each written beside its name, flushed, then renamed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __str__(self) -> str:
        return str(self.path)

    def put(self, name: str, content: bytes) -> None:
        path = self.path / name
        scratch = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                _written(scratch, content)
                scratch.rename(path)
            finally:
                with suppress(OSError):
                    scratch.unlink(missing_ok=True)
            _flushed(path.parent)
        except OSError as error:
            raise CannotWrite(name=name, reason=error.strerror or error) from None

    def get(self, name: str) -> bytes:
        try:
            return (self.path / name).read_bytes()
        except FileNotFoundError:
            raise PieceMissing(name=name) from None
        except OSError as error:
            raise CannotRead(name=name, reason=error.strerror or error) from None

    def names(self, prefix: str) -> Iterator[str]:
        start = self.path / prefix if prefix.endswith("/") else self.path
        for folder, _, files in os.walk(start):
            for name in files:
                found = (Path(folder) / name).relative_to(self.path).as_posix()
                if found.startswith(prefix) and not name.startswith("."):
                    yield found

    def remove(self, prefix: str) -> None:
        shutil.rmtree(self.path / prefix, ignore_errors=True)


def open_place(*, store: str, folder: Path) -> Place:
    """The adapter `store` names (package.Class, made without arguments), else the folder."""
    if not store:
        return Folder(folder)
    module, _, name = store.rpartition(".")
    made: Place = getattr(importlib.import_module(module), name)()
    return made


def _written(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _flushed(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
