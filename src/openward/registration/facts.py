"""What registration reads from and writes into Patient and Coverage. See docs/conventions.md."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final, Literal

from openward.fhir.resources import CodeableConcept, Coding, ContactPoint, Coverage, Identifier, Patient
from openward.web.display import person_name

MRN: Final = "urn:openward:mrn"
TEXTS_WELCOME: Final = "urn:openward:text-consent"
IDENTIFIER_TYPE: Final = "http://terminology.hl7.org/CodeSystem/v2-0203"
CONTACT_ROLE: Final = "http://terminology.hl7.org/CodeSystem/v2-0131"
COVERAGE_CLASS: Final = "http://terminology.hl7.org/CodeSystem/coverage-class"
SUBSCRIBER: Final = "http://terminology.hl7.org/CodeSystem/subscriber-relationship"
COUNTRY: Final = "US"


class UnreadablePhone(ValueError):
    """Enter a telephone number with its area code, such as (212) 555-0123."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How a patient can be told something."""

    channel: Literal["sms", "email", "letter"]
    to: str


def read_phone(text: str) -> str:
    """A number as people type it, as `+12125550123`. Raises UnreadablePhone."""
    import phonenumbers  # fifty modules, for one field of one form
    from phonenumbers import NumberParseException, PhoneNumberFormat

    try:
        number = phonenumbers.parse(text, COUNTRY)
    except NumberParseException:
        raise UnreadablePhone(UnreadablePhone.__doc__) from None
    if not phonenumbers.is_valid_number(number):
        raise UnreadablePhone(UnreadablePhone.__doc__)
    return str(phonenumbers.format_number(number, PhoneNumberFormat.E164))


# A number of this country as it is stored, or as it is mostly typed.
OWN_NUMBER = re.compile(r"(?:\+?1[- ]?)?\(?([2-9]\d\d)\)?[- ]?(\d{3})-?(\d{4})", re.ASCII)


def phone_words(text: str | None) -> str:
    """`(212) 555-0123` for a number of this country, `+44 20 7946 0958` for another, anything else as it stands."""
    if own_number := OWN_NUMBER.fullmatch(text or ""):
        # What the library makes of it as well, in a hundredth of the time: the finder writes a dozen with every letter.
        return "({}) {}-{}".format(*own_number.groups())
    import phonenumbers
    from phonenumbers import NumberParseException, PhoneNumberFormat

    try:
        number = phonenumbers.parse(text or "", COUNTRY)
    except NumberParseException:
        return text or ""
    own = number.country_code == phonenumbers.country_code_for_region(COUNTRY)
    return str(phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL if own else PhoneNumberFormat.INTERNATIONAL))


def record_number(patient: Patient) -> str | None:
    return next((entry.value for entry in patient.identifier if entry.system == MRN and entry.value), None)


def number_identifier(number: str) -> Identifier:
    return Identifier(use="usual", type=CodeableConcept(coding=[Coding(system=IDENTIFIER_TYPE, code="MR")]), system=MRN, value=number)


def name_of(patient: Patient) -> str:
    """`FAMILY, Given (Title)`."""
    names = [name for name in patient.name if name.use in ("official", "usual")] or list(patient.name)
    return person_name(names[0] if names else None)


def contact_point(patient: Patient, system: str) -> ContactPoint | None:
    """The telephone or e-mail to use first: the lowest rank, then the first that is not old."""
    points = [point for point in patient.telecom if point.system == system and point.value and point.use != "old"]
    return min(points, key=lambda point: point.rank or 99, default=None)


def phone_of(patient: Patient) -> str | None:
    point = contact_point(patient, "phone")
    return point.value if point else None


def email_of(patient: Patient) -> str | None:
    point = contact_point(patient, "email")
    return point.value if point else None


def texts_welcome(patient: Patient) -> bool:
    """Whether the patient agreed to text messages; not asked means no."""
    return patient.extension_value(TEXTS_WELCOME) is True


def welcome_texts(patient: Patient, yes: bool) -> None:
    patient.set_extension(TEXTS_WELCOME, valueBoolean=yes)


def reach_of(patient: Patient) -> Reach | None:
    """By text where that is welcome, else by e-mail, else by letter; None without any address."""
    phone, email = phone_of(patient), email_of(patient)
    if phone and texts_welcome(patient):
        return Reach("sms", phone)
    if email:
        return Reach("email", email)
    letter = address_words(patient)
    return Reach("letter", letter[:254]) if letter else None


def address_words(patient: Patient) -> str:
    """`100 Lantern Way, Maple Hollow, NY 00121`; empty for none."""
    for place in patient.address:
        parts = [*place.line, place.city, " ".join(part for part in (place.state, place.postalCode) if part)]
        return ", ".join(part for part in parts if part)
    return ""


def plan_class(coverage: Coverage, code: str) -> Any:
    """The entry of `Coverage.class` of this kind: `group` or `plan`."""
    return next((entry for entry in coverage.class_ if any(coding.code == code for coding in entry.type.coding)), None)


def relationship_of(coverage: Coverage) -> str:
    codings = coverage.relationship.coding if coverage.relationship else []
    return next((str(coding.code) for coding in codings if coding.code), "self")
