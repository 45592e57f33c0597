"""Two records side by side, in the words of the desk. No SQL, no request."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from openward.fhir.resources import Patient
from openward.registration import facts
from openward.registration.merging import Merged
from openward.registration.presenters import Details, born_words, sex_words

KINDS: Final = {
    "AllergyIntolerance": gettext_lazy("allergies"),
    "Appointment": gettext_lazy("appointments"),
    "Claim": gettext_lazy("claims"),
    "Communication": gettext_lazy("messages"),
    "Composition": gettext_lazy("notes"),
    "Condition": gettext_lazy("problems"),
    "Coverage": gettext_lazy("insurances"),
    "DiagnosticReport": gettext_lazy("reports"),
    "DocumentReference": gettext_lazy("documents"),
    "Encounter": gettext_lazy("visits"),
    "Immunization": gettext_lazy("immunizations"),
    "MedicationRequest": gettext_lazy("prescriptions"),
    "Observation": gettext_lazy("readings and results"),
    "ServiceRequest": gettext_lazy("orders"),
    "Task": gettext_lazy("tasks"),
}


def moves_words(moves: Sequence[tuple[str, int]]) -> str:
    """`14 entries move: readings and results 9, visits 5`, the many first."""
    total = sum(count for _type, count in moves)
    if not total:
        return _("Nothing has to move.")
    parts = [f"{_kind(type)} {count}" for type, count in sorted(moves, key=lambda move: -move[1])]
    return ngettext("{n} entry moves: {kinds}", "{n} entries move: {kinds}", total).format(n=total, kinds=", ".join(parts))


def _kind(type: str) -> str:
    """Ours, or the resource's name as words: `CarePlan` → `care plan`."""
    return str(KINDS.get(type) or re.sub(r"(?<!^)(?=[A-Z])", " ", type).lower())


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: the choice of keeping it, and what would move to it then."""

    id: str
    name: str
    moves: str


@dataclass(frozen=True, slots=True)
class Line:
    """One fact of both. `differs` is what the eye should go to."""

    term: str
    left: str
    right: str

    @property
    def differs(self) -> bool:
        return self.left != self.right


@dataclass(frozen=True, slots=True)
class Sides:
    """`moves`: in words, what moves to the left when it stays, and to the right; none when they cannot be merged."""

    left: Patient
    right: Patient
    moves: Sequence[str]

    @property
    def lines(self) -> list[Line]:
        pairs = zip(_facts(self.left), _facts(self.right), strict=True)
        return [Line(term, left or _("Not asked"), right or _("Not asked")) for (term, left), (_term, right) in pairs]

    @property
    def choices(self) -> list[Side]:
        return [Side(str(one.id), _title(one), moves) for one, moves in zip((self.left, self.right), self.moves, strict=False)]


@dataclass(frozen=True, slots=True)
class MergedRow:
    """A record that was taken up by this one."""

    merged: Merged

    @property
    def task(self) -> str:
        return self.merged.task

    @property
    def name(self) -> str:
        return _title(self.merged.source)


def _title(patient: Patient) -> str:
    return f"{facts.name_of(patient)} · {facts.record_number(patient) or ''}".strip(" ·")


def _facts(patient: Patient) -> list[tuple[str, str]]:
    return [
        (_("Name"), facts.name_of(patient)),
        (_("Born"), born_words(patient)),
        (_("Sex"), sex_words(patient)),
        (_("Number"), facts.record_number(patient) or ""),
        *Details(patient).facts,
    ]
