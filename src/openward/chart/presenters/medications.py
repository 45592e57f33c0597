"""The medication line of the NHS Common User Interface (MEDi-001…034).

Generic name bold and lower case, brand upper case after it; ` — ` between attributes; `DOSE` before the dose; `0.5` never `.5`; never cut off,
and wrapped between attributes only: the template keeps each attribute in one piece.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext

from openward.chart.presenters.wording import amount, concept, unit, who
from openward.web.display import day
from openward.web.words import gettext as _

BRAND = re.compile(r"\[([^\]]+)\]")
SOURCE = re.compile(r"^NDA\d+\s+")
PACK = re.compile(r"^(\d[\d.,]*\s(?:ACTUAT|ML|HR|MG))\s+", re.IGNORECASE)
STRENGTH = re.compile(r"(?<=\s)(?=\d)")
MEASURE = re.compile(r"(\d[\d.,]*)\s*([A-Za-zµ%]+)(/[A-Za-z0-9]+)?")

MEDICATION_STATES = {
    "active": _lazy("Active"),
    "on-hold": _lazy("On hold"),
    "stopped": _lazy("Stopped"),
    "completed": _lazy("Completed"),
    "cancelled": _lazy("Cancelled"),
    "draft": _lazy("Draft"),
    "entered-in-error": _lazy("Entered in error"),
    "intended": _lazy("Intended"),
    "not-taken": _lazy("Not taken"),
    "unknown": _lazy("Not known"),
}


@dataclass(frozen=True, slots=True)
class Name:
    """A medication's name taken apart: `generic`, `brand`, and what comes after (strength and form)."""

    generic: str
    brand: str
    product: str


@dataclass(frozen=True, slots=True)
class Attribute:
    """One piece of the line; `label` is `DOSE` or empty."""

    label: str
    value: str


def name_of(text: str) -> Name:
    """`Hydrochlorothiazide 25 MG Oral Tablet` → hydrochlorothiazide; 25 mg oral tablet. Combinations keep every part."""
    brand = BRAND.search(text)
    plain = SOURCE.sub("", BRAND.sub("", text)).strip()
    pack = PACK.match(plain)
    plain = PACK.sub("", plain)
    pairs = [_split(part) for part in re.split(r"\s/\s", plain)]
    generic = " + ".join(name.lower() for name, _rest in pairs if name)
    product = " + ".join(_measured(rest) for _name, rest in pairs if rest)
    if pack:
        product = f"{product} ({_measured(pack.group(1))})" if product else _measured(pack.group(1))
    return Name(generic or text.lower(), brand.group(1).upper() if brand else "", product)


def _split(part: str) -> tuple[str, str]:
    pieces = STRENGTH.split(part.strip(), maxsplit=1)
    return pieces[0].strip(), pieces[1] if len(pieces) > 1 else ""


def _measured(text: str) -> str:
    """`25 MG Oral Tablet` → `25 mg oral tablet`; `0.09 MG/ACTUAT` → `0.09 mg/actuation`."""
    return MEASURE.sub(lambda found: f"{found.group(1)} {unit(found.group(2))}{_per(found.group(3))}", _quiet(text))


def _per(text: str | None) -> str:
    return f"/{unit(text[1:]).removesuffix('s')}" if text else ""


def _quiet(text: str) -> str:
    return " ".join(word if word.upper() in ("MG", "ML", "MCG", "UNT", "HR", "MEQ", "G") or "/" in word else word.lower() for word in text.split())


