"""Orders, and results as a laboratory sends them: by the REST surface's own store, never lost, each in the inbox of who ordered it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from openward.audit.models import AuditEvent
from openward.chart.actions import cancel_order, complete, match_result, open_note, order_tests, review_result
from openward.chart.errors import IllegalTransition, NothingToOrder, ResultChanged, ResultIsFinal, ResultOfAnother
from openward.chart.queries import released_results
from openward.chart.queries.inbox import read_inbox
from openward.chart.queries.results import overdue_orders, under_review
from openward.fhir.errors import FhirError
from openward.fhir.resources import DiagnosticReport, Observation, ServiceRequest, Task
from openward.fhir.work import UnitOfWork
from openward.record import open_store

LAB = [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}]
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"


@pytest.fixture
def order(clinic, clinician) -> ServiceRequest:
    return order_tests(patient=clinic.patient, tests=["a1c"], by=clinician)[0]


def a1c(order: ServiceRequest | None, value: str = "8.1", mark: str = "H", **more: Any) -> dict[str, Any]:
    data: dict[str, Any] = {
        "resourceType": "Observation",
        "status": "final",
        "category": LAB,
        "code": {"coding": [{"system": "http://loinc.org", "code": "4548-4"}], "text": "Hemoglobin A1c"},
        "effectiveDateTime": timezone.now().isoformat(timespec="seconds"),
        "valueQuantity": {"value": Decimal(value), "unit": "%", "code": "%", "system": "http://unitsofmeasure.org"},
        "interpretation": [{"coding": [{"system": INTERPRETATION, "code": mark}]}],
        **more,
    }
    if order is not None:
        data |= {"basedOn": [{"reference": f"ServiceRequest/{order.id}"}], "subject": order.subject.data}
    return data


def report(order: ServiceRequest | None, *results: str, status: str = "final", **more: Any) -> dict[str, Any]:
    data: dict[str, Any] = {
        "resourceType": "DiagnosticReport",
        "status": status,
        "category": LAB,
        "code": {"coding": [{"system": "http://loinc.org", "code": "4548-4"}], "text": "Hemoglobin A1c"},
        "issued": timezone.now().isoformat(timespec="seconds"),
        **({"result": [{"reference": one} for one in results]} if results else {}),
        **more,
    }
    if order is not None:
        data |= {"basedOn": [{"reference": f"ServiceRequest/{order.id}"}], "subject": order.subject.data}
    return data


def send(laboratory, order: ServiceRequest | None, value: str = "8.1", mark: str = "H", **more: Any) -> dict[str, Any]:
    """A transaction as a laboratory sends it: the value and the report that names it."""
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": "urn:uuid:0199c1f0-0000-4000-8000-000000000001",
                "resource": a1c(order, value, mark),
                "request": {"method": "POST", "url": "Observation"},
            },
            {
                "resource": report(order, "urn:uuid:0199c1f0-0000-4000-8000-000000000001", **more),
                "request": {"method": "POST", "url": "DiagnosticReport"},
            },
        ],
    }
    return open_store(laboratory).bundle(bundle)


class TestOrders:
    def test_are_signed_once_and_get_a_number_each(self, clinic, clinician):
        made = order_tests(patient=clinic.patient, tests=["a1c", "cmp", "a1c"], by=clinician)
        numbers = {one.identifier[0].value for one in made}
        assert (len(made), len(numbers), len({one.requisition.value for one in made})) == (2, 2, 1)

    def test_carry_the_code_and_the_requester(self, order, clinic):
        assert (order.code.coding[0].code, order.requester.target_id, order.encounter.target_id) == ("4548-4", clinic.practitioner, clinic.visit)

    def test_of_nothing_are_refused(self, clinic, clinician):
        with pytest.raises(NothingToOrder):
            order_tests(patient=clinic.patient, tests=["no such test"], by=clinician)

    def test_can_be_cancelled_and_stay_so(self, order, clinician):
        cancelled = cancel_order(order=str(order.id), reason="Done elsewhere", by=clinician)
        cancelled.status = "active"
        with pytest.raises(IllegalTransition):
            open_store(clinician).update(cancelled)

    def test_get_a_number_when_another_system_places_them(self, clinic):
        from tests.cast import client

        made = open_store(client()).create(
            {
                "resourceType": "ServiceRequest",
                "status": "active",
                "intent": "order",
                "code": {"text": "TSH"},
                "subject": {"reference": f"Patient/{clinic.patient}"},
            }
        )
        assert made.identifier[0].system == "urn:openward:order"


class TestAResult:
    def test_lands_in_the_inbox_of_who_ordered_it(self, clinic, clinician, order, laboratory):
        send(laboratory, order)
        (item,) = read_inbox(open_store(clinician), clinician).items
        assert (item.kind, item.title, item.patient_id, item.is_everyones) == ("review-result", "Hemoglobin A1c", clinic.patient, False)

    def test_is_one_item_though_it_is_a_value_and_a_report(self, clinic, order, laboratory):
        send(laboratory, order)
        (task,) = clinic.all(Task)
        assert task.focus.type == "DiagnosticReport"

    def test_is_no_refusal_in_the_trail(self, clinic, order, laboratory):
        """Looking whether there is an item already stood, with each new result, among what was refused: the privacy officer's list was full of it."""
        send(laboratory, order)
        assert AuditEvent.objects.filter(outcome=4).count() == 0

    def test_completes_its_order(self, clinic, order, laboratory):
        send(laboratory, order)
        assert clinic.read(ServiceRequest, order.id).status == "completed"

    def test_preliminary_does_not_complete_it(self, clinic, order, laboratory):
        send(laboratory, order, status="preliminary")
        assert clinic.read(ServiceRequest, order.id).status == "active"

    def test_critical_stands_first(self, clinic, clinician, laboratory, order):
        send(laboratory, order)
        second = order_tests(patient=clinic.patient, tests=["potassium"], by=clinician)[0]
        send(laboratory, second, value="14", mark="HH")
        first = read_inbox(open_store(clinician), clinician).items[0]
        assert (first.is_critical, first.task.basedOn[0].target_id) == (True, second.id)

    def test_unsigned_notes_stand_beside_it_with_whose_they_are(self, clinic, clinician):
        open_note(patient=clinic.patient, template="soap", by=clinician)
        (draft,) = read_inbox(open_store(clinician), clinician).drafts
        assert draft.patient_name == "NAKAMURA, Ada"

    def test_is_not_in_a_colleagues_inbox(self, clinic, colleague, order, laboratory):
        send(laboratory, order)
        assert read_inbox(open_store(colleague), colleague).items == []

    def test_sent_with_the_order_number_only_finds_order_and_patient(self, clinic, order, laboratory):
        number = {"identifier": {"system": "urn:openward:order", "value": order.identifier[0].value}}
        made = open_store(laboratory).create(a1c(None, basedOn=[number]))
        assert (made.basedOn[0].target_id, made.subject.target_id) == (order.id, clinic.patient)

    def test_tells_the_open_inbox(self, clinic, order, laboratory, monkeypatch):
        told: list[str] = []
        monkeypatch.setattr(UnitOfWork, "notify", lambda _work, topic, **_payload: told.append(topic))
        send(laboratory, order)
        assert f"inbox:{clinic.practitioner}" in told

    def test_alone_without_a_report_is_an_item_too(self, clinic, clinician, order, laboratory):
        open_store(laboratory).create(a1c(order))
        (item,) = read_inbox(open_store(clinician), clinician).items
        assert [group.latest.value for group in under_review(open_store(clinician), item.id).groups] == ["8.1"]

    def test_of_long_ago_is_history_not_news(self, clinic, laboratory):
        old = report(None, status="final", issued="2019-03-04T10:00:00Z", subject={"reference": f"Patient/{clinic.patient}"})
        open_store(laboratory).create(old)
        assert clinic.all(Task) == []

    def test_for_an_order_that_does_not_exist_is_refused_whole(self, clinic, laboratory):
        gone = ServiceRequest(status="active", intent="order")
        gone.data |= {"id": "nowhere", "subject": {"reference": f"Patient/{clinic.patient}"}}
        with pytest.raises(FhirError):
            send(laboratory, gone)
        assert clinic.all(Observation) == []


