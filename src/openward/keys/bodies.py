"""The keys of the record: what the engine seals in resources is sealed under data keys of this installation."""

from __future__ import annotations

import msgspec
from django.utils.translation import gettext

from openward.fhir.sealing.port import About, CannotOpen, Purpose
from openward.keys.errors import KeyTrouble, SealBroken
from openward.keys.sealing import PREFIX, blinded, key_of, seal_bytes, unseal_named

PURPOSES = frozenset({"record-attachment", "record-identifier", "record-note"})
FOUND_BY = "record-identifier"
"""Of what is sealed, what is found by the whole of it."""

# Attachments are long, and this reads and writes base64 several times as fast as Python's own.
_base64 = msgspec.json.Encoder()


class RecordKeys:
    """https://hl7.org/fhir/R4/security.html asks for encryption of what is stored, and leaves the way to the house."""

    def seal(self, purpose: Purpose, content: bytes, about: About, tenant: int) -> str:
        try:
            return _text(seal_bytes(purpose, content, about=about, tenant=tenant))
        except KeyTrouble as trouble:
            raise CannotOpen(str(trouble)) from None

    def unseal(self, sealed: str, about: About) -> bytes:
        try:
            return unseal_named(_bytes(sealed), about=about, purposes=PURPOSES)
        except KeyTrouble as trouble:
            raise CannotOpen(str(trouble)) from None

    def reseal(self, sealed: str, about: About) -> str:
        """The same value under the key that seals for its purpose and tenant now. Raises CannotOpen."""
        try:
            of = key_of(sealed)
            content = unseal_named(_bytes(sealed), about=about, purposes=PURPOSES)
            return _text(seal_bytes(of.purpose, content, about=about, tenant=of.tenant))
        except KeyTrouble as trouble:
            raise CannotOpen(str(trouble)) from None

    def absent(self) -> str:
        return gettext("cannot be opened")

    def blinded(self, text: str, tenant: int) -> tuple[str, ...]:
        try:
            return tuple(each.hex() for each in blinded(FOUND_BY, text, tenant=tenant))
        except KeyTrouble as trouble:
            raise CannotOpen(str(trouble)) from None


def _text(sealed: bytes) -> str:
    return PREFIX + _base64.encode(sealed)[1:-1].decode()


def _bytes(text: str) -> bytes:
    """Raises SealBroken."""
    if not text.startswith(PREFIX):
        raise SealBroken
    try:
        return msgspec.convert(text[len(PREFIX) :], bytes)
    except msgspec.ValidationError:
        raise SealBroken from None
