"""The scrub list: what a claim lacks before a payer would take it, why that matters, and where to mend it.

Each rule is one function over the claim's file; the list of rules is the documentation. Rules know no database.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from openward.billing import facts
from openward.billing.envelopes import preview
from openward.billing.npi import is_npi
from openward.billing.places import PLACES
from openward.billing.queries.claim_file import ClaimFile
from openward.chart.diagnoses import named
from openward.formats.x12.errors import Unwritable
from openward.formats.x12.from_fhir import CLAIM_FREQUENCY, NPI, PAYER_ID, PLACE_OF_SERVICE, TAX_ID, diagnosis_codes
from openward.formats.x12.write_837p import MAX_DIAGNOSES, MAX_LINES, MAX_POINTERS
from openward.formats.x12.writing import plain

Place = tuple[str, str]
_PO_BOX = re.compile(r"\s*(?:p\.?\s*o\.?|post\s+office)\s*box\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Finding:
    """`what` is missing or wrong, `why` it matters, `mend` is where: a kind of page and the id it needs. `line` counts from 1."""

    rule: str
    what: str
    why: str
    mend: Place
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """What the rules look at. `today` is the practice's day; `others` are numbers of further claims for the same visit.

    `may_be_billed`: whether the law and the patient leave it to payment at all.
    """

    file: ClaimFile
    today: dt.date
    others: Sequence[str] = ()
    may_be_billed: bool = True

    @property
    def claim(self) -> Any:
        return self.file.claim

    @property
    def here(self) -> Place:
        return ("claim", str(self.claim.id))

    @property
    def patient_page(self) -> Place:
        return ("patient", str(self.file.patient.id) if self.file.patient else "")

    @property
    def coverage_page(self) -> Place:
        return ("coverage", str(self.file.patient.id) if self.file.patient else "")


Rule = Callable[[Case], Iterator[Finding]]
RULES: list[Rule] = []


def rule(function: Rule) -> Rule:
    RULES.append(function)
    return function


def scrub(case: Case) -> list[Finding]:
    """Every finding, in the order of the rules. An empty list means the claim may be sent: it was written once to see that it can be."""
    return [finding for each in RULES for finding in each(case)] or list(_unwritable(case))


def _unwritable(case: Case) -> Iterator[Finding]:
    """What no rule knows but the file refuses, such as a letter in a street: a claim that is called ready must not stop the whole file."""
    try:
        preview(case.file)
    except Unwritable as fault:
        what = _("The claim file cannot be written: {fault}").format(fault=fault)
        yield Finding("file", what, _("One such claim would keep every claim of its file from being sent."), _where(case, fault.fact))


def _where(case: Case, fact: str) -> Place:
    """The page where the fact the file refuses is mended."""
    billing, clinician = case.file.billing, case.file.clinician
    about = (
        (("patient", "subscriber"), case.patient_page),
        (("member", "payer", "relationship", "group", "authorization"), case.coverage_page),
        (("billing", "sender", "contact"), ("organization", str(billing.id) if billing else "")),
        (("clinician",), ("clinician", str(clinician.id) if clinician else "")),
    )
    return next((place for words, place in about if fact.startswith(words)), case.here)


@rule
def payment_is_permitted(case: Case) -> Iterator[Finding]:
    """What the law protects, or the patient keeps back, goes to a payer only with the patient's consent to payment."""
    if not case.may_be_billed:
        what = _("The patient's consent to use this visit for payment is missing")
        why = _("The visit is specially protected (42 CFR Part 2, or the patient's own wish). No payer may learn of it before the patient consents.")
        yield Finding("consent", what, why, ("consent", ""))


@rule
def patient_is_known(case: Case) -> Iterator[Finding]:
    """The patient's birth date, sex, name and home address are on the claim."""
    patient = case.file.patient
    if patient is None:
        yield Finding("patient", _("The patient is missing"), _("A claim is always about one person."), case.here)
        return
    why = _("The payer finds its member by name, birth date and sex; one that differs is refused.")
    if not patient.birthDate or len(patient.birthDate) != 10:
        yield Finding("birth-date", _("The patient's full birth date is missing"), why, case.patient_page)
    if patient.gender not in ("female", "male", "other", "unknown"):
        yield Finding("sex", _("The patient's sex is missing"), why, case.patient_page)
    yield from _name(case, patient)
    yield from _address(case, "address", patient, _("The patient's address"), case.patient_page)


