"""Statements and receipts in plain words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.utils.translation import gettext as _

from openward.access.proxies import age
from openward.billing.models import Payment
from openward.billing.queries.bills import Bill, Share, VisitBill
from openward.fhir.resources import Organization, Patient
from openward.formats.x12.adjustment_codes import reason
from openward.registration.facts import phone_words
from openward.web.display import day, money

GROWN: Final = 18


def share_words(share: Share) -> str:
    """Why the patient owes this part, as one would say it across the counter."""
    known = {
        "1": _("{amount} is your deductible: the part you pay yourself each year before your plan begins to pay."),
        "2": _("{amount} is your coinsurance: the percentage your plan asks you to pay."),
        "3": _("{amount} is your copay: the fixed amount your plan asks for each visit."),
        "": _("{amount} is billed to you because no insurance pays for it."),
    }
    other = _("{amount}: {reason}. Ask your insurance if you think this is wrong.")
    return known.get(share.code, other).format(amount=money(share.amount), reason=reason(share.code).words)


@dataclass(frozen=True, slots=True)
class StatementPage:
    """What the PDF shows. `link` is where to pay, empty for none."""

    number: str
    on: dt.date
    due: dt.date
    practice: Organization | None
    patient: Patient
    bill: Bill
    link: str

    def words(self, *, qr: str) -> Mapping[str, Any]:
        phone = _phone(self.practice)
        return {
            "title": _("Statement"),
            "practice": practice_words(self.practice),
            "facts": [_("Number {number}").format(number=self.number), _("Date {day}").format(day=day(self.on))],
            "to": list(_addressee(self.patient, self.on)),
            "owe": money(self.bill.balance),
            "owe_words": _("You owe now"),
            "due_words": _("Please pay by {day}.").format(day=day(self.due)),
            "visits": [_visit(visit) for visit in self.bill.visits],
            "other_title": _("Payments and changes"),
            "other": [[day(line.on), line.words, money(line.amount)] for line in self.bill.other],
            "pay": {
                "title": _("How to pay"),
                "ways": [
                    _("Scan the code with your phone, or open the address below. No account is needed."),
                    _("Call us at {phone}, or pay at the front desk.").format(phone=phone) if phone else _("Or pay at the front desk."),
                ],
                "link": self.link,
                "help": _("Cannot pay it all at once, or something looks wrong? Call us before the due date: we will find a way."),
                "qr": qr,
                "qr_alt": _("Code that opens the payment page"),
            },
            "footer": _("{practice} · Statement {number}").format(practice=practice_words(self.practice)["name"], number=self.number),
            "page_word": _("Page "),
        }


def _visit(visit: VisitBill) -> Mapping[str, Any]:
    title = _("Visit on {day}").format(day=day(visit.on))
    return {
        "title": title,
        "services": [[service.what, money(service.charge)] for service in visit.services],
        "sums": [[words, money(amount)] for words, amount in visit_sums(visit)],
        "share_words": _("Your part of this visit"),
        "share": money(visit.share),
        "why": [share_words(share) for share in visit.why],
    }


def visit_sums(visit: VisitBill) -> Iterator[tuple[str, Decimal]]:
    """From the charge down to the patient's part, each step in words; steps of nothing are left out."""
    yield _("Charged"), visit.charge
    if visit.agreed:
        yield _("Lowered to the price your insurance agreed with us"), -visit.agreed
    if visit.is_insured:
        yield _("Allowed by your insurance"), visit.charge - visit.agreed
    steps = (
        (_("Paid by your insurance"), -visit.paid),
        (_("Still with your insurance"), -visit.pending),
        (_("Not charged to you"), -visit.given_up),
    )
    yield from ((words, amount) for words, amount in steps if amount)


def practice_words(practice: Organization | None) -> Mapping[str, Any]:
    if practice is None:
        return {"name": _("Your practice"), "lines": []}
    place = next(iter(practice.address), None)
    lines = [", ".join([*place.line, place.city or "", f"{place.state or ''} {place.postalCode or ''}".strip()])] if place else []
    phone = _phone(practice)
    return {"name": practice.name or _("Your practice"), "lines": [*lines, *([phone] if phone else [])]}


def _phone(practice: Organization | None) -> str:
    points = practice.telecom if practice else []
    return next((phone_words(point.value) for point in points if point.system == "phone" and point.value), "")


def _addressee(patient: Patient, on: dt.date) -> Iterator[str]:
    """As an envelope names a person; a child's bill is for who looks after them, and that of the dead for who settles what they left."""
    name = next(iter(patient.name), None)
    if name is not None:
        yield _in_whose_hands(patient, on).format(name=" ".join([*name.given, name.family or ""]).strip() or str(name.text or ""))
    place = next((each for each in patient.address if each.use != "old"), None)
    if place is not None:
        yield from place.line
        yield f"{place.city or ''}, {place.state or ''} {place.postalCode or ''}".strip(", ")


def _in_whose_hands(patient: Patient, on: dt.date) -> str:
    if patient.deceased:
        return _("The estate of {name}")
    years = age(patient.birthDate, on)
    return _("The parent or guardian of {name}") if years is not None and years < GROWN else "{name}"


@dataclass(frozen=True, slots=True)
class ReceiptPage:
    payment: Payment
    practice: Organization | None
    balance: Decimal

    def words(self) -> Mapping[str, Any]:
        paid = self.payment
        ways = {"card": _("Card ending in {last4}").format(last4=paid.last4), "cash": _("Cash"), "check": _("Check")}
        return {
            "title": _("Receipt"),
            "practice": practice_words(self.practice),
            "facts": [
                [_("Receipt number"), paid.receipt],
                [_("Date"), day(paid.made_at)],
                [_("Paid"), money(paid.amount)],
                [_("Paid with"), ways[paid.method]],
                [_("Left to pay"), money(self.balance)],
            ],
            "thanks": _("Thank you."),
        }
