"""Every persona of the matrix at every door: pages, FHIR interactions and operations by type, jobs, exports. Written to docs/access.md, held by a test.

`pytest tests/access/matrix.py` writes the tables. What stands in a cell is asked of the doors themselves, never copied from the code behind them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from django.utils import timezone

from openward.access.actor import Actor
from openward.access.known import forget
from openward.access.policy import AccessPolicy
from openward.access.proxies import as_proxy
from openward.accounts.models import User
from openward.fhir.definitions import RESOURCE_TYPES
from openward.record import open_store
from openward.record.jobs import JOBS
from openward.web.pages import PAGES
from tests import cast
from tests.access import doors, papers, queues
from tests.access.people import HYPERTENSION, OPIOIDS, condition, encounter, labelled
from tests.billing.clinic import Clinic

DOC = Path(__file__).resolve().parents[2] / "docs" / "access.md"
BEGIN, END = "<!-- matrix -->", "<!-- end of matrix -->"
ACTS = (("read", "r"), ("search", "s"), ("create", "c"), ("update", "u"), ("delete", "d"), ("export", "x"))
ROLES = ("front-desk", "nurse", "clinician", "biller", "it-agent", "manager", "privacy-officer", "administrator")
CLIENT = "system/*.cruds"


def cast_of_the_matrix() -> dict[str, Actor | None]:
    """Who stands at the doors, by the name of their column. The proxies need `grant_proxies` first."""
    people: dict[str, Actor | None] = {role: cast.staff(role) for role in ROLES}
    people["patient"] = cast.patient()
    people["proxy"] = _proxy("mum@example.org")
    people["expired proxy"] = _proxy("late@example.org")
    people["system client"] = cast.client(CLIENT)
    people["narrow client"] = cast.client("system/Patient.rs system/Observation.rs")
    people["nobody"] = None
    return people


def _proxy(sign_in: str) -> Actor:
    from dataclasses import replace

    user = User.objects.get(sign_in=sign_in)
    reference = f"Patient/{cast.PATIENT_ID}"
    return as_proxy(user.actor(), reference) or replace(user.actor(), role="proxy", reference=reference, on_behalf_of=reference)


def letters(actor: Actor | None, type: str) -> str:
    """What the actor may do with the type: a letter for all of it, in brackets what is only some of it."""
    if actor is None:
        return ""
    policy, whole, some = AccessPolicy(), "", ""
    for interaction, letter in ACTS:
        where = policy.where(actor, interaction, type)  # type: ignore[arg-type]
        if where is not None and where.sql != "false":
            whole, some = (whole + letter, some) if where.everything else (whole, some + letter)
    return whole + (f"({some})" if some else "")


def by_type(people: Mapping[str, Actor | None]) -> Iterator[tuple[str, list[str]]]:
    """Types anybody but the whole-record client may touch, with a cell for each persona; the rest in one line."""
    rest: list[str] = []
    for type in RESOURCE_TYPES:
        cells = [letters(actor, type) for actor in people.values()]
        if sum(bool(cell) for cell in cells) > 1:
            yield type, cells
        else:
            rest.append(type)
    yield f"{len(rest)} further types", [letters(actor, rest[0]) for actor in people.values()]


def by_page(people: Mapping[str, Actor | None]) -> Iterator[tuple[str, list[str]]]:
    import_module("openward.server.urls")  # which registers every page
    for name, page in sorted(PAGES.items()):
        yield (
            f"`{name}`",
            [
                "open" if page.public or (actor is not None and actor.kind != "client" and _may(actor, page.needs)) else ""
                for actor in people.values()
            ],
        )


def _may(actor: Actor, permission: object) -> bool:
    return permission is None or actor.may(permission)  # type: ignore[arg-type]


def table(first: str, people: Mapping[str, object], rows: Iterator[tuple[str, list[str]]]) -> list[str]:
    return [f"| {first} | {' | '.join(people)} |", f"|{'---|' * (len(people) + 1)}", *(f"| {name} | {' | '.join(cells)} |" for name, cells in rows)]


def by_record() -> Iterator[tuple[str, list[str]]]:
    """Whose record, and how sensitive: two conditions of each of four patients, asked by search as everyone."""
    made = list(records())
    store = open_store(cast.system())
    for one in made:
        store.update(one)
    for name, actor in whose_people().items():
        shown = {str(found.id) for found in open_store(actor).search("Condition", {"_count": 50})} if _may_search(actor) else set()
        yield name, [_how_much(shown, whose) for whose in WHOSE]


WHOSE = {"own": "their own, or in their own care", "same": "of the same clinic", "other": "of another clinic", "closed": "very restricted"}
_AT = {"own": "c1", "same": "c2", "other": "c3", "closed": "c4"}
DOCTOR, COLLEAGUE = cast.PRACTITIONER_ID, "0199c1f0-0000-7000-8000-00000000d0c2"
STAFF = {name: f"0199c1f0-0000-7000-8000-0000000006{number:02x}" for number, name in enumerate(("same clinic", "own care"))}


def records() -> Iterator[dict[str, object]]:
    for place in ("here", "there"):
        yield {"resourceType": "Location", "id": place, "name": place, "status": "active"}
    for id in (DOCTOR, COLLEAGUE):
        yield {"resourceType": "Practitioner", "id": id, "name": [{"family": "D"}]}
    for whose, end in _AT.items():
        patient = cast.PATIENT_ID if whose == "own" else f"{cast.PATIENT_ID[:-2]}{end}"
        label = labelled("V") if whose == "closed" else {}
        yield {"resourceType": "Patient", "id": patient, "name": [{"family": whose}], "birthDate": "2018-01-01", **label}
        doctor, place = (DOCTOR if whose == "own" else COLLEAGUE), ("there" if whose == "other" else "here")
        yield encounter(f"visit-{whose}", patient, doctor, f"Location/{place}")
        yield condition(f"{whose}-plain", HYPERTENSION, patient)
        yield condition(f"{whose}-sensitive", OPIOIDS, patient)


def whose_people() -> dict[str, Actor | None]:
    """The cast, with the roles of the practice's own beside it: a nurse of one facility, a nurse of her own patients."""
    from openward.access.known import changing
    from openward.access.models import Assignment, CustomRole, Opening
    from openward.access.roles import ROLES as SHIPPED

    nurse = SHIPPED["nurse"]
    with changing():
        for name, reach in (("same clinic", "facility"), ("own care", "care-team")):
            role = CustomRole.objects.create(
                tenant=1, key=reach, title=name, sentence=name, based_on="nurse", grants=dict(nurse.grants), reach=reach, cleared=sorted(nurse.cleared),
                cleared_in_care=sorted(nurse.cleared_in_care), made_by="test",
            )  # fmt: skip
            Assignment.objects.create(
                tenant=1, user_id=STAFF[name], role=role, facility="Location/here" if reach == "facility" else "", given_by="test"
            )
        Opening.objects.create(
            tenant=1, actor="user:broke", actor_name="N", actor_role="nurse", patient=UUID(f"{cast.PATIENT_ID[:-2]}c4"), reference="Patient/x", reason="emergency",
            words="an emergency", until=timezone.now() + dt.timedelta(hours=1),
        )  # fmt: skip
    people = cast_of_the_matrix()
    doctor = f"Practitioner/{DOCTOR}"
    people["nurse of one facility"] = Actor("user:f", "F", "staff", 1, role="nurse", user_id=STAFF["same clinic"])
    people["nurse of her own patients"] = Actor("user:c", "C", "staff", 1, role="nurse", user_id=STAFF["own care"], reference=doctor)
    people["nurse after emergency access"] = Actor("user:broke", "N", "staff", 1, role="nurse")
    people["another patient"] = cast.patient(f"{cast.PATIENT_ID[:-2]}c2")
    return people


