"""The pages of the schedule, as the people who use them see them, and closed to the others."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from openward.fhir.resources import Appointment, ContactPoint, Patient
from openward.outbox.models import Message
from openward.record import open_store, unit_of_work
from openward.scheduling import actions
from openward.scheduling.models import Booking
from openward.scheduling.presenters.picker import stamp
from tests.cast import SignIn
from tests.scheduling.conftest import Clinic

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(clinic: Clinic, signed_in: SignIn) -> Client:
    client = signed_in("front-desk")
    client.get(reverse("scheduling:today"), {"at": clinic.facility})
    return client


def text(response: object) -> str:
    return response.content.decode()  # type: ignore[attr-defined, no-any-return]


def confirm_url(clinic: Clinic, clock: str = "10:00") -> str:
    return reverse("scheduling:confirm", args=[clinic.ada, clinic.service, clinic.osei, clinic.facility, stamp(clinic.at(clock))])


def book_form(clinic: Clinic, clock: str = "10:00", **changed: str) -> dict[str, str]:
    return {"submission": "0199c1f0-0000-7000-8000-00000000f0f0", "start": stamp(clinic.at(clock)), "comment": "", "room": "", **changed}


class TestTheDaysList:
    def test_it_shows_who_is_booked(self, clinic: Clinic, desk: Client) -> None:
        clinic.book("10:00")
        page = text(desk.get(reverse("scheduling:today")))
        assert "OKAFOR, Ada" in page
        assert "10:00" in page
        assert "Booked" in page

    def test_it_shows_who_is_here(self, clinic: Clinic, desk: Client) -> None:
        clinic.arrive("10:00")
        assert "Waiting" in text(desk.get(reverse("scheduling:today-list")))

    def test_another_day_is_another_list(self, clinic: Clinic, desk: Client) -> None:
        clinic.book("10:00")
        assert "Nobody is booked" in text(desk.get(reverse("scheduling:today"), {"day": "2026-11-04"}))

    def test_another_facility_is_another_list(self, clinic: Clinic, desk: Client) -> None:
        clinic.book("10:00")
        assert "OKAFOR" not in text(desk.get(reverse("scheduling:today"), {"at": clinic.west}))

    def test_a_day_that_is_none_does_not_exist(self, clinic: Clinic, desk: Client) -> None:
        assert desk.get(reverse("scheduling:today"), {"day": "yesterday"}).status_code == 404

    @pytest.mark.parametrize(
        ("role", "status"), [("front-desk", 200), ("nurse", 200), ("manager", 200), ("biller", 404), ("it-agent", 404), ("patient", 404)]
    )
    def test_it_is_open_to_those_who_need_it(self, clinic: Clinic, signed_in: SignIn, role: str, status: int) -> None:
        assert signed_in(role).get(reverse("scheduling:today")).status_code == status


class TestBooking:
    def test_it_begins_with_the_services(self, clinic: Clinic, desk: Client) -> None:
        assert "Follow-up visit" in text(desk.get(reverse("scheduling:book", args=[clinic.ada])))

    def test_a_service_shows_the_free_times_of_everyone_who_offers_it(self, clinic: Clinic, desk: Client) -> None:
        page = text(desk.get(reverse("scheduling:book", args=[clinic.ada]), {"service": clinic.service}))
        assert "OSEI, Kwame (Dr)" in page
        assert "LINDQVIST, Maja (Dr)" in page
        assert confirm_url(clinic, "09:00") in page

    def test_a_taken_time_is_not_shown(self, clinic: Clinic, desk: Client) -> None:
        clinic.book("10:00", patient=clinic.ben)
        page = text(desk.get(reverse("scheduling:book", args=[clinic.ada]), {"service": clinic.service, "who": clinic.osei}))
        assert confirm_url(clinic, "10:00") not in page
        assert confirm_url(clinic, "10:20") in page

    def test_a_week_without_a_free_time_says_when_the_next_is(self, clinic: Clinic, desk: Client) -> None:
        page = text(desk.get(reverse("scheduling:book", args=[clinic.ada]), {"service": clinic.service, "day": "2027-11-03", "who": clinic.osei}))
        assert "OSEI" in page

    def test_the_time_is_read_back_before_it_is_booked(self, clinic: Clinic, desk: Client) -> None:
        page = text(desk.get(confirm_url(clinic)))
        assert "OKAFOR, Ada" in page
        assert "10:00" in page
        assert "Maple Hollow" in page

    def test_booking_makes_the_appointment(self, clinic: Clinic, desk: Client) -> None:
        response = desk.post(confirm_url(clinic), book_form(clinic))
        assert response.status_code == 303
        assert response["Location"] == reverse("registration:patient", args=[clinic.ada])
        assert Booking.objects.filter(kind="Practitioner").count() == 1

    @pytest.mark.parametrize(("email", "said"), [("ada@example.org", "The patient is told."), ("", "please tell them.")])
    def test_the_patient_is_said_to_be_told_only_when_there_is_a_way_to(self, clinic: Clinic, desk: Client, email: str, said: str) -> None:
        with unit_of_work(by=clinic.desk) as work:
            ada = work.store.read(Patient, clinic.ada)
            ada.telecom = [ContactPoint(system="email", value=email)] if email else []
            work.store.update(ada)
        desk.post(confirm_url(clinic), book_form(clinic))
        assert said in text(desk.get(reverse("registration:patient", args=[clinic.ada])))

    def test_someone_faster_is_named_the_form_is_kept_and_free_times_are_offered(self, clinic: Clinic, desk: Client) -> None:
        clinic.book("10:00", patient=clinic.ben)
        response = desk.post(confirm_url(clinic), book_form(clinic, comment="needs a wheelchair"))
        assert response.status_code == 422
        page = text(response)
        assert "Booked a moment ago by Rosa Delgado" in page
        assert "needs a wheelchair" in page
        assert f'value="{stamp(clinic.at("10:20"))}"' in page

    def test_one_of_the_offered_times_books(self, clinic: Clinic, desk: Client) -> None:
        clinic.book("10:00", patient=clinic.ben)
        assert desk.post(confirm_url(clinic), book_form(clinic, "10:20")).status_code == 303

    def test_the_same_form_twice_books_once(self, clinic: Clinic, desk: Client) -> None:
        desk.post(confirm_url(clinic), book_form(clinic))
        desk.post(confirm_url(clinic), book_form(clinic))
        assert Booking.objects.filter(kind="Practitioner").count() == 1

    @pytest.mark.parametrize("role", ["nurse", "biller", "manager", "patient"])
    def test_only_those_who_book_may(self, clinic: Clinic, signed_in: SignIn, role: str) -> None:
        assert signed_in(role).post(confirm_url(clinic), book_form(clinic)).status_code == 404
        assert Booking.objects.count() == 0


class TestAnAppointment:
    def test_its_panel_says_what_it_is_and_what_can_be_done(self, clinic: Clinic, desk: Client) -> None:
        booked = clinic.book("10:00")
        page = text(desk.get(reverse("scheduling:appointment", args=[booked.id]), headers={"HX-Request": "true"}))
        assert "03-Nov-2026 10:00–10:20" in page
        assert "Move to another time" in page

    def test_without_javascript_the_panel_is_on_the_whole_page(self, clinic: Clinic, desk: Client) -> None:
        booked = clinic.book("10:00")
        assert "<html" in text(desk.get(reverse("scheduling:appointment", args=[booked.id])))

    def test_cancelling_asks_why(self, clinic: Clinic, desk: Client) -> None:
        booked = clinic.book("10:00")
        response = desk.post(reverse("scheduling:cancel", args=[booked.id]), {"code": ""})
        assert response.status_code == 422
        assert "Choose why the appointment is cancelled." in text(response)

    def test_cancelling_gives_the_time_back(self, clinic: Clinic, desk: Client) -> None:
        booked = clinic.book("10:00")
        desk.post(reverse("scheduling:cancel", args=[booked.id]), {"code": "pat", "text": ""})
        assert open_store(clinic.desk).read(Appointment, str(booked.id)).status == "cancelled"

    def test_a_cancellation_can_be_undone(self, clinic: Clinic, desk: Client) -> None:
        booked = clinic.book("10:00")
        actions.cancel(by=clinic.desk, appointment=str(booked.id), reason=actions.Cancellation("pat"))
        desk.post(reverse("scheduling:restore", args=[booked.id]))
        assert open_store(clinic.desk).read(Appointment, str(booked.id)).status == "booked"

    def test_moving_shows_the_free_times_of_its_clinician(self, clinic: Clinic, desk: Client) -> None:
        booked = clinic.book("10:00")
        page = text(desk.get(reverse("scheduling:move-appointment", args=[booked.id])))
        assert reverse("scheduling:confirm-move", args=[booked.id, clinic.osei, clinic.facility, stamp(clinic.at("11:00"))]) in page

    def test_moving_moves_it(self, clinic: Clinic, desk: Client) -> None:
        booked = clinic.book("10:00")
        url = reverse("scheduling:confirm-move", args=[booked.id, clinic.osei, clinic.facility, stamp(clinic.at("11:00"))])
        assert "11:00" in text(desk.get(url))
        assert desk.post(url, {"start": stamp(clinic.at("11:00"))}).status_code == 303
        assert open_store(clinic.desk).read(Appointment, str(booked.id)).start == "2026-11-03T16:00:00Z"

    def test_a_move_to_a_taken_time_offers_others(self, clinic: Clinic, desk: Client) -> None:
        booked = clinic.book("10:00")
        clinic.book("11:00", patient=clinic.ben)
        url = reverse("scheduling:confirm-move", args=[booked.id, clinic.osei, clinic.facility, stamp(clinic.at("11:00"))])
        response = desk.post(url, {"start": stamp(clinic.at("11:00"))})
        assert response.status_code == 422
        assert f'value="{stamp(clinic.at("11:20"))}"' in text(response)


class TestTheCalendar:
    @pytest.mark.parametrize("view", ["day", "week", "list"])
    def test_it_shows_the_booking(self, clinic: Clinic, desk: Client, view: str) -> None:
        clinic.book("10:00")
        assert "OKAFOR, Ada" in text(desk.get(reverse("scheduling:calendar"), {"view": view, "who": clinic.osei}))

    def test_a_week_is_one_clinicians_until_everyones_is_asked_for(self, clinic: Clinic, desk: Client) -> None:
        clinic.book("10:00")
        assert "OKAFOR" not in text(desk.get(reverse("scheduling:calendar"), {"view": "week"}))
        assert "OKAFOR" in text(desk.get(reverse("scheduling:calendar"), {"view": "week", "who": "all"}))

    def test_it_can_be_narrowed_to_one_clinician(self, clinic: Clinic, desk: Client) -> None:
        clinic.book("10:00")
        assert "OKAFOR" not in text(desk.get(reverse("scheduling:calendar"), {"who": clinic.lindqvist}))


class TestCheckingIn:
    def url(self, booked: Appointment) -> str:
        return reverse("scheduling:check-in", args=[booked.id])

    def test_the_details_are_read_back(self, clinic: Clinic, desk: Client) -> None:
        page = text(desk.get(self.url(clinic.book("10:00"))))
        assert "OKAFOR, Ada" in page
        assert "No insurance is recorded" in page

    def test_it_opens_the_visit_and_says_what_changed(self, clinic: Clinic, desk: Client) -> None:
        booked = clinic.book("10:00")
        response = desk.post(self.url(booked), {"phone": "212 555 0123", "texts": "on"}, headers={"HX-Request": "true"})
        assert "Changed: Telephone" in response["HX-Trigger"]
        assert open_store(clinic.desk).read(Appointment, str(booked.id)).status == "arrived"
        assert open_store(clinic.desk).read("Patient", clinic.ada).data["telecom"][0]["value"] == "+12125550123"

    def test_a_telephone_that_is_none_is_refused_beside_the_field(self, clinic: Clinic, desk: Client) -> None:
        booked = clinic.book("10:00")
        response = desk.post(self.url(booked), {"phone": "12"})
        assert response.status_code == 422
        assert "Enter a telephone number with its area code" in text(response)

    def test_nobody_is_checked_in_twice(self, clinic: Clinic, desk: Client) -> None:
        booked = clinic.book("10:00")
        desk.post(self.url(booked), {})
        response = desk.post(self.url(booked), {})
        assert response.status_code == 422
        assert "checked in already" in text(response)

    def test_a_walk_in_opens_a_visit_without_an_appointment(self, clinic: Clinic, desk: Client) -> None:
        url = reverse("scheduling:walk-in", args=[clinic.ada])
        assert desk.post(url, {"service": clinic.service}).status_code == 303
        assert "Walk-in" in text(desk.get(reverse("scheduling:today")))


class TestTheFlowBoard:
    def test_everybody_is_in_the_column_of_where_they_are(self, clinic: Clinic, desk: Client) -> None:
        clinic.arrive("10:00")
        page = text(desk.get(reverse("scheduling:board")))
        assert "OKAFOR, Ada" in page
        assert "Nobody is leaving" in page

    def test_a_move_is_seen_by_the_next_who_looks(self, clinic: Clinic, desk: Client) -> None:
        visit = clinic.arrive("10:00")
        desk.post(reverse("scheduling:move", args=[visit.id, "with-clinician"]), {"seen": "waiting"})
        page = text(desk.get(reverse("scheduling:board-columns")))
        assert "Nobody is waiting" in page

    def test_a_move_of_somebody_already_moved_is_refused_and_the_board_reloads(self, clinic: Clinic, desk: Client) -> None:
        visit = clinic.arrive("10:00")
        actions.move(by=clinic.desk, visit=str(visit.id), to="leaving")
        response = desk.post(reverse("scheduling:move", args=[visit.id, "roomed"]), {"seen": "waiting"}, headers={"HX-Request": "true"})
        assert response.status_code == 409
        assert "refresh-board" in response["HX-Trigger"]

    def test_a_room_in_use_is_refused_in_words(self, clinic: Clinic, desk: Client) -> None:
        first, second = clinic.arrive("10:00"), clinic.arrive("10:20", patient=clinic.ben)
        actions.put_in_room(by=clinic.desk, visit=str(first.id), room=clinic.rooms[0])
        response = desk.post(reverse("scheduling:room", args=[second.id]), {"room": clinic.rooms[0]}, headers={"HX-Request": "true"})
        assert response.status_code == 409
        assert "Room 1 is occupied" in response["HX-Trigger"]

    def test_checking_out_finishes_the_visit(self, clinic: Clinic, desk: Client) -> None:
        visit = clinic.arrive("10:00")
        actions.move(by=clinic.desk, visit=str(visit.id), to="leaving")
        desk.post(reverse("scheduling:check-out", args=[visit.id]))
        assert open_store(clinic.desk).read("Encounter", str(visit.id)).data["status"] == "finished"

    def test_the_timeline_of_a_visit_counts_minutes(self, clinic: Clinic, desk: Client) -> None:
        visit = clinic.arrive("10:00")
        assert "Minutes in each state" in text(desk.get(reverse("scheduling:visit", args=[visit.id])))

    def test_a_state_that_is_none_does_not_exist(self, clinic: Clinic, desk: Client) -> None:
        visit = clinic.arrive("10:00")
        assert desk.post(reverse("scheduling:move", args=[visit.id, "upstairs"])).status_code == 404

    @pytest.mark.parametrize(("role", "status"), [("manager", 404), ("biller", 404), ("patient", 404), ("nurse", 303)])
    def test_only_those_who_move_patients_may(self, clinic: Clinic, signed_in: SignIn, role: str, status: int) -> None:
        visit = clinic.arrive("10:00")
        assert signed_in(role).post(reverse("scheduling:move", args=[visit.id, "roomed"])).status_code == status


class TestBeforeAnyFacilityIsSetUp:
    @pytest.mark.parametrize("page", ["today", "today-list", "calendar", "board", "board-columns"])
    def test_a_page_says_so(self, db: None, signed_in: SignIn, page: str) -> None:
        assert "No facility is set up yet" in text(signed_in("front-desk").get(reverse(f"scheduling:{page}")))


class TestHome:
    @pytest.mark.parametrize("role", ["front-desk", "nurse", "manager"])
    def test_it_shows_the_day(self, clinic: Clinic, signed_in: SignIn, role: str) -> None:
        clinic.arrive("10:00")
        assert signed_in(role).get(reverse("web:home")).status_code == 200


def test_a_confirmation_says_when_and_where_and_nothing_else(clinic: Clinic) -> None:
    from openward.fhir.resources import ContactPoint, Patient
    from openward.record import unit_of_work

    with unit_of_work(by=clinic.desk) as work:
        patient = work.store.read(Patient, clinic.ada)
        patient.telecom = [ContactPoint(system="email", value="ada@example.org")]
        work.store.update(patient)
    clinic.book("10:00")
    message = Message.objects.get()
    assert message.body.startswith("Your appointment at Maple Hollow is on 03-Nov-2026 at 10:00.")
    assert "Follow-up" not in message.body
    assert "Osei" not in message.body.title()
