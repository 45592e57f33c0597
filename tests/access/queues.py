"""What puts each job into the queue, tried as everyone: whether it then stands there. And whom the job acts for when it runs.

A job that is registered and stands in none of the tables here fails the matrix.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from openward.access.actor import Actor
from openward.accounts.models import User
from openward.record.jobs import JOBS
from tests import cast
from tests.access.doors import ASYNC, TOLD, client_of
from tests.access.people import HYPERTENSION, condition
from tests.billing.clinic import Clinic

OWN = {"reference": f"Patient/{cast.PATIENT_ID}"}
PARAMETER = {"resourceType": "SearchParameter", "url": "urn:site:contact", "name": "Contact", "status": "active", "description": "Ours.",
             "code": "contact-family", "base": ["Patient"], "type": "string", "expression": "Patient.contact.name.family"}  # fmt: skip
SYSTEM = re.compile(r"""Actor\.system\(\s*["']([^"']+)["']""")


@dataclass(frozen=True)
class Asked:
    """One request to the record that puts a job into the queue. {patient} is the patient of the clinic, who has a claim that is not sent yet."""

    method: str
    path: str
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Pressed:
    """One form of a page that does so. {patient} and {claim} are of the clinic."""

    page: str
    ids: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)


def _note() -> dict[str, Any]:
    return {"resourceType": "Composition", "id": "signed", "status": "final", "subject": OWN, "encounter": {"reference": "Encounter/visit-own"},
            "type": {"coding": [{"system": "http://loinc.org", "code": "11506-3"}]}, "date": timezone.now().isoformat(), "title": "Note",
            "author": [{"reference": f"Practitioner/{cast.PRACTITIONER_ID}"}]}  # fmt: skip


MENDED = [{"op": "add", "path": "/language", "value": "en"}]
IMPORT = {"resourceType": "Parameters", "parameter": [{"name": "input", "part": [{"name": "url", "valueUrl": "Binary/none"}]}]}
NEW = {**TOLD, "id": "new"}

BY_WHOM: Mapping[str, Asked | Pressed] = {
    "billing.bill_visit": Asked("PUT", "Composition/signed", _note()),
    "billing.check_claim": Asked("PATCH", "Patient/{patient}", MENDED),
    "billing.send_submission": Pressed("billing:submit", form={"claim": "{claim}"}),
    "entrance.write_reset_letter": Pressed("accounts:forgot", form={"sign_in": "someone@example.org"}),
    "outbox.deliver": Pressed("registration:invite", ids={"patient": "{patient}"}),
    "privacy.relabel": Pressed("privacy:rules", form={"label": "PSY", "system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "Z99.9"}),
    "record.collect_events": Asked("PUT", "Condition/told", condition("told", HYPERTENSION)),
    "record.reindex": Asked("POST", "SearchParameter", PARAMETER),
    "record.take_import": Asked("POST", "$import", IMPORT, ASYNC),
    "record.tell_subscriber": Asked("PUT", "Subscription/new", NEW),
    "record.write_export": Asked("GET", "Patient/$export", headers=ASYNC),
}
"""Job → what puts it into the queue."""
BY_ANOTHER = {"record.beat_subscriber": "`record.watch_subscriptions`", "keys.reseal": "an operator at the command line, or an upgrade"}
"""Job → what puts it there that is no door for anyone."""
RUNS_AS = {
    "record.write_export": "who asked, if they still may", "record.take_import": "who asked, if they still may",
    "record.tell_subscriber": "the subscription's owner, if they still may", "record.beat_subscriber": "the subscription's owner, if they still may",
    "record.collect_events": "each subscription's owner, if they still may",
    "privacy.flag_lookups": "`system:look for snooping`", "privacy.relabel": "`system:label what is stored`", "privacy.resume_relabelling": "`system:label what is stored`",
}  # fmt: skip
"""Jobs that act for somebody; the rest act under a named system purpose, or read and write no record at all."""


def by_the_clock() -> dict[str, str]:
    """Job → when, as the worker has it."""
    return {task.task.name: task.cron for task in app.periodic_registry.periodic_tasks.values() if task.task.name in JOBS}


def runs_as(job: str) -> str:
    """As its own words have it: the system purpose it names."""
    named = SYSTEM.findall(inspect.getsource(JOBS[job].function))
    return RUNS_AS.get(job) or (f"`system:{named[0]}`" if named else "no record")


def said(job: str) -> str:
    """What was tried, in words."""
    what = BY_WHOM[job]
    return f"`{what.method} {what.path}`" if isinstance(what, Asked) else f"`{what.page}`"


def is_queued(job: str, clinic: Clinic, claim: str, actor: Actor | None, user: User | None) -> bool:
    """Whether what this person did put the job into the queue. What they did is taken back."""
    what = BY_WHOM[job]
    words = {"{patient}": clinic.ids["patient"], "{claim}": claim}
    with transaction.atomic():
        before = ProcrastinateJob.objects.filter(task_name=job).count()
        if isinstance(what, Asked):
            body = json.loads(_said(json.dumps(what.body), words)) if what.body is not None else None
            client_of(actor)(what.method, f"/{_said(what.path, words)}", body, **{**what.headers, **_as_patch(what)})
        elif actor is None or actor.kind != "client":
            _press(what, words, user)
        gained = ProcrastinateJob.objects.filter(task_name=job).count() > before
        transaction.set_rollback(True)
    return gained


def _as_patch(what: Asked) -> dict[str, str]:
    return {"content_type": "application/json-patch+json"} if what.method == "PATCH" else {}


def _press(what: Pressed, words: Mapping[str, str], user: User | None) -> None:
    browser = Browser(raise_request_exception=False)
    if user is not None:
        browser.force_login(user)
    browser.post(
        reverse(what.page, kwargs={name: _said(id, words) for name, id in what.ids.items()}), {k: _said(v, words) for k, v in what.form.items()}
    )


def _said(text: str, words: Mapping[str, str]) -> str:
    for name, value in words.items():
        text = text.replace(name, value)
    return text
