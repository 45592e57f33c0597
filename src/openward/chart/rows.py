"""The rows of the chart's cards, written in Python.

They repeat ten and twenty times a page, and a template walks through every piece of every row anew: as functions they take a third of the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.utils.safestring import SafeString

from openward.chart.presenters.lists import AllergyRow, DocumentRow, ImmunizationRow, ProblemRow, VisitRow
from openward.chart.presenters.medications import MedicationLine
from openward.chart.presenters.results import ResultGroup
from openward.chart.presenters.vitals import VitalRow
from openward.chart.presenters.wording import concept
from openward.fhir.resources import ServiceRequest
from openward.web.addresses import address_of
from openward.web.charts import sparkline
from openward.web.components.basics import badge, panel_link
from openward.web.components.clinical import observation
from openward.web.display import day, day_and_clock
from openward.web.markup import markup
from openward.web.words import gettext as _

if TYPE_CHECKING:
    from openward.chart.drawing import Sheet

NO_LINK = SafeString("")
MEASURED = '\n  <tr><th scope="row">{}{}</th>\n    <td>{}{}</td>\n    <td class="spark">{}</td></tr>'


def result_row(group: ResultGroup, patient: str) -> SafeString:
    """One test: its latest value, when, its trend and its history as a line."""
    row = group.latest
    name = panel_link(row.name, address_of("chart:trend", patient, "lab", row.code))
    when = markup('<span class="muted small num">{}{}</span>', day(row.at), markup(" · {}", row.status) if row.status else "")
    value = observation(row.value, row.unit, interpretation=row.mark, trend=group.trend, reference=row.reference)
    return markup(MEASURED, name, when, value, "", sparkline(group.history))


def vital_row(row: VitalRow, patient: str, earlier: str) -> SafeString:
    """One sign: its latest value, in the other unit too where two are usual, its trend and its history as a line; when, if not with the latest."""
    name = panel_link(row.label, address_of("chart:trend", patient, "vital", row.key))
    value = observation(row.value, row.unit, interpretation=row.mark, trend=row.trend, reference=row.reference)
    also = markup(' <span class="muted small num">{}</span>', row.also) if row.also else ""
    when = markup('<span class="muted small num">{}</span>', earlier) if earlier else ""
    return markup(MEASURED, name, when, value, also, sparkline(row.history))


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
    told = _dotted(parts)
    summary = markup('<a href="{}">{}<span class="sr-only"> {}</span></a>', address_of("chart:visit-summary", row.id), _("Summary"), date)
    diagnoses = panel_link(_("Diagnoses"), address_of("chart:diagnoses", patient, row.id)) if row.is_open and may_manage else ""
    return markup(
        '<li data-row><span class="chart-name">{}</span>{}\n  <span class="muted small">{}</span>\n  <span class="rx-actions">{}{}</span></li>',
        row.what, markup(" {}", badge(row.status, "accent")) if row.is_open else "", told, summary, diagnoses,
    )  # fmt: skip


def medication_row(line: MedicationLine, sheet: Sheet) -> SafeString:
    """One medication as the Common User Interface writes it, since when and by whom; what may be done with it."""
    return markup(
        '\n  <li data-row class="rx-row">{}\n    {}\n    {}</li>', _medication(line), _about_medication(line), _medication_actions(line, sheet)
    )


def _medication(line: MedicationLine) -> SafeString:
    brand = markup(' <span class="rx-brand">{}</span>', line.name.brand) if line.name.brand else ""
    parts = [
        markup(
            '<span class="rx-dash"> — </span><span class="rx-part">{}{}</span>',
            markup('<span class="rx-label">{}</span> ', part.label) if part.label else "",
            part.value,
        )
        for part in line.attributes
    ]
    return markup('<p class="rx"><span class="rx-part"><b>{}</b>{}</span>{}</p>', line.name.generic, brand, SafeString("".join(parts)))


def _about_medication(line: MedicationLine) -> SafeString:
    since = _("since %(day)s") % {"day": line.started} if line.started else ""
    told = _("told by the patient") if line.is_reported else ""
    held = badge(line.status, "warning") if line.resource.status == "on-hold" else ""
    parts = [part for part in (since, told, line.prescriber, line.refills, held) if part]
    return markup('<p class="muted small">{}</p>', _dotted(parts))


def _medication_actions(line: MedicationLine, sheet: Sheet) -> SafeString:
    whose = markup('<span class="sr-only"> {}</span>', line.name.generic)
    if line.is_reported:
        if not sheet.may_do("review"):
            return SafeString("")
        ended = markup('<button class="link" type="submit">{}{}</button>', _("No longer taken"), whose)
        return sheet.form(address_of("chart:medication-ended", sheet.patient, line.id), ended, class_="rx-actions")
    if not sheet.may_do("prescribe"):
        return SafeString("")
    links = [
        panel_link(markup("{}{}", words, whose), address_of(page, sheet.patient, line.id))
        for words, page in ((_("Renew"), "chart:renew"), (_("Stop"), "chart:stop"))
    ]
    return markup('<p class="rx-actions">{}{}</p>', *links)


def allergy_row(row: AllergyRow, patient: str, may_review: bool) -> SafeString:
    """One allergy, how severe, and what it does; a link for who may change it."""
    name = (
        panel_link(row.substance, address_of("chart:allergy", patient, row.id), class_="chart-name")
        if may_review
        else markup('<span class="chart-name">{}</span>', row.substance)
    )
    severe = markup(" {}", badge(_("High risk"), "danger", icon="octagon-alert")) if row.is_severe else ""
    severity = markup(" · {}", row.severity) if row.severity else ""
    return markup(
        '\n  <li data-row>{}{}\n    <span class="small">{}{}</span> <span class="muted small">{}</span></li>',
        name, severe, row.reaction, severity, row.kind,
    )  # fmt: skip


def shot_row(row: ImmunizationRow) -> SafeString:
    status = markup(" · {}", row.status) if row.resource.status != "completed" else ""
    detail = markup(" · {}", row.detail) if row.detail else ""
    return markup(
        '<li><span class="chart-name">{}</span> <span class="muted small"><span class="num">{}</span>{}{}</span></li>',
        row.vaccine, row.given, status, detail,
    )  # fmt: skip


def note_row(row: DocumentRow, patient: str) -> SafeString:
    """One note: its title, whether it is a draft or an addendum, when and by whom."""
    state = badge(_("Draft"), "warning") if row.is_draft else badge(_("Addendum"), "info") if row.is_addendum else ""
    author = markup(" · {}", row.author) if row.author else ""
    return markup(
        '<li data-row><a class="chart-name" href="{}">{}</a>{}\n  <span class="muted small"><span class="num">{}</span>{}</span></li>',
        address_of("chart:note", patient, row.id), row.title, markup(" {}", state) if state else "", day_and_clock(row.at), author,
    )  # fmt: skip


def order_row(order: ServiceRequest, patient: str, may_order: bool) -> SafeString:
    """One open order: what, when, its numbers; a link to cancel it for who may."""
    name = concept(order.code)
    told = [day(order.authoredOn), _("urgent") if order.priority == "urgent" else "", *(one.value for one in order.identifier)]
    parts = [part for part in told if part]
    cancel = NO_LINK
    if may_order:
        words = markup('{}<span class="sr-only"> {}</span>', _("Cancel"), name)
        cancel = markup('<span class="rx-actions">{}</span>', panel_link(words, address_of("chart:order-cancel", patient, order.id)))
    return markup(
        '<li data-row><span class="chart-name">{}</span>\n  <span class="muted small num">{}</span>\n  {}</li>',
        name, _dotted(parts), cancel,
    )  # fmt: skip


def _dotted(parts: Sequence[object]) -> SafeString:
    return markup(" · ".join(["{}"] * len(parts)), *parts)
