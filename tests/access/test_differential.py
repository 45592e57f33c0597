"""Thousands of questions per persona: the answer from the whole record is the answer from a record that holds only what the persona may see.

Beside the record stands, for each persona, a second one (another tenant) with exactly the resources a plain reading of the rules lets them see, and
nobody in its way. Both are asked the same through the REST surface: what they answer - which, how many, in which order, with which words - is equal,
so that nothing of what is hidden is in any answer. OPENWARD_QUESTIONS says how many questions each persona asks.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from openward.access.actor import Actor
from openward.access.known import changed
from openward.access.models import Assignment, Clearance, CustomRole, Opening, ProxyGrant
from openward.access.policy import LETTERS
from openward.access.roles import ROLES
from openward.audit.auditor import TableAuditor
from openward.fhir.guards import Guards
from openward.fhir.http import fhir_app
from openward.fhir.protocols import Interaction, Where
from openward.fhir.store import Store
from openward.record import open_store
from openward.record.connection import DjangoTransaction, connection
from tests import cast
from tests.access.questions import questions
from tests.access.record import CONSENTS, DELETED, USERS, P, Persona, consents, granted, labels_in, patient_of, personas, proxy, record
from tests.fhir.http.client import Client

pytestmark = pytest.mark.django_db
EACH = int(os.environ.get("OPENWARD_QUESTIONS", "60"))
# What differs between two records of the same content: when it was written, and seals over where it stands.
STAMPS = re.compile(r'"(lastUpdated|versionId|timestamp|date|etag|lastModified)": ?"[^"]*"|(_cursor=|urn:uuid:)[A-Za-z0-9_.~%-]+|W/\\"\d+\\"')


class OnlyGrants:
    """Over a mirror: every row of the types the persona has at all."""

    def __init__(self, persona: Persona) -> None:
        self.persona = persona

    def where(self, actor: Any, interaction: Interaction, type: str) -> Where | None:
        return Where() if interaction != "export" and granted(self.persona.actor, LETTERS[interaction], type) else None

    def allows(self, *_: Any) -> bool:
        return False


EVERYONE = personas()


@pytest.fixture(scope="module")
def told(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The record and its mirrors, made once in a transaction that is rolled back at the end."""
    from django.db import transaction

    with django_db_blocker.unblock(), transaction.atomic():
        _stand()
        _tell()
        yield
        transaction.set_rollback(True)


def _stand() -> None:
    """Who they are, beside their roles."""
    made = {
        key: CustomRole.objects.create(
            tenant=1, key=key, title=key, sentence="Tested.", based_on="nurse", reach=reach, cleared=cleared, cleared_in_care=[], made_by="test",
            permissions=[], grants=dict(ROLES["nurse"].grants),
        )
        for key, reach, cleared in (("southern", "facility", ["PSY"]), ("team", "care-team", sorted(ROLES["nurse"].cleared)))
    }  # fmt: skip
    Assignment.objects.create(tenant=1, user_id=USERS["south"], role=made["southern"], facility="Location/south", given_by="test")
    Assignment.objects.create(tenant=1, user_id=USERS["team"], role=made["team"], given_by="test")
    for label in ("ETH", "PSY"):
        Clearance.objects.create(tenant=1, actor="client:cleared", label=label, reason="test", given_by="test")
    for user, patient, kind, areas in (("parent", 4, "parent", ["health"]), ("carer", 2, "carer", ["appointments"])):
        reference = proxy(user, P[patient]).reference or ""
        ProxyGrant.objects.create(
            tenant=1, user_id=USERS[user], patient=UUID(P[patient]), reference=reference, kind=kind, areas=areas, given_by="test"
        )
    for patient in (5, 3):
        now = timezone.now()
        Opening.objects.create(
            tenant=1, actor="user:glass", actor_name="G", actor_role="nurse", patient=UUID(P[patient]), reference=f"Patient/{P[patient]}", reason="emergency",
            words="an emergency", until=now + dt.timedelta(hours=1),
        )  # fmt: skip
    changed()


