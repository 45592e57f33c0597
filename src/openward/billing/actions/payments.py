"""Money from patients, and back to them. One key, one payment: a repeated request is answered with what became of the first."""

from __future__ import annotations

import datetime as dt
import secrets
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet, Sum
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from openward.access.actor import Actor
from openward.access.permissions import Permission
from openward.accounts.tokens import digest
from openward.billing import facts, ledger, rows
from openward.billing.cards import Card, Charged, Declined, ProcessorUnreachable, processor
from openward.billing.errors import CardDeclined, LinkIsSpent, PaymentUncertain, StillWorking, TooManyCards, WrongAmount
from openward.billing.models import Payment, PaymentLink
from openward.billing.queries import confidential
from openward.billing.queries.balances import patient_balance
from openward.billing.queries.visits import practice
from openward.fhir.errors import Conflict, Forbidden, NotFound
from openward.fhir.ids import new_id
from openward.fhir.resources import Identifier, Patient, PaymentNotice, Reference
from openward.outbox.actions import send
from openward.record import UnitOfWork, open_store, unit_of_work
from openward.registration.facts import reach_of

LINK = "system:payment link"
LINK_DAYS = 60
DECLINED_A_DAY = 10
STALE = dt.timedelta(minutes=10)


def pay_balance(*, patient: str, amount: Decimal, card: Card, by: Actor, idempotency_key: str) -> Payment:
    """Charge a card and lower what the patient owes. Card data is used and forgotten.

    The same key again returns the first payment and charges nothing. Raises WrongAmount unless the amount is from one cent to the
    balance, CardDeclined, Forbidden, NotFound, StillWorking while the same payment is under way elsewhere, and PaymentUncertain when the
    processor did not answer: it is asked again by the same key, or later by `finish_started`.
    """
    _may_pay(by, patient)
    payment = _start(patient, amount, "card", by, idempotency_key)
    if payment.state == Payment.State.PAID:
        return payment
    if payment.state == Payment.State.DECLINED:
        raise CardDeclined(reason=payment.reason)
    try:
        charged = processor().charge(card=card, amount=payment.amount, key=_processor_key(payment), words=payment.receipt)
    except Declined as no:
        _decline(payment, no.reason)
        raise CardDeclined(reason=no.reason) from None
    except ProcessorUnreachable:
        raise PaymentUncertain from None
    return _finish(payment, charged, by)


def take_payment(*, patient: str, amount: Decimal, method: Literal["cash", "check"], by: Actor, idempotency_key: str) -> Payment:
    """Record cash or a check taken at the desk. The same key again returns the first payment. Raises WrongAmount."""
    _may_pay(by, patient)
    payment = _start(patient, amount, method, by, idempotency_key)
    return payment if payment.state == Payment.State.PAID else _finish(payment, None, by)


def _may_pay(by: Actor, patient: str) -> None:
    """A patient pays their own bill, the practice's people any, and a payment link acts as the system."""
    own = by.kind == "patient" and by.reference == f"Patient/{patient}" and by.may(Permission.PAY_BALANCE)
    if not (own or by.kind == "system" or by.may(Permission.SEND_STATEMENTS)):
        raise Forbidden


def _start(patient: str, amount: Decimal, method: str, by: Actor, key: str) -> Payment:
    """Enter the payment before any money moves. Payments of one patient follow each other, so that two cannot pay one balance."""
    with unit_of_work(by=_system(by)) as work:
        one_account_at_a_time(work, patient)
        work.store.read(Patient, patient)
        if earlier := Payment.objects.filter(tenant=work.tenant, key=key).first():
            return _repeated(earlier, patient, amount)
        if method == "card" and _started(work.tenant, patient).filter(method="card").exists():
            raise StillWorking  # who presses a new form because the first did not answer means the same payment
        check_amount(amount, _most(by, patient) - _under_way(work.tenant, patient))
        return Payment.objects.create(
            tenant=work.tenant,
            id=UUID(new_id()),
            key=key,
            patient=patient,
            method=method,
            amount=amount,
            state=Payment.State.STARTED,
            receipt=f"R{rows.next_number(work, 'receipt'):07}",
            made_by=by.id,
        )


def open_balance(work: UnitOfWork, patient: str) -> Decimal:
    """What the patient owes and is not paying at this moment. Nobody else pays or forgives it until this unit of work ends."""
    one_account_at_a_time(work, patient)
    return patient_balance(work.tenant, patient) - _under_way(work.tenant, patient)


