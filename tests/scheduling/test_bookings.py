"""Held time: two never have the same, whoever writes and however many at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from openward.fhir.resources import Appointment, AppointmentParticipant, Reference
from openward.record import open_store, unit_of_work
from openward.scheduling import actions
from openward.scheduling.errors import IllegalTransition, NotADuration, NotOffered, SlotTaken
from openward.scheduling.models import Booking
from tests import cast
from tests.scheduling.conftest import Clinic

pytestmark = pytest.mark.django_db


class TestBooking:
    def test_it_holds_the_time_of_the_clinician_and_of_the_patient(self, clinic: Clinic) -> None:
        clinic.book("10:00")
        assert sorted(Booking.objects.values_list("kind", flat=True)) == ["Patient", "Practitioner"]

    def test_a_room_is_held_too_and_the_facility_is_not(self, clinic: Clinic) -> None:
        clinic.book("10:00", room=clinic.rooms[0])
        assert Booking.objects.filter(kind="room").count() == 1

    def test_a_taken_time_is_refused_with_who_took_it_and_what_is_free(self, clinic: Clinic) -> None:
        clinic.book("10:00")
        with pytest.raises(SlotTaken) as refusal:
            clinic.book("10:00", patient=clinic.ben, by=cast.staff("front-desk", name="Somebody Else"))
        assert "Dr Kwame Osei is already booked from 10:00 to 10:20" in str(refusal.value)
        assert "Booked a moment ago by Rosa Delgado." in str(refusal.value)
        assert "Next free: 03-Nov-2026 10:20" in str(refusal.value)
        assert refusal.value.status == 409

    def test_the_one_who_comes_second_is_not_told_which_patient(self, clinic: Clinic) -> None:
        clinic.book("10:00")
        with pytest.raises(SlotTaken) as refusal:
            clinic.book("10:00", patient=clinic.ben)
        assert "Okafor" not in str(refusal.value).title()

    def test_a_booking_by_a_patient_is_called_online(self, clinic: Clinic) -> None:
        clinic.book("10:00", by=cast.patient(clinic.ada))
        with pytest.raises(SlotTaken, match="Booked a moment ago online"):
            clinic.book("10:00", patient=clinic.ben)

    def test_a_patient_cannot_be_in_two_places(self, clinic: Clinic) -> None:
        clinic.book("10:00")
        with pytest.raises(SlotTaken, match="The patient is already booked"):
            clinic.book("10:00", practitioner=clinic.lindqvist)

    def test_a_room_cannot_be_given_twice(self, clinic: Clinic) -> None:
        clinic.book("10:00", room=clinic.rooms[0])
        with pytest.raises(SlotTaken, match="Room 1 is already booked"):
            clinic.book("10:00", patient=clinic.ben, practitioner=clinic.lindqvist, room=clinic.rooms[0])

    def test_times_that_touch_do_not_collide(self, clinic: Clinic) -> None:
        clinic.book("10:00")
        assert clinic.book("10:20", patient=clinic.ben).status == "booked"

    def test_a_time_outside_working_hours_is_not_offered(self, clinic: Clinic) -> None:
        with pytest.raises(NotOffered):
            clinic.book("13:00")

    def test_the_front_desk_may_book_outside_working_hours_when_it_says_so(self, clinic: Clinic) -> None:
        assert clinic.book("13:00", outside_hours=True).status == "booked"

    def test_a_patient_may_not(self, clinic: Clinic) -> None:
        with pytest.raises(NotOffered):
            clinic.book("13:00", outside_hours=True, by=cast.patient(clinic.ada))

    def test_the_same_form_twice_makes_one_appointment(self, clinic: Clinic) -> None:
        form = uuid4()
        first, second = clinic.book("10:00", form=form), clinic.book("10:00", form=form)
        assert first.id == second.id

    def test_a_refused_form_may_be_sent_again(self, clinic: Clinic) -> None:
        form = uuid4()
        clinic.book("10:00", patient=clinic.ben)
        with pytest.raises(SlotTaken):
            clinic.book("10:00", form=form)
        assert clinic.book("10:20", form=form).status == "booked"


class TestGivingTimeBack:
    def test_a_cancelled_time_is_free_again(self, clinic: Clinic) -> None:
        booked = clinic.book("10:00")
        actions.cancel(by=clinic.desk, appointment=str(booked.id), reason=actions.Cancellation("pat"))
        assert clinic.book("10:00", patient=clinic.ben).status == "booked"

    def test_moving_frees_the_old_time_and_holds_the_new(self, clinic: Clinic) -> None:
        booked = clinic.book("10:00")
        actions.reschedule(by=clinic.desk, appointment=str(booked.id), start=clinic.at("11:00"))
        clinic.book("10:00", patient=clinic.ben)
        with pytest.raises(SlotTaken):
            clinic.book("11:00", patient=clinic.ben, practitioner=clinic.osei)

    def test_the_room_comes_along_within_its_place(self, clinic: Clinic) -> None:
        booked = clinic.book("10:00", room=clinic.rooms[0])
        actions.reschedule(by=clinic.desk, appointment=str(booked.id), start=clinic.at("11:00"))
        assert [row.during.lower for row in Booking.objects.filter(kind="room")] == [clinic.at("11:00")]

    def test_the_room_does_not_come_along_to_another_place(self, clinic: Clinic) -> None:
        booked = clinic.book("10:00", room=clinic.rooms[0])
        actions.reschedule(by=clinic.desk, appointment=str(booked.id), start=clinic.at("11:00"), facility=clinic.west, outside_hours=True)
        assert not Booking.objects.filter(kind="room").exists()

    def test_a_move_into_a_room_that_is_taken_is_refused(self, clinic: Clinic) -> None:
        booked = clinic.book("10:00", room=clinic.rooms[0])
        clinic.book("11:00", patient=clinic.ben, practitioner=clinic.lindqvist, room=clinic.rooms[0])
        with pytest.raises(SlotTaken, match="Room 1 is already booked"):
            actions.reschedule(by=clinic.desk, appointment=str(booked.id), start=clinic.at("11:00"))

    def test_it_can_move_by_less_than_its_own_length(self, clinic: Clinic) -> None:
        booked = clinic.book("10:00")
        moved = actions.reschedule(by=clinic.desk, appointment=str(booked.id), start=clinic.at("10:10"))
        assert moved.start == "2026-11-03T15:10:00Z"

    def test_a_move_to_a_taken_time_changes_nothing(self, clinic: Clinic) -> None:
        booked = clinic.book("10:00")
        clinic.book("11:00", patient=clinic.ben)
        with pytest.raises(SlotTaken):
            actions.reschedule(by=clinic.desk, appointment=str(booked.id), start=clinic.at("11:00"))
        assert open_store(clinic.desk).read(Appointment, str(booked.id)).start == booked.start
        with pytest.raises(SlotTaken):
            clinic.book("10:00", patient=clinic.ben)

    def test_a_cancellation_can_be_taken_back(self, clinic: Clinic) -> None:
        booked = clinic.book("10:00")
        actions.cancel(by=clinic.desk, appointment=str(booked.id), reason=actions.Cancellation("pat"))
        assert actions.restore(by=clinic.desk, appointment=str(booked.id)).status == "booked"

    def test_but_not_once_the_time_has_gone_to_someone_else(self, clinic: Clinic) -> None:
        booked = clinic.book("10:00")
        actions.cancel(by=clinic.desk, appointment=str(booked.id), reason=actions.Cancellation("pat"))
        clinic.book("10:00", patient=clinic.ben)
        with pytest.raises(SlotTaken):
            actions.restore(by=clinic.desk, appointment=str(booked.id))

    def test_deleting_an_appointment_frees_its_time(self, clinic: Clinic) -> None:
        booked = clinic.book("10:00")
        with unit_of_work(by=cast.client()) as work:
            work.store.delete(Appointment, str(booked.id))
        assert Booking.objects.count() == 0


class TestTheGuardWhoeverWrites:
    def appointment(self, clinic: Clinic, **changed: Any) -> Appointment:
        people = [Reference(f"Patient/{clinic.ben}"), Reference(f"Practitioner/{clinic.osei}")]
        elements = {"status": "booked", "start": "2026-11-03T15:05:00Z", "end": "2026-11-03T15:15:00Z", **changed}
        return Appointment(participant=[AppointmentParticipant(actor=who, status="accepted") for who in people], **elements)

    def test_a_client_of_the_api_cannot_book_a_taken_time(self, clinic: Clinic) -> None:
        clinic.book("10:00")
        with pytest.raises(SlotTaken):
            open_store(cast.client()).create(self.appointment(clinic))

    def test_a_transaction_that_takes_a_taken_time_takes_nothing(self, clinic: Clinic) -> None:
        clinic.book("10:00")
        entries = [self.appointment(clinic, start="2026-11-03T16:00:00Z", end="2026-11-03T16:10:00Z"), self.appointment(clinic)]
        bundle = {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [{"resource": one.data, "request": {"method": "POST", "url": "Appointment"}} for one in entries],
        }
        with pytest.raises(SlotTaken):
            open_store(cast.client()).bundle(bundle)
        assert Booking.objects.count() == 2

    def test_a_proposed_appointment_holds_nothing(self, clinic: Clinic) -> None:
        clinic.book("10:00")
        assert open_store(cast.client()).create(self.appointment(clinic, status="proposed")).status == "proposed"

    def test_an_end_before_the_start_is_refused(self, clinic: Clinic) -> None:
        with pytest.raises(NotADuration):
            open_store(cast.client()).create(self.appointment(clinic, end="2026-11-03T15:00:00Z"))

    def test_an_illegal_step_is_refused(self, clinic: Clinic) -> None:
        booked = clinic.book("10:00")
        actions.cancel(by=clinic.desk, appointment=str(booked.id), reason=actions.Cancellation("pat"))
        gone = open_store(clinic.desk).read(Appointment, str(booked.id))
        gone.status, gone.cancelationReason = "fulfilled", None
        with pytest.raises(IllegalTransition):
            open_store(cast.client()).update(gone)


@pytest.mark.django_db(transaction=True)
class TestAtTheSameTime:
    def test_of_two_who_book_one_time_one_gets_it_and_the_other_learns_who(
        self, committed_clinic: Clinic, together: Callable[..., list[Any]]
    ) -> None:
        clinic = committed_clinic
        outcomes = together(
            lambda: clinic.book("10:00", by=cast.staff("front-desk", name="First Desk")),
            lambda: clinic.book("10:00", patient=clinic.ben, by=cast.staff("front-desk", name="Second Desk")),
        )
        lost = [one for one in outcomes if isinstance(one, SlotTaken)]
        assert len(lost) == 1
        assert " Desk." in str(lost[0])
        assert Booking.objects.filter(kind="Practitioner").count() == 1

    def test_of_eight_who_want_four_times_each_time_goes_once(self, committed_clinic: Clinic, together: Callable[..., list[Any]]) -> None:
        clinic, clocks = committed_clinic, ["09:00", "09:20", "09:40", "10:00"]
        outcomes = together(*(lambda clock=clock, who=who: clinic.book(clock, patient=who) for clock in clocks for who in (clinic.ada, clinic.ben)))
        assert {type(one) for one in outcomes} == {Appointment, SlotTaken}
        assert sum(isinstance(one, Appointment) for one in outcomes) == 4

    def test_one_form_sent_twice_at_once_makes_one_appointment(self, committed_clinic: Clinic, together: Callable[..., list[Any]]) -> None:
        form = uuid4()
        outcomes = together(lambda: committed_clinic.book("10:00", form=form), lambda: committed_clinic.book("10:00", form=form))
        assert outcomes[0].id == outcomes[1].id

    def test_a_cancellation_and_a_booking_at_once_leave_at_most_one_holder(
        self, committed_clinic: Clinic, together: Callable[..., list[Any]]
    ) -> None:
        clinic = committed_clinic
        booked = str(clinic.book("10:00").id)
        together(
            lambda: actions.cancel(by=clinic.desk, appointment=booked, reason=actions.Cancellation("pat")),
            lambda: clinic.book("10:00", patient=clinic.ben),
        )
        held = Booking.objects.filter(kind="Practitioner", during__contains=dt.datetime(2026, 11, 3, 15, 5, tzinfo=dt.UTC))
        assert held.count() <= 1