class TestAResultNobodyOrdered:
    def test_is_everyones_item(self, clinic, clinician, laboratory):
        send(laboratory, None)
        (item,) = read_inbox(open_store(clinician), clinician).items
        assert (item.is_everyones, item.patient_name) == (True, "Patient not known")

    def test_is_matched_by_the_patients_number(self, clinic, clinician, laboratory):
        send(laboratory, None)
        (item,) = read_inbox(open_store(clinician), clinician).items
        match_result(task=item.id, number="OW-000123", by=clinician)
        matched = under_review(open_store(clinician), item.id)
        assert (matched.patient.id, matched.task.owner.target_id, clinic.all(Observation)[0].subject.target_id) == (
            clinic.patient,
            clinic.practitioner,
            clinic.patient,
        )


class TestReview:
    @pytest.fixture
    def item(self, clinic, clinician, order, laboratory):
        send(laboratory, order)
        return read_inbox(open_store(clinician), clinician).items[0]

    def test_shows_the_value_with_those_before_it(self, clinic, clinician, laboratory, order):
        open_store(laboratory).create(
            a1c(None, "7.0", "H", subject={"reference": f"Patient/{clinic.patient}"}, effectiveDateTime="2026-03-01T08:00:00Z")
        )
        send(laboratory, order)
        item = read_inbox(open_store(clinician), clinician).items[0]
        (group,) = under_review(open_store(clinician), item.id).groups
        assert [row.value for row in group.rows] == ["8.1", "7.0"]

    def test_released_reaches_the_patient_with_the_clinicians_words(self, clinic, clinician, patient_actor, item):
        review_result(task=item.id, comment="Come and see me.", release=True, by=clinician)
        (seen,) = released_results(open_store(patient_actor), clinic.patient)
        assert (seen.name, seen.comment, seen.values[0].row.value) == ("Hemoglobin A1c", "Come and see me.", "8.1")

    def test_not_released_does_not(self, clinic, clinician, patient_actor, item):
        review_result(task=item.id, comment="Wait.", release=False, by=clinician)
        assert released_results(open_store(patient_actor), clinic.patient) == []

    @pytest.mark.parametrize("type", [Observation, DiagnosticReport])
    def test_released_and_taken_back_by_the_laboratory_is_told_no_longer(self, clinic, clinician, patient_actor, laboratory, item, type):
        """Entered in error: "the observation has been withdrawn"; the patient went on reading it as theirs."""
        review_result(task=item.id, release=True, by=clinician)
        wrong = clinic.all(type)[0]
        wrong.status = "entered-in-error"
        open_store(laboratory).update(wrong)
        assert [value for one in released_results(open_store(patient_actor), clinic.patient) for value in one.values] == []

    def test_finishes_the_item(self, clinician, item):
        review_result(task=item.id, by=clinician)
        assert read_inbox(open_store(clinician), clinician).items == []

    def test_tells_the_patient_without_saying_what(self, clinic, clinician, item):
        from openward.outbox.models import Message

        review_result(task=item.id, comment="Your A1c is 8.1", release=True, by=clinician)
        message = Message.objects.get(kind="result-released")
        assert (message.to, "8.1" in message.body, "A1c" in message.body) == ("ada@example.org", False, False)

    def test_of_what_is_no_longer_there_is_refused_and_nothing_is_released(self, clinic, clinician, patient_actor, laboratory, item):
        """The corrected value came between reading and pressing: the patient got it with the words meant for the wrong one."""
        read = under_review(open_store(clinician), item.id)
        value = clinic.all(Observation)[0]
        value.status, value.valueQuantity.value = "corrected", Decimal("4.9")
        open_store(laboratory).update(value)
        with pytest.raises(ResultChanged):
            review_result(task=item.id, comment="Far too high.", release=True, seen=read.seen, by=clinician)
        assert (released_results(open_store(patient_actor), clinic.patient), read_inbox(open_store(clinician), clinician).items[0].id) == (
            [],
            item.id,
        )

    def test_by_two_people_at_once_does_not_write_over_the_first_ones_words(self, clinic, clinician, colleague, item):
        seen = under_review(open_store(clinician), item.id).seen
        review_result(task=item.id, comment="Come and see me.", release=True, seen=seen, by=clinician)
        with pytest.raises(ResultChanged):
            review_result(task=item.id, comment="All is well.", release=True, seen=seen, by=colleague)
        assert clinic.all(DiagnosticReport)[0].conclusion == "Come and see me."

    def test_of_what_is_on_the_screen_is_taken(self, clinician, item):
        review_result(task=item.id, seen=under_review(open_store(clinician), item.id).seen, by=clinician)
        assert read_inbox(open_store(clinician), clinician).items == []

    def test_a_correction_opens_the_item_again(self, clinic, clinician, laboratory, item):
        review_result(task=item.id, release=True, by=clinician)
        corrected = clinic.all(DiagnosticReport)[0]
        corrected.status, corrected.conclusion = "corrected", "Sample was mixed up"
        open_store(laboratory).update(corrected)
        assert [one.id for one in read_inbox(open_store(clinician), clinician).items] == [item.id]


