"""Everything that leaves a page as a PDF, a printed page or a file, each asked for as everyone, and what the trail says of it afterwards.

A page that answers with such a thing and stands not here fails the matrix.
"""

from __future__ import annotations

import datetime as dt
import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from importlib import import_module
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.db import transaction
from django.db.models import Q
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from openward.access.known import changing
from openward.access.models import ProxyGrant
from openward.access.roles import ROLES
from openward.accounts.models import User
from openward.audit.models import AuditEvent
from openward.billing import actions
from openward.billing.actions.payments import make_link
from openward.billing.cards import Card
from openward.billing.models import Statement
from openward.fhir.ids import key
from openward.record import unit_of_work
from openward.web.pages import PAGES
from tests import cast
from tests.billing.clinic import PAID_IN_PART, Clinic, answer, file_of

ANSWERS = re.compile(r"\b(?:pdf|print|document|file|csv)_response\(")


@dataclass(frozen=True)
class Paper:
    """One thing that leaves: the page, with which ids, and the interaction by which the trail has it."""

    ids: Mapping[str, str]
    interaction: str = "print"
    query: str = ""
    post: Mapping[str, str] | None = None
    about_the_patient: bool = True


@dataclass
class Desk:
    """The clinic with something of every kind to take away, and everyone who might ask for it."""

    clinic: Clinic
    papers: Mapping[str, Paper]
    users: dict[str, User | None] = field(default_factory=dict)

    def ask(self, name: str, who: str) -> tuple[str, int]:
        """(what the door says, how many entries of its kind about the patient the trail has gained). What was done is taken back."""
        user, paper, client = self.users[who], self.papers[name], Client(raise_request_exception=False)
        if user is not None:
            client.force_login(user)
        before = self.on_the_trail(paper)
        with transaction.atomic():
            url = reverse(name.partition("?")[0], kwargs=dict(paper.ids)) + paper.query
            answered = client.post(url, dict(paper.post)) if paper.post is not None else client.get(url)
            gained = self.on_the_trail(paper) - before
            transaction.set_rollback(True)
        assert user is None or SESSION_KEY in client.session
        return {200: "open", 302: "sign in"}.get(answered.status_code, str(answered.status_code)), gained

    def on_the_trail(self, paper: Paper) -> int:
        found, whose = AuditEvent.objects.filter(interaction=paper.interaction, outcome=0), key("Patient", self.clinic.ids["patient"])
        return (found.filter(Q(patient=whose) | Q(patients__contains=[whose])) if paper.about_the_patient else found).count()


def that_leave() -> set[str]:
    """The names of the pages whose view answers with something to take away."""
    import_module("openward.server.urls")
    return {name for name, page in PAGES.items() if ANSWERS.search(inspect.getsource(inspect.unwrap(page.view)))}


def desk(clinic: Clinic) -> Desk:
    """Needs the clinic of the tests of billing, open."""
    patient, biller = clinic.ids["patient"], clinic.biller
    claim = clinic.sent()
    remittance = actions.take_file(data=file_of(answer(claim, *PAID_IN_PART)), name="era", by=biller)
    statement = actions.send_statement(patient=patient, by=biller)
    with unit_of_work(by=biller) as work:
        token = make_link(work, patient).rsplit("/", 1)[1]
    card = Card("4242424242424242", 12, 2030, "123")
    payment = actions.pay_by_link(token=token, amount=Decimal("40.00"), card=card, idempotency_key="matrix")
    paper = clinic.make("paper", {"resourceType": "DocumentReference", "status": "current", "subject": {"reference": f"Patient/{patient}"},
                                  "content": [{"attachment": {"contentType": "text/plain", "data": "aGk="}}]})  # fmt: skip
    of_patient, visit = {"patient": patient}, {"visit": clinic.ids["visit"]}
    papers = {
        "accounts:invite": Paper(of_patient, post={"who": "patient", "proofed_by": "known"}),
        "billing:paid-pdf": Paper({"token": token}),
        "billing:receipt-pdf": Paper({"payment": str(payment.id)}),
        "billing:remittance-file": Paper({"remittance": str(_remittance())}, "export"),
        "billing:statement-pdf": Paper({"statement": str(statement.id)}),
        "billing:submission": Paper({"submission": str(_submission())}, "export"),
        "chart:document": Paper({**of_patient, "document": str(paper.id)}, "export"),
        "chart:visit-summary": Paper(visit),
        "chart:visit-summary-pdf": Paper(visit),
        "portal:immunizations-pdf": Paper({}),
        "portal:statement": Paper({"number": Statement.objects.get().number}),
        "privacy:accounting": Paper({"id": patient}),
        "privacy:events": Paper({}, "export", "?format=csv", about_the_patient=False),
        "privacy:patient": Paper({"id": patient}, "export", "?format=csv"),
        "privacy:person": Paper({"actor": "user:nurse"}, "export", "?format=csv", about_the_patient=False),
    }
    assert remittance.outcomes
    return Desk(clinic, papers, {**staff(), **_patients(patient), "nobody": None})


def _remittance() -> Any:
    from openward.billing.models import RemittanceRow

    return RemittanceRow.objects.get().id


def _submission() -> Any:
    from openward.billing.models import Submission

    return Submission.objects.get().id


def staff() -> dict[str, User | None]:
    references = {"clinician": f"Practitioner/{cast.PRACTITIONER_ID}"}
    return {role: user(role, role, references.get(role, "")) for role in ROLES if role not in ("patient", "proxy")}


def _patients(patient: str) -> dict[str, User | None]:
    """The patient of the clinic, who looks after them and who once did, and another patient."""
    found: dict[str, User | None] = {"patient": user("own", "patient", f"Patient/{patient}")}
    for name, until in (("proxy", None), ("expired proxy", timezone.now() - dt.timedelta(days=1))):
        found[name] = carer = user(name.replace(" ", "-"), "patient", "")
        with changing():
            ProxyGrant.objects.create(
                tenant=1, user_id=carer.id, patient=key("Patient", patient), reference=f"Patient/{patient}", kind="carer", given_by="test",
                areas=["health", "messages", "bills"], since=timezone.now() - dt.timedelta(days=9), until=until,
            )  # fmt: skip
    return {**found, "another patient": user("another", "patient", f"Patient/{cast.OTHER_PATIENT_ID}")}


def user(name: str, role: str, reference: str) -> User:
    return User.objects.create_user(sign_in=f"{name}@papers.example.org", password=None, role=role, name=name, reference=reference)
