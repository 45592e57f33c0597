"""A version of a resource as it is stored, and what became of a write."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Any, Literal
from uuid import UUID

import msgspec

from openward.fhir.errors import FhirError

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
# What is stored was checked on the way in, so it is read without the checks of openward.fhir.json.
_decoder = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


@dataclass(unsafe_hash=True)
class Version:
    """One version. `text` is exactly what is sent; None when the version is a deletion. `at` is UTC.

    Nobody changes one; that nothing keeps them from it makes one several times as quick to make.
    """

    type: str
    id: str
    key: UUID
    number: int
    at: dt.datetime
    op: str
    patient: UUID | None
    text: str | None
    locked: FhirError | None = None
    """Why something of it does not open; `text` then says so in the place of what does not."""

    @cached_property
    def content(self) -> dict[str, Any]:
        """The parsed resource. Callers that change it copy it first."""
        if self.text is None:
            raise LookupError(f"version {self.number} of {self.type}/{self.id} is a deletion")
        return _decoder.decode(self.text)

    @property
    def whole(self) -> Version:
        """Itself. Raises Locked where something of it does not open."""
        if self.locked is not None:
            raise self.locked
        return self

    @property
    def deleted(self) -> bool:
        return self.op == "D"

    @property
    def etag(self) -> str:
        return f'W/"{self.number}"'

    @property
    def reference(self) -> str:
        return f"{self.type}/{self.id}"

    @property
    def location(self) -> str:
        return f"{self.type}/{self.id}/_history/{self.number}"


@dataclass(frozen=True, slots=True)
class Written:
    """The version a write left behind. `existing` and `unchanged` wrote nothing new."""

    version: Version
    outcome: Literal["created", "updated", "unchanged", "existing", "deleted"]

    @property
    def status(self) -> int:
        return {"created": 201, "deleted": 204}.get(self.outcome, 200)


def parsed(text: str | bytes) -> dict[str, Any]:
    """What this server wrote, decimals as Decimal: without the checks of what comes from outside."""
    return _decoder.decode(text)


@lru_cache(maxsize=64)
def instant(at: dt.datetime) -> str:
    """A FHIR instant in UTC to the millisecond, the resolution the record keeps. https://hl7.org/fhir/R4/datatypes.html#instant"""
    return at.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def now() -> dt.datetime:
    """To the millisecond, in which a bundle writes several resources."""
    return _after_epoch(time.time_ns() // 1_000_000)


@lru_cache(maxsize=8)
def _after_epoch(milliseconds: int) -> dt.datetime:
    return EPOCH + dt.timedelta(milliseconds=milliseconds)
