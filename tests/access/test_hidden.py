"""What is there and hidden, and what is not there at all: the same answer to the letter, for the same work.

Of each persona some resources they may not see, asked for in every way there is, beside ids that nothing has. The answers differ in nothing but the id,
and PostgreSQL was sent the same statements: how many, in which order, in which words. How long it takes tells nothing then that could be measured.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import transaction

from openward.access.actor import Actor
from openward.fhir.http import fhir_app
from openward.fhir.store import Store
from openward.record import open_store
from tests.access.record import P, Persona, patient_of, personas
from tests.access.telling import Told, stand, tell
from tests.fhir.http.client import Client

pytestmark = pytest.mark.django_db
EVERYONE = personas()
ABSENT = {"Patient": "0199c1f0-0000-7000-8000-00000000000f", "Condition": "problem-8-8", "Observation": "seen-8-8", "Encounter": "visit-8-8",
          "Composition": "note-8-final"}  # fmt: skip
STAMPS = re.compile(r"urn:uuid:[0-9a-f-]+|\d{4}-\d\d-\d\dT[0-9:.]+(Z|\+00:00)|_cursor=[A-Za-z0-9_.~%-]+")
SAVEPOINT = re.compile(r"\bs\d+_x\d+\b")
BY_THE_CLOCK = re.compile(r"from (access_changes|fhir\.own_parameter|pg_catalog\.pg_inherits)\b")  # looked at every so often, whatever is asked
MEND = [{"op": "add", "path": "/language", "value": "en"}]
TAG = {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": {"tag": [{"system": "urn:x", "code": "y"}]}}]}
Request = tuple[str, str, Any, dict[str, str]]


@pytest.fixture(scope="module")
def told(django_db_setup: None, django_db_blocker: Any) -> Iterator[Told]:
    with django_db_blocker.unblock(), transaction.atomic():
        stand()
        yield tell()
        transaction.set_rollback(True)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The text of every statement, as it is sent."""
    statements: list[str] = []

    def heard(run: Any) -> Any:
        def execute(self: psycopg.Cursor[Any], query: Any, *arguments: Any, **named: Any) -> Any:
            statements.append(query if isinstance(query, str) else query.decode() if isinstance(query, bytes) else query.as_string(self))
            return run(self, query, *arguments, **named)

        return execute

    for name in ("execute", "executemany"):
        monkeypatch.setattr(psycopg.Cursor, name, heard(getattr(psycopg.Cursor, name)))
    return statements


def ways(type: str, id: str) -> Iterator[Request]:
    """Every way to ask for one resource, to change it, or to find out by another."""
    at, whole = f"{type}/{id}", {"resourceType": type, "id": id}
    for path in (at, f"{at}/_history", f"{at}/_history/1", f"{type}?_id={id}", f"{type}?_id={id}&_summary=count", f"{at}?_summary=true"):
        yield "GET", path, None, {}
    for name in ("$meta", "$validate", "$graphql?query={id}"):
        yield "GET", f"{at}/{name}", None, {}
    yield "PUT", at, whole, {"if_match": 'W/"1"'}
    yield "PATCH", at, MEND, {"content_type": "application/json-patch+json"}
    yield "DELETE", at, None, {}
    yield "POST", f"{at}/$meta-add", TAG, {}
    yield "DELETE", f"{type}?_id={id}", None, {}
    yield from OF_TYPE.get(type, lambda _: iter(()))(id)


def _of_patient(id: str) -> Iterator[Request]:
    paths = (f"Patient/{id}/$everything", f"Patient/{id}/Condition", f"Patient/{id}/*", f"Condition?subject=Patient/{id}", f"Observation?patient={id}&_total=accurate",
             f"Observation/$lastn?patient={id}", f"DocumentReference/$docref?patient={id}", f"Condition?subject=Patient/{id}&_include=Condition:subject",
             f"Patient?_id={id}&_revinclude=*", f"Encounter?subject:Patient._id={id}")  # fmt: skip
    for path in paths:
        yield "GET", path, None, {}
    yield "POST", "Condition", {"resourceType": "Condition", "subject": {"reference": f"Patient/{id}"}}, {}
    yield "POST", "Communication", {"resourceType": "Communication", "status": "completed", "subject": {"reference": f"Patient/{id}"}}, {}