def one_account_at_a_time(work: UnitOfWork, patient: str) -> None:
    """Whoever moves or bills what this patient owes waits here for whoever else does."""
    work.connection.execute("select pg_advisory_xact_lock(hashtext('pay'), hashtext(%s))", (f"{work.tenant} {patient}",))


def _under_way(tenant: int, patient: str) -> Decimal:
    return _started(tenant, patient).aggregate(total=Sum("amount"))["total"] or ledger.ZERO


def _started(tenant: int, patient: str) -> QuerySet[Payment]:
    return Payment.objects.filter(tenant=tenant, patient=patient, state=Payment.State.STARTED)


def _most(by: Actor, patient: str) -> Decimal:
    """What there is to pay, as far as who pays is shown it: an answer to a guess must tell no more than the page does."""
    if by.id == LINK:
        return on_paper(by.tenant, patient)
    return confidential.balance(by.tenant, patient, confidential.hides_from(by, patient))


def on_paper(tenant: int, patient: str) -> Decimal:
    """What is owed of what may stand on paper, or behind a link."""
    return confidential.balance(tenant, patient, confidential.hides_on_paper(tenant, patient))


def _repeated(earlier: Payment, patient: str, amount: Decimal) -> Payment:
    if (earlier.patient, earlier.amount) != (patient, amount):
        raise Conflict(_("This form was used for another payment. Open it again."))
    if earlier.state == Payment.State.STARTED and earlier.made_at > timezone.now() - dt.timedelta(seconds=30):
        raise StillWorking
    return earlier


def check_amount(amount: Decimal, most: Decimal) -> None:
    if not amount.is_finite() or amount != amount.quantize(Decimal("0.01")) or not Decimal("0.01") <= amount <= most:
        raise WrongAmount(most=f"${max(most, ledger.ZERO):,.2f}")


def _processor_key(payment: Payment) -> str:
    return f"openward|{payment.tenant}|{payment.id}"


def _decline(payment: Payment, reason: str) -> None:
    Payment.objects.filter(tenant=payment.tenant, id=payment.id, state=Payment.State.STARTED).update(state=Payment.State.DECLINED, reason=reason)


def _finish(payment: Payment, charged: Charged | None, by: Actor) -> Payment:
    """The books, the notice and the payment's state, together. A payment that another server finished is left as it is."""
    with unit_of_work(by=_system(by)) as work:
        row = Payment.objects.select_for_update().get(tenant=payment.tenant, id=payment.id)
        if row.state == Payment.State.PAID:
            return row
        lines = [ledger.debit(money_account(row), row.amount, patient=row.patient), ledger.credit(ledger.PATIENT, row.amount, patient=row.patient)]
        ledger.post(work, ledger.Posting("payment", ("payment", str(row.id)), timezone.localdate(), f"Payment {row.receipt}", lines))
        row.state = Payment.State.PAID
        row.processor_id, row.last4 = (charged.id, charged.last4) if charged else ("", "")
        row.notice = str(_notice(work, row).id)
        Payment.objects.filter(tenant=row.tenant, id=row.id).update(
            state=row.state, processor_id=row.processor_id, last4=row.last4, notice=row.notice, reason=""
        )
        work.notify("billing", payment=str(row.id))
        return row


def money_account(payment: Payment) -> str:
    return ledger.CARDS if payment.method == "card" else ledger.DRAWER


def _notice(work: UnitOfWork, payment: Payment) -> PaymentNotice:
    """The payment for other systems. It names the receipt; a PaymentNotice is about no patient."""
    recipient = practice(work.store)
    return work.store.create(
        PaymentNotice(
            status="active",
            identifier=[Identifier(system=facts.PAYMENT, value=payment.receipt)],
            created=timezone.now(),
            payment=Reference(identifier=Identifier(system=facts.PAYMENT, value=payment.receipt), display="Patient payment"),
            paymentDate=timezone.localdate(),
            recipient=Reference.to(recipient) if recipient else Reference(display="Practice"),
            amount=facts.usd(payment.amount),
            paymentStatus=facts.concept("http://terminology.hl7.org/CodeSystem/paymentstatus", "paid"),
        )
    )


def _system(by: Actor) -> Actor:
    return Actor.system("post payments", tenant=by.tenant, on_behalf_of=by)


def finish_started(*, by: Actor) -> int:
    """Ask the processor what became of payments that were started and not finished; returns how many were settled."""
    stale = Payment.objects.filter(tenant=by.tenant, state=Payment.State.STARTED, made_at__lt=timezone.now() - STALE)
    for payment in list(stale):
        charged = processor().find(_processor_key(payment)) if payment.method == "card" else None
        if charged:
            _finish(payment, charged, by)
        else:
            _decline(payment, "the payment was interrupted before it reached the bank")
    return len(stale)


