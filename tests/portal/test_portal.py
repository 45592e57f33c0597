"""The patient's door: their own record in plain words, their bookings, messages and bills, and nobody else's."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

import pytest
from django.test import Client
from time_machine import Traveller

from openward.access.actor import Actor
from openward.billing import ledger
from openward.billing.models import Payment
from openward.billing.queries.balances import patient_balance
from openward.chart.actions.messages import send_message
from openward.fhir.resources import (
    CodeableConcept,
    Coding,
    DiagnosticReport,
    HealthcareService,
    Immunization,
    Meta,
    Observation,
    ObservationReferenceRange,
    Quantity,
    Reference,
)
from openward.record import open_store, unit_of_work
from tests import cast
from tests.scheduling.conftest import Clinic

CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
RELEASED = Coding(system="urn:openward:tag", code="released")
PAGES = ["", "visits", "results", "medications", "immunizations", "messages", "messages/write", "bills", "bills/pay", "book"]


def text(client: Client, path: str) -> str:
    answer = client.get(f"/portal/{path}")
    assert answer.status_code == 200, path
    return answer.content.decode()


@pytest.mark.parametrize("path", PAGES)
def test_every_page_says_something_when_there_is_nothing_yet(portal: Client, path: str) -> None:
    text(portal, path)


class TestBooking:
    def test_takes_three_choices(self, portal: Client, clinic: Clinic) -> None:
        assert f"/portal/book/{clinic.service}" in text(portal, "book")
        assert f"/portal/book/{clinic.service}/{clinic.osei}" in text(portal, f"book/{clinic.service}")
        assert self.first_time(clinic) in text(portal, f"book/{clinic.service}/{clinic.osei}")
        self.book(portal, clinic)
        assert "9:00 a.m." in text(portal, "visits")

    def test_says_once_with_whom_and_where_all_times_are(self, portal: Client, clinic: Clinic) -> None:
        assert "<p>Dr Maja Lindqvist · Maple Hollow</p>" in text(portal, f"book/{clinic.service}/anyone")

    def test_says_at_each_time_with_whom_and_where_it_is_when_they_differ(self, portal: Client, clinic: Clinic) -> None:
        clinic.book("09:00", patient=clinic.ben, practitioner=clinic.lindqvist)
        shown = re.findall(r"<small> ([^<]+)</small>", text(portal, f"book/{clinic.service}/anyone"))
        assert shown[:2] == ["Dr Kwame Osei · Maple Hollow", "Dr Maja Lindqvist · Maple Hollow"]

    def test_waits_with_a_confirmation_in_the_outbox(self, portal: Client, clinic: Clinic) -> None:
        self.book(portal, clinic)
        assert [one.status for one in open_store(clinic.desk).search("Appointment", {"patient": clinic.ada})] == ["booked"]

    def test_of_a_time_that_was_just_taken_says_so_and_shows_what_is_free(self, portal: Client, clinic: Clinic) -> None:
        clinic.book("09:00", patient=clinic.ben)
        answer = self.book(portal, clinic)
        assert answer.status_code == 422
        assert "just been taken" in answer.content.decode()
        assert "9:20 a.m." in answer.content.decode()

    def test_sent_twice_books_once(self, portal: Client, clinic: Clinic) -> None:
        for _ in range(2):
            self.book(portal, clinic, form="0199c1f0-0000-7000-8000-0000000000f1")
        assert len(open_store(clinic.desk).search("Appointment", {"patient": clinic.ada}).resources) == 1

    @pytest.mark.parametrize(
        "time",
        ["", "nonsense", "a|b", "a|b|yesterday", "a|b|2026-11-03T09:00:00", "a|b|9999-12-31T23:59:00-12:00", "a|b|0001-01-01T00:00:00+14:00"],
    )
    def test_of_nonsense_asks_to_choose(self, portal: Client, clinic: Clinic, time: str) -> None:
        assert portal.post(f"/portal/book/{clinic.service}/{clinic.osei}", {"time": time}).status_code == 422

    @pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01", "2027-11-03", "soon"])
    def test_of_a_day_far_away_shows_what_can_be_booked(self, portal: Client, clinic: Clinic, day: str) -> None:
        answer = portal.get(f"/portal/book/{clinic.service}/{clinic.osei}", {"from": day})
        assert answer.status_code == 200

    def test_of_what_somebody_does_not_offer_is_refused(self, portal: Client, clinic: Clinic) -> None:
        other = open_store(cast.system()).create(HealthcareService(active=True, name="Surgery"))
        answer = portal.post(f"/portal/book/{other.id}/{clinic.osei}", {"time": self.first_time(clinic)})
        assert answer.status_code == 422
        assert "not offered for this visit" in answer.content.decode()
        assert open_store(clinic.desk).search("Appointment", {}).resources == []

    def test_of_a_day_further_ahead_than_is_offered_is_refused(self, portal: Client, clinic: Clinic) -> None:
        start = clinic.at("09:00") + dt.timedelta(days=364)
        answer = portal.post(f"/portal/book/{clinic.service}/{clinic.osei}", {"time": f"{clinic.osei}|{clinic.facility}|{start.isoformat()}"})
        assert answer.status_code == 422
        assert open_store(clinic.desk).search("Appointment", {}).resources == []

    def test_leads_no_further_ahead_than_can_be_booked(self, portal: Client, clinic: Clinic) -> None:
        assert "Later days" not in portal.get(f"/portal/book/{clinic.service}/{clinic.osei}", {"from": "2027-11-03"}).content.decode()

    def test_can_be_moved_and_given_back(self, portal: Client, clinic: Clinic) -> None:
        booked = clinic.book("10:00")
        later = f"{clinic.osei}|{clinic.facility}|{clinic.at('11:00').isoformat()}"
        portal.post(f"/portal/appointments/{booked.id}/move", {"time": later})
        assert "11:00 a.m." in text(portal, "visits")
        portal.post(f"/portal/appointments/{booked.id}/cancel")
        assert "11:00 a.m." not in text(portal, "visits")

    def test_asks_with_what_when_whom_and_where_before_it_books(self, portal: Client, clinic: Clinic) -> None:
        page = portal.get(f"/portal/book/{clinic.service}/anyone", {"time": self.first_time(clinic)}).content.decode()
        for words in ("Book this visit?", "9:00 a.m.", "Dr Kwame Osei", "Maple Hollow", f'name="time" value="{self.first_time(clinic)}"'):
            assert words in page
        assert open_store(clinic.desk).search("Appointment", {}).resources == []

    def test_asks_about_a_move_with_the_time_it_was(self, portal: Client, clinic: Clinic) -> None:
        booked = clinic.book("10:00")
        page = portal.get(f"/portal/appointments/{booked.id}/move", {"time": f"{clinic.osei}|{clinic.facility}|{clinic.at('11:00').isoformat()}"})
        assert "10:00 a.m." in page.content.decode()
        assert "11:00 a.m." in page.content.decode()
        assert open_store(clinic.desk).read("Appointment", str(booked.id)).meta.versionId == "1"  # type: ignore[attr-defined]

    def test_asked_for_a_time_of_a_place_that_is_not_there_does_not_exist(self, portal: Client, clinic: Clinic) -> None:
        time = f"{clinic.osei}|nowhere|{clinic.at('09:00').isoformat()}"
        assert portal.get(f"/portal/book/{clinic.service}/anyone", {"time": time}).status_code == 404

    def test_can_be_undone_at_once(self, portal: Client, clinic: Clinic) -> None:
        self.book(portal, clinic)
        booked = open_store(clinic.desk).search("Appointment", {"patient": clinic.ada}).resources[0]
        undo = f"/portal/appointments/{booked.id}/cancel"
        assert undo in text(portal, "visits").split("toast", 1)[1]
        portal.post(undo)
        assert open_store(clinic.desk).read("Appointment", str(booked.id)).status == "cancelled"  # type: ignore[attr-defined]

    @pytest.mark.parametrize("what", ["cancel", "move"])
    def test_of_a_visit_that_was_missed_can_no_longer_be_given_back(self, portal: Client, clinic: Clinic, morning: Traveller, what: str) -> None:
        booked = clinic.book("10:00")
        morning.move_to(clinic.at("10:30"))
        time = f"{clinic.osei}|{clinic.facility}|{clinic.at('11:00').isoformat()}"
        answer = portal.post(f"/portal/appointments/{booked.id}/{what}", {"time": time})
        assert answer.status_code == 422
        assert "Call the practice" in answer.content.decode()
        assert open_store(clinic.desk).read("Appointment", str(booked.id)).status == "booked"  # type: ignore[attr-defined]

    def test_of_someone_else_does_not_exist(self, portal: Client, clinic: Clinic) -> None:
        bens = clinic.book("10:00", patient=clinic.ben)
        assert portal.get(f"/portal/appointments/{bens.id}/cancel").status_code == 404
        assert portal.post(f"/portal/appointments/{bens.id}/cancel").status_code == 404
        assert open_store(clinic.desk).read("Appointment", str(bens.id)).status == "booked"  # type: ignore[attr-defined]

    def first_time(self, clinic: Clinic) -> str:
        return f"{clinic.osei}|{clinic.facility}|{clinic.at('09:00').astimezone(dt.UTC).isoformat()}"

    def book(self, portal: Client, clinic: Clinic, form: str = "") -> object:
        return portal.post(f"/portal/book/{clinic.service}/{clinic.osei}", {"time": self.first_time(clinic), "form": form})


class TestResults:
    @pytest.fixture
    def report(self, clinic: Clinic) -> str:
        with unit_of_work(by=cast.system("a laboratory")) as work:
            value = work.store.create(self.value(clinic.ada, [RELEASED]))
            meta = Meta(tag=[RELEASED])
            lab = CodeableConcept(text="Hemoglobin A1c")
            report = DiagnosticReport(
                meta=meta, status="final", code=lab, subject=Reference(f"Patient/{clinic.ada}"), effectiveDateTime="2026-11-02T08:00:00Z",
                result=[Reference.to(value)], conclusion="Please come and see me about this.",
            )  # fmt: skip
            return str(work.store.create(report).id)

    def value(self, patient: str, tags: list[Coding]) -> Observation:
        return Observation(
            meta=Meta(tag=tags), status="final", category=[CodeableConcept(coding=[Coding(system=CATEGORY, code="laboratory")])],
            code=CodeableConcept(coding=[Coding(system="http://loinc.org", code="4548-4")], text="Hemoglobin A1c"), subject=Reference(f"Patient/{patient}"),
            effectiveDateTime="2026-11-02T08:00:00Z", valueQuantity=Quantity(value=Decimal("8.1"), unit="%", system="http://unitsofmeasure.org", code="%"),
            referenceRange=[ObservationReferenceRange(low=Quantity(value=Decimal("4.0"), unit="%"), high=Quantity(value=Decimal("5.6"), unit="%"))],
        )  # fmt: skip

    def test_are_told_in_plain_words_with_what_the_clinician_says(self, portal: Client, report: str) -> None:
        page = text(portal, f"results/{report}")
        assert "higher than the usual range" in page
        assert "Please come and see me about this." in page

    def test_are_named_on_the_first_page(self, portal: Client, report: str) -> None:
        assert "Please come and see me about this." in text(portal, "")

    def test_that_are_not_released_do_not_exist(self, portal: Client, clinic: Clinic) -> None:
        with unit_of_work(by=cast.system("a laboratory")) as work:
            hidden = work.store.create(self.value(clinic.ada, [Coding(system="urn:openward:tag", code="other")]))
        assert "No results yet" in text(portal, "results")
        assert portal.get(f"/portal/results/{hidden.id}").status_code == 404

    def test_of_someone_else_do_not_exist(self, bens_portal: Client, report: str) -> None:
        assert bens_portal.get(f"/portal/results/{report}").status_code == 404


class TestMessages:
    def test_reach_the_practice_and_its_answer_the_patient(self, portal: Client, clinic: Clinic, by_ada: Actor) -> None:
        portal.post("/portal/messages/write", {"topic": "Medication or refill", "text": "May I have a refill?"})
        root = open_store(by_ada).search("Communication", {}).resources[0]
        send_message(
            patient=clinic.ada,
            text="It is at your pharmacy.",
            thread=str(root.id),
            by=cast.staff("clinician", reference=f"Practitioner/{clinic.osei}"),
        )
        page = text(portal, f"messages/{root.id}")
        assert "May I have a refill?" in page
        assert "It is at your pharmacy." in page
        assert "The practice wrote to you" in text(portal, "")

    def test_without_words_are_not_sent(self, portal: Client) -> None:
        assert portal.post("/portal/messages/write", {"topic": "Bill", "text": " "}).status_code == 422

    def test_of_someone_else_do_not_exist(self, portal: Client, bens_portal: Client, by_ada: Actor) -> None:
        portal.post("/portal/messages/write", {"topic": "Bill", "text": "Mine"})
        root = open_store(by_ada).search("Communication", {}).resources[0]
        assert bens_portal.get(f"/portal/messages/{root.id}").status_code == 404
        assert bens_portal.post(f"/portal/messages/{root.id}", {"text": "Me too"}).status_code == 404

    def test_are_shown_as_written_and_never_run(self, portal: Client, by_ada: Actor) -> None:
        portal.post("/portal/messages/write", {"topic": "Bill", "text": "<script>alert(1)</script>"})
        root = open_store(by_ada).search("Communication", {}).resources[0]
        assert "<script>alert(1)" not in text(portal, f"messages/{root.id}")


class TestPaying:
    @pytest.fixture(autouse=True)
    def owes(self, clinic: Clinic, portal: Client) -> None:
        charge = ledger.Posting(
            kind="charge", source=("test", "1"), words="A visit", on=dt.date(2026, 11, 2),
            lines=[ledger.debit(ledger.PATIENT, Decimal("40.00"), patient=clinic.ada), ledger.credit(ledger.REVENUE, Decimal("40.00"))],
        )  # fmt: skip
        with unit_of_work(by=cast.system("charge")) as work:
            ledger.post(work, charge)

    def card(self, **changed: object) -> dict[str, object]:
        return {
            "amount": "40.00",
            "number": "4242 4242 4242 4242",
            "month": 12,
            "year": 2030,
            "code": "123",
            "name": "Ada Okafor",
            "key": "k1",
            **changed,
        }

    def test_by_card_settles_the_balance(self, portal: Client, clinic: Clinic) -> None:
        assert "$40.00" in text(portal, "bills")
        assert portal.post("/portal/bills/pay", self.card()).status_code == 303
        assert patient_balance(1, clinic.ada) == 0
        assert "You owe nothing" in text(portal, "bills")

    def test_sent_twice_charges_once(self, portal: Client, clinic: Clinic) -> None:
        for _ in range(2):
            portal.post("/portal/bills/pay", self.card(amount="10.00"))
        assert patient_balance(1, clinic.ada) == Decimal("30.00")

    @pytest.mark.parametrize(
        ("changed", "words"),
        [
            ({"number": "4000 0000 0000 0002"}, "declined"),
            ({"number": "1234"}, "not a card number"),
            ({"amount": "41"}, "owe less"),
            ({"amount": "-1"}, "greater than or equal"),
            ({"year": 2020}, "expired"),
        ],
    )
    def test_that_fails_says_why_and_charges_nothing(self, portal: Client, clinic: Clinic, changed: dict[str, object], words: str) -> None:
        answer = portal.post("/portal/bills/pay", self.card(**changed))
        assert answer.status_code == 422
        assert words in answer.content.decode()
        assert patient_balance(1, clinic.ada) == Decimal("40.00")

    def test_keeps_and_shows_no_card_number(self, portal: Client) -> None:
        answer = portal.post("/portal/bills/pay", self.card(number="4000 0000 0000 9995"))
        assert answer.status_code == 422
        assert "9995" not in answer.content.decode()
        assert all("4000000000009995" not in str(vars(payment)) for payment in Payment.objects.all())


def test_the_immunization_record_is_a_pdf(portal: Client, clinic: Clinic, morning: Traveller) -> None:
    with unit_of_work(by=cast.system("history")) as work:
        vaccine = CodeableConcept(coding=[Coding(system="http://hl7.org/fhir/sid/cvx", code="140")], text="Influenza, seasonal")
        work.store.create(
            Immunization(status="completed", vaccineCode=vaccine, patient=Reference(f"Patient/{clinic.ada}"), occurrenceDateTime="2026-10-01")
        )
    answer = portal.get("/portal/immunizations.pdf")
    assert (answer["Content-Type"], answer.content[:5]) == ("application/pdf", b"%PDF-")
    assert "Influenza" in text(portal, "immunizations")
