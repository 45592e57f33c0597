"""The Transit engine of Vault and OpenBao as the outer key, against a server that answers as its documentation says."""

from __future__ import annotations

import base64
import json
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import LazySettings

from openward.keys import outer
from openward.keys.errors import KeyTrouble, SealBroken
from openward.keys.models import DataKey
from openward.keys.outer import outer_keys, read_key_file
from openward.keys.ring import RING
from openward.keys.sealing import seal, unseal
from openward.keys.services import vault
from openward.keys.services.errors import ServiceAway, ServiceRefused, ServiceUnset
from openward.keys.services.vault import Transit
from openward.server import keykeeping
from openward.server.readiness import keys as unsafe_keys

SERVICE = "openward.keys.services.vault.Transit"
TOKEN = "hvs.a-token-that-is-secret"
CONTEXT = b"openward data key\x001\x001\x00totp"


@dataclass
class Vault:
    """Mount `transit` with the key `openward`. `answers` are statuses to give before it works."""

    port: int = 0
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    token: str = TOKEN
    knows_associated_data: bool = True
    answers: list[int] = field(default_factory=list)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    body: bytes | None = None

    def answer(self, path: str, headers: dict[str, str], sent: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.asked.append((path, headers))
        if self.answers:
            return self.answers.pop(0), {"errors": ["Vault is sealed"]}
        if headers.get("x-vault-token") != self.token:
            return 403, {"errors": ["permission denied"]}
        what = path.removeprefix("/v1/transit/").removesuffix("/openward")
        if what not in ("encrypt", "decrypt"):
            return 404, {"errors": ["no handler for route"]}
        bound = base64.b64decode(sent.get("associated_data", "")) if self.knows_associated_data else b""
        return self._encrypt(sent, bound) if what == "encrypt" else self._decrypt(sent, bound)

    def _encrypt(self, sent: dict[str, Any], bound: bytes) -> tuple[int, dict[str, Any]]:
        nonce = secrets.token_bytes(12)
        sealed = nonce + AESGCM(self.key).encrypt(nonce, base64.b64decode(sent["plaintext"]), bound)
        return 200, {"data": {"ciphertext": f"vault:v1:{base64.b64encode(sealed).decode()}", "key_version": 1}}

    def _decrypt(self, sent: dict[str, Any], bound: bytes) -> tuple[int, dict[str, Any]]:
        try:
            sealed = base64.b64decode(sent["ciphertext"].removeprefix("vault:v1:"), validate=True)
            plain = AESGCM(self.key).decrypt(sealed[:12], sealed[12:], bound)
        except (InvalidTag, ValueError):
            return 400, {"errors": ["cipher: message authentication failed"]}
        return 200, {"data": {"plaintext": base64.b64encode(plain).decode()}}


class Quick(ThreadingHTTPServer):
    daemon_threads = True


@pytest.fixture
def service() -> Iterator[Vault]:
    """A server on this machine; ended it answers nobody."""
    known = Vault()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, said = known.answer(self.path, {name.lower(): value for name, value in self.headers.items()}, sent)
            body = known.body if known.body is not None else json.dumps(said).encode()
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", f"http://127.0.0.1:{known.port}/v1/elsewhere")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = Quick(("127.0.0.1", 0), Handler)
    known.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield known
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(TOKEN + "\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def transit(service: Vault, token_file: Path, monkeypatch: pytest.MonkeyPatch) -> Transit:
    monkeypatch.setattr(vault, "PAUSES", (0.0, 0.0))
    monkeypatch.setenv("OPENWARD_VAULT_ADDRESS", f"http://127.0.0.1:{service.port}")
    monkeypatch.setenv("OPENWARD_VAULT_KEY", "transit/openward")
    monkeypatch.setenv("OPENWARD_VAULT_TOKEN_FILE", str(token_file))
    return Transit()


class TestAKey:
    def test_comes_back_as_it_went(self, transit: Transit) -> None:
        wrapped = transit.wrap(b"k" * 32, CONTEXT)
        assert wrapped.startswith(b"vault:v1:")
        assert transit.unwrap(wrapped, CONTEXT) == b"k" * 32

    def test_is_named_by_mount_and_key(self, transit: Transit) -> None:
        assert transit.id == "vault:transit/openward"

    def test_of_a_long_name_is_named_within_what_is_kept(self, transit: Transit, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OPENWARD_VAULT_KEY", "transit/" + "x" * 100)
        assert len(Transit().id) <= 64

    @pytest.mark.parametrize("knows", [True, False], ids=["associated data", "a service too old for it"])
    def test_does_not_open_elsewhere(self, transit: Transit, service: Vault, knows: bool) -> None:
        service.knows_associated_data = knows
        with pytest.raises(SealBroken):
            transit.unwrap(transit.wrap(b"k" * 32, CONTEXT), CONTEXT + b"x")

    @pytest.mark.parametrize("changed", [b"", b"vault:v1:AAAA", b"\xff\xfe", b"vault:v1:" + b"A" * 3000])
    def test_that_was_changed_does_not_open(self, transit: Transit, changed: bytes) -> None:
        with pytest.raises(SealBroken):
            transit.unwrap(changed, CONTEXT)

    def test_is_asked_for_with_the_token_as_the_file_holds_it_now(self, transit: Transit, service: Vault, token_file: Path) -> None:
        transit.wrap(b"k" * 32, CONTEXT)
        service.token = "hvs.another"
        token_file.write_text("hvs.another")
        transit.wrap(b"k" * 32, CONTEXT)
        assert [headers["x-vault-token"] for _, headers in service.asked] == [TOKEN, "hvs.another"]

    def test_is_asked_for_in_its_namespace(self, transit: Transit, service: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OPENWARD_VAULT_NAMESPACE", "clinics")
        Transit().wrap(b"k" * 32, CONTEXT)
        assert service.asked[0][1]["x-vault-namespace"] == "clinics"


class TestAServiceInTrouble:
    @pytest.mark.parametrize("status", [429, 500, 503, 472])
    def test_is_asked_three_times(self, transit: Transit, service: Vault, status: int) -> None:
        service.answers = [status, status]
        assert transit.wrap(b"k" * 32, CONTEXT)
        service.answers, service.asked = [status] * 9, []
        with pytest.raises(ServiceAway, match=f"status {status}"):
            transit.wrap(b"k" * 32, CONTEXT)
        assert len(service.asked) == 3

    @pytest.mark.parametrize(
        ("status", "words"), [(403, "may not use this key"), (404, "no such mount"), (400, "cannot do this"), (307, "not followed")]
    )
    def test_that_refuses_is_asked_once(self, transit: Transit, service: Vault, status: int, words: str) -> None:
        service.answers = [status] * 3
        with pytest.raises(ServiceRefused, match=words):
            transit.wrap(b"k" * 32, CONTEXT)
        assert [path for path, _ in service.asked] == ["/v1/transit/encrypt/openward"]  # a token sent elsewhere is given away

    @pytest.mark.parametrize(
        "body", [b"", b"not json", b"[]", b"null", b'{"data": null}', b'{"data": {"ciphertext": 1}}', b'{"data": {"ciphertext": "x"}}', b"[" * 60_000]
    )
    def test_that_answers_nonsense_is_told(self, transit: Transit, service: Vault, body: bytes) -> None:
        wrapped = transit.wrap(b"k" * 32, CONTEXT)
        service.body = body
        with pytest.raises(ServiceRefused, match="no ciphertext"):
            transit.wrap(b"k" * 32, CONTEXT)
        with pytest.raises(ServiceRefused, match="no plaintext"):
            transit.unwrap(wrapped, CONTEXT)

    @pytest.mark.parametrize("words", ["encryption key not found", "ciphertext or signature version is disallowed by policy (too old)"])
    def test_that_has_the_key_no_more_is_not_taken_for_a_changed_value(self, transit: Transit, service: Vault, words: str) -> None:
        wrapped = transit.wrap(b"k" * 32, CONTEXT)
        service.answers, service.body = [400], json.dumps({"errors": [words]}).encode()
        with pytest.raises(ServiceRefused, match="no such key"):
            transit.unwrap(wrapped, CONTEXT)

    def test_that_is_not_there_is_told(self, transit: Transit, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OPENWARD_VAULT_ADDRESS", "http://127.0.0.1:1")
        with pytest.raises(ServiceAway, match="ConnectionRefusedError"):
            Transit().wrap(b"k" * 32, CONTEXT)

    def test_never_shows_a_token_or_a_key(self, transit: Transit, service: Vault) -> None:
        service.answers = [403]
        with pytest.raises(KeyTrouble) as refused:
            transit.wrap(b"k" * 32, CONTEXT)
        assert TOKEN not in f"{refused.value!r} {transit!r} {transit._at!r}"


class TestWhatIsNotSetRightly:
    @pytest.mark.parametrize(
        "address",
        [
            "",
            "vault",
            "http://vault.example:8200",
            "https://user:secret@vault.example",
            "https://vault.example/v1",
            "ftp://vault.example",
            "https://vault.example:port",
            "https:///x",
        ],
    )
    def test_an_address_that_is_none_or_is_in_clear(self, transit: Transit, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
        monkeypatch.setenv("OPENWARD_VAULT_ADDRESS", address)
        with pytest.raises(ServiceUnset, match="OPENWARD_VAULT_ADDRESS"):
            Transit()

    @pytest.mark.parametrize("key", ["openward", "transit/", "/openward", "a/../b", "transit/open ward", "transit/a?b=c", "transit/a%2fb"])
    def test_a_key_that_leads_elsewhere(self, transit: Transit, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
        monkeypatch.setenv("OPENWARD_VAULT_KEY", key)
        with pytest.raises(ServiceUnset, match="OPENWARD_VAULT_KEY"):
            Transit()

    @pytest.mark.parametrize("held", [None, "", "two words", "line\nbreak", "ÿ"])
    def test_a_token_that_is_none(self, transit: Transit, token_file: Path, service: Vault, held: str | None) -> None:
        token_file.unlink() if held is None else token_file.write_text(held, encoding="latin-1")
        with pytest.raises(ServiceUnset, match="OPENWARD_VAULT_TOKEN_FILE"):
            transit.wrap(b"k" * 32, CONTEXT)
        assert service.asked == []

    @pytest.mark.parametrize("dotted", ["nothing", "openward.keys.services.vault.Nothing", "openward.nothing.Transit"])
    def test_an_adapter_that_is_not_there(self, tmp_path: Path, dotted: str) -> None:
        with pytest.raises(ServiceUnset, match=f"there is no {dotted}"):
            outer_keys([tmp_path / "outer.key"], dotted)


@pytest.mark.django_db
class TestAnInstallationOfIt:
    @pytest.fixture(autouse=True)
    def ring(self, transit: Transit, settings: LazySettings, tmp_path: Path) -> Iterator[None]:
        settings.OPENWARD_KMS, settings.OPENWARD_KEK_FILES = SERVICE, [tmp_path / "outer.key"]
        RING.forget()
        yield
        RING.forget()

    def test_seals_under_it_and_keeps_no_key_file(self, tmp_path: Path) -> None:
        assert unseal("totp", seal("totp", "a secret")) == "a secret"
        assert DataKey.objects.get(purpose="totp").outer == "vault:transit/openward"
        assert not (tmp_path / "outer.key").exists()

    def test_goes_on_with_what_it_has_unwrapped_while_the_service_is_away(self, service: Vault) -> None:
        sealed = seal("totp", "a secret")
        service.answers = [503] * 100
        assert unseal("totp", sealed) == "a secret"
        assert unseal("totp", seal("totp", "another")) == "another"
        with pytest.raises(ServiceAway, match="goes on being sealed and read"):
            seal("webhook", "of a purpose that has no key yet")

    def test_reads_again_when_it_is_back(self, service: Vault) -> None:
        sealed = seal("totp", "a secret")
        RING.forget()
        service.answers = [503] * 3
        with pytest.raises(ServiceAway):
            unseal("totp", sealed)
        assert unseal("totp", sealed) == "a secret"

    def test_is_moved_to_from_a_file_by_rotating(self, settings: LazySettings, tmp_path: Path) -> None:
        settings.OPENWARD_KMS = ""
        RING.forget()
        sealed = seal("totp", "a secret")
        file = read_key_file(tmp_path / "outer.key")
        assert DataKey.objects.get().outer == file.id
        settings.OPENWARD_KMS = SERVICE
        RING.forget()
        keykeeping.run("rotate")
        assert set(DataKey.objects.values_list("outer", flat=True)) == {"vault:transit/openward"}
        (tmp_path / "outer.key").unlink()
        RING.forget()
        assert unseal("totp", sealed) == "a secret"

    def test_is_listed(self) -> None:
        seal("totp", "x")
        lines = keykeeping.run("list")
        assert lines[0] == "outer key vault:transit/openward  wraps what is new"
        assert lines[1].endswith("under vault:transit/openward")

    def test_is_looked_at_before_deployment(self, service: Vault, token_file: Path) -> None:
        assert list(unsafe_keys()) == []
        service.answers = [403]
        assert ["may not use this key" in one for one in unsafe_keys()] == [True]

    def test_a_token_that_others_can_read_is_said(self, token_file: Path) -> None:
        token_file.chmod(0o644)
        assert list(unsafe_keys()) == [f"Other users of this machine can read {token_file}: chmod 600 {token_file}"]


def test_what_is_wrapped_fits_where_it_is_kept(transit: Transit) -> None:
    assert len(transit.wrap(b"k" * outer.KEY_BYTES, CONTEXT)) <= DataKey._meta.get_field("wrapped").max_length
