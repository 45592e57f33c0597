"""What an agency asked not to be told stays out of the accounting for that time. 45 CFR 164.528(a)(2)"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from openward.accounts.models import User
from openward.audit.models import AuditEvent
from openward.fhir.resources import Patient
from openward.privacy.accounting import accounting_words
from openward.privacy.models import Suspension
from openward.record import open_store
from tests import cast

pytestmark = pytest.mark.django_db

HERE = f"/privacy/patients/{cast.PATIENT_ID}"


@pytest.fixture
def officer(client: Client) -> Client:
    """Two disclosures are written down: to the sheriff and to a county court."""
    person(cast.PATIENT_ID)
    client.force_login(User.objects.create_user(sign_in="pia", password=None, role="privacy-officer", name="Pia Officer"))
    for to in ("County Sheriff, 1 Main St", "County court"):
        client.post(f"{HERE}/disclose", {"given_on": timezone.localdate(), "to": to, "what": "Notes", "why": "Asked"})
    return client


def person(id: str, **more: Any) -> None:
    open_store(cast.system()).update({"resourceType": "Patient", "id": id, "name": [{"family": "Example", "given": ["Ada"]}], **more})


def told(**changes: Any) -> dict[str, Any]:
    today = timezone.localdate()
    facts = {
        "agency": "County sheriff",
        "stated": "Sgt. Doe: a case is open",
        "in_writing": "on",
        "stated_on": today,
        "last_day": today + dt.timedelta(days=90),
    }
    return {name: value for name, value in {**facts, **changes}.items() if value is not None}


def accounted(day: dt.date | None = None) -> set[str]:
    patient = open_store(cast.staff("privacy-officer")).read(Patient, cast.PATIENT_ID)
    return {row[1] for row in accounting_words(patient, 1, day or timezone.localdate())["rows"]}


def test_what_went_to_the_agency_is_withheld_and_nothing_else(officer: Client) -> None:
    officer.post(f"{HERE}/suspend", told())
    assert accounted() == {"County court"}
    assert "County sheriff" in officer.get(HERE).content.decode()


def test_it_is_told_again_after_the_last_day(officer: Client) -> None:
    officer.post(f"{HERE}/suspend", told())
    last = timezone.localdate() + dt.timedelta(days=90)
    assert accounted(last) == {"County court"}
    assert "County Sheriff, 1 Main St" in accounted(last + dt.timedelta(days=1))


def test_it_is_told_again_when_the_officer_ends_it_and_that_once(officer: Client) -> None:
    officer.post(f"{HERE}/suspend", told())
    made = Suspension.objects.get()
    assert officer.post(f"{HERE}/suspend/{made.id}/end").status_code in (302, 303)
    assert len(accounted()) == 2
    assert officer.post(f"{HERE}/suspend/{made.id}/end").status_code == 404


def test_what_was_only_said_holds_thirty_days(officer: Client) -> None:
    today = timezone.localdate()
    assert officer.post(f"{HERE}/suspend", told(in_writing=None, last_day=today + dt.timedelta(days=31))).status_code == 422
    assert officer.post(f"{HERE}/suspend", told(in_writing=None, last_day=today + dt.timedelta(days=30))).status_code in (302, 303)


@pytest.mark.parametrize("changes", [{"agency": ""}, {"stated": ""}, {"last_day": ""}, {"last_day": "2020-01-01"}, {"stated_on": "2999-01-01"}])
def test_one_that_makes_no_sense_is_not_kept(officer: Client, changes: dict[str, Any]) -> None:
    assert officer.post(f"{HERE}/suspend", told(**changes)).status_code == 422
    assert not Suspension.objects.exists()


def test_the_trail_has_it_without_the_patient_who_may_read_it(officer: Client) -> None:
    officer.post(f"{HERE}/suspend", told())
    (event,) = AuditEvent.objects.filter(interaction="suspend-accounting")
    assert (event.whose, event.detail) == ([], f"suspension {Suspension.objects.get().id}")


def test_its_fields_do_not_share_their_names_with_the_list_behind_it(officer: Client) -> None:
    """Two fields of one id on a page: the label of one leads to the other."""
    page = officer.get(f"{HERE}/suspend").content.decode()
    ids = re.findall(r' id="(id_[a-z_]+)"', page)
    assert len(ids) == len(set(ids))


def test_another_patients_or_tenants_is_not_ended(officer: Client) -> None:
    officer.post(f"{HERE}/suspend", told())
    made = Suspension.objects.get()
    person(cast.OTHER_PATIENT_ID)
    assert officer.post(f"/privacy/patients/{cast.OTHER_PATIENT_ID}/suspend/{made.id}/end").status_code == 404
    Suspension.objects.update(tenant=2)
    assert officer.post(f"{HERE}/suspend/{made.id}/end").status_code == 404
    assert len(accounted()) == 2


def test_the_accounting_tells_of_the_record_that_was_merged_into_this_one_too(officer: Client) -> None:
    person(cast.OTHER_PATIENT_ID, active=False, link=[{"other": {"reference": f"Patient/{cast.PATIENT_ID}"}, "type": "replaced-by"}])
    form = {"given_on": timezone.localdate(), "to": "Registry", "what": "Notes", "why": "Asked"}
    officer.post(f"/privacy/patients/{cast.OTHER_PATIENT_ID}/disclose", form)
    person(cast.PATIENT_ID, link=[{"other": {"reference": f"Patient/{cast.OTHER_PATIENT_ID}"}, "type": "replaces"}])
    assert "Registry" in accounted()
    assert f"/privacy/patients/{cast.OTHER_PATIENT_ID}" in officer.get(HERE).content.decode()
