"""Patient accounts: what is owed and why, statements, payments."""

from __future__ import annotations

import secrets
from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from openward.access.permissions import Permission
from openward.billing import actions
from openward.billing.actions.payments import on_paper
from openward.billing.actions.refunds import given_or_started, refunded
from openward.billing.actions.statements import is_paperless
from openward.billing.documents import receipt_pdf
from openward.billing.errors import PaymentUncertain, StillWorking
from openward.billing.forms import AmountForm, CardForm, DeskPaymentForm
from openward.billing.models import Payment, Statement
from openward.billing.presenters.accounts import PaymentRow, activity_rows
from openward.billing.presenters.claims import name_of
from openward.billing.presenters.statements import ReceiptPage, share_words, visit_sums
from openward.billing.protected import is_shown_labelled
from openward.billing.queries import balances
from openward.billing.queries.bills import bill
from openward.billing.queries.visits import practice
from openward.chart.queries import banner
from openward.fhir.errors import Conflict, FhirError, NotFound, Refused
from openward.fhir.resources import Patient
from openward.registration import finding
from openward.web import errors
from openward.web.pages import PageRequest, go, page, render, render_panel
from openward.web.papers import pdf_response

NEEDS = Permission.SEND_STATEMENTS


@page("billing:accounts", needs=NEEDS)
def accounts(request: PageRequest) -> HttpResponse:
    """Who owes most, and the finder."""
    return render(request, "billing/accounts.html", {"rows": _owing(request)})


def _owing(request: PageRequest) -> list[dict[str, Any]]:
    owing = balances.patients_owing(request.actor.tenant)
    people: dict[str, Any] = {str(one.id): one for one in request.store.read_many([("Patient", id) for id, _owed in owing])}
    return [{"id": id, "name": name_of(people[id]), "born": people[id].birthDate, "owed": owed} for id, owed in owing if id in people]


@page("billing:find-account", needs=NEEDS, methods=("POST",))
def find(request: PageRequest) -> HttpResponse:
    """Accounts of the patients that fit what was typed."""
    words = request.POST.get("q", "")
    found = finding.rows(request, words) if words.strip() else []
    ids = [(row.found.patient, row) for row in found]
    rows = [
        {"id": person.id, "name": row.name, "born": person.birthDate, "owed": balances.patient_balance(request.actor.tenant, str(person.id))}
        for person, row in ids
    ]
    return render(request, "billing/parts/account_rows.html", {"rows": rows if words.strip() else _owing(request), "searched": bool(words.strip())})


@page("billing:account", needs=NEEDS)
def account(request: PageRequest, patient: str) -> HttpResponse:
    """The ledger with its running balance, the bill it comes to, statements and payments."""
    person = request.store.read(Patient, patient)
    open_bill = bill(request.store, patient)
    visits = [{"visit": visit, "sums": list(visit_sums(visit)), "why": [share_words(share) for share in visit.why]} for visit in open_bill.visits]
    paid = [PaymentRow(payment, refunded(request.actor.tenant, str(payment.id))) for payment in balances.payments(request.store, patient)]
    context = {
        "banner": banner(request.store, patient),
        "patient_id": patient,
        "bill": open_bill,
        "visits": visits,
        "activity": activity_rows(balances.ledger_lines(request.store, patient)),
        "statements": balances.statements(request.store, patient),
        "payments": paid,
        "is_paperless": is_paperless(person),
    }
    return render(request, "billing/account.html", context)


@page("billing:statement", needs=NEEDS, methods=("POST",))
def statement(request: PageRequest, patient: str) -> HttpResponse:
    """Make a statement and send it; why not, is said on the account."""
    try:
        made = actions.send_statement(patient=patient, by=request.actor)
    except (Conflict, Refused) as refusal:
        return _not_sent(request, patient, refusal)
    return go(request, "billing:account", patient=patient, message=_("Statement {number} made; it waits in the outbox.").format(number=made.number))


@page("billing:statement-pdf", needs=NEEDS)
def statement_pdf(request: PageRequest, statement: str) -> HttpResponse:
    found = Statement.objects.filter(tenant=request.actor.tenant, id=statement).first()
    if found is None or not is_shown_labelled(request.actor, found.labels or (), found.patient):
        raise NotFound(type="Statement", id=statement)
    request.store.read(Patient, found.patient)
    return pdf_response(request, bytes(found.pdf), f"statement-{found.number}.pdf", patient=found.patient)


@page("billing:receipt-pdf", needs=NEEDS)
def receipt(request: PageRequest, payment: str) -> HttpResponse:
    found = Payment.objects.filter(tenant=request.actor.tenant, id=payment, state=Payment.State.PAID).first()
    if found is None:
        raise NotFound(type="Payment", id=payment)
    request.store.read(Patient, found.patient)
    left = on_paper(request.actor.tenant, found.patient)
    return pdf_response(
        request, receipt_pdf(ReceiptPage(found, practice(request.store), left)), f"receipt-{found.receipt}.pdf", patient=found.patient
    )


@page("billing:text-to-pay", needs=NEEDS, methods=("POST",))
def text_to_pay(request: PageRequest, patient: str) -> HttpResponse:
    """Send a link to pay; why not, is said on the account."""
    try:
        channel = actions.text_to_pay(patient=patient, by=request.actor)
    except (Conflict, Refused) as refusal:
        return _not_sent(request, patient, refusal)
    words = {
        "sms": _("A link to pay leaves by text message."),
        "email": _("A link to pay leaves by e-mail."),
        "letter": _("A link to pay leaves by letter."),
    }
    return go(request, "billing:account", patient=patient, message=words[channel])


