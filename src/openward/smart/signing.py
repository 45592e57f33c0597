"""The keys that sign id_tokens: in the data folder, readable by their owner only, told apart by `kid`.

The newest of each algorithm signs; an older one stays published until nothing it signed can be valid any more.
https://www.rfc-editor.org/rfc/rfc7517
"""

from __future__ import annotations

import datetime as dt
import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from joserfc import jwt
from joserfc.jwk import ECKey, Key, RSAKey

ALGORITHMS = ("RS256", "ES384")
# Longer than an id_token lives, and than clients keep what they fetched.
PUBLISHED_FOR = dt.timedelta(days=2)


def folder() -> Path:
    return Path(settings.OPENWARD_DATA) / "smart-keys"


def rotate(algorithms: tuple[str, ...] = ALGORITHMS) -> list[str]:
    """Make new keys that sign from now on, and forget those that have long been replaced; the new `kid`s."""
    made = [_make(algorithm) for algorithm in algorithms]
    for algorithm in ALGORITHMS:
        _forget(algorithm)
    return made


def sign(claims: Mapping[str, Any], algorithm: str = "RS256") -> str:
    """A JWT of the claims, by the newest key of the algorithm."""
    key = _newest(algorithm)
    return jwt.encode({"alg": algorithm, "kid": key.kid, "typ": "JWT"}, dict(claims), key, algorithms=[algorithm])


def published() -> dict[str, Any]:
    """The JWK Set that clients check signatures by: public parts only."""
    for algorithm in ALGORITHMS:
        _newest(algorithm)
    keys = [_read(path) for algorithm in ALGORITHMS for path in _of(algorithm)]
    return {"keys": [{**key.as_dict(private=False)} for key in keys]}


def _newest(algorithm: str) -> Key:
    found = _of(algorithm)
    if not found:
        _make(algorithm, only_first=True)
        found = _of(algorithm)
    return _read(found[-1])


def _of(algorithm: str) -> list[Path]:
    """The key files of an algorithm, oldest first: their names begin with the time they were made."""
    return sorted(folder().glob(f"*-{algorithm}.json"))


def _make(algorithm: str, *, only_first: bool = False) -> str:
    """A new key. `only_first`: two processes that make the first one at once agree on it."""
    stamp = "0" * 20 if only_first else f"{time.time_ns():020d}"
    path = folder() / f"{stamp}-{algorithm}.json"
    folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    key: Key = RSAKey.generate_key(2048) if algorithm == "RS256" else ECKey.generate_key("P-384")
    stated = {**key.as_dict(private=True), "kid": key.thumbprint()[:16], "use": "sig", "alg": algorithm}
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        json.dump(stated, file)
    with suppress(FileExistsError):
        os.link(scratch, path)
    scratch.unlink()
    return _read(path).kid or ""


def _read(path: Path) -> Key:
    stated = json.loads(path.read_text(encoding="ascii"))
    return RSAKey.import_key(stated) if stated["kty"] == "RSA" else ECKey.import_key(stated)


def _forget(algorithm: str) -> None:
    """Remove what was replaced more than PUBLISHED_FOR ago: a key was replaced when the next one was made."""
    found = _of(algorithm)
    for old, following in zip(found, found[1:], strict=False):
        replaced = int(following.name[:20]) / 1e9
        if time.time() - replaced > PUBLISHED_FOR.total_seconds():
            old.unlink(missing_ok=True)
