"""Reads `data/shipped.zip`, which `generate` wrote: an index once, then only the shards somebody asks for."""

from __future__ import annotations

import threading
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import msgspec

ARCHIVE = Path(__file__).parents[1] / "data" / "shipped.zip"
PACKAGES = ("r4", "tho", "us-core-610", "us-core-700", "us-core-800", "other")
"""Older first: of two versions nobody chose between, the one of the later package is meant."""
_reading = threading.Lock()


@dataclass(frozen=True, slots=True)
class Entry:
    """Where one shipped resource stands. `more` as `generate._more` wrote it."""

    url: str
    version: str | None
    package: str
    shard: str
    place: int
    more: Any = field(compare=False)

    def read(self) -> Mapping[str, Any]:
        table: Mapping[str, Any] = _shard(self.shard)[self.place]
        return {**table, "version": self.version, "package": self.package}


@cache
def entries(kind: str) -> Mapping[str, Sequence[Entry]]:
    """Address → its entries, the one meant by default first. `kind` is systems, sets or maps."""
    found: dict[str, list[Entry]] = {}
    for row in _index()[kind]:
        found.setdefault(row[0], []).append(Entry(*row))
    for listed in found.values():
        listed.sort(key=lambda entry: PACKAGES.index(entry.package), reverse=True)
    return found


@cache
def languages() -> Mapping[str, Mapping[str, str]]:
    """Subtags of the IANA registry: {kind: {subtag in small letters: name}}."""
    table: Mapping[str, Mapping[str, str]] = _read("languages.json")
    return table


@cache
def _index() -> Mapping[str, Any]:
    table: Mapping[str, Any] = _read("index.json")
    return table


@lru_cache(maxsize=3)
def _shard(name: str) -> Sequence[Any]:
    listed: Sequence[Any] = _read(name)
    return listed


def _read(name: str) -> Any:
    with _reading, zipfile.ZipFile(ARCHIVE) as archive:
        return msgspec.json.decode(archive.read(name))
