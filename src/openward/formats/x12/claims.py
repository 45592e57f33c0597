"""A professional claim (837P) as values, in X12's own terms. Amounts are Decimals of US dollars in whole cents."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal

VERSION = "005010X222A1"


@dataclass(frozen=True, slots=True)
class Address:
    lines: tuple[str, ...]
    city: str
    state: str
    postal_code: str


@dataclass(frozen=True, slots=True)
class Person:
    """`sex` is F, M or U; `address`, `birth_date` and `sex` may be absent where the person is only named."""

    family: str
    given: str
    middle: str = ""
    birth_date: dt.date | None = None
    sex: str = ""
    address: Address | None = None


@dataclass(frozen=True, slots=True)
class Party:
    """An organisation or a provider. `number` is its NPI, payer id or sender id, as its place in the file says."""

    name: str
    number: str
    given: str = ""
    address: Address | None = None
    tax_id: str = ""
    taxonomy: str = ""
    is_person: bool = False


@dataclass(frozen=True, slots=True)
class ServiceLine:
    """`pointers` are the places (from 1) of the claim's diagnoses that were the reason; at most four."""

    code: str
    charge: Decimal
    date: dt.date
    pointers: tuple[int, ...]
    units: Decimal = Decimal(1)
    modifiers: tuple[str, ...] = ()
    place: str = ""
    control: str = ""


@dataclass(frozen=True, slots=True)
class ProfessionalClaim:
    """One CLM and who it is about.

    `control` is our number for the claim, at most 20 characters, and comes back in CLP01 of the remittance. `relationship`
    is PAT01 (01 spouse, 19 child, G8 other …) and empty when the patient is the subscriber. `frequency` is 1 original,
    7 replacement or 8 void; the last two need `payer_control`, the payer's number of the earlier claim.
    """

    control: str
    billing: Party
    subscriber: Person
    member_id: str
    payer: Party
    diagnoses: tuple[str, ...]
    lines: tuple[ServiceLine, ...]
    place: str = "11"
    frequency: str = "1"
    payer_control: str = ""
    authorization: str = ""
    sequence: str = "P"
    filing: str = "CI"
    group_number: str = ""
    group_name: str = ""
    patient: Person | None = None
    relationship: str = ""
    rendering: Party | None = None
    facility: Party | None = None

    @property
    def total(self) -> Decimal:
        return sum((line.charge for line in self.lines), Decimal("0.00"))


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who sends the file to whom. `control` numbers interchange, group and set (1 to 999,999,999); `at` is the sender's local time."""

    sender: Party
    receiver: Party
    control: int
    at: dt.datetime
    contact: str
    contact_phone: str
    usage: str = "P"
    sender_qualifier: str = "ZZ"
    receiver_qualifier: str = "ZZ"
    version: str = VERSION


@dataclass(frozen=True, slots=True)
class Submission:
    """What a file of claims says: the claims of one transaction set, with who sent them."""

    sender: Party
    receiver: Party
    control: str
    version: str
    claims: tuple[ProfessionalClaim, ...] = field(default_factory=tuple)
