"""Laboratory orders: the basket, signed once; cancelling; what is overdue."""

from __future__ import annotations

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from openward.access.permissions import Permission
from openward.chart import actions, labs
from openward.chart.forms.entry import CancelOrderForm, OrderForm
from openward.chart.presenters.wording import concept
from openward.chart.queries.results import overdue_orders
from openward.chart.queries.summary import read_chart
from openward.chart.views.lists import belongs, done, panel
from openward.fhir.errors import FhirError
from openward.fhir.resources import ServiceRequest
from openward.web import errors
from openward.web.pages import PageRequest, page, render


@page("chart:order", needs=Permission.ORDER_LABS, methods=("GET", "POST"))
def order(request: PageRequest, patient: str) -> HttpResponseBase:
    chart = read_chart(request.store, patient)
    form = OrderForm(request.POST or None, problems=[(row.id, row.name) for row in chart.problems])
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.order_tests(patient=patient, by=request.actor, **form.cleaned_data)
            message = ngettext("{n} test ordered.", "{n} tests ordered.", len(made)).format(n=len(made))
            return done(request, patient, message, "orders", "results")
        except FhirError as error:
            errors.add_to_form(form, error)
    chosen = set(form["tests"].value() or [])
    groups = [
        (_("Panels"), [(test, test.key in chosen) for test in labs.catalog().values() if test.is_panel]),
        (_("Single tests"), [(test, test.key in chosen) for test in labs.catalog().values() if not test.is_panel]),
    ]
    return panel(request, chart, "chart/panels/order.html", _("Order laboratory tests"), form, groups=groups)


@page("chart:order-cancel", needs=Permission.ORDER_LABS, methods=("GET", "POST"))
def cancel(request: PageRequest, patient: str, order: str) -> HttpResponseBase:
    chart = read_chart(request.store, patient)
    standing = belongs(request.store.read(ServiceRequest, order), patient)
    form = CancelOrderForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.cancel_order(order=order, reason=form.cleaned_data["reason"], by=request.actor)
            return done(request, patient, _("Order cancelled."), "orders", "results")
        except FhirError as error:
            errors.add_to_form(form, error)
    return panel(request, chart, "chart/panels/order_cancel.html", _("Cancel an order"), form, order=standing, name=concept(standing.code))


@page("chart:overdue", needs=Permission.SEE_INBOX)
def overdue(request: PageRequest) -> HttpResponse:
    """Orders without a result in the time they should have one."""
    return render(request, "chart/overdue.html", {"orders": overdue_orders(request.store)})
