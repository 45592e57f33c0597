"""Holding the files of a base backup to the manifest PostgreSQL wrote with it. https://www.postgresql.org/docs/18/backup-manifest-format.html

PostgreSQL's own pg_verifybackup does the same; the one the embedded server comes with crashes.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from openward.backup.errors import PieceBroken, PieceMissing

MANIFEST = "backup_manifest"


def hold_to_manifest(folder: Path) -> int:
    """Every file the manifest names is there, as long as it says and with its SHA-256; how many. Raises PieceMissing, PieceBroken."""
    path = folder / MANIFEST
    try:
        facts: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise PieceMissing(name=MANIFEST) from None
    except ValueError:
        raise PieceBroken(name=MANIFEST) from None
    for one in facts["Files"]:
        _hold(folder, one)
    return len(facts["Files"])


def _hold(folder: Path, one: dict[str, Any]) -> None:
    name = one.get("Path") or bytes.fromhex(one["Encoded-Path"]).decode(errors="surrogateescape")
    try:
        with (folder / name).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
    except FileNotFoundError:
        raise PieceMissing(name=name) from None
    if size != one["Size"] or digest != one.get("Checksum"):
        raise PieceBroken(name=name)