def bundle_of(*resources: dict[str, Any]) -> dict[str, Any]:
    """A transaction that creates these in this order; the value has the address a report names it by."""
    entries = [{"resource": one, "request": {"method": "POST", "url": one["resourceType"]}} for one in resources]
    for entry in entries:
        if entry["resource"]["resourceType"] == "Observation":
            entry["fullUrl"] = VALUE
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


VALUE = "urn:uuid:0199c1f0-0000-4000-8000-000000000001"


class TestWhatOpensTheItemAgain:
    """CLIA 42 CFR 493.1291(k): a laboratory tells of a corrected report at once; whoever read the wrong value must read the right one."""

    @pytest.fixture
    def value(self, clinic, clinician, order, laboratory) -> Observation:
        made: Observation = open_store(laboratory).create(a1c(order))
        self.read(clinic, clinician)
        return made

    def read(self, clinic, clinician) -> None:
        (item,) = clinic.all(Task)
        complete(task=str(item.id), by=clinician)

    def item(self, clinic) -> tuple[str, str]:
        (found,) = clinic.all(Task)
        return found.status, found.priority

    def test_a_second_correction(self, clinic, clinician, laboratory, value):
        value.status, value.valueQuantity.value = "corrected", Decimal("9.1")
        again = open_store(laboratory).update(value)
        self.read(clinic, clinician)
        again.valueQuantity.value = Decimal("19.1")
        open_store(laboratory).update(again)
        assert self.item(clinic) == ("requested", "routine")

    def test_a_preliminary_value_that_changes(self, clinic, clinician, order, laboratory):
        growing = open_store(laboratory).create({**a1c(order), "status": "preliminary"})
        self.read(clinic, clinician)
        growing.valueQuantity.value = Decimal("9.1")
        open_store(laboratory).update(growing)
        assert self.item(clinic) == ("requested", "routine")

    def test_a_final_value_that_is_called_critical_afterwards(self, clinic, laboratory, value):
        value.interpretation[0].coding[0].code = "HH"
        open_store(laboratory).update(value)
        assert self.item(clinic) == ("requested", "stat")

    def test_a_value_that_is_taken_back(self, clinic, laboratory, value):
        value.status = "entered-in-error"
        open_store(laboratory).update(value)
        assert self.item(clinic) == ("requested", "routine")

    def test_and_says_which_value_was_taken_back(self, clinic, clinician, laboratory, sign_in, value):
        value.status = "entered-in-error"
        open_store(laboratory).update(value)
        (item,) = clinic.all(Task)
        shown = sign_in("clinician").get(f"/chart/inbox/results/{item.id}/").content.decode()
        assert ("The laboratory took this back" in shown, "8.1 %" in shown) == (True, True)

    def test_a_correction_of_the_value_alone_where_only_its_report_names_the_order(self, clinic, clinician, order, laboratory):
        value = open_store(laboratory).create(a1c(None, subject=order.subject.data))
        open_store(laboratory).create(report(order, f"Observation/{value.id}"))
        self.read(clinic, clinician)
        value.status, value.valueQuantity.value, value.interpretation[0].coding[0].code = "corrected", Decimal(19), "HH"
        open_store(laboratory).update(value)
        assert self.item(clinic) == ("requested", "stat")

    def test_not_the_same_sent_again_with_another_moment_of_issue(self, clinic, clinician, order, laboratory):
        growing = open_store(laboratory).create({**a1c(order), "status": "preliminary"})
        self.read(clinic, clinician)
        growing.issued = timezone.now()
        open_store(laboratory).update(growing)
        assert self.item(clinic) == ("completed", "routine")


