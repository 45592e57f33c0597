"""Recording vital signs."""

from __future__ import annotations

from decimal import Decimal

from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from openward.access.permissions import Permission
from openward.chart import actions
from openward.chart.actions.vitals import measurement, strike_vitals
from openward.chart.forms.vitals import VitalsForm
from openward.chart.presenters.vitals import readings
from openward.chart.queries.patients import age_of
from openward.chart.queries.summary import read_chart
from openward.chart.views.chart import context
from openward.chart.vitals import all_sources
from openward.fhir.errors import FhirError
from openward.web import errors
from openward.web.banner import Banner
from openward.web.display import day_and_clock
from openward.web.pages import PageRequest, page, panel_done, render_panel

METRIC = "chart.metric"
"""Session key: whether this person reads the thermometer in °C."""


@page("chart:vitals", needs=Permission.RECORD_VITALS, methods=("GET", "POST"))
def record(request: PageRequest, patient: str) -> HttpResponseBase:
    chart = read_chart(request.store, patient)
    last = {key: rows[0].value for key, rows in readings(chart.vital_signs, chart.patient.birthDate).items()}
    form = VitalsForm(request.POST or None, age=age_of(chart.patient), last=last, metric=bool(request.session.get(METRIC)))
    if request.method == "POST" and form.is_valid():
        request.session[METRIC] = form.is_metric
        try:
            actions.record_vitals(patient=patient, values=form.values, by=request.actor)
            return panel_done(
                request,
                message=_("Vital signs saved."),
                refresh=["vitals", "timeline", "worklist"],
                page="chart:summary",
                page_args={"patient": patient},
            )
        except FhirError as error:
            errors.add_to_form(form, error)
    more = {"form": form, "panel_title": _("Record vital signs"), "last": _last_in_words(last), "sources": all_sources(form.signs)}
    return render_panel(
        request,
        "chart/panels/vitals.html",
        {**context(request, chart), "panel_patient": Banner(chart.patient), **more},
        page="chart:summary",
        page_args={"patient": patient},
        status=422 if form.is_bound else 200,
    )


@page("chart:vitals-wrong", needs=Permission.RECORD_VITALS, methods=("GET", "POST"))
def wrong(request: PageRequest, patient: str, observation: str) -> HttpResponseBase:
    """Say that a measurement was a mistake."""
    chart = read_chart(request.store, patient)
    found = measurement(request.store, patient, observation)
    if request.method == "POST":
        strike_vitals(patient=patient, observation=observation, by=request.actor)
        refreshed = ["vitals", "timeline", "worklist"]
        message = _("Marked as entered in error.")
        return panel_done(request, message=message, refresh=refreshed, page="chart:summary", page_args={"patient": patient})
    taken = [row for rows in readings([found], chart.patient.birthDate).values() for row in rows]
    lines = [{"label": _(row.sign.title), "said": f"{row.value} {row.sign.unit}", "when": day_and_clock(row.at)} for row in taken]
    more = {"taken": lines, "panel_title": _("Entered in error?"), "panel_patient": Banner(chart.patient)}
    shown = {**context(request, chart), **more}
    return render_panel(request, "chart/panels/vitals_wrong.html", shown, page="chart:summary", page_args={"patient": patient})


def _last_in_words(last: dict[str, Decimal]) -> dict[str, str]:
    return {key: str(value) for key, value in last.items()}
