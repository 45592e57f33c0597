"""Which state may follow which, one table per concept; everything else raises IllegalTransition.

Appointment: https://hl7.org/fhir/R4/valueset-appointmentstatus.html
Encounter: https://hl7.org/fhir/R4/valueset-encounter-status.html
Flow: where the patient is while the visit is open; `urn:openward:flow-state`.

The way back is in the tables too, because people undo: a visit that was roomed by mistake goes back to waiting, a check-out that came
too early is reopened, a no-show who walks in late has arrived.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from openward.scheduling.errors import IllegalTransition


@dataclass(frozen=True, slots=True)
class Table:
    """The states of one concept. `first` are the states it may be created in; None when any will do, as for imported history."""

    concept: str
    legal: Mapping[str, frozenset[str]]
    first: frozenset[str] | None = None

    def check(self, before: str | None, after: str | None) -> None:
        """Raises IllegalTransition. Staying in one state is always legal."""
        if before is None or before == after:
            return
        if after not in self.legal.get(before, frozenset()):
            raise IllegalTransition(concept=self.concept, before=before, after=after or "no state")

    def may(self, before: str, after: str) -> bool:
        return after in self.legal.get(before, frozenset())


def _table(concept: str, **legal: str) -> Table:
    return Table(concept, {state.replace("_", "-"): frozenset(after.split()) for state, after in legal.items()})


APPOINTMENT: Final = _table(
    "An appointment",
    proposed="pending booked waitlist cancelled entered-in-error",
    waitlist="proposed pending booked cancelled entered-in-error",
    pending="booked cancelled entered-in-error",
    booked="pending arrived checked-in fulfilled cancelled noshow entered-in-error",
    arrived="booked checked-in fulfilled cancelled noshow entered-in-error",
    checked_in="booked arrived fulfilled cancelled entered-in-error",
    fulfilled="arrived checked-in entered-in-error",
    cancelled="booked entered-in-error",
    noshow="booked arrived checked-in cancelled entered-in-error",
    entered_in_error="",
)

ENCOUNTER: Final = _table(
    "A visit",
    planned="arrived triaged in-progress cancelled entered-in-error",
    arrived="planned triaged in-progress onleave finished cancelled entered-in-error",
    triaged="arrived in-progress onleave finished cancelled entered-in-error",
    in_progress="arrived triaged onleave finished cancelled entered-in-error",
    onleave="arrived triaged in-progress finished entered-in-error",
    finished="in-progress entered-in-error",
    cancelled="planned arrived entered-in-error",
    unknown="planned arrived triaged in-progress onleave finished cancelled entered-in-error",
    entered_in_error="",
)

FLOW: Final = _table(
    "A patient in the clinic",
    waiting="roomed with-clinician leaving",
    roomed="waiting with-clinician leaving",
    with_clinician="waiting roomed leaving",
    leaving="roomed with-clinician",
)

FLOW_STATES: Final = ("waiting", "roomed", "with-clinician", "leaving")

STATUS_OF_FLOW: Final[Mapping[str, str]] = {
    "waiting": "arrived",
    "roomed": "triaged",
    "with-clinician": "in-progress",
    "leaving": "in-progress",
}

FLOW_OF_STATUS: Final[Mapping[str, str]] = {"arrived": "waiting", "triaged": "roomed", "in-progress": "with-clinician"}

HOLDS_TIME: Final = frozenset({"pending", "booked", "arrived", "checked-in", "fulfilled"})
OPEN_VISIT: Final = frozenset({"arrived", "triaged", "in-progress", "onleave"})


def next_flow(state: str) -> str | None:
    """The state a visit usually moves to; None from the last."""
    place = FLOW_STATES.index(state) + 1
    return FLOW_STATES[place] if place < len(FLOW_STATES) else None


def previous_flow(state: str) -> str | None:
    place = FLOW_STATES.index(state) - 1
    return FLOW_STATES[place] if place >= 0 else None
