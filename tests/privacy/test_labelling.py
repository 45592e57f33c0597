"""Labels by hand: what a clinician marks is hidden at once, also a signed note, and what the officer marks as VIP."""

from __future__ import annotations

import pytest
from django.test import Client

from openward.access.labels import labels_of
from openward.accounts.models import User
from openward.audit.models import AuditEvent
from openward.fhir.errors import Forbidden, NotFound
from openward.privacy.labelling.actions import set_labels
from openward.record import open_store
from tests import cast
from tests.access.people import HYPERTENSION, OPIOIDS, condition, encounter, house, seen

pytestmark = pytest.mark.django_db
NURSE = cast.staff("nurse")


@pytest.fixture
def clinician(client: Client) -> User:
    store = house()
    store.update(condition("pressure", HYPERTENSION))
    store.update(encounter("visit"))
    made = User.objects.create_user(sign_in="sam", password=None, role="clinician", name="Sam", reference=f"Practitioner/{cast.PRACTITIONER_ID}")
    client.force_login(made)
    return made


def test_what_is_marked_is_hidden_from_who_is_not_cleared(client: Client, clinician: User) -> None:
    assert seen(NURSE) == {"pressure"}
    client.post("/privacy/labels/Condition/pressure", {"labels": ["V"]})
    assert seen(NURSE) == set()
    assert seen(clinician.actor()) == {"pressure"}
    client.post("/privacy/labels/Condition/pressure", {"labels": []})
    assert seen(NURSE) == {"pressure"}


def test_a_signed_note_can_be_marked(client: Client, clinician: User) -> None:
    note = {
        "resourceType": "Composition", "id": "note", "status": "final", "type": {"text": "note"}, "title": "Note", "date": "2026-03-02",
        "subject": {"reference": f"Patient/{cast.PATIENT_ID}"}, "author": [{"reference": f"Practitioner/{cast.PRACTITIONER_ID}"}],
    }  # fmt: skip
    open_store(cast.system()).update(note)
    client.post("/privacy/labels/Composition/note", {"labels": ["PRS"]})
    assert seen(NURSE, "Composition") == set()


def test_is_on_the_trail(client: Client, clinician: User) -> None:
    client.post("/privacy/labels/Condition/pressure", {"labels": ["PSY"]})
    assert AuditEvent.objects.get(interaction="relabel").detail == "Condition: none to PSY"


def test_of_what_one_does_not_see_does_not_exist(client: Client, clinician: User) -> None:
    open_store(cast.system()).update(condition("other", OPIOIDS, cast.OTHER_PATIENT_ID))
    assert client.get("/privacy/labels/Condition/other").status_code == 404
    assert client.post("/privacy/labels/Condition/other", {"labels": []}).status_code == 404


def test_past_the_page_there_is_no_more_either(clinician: User) -> None:
    open_store(cast.system()).update(condition("other", OPIOIDS, cast.OTHER_PATIENT_ID))
    with pytest.raises(NotFound):
        set_labels(type="Condition", id="other", labels=[], by=clinician.actor())
    for who in (NURSE, cast.patient(), cast.client()):
        with pytest.raises(Forbidden):
            set_labels(type="Condition", id="pressure", labels=["PSY"], by=who)


def test_is_not_for_who_has_no_right(client: Client, clinician: User) -> None:
    client.force_login(User.objects.create_user(sign_in="nell", password=None, role="nurse", name="Nell"))
    assert client.post("/privacy/labels/Condition/pressure", {"labels": ["PSY"]}).status_code == 404


def test_the_officer_marks_a_vip(client: Client, clinician: User) -> None:
    client.force_login(User.objects.create_user(sign_in="pia", password=None, role="privacy-officer", name="Pia"))
    assert "Sensitivity labels" in client.get(f"/privacy/patients/{cast.PATIENT_ID}").content.decode()
    client.post(f"/privacy/labels/Patient/{cast.PATIENT_ID}", {"labels": ["CEL"]})
    assert labels_of(open_store(cast.system()).read("Patient", cast.PATIENT_ID).data) == {"CEL"}
    assert seen(NURSE, "Patient") == {cast.PATIENT_ID, cast.OTHER_PATIENT_ID}
