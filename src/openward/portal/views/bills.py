"""What the patient owes and why, their statements, and paying."""

from __future__ import annotations

from django.http import Http404
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from openward.access.permissions import Permission
from openward.billing import ledger
from openward.billing.actions.payments import pay_balance
from openward.billing.models import Statement
from openward.billing.queries import confidential
from openward.fhir.errors import FhirError
from openward.fhir.resources import Patient
from openward.portal import queries
from openward.portal.forms import PayForm
from openward.web import once
from openward.web.errors import add_to_form
from openward.web.pages import PageRequest, go, page, render
from openward.web.papers import pdf_response


@page("portal:bills", needs=Permission.PAY_BALANCE)
def bills(request: PageRequest) -> HttpResponseBase:
    """The account, without what the patient keeps from who looks after them."""
    id, tenant = queries.own_id(request.store), request.actor.tenant
    request.store.read(Patient, id)
    hides = confidential.hides_from(request.actor, id)
    lines = confidential.activity(tenant, id, hides)
    balance = lines[-1].running if lines else ledger.ZERO
    context = {"balance": balance, "lines": lines[::-1], "statements": confidential.statements(tenant, id, hides)}
    return render(request, "portal/bills.html", context)


@page("portal:statement", needs=Permission.PAY_BALANCE)
def statement(request: PageRequest, number: str) -> HttpResponseBase:
    id = queries.own_id(request.store)
    found = Statement.objects.filter(tenant=request.actor.tenant, patient=id, number=number).first()
    if found is None or not confidential.may_open(found, confidential.hides_from(request.actor, id)):
        raise Http404
    return pdf_response(request, bytes(found.pdf), f"statement-{found.number}.pdf", patient=found.patient)


@page("portal:pay", needs=Permission.PAY_BALANCE, methods=("GET", "POST"))
def pay(request: PageRequest) -> HttpResponseBase:
    """The form carries its own key: sent twice, the card is charged once."""
    id = queries.own_id(request.store)
    owed = queries.owed(request.store, id)
    form = PayForm(request.POST or None, most=owed, initial={"amount": owed})
    if request.method == "POST" and form.is_valid():
        try:
            paid = pay_balance(
                patient=id, amount=form.cleaned_data["amount"], card=form.card(), by=request.actor, idempotency_key=request.POST.get("key", "")
            )
        except FhirError as refusal:
            add_to_form(form, refusal)
        else:
            return go(request, "portal:bills", message=_("Thank you. Your payment {receipt} went through.").format(receipt=paid.receipt))
    context = {"form": form, "owed": owed, "key": once.new_token()}
    return render(request, "portal/pay.html", context, status=422 if form.errors else 200)
