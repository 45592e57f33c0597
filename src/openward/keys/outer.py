"""The outer key (KEK): wraps data keys, never seals data itself. A file of 32 random bytes in hexadecimal, or a key service behind an adapter.

Knows no Django and no database, so that a restore on an empty machine can use it.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from openward.keys.errors import KeyFileMissing, KeyFileUnusable, OuterKeyMissing, SealBroken
from openward.keys.services.errors import ServiceUnset

KEY_BYTES = 32
NONCE_BYTES = 12


class OuterKey(Protocol):
    """What wraps data keys. `OPENWARD_KMS` names a class of this shape, made without arguments, whose service does the work."""

    @property
    def id(self) -> str:
        """Which key this is, at most 64 characters; stands beside everything it wrapped."""

    def wrap(self, key: bytes, context: bytes) -> bytes:
        """`context` is bound to the result and must be given again to unwrap it."""

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Raises SealBroken."""


@dataclass(frozen=True)
class KeyFile:
    """A KEK read from a file. AES-256-GCM with a random nonce of 96 bits, NIST SP 800-38D."""

    path: Path
    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:
        return hashlib.sha256(b"openward outer key\0" + self.secret).hexdigest()[:16]

    def wrap(self, key: bytes, context: bytes) -> bytes:
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + AESGCM(self.secret).encrypt(nonce, key, context)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        try:
            return AESGCM(self.secret).decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], context)
        except (InvalidTag, ValueError):
            raise SealBroken from None


def read_key_file(path: Path) -> KeyFile:
    """Raises KeyFileUnusable."""
    try:
        secret = bytes.fromhex(path.read_text(encoding="ascii"))
    except OSError as error:
        raise KeyFileUnusable(path=path, reason=error.strerror or error) from None
    except ValueError:
        secret = b""
    if len(secret) != KEY_BYTES:
        raise KeyFileUnusable(path=path, reason="it does not hold 64 hexadecimal digits")
    return KeyFile(path, secret)


def make_key_file(path: Path) -> KeyFile:
    """A new outer key. Raises KeyFileUnusable when something is there already, or nothing can be made there."""
    if path.exists():
        raise KeyFileUnusable(path=path, reason="a file is there already, and an outer key is never overwritten")
    try:
        write_once(path, secrets.token_bytes(KEY_BYTES).hex() + "\n")
    except OSError as error:
        raise KeyFileUnusable(path=path, reason=error.strerror or error) from None
    return read_key_file(path)


def write_once(path: Path, text: str) -> None:
    """Make a file that only its owner reads, whole or not at all, on disk when this returns; one that is there already stays as it is."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):
        os.link(scratch, path)
    scratch.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@dataclass(frozen=True)
class OuterKeys:
    """Those of this installation: the first wraps what is new, all of them unwrap."""

    keys: tuple[OuterKey, ...]

    @property
    def first(self) -> OuterKey:
        return self.keys[0]

    def named(self, id: str) -> OuterKey:
        """Raises OuterKeyMissing."""
        for key in self.keys:
            if key.id == id:
                return key
        raise OuterKeyMissing(id=id)


def outer_keys(files: Sequence[Path], service: str = "", *, make: bool = True) -> OuterKeys:
    """A key service comes first where there is one. The first file is made when nothing is there yet, if `make`. Raises KeyFileMissing, KeyFileUnusable,
    ServiceUnset."""
    if make and not service and not files[0].exists():
        try:
            write_once(files[0], secrets.token_bytes(KEY_BYTES).hex() + "\n")  # another process may be making it this moment: both read what is there
        except OSError as error:
            raise KeyFileUnusable(path=files[0], reason=error.strerror or error) from None
    if not service and not files[0].exists():
        raise KeyFileMissing(path=files[0])
    found: list[OuterKey] = [_adapter(service)] if service else []
    return OuterKeys((*found, *(read_key_file(path) for path in files if path.exists() or not service)))


def _adapter(dotted: str) -> OuterKey:
    """Raises ServiceUnset."""
    module, _, name = dotted.rpartition(".")
    try:
        adapter = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError):
        raise ServiceUnset(reason=f"there is no {dotted}") from None
    made: OuterKey = adapter()
    return made
