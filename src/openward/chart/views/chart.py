"""The chart's one page, its cards, and the whole lists behind them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.middleware.csrf import get_token
from django.urls import reverse
from django.utils.translation import gettext as _

from openward.access.permissions import Permission
from openward.chart import diagnoses
from openward.chart.drawing import CARDS, Sheet
from openward.chart.queries.histories import HISTORIES, KINDS, history
from openward.chart.queries.patients import age_of
from openward.chart.queries.summary import Chart, read_chart
from openward.chart.vitals import signs
from openward.fhir.resources import Patient
from openward.web.banner import Banner
from openward.web.pages import PageRequest, go, page, render, render_panel


@page("chart:summary", needs=Permission.READ_CHART)
def summary(request: PageRequest, patient: str) -> HttpResponse:
    """One page of cards. What its cards read while they are rendered is audited by one statement before the page leaves."""
    if request.actor.may(Permission.MANAGE_PROBLEMS):
        diagnoses.warm()
    with request.store.gathering():
        chart = read_chart(request.store, patient)
        stays = Banner(chart.patient).replaced_by
        if stays and request.store.find(Patient, stays) is not None:
            # An old tab or a bookmark: an empty chart would say that nothing is known of allergies and medications.
            return go(request, "chart:summary", message=_("This record was merged. This is the one that stays."), patient=stays)
        return render(request, "chart/summary.html", context(request, chart))


@page("chart:card", needs=Permission.READ_CHART)
def card(request: PageRequest, patient: str, card: str) -> HttpResponse:
    """One card alone: what a card asks for when it reloads itself."""
    if card not in CARDS:
        raise Http404
    with request.store.gathering():
        chart = read_chart(request.store, patient)
        return HttpResponse(CARDS[card](Sheet(chart, chart.patient_id, context(request, chart).get, get_token(request))))


def context(request: PageRequest, chart: Chart) -> dict[str, Any]:
    """What the chart's templates need besides the chart: what this person may do here."""
    may = request.actor.may
    return {
        "chart": chart,
        "patient": chart.patient_id,
        "may_record_vitals": may(Permission.RECORD_VITALS),
        "may_review": may(Permission.REVIEW_LISTS),
        "may_manage_problems": may(Permission.MANAGE_PROBLEMS),
        "may_prescribe": may(Permission.PRESCRIBE),
        "may_order": may(Permission.ORDER_LABS),
        "may_write": may(Permission.WRITE_NOTES),
        "may_answer": may(Permission.ANSWER_MESSAGES),
        "may_book": may(Permission.BOOK),
        "may_launch_apps": may(Permission.LAUNCH_APPS),
    }


@page("chart:history", needs=Permission.READ_CHART)
def whole_list(request: PageRequest, patient: str, noun: str) -> HttpResponse:
    """All of one noun, page by page."""
    if noun not in HISTORIES:
        raise Http404
    chart = read_chart(request.store, patient)
    kind = request.GET.get("kind", "")
    found = history(request.store, chart.patient, noun, request.GET.get("cursor", ""), kind)
    here = reverse("chart:history", kwargs={"patient": patient, "noun": noun})
    following = f"{here}?{urlencode({'cursor': found.next, 'kind': kind})}" if found.next else ""
    kinds = [(_("Everything"), here, not kind), *((HISTORIES[one].title, f"{here}?kind={one}", one == kind) for one in KINDS)]
    more = {"found": found, "noun": noun, "following": following, "tabs": _tabs(patient, noun), "kinds": kinds, "page_title": HISTORIES[noun].title}
    return render(request, "chart/history.html", {**context(request, chart), **more})


def _tabs(patient: str, noun: str) -> list[tuple[str, str, bool]]:
    first = (_("Summary"), reverse("chart:summary", kwargs={"patient": patient}), False)
    return [
        first,
        *((_(str(entry.title)), reverse("chart:history", kwargs={"patient": patient, "noun": key}), key == noun) for key, entry in HISTORIES.items()),
    ]


@page("chart:trend", needs=Permission.READ_CHART)
def trend(request: PageRequest, patient: str, kind: str, key: str) -> Any:
    """The history of one vital sign or test as a chart with its table."""
    chart = read_chart(request.store, patient)
    if kind == "vital" and key in signs():
        from openward.chart.presenters.vitals import VitalsCard
        from openward.chart.queries.summary import vital_signs_of

        vitals_card = VitalsCard(vital_signs_of(request.store, patient, 300), chart.patient.birthDate, age_of(chart.patient))
        shown, taken = vitals_card.trend_of(key), vitals_card.taken_of(key) if not signs()[key].is_computed else []
        sources = signs()[key].sources
    elif kind == "lab":
        from openward.chart.queries.histories import values_of_test

        group = values_of_test(request.store, chart.patient, key)
        shown, sources, taken = (group.chart if group is not None else None), (), []
    else:
        raise Http404
    title = shown.label if shown is not None else _("No measurements")
    more = {"panel_patient": Banner(chart.patient), "trend": shown, "sources": sources, "taken": taken, "panel_title": title}
    return render_panel(request, "chart/panels/trend.html", {**context(request, chart), **more}, page="chart:summary", page_args={"patient": patient})
