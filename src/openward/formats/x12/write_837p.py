"""Write professional claims, X12 837P (005010X222A1)."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

from openward.formats.x12.claims import Address, Envelope, Party, Person, ProfessionalClaim, ServiceLine
from openward.formats.x12.errors import Unwritable
from openward.formats.x12.writing import SegmentWriter, amount, code, needed, plain

Key = TypeVar("Key", bound=Hashable)

MAX_LINES = 50
MAX_DIAGNOSES = 12
MAX_POINTERS = 4


def write_837p(claims: Sequence[ProfessionalClaim], envelope: Envelope) -> bytes:
    """One interchange with one transaction set. Raises Unwritable for the first fact that the file needs and does not have.

    Claims of one billing provider, and within it of one subscriber, are written under one parent, in the order they first came.
    """
    if not claims:
        raise Unwritable("claims", "there are none to send")
    out = SegmentWriter()
    with_number = f"{envelope.control:09}"
    _interchange_header(out, envelope, with_number)
    before = out.count
    _transaction_header(out, envelope)
    _Hierarchy(out).write(claims)
    out.add("SE", str(out.count - before + 1), _set_control(envelope))
    out.add("GE", "1", str(envelope.control))
    out.add("IEA", "1", with_number)
    return out.to_bytes()


def _set_control(envelope: Envelope) -> str:
    return f"{envelope.control:04}"[-9:]


def _interchange_header(out: SegmentWriter, envelope: Envelope, number: str) -> None:
    sender = code("sender id", envelope.sender.number, limit=15)
    receiver = code("receiver id", envelope.receiver.number, limit=15)
    marks, at = out.marks, envelope.at
    if not 1 <= envelope.control <= 999_999_999:
        raise Unwritable("control number", "must be 1 to 999,999,999")
    ends = [envelope.sender_qualifier, f"{sender:15}", envelope.receiver_qualifier, f"{receiver:15}"]
    out.add(
        "ISA",
        "00",
        " " * 10,
        "00",
        " " * 10,
        *ends,
        f"{at:%y%m%d}",
        f"{at:%H%M}",
        marks.repetition,
        "00501",
        number,
        "0",
        envelope.usage,
        marks.component,
    )
    out.add("GS", "HC", sender, receiver, f"{at:%Y%m%d}", f"{at:%H%M}", str(envelope.control), "X", envelope.version)


def _transaction_header(out: SegmentWriter, envelope: Envelope) -> None:
    out.add("ST", "837", _set_control(envelope), envelope.version)
    out.add("BHT", "0019", "00", str(envelope.control), f"{envelope.at:%Y%m%d}", f"{envelope.at:%H%M%S}", "CH")
    out.add("NM1", "41", "2", needed("sender name", envelope.sender.name), "", "", "", "", "46", envelope.sender.number)
    out.add("PER", "IC", needed("contact", envelope.contact), "TE", _phone(envelope.contact_phone))
    out.add("NM1", "40", "2", needed("receiver name", envelope.receiver.name), "", "", "", "", "46", envelope.receiver.number)


def _phone(text: str) -> str:
    digits = "".join(mark for mark in text if mark.isdigit())[-10:]
    if len(digits) != 10:
        raise Unwritable("contact phone", f"“{text}” is not a ten-digit phone number")
    return digits


class _Hierarchy:
    """Numbers the HL levels: billing provider, subscriber, dependent."""

    def __init__(self, out: SegmentWriter) -> None:
        self.out = out
        self.last = 0

    def write(self, claims: Sequence[ProfessionalClaim]) -> None:
        for billing, of_billing in _runs(claims, lambda claim: claim.billing):
            parent = self.level("", "20", children=True)
            _billing_provider(self.out, billing)
            for _, of_subscriber in _runs(of_billing, _subscriber_key):
                self.subscriber(parent, of_subscriber)

    def level(self, parent: str, kind: str, *, children: bool) -> str:
        self.last += 1
        self.out.add("HL", str(self.last), parent, kind, "1" if children else "0")
        return str(self.last)

    def subscriber(self, parent: str, claims: Sequence[ProfessionalClaim]) -> None:
        """The subscriber's own claims come before those of dependents, as the guide orders them."""
        level = self.level(parent, "22", children=any(claim.patient for claim in claims))
        _subscriber(self.out, claims[0])
        for claim in claims:
            if claim.patient is None:
                _claim(self.out, claim)
        for (patient, relationship), of_patient in _runs([claim for claim in claims if claim.patient], _patient_key):
            self.level(level, "23", children=False)
            _dependent(self.out, patient, relationship)
            for claim in of_patient:
                _claim(self.out, claim)