# -- paying from a message ------------------------------------------------------------------------------------------


def make_link(work: UnitOfWork, patient: str, *, statement: UUID | None = None) -> str:
    """A link to pay without signing in; its token is kept as a digest only. Earlier links of the patient end."""
    token = secrets.token_urlsafe(24)
    PaymentLink.objects.filter(tenant=work.tenant, patient=patient, paid_at=None).update(expires_at=timezone.now())
    PaymentLink.objects.create(
        tenant=work.tenant,
        id=UUID(new_id()),
        token_digest=digest(token),
        patient=patient,
        statement=statement,
        made_by=work.actor.id,
        expires_at=timezone.now() + dt.timedelta(days=LINK_DAYS),
    )
    return link_url(token)


def link_url(token: str) -> str:
    return f"{settings.OPENWARD_PUBLIC_URL}{reverse('billing:pay', kwargs={'token': token})}"


def text_to_pay(*, patient: str, by: Actor) -> str:
    """Send the patient a link to pay. The message says that there is a bill, never what for. Returns the channel it left by; raises WrongAmount when nothing is owed."""
    with unit_of_work(by=by) as work:
        person = work.store.read(Patient, patient)
        if person.deceased:
            raise Conflict(_("The patient has died. Send a statement: it goes to the estate by letter."))
        if on_paper(work.tenant, patient) <= 0:
            raise WrongAmount(most="$0.00")
        reach = reach_of(person)
        if reach is None:
            raise Conflict(_("The patient has no phone, e-mail or address to send a link to."))
        url = make_link(work, patient)
        body = _("{practice}: you have a bill. See it and pay here: {url}").format(practice=practice_name(work), url=url)
        send(work, to=reach.to, kind="payment-link", channel=reach.channel, body=body, subject_ref=f"Patient/{patient}", title=_("Your bill"))
        return reach.channel


def practice_name(work: UnitOfWork) -> str:
    found = practice(work.store)
    return (found.name if found else None) or _("Your practice")


def open_link(token: str, *, tenant: int = 1) -> PaymentLink:
    """The link of a token. Raises LinkIsSpent when it expired or paid, NotFound when there is none."""
    link = _link(token, tenant)
    if link.paid_at is not None or link.expires_at <= timezone.now():
        raise LinkIsSpent
    return link


def _link(token: str, tenant: int) -> PaymentLink:
    link = PaymentLink.objects.filter(tenant=tenant, token_digest=digest(token)).first()
    if link is None:
        raise NotFound(type="Payment link", id="")
    return link


def paid_by(token: str, *, tenant: int = 1) -> Payment | None:
    """The payment a link made, for its receipt."""
    link = _link(token, tenant)
    return Payment.objects.filter(tenant=tenant, id=link.payment).first() if link.payment else None


def pay_by_link(*, token: str, amount: Decimal, card: Card, tenant: int = 1, idempotency_key: str) -> Payment:
    """Pay what a link is for. Raises LinkIsSpent, TooManyCards and whatever `pay_balance` raises."""
    link = open_link(token, tenant=tenant)
    _no_try_out_of_cards(link)
    by = Actor.system("payment link", tenant=tenant)
    payment = pay_balance(patient=link.patient, amount=amount, card=card, by=by, idempotency_key=idempotency_key)
    PaymentLink.objects.filter(tenant=tenant, id=link.id).update(paid_at=timezone.now(), payment=payment.id)
    return payment


def _no_try_out_of_cards(link: PaymentLink) -> None:
    """A page that anyone with the link can open must not tell which of a hundred stolen numbers is good.

    https://owasp.org/www-project-automated-threats-to-web-applications/assets/oats/EN/OAT-001_Carding
    """
    declined = Payment.objects.filter(tenant=link.tenant, patient=link.patient, made_by=LINK, state=Payment.State.DECLINED)
    if declined.filter(made_at__gte=timezone.now() - dt.timedelta(days=1)).count() >= DECLINED_A_DAY:
        raise TooManyCards


def link_balance(link: PaymentLink) -> Decimal:
    """What can be paid by the link now."""
    return on_paper(link.tenant, link.patient)


def practice_of_link(tenant: int = 1) -> Any:
    return practice(open_store(Actor.system("payment link", tenant=tenant)))