def _of_visit(id: str) -> Iterator[Request]:
    for path in (
        f"Encounter/{id}/$everything",
        f"Encounter/{id}/Condition",
        f"Condition?encounter=Encounter/{id}",
        f"Condition?encounter:Encounter._id={id}",
    ):
        yield "GET", path, None, {}


def _of_note(id: str) -> Iterator[Request]:
    yield "GET", f"Composition/{id}/$document", None, {}


OF_TYPE = {"Patient": _of_patient, "Encounter": _of_visit, "Composition": _of_note}


def hidden_from(persona: Persona, told: Told) -> dict[str, str]:
    """Of each type one that stands in the record and that the plain reading of the rules hides."""
    shown, found = told.shown(persona), {}
    for (type, id), one in told.final.items():
        if type in ABSENT and (type, id) not in shown and (type, id) not in told.gone and patient_of(one) in P:
            found.setdefault(type, id)
    return found


def client_of(actor: Actor) -> Client:
    @contextmanager
    def store(who: Actor) -> Iterator[Store]:
        yield open_store(who)

    return Client(fhir_app(lambda _: actor, store))


def asked(client: Client, request: Request, id: str, sent: list[str]) -> tuple[int, str, list[str]]:
    """(status, the whole answer, the statements sent for it), without the id. What was written is taken back."""
    method, path, body, headers = request
    with transaction.atomic():
        sent.clear()
        answer = client(method, f"/{path}", body, **headers)
        statements = [SAVEPOINT.sub("SAVEPOINT", statement) for statement in sent if not BY_THE_CLOCK.search(statement)]
        transaction.set_rollback(True)
    said = json.dumps(sorted((name, value) for name, value in answer.headers.items() if name != "Content-Length")) + answer.body.decode()
    return answer.status, STAMPS.sub("STAMP", said.replace(id, "ID")), statements


@pytest.mark.parametrize("persona", EVERYONE, ids=[persona.name for persona in EVERYONE])
def test_hidden_is_answered_as_absent_with_the_same_work(persona: Persona, told: Told, sent: list[str]) -> None:
    client = client_of(persona.actor)
    wrong: list[str] = []
    for type, id in hidden_from(persona, told).items():
        for there, absent in zip(ways(type, id), ways(type, ABSENT[type]), strict=True):
            asked(client, absent, ABSENT[type], sent)  # what is looked up once for everybody is looked up now
            hidden, missing = asked(client, there, id, sent), asked(client, absent, ABSENT[type], sent)
            if there[0] == "POST" and "/" not in there[1]:
                hidden, missing = hidden[:2], missing[:2]  # what is new is written and then undone where nobody is; where somebody is, not at all
            if hidden != missing:
                what = next(name for name, a, b in zip(("status", "answer", "work"), hidden, missing, strict=False) if a != b)
                wrong.append(f"{there[0]} {there[1]}: {what} {hidden[:2]} {missing[:2]}")
    assert wrong == []


def test_there_is_something_hidden_from_nearly_everyone(told: Told) -> None:
    """A test of nobody's secrets would say nothing."""
    counted = {persona.name: len(hidden_from(persona, told)) for persona in EVERYONE}
    assert sum(counted.values()) > 3 * len(EVERYONE)


def test_the_statements_are_heard(told: Told, sent: list[str]) -> None:
    """A read that finds sends what a read that finds nothing does not: the ear is where the statements pass."""
    client = client_of(EVERYONE[1].actor)
    shown = next(id for type, id in sorted(told.shown(EVERYONE[1])) if type == "Encounter")
    statements = asked(client, ("GET", f"Encounter/{shown}", None, {}), shown, sent)[2]
    assert any("fhir.current" in one for one in statements)