def _subscriber_key(claim: ProfessionalClaim) -> Hashable:
    """Self and dependent do not share a level: SBR02 says which of the two the claims below it are."""
    return (claim.subscriber, claim.member_id, claim.payer, claim.sequence, claim.filing, claim.group_number, claim.group_name, claim.patient is None)


def _patient_key(claim: ProfessionalClaim) -> tuple[Person, str]:
    return claim.patient or claim.subscriber, claim.relationship


def _runs(claims: Sequence[ProfessionalClaim], key: Callable[[ProfessionalClaim], Key]) -> list[tuple[Key, list[ProfessionalClaim]]]:
    """Claims by key, both in the order they first came."""
    runs: dict[Key, list[ProfessionalClaim]] = {}
    for claim in claims:
        runs.setdefault(key(claim), []).append(claim)
    return list(runs.items())


def _billing_provider(out: SegmentWriter, party: Party) -> None:
    if party.taxonomy:
        out.add("PRV", "BI", "PXC", code("billing provider taxonomy", party.taxonomy, limit=10, least=10))
    _party(out, "85", party, "billing provider", "XX")
    _address(out, party.address, "billing provider", whole=True)
    out.add("REF", "EI", _digits("billing provider tax id", party.tax_id, 9))


def _subscriber(out: SegmentWriter, claim: ProfessionalClaim) -> None:
    is_self = claim.patient is None
    group = plain("group number", claim.group_number, limit=50)
    name = "" if group else plain("group name", claim.group_name)
    out.add("SBR", claim.sequence, "18" if is_self else "", group, name, "", "", "", "", claim.filing)
    _person(out, "IL", claim.subscriber, "subscriber", code("member id", claim.member_id, limit=80, least=2))
    if is_self:
        _address(out, claim.subscriber.address, "subscriber")
        _demographics(out, claim.subscriber, "subscriber")
    _party(out, "PR", claim.payer, "payer", "PI")
    if claim.payer.address:
        _address(out, claim.payer.address, "payer")


def _dependent(out: SegmentWriter, patient: Person, relationship: str) -> None:
    out.add("PAT", code("relationship to the subscriber", relationship, limit=2, least=2))
    _person(out, "QC", patient, "patient")
    _address(out, patient.address, "patient")
    _demographics(out, patient, "patient")


def _person(out: SegmentWriter, role: str, person: Person, fact: str, member_id: str = "") -> None:
    names = (
        needed(f"{fact} family name", person.family),
        plain(f"{fact} given name", person.given, limit=35),
        plain(f"{fact} middle name", person.middle, limit=25),
    )
    out.add("NM1", role, "1", *names, "", "", "MI" if member_id else "", member_id)


def _demographics(out: SegmentWriter, person: Person, fact: str) -> None:
    if person.birth_date is None:
        raise Unwritable(f"{fact} birth date", "is missing")
    if person.sex not in ("F", "M", "U"):
        raise Unwritable(f"{fact} sex", "must be F, M or U")
    out.add("DMG", "D8", f"{person.birth_date:%Y%m%d}", person.sex)


def _party(out: SegmentWriter, role: str, party: Party, fact: str, qualifier: str) -> None:
    number = _digits(f"{fact} NPI", party.number, 10) if qualifier == "XX" else code(f"{fact} id", party.number, limit=80, least=2)
    names = (needed(f"{fact} name", party.name), plain(f"{fact} given name", party.given, limit=35))
    out.add("NM1", role, "1" if party.is_person else "2", *names, "", "", "", qualifier, number)


