"""Problems, allergies, immunizations, visits, documents: one small presenter each. Absence is stated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _lazy

from openward.chart.codes import ALLERGY_LIST, ICD10
from openward.chart.presenters.wording import code_in, concept, date_of, in_order, not_known, status_of, who
from openward.web.banner import Allergy, Review, is_active_allergy, is_severe_allergy, stated_none
from openward.web.display import day
from openward.web.words import gettext as _

PROBLEM_STATES = {
    "active": _lazy("Active"),
    "recurrence": _lazy("Recurrence"),
    "relapse": _lazy("Relapse"),
    "inactive": _lazy("Inactive"),
    "remission": _lazy("In remission"),
    "resolved": _lazy("Resolved"),
    "": _lazy("Active"),
}
IMMUNIZATION_STATES = {"completed": _lazy("Given"), "not-done": _lazy("Not given"), "entered-in-error": _lazy("Entered in error")}
VISIT_STATES = {
    "planned": _lazy("Planned"),
    "arrived": _lazy("Arrived"),
    "triaged": _lazy("With nurse"),
    "in-progress": _lazy("In progress"),
    "onleave": _lazy("Away"),
    "finished": _lazy("Finished"),
    "cancelled": _lazy("Cancelled"),
}
NOTE_STATES = {"preliminary": _lazy("Draft"), "final": _lazy("Signed"), "amended": _lazy("Amended"), "entered-in-error": _lazy("Entered in error")}


@dataclass(frozen=True, slots=True)
class ProblemRow:
    resource: Any

    @property
    def id(self) -> str:
        return str(self.resource.id)

    @property
    def name(self) -> str:
        return concept(self.resource.code, _("Problem not named"))

    @property
    def code(self) -> str:
        return code_in(self.resource.code, ICD10)

    @property
    def since(self) -> str:
        return day(date_of(self.resource))

    @property
    def is_active(self) -> bool:
        return status_of(self.resource.clinicalStatus) in ("", "active", "recurrence", "relapse")

    @property
    def status(self) -> str:
        return str(PROBLEM_STATES.get(status_of(self.resource.clinicalStatus), _("Not known")))

    @property
    def ended(self) -> str:
        return day(self.resource.abatementDateTime)


@dataclass(frozen=True, slots=True)
class AllergyRow:
    resource: Any

    @property
    def id(self) -> str:
        return str(self.resource.id)

    @property
    def substance(self) -> str:
        return concept(self.resource.code, _("Substance not named"))

    @property
    def reaction(self) -> str:
        found = [concept(manifestation) for reaction in self.resource.reaction for manifestation in reaction.manifestation]
        return ", ".join(text for text in found if text) or _("Reaction not known")

    @property
    def severity(self) -> str:
        words = {"mild": _("Mild"), "moderate": _("Moderate"), "severe": _("Severe")}
        return next((words[one.severity] for one in self.resource.reaction if one.severity in words), "")

    @property
    def is_severe(self) -> bool:
        return is_severe_allergy(self.resource)

    @property
    def kind(self) -> str:
        return _("Intolerance") if self.resource.data.get("type") == "intolerance" else _("Allergy")

    @property
    def is_active(self) -> bool:
        return is_active_allergy(self.resource)

    @property
    def recorded(self) -> str:
        return day(date_of(self.resource))

    @property
    def recorder(self) -> str:
        return who(self.resource.recorder)

    def for_banner(self) -> Allergy:
        return Allergy(self.substance, self.is_severe, self.reaction)


def review_of(lists: Sequence[Any], code: str) -> Review | None:
    """The latest recorded review of a list: who confirmed it, when, and whether there was nothing to record."""
    standing = [one for one in lists if one.status != "entered-in-error"]
    of_code = [one for one in standing if any(coding.code == code for coding in (one.code.coding if one.code else []))]
    if not of_code:
        return None
    last = max(of_code, key=lambda one: in_order(str(one.date or "")))
    return Review(at=last.date, by=who(last.source, not_known()), none_known=status_of(last.emptyReason) == "nilknown")


@dataclass(frozen=True, slots=True)
class AllergySlot:
    """The allergies card: what is recorded, what was confirmed, or that nobody asked."""

    rows: Sequence[AllergyRow]
    review: Review | None

    @classmethod
    def of(cls, allergies: Sequence[Any], lists: Sequence[Any]) -> AllergySlot:
        rows = [row for row in map(AllergyRow, allergies) if row.is_active]
        reviews = [one for one in (review_of(lists, ALLERGY_LIST), stated_none(allergies)) if one is not None]
        latest = max(reviews, key=lambda one: in_order(str(one.at or "")), default=None)
        return cls(sorted(rows, key=lambda row: (not row.is_severe, row.substance.lower())), latest)

    @property
    def was_asked(self) -> bool:
        return bool(self.rows) or self.review is not None

    @property
    def absence(self) -> str:
        """What stands where there are no rows."""
        if self.review is not None and self.review.none_known:
            return _("No known allergies — confirmed {date} by {who}").format(date=day(self.review.at), who=self.review.by)
        return _("Allergies not asked")

    @property
    def reviewed(self) -> str:
        return (
            _("Reviewed {date} by {who}").format(date=day(self.review.at), who=self.review.by) if self.review is not None else _("Not yet reviewed")
        )


@dataclass(frozen=True, slots=True)
class ImmunizationRow:
    resource: Any

    @property
    def vaccine(self) -> str:
        return concept(self.resource.vaccineCode, _("Vaccine not named"))

    @property
    def given(self) -> str:
        return day(date_of(self.resource)) or not_known()

    @property
    def status(self) -> str:
        return str(IMMUNIZATION_STATES.get(self.resource.status or "", _("Not known")))

    @property
    def detail(self) -> str:
        lot = _("lot {number}").format(number=self.resource.lotNumber) if self.resource.lotNumber else ""
        reason = concept(self.resource.statusReason)
        return " · ".join(part for part in (lot, reason) if part)


@dataclass(frozen=True, slots=True)
class VisitRow:
    resource: Any

    @property
    def id(self) -> str:
        return str(self.resource.id)

    @property
    def at(self) -> str:
        return date_of(self.resource)

    @property
    def what(self) -> str:
        kinds = [concept(one) for one in self.resource.type] + [concept(self.resource.serviceType)]
        return next((kind for kind in kinds if kind), _("Visit"))

    @property
    def reason(self) -> str:
        return ", ".join(text for text in map(concept, self.resource.reasonCode) if text)

    @property
    def clinician(self) -> str:
        return next((who(one.individual) for one in self.resource.participant if who(one.individual)), "")

    @property
    def is_open(self) -> bool:
        return self.resource.status in ("arrived", "triaged", "in-progress", "onleave")

    @property
    def status(self) -> str:
        return str(VISIT_STATES.get(self.resource.status or "", _("Not known")))


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A note (Composition) or another document (DocumentReference)."""

    resource: Any

    @property
    def id(self) -> str:
        return str(self.resource.id)

    @property
    def is_note(self) -> bool:
        return bool(self.resource.resourceType == "Composition")

    @property
    def at(self) -> str:
        return date_of(self.resource)

    @property
    def title(self) -> str:
        if self.is_note:
            return str(self.resource.title)
        return str(self.resource.description or concept(self.resource.type, _("Document")))

    @property
    def author(self) -> str:
        return next((who(author) for author in self.resource.author if who(author)), "")

    @property
    def is_draft(self) -> bool:
        return self.is_note and self.resource.status == "preliminary"

    @property
    def is_addendum(self) -> bool:
        return self.is_note and bool(self.resource.relatesTo)

    @property
    def status(self) -> str:
        if not self.is_note:
            return ""
        return str(NOTE_STATES.get(self.resource.status or "", ""))
