"""Clients nobody here wrote get their own tokens from the running server: PyPI `fhirclient` for a patient, Backend Services for a program."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import fhirpy
import pytest
import requests
from fhirclient.client import FHIRClient
from fhirclient.models.patient import Patient
from joserfc import jwt
from joserfc.jwk import ECKey

from tests.conformance.conftest import Surface

BACK = "http://localhost:8123/back"
SCOPE = "openid fhirUser launch/patient offline_access patient/Patient.rs patient/Observation.rs"
PASSWORD = "a garden of seven stones"


def registered(surface: Surface, **facts: Any) -> str:
    """The client id of a new app."""
    code = (
        "import json\nfrom openward.access.actor import Actor\nfrom openward.smart.registration import Draft, register\n"
        f"draft = Draft(**json.loads({json.dumps(json.dumps(facts))}))\n"
        "print(register(draft, by=Actor.system('test', tenant=1), approved=True)[0].client_id)"
    )
    return surface.server.installation.python(code).strip().splitlines()[-1]


@dataclass
class Person:
    """A patient in front of a browser that knows no scripts."""

    surface: Surface
    id: str
    browser: requests.Session

    def opens(self, url: str) -> requests.Response:
        return self.browser.get(url, timeout=60)

    def lets_in(self, url: str) -> str:
        """Sign in where asked to, leave everything in, and give the address the app is told."""
        page = self.opens(url)
        hidden = re.search(r'name="asked" value="([^"]+)"', page.text)
        assert hidden, page.text[:1500]
        csrf = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert csrf
        fields = [("asked", unescape(hidden[1])), ("csrfmiddlewaretoken", csrf[1]), ("do", "allow")]
        fields += [("scope", unescape(one)) for one in re.findall(r'name="scope" value="([^"]+)" checked', page.text)]
        answer = self.browser.post(f"{self.surface.server.url}/oauth/consent", fields, allow_redirects=False, timeout=60)
        assert answer.status_code == 302, answer.text[:1500]
        return answer.headers["Location"]


@pytest.fixture
def person(surface: Surface) -> Person:
    made = surface.created({"resourceType": "Patient", "name": [{"family": "Own", "given": ["Ada"]}]})
    other = surface.created({"resourceType": "Patient", "name": [{"family": "Other"}]})
    assert other["id"] != made["id"]
    name = f"{uuid4().hex[:8]}@example.org"
    surface.server.installation.python(
        "from openward.accounts.actions import make_user\n"
        f"make_user(sign_in={name!r}, password={PASSWORD!r}, role='patient', name='Ada Own', reference='Patient/{made['id']}')"
    )
    browser = requests.Session()
    page = browser.get(f"{surface.server.url}/account/sign-in", timeout=60)
    form = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert form
    fields = {"csrfmiddlewaretoken": form[1], "sign_in": name, "password": PASSWORD}
    done = browser.post(f"{surface.server.url}/account/sign-in", fields, allow_redirects=False, timeout=60)
    assert done.status_code in (302, 303), done.text[:1500]
    return Person(surface, made["id"], browser)


class TestPyPIFhirclient:
    @pytest.fixture
    def client(self, surface: Surface) -> FHIRClient:
        app = registered(surface, name="Python", kind="public", scope=SCOPE, redirect_uris=[BACK], for_patients=True)
        made = FHIRClient(settings={"app_id": app, "api_base": f"{surface.base}/", "redirect_uri": BACK, "scope": SCOPE})
        made.prepare()
        return made

    def test_finds_its_way_by_the_conformance_of_the_server(self, client: FHIRClient, surface: Surface) -> None:
        assert client.authorize_url.startswith(f"{surface.server.url}/oauth/authorize?")

    def test_is_let_in_by_a_patient_reads_their_record_and_refreshes(self, client: FHIRClient, person: Person) -> None:
        client.handle_callback(person.lets_in(client.authorize_url))
        assert client.patient_id == person.id
        assert client.patient.name[0].family == "Own"
        first = client.server.auth.access_token
        assert client.reauthorize()
        assert client.server.auth.access_token != first
        found = list(Patient.where({}).perform_resources_iter(client.server))
        assert [one.id for one in found] == [person.id]

    def test_without_pkce_is_told_no(self, client: FHIRClient, person: Person) -> None:
        url = re.sub(r"&code_challenge=[^&]+", "", client.authorize_url)
        page = person.browser.get(url, allow_redirects=False, timeout=60)
        assert parse_qs(urlsplit(page.headers["Location"]).query)["error"] == ["invalid_request"]


class TestBackendServices:
    """A program with a key on P-384, over HTTP only: discovery, a signed statement, a token, a search by `fhirpy`."""

    @pytest.fixture
    def key(self) -> ECKey:
        return ECKey.generate_key("P-384")

    @pytest.fixture
    def ask(self, surface: Surface, key: ECKey) -> Callable[..., requests.Response]:
        jwks = {"keys": [{**key.as_dict(private=False), "kid": "one", "alg": "ES384", "use": "sig"}]}
        app = registered(surface, name="Program", kind="keys", scope="system/Patient.rs", jwks=jwks)
        url = requests.get(f"{surface.base}/.well-known/smart-configuration", timeout=60).json()["token_endpoint"]

        def asked(**claims: Any) -> requests.Response:
            stated = {"iss": app, "sub": app, "aud": url, "exp": int(time.time()) + 240, "jti": uuid4().hex, **claims}
            signed = jwt.encode({"alg": "ES384", "kid": "one"}, stated, key, algorithms=["ES384"])
            fields = {
                "grant_type": "client_credentials", "scope": "system/Patient.rs", "client_assertion": signed,
                "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            }  # fmt: skip
            return requests.post(url, fields, timeout=60)

        return asked

    def test_gets_a_token_and_searches(self, ask: Callable[..., requests.Response], surface: Surface) -> None:
        made = surface.created({"resourceType": "Patient", "name": [{"family": f"Backend{uuid4().hex[:6]}"}]})
        token = ask().json()["access_token"]
        client = fhirpy.SyncFHIRClient(surface.base, authorization=f"Bearer {token}")
        assert [one["id"] for one in client.resources("Patient").search(family=made["name"][0]["family"]).fetch()] == [made["id"]]
        with pytest.raises(fhirpy.base.exceptions.ForbiddenError):
            client.resources("Observation").fetch()

    def test_is_refused_what_it_has_used_before(self, ask: Callable[..., requests.Response]) -> None:
        assert ask(jti="same").status_code == 200
        assert ask(jti="same").json()["error"] == "invalid_client"

    def test_exports_what_its_scope_names(self, ask: Callable[..., requests.Response], surface: Surface) -> None:
        headers = {"Authorization": f"Bearer {ask().json()['access_token']}", "Accept": "application/fhir+json", "Prefer": "respond-async"}
        started = requests.get(f"{surface.base}/$export?_type=Patient", headers=headers, timeout=60)
        assert started.status_code == 202, started.text
        refused = requests.get(f"{surface.base}/$export?_type=Observation", headers=headers, timeout=60)
        assert refused.status_code in (400, 403)


class TestAPageOfAnotherOrigin:
    """CORS: discovery for everyone, the record for the origins of registered apps, never with cookies."""

    def test_reads_discovery_from_anywhere(self, surface: Surface) -> None:
        for path in ("/fhir/metadata", "/fhir/.well-known/smart-configuration", "/oauth/jwks"):
            answer = requests.get(f"{surface.server.url}{path}", headers={"Origin": "https://anyone.example"}, timeout=60)
            assert (answer.status_code, answer.headers.get("Access-Control-Allow-Origin")) == (200, "*"), path

    def test_reads_the_record_from_the_origin_of_an_app_only(self, surface: Surface) -> None:
        registered(surface, name="Page", kind="public", scope=SCOPE, redirect_uris=["https://page.example.org/back"], for_patients=True)
        time.sleep(5.1)  # origins are asked for anew every five seconds
        asked = {"Authorization": f"Bearer {surface.token}"}
        for origin, allowed in (("https://page.example.org", "https://page.example.org"), ("https://evil.example.org", None), ("null", None)):
            answer = requests.get(f"{surface.base}/Patient?_count=1", headers={**asked, "Origin": origin}, timeout=60)
            assert answer.headers.get("Access-Control-Allow-Origin") == allowed
            assert "Access-Control-Allow-Credentials" not in answer.headers
        preflight = {"Origin": "https://page.example.org", "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
        answer = requests.options(f"{surface.base}/Patient", headers=preflight, timeout=60)
        assert (answer.status_code, "Authorization" in answer.headers["Access-Control-Allow-Headers"]) == (204, True)

    def test_never_reads_pages_of_people(self, surface: Surface) -> None:
        registered(surface, name="Page", kind="public", scope=SCOPE, redirect_uris=["https://page.example.org/back"], for_patients=True)
        for path in ("/account/sign-in", "/oauth/authorize", "/apps/connected"):
            answer = requests.get(f"{surface.server.url}{path}", headers={"Origin": "https://page.example.org"}, timeout=60, allow_redirects=False)
            assert "Access-Control-Allow-Origin" not in answer.headers, path
