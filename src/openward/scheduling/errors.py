"""What the schedule refuses, one class each; the docstring is the sentence."""

from __future__ import annotations

from openward.fhir.errors import Conflict, Refused


class SlotTaken(Conflict):
    """{who} is already booked from {start} to {end}. Booked {held}."""

    @property
    def said(self) -> str:
        """The sentence without the free times, for a page that offers them as buttons."""
        return str(self.values.get("said", self))


class RoomOccupied(Conflict):
    """{room} is occupied by another visit since {since}."""


class AlreadyHere(Conflict):
    """This appointment has been checked in already."""


class OnTheBoard(Conflict):
    """This patient walked in already and is on the flow board."""


class NotToday(Refused):
    """This appointment is on {day}. Move it to today first."""


class NotOffered(Refused):
    """{start} is not a time {who} can be booked. Choose one of the free times."""


class IllegalTransition(Refused):
    """{concept} cannot go from {before} to {after}."""


class HasDied(Refused):
    """This patient has died and is not booked any more."""


class NotADuration(Refused):
    """An appointment that holds time needs a start and an end after it."""


class ChangedMeanwhile(Conflict):
    """This was changed in the meantime: it is {state} now. Look again before going on."""


class MovedAlready(Conflict):
    """Somebody else moved this patient a moment ago: they are now {state}."""