def _tell() -> None:
    """Store the whole record under the guards, and for each persona what of it they may see, as it was stored."""
    house = open_store(cast.system())
    house.strict_references = False
    written = [house.update(dict(one)).data for one in record()]
    final = {_address(one): one for one in written}
    marks = {one["id"]: labels_in(one) for one in final.values() if one["resourceType"] == "Patient"}
    written += [house.create(one).data for one in consents()]
    final |= {_address(one): one for one in written}
    gone = [at for at in final if at[1] in DELETED]
    for at in gone:
        house.delete(*at)
    for number, persona in enumerate(EVERYONE):
        shown = {
            at for at, one in final.items() if persona.sees(one, patient_of(one), marks) and (at not in gone or _knows_deleted(persona, one, final))
        }
        mirror = _mirror(persona, 100 + number)
        for one in written:
            if _address(one) in shown:
                mirror.update(json.loads(json.dumps(one)))
        for at in gone:
            if at in shown:
                mirror.delete(*at)


def _knows_deleted(persona: Persona, resource: Mapping[str, Any], final: Mapping[Any, Any]) -> bool:
    """Of what is deleted no label is known: it shows only to one from whom no label could hide it. A patient's own is shown by its tags."""
    type, patient = resource["resourceType"], patient_of(resource)
    if persona.own is not None and type in ("Observation", "DiagnosticReport", "Composition"):
        return False
    if patient in persona.glass or (persona.own is not None and persona.actor.role == "patient"):
        return True
    used = {label for (kind, _), one in final.items() if kind == type for label in labels_in(one)}
    return used <= persona.cleared and not any(persona.refuses_by_label(one, patient, type) for one in CONSENTS)


def _address(resource: Mapping[str, Any]) -> tuple[str, str]:
    return resource["resourceType"], resource["id"]


def _mirror(persona: Persona, tenant: int) -> Store:
    class Open(OnlyGrants):
        def where(self, actor: Any, interaction: Interaction, type: str) -> Where | None:
            return Where()

        def allows(self, *_: Any) -> bool:
            return True

    return _store(tenant, Open(persona))


def _store(tenant: int, policy: Any) -> Store:
    actor = Actor.system("mirror", tenant=tenant)
    return Store(
        connection(), tenant, actor, policy=policy, auditor=TableAuditor(), transaction=DjangoTransaction(), guards=Guards(), strict_references=False
    )


def ask(persona: Persona, number: int) -> tuple[Client, Client]:
    @contextmanager
    def mirrored(_: Any) -> Iterator[Store]:
        yield _store(100 + number, OnlyGrants(persona))

    @contextmanager
    def whole(actor: Any) -> Iterator[Store]:
        yield open_store(actor)

    return Client(fhir_app(lambda _: persona.actor, whole)), Client(fhir_app(lambda _: persona.actor, mirrored))


def answer(client: Client, question: str) -> tuple[int, Any, str]:
    """The status, what is in it and in which order, and the whole of it without stamps."""
    got = client("GET", f"/{question}")
    body = got.json
    entries = body.get("entry")
    if entries:  # what is included has no promised order
        entries.sort(key=lambda entry: entry["fullUrl"] if (entry.get("search") or {}).get("mode") == "include" or "$everything" in question else "")
    found = [entry.get("fullUrl", "").removeprefix("https://clinic.test/fhir/") for entry in body.get("entry", ())]
    return got.status, (body.get("total"), found), STAMPS.sub("", json.dumps(body, sort_keys=True))


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("number", range(len(EVERYONE)), ids=[persona.name for persona in EVERYONE])
def test_what_may_not_be_seen_is_in_no_answer(number: int) -> None:
    persona = EVERYONE[number]
    whole, mirror = ask(persona, number)
    for seed in range(EACH):
        for question in questions(seed * 1000 + number):
            got, expected = answer(whole, question), answer(mirror, question)
            assert got[:2] == expected[:2], f"{persona.name}: {question}"
            assert got[2] == expected[2], f"{persona.name}: {question}"


@pytest.mark.usefixtures("told")
def test_most_questions_are_understood_and_many_find_something() -> None:
    """A test of answers that are all empty, or all errors, would say nothing."""
    whole, _ = ask(EVERYONE[11], 11)
    answers = [answer(whole, question) for seed in range(EACH) for question in questions(seed * 1000 + 11)]
    assert sum(status == 200 for status, *_ in answers) > 0.75 * len(answers)
    assert sum(bool(found[1]) for _, found, _ in answers) > 0.4 * len(answers)
