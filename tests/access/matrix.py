"""Every persona of the matrix at every door: pages, FHIR interactions and operations by type, jobs, exports. Written to docs/access.md, held by a test.

`pytest tests/access/matrix.py` writes the tables. What stands in a cell is asked of the doors themselves, never copied from the code behind them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from uuid import UUID

import pytest

from openward.access.actor import Actor
from openward.access.policy import AccessPolicy
from openward.access.proxies import as_proxy
from openward.accounts.models import User
from openward.fhir.definitions import RESOURCE_TYPES
from openward.fhir.operations.registry import OPERATIONS
from openward.record.jobs import JOBS
from openward.web.pages import PAGES
from tests import cast

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


def pages() -> str:
    """The generated part of the page."""
    people = cast_of_the_matrix()
    operations = ", ".join(f"`${name}`" for name in sorted({key[0] if isinstance(key, tuple) else str(key) for key in OPERATIONS}))
    jobs = ", ".join(f"`{name}`" for name in sorted(JOBS))
    lines = [
        "## By resource type", "",
        "r read, vread and history; s search; c create; u update; d delete; x export. In brackets: of some only (the own compartment, or what the scope covers).",
        "On top of this come labels, consents and the reach of roles of the practice's own, which take away row by row.", "",
        *table("type", people, by_type(people)), "",
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
    import datetime as dt

    from django.utils import timezone

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
