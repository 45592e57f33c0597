"""A clinic with two patients, its staff, and apps of every kind; and a client that walks the ways of OAuth as an app does."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.test import Client
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from openward.accounts import tokens
from openward.accounts.models import User
from openward.fhir.http import fhir_app
from openward.fhir.resources import CodeableConcept, Coding, HumanName, Meta, Observation, Patient, Practitioner, Reference
from openward.record import open_store
from openward.smart import clientkeys, cors
from openward.smart.assertions import ASSERTION_TYPE
from openward.smart.models import App
from openward.smart.registration import Draft, register
from tests import cast
from tests.fhir.http.client import Answer
from tests.fhir.http.client import Client as Wsgi

ORIGIN = "http://testserver"
FHIR = f"{ORIGIN}/fhir"
BACK = "https://app.example.org/back"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
STANDALONE = "openid fhirUser launch/patient offline_access patient/Patient.rs patient/Observation.rs"
EVERYTHING = "openid fhirUser launch launch/patient launch/encounter online_access offline_access patient/*.cruds user/*.cruds"


@pytest.fixture(autouse=True)
def nothing_remembered(db: None) -> Iterator[None]:
    """What processes keep in memory does not outlive a test's database."""
    for forget in (tokens.forget, clientkeys.forget, cors.forget):
        forget()
    yield
    tokens.forget()
    cors.forget()


@dataclass
class Clinic:
    patient: User
    other: User
    clinician: User
    administrator: User


@pytest.fixture
def clinic(db: None) -> Clinic:
    store = open_store(cast.system())
    for id, given in ((cast.PATIENT_ID, "Ada"), (cast.OTHER_PATIENT_ID, "Ben")):
        store.update(Patient(id=id, name=[HumanName(family="Example", given=[given])], birthDate="1980-01-02"))
        for category in ("laboratory", "vital-signs", "survey"):
            store.update(observation(f"{category}-{id[-2:]}", id, category))
    store.update(Practitioner(id=cast.PRACTITIONER_ID, name=[HumanName(family="Sample")]))
    return Clinic(
        _user("ada@example.org", "patient", f"Patient/{cast.PATIENT_ID}"),
        _user("ben@example.org", "patient", f"Patient/{cast.OTHER_PATIENT_ID}"),
        _user("doc@example.org", "clinician", f"Practitioner/{cast.PRACTITIONER_ID}"),
        _user("admin@example.org", "administrator", ""),
    )


def _user(sign_in: str, role: str, reference: str) -> User:
    return User.objects.create_user(sign_in=sign_in, password=None, role=role, name=f"The {role}", reference=reference)


def observation(id: str, patient: str, category: str) -> Observation:
    kind = CodeableConcept(coding=[Coding(system=CATEGORY, code=category)])
    return Observation(
        id=id, status="final", category=[kind], code=CodeableConcept(text="x"), subject=Reference(reference=f"Patient/{patient}"),
        meta=Meta(tag=[Coding(system="urn:openward:tag", code="released")]),
    )  # fmt: skip


def an_app(kind: str = "public", scope: str = EVERYTHING, *, approved: bool = True, **facts: Any) -> tuple[App, str | None]:
    given = {"for_staff": True, "for_patients": True, "redirect_uris": [BACK], "launch_url": "https://app.example.org/launch", **facts}
    return register(Draft(name="Growth", kind=kind, scope=scope, **given), by=cast.system(), approved=approved)


@pytest.fixture
def app(clinic: Clinic) -> App:
    return an_app()[0]


@pytest.fixture(scope="session")
def keys() -> dict[str, Any]:
    return {"RS384": RSAKey.generate_key(2048), "ES384": ECKey.generate_key("P-384")}


@pytest.fixture
def backend(clinic: Clinic, keys: dict[str, Any]) -> App:
    """A program without people, with a key of each kind."""
    public = {"keys": [{**key.as_dict(private=False), "kid": name, "alg": name, "use": "sig"} for name, key in keys.items()]}
    return an_app("keys", "system/*.rs system/Observation.cruds", redirect_uris=[], launch_url="", jwks=public, for_staff=False, for_patients=False)[
        0
    ]


def assertion(app: App, key: Any, *, alg: str = "RS384", header: dict[str, Any] | None = None, **claims: Any) -> str:
    """A signed statement such as Backend Services asks for; claims and header as the test wants them, None: left out."""
    now = int(time.time())
    stated = {"iss": app.client_id, "sub": app.client_id, "aud": f"{ORIGIN}/oauth/token", "exp": now + 240, "jti": secrets.token_hex(8), **claims}
    said = {"alg": alg, "kid": alg, "typ": "JWT", **(header or {})}
    return jwt.encode(
        {name: value for name, value in said.items() if value is not None},
        {name: value for name, value in stated.items() if value is not None},
        key,
        algorithms=[alg],
    )


