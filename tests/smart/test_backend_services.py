"""Programs without people: a signed statement for each token, and every forgery of one. https://hl7.org/fhir/smart-app-launch/backend-services.html"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from django.test import Client
from joserfc.jwk import ECKey, RSAKey

from openward.accounts import tokens
from openward.smart import clientkeys
from openward.smart.models import AccessToken, App
from tests.smart.conftest import FHIR, ORIGIN, Api, an_app, assertion, by_assertion

pytestmark = pytest.mark.django_db
Keys = dict[str, Any]


def ask(fields: dict[str, str], **headers: str) -> Any:
    return Client().post("/oauth/token", urlencode(fields), content_type="application/x-www-form-urlencoded", headers=headers)


def refused(fields: dict[str, str], error: str = "invalid_client", **headers: str) -> bool:
    answer = ask(fields, **headers)
    return bool(answer.status_code in (400, 401) and answer.json()["error"] == error and AccessToken.objects.count() == 0)


def encoded(part: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("alg", ["RS384", "ES384"])
def test_a_program_gets_a_token_for_its_scopes(backend: App, keys: Keys, alg: str) -> None:
    answer = ask(by_assertion(assertion(backend, keys[alg], alg=alg)))
    assert answer.status_code == 200, answer.content
    got = answer.json()
    assert (got["token_type"], got["expires_in"], got["scope"]) == ("Bearer", 300, "system/*.rs")
    assert "refresh_token" not in got
    assert len(Api(got["access_token"]).ids("Observation")) == 6
    assert Api(got["access_token"]).status("DELETE", "Observation/laboratory-a1") in (403, 404)


def test_its_token_lives_five_minutes(backend: App, keys: Keys) -> None:
    got = ask(by_assertion(assertion(backend, keys["RS384"]))).json()
    tokens.forget()
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5, seconds=1), tick=True):
        assert Api(got["access_token"]).status("GET", "Patient") == 401


@pytest.mark.parametrize(
    "scope",
    [
        "",
        "system/*.cruds",
        "system/Patient.cruds",
        "patient/*.rs",
        "user/*.rs",
        "openid",
        "system/*.rs openid",
        "system/*.rs offline_access",
        "system/Nothing.r",
    ],
)
def test_it_gets_no_other_scope(backend: App, keys: Keys, scope: str) -> None:
    assert refused(by_assertion(assertion(backend, keys["RS384"]), scope=scope), "invalid_scope")


class TestARefusedStatement:
    @pytest.mark.parametrize(
        "claims",
        [
            {"aud": f"{ORIGIN}/oauth/authorize"},
            {"aud": "https://other.example.org/oauth/token"},
            {"aud": ["https://other.example.org/oauth/token"]},
            {"aud": None},
            {"iss": "0199c1f0-0000-7000-8000-00000000ffff"},
            {"iss": "garbage"},
            {"iss": None},
            {"iss": ["x"]},
            {"sub": "someone-else"},
            {"sub": None},
            {"exp": None},
            {"exp": int(time.time()) - 60},
            {"exp": int(time.time()) + 3600},
            {"exp": "soon"},
            {"exp": True},
            {"exp": 1e300},
            {"nbf": int(time.time()) + 3600},
            {"iat": int(time.time()) + 3600},
            {"iat": "yesterday"},
            {"jti": None},
            {"jti": ""},
            {"jti": 7},
            {"jti": "x" * 600},
        ],
    )
    def test_says_something_wrong(self, backend: App, keys: Keys, claims: dict[str, Any]) -> None:
        assert refused(by_assertion(assertion(backend, keys["RS384"], **claims)))

    @pytest.mark.parametrize(
        "header", [{"kid": "unknown"}, {"kid": None}, {"kid": 7}, {"jku": "https://evil.example.org/jwks.json"}, {"typ": "at+jwt"}]
    )
    def test_names_a_wrong_key(self, backend: App, keys: Keys, header: dict[str, Any]) -> None:
        if header.get("kid") == 7:
            head, claims, signature = assertion(backend, keys["RS384"]).split(".")
            head = encoded({"alg": "RS384", "kid": 7})
            assert refused(by_assertion(f"{head}.{claims}.{signature}"))
        else:
            assert refused(by_assertion(assertion(backend, keys["RS384"], header=header)))

    def test_was_used_before(self, backend: App, keys: Keys) -> None:
        signed = assertion(backend, keys["RS384"])
        assert ask(by_assertion(signed)).status_code == 200
        assert ask(by_assertion(signed)).json()["error"] == "invalid_client"
        assert ask(by_assertion(assertion(backend, keys["ES384"], alg="ES384", jti="again"))).status_code == 200
        assert ask(by_assertion(assertion(backend, keys["RS384"], jti="again"))).json()["error"] == "invalid_client"

    def test_is_signed_by_someone_else_under_our_kid(self, backend: App) -> None:
        for alg, key in (("RS384", RSAKey.generate_key(2048)), ("ES384", ECKey.generate_key("P-384"))):
            assert refused(by_assertion(assertion(backend, key, alg=alg)))

    def test_was_changed_after_it_was_signed(self, backend: App, keys: Keys) -> None:
        head, claims, signature = assertion(backend, keys["RS384"]).split(".")
        changed = json.loads(base64.urlsafe_b64decode(claims + "=="))
        assert refused(by_assertion(f"{head}.{encoded({**changed, 'jti': 'other'})}.{signature}"))
        assert refused(by_assertion(f"{head}.{claims}.{signature[:-8]}AAAAAAAA"))

    @pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "", "HS256", "HS384", "RS256", "RS512", "PS384", "ES256", None, 1])
    def test_is_signed_by_an_algorithm_that_is_not_taken(self, backend: App, alg: Any) -> None:
        now = int(time.time())
        claims = {"iss": backend.client_id, "sub": backend.client_id, "aud": f"{ORIGIN}/oauth/token", "exp": now + 200, "jti": "n"}
        unsigned = f"{encoded({'alg': alg, 'kid': 'RS384', 'typ': 'JWT'})}.{encoded(claims)}"
        for signature in ("", "AAAA"):
            assert refused(by_assertion(f"{unsigned}.{signature}"))

    def test_takes_the_public_key_for_a_shared_secret(self, backend: App, keys: Keys) -> None:
        """The confusion of HS and RS: an HMAC made with what everyone may know."""
        now = int(time.time())
        claims = {"iss": backend.client_id, "sub": backend.client_id, "aud": f"{ORIGIN}/oauth/token", "exp": now + 200, "jti": "h"}
        for alg, secret in (("HS384", keys["RS384"].as_pem(private=False)), ("HS256", json.dumps(backend.jwks).encode())):
            unsigned = f"{encoded({'alg': alg, 'kid': 'RS384'})}.{encoded(claims)}"
            signature = hmac.new(secret, unsigned.encode(), hashlib.sha384 if alg == "HS384" else hashlib.sha256).digest()
            assert refused(by_assertion(f"{unsigned}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"))

    @pytest.mark.parametrize(("more", "is_refused"), [({}, False), ({"crit": ["purpose"], "purpose": "other"}, True), ({"crit": []}, True)])
    def test_wants_more_to_be_understood_than_is(self, backend: App, keys: Keys, more: dict[str, Any], is_refused: bool) -> None:
        """What `crit` names must be understood, or the statement is none. https://www.rfc-editor.org/rfc/rfc7515#section-4.1.11"""
        claims = {"iss": backend.client_id, "sub": backend.client_id, "aud": f"{ORIGIN}/oauth/token", "exp": int(time.time()) + 200, "jti": "c"}
        unsigned = f"{encoded({'alg': 'RS384', 'kid': 'RS384', 'typ': 'JWT', **more})}.{encoded(claims)}"
        signature = keys["RS384"].private_key.sign(unsigned.encode(), padding.PKCS1v15(), hashes.SHA384())
        assert refused(by_assertion(f"{unsigned}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}")) is is_refused

    def test_names_the_key_of_the_other_algorithm(self, backend: App, keys: Keys) -> None:
        assert refused(by_assertion(assertion(backend, keys["ES384"], alg="ES384", header={"kid": "RS384"})))

    def test_is_of_another_app(self, backend: App, keys: Keys) -> None:
        stranger = an_app("keys", "system/*.rs", redirect_uris=[], launch_url="", jwks={"keys": [_public(ECKey.generate_key("P-384"), "ES384")]})[0]
        signed = assertion(stranger, keys["RS384"])
        assert refused(by_assertion(signed))
        assert refused(by_assertion(assertion(backend, keys["RS384"]), client_id=stranger.client_id))

    @pytest.mark.parametrize("sent", ["", "garbage", "a.b", "a.b.c.d", "é.é.é", "." * 3, "x" * 10_000, "e30.e30.e30"])
    def test_is_garbage(self, backend: App, sent: str) -> None:
        assert refused(by_assertion(sent))

    def test_comes_with_a_wrong_type(self, backend: App, keys: Keys) -> None:
        assert refused(
            by_assertion(assertion(backend, keys["RS384"]), client_assertion_type="urn:ietf:params:oauth:client-assertion-type:saml2-bearer")
        )

    def test_that_is_none_is_a_wrong_request(self, backend: App, keys: Keys) -> None:
        """RFC 6749, section 5.2: 401 belongs to who tried the Authorization header. Inferno's kit asks for 400 here."""
        signed = assertion(backend, keys["RS384"])
        for sent in (
            by_assertion(signed, client_assertion_type="not_an_assertion_type"),
            by_assertion("garbage"),
            {"grant_type": "client_credentials"},
        ):
            answer = ask(sent)
            assert (answer.status_code, answer.json()["error"], "WWW-Authenticate" in answer) == (400, "invalid_client", False)

    def test_comes_with_a_second_proof(self, backend: App, keys: Keys) -> None:
        assert refused(by_assertion(assertion(backend, keys["RS384"])), authorization="Basic eDp5")

    def test_is_of_an_app_that_was_ended(self, backend: App, keys: Keys) -> None:
        App.objects.filter(id=backend.id).update(ended_at=dt.datetime.now(dt.UTC))
        assert refused(by_assertion(assertion(backend, keys["RS384"])))

    def test_tells_no_reason(self, backend: App, keys: Keys) -> None:
        one = ask(by_assertion(assertion(backend, keys["RS384"], aud="x"))).json()
        other = ask(by_assertion(assertion(backend, keys["RS384"], iss="x"))).json()
        assert one == other

    def test_leaves_its_reason_in_the_trail(self, backend: App, keys: Keys) -> None:
        from openward.audit.models import AuditEvent

        ask(by_assertion(assertion(backend, keys["RS384"], aud="x")))
        event = AuditEvent.objects.get(interaction="app-token")
        assert (event.outcome, event.detail) == (4, "client_credentials aud")


