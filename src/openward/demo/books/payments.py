"""What patients paid of their share over the year, and statements for some who still owe."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db.models import Sum
from django.utils import timezone

from openward.access.actor import Actor
from openward.billing import facts, ledger, rows
from openward.billing.actions.payments import take_payment
from openward.billing.actions.statements import send_statement
from openward.billing.errors import NothingToBill
from openward.billing.models import LedgerEntry, LedgerTransaction, Payment, Statement
from openward.billing.queries.balances import patient_balance
from openward.demo.generation.chance import Chance, fixed_id
from openward.demo.generation.clinic import Clinic
from openward.demo.generation.parts import Json
from openward.record import UnitOfWork, unit_of_work

PAYS = 0.66
PAYMENTS = 900
STATEMENTS = 12
OWES_AT_LEAST = Decimal("20.00")
METHODS = (("card", 0.6), ("check", 0.25), ("cash", 0.15))


@dataclass(frozen=True, slots=True)
class Share:
    """A patient's part of a claim as the payer's answer left it, or a visit without insurance; `about` is the claim or the visit."""

    patient: str
    about: str
    amount: Decimal
    since: dt.date


def take_payments(actor: Actor, clinic: Clinic) -> None:
    """Two in three shares were paid some weeks later; a few patients pay at the desk today."""
    done = set(Payment.objects.filter(tenant=actor.tenant).values_list("key", flat=True))
    paid = [(n, share) for n, share in enumerate(_shares(actor), start=1) if f"history|{share.about}" not in done]
    with unit_of_work(by=actor) as work:
        entered = [made for n, share in paid if (made := _payment(work, clinic, n, share))]
        Payment.objects.bulk_create([payment for payment, _ in entered])
        for payment, on in entered:
            Payment.objects.filter(tenant=work.tenant, id=payment.id).update(made_at=_noon(on))
        ledger.post_all(work, [_posting(payment, on) for payment, on in entered])
        for payment, on in entered:
            work.store.update(_notice(clinic, payment, on))
    _pay_today(actor, clinic)


def _shares(actor: Actor) -> Iterator[Share]:
    entries = LedgerEntry.objects.filter(tenant=actor.tenant, account=ledger.PATIENT, debit__gt=0, patient__isnull=False)
    posted = {row.id: row for row in LedgerTransaction.objects.filter(tenant=actor.tenant, kind__in=("answer", "visit"))}
    for entry in entries.order_by("claim", "transaction", "place"):
        if entry.transaction in posted and entry.patient:
            source = posted[entry.transaction]
            yield Share(entry.patient, entry.claim or source.source_id, entry.debit, source.on_date)


def _payment(work: UnitOfWork, clinic: Clinic, number: int, share: Share) -> tuple[Payment, dt.date] | None:
    chance = Chance(clinic.seed, "pays", share.about)
    on = share.since + dt.timedelta(days=chance.randint(6, 45))
    if not chance.happens(PAYS) or on >= clinic.moment.today:
        return None
    method = chance.weighted(METHODS)
    payment = Payment(
        tenant=work.tenant,
        id=UUID(fixed_id(clinic.seed, PAYMENTS, number)),
        key=f"history|{share.about}",
        patient=share.patient,
        method=method,
        amount=share.amount,
        state=Payment.State.PAID,
        receipt=f"R{rows.next_number(work, 'receipt'):07}",
        processor_id=f"demo-{number}" if method == "card" else "",
        last4="4242" if method == "card" else "",
        notice=fixed_id(clinic.seed, PAYMENTS + 1, number),
        made_by=work.actor.id,
    )
    return payment, on


def _posting(payment: Payment, on: dt.date) -> ledger.Posting:
    account = ledger.CARDS if payment.method == "card" else ledger.DRAWER
    lines = [ledger.debit(account, payment.amount, patient=payment.patient), ledger.credit(ledger.PATIENT, payment.amount, patient=payment.patient)]
    return ledger.Posting("payment", ("payment", str(payment.id)), on, f"Payment {payment.receipt}", lines)


def _notice(clinic: Clinic, payment: Payment, on: dt.date) -> Json:
    named = {"identifier": {"system": facts.PAYMENT, "value": payment.receipt}, "display": "Patient payment"}
    return {
        "resourceType": "PaymentNotice",
        "id": payment.notice,
        "identifier": [{"system": facts.PAYMENT, "value": payment.receipt}],
        "status": "active",
        "created": _noon(on).isoformat(),
        "payment": named,
        "paymentDate": on.isoformat(),
        "recipient": clinic.house.ref("organization", "hospital"),
        "amount": {"value": payment.amount, "currency": "USD"},
        "paymentStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/paymentstatus", "code": "paid"}]},
    }


def _noon(on: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(on, dt.time(12)))


def _owing(actor: Actor) -> list[tuple[str, Decimal]]:
    """Patients with a balance, in the order of their ids."""
    entries = LedgerEntry.objects.filter(tenant=actor.tenant, account=ledger.PATIENT, patient__isnull=False)
    sums = entries.values_list("patient").annotate(owes=Sum("debit") - Sum("credit")).order_by("patient")
    return [(patient, owes) for patient, owes in sums if patient and owes >= OWES_AT_LEAST]


def _pay_today(actor: Actor, clinic: Clinic) -> None:
    for patient, owes in _owing(actor):
        chance, key = Chance(clinic.seed, "desk", patient), f"desk|{clinic.moment.today}|{patient}"
        if chance.happens(0.06) and not Payment.objects.filter(tenant=actor.tenant, key=key).exists():
            take_payment(patient=patient, amount=min(owes, Decimal("50.00")), method=chance.choice(("cash", "check")), by=actor, idempotency_key=key)


def send_some_statements(actor: Actor, clinic: Clinic) -> None:
    """A dozen statements went out; everyone else who owes is left for the biller. What a young person owes for themselves alone goes on none."""
    sent = set(Statement.objects.filter(tenant=actor.tenant).values_list("patient", flat=True))
    for patient, _ in _owing(actor)[: STATEMENTS - len(sent)]:
        if patient not in sent and patient_balance(actor.tenant, patient) > 0:
            with suppress(NothingToBill):
                send_statement(patient=patient, by=actor)
