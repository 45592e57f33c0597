"""Carrying an import out: each input fetched into a file, and loaded as `openward import` loads one.

What is loaded twice adds nothing, so that a job that died begins its input again.
"""

from __future__ import annotations

import base64
import binascii
import logging
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

from psycopg import Connection

from openward.fhir.bulk import imports
from openward.fhir.bulk.house import House
from openward.fhir.bulk.imports import Import
from openward.fhir.bulk.limits import UNFINISHED
from openward.fhir.bulk.manifest import Input
from openward.fhir.bulk.running import alone
from openward.fhir.errors import BadRequest, FhirError, Issue
from openward.fhir.json import dumps
from openward.fhir.loading import Report, load
from openward.fhir.outgoing import Unreachable, fetch
from openward.fhir.reading import Refusal

log = logging.getLogger("openward.bulk")

FETCH_SECONDS = 3600.0
LARGEST = 4 * 2**30
SAY_EVERY_SECONDS = 1.0


class Cancelled(Exception):
    """The client took the import back."""


def take(connection: Connection[Any], tenant: int, id: UUID, house: House) -> None:
    """Carry out one import to its end. `connection` commits by itself. Another job at the same import: nothing happens."""
    with alone(connection, id) as mine:
        one = imports.find(connection, tenant, id) if mine else None
        if one is None or one.state not in UNFINISHED:
            return
        hours = house.limits.hours
        try:
            _all(connection, one, house)
        except Cancelled:
            shutil.rmtree(imports.folder_of(house.folder, id), ignore_errors=True)
        except (FhirError, OSError) as error:
            words = str(error) if isinstance(error, FhirError) else "The server could not write the files."
            _end(connection, one, "failed", words, hours)


def _all(connection: Connection[Any], one: Import, house: House) -> None:
    folder = imports.folder_of(house.folder, one.id)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    results = list(one.results)
    if not imports.move(connection, one, state="running"):
        raise Cancelled
    for number, wanted in enumerate(one.wanted[len(results) :], len(results) + 1):
        results.append(Taking(connection, one, house, folder, number, wanted).result())
        if not imports.move(connection, one, results=dumps(results).decode()):
            raise Cancelled
    _end(connection, one, "done", "", house.limits.hours)


def _end(connection: Connection[Any], one: Import, state: str, note: str, hours: float) -> None:
    imports.move(connection, one, state=state, note=note)
    connection.execute("update fhir.bulk_import set expires = clock_timestamp() + make_interval(secs => %s) where id = %s", (hours * 3600, one.id))


class Taking:
    """One input."""

    def __init__(self, connection: Connection[Any], one: Import, house: House, folder: Path, number: int, wanted: Input) -> None:
        self.connection, self.one, self.house, self.folder = connection, one, house, folder
        self.number, self.wanted = number, wanted
        self.said = 0.0

    def result(self) -> dict[str, Any]:
        """What became of it: counts, and the file with what was refused."""
        path = self.folder / f"{self.number}.ndjson"
        try:
            self._bring(path)
            report = load([path], lambda: self.house.open_store(self.one.actor), self._say)
        except (Unreachable, BadRequest) as error:
            report = Report(refused=[Refusal(path.name, str(error))])
        finally:
            with suppress(FileNotFoundError):
                path.unlink()
        said = [_words(refusal, path.name) for refusal in report.refused]
        _write_outcomes(self.folder / f"{self.number}.OperationOutcome.ndjson", said)
        taken = report.created + report.updated + report.unchanged + report.kept
        return {"taken": taken, "refused": len(report.refused), "url": self.wanted.url, "type": self.wanted.type}

    def _bring(self, path: Path) -> None:
        """Put the input into a file. Raises Unreachable, and BadRequest for a Binary that cannot be taken."""
        self._moved(f"fetching input {self.number} of {len(self.one.inputs)}")
        with path.open("wb") as file:
            path.chmod(0o600)
            if self.wanted.is_binary:
                file.write(self._binary())
            else:
                accept = {"Accept": "application/fhir+ndjson"}
                fetch(self.wanted.url, file, accept, seconds=FETCH_SECONDS, at_most=LARGEST, allowed=self.house.allowed)

    def _binary(self) -> bytes:
        found = self.house.open_store(self.one.actor).find("Binary", self.wanted.url.removeprefix("Binary/"))
        if found is None:
            raise BadRequest(f"{self.wanted.url} does not exist.")
        try:
            return base64.b64decode(found.data.get("data", ""), validate=False)
        except (binascii.Error, ValueError) as error:
            raise BadRequest(f"{self.wanted.url} holds no data.") from error

    def _say(self, done: int, total: int, name: str) -> None:
        if time.monotonic() - self.said >= SAY_EVERY_SECONDS:
            self.said = time.monotonic()
            self._moved(f"input {self.number} of {len(self.one.inputs)}, {100 * done // max(total, 1)} %")

    def _moved(self, note: str) -> None:
        if not imports.move(self.connection, self.one, note=note):
            raise Cancelled


def _words(refusal: Refusal, name: str) -> str:
    """`line 3: Patient.gender: …`; the manifest says of which input."""
    line = refusal.name.removeprefix(name).strip()
    return f"{line}: {refusal.reason}" if line else refusal.reason


def _write_outcomes(path: Path, refused: Sequence[str]) -> None:
    """One OperationOutcome for each refused line; the line's number is in its words."""
    with path.open("wb") as file:
        path.chmod(0o600)
        for words in refused:
            issue = Issue("processing", words)
            file.write(dumps({"resourceType": "OperationOutcome", "issue": [issue.to_fhir()]}) + b"\n")
