"""The house's keys, as the engine asks for them. Without a house nothing is sealed."""

from __future__ import annotations

from typing import Literal, Protocol

from openward.fhir.errors import FhirError

Purpose = Literal["record-attachment", "record-identifier", "record-note"]
About = tuple[str, str]
"""Type and id of the resource a sealed value belongs to: in another one it does not open."""


UNOPENED = "could not be opened"
"""What the trail says of it."""


class Locked(FhirError):
    """{type}/{id} holds sealed values that cannot be opened: their key is missing, or they were changed. Nothing else is affected."""

    status = 500
    code = "exception"


class NoBlindKey(FhirError):
    """Social security numbers can be neither indexed nor found: the key they are found by is missing."""

    status = 500
    code = "exception"


class CannotOpen(Exception):
    """A sealed value does not open; the message says why, without what it holds."""


class Keys(Protocol):
    """Seals and opens under keys that are in no table in clear."""

    def seal(self, purpose: Purpose, content: bytes, about: About, tenant: int) -> str:
        """ASCII text without quotes and backslashes. Raises CannotOpen when there is no key to seal with."""

    def unseal(self, sealed: str, about: About) -> bytes:
        """What was sealed. Raises CannotOpen."""

    def absent(self) -> str:
        """What people read where a value does not open."""

    def blinded(self, text: str, tenant: int) -> tuple[str, ...]:
        """The same texts for the same text, which say nothing of it to who has not the key; other ones for another tenant.

        The first is what it is indexed under from now on; while the key is being changed, others are what it may still be indexed under. Raises
        CannotOpen.
        """


_held: list[Keys] = []


def install(keys: Keys) -> None:
    """Use these from now on."""
    _held[:] = [keys]


def held() -> Keys | None:
    return _held[0] if _held else None
