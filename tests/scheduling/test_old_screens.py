"""Two windows on one clinic: what an older one still offers is refused when the newer one went on, and nothing is sent or freed by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from openward.fhir.resources import Appointment, Encounter, Patient
from openward.outbox.models import Message
from openward.record import open_store
from openward.scheduling import actions, facts, queries
from openward.scheduling.errors import ChangedMeanwhile, HasDied, MovedAlready, OnTheBoard, SlotTaken
from openward.scheduling.presenters.arrivals import ArrivalRow
from openward.scheduling.presenters.board import board_stats
from openward.scheduling.views.today import _counts
from tests import cast
from tests.scheduling.conftest import TODAY, Clinic

pytestmark = pytest.mark.django_db
PATIENT = actions.Cancellation("pat")


def standing(clinic: Clinic, appointment: str) -> str | None:
    return open_store(clinic.desk).read(Appointment, appointment).status


def visit_status(clinic: Clinic, visit: str) -> str | None:
    return open_store(clinic.desk).read(Encounter, visit).status


@pytest.fixture
def here(clinic: Clinic) -> tuple[str, str]:
    """Somebody checked in: the ids of the appointment and of the visit."""
    visit = clinic.arrive("10:00")
    return str(visit.appointment[0].target_id), str(visit.id)


class TestWhoHasCome:
    """https://hl7.org/fhir/R4/valueset-appointmentstatus.html: noshow and cancelled are for who did not come."""

    @pytest.mark.parametrize(
        "late",
        [
            lambda clinic, which: actions.cancel(by=clinic.desk, appointment=which, reason=PATIENT),
            lambda clinic, which: actions.mark_no_show(by=clinic.desk, appointment=which),
            lambda clinic, which: actions.restore(by=clinic.desk, appointment=which),
            lambda clinic, which: actions.reschedule(by=clinic.desk, appointment=which, start=clinic.at("11:00")),
        ],
        ids=["cancelled", "marked as not come", "restored", "moved"],
    )
    def test_is_not_changed_from_a_panel_that_stood_open(self, clinic: Clinic, here: tuple[str, str], late: Callable[..., Any]) -> None:
        with pytest.raises(ChangedMeanwhile):
            late(clinic, here[0])
        assert standing(clinic, here[0]) == "arrived"

    def test_keeps_the_time(self, clinic: Clinic, here: tuple[str, str]) -> None:
        with pytest.raises(ChangedMeanwhile):
            actions.cancel(by=clinic.desk, appointment=here[0], reason=PATIENT)
        with pytest.raises(SlotTaken):
            clinic.book("10:00", patient=clinic.ben)

    def test_is_not_sent_home_by_an_undo_once_in_a_room(self, clinic: Clinic, here: tuple[str, str]) -> None:
        actions.put_in_room(by=clinic.desk, visit=here[1], room=clinic.rooms[0])
        with pytest.raises(MovedAlready):
            actions.undo_check_in(by=clinic.desk, visit=here[1])
        assert visit_status(clinic, here[1]) == "triaged"


class TestWhatWasCancelled:
    def test_is_not_moved_and_the_patient_is_told_of_no_new_time(self, clinic: Clinic) -> None:
        booked = str(clinic.book("10:00").id)
        actions.cancel(by=clinic.desk, appointment=booked, reason=PATIENT)
        with pytest.raises(ChangedMeanwhile):
            actions.reschedule(by=clinic.desk, appointment=booked, start=clinic.at("11:00"))
        assert not Message.objects.filter(kind="appointment-moved").exists()

    def test_is_not_cancelled_twice(self, clinic: Clinic) -> None:
        booked = str(clinic.book("10:00").id)
        actions.cancel(by=clinic.desk, appointment=booked, reason=PATIENT)
        with pytest.raises(ChangedMeanwhile):
            actions.cancel(by=clinic.desk, appointment=booked, reason=actions.Cancellation("prov"))


