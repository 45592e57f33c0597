"""What bulk data asks of the installation around the engine: a folder for files, a queue for jobs, and how an actor is made again in a job."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from openward.fhir.errors import FhirError
from openward.fhir.outgoing import Network
from openward.fhir.protocols import Auditor, Policy
from openward.fhir.store import Store


@dataclass(frozen=True, slots=True)
class Limits:
    """`running`: unfinished exports a client may have. `hours`: how long finished files stay. `poll_seconds`: how often a client may ask.

    `dawdle_seconds`: how long a writer may take between looking at the clock and beginning to store what it stamped.
    """

    running: int = 3
    hours: float = 24.0
    poll_seconds: float = 1.0
    dawdle_seconds: float = 1.0
    chunk_bytes: int = 8 * 2**20
    file_bytes: int = 512 * 2**20


class House(Protocol):
    """The installation, as bulk data needs it."""

    @property
    def folder(self) -> Path:
        """Where files lie; only the server's own user may read it."""

    @property
    def limits(self) -> Limits: ...
    def may_import(self, actor: Any) -> bool:
        """Whether it is a program that was given leave to bring files in. What of them it may write the policy says, line by line."""

    @property
    def import_hosts(self) -> Sequence[str]:
        """Hosts files may be fetched from."""

    @property
    def allowed(self) -> Sequence[Network]:
        """Private networks that may be called all the same."""

    @property
    def policy(self) -> Policy: ...
    @property
    def auditor(self) -> Auditor: ...

    def remember(self, actor: Any) -> dict[str, Any]:
        """The actor as plain JSON."""

    def actor(self, remembered: dict[str, Any]) -> Any:
        """The actor again. Raises Forbidden when their credentials have been withdrawn meanwhile."""

    def is_withdrawn(self, remembered: dict[str, Any], since: dt.datetime) -> bool:
        """Whether the actor's authorisation was withdrawn at any time after `since`: what they had made is then nobody's."""

    def covers(self, actor: Any, remembered: dict[str, Any], types: Sequence[str]) -> bool:
        """Whether the actor, as they come now, may still search all of these types that the remembered one could."""

    def open_store(self, remembered: dict[str, Any]) -> Store:
        """A store that writes as the actor. Raises Forbidden as `actor` does."""

    def start_export(self, store: Store, id: UUID) -> None:
        """Queue the job in the store's transaction."""

    def start_import(self, store: Store, id: UUID) -> None:
        """Queue the job in the store's transaction."""


class NoHouse(FhirError):
    """This server has no queue for jobs: bulk data is not offered."""

    status = 501
    code = "not-supported"


_installed: list[House] = []


def install(house: House) -> None:
    """Say which installation this process is. The last one said holds."""
    _installed[:] = [house]


def house() -> House:
    """Raises NoHouse."""
    if not _installed:
        raise NoHouse
    return _installed[0]
