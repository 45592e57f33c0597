"""Signing in by an OpenID Connect provider: a small one of our own on loopback, which says what each test has it say."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount
from django.conf import LazySettings
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from joserfc import jwt
from joserfc.jwk import RSAKey

from openward.accounts.actions import make_user
from openward.accounts.elsewhere import Provider, providers
from openward.accounts.models import User
from tests.entrance.conftest import PASSWORD, events, grows_stale, is_inside, signs_in

pytestmark = pytest.mark.django_db
KEY = RSAKey.generate_key(2048, {"kid": "one"})


class House(HTTPServer):
    """The provider. `claims` is what the next identity token says; `asked` what the last token request said."""

    claims: dict[str, Any]
    asked: dict[str, list[str]]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Desk(BaseHTTPRequestHandler):
    server: House

    def do_GET(self) -> None:
        url = self.server.url
        self.says({"issuer": url, "authorization_endpoint": f"{url}/authorize", "token_endpoint": f"{url}/token", "jwks_uri": f"{url}/keys"})

    def do_POST(self) -> None:
        self.server.asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        now = int(time.time())
        claims = {"iss": self.server.url, "aud": "openward", "sub": "abc", "iat": now, "exp": now + 300, **self.server.claims}
        self.says({"access_token": "t", "token_type": "Bearer", "id_token": jwt.encode({"alg": "RS256", "kid": "one"}, claims, KEY)})

    def says(self, body: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def house() -> Iterator[House]:
    server = House(("127.0.0.1", 0), Desk)
    server.claims, server.asked = {}, {}
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def named(house: House, settings: LazySettings) -> Any:
    ours = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]

    def named(**more: Any) -> None:
        one = Provider(id="hospital", name="Hospital", issuer=house.url, client_id="openward", client_secret="s", **more)
        settings.OPENWARD_SIGN_IN_ELSEWHERE = [one]
        settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {**ours, "APPS": [one.app()]}}

    named()
    return named


def goes_there(client: Client, path: str = "/account/elsewhere/hospital", next: str = "") -> dict[str, str]:
    """What the browser is sent to the provider with."""
    page = client.post(path, {"next": next} if next else {}).content.decode()
    there = page.split('content="0;url=')[1].split('"')[0].replace("&amp;", "&")
    return {name: values[0] for name, values in parse_qs(urlsplit(there).query).items()}


def comes_back(client: Client, sent: dict[str, str], **changed: str) -> Any:
    return client.get("/account/elsewhere/hospital/back", {"code": "c", "state": sent["state"], **changed})


def connects(client: Client, nurse: User) -> None:
    signs_in(client, nurse)
    comes_back(client, goes_there(client, "/account/elsewhere/hospital/connect"))
    client.post("/account/sign-out")


class TestWhoConnectedTheirs:
    def test_signs_in_with_it(self, client: Client, nurse: User, named: Any) -> None:
        connects(client, nurse)
        assert comes_back(client, goes_there(client, next="/desk/mine"))["Location"] == "/desk/mine"
        assert is_inside(client)
        assert events("sign-in", detail="Hospital") == 1

    def test_goes_with_state_and_a_code_challenge(self, client: Client, house: House, nurse: User, named: Any) -> None:
        sent = goes_there(client)
        assert (sent["code_challenge_method"], len(sent["state"]) >= 16) == ("S256", True)
        comes_back(client, sent)
        assert house.asked["code_verifier"]

    def test_still_does_the_second_step(self, client: Client, nurse: User, named: Any, settings: LazySettings) -> None:
        connects(client, nurse)
        settings.OPENWARD_MFA_ROLES = frozenset({"staff"})
        assert comes_back(client, goes_there(client))["Location"] == "/account/set-up"
        assert not is_inside(client)

    def test_does_it_there_when_the_operator_says_so(self, client: Client, nurse: User, named: Any, settings: LazySettings) -> None:
        connects(client, nurse)
        named(second_factor=True)
        settings.OPENWARD_MFA_ROLES = frozenset({"staff"})
        comes_back(client, goes_there(client))
        assert is_inside(client)

    def test_is_led_to_no_other_site(self, client: Client, nurse: User, named: Any) -> None:
        connects(client, nurse)
        assert comes_back(client, goes_there(client, next="https://evil.example/"))["Location"] == "/"

    def test_leaves_no_claims_in_the_database(self, client: Client, house: House, nurse: User, named: Any) -> None:
        house.claims = {"email": "nell@hospital.example"}
        connects(client, nurse)
        comes_back(client, goes_there(client))
        assert SocialAccount.objects.get().extra_data == {}

    def test_disconnects_it(self, client: Client, nurse: User, named: Any) -> None:
        connects(client, nurse)
        signs_in(client, nurse)
        client.post("/account/elsewhere/hospital/disconnect")
        client.post("/account/sign-out")
        comes_back(client, goes_there(client))
        assert not is_inside(client)

    def test_who_was_ended_stays_out(self, client: Client, nurse: User, named: Any) -> None:
        connects(client, nurse)
        User.objects.filter(pk=nurse.pk).update(is_active=False)
        comes_back(client, goes_there(client))
        assert not is_inside(client)


class TestWhoDidNot:
    def test_is_nobody_here_and_no_sign_in_is_made(self, client: Client, nurse: User, named: Any) -> None:
        assert comes_back(client, goes_there(client))["Location"] == "/account/sign-in"
        assert (is_inside(client), User.objects.count()) == (False, 1)

    def test_with_the_address_of_someone_here_is_still_nobody(self, client: Client, house: House, nurse: User, named: Any) -> None:
        house.claims = {"email": nurse.sign_in, "email_verified": True}
        comes_back(client, goes_there(client))
        assert not is_inside(client)

    @pytest.mark.parametrize(("verified", "inside"), [(True, True), (False, False), ("yes", False), (None, False)])
    def test_is_who_has_the_verified_address_where_the_operator_trusts_it(
        self, client: Client, house: House, nurse: User, named: Any, verified: Any, inside: bool
    ) -> None:
        named(trust_email=True)
        house.claims = {"email": nurse.sign_in, "email_verified": verified}
        comes_back(client, goes_there(client))
        assert is_inside(client) is inside


class TestWhatIsWrong:
    @pytest.mark.parametrize(
        "claims",
        [{"aud": "another app"}, {"iss": "https://evil.example"}, {"exp": 1}, {"sub": None}],
        ids=["audience", "issuer", "expired", "nobody"],
    )
    def test_with_the_token_is_refused(self, client: Client, house: House, nurse: User, named: Any, claims: dict[str, Any]) -> None:
        connects(client, nurse)
        house.claims = claims
        comes_back(client, goes_there(client))
        assert not is_inside(client)

    def test_with_the_state_is_refused(self, client: Client, nurse: User, named: Any) -> None:
        connects(client, nurse)
        answer = comes_back(client, goes_there(client), state="made-up")
        assert (answer["Location"], is_inside(client)) == ("/account/sign-in", False)

    def test_a_state_works_once(self, client: Client, nurse: User, named: Any) -> None:
        connects(client, nurse)
        sent = goes_there(client)
        comes_back(client, sent)
        client.post("/account/sign-out")
        comes_back(client, sent)
        assert not is_inside(client)

    def test_another_browsers_answer_is_refused(self, client: Client, nurse: User, named: Any) -> None:
        connects(client, nurse)
        victim = Client()
        comes_back(victim, goes_there(client))
        assert not is_inside(victim)

    def test_an_error_there_is_said_here(self, client: Client, nurse: User, named: Any) -> None:
        sent = goes_there(client)
        assert client.get("/account/elsewhere/hospital/back", {"error": "access_denied", "state": sent["state"]})["Location"] == "/account/sign-in"

    def test_a_provider_that_is_down_says_so(self, client: Client, house: House, nurse: User, named: Any) -> None:
        house.shutdown()
        house.server_close()
        assert client.post("/account/elsewhere/hospital")["Location"] == "/account/sign-in"

    def test_a_provider_that_is_not_named_does_not_exist(self, client: Client, named: Any) -> None:
        assert client.post("/account/elsewhere/other").status_code == 404
        assert client.get("/account/elsewhere/other/back").status_code == 404

    def test_connecting_needs_a_fresh_proof(self, client: Client, nurse: User, named: Any) -> None:
        signs_in(client, nurse)
        grows_stale(client)
        assert "/account/security/again" in client.post("/account/elsewhere/hospital/connect")["Location"]

    def test_one_account_there_is_one_person_here(self, client: Client, nurse: User, named: Any) -> None:
        connects(client, nurse)
        other = make_user(sign_in="o@example.org", password=PASSWORD, role="nurse", name="Oda")
        signs_in(client, other)
        comes_back(client, goes_there(client, "/account/elsewhere/hospital/connect"))
        assert SocialAccount.objects.get().user == nurse

    def test_another_provider_does_not_speak_for_the_people_of_this_one(
        self, client: Client, house: House, nurse: User, named: Any, settings: LazySettings
    ) -> None:
        """`sub` is unique within one issuer only. https://openid.net/specs/openid-connect-core-1_0.html#IDToken"""
        connects(client, nurse)
        other = Provider(id="other", name="Other", issuer=house.url, client_id="openward", client_secret="s")
        both = [*settings.OPENWARD_SIGN_IN_ELSEWHERE, other]
        settings.OPENWARD_SIGN_IN_ELSEWHERE = both
        settings.SOCIALACCOUNT_PROVIDERS = {
            "openid_connect": {**settings.SOCIALACCOUNT_PROVIDERS["openid_connect"], "APPS": [one.app() for one in both]}
        }
        sent = goes_there(client, "/account/elsewhere/other")
        client.get("/account/elsewhere/other/back", {"code": "c", "state": sent["state"]})
        assert not is_inside(client)
        comes_back(client, goes_there(client))
        assert is_inside(client)


class TestTheFile:
    def test_names_providers_with_their_secret_in_a_file_of_its_own(self, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text("hush\n")
        row = {"id": "h", "name": "H", "issuer": "https://h.example", "client_id": "c", "client_secret_file": "secret"}
        (tmp_path / "p.json").write_text(json.dumps([row]))
        assert [(one.id, one.client_secret) for one in providers(str(tmp_path / "p.json"))] == [("h", "hush")]
        assert "hush" not in repr(providers(str(tmp_path / "p.json")))

    @pytest.mark.parametrize(
        "rows", ["{", '[{"id": "h"}]', '[{"id": "h", "name": "H", "issuer": "http://h.example", "client_id": "c"}]', '[{"nonsense": 1}]']
    )
    def test_that_is_wrong_is_told_at_the_start(self, tmp_path: Path, rows: str) -> None:
        (tmp_path / "p.json").write_text(rows)
        with pytest.raises(ImproperlyConfigured, match="OPENWARD_SIGN_IN_ELSEWHERE"):
            providers(str(tmp_path / "p.json"))

    def test_may_be_absent(self) -> None:
        assert providers("") == []