def _address(out: SegmentWriter, address: Address | None, fact: str, *, whole: bool = False) -> None:
    """`whole`: the place must have all nine digits of its ZIP code."""
    if address is None or not address.lines:
        raise Unwritable(f"{fact} address", "is missing")
    lines = [needed(f"{fact} street", line, limit=55) for line in address.lines[:2] if line.strip()]
    out.add("N3", *lines)
    state = code(f"{fact} state", address.state.upper(), limit=2, least=2)
    out.add("N4", needed(f"{fact} city", address.city, limit=30), state, _postal_code(f"{fact} postal code", address.postal_code, whole=whole))


def _postal_code(fact: str, text: str, *, whole: bool) -> str:
    """Where nine digits are demanded and five are known, 9998 stands for the rest, as clearinghouses fill it in: five alone are refused.

    https://www.stedi.com/changelog/claim-repair-and-edit-incomplete-zip-code
    https://medicarepaymentandreimbursement.com/2011/08/hipaa-5010-what-changes-in-cms-1500.html
    """
    digits = "".join(mark for mark in text if mark.isdigit())
    if len(digits) not in (5, 9):
        raise Unwritable(fact, f"“{text}” is not a ZIP code")
    return f"{digits}9998" if whole and len(digits) == 5 else digits


def _digits(fact: str, text: str, length: int) -> str:
    digits = "".join(mark for mark in text if mark.isdigit())
    if len(digits) != length:
        raise Unwritable(fact, "is missing" if not text else f"“{text}” must have {length} digits")
    return digits


def _claim(out: SegmentWriter, claim: ProfessionalClaim) -> None:
    control = code("claim number", claim.control, limit=20)
    place = (code("place of service", claim.place, limit=2, least=2), "B", code("frequency", claim.frequency, limit=1))
    out.add("CLM", control, amount(claim.total), "", "", place, "Y", "A", "Y", "Y")
    if claim.authorization:
        out.add("REF", "G1", code("authorization number", claim.authorization, limit=50))
    if claim.frequency in ("7", "8"):
        out.add("REF", "F8", code("payer's number of the earlier claim", claim.payer_control, limit=50))
    _diagnoses(out, claim.diagnoses)
    if claim.rendering:
        _rendering(out, claim.rendering)
    if claim.facility:
        _party(out, "77", claim.facility, "place of the visit", "XX")
        _address(out, claim.facility.address, "place of the visit", whole=True)
    if not 1 <= len(claim.lines) <= MAX_LINES:
        raise Unwritable("service lines", f"a claim has 1 to {MAX_LINES}, not {len(claim.lines)}")
    for number, line in enumerate(claim.lines, 1):
        _line(out, number, line, claim)


def _diagnoses(out: SegmentWriter, codes: Sequence[str]) -> None:
    if not 1 <= len(codes) <= MAX_DIAGNOSES:
        raise Unwritable("diagnoses", f"a claim has 1 to {MAX_DIAGNOSES}, not {len(codes)}")
    bare = [code("diagnosis", each.replace(".", ""), limit=7, least=3) for each in codes]
    out.add("HI", *(("ABK" if place == 0 else "ABF", each) for place, each in enumerate(bare)))


def _rendering(out: SegmentWriter, party: Party) -> None:
    _party(out, "82", party, "clinician", "XX")
    if party.taxonomy:
        out.add("PRV", "PE", "PXC", code("clinician taxonomy", party.taxonomy, limit=10, least=10))


def _line(out: SegmentWriter, number: int, line: ServiceLine, claim: ProfessionalClaim) -> None:
    fact = f"line {number}"
    if not 1 <= len(line.pointers) <= MAX_POINTERS or not all(1 <= place <= len(claim.diagnoses) for place in line.pointers):
        raise Unwritable(f"{fact} diagnosis pointers", f"must name 1 to {MAX_POINTERS} of the claim's diagnoses")
    procedure = ("HC", code(f"{fact} code", line.code, limit=48), *(code(f"{fact} modifier", each, limit=2, least=2) for each in line.modifiers[:4]))
    place = line.place if line.place and line.place != claim.place else ""
    out.add("LX", str(number))
    out.add("SV1", procedure, amount(line.charge), "UN", amount(line.units), place, "", tuple(str(each) for each in line.pointers))
    out.add("DTP", "472", "D8", f"{line.date:%Y%m%d}")
    if line.control:
        out.add("REF", "6R", code(f"{fact} control number", line.control, limit=50))
