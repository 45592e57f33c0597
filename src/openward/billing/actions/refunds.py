"""Money of a payment given back the way it came.

A refund is entered and committed before the processor is asked: a server that stops after the processor's yes leaves a refund to finish, not
money that left without a trace, and whoever asks anew meanwhile is told how much is still to give.
"""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from django.db.models import Sum
from django.utils import timezone

from openward.access.actor import Actor
from openward.access.permissions import Permission
from openward.billing import ledger
from openward.billing.actions.payments import STALE, check_amount, money_account
from openward.billing.cards import Declined, ProcessorUnreachable, processor
from openward.billing.errors import RefundDeclined, RefundUncertain
from openward.billing.models import LedgerEntry, LedgerTransaction, Payment, Refund
from openward.fhir.errors import Conflict, Forbidden, NotFound
from openward.fhir.ids import new_id
from openward.record import UnitOfWork, unit_of_work

GIVEN, STARTED = Refund.State.GIVEN, Refund.State.STARTED


def refund(*, payment: str, amount: Decimal, why: str, by: Actor, idempotency_key: str) -> Payment:
    """Give money of a payment back the way it came. The same key again gives nothing back.

    Raises WrongAmount, RefundDeclined, RefundUncertain when the processor did not answer, Forbidden, NotFound.
    """
    if not (by.kind == "system" or by.may(Permission.SEND_STATEMENTS)):
        raise Forbidden
    paid, entered = _enter(payment, amount, why, by, idempotency_key)
    if entered.state == Refund.State.DECLINED:
        raise RefundDeclined(reason=entered.reason)
    if entered.state == STARTED:
        if paid.method == "card":
            _ask(paid, entered)
        _book(entered, by)
    return paid


def _enter(payment: str, amount: Decimal, why: str, by: Actor, key: str) -> tuple[Payment, Refund]:
    """The payment, and the refund of this key: the one there is, or a new one that is started."""
    with unit_of_work(by=by) as work:
        paid = _payment(work, payment)
        earlier = Refund.objects.filter(tenant=work.tenant, payment=paid.id, key=key).first()
        if earlier and earlier.amount != amount:
            raise Conflict("This form was used for another refund. Open it again.")
        if earlier:
            return paid, earlier
        check_amount(amount, paid.amount - given_or_started(work.tenant, str(paid.id)))
        id = UUID(new_id())
        made = Refund(tenant=work.tenant, id=id, payment=paid.id, key=key, amount=amount, why=why, state=STARTED, made_by=by.id)
        Refund.objects.bulk_create([made])
        return paid, made


def _payment(work: UnitOfWork, payment: str) -> Payment:
    """The payment, for this unit of work alone. Raises NotFound for one that was not paid."""
    paid = Payment.objects.select_for_update().filter(tenant=work.tenant, id=payment, state=Payment.State.PAID).first()
    if paid is None:
        raise NotFound(type="Payment", id=payment)
    return paid


def _processor_key(entered: Refund) -> str:
    return f"refund|{entered.payment}|{entered.id}"


def _ask(paid: Payment, entered: Refund) -> None:
    try:
        processor().refund(charge=paid.processor_id, amount=entered.amount, key=_processor_key(entered))
    except Declined as no:
        _decline(entered, no.reason)
        raise RefundDeclined(reason=no.reason) from None
    except ProcessorUnreachable:
        raise RefundUncertain from None


def _decline(entered: Refund, reason: str) -> None:
    Refund.objects.filter(tenant=entered.tenant, id=entered.id, state=STARTED).update(state=Refund.State.DECLINED, reason=reason)


def _book(entered: Refund, by: Actor) -> None:
    """The books and the refund's state, together; one that another server booked is left as it is."""
    with unit_of_work(by=Actor.system("post refunds", tenant=entered.tenant, on_behalf_of=by)) as work:
        row = Refund.objects.select_for_update().get(tenant=entered.tenant, id=entered.id)
        if row.state == GIVEN:
            return
        paid = _payment(work, str(row.payment))
        lines = [
            ledger.debit(ledger.PATIENT, row.amount, patient=paid.patient),
            ledger.credit(money_account(paid), row.amount, patient=paid.patient),
        ]
        words = f"Refund of payment {paid.receipt}: {row.why}"[:200]
        ledger.post(work, ledger.Posting("refund", ("refund", f"{paid.id}|{row.key}"), timezone.localdate(), words, lines))
        Refund.objects.filter(tenant=row.tenant, id=row.id).update(state=GIVEN, reason="")
        work.notify("billing", payment=str(paid.id))


def refunded(tenant: int, payment: str) -> Decimal:
    """What was given back of a payment, by the books."""
    posted = LedgerTransaction.objects.filter(tenant=tenant, source_kind="refund", source_id__startswith=f"{payment}|")
    entries = LedgerEntry.objects.filter(tenant=tenant, transaction__in=posted.values("id"), account=ledger.PATIENT)
    return entries.aggregate(total=Sum("debit"))["total"] or ledger.ZERO


def given_or_started(tenant: int, payment: str) -> Decimal:
    """The same, with what is being given back at this moment: it cannot be given a second time."""
    started = Refund.objects.filter(tenant=tenant, payment=payment, state=STARTED).aggregate(total=Sum("amount"))["total"]
    return refunded(tenant, payment) + (started or ledger.ZERO)


def finish_refunds(*, by: Actor) -> int:
    """Ask the processor what became of refunds that were started and not booked; returns how many were settled."""
    stale = list(Refund.objects.filter(tenant=by.tenant, state=STARTED, made_at__lt=timezone.now() - STALE))
    for entered in stale:
        paid = Payment.objects.get(tenant=by.tenant, id=entered.payment)
        if paid.method != "card" or processor().find(_processor_key(entered)):
            _book(entered, by)
        else:
            _decline(entered, "the refund was interrupted before it reached the bank")
    return len(stale)
