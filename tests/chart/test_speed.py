"""The chart of the busiest Synthea patient: how many statements it costs. How long it takes, `make bench` says."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.test import Client

from openward.accounts.models import User
from openward.fhir import json
from openward.record import unit_of_work

BUSIEST = "Wenona_Cormier"
STATEMENTS = 12


@pytest.fixture
def busiest(db, outside_data) -> str:
    """The id of the patient with the most resources, loaded as an import would."""
    from tests.cast import system

    with tarfile.open(outside_data("synthea/r4-100-patients-2020.tar.xz")) as archive:
        member = next(one for one in archive if BUSIEST in one.name)
        file = archive.extractfile(member)
        assert file is not None
        bundle = json.loads(file.read())
    with unit_of_work(by=system("import")) as work:
        answer = work.store.bundle(bundle)
    location = next(entry["response"]["location"] for entry in answer["entry"] if entry["response"]["location"].startswith("Patient/"))
    return location.split("/")[1]


@pytest.fixture
def browser(db) -> Client:
    made = Client()
    made.force_login(User.objects.create_user(sign_in="nurse@example", password=None, role="nurse", name="Nurse"))
    return made


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every statement sent to PostgreSQL, whoever sends it."""
    sent: list[str] = []
    original = psycopg.Cursor.execute

    def execute(self, query, *arguments, **named):  # type: ignore[no-untyped-def]
        sent.append(str(query)[:100])
        return original(self, query, *arguments, **named)

    with monkeypatch.context() as patched:
        patched.setattr(psycopg.Cursor, "execute", execute)
        yield sent


def test_the_chart_costs_a_dozen_statements(busiest, browser, monkeypatch):
    browser.get(f"/chart/{busiest}/")
    with counted(monkeypatch) as sent:
        assert browser.get(f"/chart/{busiest}/").status_code == 200
    statements = [one for one in sent if "SAVEPOINT" not in one]
    assert len(statements) <= STATEMENTS, statements
