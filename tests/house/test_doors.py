"""Every URL as every role and as nobody: a page opens to exactly the roles whose permissions say so."""

from __future__ import annotations

from collections.abc import Iterator
from unittest.mock import Mock

import pytest
from django.contrib.auth import SESSION_KEY
from django.http import HttpResponseNotFound
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from openward.access.roles import ROLES
from openward.accounts.models import User
from openward.fhir.resources import HumanName, Patient, Practitioner
from openward.record import open_store
from openward.server import urls
from openward.web.errors import not_found
from openward.web.pages import PAGES, Page
from tests import cast

pytestmark = pytest.mark.django_db
FILLER = {"int": 1, "uuid": "0199c1f0-0000-7000-8000-00000000ffff", "str": "0199c1f0-0000-7000-8000-00000000ffff", "slug": "x", "path": "x"}


def patterns(resolver: URLResolver | None = None, spaces: tuple[str, ...] = ()) -> Iterator[tuple[str, URLPattern]]:
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            yield from patterns(entry, (*spaces, entry.namespace) if entry.namespace else spaces)
        else:
            yield ":".join((*spaces, entry.name or "")), entry


ROUTES = dict(patterns())


def page_of(name: str) -> Page:
    return ROUTES[name].callback.page  # type: ignore[union-attr]


def address(name: str) -> str:
    converters = ROUTES[name].pattern.converters
    kinds = {key: type(converter).__name__.removesuffix("Converter").lower().replace("string", "str") for key, converter in converters.items()}
    return reverse(name, kwargs={key: FILLER[kind] for key, kind in kinds.items()})


@pytest.fixture
def people() -> dict[str, User]:
    store = open_store(cast.system())
    store.update(Patient(id=cast.PATIENT_ID, name=[HumanName(family="Example", given=["Ada"])], birthDate="1980-01-02"))
    store.update(Practitioner(id=cast.PRACTITIONER_ID, name=[HumanName(family="Sample")]))
    references = {"patient": f"Patient/{cast.PATIENT_ID}", "clinician": f"Practitioner/{cast.PRACTITIONER_ID}"}
    return {
        role: User.objects.create_user(sign_in=f"{role}@example.org", password=None, role=role, name=role, reference=references.get(role, ""))
        for role in ROLES
    }


def answers(user: User | None) -> Iterator[tuple[str, str, int]]:
    """Every route by every method its page takes, as this user: (route, method, status)."""
    client = Client(raise_request_exception=False)
    for name in sorted(ROUTES):
        if user is not None and SESSION_KEY not in client.session:
            client.force_login(user)
        for method in page_of(name).methods:
            yield name, method, client.generic(method, address(name)).status_code


@pytest.fixture
def one_sign(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """The page that says there is nothing here is the same behind every closed door: whoever tries them all is shown it once."""
    shown = Mock(side_effect=lambda request, exception: not_found(request, exception) if shown.call_count == 1 else HttpResponseNotFound())
    monkeypatch.setattr(urls, "handler404", shown)
    return shown


def is_open_to(role: str, name: str) -> bool:
    page = page_of(name)
    return page.public or page.needs is None or page.needs in ROLES[role].permissions


def test_every_route_is_a_page_under_its_own_name() -> None:
    assert [name for name, route in ROUTES.items() if not hasattr(route.callback, "page")] == []
    assert [name for name in ROUTES if page_of(name) is not PAGES.get(page_of(name).name)] == []


def test_every_page_that_is_open_to_nobody_is_known_here() -> None:
    """A page becomes public by a decision, not by an oversight."""
    assert {page.name for page in PAGES.values() if page.public} == PUBLIC


PUBLIC = {
    "accounts:add-app",  # who must set up a second factor before they are let in; anyone else is sent away
    "accounts:add-passkey",
    "accounts:come-back",  # a PIN, at a shared workstation where its person signed in wholly that day
    "accounts:elsewhere",
    "accounts:enrol",
    "accounts:forgot",
    "accounts:invitation",  # a one-time token and the birth date
    "accounts:invitation-code",
    "accounts:passkey",
    "accounts:passkey-options",
    "accounts:reset",  # a one-time token
    "accounts:second-step",  # who proved a password just now
    "accounts:sign-in",
    "accounts:sign-out",
    "accounts:switch",
    "administration:health-json",
    "billing:paid",  # a one-time token of a payment link
    "billing:paid-pdf",
    "billing:pay",
    "demo:become",  # on a demo instance only
    "demo:personas",
    "openid_connect_callback",  # a state of this session and a code of the provider
    "servicedesk:report",
    "smart:asked",  # a request to authorise that came by POST: whoever opens it is asked for their own consent
    "smart:authorize",
    "smart:brands",  # what apps read first: what this server offers, and by which keys it signs
    "smart:configuration",
    "smart:introspect",  # programs that prove themselves
    "smart:jwks",
    "smart:openid",
    "smart:register",  # where it is switched on; an administrator approves
    "smart:revoke",
    "smart:token",
    "web:design",  # the design system's living pages: on a demo instance only
    "web:design-draft",
    "web:design-options",
    "web:design-panel",
    "web:design-portal",
    "web:design-print",
    "web:theme",
}


# Pages that answer 400 to whoever asks for nothing in particular.
ASKED_FOR_SOMETHING = {"smart:authorize"}


def test_nobody_is_sent_to_sign_in_by_every_page_that_is_not_public(people: dict[str, User]) -> None:
    wrong = [(name, method, status) for name, method, status in answers(None) if not page_of(name).public and status != 302]
    assert wrong == []


@pytest.mark.parametrize("role", ROLES)
def test_a_role_opens_exactly_the_pages_its_permissions_name(role: str, people: dict[str, User], one_sign: Mock) -> None:
    """What it may not open does not exist; what it may open never crashes, and opens when no id is asked for."""
    wrong = [
        (name, method, status)
        for name, method, status in answers(people[role])
        if status >= 500
        or (not is_open_to(role, name) and status != 404)
        or (is_open_to(role, name) and method == "GET" and not ROUTES[name].pattern.converters and status not in (200, 204, 302))
        and not (name in ASKED_FOR_SOMETHING and status == 400)
    ]
    assert wrong == []
    assert one_sign.called