class TestACriticalValue:
    """It stands first in the inbox however the laboratory sends it. https://hl7.org/fhir/R4/diagnosticreport.html: only values are interpreted, no report is."""

    @pytest.mark.parametrize("report_first", [False, True])
    def test_is_found_in_the_report_that_alone_names_the_order(self, clinic, order, laboratory, report_first):
        sent = [a1c(None, "19", "HH", subject=order.subject.data), report(order, VALUE)]
        open_store(laboratory).bundle(bundle_of(*(reversed(sent) if report_first else sent)))
        (item,) = clinic.all(Task)
        assert (item.priority, item.focus.type) == ("stat", "DiagnosticReport")

    @pytest.mark.parametrize("own", [{}, {"referenceRange": [{"low": {"value": Decimal("3.5")}, "high": {"value": Decimal("5.1")}}]}])
    def test_is_known_by_the_catalog_where_the_laboratory_says_nothing(self, clinic, clinician, laboratory, own):
        potassium = order_tests(patient=clinic.patient, tests=["potassium"], by=clinician)[0]
        quantity = {"value": Decimal("7.9"), "unit": "mmol/L", "code": "mmol/L", "system": "http://unitsofmeasure.org"}
        sent = {**a1c(potassium), "code": potassium.code.data, "valueQuantity": quantity, **own}
        del sent["interpretation"]
        open_store(laboratory).create(sent)
        (item,) = clinic.all(Task)
        assert item.priority == "stat"