def _name(case: Case, patient: Any) -> Iterator[Finding]:
    family = patient.name[0].family if patient.name else ""
    try:
        written = plain("name", family or "")
    except Unwritable:
        what = _("The patient's family name holds letters a claim cannot carry")
        yield Finding("name", what, _("Claim files know Latin letters only; record the spelling of the insurance card."), case.patient_page)
        return
    if not written:
        yield Finding("name", _("The patient's family name is missing"), _("The payer finds its member by name."), case.patient_page)


def _address(case: Case, name: str, resource: Any, words: str, mend: Place) -> Iterator[Finding]:
    place = next((each for each in resource.address if each.use != "old"), None)
    digits = "".join(mark for mark in (place.postalCode or "") if mark.isdigit()) if place else ""
    if place is None or not place.line or not place.city:
        yield Finding(name, _("{what} is missing").format(what=words), _("Every claim carries it; without one the file itself is refused."), mend)
    elif len(place.state or "") != 2 or len(digits) not in (5, 9):
        yield Finding(name, _("{what} lacks its state or ZIP code").format(what=words), _("Both are checked before a person reads the claim."), mend)


@rule
def coverage_holds(case: Case) -> Iterator[Finding]:
    """There is an insurance, with a member number, a payer with its id, and it held on the day."""
    coverage = case.file.coverage
    if coverage is None:
        yield Finding("coverage", _("No insurance is named on the claim"), _("Without one there is nobody to send it to."), case.coverage_page)
        return
    if not (coverage.subscriberId or "").strip():
        yield Finding("subscriber-id", _("The member number is missing"), _("It is how the payer knows whom it insures."), case.coverage_page)
    if case.file.payer is None or not facts.identifier(case.file.payer, PAYER_ID):
        yield Finding("payer-id", _("The payer's id is missing"), _("The clearinghouse sends the claim where this number says."), case.coverage_page)
    yield from _active_on_the_day(case, coverage)
    yield from _holder(case, coverage)


def _active_on_the_day(case: Case, coverage: Any) -> Iterator[Finding]:
    day, period = facts.served_on(case.claim), coverage.period
    why = _("A payer does not pay for a day it did not insure. Ask the patient for the insurance of that day.")
    if coverage.status != "active":
        yield Finding("coverage-active", _("The insurance is not active"), why, case.coverage_page)
    elif day and period and ((period.start and day.isoformat() < period.start[:10]) or (period.end and day.isoformat() > period.end[:10])):
        yield Finding("coverage-active", _("The insurance does not cover the day of the visit"), why, case.coverage_page)


def _holder(case: Case, coverage: Any) -> Iterator[Finding]:
    if facts.relationship_of(coverage) == "self":
        return
    holder = case.file.subscriber
    if holder is None or not holder.name or not holder.name[0].family:
        what = _("The person who holds the insurance is not recorded")
        yield Finding("subscriber", what, _("The patient is insured through somebody else, whom the claim must name."), case.coverage_page)


@rule
def practice_is_known(case: Case) -> Iterator[Finding]:
    """The practice that bills and the clinician have an NPI whose check digit is right."""
    billing, clinician = case.file.billing, case.file.clinician
    why = _("Payers refuse a claim whose NPI fails its check digit.")
    if billing is None:
        yield Finding("billing-provider", _("The practice that bills is not named"), _("The payer must know whom it pays."), case.here)
    else:
        if not is_npi(facts.identifier(billing, NPI)):
            yield Finding("billing-npi", _("The practice's NPI is missing or not valid"), why, ("organization", str(billing.id)))
        if len("".join(mark for mark in facts.identifier(billing, TAX_ID) if mark.isdigit())) != 9:
            what = _("The practice's tax number is missing")
            yield Finding("tax-id", what, _("The payer reports what it paid under this number."), ("organization", str(billing.id)))
        yield from _address(case, "billing-address", billing, _("The practice's address"), ("organization", str(billing.id)))
        if any(_PO_BOX.match(line) for place in billing.address if place.use != "old" for line in place.line):
            what = _("The practice's address is a post office box")
            yield Finding(
                "billing-address", what, _("Claims want the street where the practice is; the file is refused."), ("organization", str(billing.id))
            )
    if clinician is None or not is_npi(facts.identifier(clinician, NPI)):
        what = _("The clinician's NPI is missing or not valid") if clinician else _("No clinician is named on the claim")
        yield Finding("clinician-npi", what, why, ("clinician", str(clinician.id) if clinician else ""))


