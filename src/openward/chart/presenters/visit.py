"""The after-visit summary in words a patient takes home: no codes, no abbreviations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openward.chart.notes import plain_text
from openward.chart.presenters.lists import VisitRow
from openward.chart.presenters.medications import MedicationLine
from openward.chart.presenters.vitals import VitalsCard
from openward.chart.presenters.wording import concept, years_between
from openward.web.display import day, parse, person_name
from openward.web.words import gettext as _

if TYPE_CHECKING:
    from openward.chart.queries.visits import VisitRecord

PLAN_TITLES = ("Plan", "Assessment and plan", "Advice given")
"""Sections of a note that tell the patient what to do."""


@dataclass(frozen=True)
class VisitSummary:
    """Every line of the summary."""

    record: VisitRecord

    @property
    def visit_id(self) -> str:
        return str(self.record.visit.id)

    @property
    def patient_id(self) -> str:
        return str(self.record.patient.id)

    @property
    def patient(self) -> str:
        return person_name(next(iter(self.record.patient.name), None))

    @property
    def born(self) -> str:
        return day(self.record.patient.birthDate)

    @property
    def number(self) -> str:
        return next((str(one.value) for one in self.record.patient.identifier if one.system == "urn:openward:mrn"), "")

    @property
    def date(self) -> str:
        return day(VisitRow(self.record.visit).at)

    @property
    def what(self) -> str:
        return VisitRow(self.record.visit).what

    @property
    def clinician(self) -> str:
        return VisitRow(self.record.visit).clinician

    @property
    def diagnoses(self) -> list[str]:
        return [one.name for one in self.record.diagnoses]

    @property
    def vital_signs(self) -> list[tuple[str, str]]:
        moment = parse(VisitRow(self.record.visit).at)
        age = years_between(self.record.patient.birthDate, getattr(moment, "date", lambda: moment)()) if moment is not None else None
        card = VitalsCard(self.record.vital_signs, self.record.patient.birthDate, age)
        return [(row.label, f"{row.value} {row.unit}{f' ({row.also})' if row.also else ''}") for row in card.rows]

    @property
    def prescriptions(self) -> list[str]:
        return [MedicationLine(one).plain for one in self.record.prescriptions if one.status in ("active", "completed", "on-hold")]

    @property
    def orders(self) -> list[str]:
        return [concept(one.code) for one in self.record.orders]

    @property
    def plan(self) -> Sequence[str]:
        """What was agreed, from the signed note; nothing of a draft leaves the house."""
        signed = [note for note in self.record.notes if note.status in ("final", "amended")]
        texts = [
            plain_text(section.text.div) for note in signed for section in note.section if section.title in PLAN_TITLES and section.text is not None
        ]
        return [line for text in texts for line in text.splitlines() if line.strip()]

    @property
    def is_unsigned(self) -> bool:
        return not any(note.status in ("final", "amended") for note in self.record.notes)

    @property
    def none(self) -> str:
        return _("None in this visit")

    @property
    def parts(self) -> list[tuple[str, list[tuple[str, str]], Sequence[str]]]:
        """(title, rows of two columns, lines) of every part, in order."""
        return [
            (_("What the visit was about"), [], self.diagnoses),
            (_("Your measurements"), self.vital_signs, []),
            (_("What was agreed"), [], self.plan),
            (_("Medications prescribed"), [], self.prescriptions),
            (_("Tests ordered"), [], self.orders),
        ]

    def words(self) -> dict[str, Any]:
        """The summary for the PDF: every string that is printed."""
        facts = [
            (_("Name"), self.patient),
            (_("Born"), self.born),
            (_("Record number"), self.number),
            (_("Date of visit"), self.date),
            (_("Visit"), self.what),
            (_("Seen by"), self.clinician),
        ]
        return {
            "title": _("Summary of your visit"),
            "facts": [[name, value] for name, value in facts if value],
            "notice": self.notice,
            "parts": [
                {"title": title, "rows": [list(row) for row in rows], "lines": list(lines), "none": self.none} for title, rows, lines in self.parts
            ],
            "help": _("Something is unclear or not right? Call the practice, or write to us in the portal. In an emergency call 911."),
            "footer": f"{self.patient} · {self.date}",
            "page_word": _("Page"),
        }

    @property
    def notice(self) -> str:
        return _("The clinician has not signed this visit yet; what was agreed is not printed.") if self.is_unsigned else ""