def _may_search(actor: Actor | None) -> bool:
    return actor is not None and AccessPolicy().where(actor, "search", "Condition") is not None


def _how_much(shown: set[str], whose: str) -> str:
    return {(True, True): "all", (True, False): "not substance use"}.get((f"{whose}-plain" in shown, f"{whose}-sensitive" in shown), "")


def whose_record(_: Clinic) -> list[str]:
    return [
        "Of the conditions in a record, one ordinary and one of substance use, what a search shows. \"Another patient\" is the one of the same clinic.", "",
        f"| persona | {' | '.join(WHOSE.values())} |", f"|{'---|' * (len(WHOSE) + 1)}",
        *(f"| {name} | {' | '.join(cells)} |" for name, cells in by_record()),
    ]  # fmt: skip


def resource_types(_: Clinic) -> list[str]:
    people = cast_of_the_matrix()
    return [
        "r read, vread and history; s search; c create; u update; d delete; x export. In brackets: of some only (the own compartment, or what the scope covers).",
        "On top of this come labels, consents and the reach of roles of the practice's own, which take away row by row.", "",
        *table("type", people, by_type(people)),
    ]  # fmt: skip


def operations(_: Clinic) -> list[str]:
    """Every operation at every level it stands on, called as everyone about each of four records."""
    store = open_store(cast.system())
    for one in [*records(), *doors.behind_them()]:
        store.update(one)
    people = whose_people()
    owner = doors.client_of(people["system client"])
    assert owner("PUT", "/Subscription/told", doors.TOLD).status == 201
    task = doors.merged(owner)
    rows = (
        (f"`{doors.words(key)}`", [doors.walk(doors.client_of(actor), doors.DOORS[key], task) for actor in people.values()])
        for key in sorted(doors.registered(), key=doors.words)
    )
    return [
        "Called in earnest. Of an operation about a patient, whose data it gave: o their own or in their own care, s of the same clinic, e elsewhere, v very restricted.",
        "Else `yes`, or the status of the refusal; `none` where the answer holds nothing of theirs. `422`: let in, and told that it cannot be done.", "",
        *table("operation", people, rows),
    ]  # fmt: skip


