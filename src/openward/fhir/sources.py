"""Where import files come from: folders, plain and packed files, tar archives. Nothing is unpacked to disk."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

MAX_DOCUMENT = 512 * 1024 * 1024
PLAIN = (".json", ".ndjson")
PACKED: dict[str, Callable[..., object]] = {".gz": gzip.open, ".xz": lzma.open, ".bz2": bz2.open}
ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2")
DAMAGE = (OSError, EOFError, lzma.LZMAError, zlib.error, tarfile.TarError)


class Unreadable(Exception):
    """The file cannot be read to its end."""


@dataclass(frozen=True, slots=True)
class Document:
    """One file as it was found, unpacked while it is read; `name` is for the report."""

    name: str
    content: IO[bytes]
    is_ndjson: bool

    def read(self) -> bytes:
        with _damage_named():
            data = self.content.read(MAX_DOCUMENT + 1)
        if len(data) > MAX_DOCUMENT:
            raise Unreadable(f"The file is larger than {MAX_DOCUMENT // 1024**2} MB; use NDJSON.")
        return data

    def lines(self) -> Iterator[bytes]:
        with _damage_named():
            yield from self.content


@contextmanager
def _damage_named() -> Iterator[None]:
    try:
        yield
    except DAMAGE as error:
        raise Unreadable(f"The file is damaged: {error}.") from error


def files(paths: Sequence[Path]) -> list[Path]:
    """The files that `paths` name, each once; folders are searched through, in the order of names."""
    found = [file for path in paths for file in (sorted(path.rglob("*")) if path.is_dir() else [path])]
    return [file for file in dict.fromkeys(found) if file.is_file() and (is_importable(file.name) or file in paths)]


def is_importable(name: str) -> bool:
    return name.endswith(ARCHIVES) or _plain_name(name).endswith(PLAIN)


def documents(path: Path) -> Iterator[tuple[Document, int]]:
    """The documents of one file, each with how far into the file it starts, in bytes. Raises Unreadable for damage, and for a kind we know not."""
    with path.open("rb") as file, _damage_named():
        if path.name.endswith(ARCHIVES):
            for document in _members(path, cast(IO[bytes], file)):
                yield document, file.tell()
        elif is_importable(path.name):
            with _unpacked(path.name, cast(IO[bytes], file)) as content:
                yield Document(path.name, content, _plain_name(path.name).endswith(".ndjson")), 0
        else:
            raise Unreadable("The name ends neither in .json or .ndjson, packed or not, nor like an archive.")


def _members(path: Path, file: IO[bytes]) -> Iterator[Document]:
    with tarfile.open(fileobj=file, mode="r|*") as archive:
        for member in archive:
            if member.isfile() and is_importable(member.name):
                stream = archive.extractfile(member)
                if stream is not None:
                    with _unpacked(member.name, stream) as content:
                        yield Document(f"{path.name}/{member.name}", content, _plain_name(member.name).endswith(".ndjson"))


@contextmanager
def _unpacked(name: str, file: IO[bytes]) -> Iterator[IO[bytes]]:
    opener = next((opener for suffix, opener in PACKED.items() if name.endswith(suffix)), None)
    yield file if opener is None else cast(IO[bytes], opener(file))


def _plain_name(name: str) -> str:
    return next((name.removesuffix(suffix) for suffix in PACKED if name.endswith(suffix)), name).lower()
