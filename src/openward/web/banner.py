"""The patient banner: who this is, on every patient page. NHS Common User Interface, Patient Banner PAB-0019, 0042–0046.

Absence is stated, never implied: "No known allergies — confirmed 03-Nov-2026 by …" is not "Allergies not asked".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from openward.web.display import Moment, age, day, person_name
from openward.web.words import gettext as _

MRN = "urn:openward:mrn"
NO_KNOWN_ALLERGY = ("http://snomed.info/sct", "716186003")
"""How other systems write that there is none: https://hl7.org/fhir/us/core/STU6.1/StructureDefinition-us-core-allergyintolerance.html"""


@dataclass(frozen=True, slots=True)
class Review:
    """That someone asked and what they found: `none_known` when the answer was that there is nothing."""

    at: Moment
    by: str
    none_known: bool = False


@dataclass(frozen=True, slots=True)
class Allergy:
    """One allergy as the banner shows it, the most severe first."""

    substance: str
    severe: bool = False
    reaction: str = ""


def is_replaced(patient: Any) -> bool:
    """Whether the record was merged into another, whatever it is called there."""
    return any(link.type == "replaced-by" for link in patient.link)


def replaced_by(patient: Any) -> str | None:
    """The id of the patient this record was merged into."""
    return next((link.other.target_id for link in patient.link if link.type == "replaced-by" and link.other), None)


def says_none_is_known(allergy: Any) -> bool:
    """Whether an AllergyIntolerance is no allergy but the statement that the patient knows of none."""
    codings = (allergy.data.get("code") or {}).get("coding", ())
    return any((coding.get("system"), coding.get("code")) == NO_KNOWN_ALLERGY for coding in codings)


def holds(allergy: Any) -> bool:
    """Whether what an AllergyIntolerance says is so now: not resolved, not refuted, not entered in error."""
    return _codes(allergy, "clinicalStatus") <= {"active"} and not _codes(allergy, "verificationStatus") & {"refuted", "entered-in-error"}


def is_active_allergy(allergy: Any) -> bool:
    """Whether an AllergyIntolerance is something the patient must not be given now."""
    return holds(allergy) and not says_none_is_known(allergy)


def is_severe_allergy(allergy: Any) -> bool:
    return allergy.criticality == "high" or any(one.severity == "severe" for one in allergy.reaction)


def stated_none(allergies: Sequence[Any]) -> Review | None:
    """The latest statement among AllergyIntolerances that there is none, by whom and when."""
    stated = [one for one in allergies if says_none_is_known(one) and holds(one)]
    if not stated:
        return None
    last = max(stated, key=lambda one: str(one.recordedDate or ""))
    teller = last.asserter if last.asserter is not None else last.recorder
    return Review(last.recordedDate, (teller.display if teller is not None else None) or _("Not known"), none_known=True)


def _codes(allergy: Any, name: str) -> set[str]:
    return {coding["code"] for coding in (allergy.data.get(name) or {}).get("coding", ()) if coding.get("code")}


@dataclass(frozen=True, slots=True)
class Banner:
    """`patient` is the typed Patient; `allergies` its active ones; `review` the latest allergy review, or None when nobody asked.

    `links` are (label, url) for the banner's own tabs; `flags` short words such as "Interpreter: Spanish".
    """

    patient: Any
    allergies: Sequence[Allergy] = ()
    review: Review | None = None
    flags: Sequence[str] = ()
    url: str = ""
    allergies_hidden: bool = False

    @property
    def name(self) -> str:
        names = list(self.patient.name)
        official = [name for name in names if name.use in ("official", "usual")] or names
        return person_name(official[0] if official else None)

    @property
    def preferred(self) -> str:
        """The name the person goes by, where it is another one."""
        nick = [name for name in self.patient.name if name.use == "nickname"]
        return " ".join(nick[0].given) or (nick[0].text or "") if nick else ""

    @property
    def died(self) -> Moment:
        """When the person died; the empty string when it is only known that they did; None when alive."""
        when = self.patient.deceased
        if when is None or when is False or str(when).lower() == "false":
            return None
        return "" if when is True or str(when).lower() == "true" else str(when)

    @property
    def is_deceased(self) -> bool:
        return self.died is not None

    @property
    def replaced_by(self) -> str | None:
        """The id of the record this one was merged into: nothing about the person stands here any more."""
        return replaced_by(self.patient)

    @property
    def born(self) -> str:
        date = self.patient.birthDate
        if not date:
            return _("Not known")
        years = "" if self.is_deceased else age(str(date))
        return f"{day(str(date))} ({years})" if years else day(str(date))

    @property
    def died_text(self) -> str:
        when = self.died
        if not when:
            return _("Date not known")
        at = age(str(self.patient.birthDate), str(when)) if self.patient.birthDate else ""
        return f"{day(str(when))} ({at})" if at else day(str(when))

    @property
    def sex(self) -> str:
        words = {"male": _("Male"), "female": _("Female"), "other": _("Other"), "unknown": _("Not known")}
        return words.get(self.patient.gender or "", _("Not known"))

    @property
    def number(self) -> str:
        """The medical record number, grouped as it is written."""
        found = [entry.value for entry in self.patient.identifier if entry.system == MRN and entry.value]
        return found[0] if found else _("Not known")

    @property
    def phone(self) -> str:
        found = [point.value for point in self.patient.telecom if point.system == "phone" and point.value]
        return found[0] if found else _("Not known")

    @property
    def address(self) -> str:
        for place in self.patient.address:
            parts = [*place.line, place.city, " ".join(part for part in (place.state, place.postalCode) if part)]
            return ", ".join(part for part in parts if part) or _("Not known")
        return _("Not known")

    @property
    def allergy_text(self) -> str:
        """Stated for every case: present, none known, not asked, or not for this role to see."""
        if self.allergies_hidden:
            return _("Not shown to your role")
        if self.allergies:
            return ", ".join(_("{substance} (severe)").format(substance=one.substance) if one.severe else one.substance for one in self._worst_first)
        if self.review is not None and self.review.none_known:
            return _("No known allergies — confirmed {date} by {who}").format(date=day(self.review.at), who=self.review.by)
        return _("Allergies not asked")

    @property
    def allergy_state(self) -> str:
        """`present`, `none` or `unknown`, for the symbol and colour beside the words."""
        if self.allergies:
            return "present"
        return "none" if self.review is not None and self.review.none_known and not self.allergies_hidden else "unknown"

    @property
    def title(self) -> str:
        """For the window's title: surname and the last four of the number, so that tabs are told apart."""
        return f"{self.name.split(',')[0]} {self.number[-4:]}"

    @property
    def _worst_first(self) -> list[Allergy]:
        return sorted(self.allergies, key=lambda one: not one.severe)
