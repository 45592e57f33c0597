"""Paying from a message: no account, no JavaScript, one form. The link's token is the only key; the page tells nothing clinical."""

from __future__ import annotations

import secrets
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _

from openward.access.actor import Actor
from openward.billing import actions
from openward.billing.actions.payments import link_balance, on_paper, open_link, paid_by, practice_of_link
from openward.billing.documents import receipt_pdf
from openward.billing.errors import LinkIsSpent
from openward.billing.forms import CardForm
from openward.billing.models import Payment
from openward.billing.presenters.statements import ReceiptPage, practice_words
from openward.billing.views.accounts import after_refusal
from openward.fhir.errors import FhirError, NotFound
from openward.web import errors
from openward.web.pages import PageRequest, go, page, render
from openward.web.papers import pdf_response


@page("billing:pay", public=True, methods=("GET", "POST"))
def pay(request: PageRequest, token: str) -> HttpResponse:
    """The amount and a card form."""
    practice = practice_words(practice_of_link())
    try:
        link = open_link(token)
    except LinkIsSpent:
        if paid_by(token):
            return go(request, "billing:paid", token=token)
        return _render(request, "billing/pay_over.html", {"practice": practice}, status=410)
    owed = link_balance(link)
    if owed <= 0:
        return _render(request, "billing/pay_nothing.html", {"practice": practice})
    form = CardForm(request.POST or None, initial={"amount": owed, "key": secrets.token_urlsafe(18)})
    if form.is_bound and form.is_valid():
        entered = form.cleaned_data
        try:
            actions.pay_by_link(token=token, amount=entered["amount"], card=entered["card"], idempotency_key=entered["key"])
            return go(request, "billing:paid", token=token)
        except FhirError as error:
            form = after_refusal(form, error)
            errors.add_to_form(form, error)
    return _render(request, "billing/pay.html", {"form": form, "owed": owed, "practice": practice}, status=422 if form.is_bound else 200)


def _render(request: PageRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """Without the link to report a problem: that carries the page's address, and this address is a key."""
    return render(request, template, {**context, "report_url": ""}, status=status)


@page("billing:paid", public=True)
def paid(request: PageRequest, token: str) -> HttpResponse:
    """The receipt."""
    payment = _payment(token)
    context = {
        "payment": payment,
        "left": on_paper(payment.tenant, payment.patient),
        "practice": practice_words(practice_of_link()),
        "token": token,
    }
    return _render(request, "billing/paid.html", context)


@page("billing:paid-pdf", public=True)
def paid_pdf(request: PageRequest, token: str) -> HttpResponse:
    """The receipt as a PDF."""
    payment = _payment(token)
    body = receipt_pdf(ReceiptPage(payment, practice_of_link(payment.tenant), on_paper(payment.tenant, payment.patient)))
    name, by = f"{_('receipt')}-{payment.receipt}.pdf", Actor.system("payment link", tenant=payment.tenant)
    return pdf_response(request, body, name, patient=payment.patient, by=by)


def _payment(token: str) -> Payment:
    payment = paid_by(token)
    if payment is None:
        raise NotFound(type="Payment", id="")
    return payment
