"""The flow board: columns of patients, and the timeline of one visit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from openward.fhir.resources import Encounter, Location
from openward.scheduling import facts, waiting
from openward.scheduling.presenters.words import FLOW_WORDS, MOVE_WORDS, about, called
from openward.scheduling.queries import Arrival, OnBoard
from openward.scheduling.transitions import FLOW_STATES, OPEN_VISIT, next_flow, previous_flow
from openward.web.display import clock


@dataclass(frozen=True, slots=True)
class FlowCard:
    """One patient on the flow board."""

    on_board: OnBoard
    now: dt.datetime

    @property
    def id(self) -> str:
        return str(self.on_board.visit.id)

    @property
    def patient(self) -> str:
        return str(self.on_board.patient.id) if self.on_board.patient else ""

    @property
    def name(self) -> str:
        return called(self.on_board.patient)

    @property
    def about(self) -> str:
        return about(self.on_board.patient)

    @property
    def service(self) -> str:
        return facts.service_name(self.on_board.visit)

    @property
    def clinician(self) -> str:
        who = facts.clinician_of(self.on_board.visit)
        return (who.display or "") if who else _("Anyone")

    @property
    def room(self) -> str:
        room = facts.room_of(self.on_board.visit)
        return (room.display or "") if room else ""

    @property
    def room_id(self) -> str:
        room = facts.room_of(self.on_board.visit)
        return str(room.target_id) if room else ""

    @property
    def state(self) -> str:
        return facts.flow_of(self.on_board.visit) or ""

    @property
    def since(self) -> dt.datetime:
        return facts.flow_since(self.on_board.visit) or self.now

    @property
    def minutes(self) -> int:
        return max(0, int((self.now - self.since).total_seconds() // 60))

    @property
    def level(self) -> waiting.Level:
        return waiting.level(self.state, self.minutes)

    @property
    def limits(self) -> tuple[int, int]:
        return waiting.LIMITS[self.state]

    @property
    def alarm(self) -> str:
        """What the colour means, in words."""
        return level_words(self.level)

    @property
    def following(self) -> str:
        return next_flow(self.state) or ""

    @property
    def following_words(self) -> str:
        return str(MOVE_WORDS[self.following]) if self.following else ""

    @property
    def previous(self) -> str:
        return previous_flow(self.state) or ""

    @property
    def previous_words(self) -> str:
        return str(FLOW_WORDS[self.previous]) if self.previous else ""


def level_words(level: waiting.Level) -> str:
    return {"long": _("Long"), "too-long": _("Too long")}.get(level, "")


@dataclass(frozen=True, slots=True)
class FlowColumn:
    """One state of the board with the patients in it."""

    state: str
    cards: Sequence[FlowCard] = field(default=())

    @property
    def title(self) -> str:
        return str(FLOW_WORDS[self.state])

    @property
    def nobody(self) -> str:
        return {
            "waiting": _("Nobody is waiting"),
            "roomed": _("No room is in use"),
            "with-clinician": _("Nobody is with a clinician"),
            "leaving": _("Nobody is leaving"),
        }[self.state]


def columns(board: Iterable[OnBoard], now: dt.datetime) -> list[FlowColumn]:
    cards = [FlowCard(one, now) for one in board]
    return [FlowColumn(state, [card for card in cards if card.state == state]) for state in FLOW_STATES]


@dataclass(frozen=True, slots=True)
class StayRow:
    """One line of a visit's timeline."""

    stay: waiting.Stay
    zone: str
    now: dt.datetime

    @property
    def state(self) -> str:
        return str(FLOW_WORDS.get(self.stay.state, self.stay.state))

    @property
    def start(self) -> str:
        return clock(self.stay.start, self.zone)

    @property
    def end(self) -> str:
        return clock(self.stay.end, self.zone) if self.stay.end else _("now")

    @property
    def minutes(self) -> int:
        return self.stay.minutes(self.now)

    @property
    def words(self) -> str:
        return ngettext("{n} minute", "{n} minutes", self.minutes).format(n=self.minutes)

    @property
    def alarm(self) -> str:
        return level_words(waiting.level(self.stay.state, self.minutes))


def stay_rows(visit: Encounter, zone: str, now: dt.datetime) -> list[StayRow]:
    return [StayRow(stay, zone, now) for stay in waiting.stays(visit)]


def room_choices(rooms: Iterable[Location], taken: set[str]) -> list[tuple[str, str, bool]]:
    """Rooms as (id, name, is in use)."""
    return [(str(room.id), str(room.name), str(room.id) in taken) for room in rooms]


def board_stats(visits: Sequence[Encounter], expected: Sequence[Arrival], median: int | None, now: dt.datetime) -> list[tuple[str, str, str, str]]:
    """Today in numbers, as (label, value, detail, tone)."""
    visits = [visit for visit in visits if visit.status not in ("planned", "cancelled", "entered-in-error")]  # a check-in taken back was no coming
    here = [visit for visit in visits if visit.status in OPEN_VISIT]
    longest = max((waiting.waited(visit, now) or 0 for visit in here if facts.flow_of(visit) == "waiting"), default=0)
    came, gone = len(visits), sum(visit.status == "finished" for visit in visits)
    booked = sum(one.is_booked for one in expected)
    missed = sum(one.appointment is not None and one.appointment.status == "noshow" for one in expected)
    tone = {"long": "warning", "too-long": "danger"}.get(waiting.level("waiting", longest), "")
    return [
        (_("Median wait"), _("{n} min").format(n=median) if median is not None else "–", _("door to clinician, those seen today"), ""),
        (_("Longest waiting now"), _("{n} min").format(n=longest) if here else "–", _("in the waiting room"), tone),
        (_("Here now"), str(len(here)), _("{gone} of {came} have left").format(gone=gone, came=came), ""),
        (_("Booked today"), str(booked), _("{n} did not come").format(n=missed), ""),
    ]