class TestAResultOfAnotherPatient:
    @pytest.fixture
    def other(self, clinic):
        return clinic.put(resourceType="Patient", name=[{"family": "Nakamura", "given": ["Adam"]}])

    def test_does_not_go_into_a_chart_the_order_is_not_of(self, clinic, order, laboratory, other):
        with pytest.raises(ResultOfAnother):
            open_store(laboratory).create({**a1c(order), "subject": {"reference": f"Patient/{other.id}"}})
        assert clinic.all(Observation) == []

    def test_goes_to_the_person_whose_record_was_merged_into(self, clinic, order, laboratory, other):
        other.data |= {"active": False, "link": [{"type": "replaced-by", "other": {"reference": f"Patient/{clinic.patient}"}}]}
        gone = clinic.put(**other.data)
        made = open_store(laboratory).create({**a1c(order), "subject": {"reference": f"Patient/{gone.id}"}})
        assert made.subject.target_id == clinic.patient


class TestAFinalResult:
    @pytest.fixture
    def stored(self, order, laboratory) -> Observation:
        made: Observation = open_store(laboratory).create(a1c(order))
        return made

    def test_cannot_change_silently(self, stored, laboratory):
        stored.valueQuantity.value = Decimal("5.0")
        with pytest.raises(ResultIsFinal):
            open_store(laboratory).update(stored)

    @pytest.mark.parametrize("status", ["corrected", "amended", "entered-in-error"])
    def test_can_be_corrected_openly(self, stored, laboratory, status):
        stored.status, stored.valueQuantity.value = status, Decimal("5.0")
        assert open_store(laboratory).update(stored).status == status

    def test_cannot_become_preliminary_again(self, stored, laboratory):
        stored.status = "preliminary"
        with pytest.raises(IllegalTransition):
            open_store(laboratory).update(stored)

    def test_cannot_be_deleted(self, stored):
        from tests.cast import client

        with pytest.raises(ResultIsFinal):
            open_store(client()).delete("Observation", stored.id)


class TestOverdue:
    def test_an_order_of_last_week_without_a_result_is(self, clinic, clinician, order):
        order.authoredOn = "2026-01-01T10:00:00Z"
        open_store(clinician).update(order)
        (late,) = overdue_orders(open_store(clinician), clinic.practitioner)
        assert (late.order.id, late.patient.id) == (order.id, clinic.patient)

    def test_one_of_today_is_not(self, clinic, clinician, order):
        assert overdue_orders(open_store(clinician)) == []
