"""Statements: the bill as the patient gets it, with a PDF and a link to pay."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from openward.access.actor import Actor
from openward.billing import facts, rows
from openward.billing.actions.payments import make_link, one_account_at_a_time, practice_name
from openward.billing.documents import statement_pdf
from openward.billing.errors import NothingToBill, SentToday
from openward.billing.models import Statement
from openward.billing.presenters.statements import StatementPage
from openward.billing.queries.balances import patient_balance
from openward.billing.queries.bills import Bill, bill
from openward.billing.queries.confidential import hides_on_paper
from openward.billing.queries.visits import practice
from openward.fhir.errors import Forbidden
from openward.fhir.ids import new_id
from openward.fhir.resources import (
    Identifier,
    Invoice,
    InvoiceLineItem,
    InvoiceLineItemPriceComponent,
    Organization,
    Patient,
    Reference,
)
from openward.outbox.actions import send
from openward.record import UnitOfWork, unit_of_work
from openward.registration.facts import Reach, address_words, reach_of

DUE_DAYS = 30


def not_on_paper() -> str:
    """Why nothing leaves although something is owed."""
    return _("What is owed is for the patient alone to know, and is not put on paper. They see it and pay it in the portal.")


def labels_told(account: Bill) -> list[str]:
    """The sensitivity labels of the visits a statement tells in clear."""
    return sorted({label for visit in account.visits if visit.is_named for label in visit.labels})


def is_paperless(patient: Patient) -> bool:
    return patient.extension_value(facts.PAPERLESS) is True


def send_statement(*, patient: str, by: Actor) -> Statement:
    """Make a statement of what the patient owes now and send it: on paper, or as a link where paper is not wanted.

    What a young person may keep to themselves is not on it: others open their letters. The same bill is not sent twice on one day.
    Raises NothingToBill, SentToday.
    """
    with unit_of_work(by=by) as work:
        one_account_at_a_time(work, patient)
        hides = hides_on_paper(work.tenant, patient)
        person, account = work.store.read(Patient, patient), bill(work.store, patient, hides)
        if account.balance <= 0:
            raise NothingToBill(not_on_paper() if hides and patient_balance(work.tenant, patient) > 0 else _("The patient owes nothing."))
        _not_sent_today(work.tenant, patient, account.balance)
        id, number = UUID(new_id()), f"ST{rows.next_number(work, 'statement'):07}"
        due, link = timezone.localdate() + dt.timedelta(days=DUE_DAYS), make_link(work, patient, statement=id)
        issuer = practice(work.store)
        invoice = work.store.create(_invoice(person, issuer, account, number))
        page = StatementPage(number, timezone.localdate(), due, issuer, person, account, link)
        made = Statement.objects.create(
            tenant=work.tenant,
            id=id,
            number=number,
            patient=patient,
            invoice=str(invoice.id),
            balance=account.balance,
            made_by=by.id,
            due_on=due,
            pdf=statement_pdf(page),
            paperless=is_paperless(person),
            labels=labels_told(account),
        )
        _leave(work, person, made, link)
        return made


def _not_sent_today(tenant: int, patient: str, balance: Decimal) -> None:
    latest = Statement.objects.filter(tenant=tenant, patient=patient).defer("pdf").order_by("-made_at").first()
    if latest and latest.balance == balance and timezone.localdate(latest.made_at) == timezone.localdate():
        raise SentToday(number=latest.number)


def _invoice(person: Patient, issuer: Organization | None, account: Bill, number: str) -> Invoice:
    invoice = Invoice(
        identifier=[Identifier(system=facts.STATEMENT, value=number)],
        status="issued",
        subject=Reference.to(person),
        recipient=Reference.to(person),
        date=timezone.now(),
        lineItem=[_line(place, words, amount) for place, (words, amount) in enumerate(_lines(account), 1)],
        totalNet=facts.usd(account.balance),
        totalGross=facts.usd(account.balance),
        paymentTerms=_("Due in {days} days.").format(days=DUE_DAYS),
    )
    facts.set_labels(invoice, labels_told(account))
    if issuer:
        invoice.issuer = Reference.to(issuer)
    return invoice


def _lines(account: Bill) -> list[tuple[str, Decimal]]:
    visits = [(_("Your share of the visit on {day}").format(day=visit.on.isoformat()), visit.share) for visit in account.visits]
    return [*visits, *((line.words, line.amount) for line in account.other)]


def _line(place: int, words: str, amount: Decimal) -> InvoiceLineItem:
    price = InvoiceLineItemPriceComponent(type="base", amount=facts.usd(amount))
    return InvoiceLineItem(sequence=place, chargeItemCodeableConcept=facts.concept(facts.STATEMENT, "line", words), priceComponent=[price])


def _leave(work: UnitOfWork, person: Patient, made: Statement, link: str) -> None:
    """The message names no service and no amount: a lock screen is public."""
    paper = address_words(person)
    reach = Reach("letter", paper[:254]) if paper and (person.deceased or not made.paperless) else reach_of(person)
    if reach is None or (person.deceased and reach.channel != "letter"):
        return
    words = _("{practice}: your statement {number} is ready. See it and pay here: {url}")
    body = words.format(practice=practice_name(work), number=made.number, url=link)
    send(work, to=reach.to, kind="statement", channel=reach.channel, body=body, subject_ref=f"Patient/{person.id}", title=_("Your statement"))


def go_paperless(*, patient: str, yes: bool, by: Actor) -> Patient:
    """Record whether the patient wants statements without paper. Patients say so for themselves only: raises Forbidden."""
    if by.kind == "patient" and by.reference != f"Patient/{patient}":
        raise Forbidden
    with unit_of_work(by=Actor.system("record paperless choice", tenant=by.tenant, on_behalf_of=by)) as work:
        person = work.store.read(Patient, patient)
        person.set_extension(facts.PAPERLESS, valueBoolean=yes)
        return work.store.update(person)
