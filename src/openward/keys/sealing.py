"""Sealing: AES-256-GCM under a data key of its purpose, bound to what it belongs to.

    sealed = seal("totp", secret, about=("user", str(user.id)))      # text, safe to store
    secret = unseal("totp", sealed, about=("user", str(user.id)))    # KeyTrouble if changed, moved or foreign

`purpose` is a short name, one data key each; `about` says whose value this is and must be the same again, so that a sealed value copied to
another row does not open. A sealed value is `version (1 byte) | key id (8) | nonce (12) | ciphertext | tag (16)`; as text it is base64url after "ow1.".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Collection, Sequence

from cryptography.exceptions import InvalidTag

from openward.keys.errors import SealBroken
from openward.keys.outer import NONCE_BYTES
from openward.keys.ring import BLIND, RING, OpenKey

PREFIX = "ow1."
VERSION = 1
HEAD = 1 + 8
LEAST = HEAD + NONCE_BYTES + 16


def seal(purpose: str, text: str, *, about: Sequence[str] = (), tenant: int = 1) -> str:
    """The text sealed, as ASCII text about 4/3 as long plus 54 characters. Raises KeyTrouble."""
    return encoded(seal_bytes(purpose, text.encode(), about=about, tenant=tenant))


def unseal(purpose: str, sealed: str, *, about: Sequence[str] = (), tenant: int = 1) -> str:
    """The text in clear. Raises SealBroken when it was changed or belongs elsewhere, KeyTrouble when its key is not here."""
    return unseal_bytes(purpose, decoded(sealed), about=about, tenant=tenant).decode()


def is_sealed(text: str) -> bool:
    """Whether this is the form `seal` makes; says nothing of whether it opens."""
    return text.startswith(PREFIX)


def seal_bytes(purpose: str, content: bytes, *, about: Sequence[str] = (), tenant: int = 1) -> bytes:
    """The content sealed, 37 bytes longer; its first byte is 1, which begins no JSON. Raises KeyTrouble."""
    key = RING.active(tenant, purpose)
    head = bytes([VERSION]) + key.id.to_bytes(8, "big")
    nonce = secrets.token_bytes(NONCE_BYTES)
    return head + nonce + key.cipher.encrypt(nonce, content, _bound(head, purpose, *about, str(tenant)))


def unseal_bytes(purpose: str, sealed: bytes, *, about: Sequence[str] = (), tenant: int = 1) -> bytes:
    """The content in clear. Raises KeyTrouble."""
    return _opened(_key_of(sealed), sealed, purpose, about, tenant)


def unseal_named(sealed: bytes, *, about: Sequence[str], purposes: Collection[str]) -> bytes:
    """The same, of the purpose and tenant its key has, which must be one of `purposes`. Raises KeyTrouble."""
    key = _key_of(sealed)
    if key.purpose not in purposes:
        raise SealBroken
    return _opened(key, sealed, key.purpose, about, key.tenant)


def key_id(sealed: str) -> int:
    """Under which data key a sealed text stands, see `prefix_of`."""
    return int.from_bytes(base64.urlsafe_b64decode(sealed[len(PREFIX) : len(PREFIX) + 12])[1:], "big")


def key_of(sealed: str) -> OpenKey:
    """The data key a sealed text stands under. Raises KeyTrouble."""
    return RING.named(key_id(sealed))


def _key_of(sealed: bytes) -> OpenKey:
    if len(sealed) < LEAST or sealed[0] != VERSION:
        raise SealBroken
    return RING.named(int.from_bytes(sealed[1:HEAD], "big"))


def _opened(key: OpenKey, sealed: bytes, purpose: str, about: Sequence[str], tenant: int) -> bytes:
    head, nonce, rest = sealed[:HEAD], sealed[HEAD : HEAD + NONCE_BYTES], sealed[HEAD + NONCE_BYTES :]
    try:
        return key.cipher.decrypt(nonce, rest, _bound(head, purpose, *about, str(tenant)))
    except InvalidTag:
        raise SealBroken from None


def encoded(sealed: bytes) -> str:
    """A sealed value as ASCII text."""
    return PREFIX + base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def prefix_of(key: int) -> str:
    """How every text sealed under this data key begins: version and key id are nine bytes, so twelve characters of base64."""
    return PREFIX + base64.urlsafe_b64encode(bytes([VERSION]) + key.to_bytes(8, "big")).decode()


def blind(purpose: str, text: str, *, tenant: int = 1) -> bytes:
    """32 bytes by which equal texts are found without being stored: HMAC-SHA-256 under the purpose's own key of this tenant."""
    return blinded(purpose, text, tenant=tenant)[0]


def blinded(purpose: str, text: str, *, tenant: int = 1) -> list[bytes]:
    """The same, and after it what the text may still be indexed under while that key is being changed. Raises KeyTrouble."""
    return [hmac.digest(key.secret, text.encode(), hashlib.sha256) for key in RING.blind(tenant, f"{purpose}{BLIND}")]


def decoded(sealed: str) -> bytes:
    """The bytes of a sealed text. Raises SealBroken."""
    if not sealed.startswith(PREFIX):
        raise SealBroken
    text = sealed[len(PREFIX) :]
    try:
        found = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise SealBroken from None
    if len(found) < LEAST:
        raise SealBroken
    return found


def _bound(head: bytes, *parts: str) -> bytes:
    """Each part with its length before it, so that no two lists of parts give the same bytes."""
    encoded = [part.encode() for part in parts]
    return b"".join([head, *(len(one).to_bytes(4, "big") + one for one in encoded)])
