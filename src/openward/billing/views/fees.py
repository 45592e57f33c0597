"""The fee schedule."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from openward.access.permissions import Permission
from openward.billing import actions
from openward.billing.fees import FeeLine, UnreadableFees, price_of, read_fees, system_of, triggers_of
from openward.billing.forms import FeeForm, FeesForm
from openward.billing.queries.fees import fee as one_fee
from openward.billing.queries.fees import fees as all_fees
from openward.web.pages import PageRequest, go, page, render, render_panel

Value = TypeVar("Value")
NEEDS = Permission.MANAGE_CLAIMS


@page("billing:fees", needs=NEEDS)
def fees(request: PageRequest) -> HttpResponse:
    return render(request, "billing/fees.html", {"rows": all_fees(request.actor.tenant)})


@page("billing:find-fee", needs=NEEDS, methods=("POST",))
def find(request: PageRequest) -> HttpResponse:
    return render(
        request, "billing/parts/fee_rows.html", {"rows": all_fees(request.actor.tenant, request.POST.get("q", "").strip()), "searched": True}
    )


@page("billing:fee-import", needs=NEEDS, methods=("GET", "POST"))
def load(request: PageRequest) -> HttpResponseBase:
    """Load a file. Every bad row is named; nothing of a file with a bad row goes in."""
    form, bad = FeesForm(request.POST or None, request.FILES or None), []
    if request.method == "POST" and form.is_valid():
        try:
            lines = read_fees(form.cleaned_data["file"].read())
            return go(request, "billing:fees", message=_("{n} lines loaded.").format(n=actions.set_fees(lines=lines, by=request.actor)))
        except UnreadableFees as refusal:
            bad = refusal.rows
            form.add_error("file", _("Nothing was loaded: {n} rows cannot be read.").format(n=len(bad)))
    status = 422 if request.method == "POST" else 200
    return render_panel(
        request,
        "billing/panels/fee_import.html",
        {"form": form, "bad": bad[:50], "panel_title": _("Load a fee schedule")},
        page="billing:fees",
        status=status,
    )


@page("billing:fee-new", needs=NEEDS, methods=("GET", "POST"))
def new(request: PageRequest) -> HttpResponseBase:
    return _fee(request, FeeForm(request.POST or None), _("New service"))


@page("billing:fee", needs=NEEDS, methods=("GET", "POST"))
def edit(request: PageRequest, code: str) -> HttpResponseBase:
    found = one_fee(request.actor.tenant, code)
    initial = {"code": found.code, "description": found.description, "price": found.price, "charged_for": " ".join(found.charged_for)}
    return _fee(request, FeeForm(request.POST or None, initial=initial), found.code)


def _fee(request: PageRequest, form: FeeForm, title: str) -> HttpResponseBase:
    if form.is_bound and form.is_valid() and (line := _line(form)):
        actions.set_fees(lines=[line], by=request.actor)
        return go(request, "billing:fees", message=_("Saved."))
    status = 422 if form.is_bound else 200
    return render_panel(request, "billing/panels/fee.html", {"form": form, "panel_title": title}, page="billing:fees", status=status)


def _line(form: FeeForm) -> FeeLine | None:
    """The line the form describes; what is wrong goes beside its field."""
    entered = form.cleaned_data
    code = entered["code"].strip().upper()
    system = _read(form, "code", system_of, code)
    price = _read(form, "price", price_of, entered["price"])
    triggers = _read(form, "charged_for", triggers_of, entered["charged_for"])
    if system is None or price is None or triggers is None:
        return None
    return FeeLine(code, system, entered["description"], price, triggers)


def _read(form: FeeForm, field: str, read: Callable[[str], Value], text: str) -> Value | None:
    try:
        return read(text)
    except ValueError as fault:
        form.add_error(field, str(fault))
        return None


@page("billing:fee-retire", needs=NEEDS, methods=("POST",))
def retire(request: PageRequest, code: str) -> HttpResponse:
    actions.retire_fee(code=code, by=request.actor)
    return go(request, "billing:fees", message=_("Taken off the fee schedule."))