@page("billing:paperless", needs=NEEDS, methods=("POST",))
def paperless(request: PageRequest, patient: str) -> HttpResponse:
    yes = request.POST.get("yes") == "1"
    actions.go_paperless(patient=patient, yes=yes, by=request.actor)
    return go(
        request, "billing:account", patient=patient, message=_("Statements come without paper now.") if yes else _("Statements come on paper now.")
    )


@page("billing:take-card", needs=NEEDS, methods=("GET", "POST"))
def take_card(request: PageRequest, patient: str) -> HttpResponseBase:
    """Charge a card the patient gives at the desk or by phone."""
    owed = balances.balance(request.store, patient)
    form = CardForm(request.POST or None, initial={"amount": owed if owed > 0 else None, "key": secrets.token_urlsafe(18)})
    if form.is_bound and form.is_valid():
        entered = form.cleaned_data
        try:
            made = actions.pay_balance(
                patient=patient, amount=entered["amount"], card=entered["card"], by=request.actor, idempotency_key=entered["key"]
            )
            return _done(request, patient, _("Paid. Receipt {number}.").format(number=made.receipt))
        except FhirError as error:
            form = after_refusal(form, error)
            errors.add_to_form(form, error)
    return _panel(request, patient, "card", {"form": form, "owed": owed, "panel_title": _("Card payment")})


def after_refusal(form: CardForm, error: FhirError) -> CardForm:
    """A declined payment is over: the next try is a payment of its own. One whose end is not known is not: pressed again, it is the same one.

    The form keeps what was typed and its errors.
    """
    if not isinstance(error, (PaymentUncertain, StillWorking)):
        form.data = {**dict(form.data.items()), "key": secrets.token_urlsafe(18)}
    return form


@page("billing:take-cash", needs=NEEDS, methods=("GET", "POST"))
def take_cash(request: PageRequest, patient: str) -> HttpResponseBase:
    """Record cash or a check."""
    owed = balances.balance(request.store, patient)
    form = DeskPaymentForm(request.POST or None, initial={"amount": owed if owed > 0 else None, "key": secrets.token_urlsafe(18)})
    if form.is_bound and form.is_valid():
        entered = form.cleaned_data
        try:
            made = actions.take_payment(
                patient=patient, amount=entered["amount"], method=entered["method"], by=request.actor, idempotency_key=entered["key"]
            )
            return _done(request, patient, _("Paid. Receipt {number}.").format(number=made.receipt))
        except FhirError as error:
            errors.add_to_form(form, error)
    return _panel(request, patient, "cash", {"form": form, "owed": owed, "panel_title": _("Cash or check")})


@page("billing:refund", needs=NEEDS, methods=("GET", "POST"))
def refund(request: PageRequest, patient: str, payment: str) -> HttpResponseBase:
    """Give money back."""
    paid = Payment.objects.filter(tenant=request.actor.tenant, id=payment, patient=patient).first()
    if paid is None:
        raise NotFound(type="Payment", id=payment)
    most = paid.amount - given_or_started(request.actor.tenant, payment)
    form = AmountForm(request.POST or None, initial={"amount": most, "key": secrets.token_urlsafe(18)})
    if form.is_bound and form.is_valid():
        entered = form.cleaned_data
        try:
            actions.refund(payment=payment, amount=entered["amount"], why=entered["why"], by=request.actor, idempotency_key=entered["key"])
            return _done(request, patient, _("Refunded."))
        except FhirError as error:
            errors.add_to_form(form, error)
    return _panel(request, patient, "refund", {"form": form, "paid": paid, "most": most, "panel_title": _("Refund")})


@page("billing:forgive", needs=NEEDS, methods=("GET", "POST"))
def forgive(request: PageRequest, patient: str) -> HttpResponseBase:
    """Give up what a patient owes."""
    owed = balances.balance(request.store, patient)
    form = AmountForm(request.POST or None, initial={"amount": owed if owed > 0 else None, "key": secrets.token_urlsafe(18)})
    if form.is_bound and form.is_valid():
        entered = form.cleaned_data
        try:
            actions.give_up_balance(patient=patient, amount=Decimal(entered["amount"]), why=entered["why"], by=request.actor, key=entered["key"])
            return _done(request, patient, _("Given up."))
        except FhirError as error:
            errors.add_to_form(form, error)
    return _panel(request, patient, "forgive", {"form": form, "owed": owed, "panel_title": _("Give up what is owed")})


def _not_sent(request: PageRequest, patient: str, refusal: FhirError) -> HttpResponse:
    return go(request, "billing:account", patient=patient, message=errors.sentence(refusal), kind="warning")


def _done(request: PageRequest, patient: str, message: str) -> HttpResponse:
    return go(request, "billing:account", patient=patient, message=message)


def _panel(request: PageRequest, patient: str, template: str, context: dict[str, Any]) -> HttpResponseBase:
    status = 422 if context["form"].errors else 200
    return render_panel(
        request,
        f"billing/panels/{template}.html",
        {**context, "patient_id": patient},
        page="billing:account",
        page_args={"patient": patient},
        status=status,
    )
