"""A passkey made of software, for tests without a browser: it answers what `navigator.credentials` would. https://www.w3.org/TR/webauthn-3/"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor
from fido2.cose import ES256

ORIGIN = "http://localhost"


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Authenticator:
    """One discoverable credential. `verifies`: whether it asks for finger, face or PIN; `counter` goes up by one with each use."""

    origin: str = ORIGIN
    verifies: bool = True
    counter: int = 1
    id: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    handle: str = ""

    def creates(self, options: dict[str, Any]) -> str:
        self.handle = options["user"]["id"]
        said = self._said(options["rp"]["id"], attested=True)
        response = {"clientDataJSON": b64(self._client("webauthn.create", options)), "attestationObject": b64(cbor.encode({"fmt": "none", "attStmt": {}, "authData": said}))}  # fmt: skip
        return self._credential(response, credProps={"rk": True})

    def answers(self, options: dict[str, Any], *, handle: str | None = None) -> str:
        self.counter += 1
        said, client = self._said(options["rpId"]), self._client("webauthn.get", options)
        signature = self.key.sign(said + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        response = {"clientDataJSON": b64(client), "authenticatorData": b64(said), "signature": b64(signature), "userHandle": handle or self.handle}
        return self._credential(response)

    def _said(self, site: str, *, attested: bool = False) -> bytes:
        flags = 0x01 | (0x04 if self.verifies else 0) | (0x40 if attested else 0)
        said = hashlib.sha256(site.encode()).digest() + bytes([flags]) + self.counter.to_bytes(4, "big")
        if attested:
            public = ES256.from_cryptography_key(self.key.public_key())
            said += bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cbor.encode(dict(public))
        return said

    def _client(self, kind: str, options: dict[str, Any]) -> bytes:
        return json.dumps({"type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": False}).encode()

    def _credential(self, response: dict[str, str], **extensions: Any) -> str:
        id = b64(self.id)
        return json.dumps(
            {
                "id": id,
                "rawId": id,
                "type": "public-key",
                "authenticatorAttachment": "platform",
                "response": response,
                "clientExtensionResults": extensions,
            }
        )
