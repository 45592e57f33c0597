"""The Transit engine of HashiCorp Vault or OpenBao as the outer key: the key that wraps data keys never leaves it.

    OPENWARD_KMS=openward.keys.services.vault.Transit
    OPENWARD_VAULT_ADDRESS=https://vault.example:8200
    OPENWARD_VAULT_KEY=transit/openward                 (mount, and the key in it: aes256-gcm96)
    OPENWARD_VAULT_TOKEN_FILE=/run/vault/token          (kept fresh by Vault Agent; read anew for every request)

https://developer.hashicorp.com/vault/api-docs/secret/transit https://openbao.org/api-docs/secret/transit/
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import http.client
import json
import os
import re
import ssl
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from openward.keys.errors import SealBroken
from openward.keys.services.errors import ServiceAway, ServiceRefused, ServiceUnset

SECONDS = 5.0
PAUSES = (0.2, 1.0)  # between three tries; who waits here is a person or a job
ANSWER_AT_MOST = 64 * 1024
AGAIN = frozenset({412, 429, 472, 473, 500, 502, 503, 504})
LOOPBACK = ("localhost", "127.0.0.1", "::1")
NAME = re.compile(r"[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)+")
DIGEST_BYTES = 32


class Transit:
    """`wrap` and `unwrap` are requests to the service; nothing is kept here but where it is."""

    def __init__(self) -> None:
        """From the environment. Raises ServiceUnset."""
        self._at = Place.from_environment()

    @property
    def id(self) -> str:
        """Mount and key, not the host, which may change its name."""
        name = f"vault:{self._at.mount}/{self._at.key}"
        return name if len(name) <= 64 else f"vault:{hashlib.sha256(name.encode()).hexdigest()[:32]}"

    def wrap(self, key: bytes, context: bytes) -> bytes:
        """Raises ServiceAway, ServiceRefused."""
        plain = hashlib.sha256(context).digest() + key  # a service too old to know associated data would not bind it
        data = self._at.ask("encrypt", {"plaintext": _text(plain), "associated_data": _text(context)})
        sealed = data.get("ciphertext")
        if not isinstance(sealed, str) or not sealed.startswith("vault:v") or not sealed.isascii():
            raise ServiceRefused(where=self._at.where, reason="its answer holds no ciphertext")
        return sealed.encode()

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Raises SealBroken, ServiceAway, ServiceRefused."""
        try:
            sealed = wrapped.decode("ascii")
        except UnicodeDecodeError:
            raise SealBroken from None
        data = self._at.ask("decrypt", {"ciphertext": sealed, "associated_data": _text(context)})
        try:
            plain = base64.b64decode(data["plaintext"], validate=True)
        except (KeyError, TypeError, binascii.Error, ValueError):
            raise ServiceRefused(where=self._at.where, reason="its answer holds no plaintext") from None
        if not hmac.compare_digest(plain[:DIGEST_BYTES], hashlib.sha256(context).digest()):
            raise SealBroken
        return plain[DIGEST_BYTES:]


