"""The chart of the busiest Synthea patient: how many statements, how much of the server's own time."""

from __future__ import annotations

import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.template.base import Template
from django.test import Client

from openward.accounts.models import User
from openward.fhir import json
from openward.record import unit_of_work

BUSIEST = "Wenona_Cormier"
STATEMENTS = 12
SECONDS = 0.060
BUSY = 1.5
"""Machines that run the tests run other things too: a thread's own time grows with what its neighbours do to the caches."""


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


def test_the_chart_takes_little_of_the_servers_time(busiest, browser, monkeypatch):
    """Of this thread's own time, with templates rendered as outside of tests: the test client copies every context."""
    monkeypatch.setattr(Template, "_render", lambda template, context: template.nodelist.render(context))
    times = []
    for _n in range(9):
        start = time.thread_time()
        assert browser.get(f"/chart/{busiest}/").status_code == 200
        times.append(time.thread_time() - start)
    assert min(times) < SECONDS * BUSY, sorted(times)