def test_a_public_client_or_one_with_a_secret_acts_for_no_one(backend: App) -> None:
    public = an_app()[0]
    assert refused({"grant_type": "client_credentials", "client_id": public.client_id, "scope": "system/*.rs"}, "unauthorized_client")
    assert refused({"grant_type": "client_credentials", "client_id": backend.client_id, "scope": "system/*.rs"})


def test_a_program_comes_back_for_no_person(backend: App, keys: Keys) -> None:
    for grant in ("authorization_code", "refresh_token"):
        fields = by_assertion(assertion(backend, keys["RS384"]), grant_type=grant, code="x", refresh_token="x", redirect_uri="x", code_verifier="x")
        assert refused(fields, "unauthorized_client")


def test_the_fhir_base_may_be_the_audience_too(backend: App, keys: Keys) -> None:
    assert ask(by_assertion(assertion(backend, keys["RS384"], aud=[FHIR]))).status_code == 200


def _public(key: Any, kid: str) -> dict[str, Any]:
    return {**key.as_dict(private=False), "kid": kid, "use": "sig"}


class Publisher:
    """A client's own server, where its keys stand."""

    def __init__(self) -> None:
        self.body: bytes = b"{}"
        self.status = 200
        self.asked = 0
        publisher = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                publisher.asked += 1
                self.send_response(publisher.status)
                self.send_header("Location", "/elsewhere")
                self.end_headers()
                self.wfile.write(publisher.body)

            def log_message(self, *args: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/jwks"

    def publishes(self, *keys: dict[str, Any]) -> None:
        self.body = json.dumps({"keys": list(keys)}).encode()


@pytest.fixture
def publisher() -> Any:
    made = Publisher()
    yield made
    made.server.shutdown()
    made.server.server_close()
    made.thread.join()


@pytest.fixture
def fetching(publisher: Publisher, keys: Keys, db: None) -> App:
    publisher.publishes(_public(keys["RS384"], "RS384"))
    return an_app("keys", "system/*.rs", redirect_uris=[], launch_url="", jwks_uri=publisher.url)[0]


class TestKeysThatTheClientPublishes:
    def test_are_fetched_and_kept(self, fetching: App, publisher: Publisher, keys: Keys, settings: Any) -> None:
        settings.OPENWARD_PRIVATE_TARGETS = ["127.0.0.1"]
        for _ in range(3):
            assert ask(by_assertion(assertion(fetching, keys["RS384"]))).status_code == 200
        assert publisher.asked == 1

    def test_on_a_private_network_are_not_fetched(self, fetching: App, publisher: Publisher, keys: Keys) -> None:
        assert refused(by_assertion(assertion(fetching, keys["RS384"])))
        assert publisher.asked == 0

    def test_are_fetched_again_for_a_new_kid_but_not_for_every_one(self, fetching: App, publisher: Publisher, keys: Keys, settings: Any) -> None:
        settings.OPENWARD_PRIVATE_TARGETS = ["127.0.0.1"]
        assert ask(by_assertion(assertion(fetching, keys["RS384"]))).status_code == 200
        for n in range(5):
            ask(by_assertion(assertion(fetching, keys["RS384"], header={"kid": f"made-up-{n}"})))
        assert publisher.asked == 1
        publisher.publishes(_public(keys["ES384"], "ES384"))
        clientkeys._fetched[publisher.url].asked_at -= 61
        assert ask(by_assertion(assertion(fetching, keys["ES384"], alg="ES384"))).status_code == 200
        assert publisher.asked == 2
        assert ask(by_assertion(assertion(fetching, keys["RS384"]))).status_code == 400, "a key that was taken away works no longer"

    @pytest.mark.parametrize(
        "body", [b"", b"no json", b"[]", b'{"keys": []}', b'{"keys": [{"kty": "oct", "k": "AAAA", "kid": "RS384"}]}', b"[" * 60_000]
    )
    def test_may_be_garbage(self, fetching: App, publisher: Publisher, keys: Keys, settings: Any, body: bytes) -> None:
        settings.OPENWARD_PRIVATE_TARGETS = ["127.0.0.1"]
        publisher.body = body
        assert refused(by_assertion(assertion(fetching, keys["RS384"])))

    @pytest.mark.parametrize("status", [301, 404, 500])
    def test_may_not_be_there(self, fetching: App, publisher: Publisher, keys: Keys, settings: Any, status: int) -> None:
        settings.OPENWARD_PRIVATE_TARGETS = ["127.0.0.1"]
        publisher.status = status
        assert refused(by_assertion(assertion(fetching, keys["RS384"])))
        assert publisher.asked == 1

    def test_may_be_more_than_is_read(self, fetching: App, publisher: Publisher, keys: Keys, settings: Any) -> None:
        settings.OPENWARD_PRIVATE_TARGETS = ["127.0.0.1"]
        publisher.body += b" " * 70_000
        assert refused(by_assertion(assertion(fetching, keys["RS384"])))