def exports(clinic: Clinic) -> list[str]:
    """Whatever leaves, asked for as everyone; where it was given, the trail has it."""
    desk = papers.desk(clinic)
    rows: list[tuple[str, list[str]]] = []
    for name, paper in sorted(desk.papers.items()):
        asked = [desk.ask(name, who) for who in desk.users]
        wrong = [who for who, (said, entries) in zip(desk.users, asked, strict=True) if entries != (1 if said == "open" else 0)]
        assert wrong == [], f"{name}: not on the trail exactly once as {paper.interaction} when given to {wrong}"
        rows.append((f"`{name}{paper.query}` ({paper.interaction})", [said for said, _ in asked]))
    return [
        "PDFs, printed pages, files: of the patient's record. Where it opens the trail has gained an entry of the kind in brackets, about the patient.",
        "`$export` and `$import` stand among the operations. A client program uses no pages.", "",
        *table("what leaves", desk.users, iter(rows)),
    ]  # fmt: skip


def all_pages(_: Clinic) -> list[str]:
    people = cast_of_the_matrix()
    return ["Nobody is sent to sign in, every other refusal is a 404. A client program uses no pages.", "", *table("page", people, by_page(people))]


def jobs(clinic: Clinic) -> list[str]:
    """Every job: what puts it into the queue, tried as everyone, and whom it acts for."""
    claim = _something_to_do(clinic)
    people, clock = cast_of_the_matrix(), queues.by_the_clock()
    users = {**papers.staff(), **_signed_in()}
    rows: list[tuple[str, list[str]]] = []
    for name in sorted(JOBS):
        how = f"the clock, `{clock[name]}`" if name in clock else queues.BY_ANOTHER.get(name, "")
        tried = [
            "queues" if name in queues.BY_WHOM and queues.is_queued(name, clinic, claim, actor, users.get(persona)) else ""
            for persona, actor in people.items()
        ]
        rows.append((f"`{name}`", [how or queues.said(name), queues.runs_as(name), *tried]))
    return [
        "What puts a job into the queue, tried as everyone: who may do that is the policy's to say, and nothing else is between a person and the queue.",
        "A job for somebody asks the policy as them, at every chunk; the others act under the purpose they name.", "",
        *table("job", {"put there by": None, "runs as": None, **people}, iter(rows)),
    ]  # fmt: skip


