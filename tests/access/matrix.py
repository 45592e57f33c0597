"""Every persona of the matrix at every door: pages, FHIR interactions and operations by type, jobs, exports. Written to docs/access.md, held by a test.

`pytest tests/access/matrix.py` writes the tables. What stands in a cell is asked of the doors themselves, never copied from the code behind them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from uuid import UUID

import pytest
from django.utils import timezone

from openward.access.actor import Actor
from openward.access.policy import AccessPolicy
from openward.access.proxies import as_proxy
from openward.accounts.models import User
from openward.fhir.definitions import RESOURCE_TYPES
from openward.fhir.operations.registry import OPERATIONS
from openward.record.jobs import JOBS
from openward.web.pages import PAGES
from tests import cast
from tests.access.people import HYPERTENSION, OPIOIDS, condition, encounter, labelled

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


def table(first: str, people: Mapping[str, Actor | None], rows: Iterator[tuple[str, list[str]]]) -> list[str]:
    return [f"| {first} | {' | '.join(people)} |", f"|{'---|' * (len(people) + 1)}", *(f"| {name} | {' | '.join(cells)} |" for name, cells in rows)]


def by_record() -> Iterator[tuple[str, list[str]]]:
    """Whose record, and how sensitive: two conditions of each of four patients, asked by search as everyone."""
    from openward.record import open_store

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


def pages() -> str:
    """The generated part of the page."""
    people = cast_of_the_matrix()
    operations = ", ".join(f"`${name}`" for name in sorted({key[0] if isinstance(key, tuple) else str(key) for key in OPERATIONS}))
    jobs = ", ".join(f"`{name}`" for name in sorted(JOBS))
    types = table("type", people, by_type(people))  # before there is any label
    lines = [
        "## By whose record", "",
        "Of the conditions in a record, one ordinary and one of substance use, what a search shows. \"Another patient\" is the one of the same clinic.", "",
        f"| persona | {' | '.join(WHOSE.values())} |", f"|{'---|' * (len(WHOSE) + 1)}",
        *(f"| {name} | {' | '.join(cells)} |" for name, cells in by_record()), "",
        "## By resource type", "",
        "r read, vread and history; s search; c create; u update; d delete; x export. In brackets: of some only (the own compartment, or what the scope covers).",
        "On top of this come labels, consents and the reach of roles of the practice's own, which take away row by row.", "",
        *types, "",
        "## By operation", "",
        f"{operations}: each reads through the same predicate as read and search of the types it touches, so that its columns are theirs.", "",
        "## By page", "",
        "Nobody is sent to sign in, every other refusal is a 404. A client program uses no pages.", "",
        *table("page", people, by_page(people)), "",
        "## By job", "",
        f"{jobs}: run as a named system purpose on behalf of whoever asked; an export or import asks the policy as its asker, at every chunk.", "",
    ]  # fmt: skip
    return "\n".join(lines)


def grant_proxies() -> None:
    """Two people who may, or might once, look after the patient of the cast."""
    from openward.access.known import changing
    from openward.access.models import ProxyGrant
    from openward.record import open_store

    open_store(cast.system()).update({"resourceType": "Patient", "id": cast.PATIENT_ID, "name": [{"family": "E"}], "birthDate": "2018-01-01"})
    for sign_in, until in (("mum@example.org", None), ("late@example.org", timezone.now() - dt.timedelta(days=1))):
        user = User.objects.create_user(sign_in=sign_in, password=None, role="patient", name=sign_in)
        with changing():
            ProxyGrant.objects.create(
                tenant=1, user_id=user.id, patient=UUID(cast.PATIENT_ID), reference=f"Patient/{cast.PATIENT_ID}", kind="guardian", areas=["health", "messages"],
                since=timezone.now() - dt.timedelta(days=9), until=until, given_by="test",
            )  # fmt: skip


def documented() -> str:
    text = DOC.read_text(encoding="utf-8")
    return text[text.index(BEGIN) + len(BEGIN) : text.index(END)].strip()


@pytest.mark.django_db
def test_write() -> None:
    """Run by name to write the tables anew."""
    grant_proxies()
    text = DOC.read_text(encoding="utf-8")
    DOC.write_text(text[: text.index(BEGIN) + len(BEGIN)] + "\n" + pages() + "\n" + text[text.index(END) :], encoding="utf-8")
