"""Minutes: how long a patient was in each state of the flow, and when a wait has become too long. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, Literal

from openward.fhir.resources import Encounter
from openward.scheduling import facts
from openward.scheduling.freetime import MINUTE
from openward.scheduling.transitions import FLOW_OF_STATUS, OPEN_VISIT

Level = Literal["", "long", "too-long"]

# Minutes in a state after which a card says so: first in amber, then in red.
LIMITS: Final[Mapping[str, tuple[int, int]]] = {"waiting": (15, 30), "roomed": (15, 30), "with-clinician": (45, 75), "leaving": (10, 20)}


@dataclass(frozen=True, slots=True)
class Stay:
    """A stretch of time in one state; `end` is None while it lasts."""

    state: str
    start: dt.datetime
    end: dt.datetime | None

    def minutes(self, now: dt.datetime) -> int:
        return max(0, ((self.end or now) - self.start) // MINUTE)


def level(state: str, minutes: int) -> Level:
    long, too_long = LIMITS.get(state, (10**6, 10**6))
    return "too-long" if minutes >= too_long else "long" if minutes >= long else ""


def stays(visit: Encounter) -> list[Stay]:
    """The states a visit went through, in order, the present one last; a finished visit ends with its period."""
    found = [stay for entry in visit.statusHistory if (stay := _past(entry))]
    state, since = facts.flow_of(visit), facts.flow_since(visit)
    if state and since and visit.status in OPEN_VISIT:
        found.append(Stay(state, since, None))
    return found


def waited(visit: Encounter, now: dt.datetime) -> int | None:
    """Minutes from the door to the clinician, so far; None when nobody recorded that the patient waited."""
    before = [stay for stay in stays(visit) if stay.state in ("waiting", "roomed")]
    return sum(stay.minutes(now) for stay in before) if before else None


def median_wait(visits: Iterable[Encounter], now: dt.datetime) -> int | None:
    """The median of the minutes waited by those who have seen a clinician, or None when nobody has."""
    seen = [minutes for visit in visits if _was_seen(visit) and (minutes := waited(visit, now)) is not None]
    return round(median(seen)) if seen else None


def minutes_by_state(visits: Sequence[Encounter], now: dt.datetime) -> dict[str, int]:
    """The median minutes spent in each state."""
    spent: dict[str, list[int]] = {}
    for visit in visits:
        for stay in stays(visit):
            spent.setdefault(stay.state, []).append(stay.minutes(now))
    return {state: round(median(minutes)) for state, minutes in spent.items()}


def _was_seen(visit: Encounter) -> bool:
    return any(stay.state in ("with-clinician", "leaving") for stay in stays(visit))


def _past(entry: object) -> Stay | None:
    state = entry.extension_value(facts.FLOW_STATE) or FLOW_OF_STATUS.get(entry.status)  # type: ignore[attr-defined]
    period = entry.period  # type: ignore[attr-defined]
    start, end = facts.moment(period.start if period else None), facts.moment(period.end if period else None)
    return Stay(str(state), start, end) if state and start and end else None
