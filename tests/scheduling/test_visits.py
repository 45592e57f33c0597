"""The visit from check-in to check-out: legal steps only, minutes counted, rooms one at a time, whoever writes."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine

from openward.fhir.resources import Appointment, Encounter
from openward.record import open_store
from openward.scheduling import actions, facts, queries, waiting
from openward.scheduling.errors import AlreadyHere, IllegalTransition, MovedAlready, NotToday, RoomOccupied
from openward.scheduling.models import RoomInUse
from tests import cast
from tests.scheduling.conftest import Clinic

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)


def visit_of(clinic: Clinic, id: Any) -> Encounter:
    return open_store(clinic.desk).read(Encounter, str(id))


def path_of(visit: Encounter, now: dt.datetime) -> list[tuple[str, int]]:
    return [(stay.state, stay.minutes(now)) for stay in waiting.stays(visit)]


class TestCheckingIn:
    def test_it_opens_a_visit_that_waits(self, clinic: Clinic) -> None:
        visit = clinic.arrive("10:00")
        assert (visit.status, facts.flow_of(visit), visit.class_.code) == ("arrived", "waiting", "AMB")

    def test_the_appointment_has_arrived(self, clinic: Clinic) -> None:
        visit = clinic.arrive("10:00")
        assert open_store(clinic.desk).read(Appointment, str(visit.appointment[0].target_id)).status == "arrived"

    def test_the_visit_is_of_the_kind_that_was_booked(self, clinic: Clinic) -> None:
        visit = clinic.arrive("10:00")
        assert visit.serviceType is not None
        assert [kind.data for kind in visit.type] == [visit.serviceType.data]

    def test_nobody_is_checked_in_twice(self, clinic: Clinic) -> None:
        visit = clinic.arrive("10:00")
        with pytest.raises(AlreadyHere):
            actions.check_in(by=clinic.desk, appointment=str(visit.appointment[0].target_id))

    def test_who_came_too_late_is_checked_in_after_all(self, clinic: Clinic) -> None:
        booked = str(clinic.book("10:00").id)
        actions.mark_no_show(by=clinic.desk, appointment=booked)
        assert actions.check_in(by=clinic.desk, appointment=booked).status == "arrived"

    def test_a_cancelled_appointment_cannot_be_checked_in(self, clinic: Clinic) -> None:
        booked = str(clinic.book("10:00").id)
        actions.cancel(by=clinic.desk, appointment=booked, reason=actions.Cancellation("pat"))
        with pytest.raises(IllegalTransition):
            actions.check_in(by=clinic.desk, appointment=booked)

    def test_who_comes_on_another_day_is_moved_first(self, clinic: Clinic) -> None:
        booked = clinic.book(start=clinic.at("10:00", dt.date(2026, 11, 4)))
        with pytest.raises(NotToday, match="This appointment is on 04-Nov-2026"):
            actions.check_in(by=clinic.desk, appointment=str(booked.id))

    def test_it_can_be_taken_back(self, clinic: Clinic) -> None:
        visit = clinic.arrive("10:00")
        actions.undo_check_in(by=clinic.desk, visit=str(visit.id))
        booked = str(visit.appointment[0].target_id)
        assert open_store(clinic.desk).read(Appointment, booked).status == "booked"
        assert actions.check_in(by=clinic.desk, appointment=booked).status == "arrived"

    def test_a_walk_in_holds_no_time(self, clinic: Clinic) -> None:
        actions.walk_in(by=clinic.desk, patient=clinic.ada, service=clinic.service, facility=clinic.facility)
        assert clinic.book("09:00", patient=clinic.ada).status == "booked"


class TestMoving:
    def test_the_minutes_in_each_state_are_kept(self, clinic: Clinic, morning: time_machine.Traveller) -> None:
        visit = str(clinic.arrive("10:00").id)
        for minutes, state in ((12, "roomed"), (9, "with-clinician"), (20, "leaving")):
            morning.shift(minutes * MINUTE)
            actions.move(by=clinic.desk, visit=visit, to=state)
        morning.shift(3 * MINUTE)
        finished = actions.check_out(by=clinic.desk, visit=visit)
        now = dt.datetime.now(dt.UTC)
        assert path_of(finished, now) == [("waiting", 12), ("roomed", 9), ("with-clinician", 20), ("leaving", 3)]
        assert waiting.waited(finished, now) == 21

    def test_the_status_history_has_every_status(self, clinic: Clinic, morning: time_machine.Traveller) -> None:
        visit = str(clinic.arrive("10:00").id)
        for state in ("roomed", "with-clinician", "leaving"):
            morning.shift(10 * MINUTE)
            actions.move(by=clinic.desk, visit=visit, to=state)
        assert [entry.status for entry in visit_of(clinic, visit).statusHistory] == ["arrived", "triaged", "in-progress"]

    def test_a_move_taken_back_at_once_costs_no_minutes(self, clinic: Clinic, morning: time_machine.Traveller) -> None:
        visit = str(clinic.arrive("10:00").id)
        morning.shift(12 * MINUTE)
        actions.move(by=clinic.desk, visit=visit, to="roomed")
        morning.shift(MINUTE)
        back = actions.move(by=clinic.desk, visit=visit, to="waiting")
        assert path_of(back, dt.datetime.now(dt.UTC)) == [("waiting", 13)]

    def test_a_client_that_leaves_the_history_out_does_not_lose_it(self, clinic: Clinic, morning: time_machine.Traveller) -> None:
        visit = str(clinic.arrive("10:00").id)
        morning.shift(12 * MINUTE)
        actions.move(by=clinic.desk, visit=visit, to="roomed")
        sent = visit_of(clinic, visit)
        sent.statusHistory = []
        assert len(open_store(cast.client()).update(sent).statusHistory) == 1

    def test_a_client_that_changes_the_status_moves_the_flow(self, clinic: Clinic) -> None:
        sent = visit_of(clinic, clinic.arrive("10:00").id)
        sent.status = "in-progress"
        assert facts.flow_of(open_store(cast.client()).update(sent)) == "with-clinician"

    def test_who_moves_from_an_old_screen_is_told(self, clinic: Clinic) -> None:
        visit = str(clinic.arrive("10:00").id)
        actions.move(by=clinic.desk, visit=visit, to="with-clinician")
        with pytest.raises(MovedAlready):
            actions.move(by=clinic.desk, visit=visit, to="roomed", seen="waiting")

    def test_a_finished_visit_cannot_go_back_to_the_waiting_room(self, clinic: Clinic) -> None:
        visit = str(clinic.arrive("10:00").id)
        actions.check_out(by=clinic.desk, visit=visit)
        sent = visit_of(clinic, visit)
        sent.status = "arrived"
        with pytest.raises(IllegalTransition):
            open_store(cast.client()).update(sent)

    def test_checking_out_fulfils_the_appointment_and_ends_the_visit(self, clinic: Clinic) -> None:
        visit = clinic.arrive("10:00")
        finished = actions.check_out(by=clinic.desk, visit=str(visit.id))
        assert finished.period.end
        assert open_store(clinic.desk).read(Appointment, str(visit.appointment[0].target_id)).status == "fulfilled"

    def test_a_check_out_can_be_taken_back(self, clinic: Clinic) -> None:
        visit = str(clinic.arrive("10:00").id)
        actions.check_out(by=clinic.desk, visit=visit)
        reopened = actions.reopen(by=clinic.desk, visit=visit)
        assert (reopened.status, facts.flow_of(reopened), reopened.period.end) == ("in-progress", "leaving", None)


class TestRooms:
    def test_a_room_given_to_a_waiting_patient_rooms_them(self, clinic: Clinic) -> None:
        visit = actions.put_in_room(by=clinic.desk, visit=str(clinic.arrive("10:00").id), room=clinic.rooms[0])
        assert (facts.flow_of(visit), facts.room_of(visit).display) == ("roomed", "Room 1")

    def test_a_room_in_use_is_refused(self, clinic: Clinic) -> None:
        first, second = clinic.arrive("10:00"), clinic.arrive("10:20", patient=clinic.ben)
        actions.put_in_room(by=clinic.desk, visit=str(first.id), room=clinic.rooms[0])
        with pytest.raises(RoomOccupied, match="Room 1 is occupied by another visit"):
            actions.put_in_room(by=clinic.desk, visit=str(second.id), room=clinic.rooms[0])

    def test_moving_to_another_room_frees_the_first(self, clinic: Clinic) -> None:
        first, second = clinic.arrive("10:00"), clinic.arrive("10:20", patient=clinic.ben)
        for room in clinic.rooms:
            actions.put_in_room(by=clinic.desk, visit=str(first.id), room=room)
        assert facts.room_of(actions.put_in_room(by=clinic.desk, visit=str(second.id), room=clinic.rooms[0])).display == "Room 1"

    @pytest.mark.parametrize("end", [actions.check_out, lambda **who: actions.move(to="leaving", **who)])
    def test_who_leaves_frees_the_room(self, clinic: Clinic, end: Any) -> None:
        visit = str(clinic.arrive("10:00").id)
        actions.put_in_room(by=clinic.desk, visit=visit, room=clinic.rooms[0])
        end(by=clinic.desk, visit=visit)
        assert RoomInUse.objects.count() == 0


class TestTheBoard:
    def test_it_has_everybody_who_is_here(self, clinic: Clinic) -> None:
        clinic.arrive("10:00")
        here = queries.on_the_board(open_store(clinic.desk), queries.facility(open_store(clinic.desk), clinic.facility), dt.datetime.now(dt.UTC))
        assert [str(one.patient.id) for one in here if one.patient] == [clinic.ada]

    def test_who_has_left_is_not_on_it(self, clinic: Clinic) -> None:
        actions.check_out(by=clinic.desk, visit=str(clinic.arrive("10:00").id))
        store = open_store(clinic.desk)
        assert queries.on_the_board(store, queries.facility(store, clinic.facility), dt.datetime.now(dt.UTC)) == []

    def test_the_median_wait_counts_those_who_were_seen(self, clinic: Clinic, morning: time_machine.Traveller) -> None:
        visits = [str(clinic.arrive(clock, patient=who).id) for clock, who in (("10:00", clinic.ada), ("10:20", clinic.ben))]
        for minutes, visit in zip((10, 10), visits, strict=True):
            morning.shift(minutes * MINUTE)
            actions.move(by=clinic.desk, visit=visit, to="with-clinician")
        seen = [visit_of(clinic, visit) for visit in visits]
        assert waiting.median_wait(seen, dt.datetime.now(dt.UTC)) == 15
