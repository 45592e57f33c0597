"""The rows of the chart's fullest cards, written in Python.

They repeat ten and twenty times a page, and a template walks through every piece of every row anew: as functions they take a third of the time.
What surrounds the rows, and rows that are few, stay in the cards' templates.
"""

from __future__ import annotations

from typing import Any

from django.utils.safestring import SafeString

from openward.chart.presenters.lists import ProblemRow, VisitRow
from openward.chart.presenters.results import ResultGroup
from openward.chart.presenters.vitals import VitalRow
from openward.web.addresses import address_of
from openward.web.charts import sparkline
from openward.web.components.basics import badge, panel_link
from openward.web.components.clinical import observation
from openward.web.display import day
from openward.web.markup import markup
from openward.web.words import gettext as _

MEASURED = '\n  <tr><th scope="row">{}{}</th>\n    <td>{}{}</td>\n    <td class="spark">{}</td></tr>'


def result_row(group: ResultGroup, patient: str) -> SafeString:
    """One test: its latest value, when, its trend and its history as a line."""
    row = group.latest
    name = panel_link(row.name, address_of("chart:trend", patient, "lab", row.code))
    when = markup('<span class="muted small num">{}{}</span>', day(row.at), markup(" · {}", row.status) if row.status else "")
    value = observation(row.value, row.unit, interpretation=row.mark, trend=group.trend, reference=row.reference)
    return markup(MEASURED, name, when, value, "", sparkline(group.history))


def vital_row(row: VitalRow, patient: str) -> SafeString:
    """One sign: its latest value, in the other unit too where two are usual, its trend and its history as a line."""
    name = panel_link(row.label, address_of("chart:trend", patient, "vital", row.key))
    value = observation(row.value, row.unit, interpretation=row.mark, trend=row.trend, reference=row.reference)
    also = markup(' <span class="muted small num">{}</span>', row.also) if row.also else ""
    return markup(MEASURED, name, "", value, also, sparkline(row.history))


def problem_row(row: ProblemRow, patient: str, may_manage: bool) -> SafeString:
    """One problem, its code and since when; a link for who may change it."""
    name = (
        panel_link(row.name, address_of("chart:problem", patient, row.id), class_="chart-name")
        if may_manage
        else markup('<span class="chart-name">{}</span>', row.name)
    )
    since = _("since %(since)s") % {"since": row.since} if row.since else _("start not known")
    code = markup("{} · ", row.code) if row.code else ""
    return markup('\n  <li data-row>{}\n    <span class="muted small num">{}{}</span></li>', name, code, since)


def visit_row(row: VisitRow, patient: str, may_manage: bool) -> SafeString:
    """One visit: what for, when, with whom and why; its summary, and its diagnoses while it is open."""
    date, clinician = day(row.at), row.clinician
    reason = row.reason
    parts: list[Any] = [markup('<span class="num">{}</span>', date)]
    parts += [part for part in (clinician, reason if reason != row.what else "") if part]
    told = markup(" · ".join(["{}"] * len(parts)), *parts)
    summary = markup('<a href="{}">{}<span class="sr-only"> {}</span></a>', address_of("chart:visit-summary", row.id), _("Summary"), date)
    diagnoses = panel_link(_("Diagnoses"), address_of("chart:diagnoses", patient, row.id)) if row.is_open and may_manage else ""
    return markup(
        '<li data-row><span class="chart-name">{}</span>{}\n  <span class="muted small">{}</span>\n  <span class="rx-actions">{}{}</span></li>',
        row.what, markup(" {}", badge(row.status, "accent")) if row.is_open else "", told, summary, diagnoses,
    )  # fmt: skip
