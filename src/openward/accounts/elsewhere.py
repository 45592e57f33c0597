"""The OpenID Connect providers of this installation, from a file its operator wrote."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

KNOWN = frozenset({"id", "name", "issuer", "client_id", "client_secret", "client_secret_file", "second_factor", "trust_email", "settings"})


@dataclass(frozen=True)
class Provider:
    """Someone else who proves who a person is. `second_factor`: they ask for one themselves. `trust_email`: a verified address of theirs is a sign-in here."""

    id: str
    name: str
    issuer: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    second_factor: bool = False
    trust_email: bool = False
    settings: dict[str, Any] = field(default_factory=dict)

    def app(self) -> dict[str, Any]:
        """In the shape of `SOCIALACCOUNT_PROVIDERS`. https://docs.allauth.org/en/latest/socialaccount/providers/openid_connect.html"""
        return {
            "provider_id": self.id,
            "name": self.name,
            "client_id": self.client_id,
            "secret": self.client_secret,
            # What the signed identity token says is enough; a second source could only contradict it.
            "settings": {"server_url": self.issuer, "fetch_userinfo": False, **self.settings},
        }


def providers(path: str) -> list[Provider]:
    """Those in the file at `path`, none without a path. Raises ImproperlyConfigured and says what is wrong with the file."""
    if not path:
        return []
    try:
        rows = json.loads(Path(path).read_text(encoding="utf-8"))
        return [_provider(row, Path(path).parent) for row in rows]
    except (OSError, ValueError, TypeError) as trouble:
        raise ImproperlyConfigured(f"OPENWARD_SIGN_IN_ELSEWHERE: {trouble}") from trouble


def _provider(row: dict[str, Any], folder: Path) -> Provider:
    if unknown := set(row) - KNOWN:
        raise ValueError(f"{', '.join(sorted(unknown))} is not a setting of a provider")
    found = {key: value for key, value in row.items() if key != "client_secret_file"}
    if "client_secret_file" in row:
        found["client_secret"] = (folder / row["client_secret_file"]).read_text(encoding="utf-8").strip()
    provider = Provider(**found)
    if not provider.issuer.startswith(("https://", "http://localhost:", "http://127.0.0.1:")):
        raise ValueError(f"the issuer of {provider.id} is not reached by https")
    return provider
