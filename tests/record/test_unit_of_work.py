"""What commits together, and what stays on the trail when nothing does."""

from __future__ import annotations

import pytest

from openward.audit.models import AuditEvent
from openward.fhir.errors import FhirError
from openward.fhir.resources import HumanName, Patient
from openward.outbox.models import Message
from openward.record import open_store, unit_of_work
from tests import cast

pytestmark = pytest.mark.django_db


def test_a_unit_that_fails_leaves_nothing_of_what_it_wrote() -> None:
    with pytest.raises(ZeroDivisionError), unit_of_work(by=cast.system()) as work:
        work.store.create(Patient(name=[HumanName(family="Example")]))
        Message.objects.create(kind="x", channel="sms", to="x", body="x")
        raise ZeroDivisionError
    assert open_store(cast.system()).search(Patient, {"_total": "accurate"}).total == 0
    assert Message.objects.count() == 0


def test_what_was_refused_stays_on_the_trail_when_the_unit_is_rolled_back() -> None:
    with pytest.raises(FhirError), unit_of_work(by=cast.staff("it-agent")) as work:
        work.store.create(Patient(name=[HumanName(family="Example")]))
    assert AuditEvent.objects.filter(actor="user:it-agent", interaction="create", outcome=4).count() == 1
