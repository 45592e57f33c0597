"""What leaves by the gross, held to the plain reading of the rules: every export of every client, and what each persona would be told of as a subscriber."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from openward.access.actor import Actor
from openward.fhir.bulk import exports, stored
from openward.fhir.bulk.running import run
from openward.fhir.bulk.spec import Spec
from openward.fhir.ids import key
from openward.fhir.store import Store
from openward.fhir.subscriptions import feed, held, terms
from openward.fhir.subscriptions.notifications import bundle
from openward.record import open_store
from openward.record.connection import connection
from openward.record.exports import Installation
from openward.record.subscriptions import Installation as Desk
from openward.record.work import POLICY
from tests import cast
from tests.access.record import P, Persona, Resource, granted, patient_of, personas
from tests.access.telling import Address, Told, stand, tell

pytestmark = pytest.mark.django_db
EVERYONE = personas()
CLIENTS = [persona for persona in EVERYONE if persona.actor.kind == "client"]
MEMBERS = (P[0], P[3], P[5])
DRUGS = {"code": "F11.20"}
Wanted = Callable[[Resource], bool]


@pytest.fixture(scope="module")
def told(django_db_setup: None, django_db_blocker: Any) -> Iterator[Told]:
    with django_db_blocker.unblock(), transaction.atomic():
        stand()
        found = tell()
        members = [{"entity": {"reference": f"Patient/{id}"}} for id in MEMBERS]
        open_store(cast.system()).update({"resourceType": "Group", "id": "g", "type": "person", "actual": True, "member": members})
        yield found
        transaction.set_rollback(True)


def coded(resource: Resource, *codes: str) -> bool:
    return any(coding.get("code") in codes for coding in resource.get("code", {}).get("coding", ()))


@dataclass
class OfOne(Installation):
    """The installation, its files elsewhere, for a client that needs no token."""

    at: Path
    who: Actor

    @property
    def folder(self) -> Path:
        return self.at

    def actor(self, remembered: dict[str, Any]) -> Actor:
        return self.who


EXPORTS: Mapping[str, tuple[Spec, Wanted]] = {
    "system": (Spec(), lambda one: True),
    "patients": (Spec(compartment=True), lambda one: patient_of(one) is not None),
    "group": (Spec(compartment=True, group="g"), lambda one: patient_of(one) in MEMBERS),
    "some patients": (Spec(compartment=True, patients=(P[1], P[4])), lambda one: patient_of(one) in (P[1], P[4])),
    "by code": (
        Spec(types=("Condition",), filters={"Condition": ["code=F11.20,F32.A"]}),
        lambda one: one["resourceType"] == "Condition" and coded(one, "F11.20", "F32.A"),
    ),
    "group by status": (
        Spec(compartment=True, group="g", types=("Observation", "Encounter"), filters={"Observation": ["status=final"]}),
        lambda one: (
            patient_of(one) in MEMBERS
            and (one["resourceType"] == "Encounter" or (one["resourceType"], one.get("status")) == ("Observation", "final"))
        ),
    ),
}


@pytest.mark.parametrize("persona", CLIENTS, ids=[persona.name for persona in CLIENTS])
@pytest.mark.parametrize("what", EXPORTS)
def test_an_export_holds_what_the_client_may_see_and_nothing_else(persona: Persona, what: str, told: Told, tmp_path: Path) -> None:
    wanted, is_wanted = EXPORTS[what]
    shown = {at for at in told.shown(persona) - set(told.gone) if granted(persona.actor, "s", at[0]) and is_wanted(told.final[at])}
    assert exported(persona.actor, wanted, tmp_path) == shown


def exported(actor: Actor, wanted: Spec, folder: Path) -> set[Address]:
    """Everything in the files; the Group itself aside, which is not of the record that is told."""
    with transaction.atomic():
        id = exports.ask(connection(), 1, actor.id, {}, wanted, "", "")
        run(connection(), 1, id, OfOne(folder, actor))
        made = exports.find(connection(), 1, id)
        assert made is not None
        assert made.state == "done", made.note
        wrote = exports.files_of(connection(), made)
        text = b"".join(piece for file in wrote for piece in stored.plain(file.path(exports.folder_of(folder, id)), file.stored))
        transaction.set_rollback(True)
    lines = [json.loads(line) for line in text.splitlines()]
    return {(line["resourceType"], line["id"]) for line in lines if line["resourceType"] != "Group"}


CRITERIA: Mapping[str, Wanted] = {
    "Condition?code=F11.20,F32.A,I10": lambda one: coded(one, "F11.20", "F32.A", "I10"),
    "Observation?status=final": lambda one: one["status"] == "final",
    "Encounter?status=finished": lambda one: True,
    "Patient?gender=male": lambda one: one["gender"] == "male",
    "Composition?status=final": lambda one: one["status"] == "final",
}


@pytest.mark.parametrize("persona", EVERYONE, ids=[persona.name for persona in EVERYONE])
def test_a_subscriber_is_told_of_what_they_may_see_and_of_nothing_else(persona: Persona, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def theirs(_: Desk, owner: dict[str, Any]) -> Iterator[Store]:
        yield open_store(persona.actor)

    monkeypatch.setattr(Desk, "open_store", theirs)
    shown = told.shown(persona) - set(told.gone)
    for criteria, is_wanted in CRITERIA.items():
        type = criteria.partition("?")[0]
        expected = {at for at in shown if at[0] == type and granted(persona.actor, "r", type) and is_wanted(told.final[at])}
        note = notified(persona, criteria, told)
        sent = {(entry["resource"]["resourceType"], entry["resource"]["id"]) for entry in note["entry"][1:]}
        assert sent == expected, criteria
        counted = next(part["valueString"] for part in note["entry"][0]["resource"]["parameter"] if part["name"] == "events-since-subscription-start")
        assert int(counted) == len(expected), criteria


def notified(persona: Persona, criteria: str, told: Told) -> dict[str, Any]:
    """The notification of everything that was ever written of the type, as the job makes it."""
    asked = {"resourceType": "Subscription", "criteria": criteria, "channel": {"type": "email", "endpoint": "mailto:a@example.org"}}
    wire, at = connection(), key("Subscription", "s")
    with transaction.atomic():
        asks, about = terms.read(asked, lambda _: None, [])
        held.keep(wire, 1, at, "s", {}, asks, about, "active", None)
        one = held.find(wire, 1, at)
        assert one is not None
        listener = feed.Listener(one)
        assert listener.is_understood(wire)
        listener.take(wire, POLICY, latest(criteria.partition("?")[0], told))
        one = held.find(wire, 1, at)
        assert one is not None
        happened = held.happenings(wire, one, 1, one.events, 1000)
        note = bundle(one, "event-notification", "https://clinic.test/fhir", happened, store=open_store(persona.actor), content="full-resource")
        transaction.set_rollback(True)
    return json.loads(json.dumps(note, default=str))  # type: ignore[no-any-return]


def latest(type: str, told: Told) -> list[feed.Changed]:
    """What stands of the type, each as it was written last."""
    versions = {}
    for version in open_store(cast.system()).history(type, count=1000).versions:
        if not version.deleted and (type, version.id) not in told.gone:
            versions.setdefault(version.id, version)
    return [feed.Changed(connection(), 1, version) for version in versions.values()]