class TestWhoHasLeft:
    @pytest.mark.parametrize(
        "late",
        [
            lambda clinic, which: actions.move(by=clinic.desk, visit=which, to="with-clinician", seen="leaving"),
            lambda clinic, which: actions.put_in_room(by=clinic.desk, visit=which, room=clinic.rooms[0]),
            lambda clinic, which: actions.check_out(by=clinic.desk, visit=which),
            lambda clinic, which: actions.undo_check_in(by=clinic.desk, visit=which),
        ],
        ids=["moved", "put in a room", "checked out", "not checked in"],
    )
    def test_is_not_brought_back_from_a_board_that_is_older(self, clinic: Clinic, here: tuple[str, str], late: Callable[..., Any]) -> None:
        actions.move(by=clinic.desk, visit=here[1], to="leaving")
        ended = actions.check_out(by=clinic.desk, visit=here[1])
        with pytest.raises(ChangedMeanwhile):
            late(clinic, here[1])
        after = open_store(clinic.desk).read(Encounter, here[1])
        assert (after.status, after.period.end, standing(clinic, here[0])) == ("finished", ended.period.end, "fulfilled")

    def test_is_what_reopening_is_for(self, clinic: Clinic, here: tuple[str, str]) -> None:
        with pytest.raises(ChangedMeanwhile):
            actions.reopen(by=clinic.desk, visit=here[1])
        assert facts.flow_of(open_store(clinic.desk).read(Encounter, here[1])) == "waiting"


class TestTheNumbersOfTheDay:
    """Both cards of the home page say `Booked`; they must mean the same people."""

    def test_booked_is_one_number_on_every_card(self, clinic: Clinic) -> None:
        clinic.book("09:00", patient=clinic.ben)
        actions.mark_no_show(by=clinic.desk, appointment=str(clinic.book("09:20", patient=clinic.ben).id))
        actions.cancel(by=clinic.desk, appointment=str(clinic.book("09:40", patient=clinic.ben).id), reason=PATIENT)
        actions.walk_in(by=clinic.desk, patient=clinic.ada, service=clinic.service, facility=clinic.facility)
        store = open_store(clinic.desk)
        place = queries.facility(store, clinic.facility)
        expected, now = queries.arrivals(store, place, TODAY), clinic.at("08:00")
        listed = _counts([ArrivalRow(one, "America/New_York", now) for one in expected])["booked"]
        stats = board_stats(queries.visits_of_day(store, place, TODAY), expected, None, now)
        assert (listed, stats[3][1]) == (2, "2")

    def test_a_check_in_taken_back_was_no_coming(self, clinic: Clinic) -> None:
        actions.undo_check_in(by=clinic.desk, visit=str(clinic.arrive("10:00").id))
        store = open_store(clinic.desk)
        visits = queries.visits_of_day(store, queries.facility(store, clinic.facility), TODAY)
        assert board_stats(visits, [], None, clinic.at("10:00"))[2][2] == "0 of 0 have left"


class TestWhoHasDied:
    def died(self, clinic: Clinic) -> None:
        store = open_store(cast.client())
        person = store.read(Patient, clinic.ada)
        store.update({**person.data, "deceasedDateTime": "2026-11-02", "telecom": [{"system": "email", "value": "ada@example.com"}]})

    def test_is_not_booked(self, clinic: Clinic) -> None:
        self.died(clinic)
        with pytest.raises(HasDied):
            clinic.book("10:00")

    def test_is_cancelled_without_a_message_to_the_family(self, clinic: Clinic) -> None:
        booked = str(clinic.book("10:00").id)
        self.died(clinic)
        actions.cancel(by=clinic.desk, appointment=booked, reason=PATIENT)
        assert (standing(clinic, booked), Message.objects.filter(kind="appointment-cancelled").count()) == ("cancelled", 0)


class TestWhoWalksIn:
    def come(self, clinic: Clinic) -> Encounter:
        return actions.walk_in(by=clinic.desk, patient=clinic.ada, service=clinic.service, facility=clinic.facility)

    def test_is_on_the_board_once(self, clinic: Clinic) -> None:
        self.come(clinic)
        with pytest.raises(OnTheBoard):
            self.come(clinic)

    def test_may_come_again_after_leaving(self, clinic: Clinic) -> None:
        actions.check_out(by=clinic.desk, visit=str(self.come(clinic).id))
        assert self.come(clinic).status == "arrived"

    def test_may_be_here_for_an_appointment_too(self, clinic: Clinic, here: tuple[str, str]) -> None:
        assert self.come(clinic).status == "arrived"

    def test_at_two_desks_at_once_is_on_the_board_once(self, committed_clinic: Clinic, together: Callable[..., list[Any]]) -> None:
        outcomes = together(*[lambda: self.come(committed_clinic)] * 2)
        assert sum(isinstance(each, OnTheBoard) for each in outcomes) == 1
