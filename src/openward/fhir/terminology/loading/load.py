"""Load releases: batch by batch, each with its checkpoint in one transaction, so that a run that was killed goes on where it was.

A release that is in is recognised and left alone; another version of the same code system stands beside it.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, Literal
from uuid import uuid5

from psycopg import Connection

from openward.fhir.errors import BadRequest, Conflict
from openward.fhir.terminology.catalogue import written
from openward.fhir.terminology.loading.formats import cpt, loinc, public, rxnorm, snomed
from openward.fhir.terminology.loading.reading import rows
from openward.fhir.terminology.loading.release import Part, Release, Row
from openward.fhir.terminology.loading.sources import sources
from openward.fhir.terminology.loading.writing import finish, merge, prepare
from openward.fhir.terminology.rows import SHARED
from openward.fhir.terminology.writing import CANONICAL, ELSEWHERE, ROWS, number

FORMATS = (snomed.releases, loinc.releases, rxnorm.releases, cpt.releases, public.releases)
BATCH = 20_000
"""Rows that are read, written and committed together; memory is bounded by it."""
TABLES = (*ROWS["S"], "terminology_load", "terminology_staged")

Progress = Callable[[int, int, str], None]


class NothingToLoad(BadRequest):
    """There is no release in these files that this program knows: SNOMED CT (RF2), LOINC, RxNorm (RRF), CPT, ICD-10-CM, HCPCS or CVX."""


class VersionUnknown(BadRequest):
    """Which version of {title} this is cannot be told from the names of its files; say it with --version."""


class LoadingAlready(Conflict):
    """Another process is loading terminology at this moment."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """`outcome`: loaded, resumed (an earlier run had begun it), or there (nothing had to be done)."""

    title: str
    url: str
    version: str
    concepts: int
    outcome: Literal["loaded", "resumed", "there"]


def found(paths: Sequence[Path], version: str | None = None) -> list[Release]:
    """The releases in these files and folders. Raises NothingToLoad, VersionUnknown, UnreadableRelease."""
    files = sources(paths)
    releases = list(chain.from_iterable(recognise(files, version) for recognise in FORMATS))
    if not releases:
        raise NothingToLoad
    for release in releases:
        if release.version == "unknown":
            raise VersionUnknown(title=release.title)
    return releases


def load(connection: Connection[Any], releases: Sequence[Release], progress: Progress, *, tenant: int = SHARED) -> list[Loaded]:
    """Load them one after the other. `connection` is in autocommit mode and nobody else's; `progress` hears of bytes. Raises LoadingAlready."""
    total = sum(part.source.size for release in releases for part in release.parts)
    with _alone(connection):
        prepare(connection)
        done, answers = 0, []
        for release in releases:
            answers.append(_Loading(connection, tenant, release, lambda more, note, done=done: progress(done + more, total, note)).run())  # type: ignore[misc]
            done += sum(part.source.size for part in release.parts)
    progress(total, total, "")
    return answers


@contextmanager
def _alone(connection: Connection[Any]) -> Iterator[None]:
    row = connection.execute("select pg_try_advisory_lock(hashtextextended('openward terminology load', 0))").fetchone()
    if not row or not row[0]:
        raise LoadingAlready
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute("select pg_advisory_unlock(hashtextextended('openward terminology load', 0))")