@dataclass(frozen=True)
class Place:
    """Where the service is, and the file that lets us in."""

    address: str
    mount: str
    key: str
    token_file: Path = field(repr=False)
    ca_file: str = ""
    namespace: str = ""

    @classmethod
    def from_environment(cls) -> Place:
        """Raises ServiceUnset."""
        address, name, token = (os.environ.get(f"OPENWARD_VAULT_{one}", "") for one in ("ADDRESS", "KEY", "TOKEN_FILE"))
        name = name or "transit/openward"
        if not NAME.fullmatch(name) or ".." in name:
            raise ServiceUnset(reason="OPENWARD_VAULT_KEY is no mount and key, such as transit/openward")
        if not token:
            raise ServiceUnset(reason="OPENWARD_VAULT_TOKEN_FILE is not set")
        mount, _, key = name.rpartition("/")
        more = (os.environ.get(f"OPENWARD_VAULT_{one}", "") for one in ("CA_FILE", "NAMESPACE"))
        return cls(_checked(address), mount, key, Path(token), *more)

    @property
    def where(self) -> str:
        return self.address

    def ask(self, what: str, body: dict[str, str]) -> dict[str, Any]:
        """The `data` of the answer. Three tries within some seconds when it does not answer. Raises SealBroken, ServiceAway, ServiceRefused."""
        reason = ""
        for pause in (*PAUSES, None):
            try:
                status, said = self._post(f"/v1/{self.mount}/{what}/{self.key}", body)
            except (OSError, http.client.HTTPException) as error:
                status, said, reason = 0, {}, type(error).__name__
            if status == 200:
                data = said.get("data")
                return data if isinstance(data, dict) else {}
            if status and status not in AGAIN:
                raise self._refused(what, status, said)
            reason = f"status {status}" if status else reason
            if pause is not None:
                time.sleep(pause)
        raise ServiceAway(where=self.where, reason=reason)

    def _post(self, path: str, body: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """One request. Redirects are not followed: the token would go along."""
        connection = self._connection()
        try:
            headers = {"X-Vault-Token": self._token(), "X-Vault-Request": "true", "Content-Type": "application/json"}
            connection.request("POST", path, json.dumps(body), {**headers, **({"X-Vault-Namespace": self.namespace} if self.namespace else {})})
            response = connection.getresponse()
            answer = response.read(ANSWER_AT_MOST)
        finally:
            connection.close()
        try:
            said = json.loads(answer)
        except (ValueError, RecursionError):
            said = {}
        return response.status, said if isinstance(said, dict) else {}

    def _connection(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.address)
        if parts.scheme == "http":
            return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=SECONDS)
        try:
            context = ssl.create_default_context(cafile=self.ca_file or None)
        except OSError as error:
            raise ServiceUnset(reason=f"OPENWARD_VAULT_CA_FILE cannot be read ({type(error).__name__})") from None
        return http.client.HTTPSConnection(parts.hostname or "", parts.port, timeout=SECONDS, context=context)

    def _token(self) -> str:
        """Raises ServiceUnset, without what the file holds."""
        try:
            token = self.token_file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ServiceUnset(reason=f"the token in OPENWARD_VAULT_TOKEN_FILE cannot be read ({type(error).__name__})") from None
        if not token or not token.isprintable() or " " in token:
            raise ServiceUnset(reason="the file in OPENWARD_VAULT_TOKEN_FILE holds no token")
        return token

    def _refused(self, what: str, status: int, said: dict[str, Any]) -> SealBroken | ServiceRefused:
        """400 for a wrapped key is what it says of one that was changed or belongs elsewhere; and, in other words, of a key or a version it has no more."""
        words = str(said.get("errors", "")).lower()
        gone = "key not found" in words or "version" in words
        if what == "decrypt" and status == 400 and not gone:
            return SealBroken()
        if gone:
            return ServiceRefused(where=self.where, reason=f"it has no such key, or not in the version that wrapped this ({self.mount}/{self.key})")
        if 300 <= status < 400:
            return ServiceRefused(
                where=self.where, reason="it sends us elsewhere, which is not followed; name that address in OPENWARD_VAULT_ADDRESS"
            )
        told = {401: "the token is not valid", 403: "the token may not use this key, or has expired", 404: "there is no such mount or key"}
        return ServiceRefused(where=self.where, reason=f"{told.get(status, 'it cannot do this')} (status {status}, {self.mount}/{self.key})")


def _checked(address: str) -> str:
    """Raises ServiceUnset. Without TLS only on this machine, where an agent may listen."""
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    is_plain = parts.scheme == "http" and parts.hostname in LOOPBACK
    if not parts.hostname or not (parts.scheme == "https" or is_plain) or parts.username or parts.path.strip("/") or parts.query:
        raise ServiceUnset(reason="OPENWARD_VAULT_ADDRESS is no address such as https://vault.example:8200 (http only on this machine)")
    return f"{parts.scheme}://{parts.netloc}"


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