@dataclass(frozen=True)
class MedicationLine:
    """One prescription or reported medication as a line, with what is done with it."""

    resource: Any

    @property
    def id(self) -> str:
        return str(self.resource.id)

    @cached_property
    def text(self) -> str:
        return concept(self.resource.medicationCodeableConcept, who(self.resource.medicationReference, _("Medication not named")))

    @cached_property
    def name(self) -> Name:
        return name_of(self.text)

    @cached_property
    def attributes(self) -> list[Attribute]:
        product = [Attribute("", self.name.product)] if self.name.product else []
        doses = self._doses
        return product + (dosage(doses[0]) if doses else [])

    @property
    def _doses(self) -> Any:
        return self.resource.dosageInstruction

    @property
    def is_reported(self) -> bool:
        """Whether the patient told of it and nobody here prescribed it."""
        return False

    @property
    def plain(self) -> str:
        """The whole line as text, for lists read aloud, print and search."""
        parts = [self.name.generic, *(f"{one.label} {one.value}".strip() for one in self.attributes)]
        return " — ".join(part for part in parts if part)

    @property
    def is_active(self) -> bool:
        return self.resource.status in ("active", "on-hold")

    @property
    def status(self) -> str:
        return str(MEDICATION_STATES.get(self.resource.status or "", _("Not known")))

    @property
    def started(self) -> str:
        return day(self.resource.authoredOn)

    @property
    def prescriber(self) -> str:
        return who(self.resource.requester)

    @property
    def refills(self) -> str:
        order = self.resource.dispenseRequest
        if order is None or order.numberOfRepeatsAllowed is None:
            return ""
        n = int(order.numberOfRepeatsAllowed)
        return ngettext("{n} refill", "{n} refills", n).format(n=n)

    @property
    def quantity(self) -> str:
        order = self.resource.dispenseRequest
        if order is None or order.quantity is None or order.quantity.value is None:
            return ""
        return _("supply {n} {unit}").format(n=amount(order.quantity.value), unit=unit(order.quantity.unit)).strip()

    @property
    def stopped_because(self) -> str:
        return concept(self.resource.statusReason)


class ReportedLine(MedicationLine):
    """A medication the patient takes that was not prescribed here (MedicationStatement)."""

    @property
    def _doses(self) -> Any:
        return self.resource.dosage

    @property
    def is_reported(self) -> bool:
        return True

    @property
    def is_active(self) -> bool:
        return self.resource.status in ("active", "intended", "on-hold", "unknown")

    @property
    def started(self) -> str:
        return day(self.resource.effectiveDateTime or self.resource.dateAsserted)

    @property
    def prescriber(self) -> str:
        return ""

    @property
    def refills(self) -> str:
        return ""


def line_of(resource: Any) -> MedicationLine:
    return ReportedLine(resource) if resource.resourceType == "MedicationStatement" else MedicationLine(resource)


def dosage(instruction: Any) -> list[Attribute]:
    """DOSE, route, frequency and for what, each an attribute; the free text alone where there is nothing else."""
    dose = _dose(instruction)
    frequency = (
        concept(instruction.timing.code) if instruction.timing is not None and instruction.timing.code is not None else _timing(instruction.timing)
    )
    parts = [
        Attribute(_("DOSE"), dose) if dose else None,
        Attribute("", concept(instruction.route)) if instruction.route is not None else None,
        Attribute("", frequency) if frequency else None,
        Attribute("", _needed(instruction)) if _needed(instruction) else None,
    ]
    found = [part for part in parts if part is not None]
    return found or ([Attribute("", str(instruction.text))] if instruction.text else [])


def _dose(instruction: Any) -> str:
    for rate in instruction.doseAndRate:
        if rate.doseQuantity is not None and rate.doseQuantity.value is not None:
            return f"{amount(rate.doseQuantity.value)} {unit(rate.doseQuantity.unit)}".strip()
    return ""


def _timing(timing: Any) -> str:
    repeat = timing.repeat if timing is not None else None
    if repeat is None or not repeat.frequency or not repeat.period:
        return ""
    units = {"d": _("day"), "h": _("hour"), "wk": _("week"), "mo": _("month"), "min": _("minute")}
    period, word = amount(repeat.period), units.get(repeat.periodUnit or "", repeat.periodUnit or "")
    if period == "1":
        return {1: _("once a {unit}"), 2: _("twice a {unit}")}.get(repeat.frequency, _("{n} times a {unit}")).format(n=repeat.frequency, unit=word)
    return (
        _("{n} times every {period} {unit}s").format(n=repeat.frequency, period=period, unit=word)
        if repeat.frequency > 1
        else _("every {period} {unit}s").format(period=period, unit=word)
    )


def _needed(instruction: Any) -> str:
    if instruction.asNeededCodeableConcept is not None:
        return _("as needed for {reason}").format(reason=concept(instruction.asNeededCodeableConcept))
    return _("as needed") if instruction.asNeededBoolean else ""