class _Loading:
    def __init__(self, connection: Connection[Any], tenant: int, release: Release, progress: Callable[[int, str], None]) -> None:
        self.connection = connection
        self.tenant = tenant
        self.release = release
        self.progress = progress
        self.cs = number(uuid5(ELSEWHERE, f"release {release.url}|{release.version}"))

    def run(self) -> Loaded:
        digests = {part.name: part.source.digest() for part in self.release.parts}
        before = self._checkpoints()
        if self._state() == "r" and {name: digest for name, (digest, _, _) in before.items()} == digests:
            return self._loaded(self._count(), "there")
        goes_on = bool(before) and self._state() == "l" and all(digests.get(name) == digest for name, (digest, _, _) in before.items())
        if not goes_on:
            self._prove(is_in=self._state() == "r")
            self._begin()
            before = {}
        done = 0
        for part in self.release.parts:
            _, position, is_done = before.get(part.name, ("", 0, False))
            if not is_done:
                self._load(part, digests[part.name], position, done)
            done += part.source.size
        return self._loaded(self._finish(), "resumed" if goes_on else "loaded")

    def _prove(self, *, is_in: bool) -> None:
        """Raises UnreadableRelease before anything is written; all of it is read where the same version, which it would replace, is in."""
        for part in self.release.parts:
            found = rows(part, 0)
            deque(found if is_in else islice(found, 1), maxlen=0)

    def _load(self, part: Part, digest: str, position: int, done: int) -> None:
        batch: list[Row] = []
        for place, found in rows(part, position):
            batch += found
            if len(batch) >= BATCH:
                self._commit(part, digest, place, batch, is_done=False)
                batch = []
                self.progress(done + place, part.name)
        self._commit(part, digest, part.source.size, batch, is_done=True)
        self.progress(done + part.source.size, part.name)

    def _commit(self, part: Part, digest: str, position: int, batch: Sequence[Row], *, is_done: bool) -> None:
        with self.connection.transaction():
            if batch:
                merge(self.connection, self.tenant, self.cs, self.release, batch)
            self.connection.execute(
                """insert into fhir.terminology_load (tenant, cs, part, digest, position, done) values (%s, %s, %s, %s, %s, %s)
                   on conflict (tenant, cs, part) do update set digest = excluded.digest, position = excluded.position, done = excluded.done""",
                (self.tenant, self.cs, part.name, digest, position, is_done),
            )

    def _begin(self) -> None:
        with self.connection.transaction():
            for name in TABLES:
                self.connection.execute(f"delete from fhir.{name} where tenant = %s and cs = %s".encode(), (self.tenant, self.cs))  # noqa: S608 - fixed names
            self._write_canonical("l", 0)

    def _finish(self) -> int:
        with self.connection.transaction():
            concepts = finish(self.connection, self.tenant, self.cs)
            self._write_canonical("r", concepts)
        for name in ROWS["S"]:
            self.connection.execute(f"analyze fhir.{name}".encode())
        written()
        return concepts

    def _write_canonical(self, state: str, concepts: int) -> None:
        about = {"content": "complete", "sensitive": self.release.case_sensitive, "meaning": "is-a", "title": self.release.title}
        row = {
            "tenant": self.tenant, "kind": "S", "id": self.cs, "url": self.release.url, "version": self.release.version, "rkey": None,
            "source": "release", "state": state, "concepts": concepts, "about": json.dumps(about), "body": None,
        }  # fmt: skip
        self.connection.execute(CANONICAL, row)

    def _checkpoints(self) -> dict[str, tuple[str, int, bool]]:
        sql = "select part, digest, position, done from fhir.terminology_load where tenant = %s and cs = %s"
        return {part: (digest, position, done) for part, digest, position, done in self.connection.execute(sql, (self.tenant, self.cs))}

    def _state(self) -> str | None:
        sql = "select state from fhir.canonical where tenant = %s and kind = 'S' and id = %s"
        row = self.connection.execute(sql, (self.tenant, self.cs)).fetchone()
        return _letter(row[0]) if row else None

    def _count(self) -> int:
        row = self.connection.execute(
            "select concepts from fhir.canonical where tenant = %s and kind = 'S' and id = %s", (self.tenant, self.cs)
        ).fetchone()
        return int(row[0]) if row else 0

    def _loaded(self, concepts: int, outcome: Literal["loaded", "resumed", "there"]) -> Loaded:
        return Loaded(self.release.title, self.release.url, self.release.version, concepts, outcome)


def _letter(value: Any) -> str:
    """PostgreSQL's one-letter type comes as text or as a byte, as the connection was opened."""
    return value.decode() if isinstance(value, bytes) else str(value)