@rule
def diagnoses_are_billable(case: Case) -> Iterator[Finding]:
    """At least one diagnosis, each a complete ICD-10-CM code."""
    codes = diagnosis_codes(case.claim)
    if not codes:
        yield Finding("diagnosis", _("No diagnosis is on the claim"), _("A payer pays for a service only for a reason."), case.here)
    if len(codes) > MAX_DIAGNOSES:
        what = _("More than {n} diagnoses").format(n=MAX_DIAGNOSES)
        yield Finding("diagnosis-count", what, _("A claim has room for no more; keep those that matter to its lines."), case.here)
    if len(set(codes)) < len(codes):
        yield Finding("diagnosis-twice", _("A diagnosis stands twice on the claim"), _("A payer reads it as a mistake."), case.here)
    for code in codes:
        known = named(code)
        if known is None:
            what = _("{code} is not an ICD-10-CM code").format(code=code or "?")
            yield Finding("diagnosis-code", what, _("Payers refuse codes they do not find."), case.here)
        elif not known.is_billable:
            what = _("{code} is not complete").format(code=code)
            yield Finding("diagnosis-code", what, _("Payers take the most detailed code only; choose one below it."), case.here)


@rule
def lines_are_complete(case: Case) -> Iterator[Finding]:
    """Each line has a code, units, a charge, a day, a place of service, and points to a diagnosis."""
    if not case.claim.item:
        yield Finding("lines", _("The claim has no lines"), _("There is nothing to pay."), case.here)
    if len(case.claim.item) > MAX_LINES:
        yield Finding("lines", _("More than {n} lines").format(n=MAX_LINES), _("One claim has room for no more; split it."), case.here)
    known = {entry.sequence for entry in case.claim.diagnosis}
    for number, item in enumerate(case.claim.item, 1):
        for name, what, why in _line_faults(case, item, known):
            yield Finding(name, what, why, case.here, line=number)


def _line_faults(case: Case, item: Any, known: set[int]) -> Iterator[tuple[str, str, str]]:
    pointers = list(item.diagnosisSequence)
    if not facts.code_of(item.productOrService):
        yield "code", _("The service code is missing"), _("It says what is to be paid.")
    if not pointers or not set(pointers) <= known:
        yield "pointer", _("No diagnosis is named as its reason"), _("Payers match each service to the diagnosis that called for it.")
    elif len(pointers) > MAX_POINTERS:
        yield "pointer", _("More than four diagnoses are named as its reason"), _("A line has room for four; keep the most telling.")
    units = item.quantity.value if item.quantity else Decimal(0)
    if units is None or units <= 0:
        yield "units", _("The number of units is missing"), _("Zero units are paid with zero.")
    if facts.value(item.net) <= 0:
        yield "charge", _("The charge is zero"), _("A payer pays at most what is charged.")
    yield from _day_and_place(case, item)


def _day_and_place(case: Case, item: Any) -> Iterator[tuple[str, str, str]]:
    served = item.servicedDate or (item.servicedPeriod.start if item.servicedPeriod else None)
    if not served or len(served) < 10:
        yield "service-date", _("The day of the service is missing"), _("Coverage and price depend on it.")
    elif served[:10] > case.today.isoformat():
        yield "service-date", _("The day of the service lies in the future"), _("A claim sent before the service is refused.")
    place = facts.coding_of(item.locationCodeableConcept, PLACE_OF_SERVICE)
    if place not in PLACES:
        yield "place", _("The place of service is missing or not a known one"), _("The price depends on where the service was done.")


@rule
def claim_is_the_only_one(case: Case) -> Iterator[Finding]:
    """No other claim is open or paid for the same visit."""
    if case.others:
        what = _("The visit already has claim {numbers}").format(numbers=", ".join(case.others))
        yield Finding("duplicate", what, _("A second claim for one visit is refused as a duplicate. Correct the first instead."), case.here)


@rule
def replacement_names_the_first(case: Case) -> Iterator[Finding]:
    """A replacement or void says which claim of the payer's it is about; the frequency is one that is known."""
    frequency = case.claim.extension_value(CLAIM_FREQUENCY) or "1"
    if frequency not in ("1", "7", "8"):
        what = _("The frequency {code} is not known").format(code=frequency)
        yield Finding("frequency", what, _("1 is an original, 7 a replacement, 8 a void."), case.here)
    elif frequency != "1" and not any(entry.reference and entry.reference.value for entry in case.claim.related):
        what = _("The payer's number of the earlier claim is missing")
        yield Finding("frequency", what, _("Without it the payer cannot find what is replaced, and refuses it as a duplicate."), case.here)
