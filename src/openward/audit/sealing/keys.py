"""The key that signs seals: Ed25519, in the data folder beside the other keys, readable by its owner only.

`seal.key` signs; `seal-keys/<id>.pub` of every key that ever signed here verify. Move `seal.key` away and a new one is made for the next seal.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from openward.keys.outer import write_once

_making = threading.Lock()  # a file is made whole by one thread of a process at a time


class SealKeyUnusable(Exception):
    """The key that signs seals, {path}, cannot be used: {reason}."""

    def __init__(self, path: Path, reason: object) -> None:
        super().__init__((type(self).__doc__ or "").format(path=path, reason=reason))


@dataclass(frozen=True)
class Signer:
    id: str
    key: Ed25519PrivateKey

    def sign(self, content: bytes) -> bytes:
        return self.key.sign(content)


@dataclass(frozen=True)
class Trusted:
    """The public keys of this installation by their ids."""

    keys: Mapping[str, Ed25519PublicKey]

    def knows(self, id: str) -> bool:
        return id in self.keys

    def signed(self, id: str, signature: bytes, content: bytes) -> bool:
        try:
            self.keys[id].verify(signature, content)
        except (KeyError, InvalidSignature):
            return False
        return True


def signer(data: Path) -> Signer:
    """The key of this data folder, made the first time; two processes that make it at once agree on one. Raises SealKeyUnusable."""
    path = data / "seal.key"
    with _making:
        return _signer(data, path)


def _signer(data: Path, path: Path) -> Signer:
    try:
        if not path.exists():
            write_once(path, Ed25519PrivateKey.generate().private_bytes_raw().hex())
        key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text(encoding="ascii")))
        made = Signer(key_id(key.public_key()), key)
        public = data / "seal-keys" / f"{made.id}.pub"
        if not public.exists():
            write_once(public, key.public_key().public_bytes_raw().hex())
    except OSError as error:
        raise SealKeyUnusable(path, error.strerror or error) from None
    except ValueError:
        raise SealKeyUnusable(path, "it does not hold 64 hexadecimal digits") from None
    return made


def trusted(data: Path) -> Trusted:
    """Raises SealKeyUnusable for a file that holds no key, or another key than its name says."""
    found: dict[str, Ed25519PublicKey] = {}
    for path in sorted((data / "seal-keys").glob("*.pub")):
        try:
            key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(path.read_text(encoding="ascii")))
        except (OSError, ValueError):
            raise SealKeyUnusable(path, "it does not hold 64 hexadecimal digits") from None
        if key_id(key) != path.stem:
            raise SealKeyUnusable(path, "it holds another key than its name says")
        found[path.stem] = key
    return Trusted(found)


def key_id(key: Ed25519PublicKey) -> str:
    return hashlib.sha256(b"openward seal key\0" + key.public_bytes_raw()).hexdigest()[:16]
