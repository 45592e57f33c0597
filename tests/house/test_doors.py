"""Every URL as every role and as nobody: a page opens to exactly the roles whose permissions say so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth import SESSION_KEY
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from openward.access.roles import ROLES
from openward.accounts.models import User
from openward.fhir.resources import HumanName, Patient, Practitioner
from openward.record import open_store
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
    return {role: User.objects.create_user(sign_in=f"{role}@example.org", password=None, role=role, name=role, reference=references.get(role, "")) for role in ROLES}


def opened(user: User | None, name: str, method: str) -> int:
    client = Client(raise_request_exception=False)
    if user is not None:
        client.force_login(user)
        assert client.session[SESSION_KEY] == str(user.pk)
    return client.generic(method, address(name)).status_code


def test_every_route_is_a_page_under_its_own_name() -> None:
    assert [name for name, route in ROUTES.items() if not hasattr(route.callback, "page")] == []
    assert [name for name in ROUTES if page_of(name) is not PAGES.get(page_of(name).name)] == []


def test_every_page_that_is_open_to_nobody_is_known_here() -> None:
    """A page becomes public by a decision, not by an oversight."""
    assert {page.name for page in PAGES.values() if page.public} == PUBLIC


PUBLIC = {
    "accounts:invitation",
    "accounts:sign-in",
    "accounts:sign-out",
    "administration:health-json",
    "servicedesk:report",
    "web:theme",
}


@pytest.mark.parametrize("name", sorted(ROUTES))
class TestADoor:
    def test_sends_nobody_to_sign_in(self, name: str) -> None:
        if page_of(name).public:
            return
        for method in page_of(name).methods:
            assert opened(None, name, method) == 302

    def test_does_not_exist_for_roles_without_its_permission(self, name: str, people: dict[str, User]) -> None:
        page = page_of(name)
        if page.public or page.needs is None:
            return
        for role, user in people.items():
            if page.needs not in ROLES[role].permissions:
                for method in page.methods:
                    assert opened(user, name, method) == 404, (role, method)

    def test_crashes_for_no_role(self, name: str, people: dict[str, User]) -> None:
        for role, user in people.items():
            for method in page_of(name).methods:
                assert opened(user, name, method) < 500, (role, method)

    def test_opens_to_roles_with_its_permission(self, name: str, people: dict[str, User]) -> None:
        page = page_of(name)
        if page.public or "GET" not in page.methods or ROUTES[name].pattern.converters:
            return
        for role, user in people.items():
            if page.needs is None or page.needs in ROLES[role].permissions:
                assert opened(user, name, "GET") in (200, 204, 302), role