def by_assertion(signed: str, **fields: str) -> dict[str, str]:
    return {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": signed, "scope": "system/*.rs", **fields}


def basic(app: App, secret: str | None) -> str:
    return "Basic " + base64.b64encode(f"{app.client_id}:{secret}".encode()).decode()


@dataclass
class Walk:
    """One app's way: what it sends, and the person's browser beside it."""

    app: App
    browser: Client = field(default_factory=Client)
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(40))
    secret: str | None = None
    redirect_uri: str = BACK

    @property
    def challenge(self) -> str:
        return base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()

    def asked(self, **changed: str | None) -> dict[str, str]:
        """The parameters of a request to authorise; None leaves one out."""
        usual = {
            "response_type": "code",
            "client_id": self.app.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": STANDALONE,
            "state": "a state & more=1",
            "aud": FHIR,
            "code_challenge": self.challenge,
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in {**usual, **changed}.items() if value is not None}

    def authorize(self, **changed: str | None) -> Any:
        return self.browser.get(f"/oauth/authorize?{urlencode(self.asked(**changed))}")

    def decide(self, page: Any, do: str = "allow", scopes: list[str] | None = None, **fields: str) -> Any:
        """Send the consent form back as it stands, or with these scopes left in."""
        text = page.content.decode()
        hidden = re.search(r'name="asked" value="([^"]+)"', text)
        assert hidden, text[:2000]
        offered = re.findall(r'name="scope" value="([^"]+)" checked', text)
        picked = [one.replace("&amp;", "&") for one in offered] if scopes is None else scopes
        return self.browser.post("/oauth/consent", {"asked": hidden[1], "do": do, "scope": picked, **fields})

    def code(self, scopes: list[str] | None = None, fields: dict[str, str] | None = None, **changed: str | None) -> str:
        answer = self.decide(self.authorize(**changed), scopes=scopes, **(fields or {}))
        assert answer.status_code == 302, answer.content[:2000]
        return told(answer)["code"]

    def post(self, path: str, fields: dict[str, str], **headers: str) -> Any:
        authorization = {"authorization": basic(self.app, self.secret)} if self.secret else {}
        return Client().post(path, urlencode(fields), content_type="application/x-www-form-urlencoded", headers={**authorization, **headers})

    def exchange(self, code: str, **changed: str | None) -> Any:
        fields = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect_uri, "code_verifier": self.verifier,
            "client_id": self.app.client_id, **changed,
        }  # fmt: skip
        return self.post("/oauth/token", {name: value for name, value in fields.items() if value is not None})

    def refresh(self, token: str, **fields: str) -> Any:
        return self.post("/oauth/token", {"grant_type": "refresh_token", "refresh_token": token, "client_id": self.app.client_id, **fields})

    def tokens(self, scopes: list[str] | None = None, fields: dict[str, str] | None = None, **changed: str | None) -> dict[str, Any]:
        answer = self.exchange(self.code(scopes, fields, **changed))
        assert answer.status_code == 200, answer.content
        got: dict[str, Any] = answer.json()
        return got


def told(answer: Any) -> dict[str, str]:
    """What the redirect tells the app."""
    assert answer.status_code == 302, (answer.status_code, answer.content[:1000])
    return {name: values[0] for name, values in parse_qs(urlsplit(answer["Location"]).query, keep_blank_values=True).items()}


@pytest.fixture
def walk(app: App, clinic: Clinic) -> Walk:
    """The patient at the browser."""
    made = Walk(app)
    made.browser.force_login(clinic.patient)
    return made


@pytest.fixture
def staff_walk(app: App, clinic: Clinic) -> Walk:
    made = Walk(app)
    made.browser.force_login(clinic.clinician)
    return made


@dataclass
class Api:
    """The FHIR API with a token. Its reads are on the test's own connection, which alone sees what the test has stored."""

    token: str

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        from openward.server.wsgi import authenticate

        surface = fhir_app(authenticate, lambda actor: nullcontext(open_store(actor)))
        return Wsgi(surface)(method, f"/{path}", body, token=self.token, **headers)

    def status(self, method: str, path: str, body: Any = None) -> int:
        return self.ask(method, path, body).status

    def ids(self, path: str) -> set[str]:
        answer = self.ask("GET", path)
        assert answer.status == 200, answer.body
        return {entry["resource"]["id"] for entry in answer.json.get("entry", [])}
