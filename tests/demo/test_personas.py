"""One click signs in as someone of the demo clinic, and as nobody else."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from openward.accounts.actions import make_user
from openward.accounts.models import User
from openward.demo.models import Instance, Persona
from tests.demo.making import NOW, TODAY

pytestmark = pytest.mark.django_db


@pytest.fixture
def demo() -> None:
    Instance.objects.create(tenant=1, seed=7, patients=0, made_for=TODAY, made_at=NOW, is_complete=True)
    make_user(sign_in="nurse", password="demo-openward-7", role="nurse", name="Gina Ferrara")  # noqa: S106
    make_user(sign_in="someone", password="demo-openward-7", role="administrator", name="Someone Else")  # noqa: S106
    Persona.objects.create(tenant=1, sign_in="nurse", name="Gina Ferrara", role="nurse", sentence="Rooms the next patient.", place=0)


def test_the_page_lists_everyone_with_a_sentence(client: Client, demo: None) -> None:
    page = client.get(reverse("demo:personas")).content.decode()
    assert "Gina Ferrara" in page
    assert "Rooms the next patient." in page
    assert "Nurse" in page


def test_the_sign_in_page_of_a_demo_lists_them_too(client: Client, demo: None) -> None:
    assert "Gina Ferrara" in client.get(reverse("accounts:sign-in")).content.decode()


def test_one_click_signs_in(client: Client, demo: None) -> None:
    response = client.post(reverse("demo:become", args=["nurse"]))
    assert response.status_code == 302
    assert client.session["_auth_user_id"] == str(User.objects.get(sign_in="nurse").pk)


def test_switching_leaves_the_other_session(client: Client, demo: None) -> None:
    client.post(reverse("demo:become", args=["nurse"]))
    before = client.session.session_key
    client.post(reverse("demo:become", args=["nurse"]))
    assert client.session.session_key != before


def test_switching_is_in_the_audit_trail(client: Client, demo: None) -> None:
    from openward.audit.models import AuditEvent

    client.post(reverse("demo:become", args=["nurse"]))
    assert AuditEvent.objects.filter(interaction="sign-in").exists()


def test_a_user_who_is_no_persona_cannot_be_stepped_into(client: Client, demo: None) -> None:
    assert client.post(reverse("demo:become", args=["someone"])).status_code == 404
    assert "_auth_user_id" not in client.session


def test_a_link_alone_signs_nobody_in(client: Client, demo: None) -> None:
    assert client.get(reverse("demo:become", args=["nurse"])).status_code == 405


def test_without_a_demo_clinic_there_is_nobody_to_step_into(client: Client) -> None:
    make_user(sign_in="nurse", password="demo-openward-7", role="nurse", name="Real Nurse")  # noqa: S106
    Persona.objects.create(tenant=1, sign_in="nurse", name="Real Nurse", role="nurse", sentence="", place=0)
    assert client.post(reverse("demo:become", args=["nurse"])).status_code == 404


def test_without_a_demo_clinic_nothing_is_printed() -> None:
    from openward.demo.personas import sign_ins

    assert sign_ins() == ""