def _something_to_do(clinic: Clinic) -> str:
    """The record of the matrix, someone who listens, and a claim of the clinic that is ready to be sent."""
    from openward.fhir.subscriptions import feed
    from openward.record.connection import connection

    store = open_store(cast.system())
    for one in [*records(), *doors.behind_them()]:
        store.update(one)
    doors.client_of(cast.client(CLIENT))("PUT", "/Subscription/told", doors.TOLD)
    connection().execute("update fhir.subscription set state = 'active'")
    feed.forget_listeners()
    return str(clinic.claim().id)


def _signed_in() -> dict[str, User | None]:
    carers = {"proxy": "mum@example.org", "expired proxy": "late@example.org"}
    patient = papers.user("patient", "patient", f"Patient/{cast.PATIENT_ID}")
    return {"patient": patient, **{name: User.objects.get(sign_in=sign_in) for name, sign_in in carers.items()}}


SECTIONS: Mapping[str, Callable[[Clinic], list[str]]] = {
    "By whose record": whose_record,
    "By resource type": resource_types,
    "By operation": operations,
    "By what leaves": exports,
    "By page": all_pages,
    "By job": jobs,
}


def grant_proxies() -> None:
    """Two people who may, or might once, look after the patient of the cast."""
    from openward.access.known import changing
    from openward.access.models import ProxyGrant

    open_store(cast.system()).update({"resourceType": "Patient", "id": cast.PATIENT_ID, "name": [{"family": "E"}], "birthDate": "2018-01-01"})
    for sign_in, until in (("mum@example.org", None), ("late@example.org", timezone.now() - dt.timedelta(days=1))):
        user = User.objects.create_user(sign_in=sign_in, password=None, role="patient", name=sign_in)
        with changing():
            ProxyGrant.objects.create(
                tenant=1, user_id=user.id, patient=UUID(cast.PATIENT_ID), reference=f"Patient/{cast.PATIENT_ID}", kind="guardian", areas=["health", "messages"],
                since=timezone.now() - dt.timedelta(days=9), until=until, given_by="test",
            )  # fmt: skip


def documented(title: str) -> str:
    """The section as the page has it."""
    text = DOC.read_text(encoding="utf-8")
    parts = text[text.index(BEGIN) + len(BEGIN) : text.index(END)].split("\n## ")
    return next((part.partition("\n")[2].strip() for part in parts if part.partition("\n")[0] == title), "")


def told(title: str, folder: Path, settings: Any) -> str:
    """The section as the doors answer today. What is made for it is in the caller's transaction."""
    settings.OPENWARD_DATA = folder
    grant_proxies()
    return "\n".join(SECTIONS[title](Clinic.open())).strip()


@pytest.mark.django_db
def test_write(tmp_path: Path, settings: Any) -> None:
    """Run by name to write the tables anew."""
    sections = []
    for title in SECTIONS:
        with transaction.atomic():
            sections.append(f"## {title}\n\n{told(title, tmp_path, settings)}\n")
            transaction.set_rollback(True)
        forget()
    text = DOC.read_text(encoding="utf-8")
    DOC.write_text(text[: text.index(BEGIN) + len(BEGIN)] + "\n" + "\n".join(sections) + "\n" + text[text.index(END) :], encoding="utf-8")
