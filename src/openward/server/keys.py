"""The key that signs sessions and links: made once, kept in the data folder, readable by its owner only."""

from __future__ import annotations

import secrets
from pathlib import Path

from openward.keys.outer import write_once


def secret_key(data: Path) -> str:
    """The key of this data folder. Two processes that make it at once agree on one; a folder that cannot be written gives a key for this process only."""
    path = data / "secret.key"
    try:
        if not path.exists():
            write_once(path, secrets.token_urlsafe(48))
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return secrets.token_urlsafe(48)
