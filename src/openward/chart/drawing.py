"""The cards of the chart, written in Python: what every one of its pages shows, ten at a time.

As templates they took a third of the page, most of it the template's way from piece to piece and no word of it about the patient. The rows are in `rows`,
what they say in the presenters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import ngettext

from openward.chart import rows
from openward.chart.queries.summary import RESULTS, Chart
from openward.web.addresses import address_of
from openward.web.components.basics import attributes, button, callout, icon, panel_link
from openward.web.components.basics import card as surface
from openward.web.components.clinical import event, timeline
from openward.web.components.forms import once_token
from openward.web.display import day
from openward.web.markup import markup
from openward.web.words import gettext as _

PROBLEMS, MEDICATIONS, SHOTS, NOTES, VISITS, EVENTS = 12, 20, 6, 6, 5, 8
"""Lines of each card; the rest are behind its foot, with their number in its head where it counts."""

NOTHING = SafeString("")
LIST = '<ul class="list chart-list">{}</ul>'
TABLE = '<table class="vitals{}"><caption class="sr-only">{}</caption><tbody>{}</tbody></table>'
MUTED = '<p class="muted">{}</p>'
FOOT = '<p class="card-foot"><a href="{}">{}</a></p>'
POSTED = '<form method="post" action="{}"{}>{}{}{}</form>'


@dataclass(frozen=True, slots=True)
class Sheet:
    """A chart, and what its page is told of the one it is drawn for (`views.chart.context`). `token` keeps forms from being sent by another site."""

    chart: Chart
    patient: str
    told: Callable[[str], Any]
    token: str

    def may_do(self, what: str) -> bool:
        return bool(self.told(f"may_{what}"))

    def form(self, url: str, content: SafeString, *, quietly: bool = True, class_: str = "") -> SafeString:
        """A form of one button. `quietly`: the page stays and its cards reload themselves."""
        more = attributes({**({"hx-post": url, "hx-swap": "none"} if quietly else {}), "class": class_ or None})
        hidden = markup('<input type="hidden" name="csrfmiddlewaretoken" value="{}">', self.token)
        return markup(POSTED, url, more, hidden, once_token(), content)


def problems(sheet: Sheet) -> SafeString:
    found, past, may_manage = sheet.chart.problems, sheet.chart.past_problems, sheet.may_do("manage_problems")
    lines = _list((rows.problem_row(row, sheet.patient, may_manage) for row in found[:PROBLEMS]), _("No active problems recorded."))
    behind = ngettext("All, with %(n)s past", "All, with %(n)s past", past) % {"n": past} if past else _("All problems")
    adding = _adding(sheet, "manage_problems", _("Add"), "chart:problem-new")
    return _card(sheet, "problems", _("Problems"), "clipboard-list", (lines, _foot(sheet, "problems", behind)), count=len(found), **adding)


def medications(sheet: Sheet) -> SafeString:
    found, review = sheet.chart.medications, sheet.chart.medications_review
    none = _("No current medications recorded.")
    if review is not None and review.none_known:
        none = _("Takes no medications — confirmed %(day)s by %(who)s") % {"day": day(review.at), "who": review.by}
    lines = _list((rows.medication_row(line, sheet) for line in found[:MEDICATIONS]), none)
    adding = _adding(sheet, "prescribe", _("Prescribe"), "chart:prescribe")
    return _card(sheet, "medications", _("Medications"), "pill", (lines, _medications_foot(sheet)), count=len(found), **adding)


def _medications_foot(sheet: Sheet) -> SafeString:
    review = sheet.chart.medications_review
    told = _("Not yet reviewed") if review is None else _("Reviewed %(day)s by %(who)s") % {"day": day(review.at), "who": review.by}
    more, reviewed = NOTHING, NOTHING
    if sheet.may_do("review"):
        more = panel_link(_("Add what the patient takes"), address_of("chart:medication-reported", sheet.patient))
        reviewed = sheet.form(address_of("chart:medications-reviewed", sheet.patient), button(_("Reviewed"), class_="small", icon="check"))
    return markup(
        '<div class="card-foot row between"><span class="row"><a href="{}">{}</a>{}</span>\n  <span class="row"><span class="muted small">{}</span>\n  {}</span></div>',
        address_of("chart:history", sheet.patient, "medications"), _("All, with past"), more, told, reviewed,
    )  # fmt: skip


def allergies(sheet: Sheet) -> SafeString:
    slot, may_review = sheet.chart.allergy_slot, sheet.may_do("review")
    if slot.rows:
        body = _list((rows.allergy_row(row, sheet.patient, may_review) for row in slot.rows), "")
    elif slot.was_asked:
        body = markup('<p class="stated">{}<span>{}</span></p>', icon("circle-check"), slot.absence)
    else:
        words = markup("<p>{}</p>", _("Nobody has recorded an allergy, or that there is none."))
        body = callout(words, _("Allergies not asked"), tone="warning")
    foot = markup('<div class="card-foot row between"><span class="muted small">{}</span>\n  {}</div>', slot.reviewed, _allergies_reviewed(sheet))
    return _card(sheet, "allergies", _("Allergies"), "triangle-alert", (body, foot), **_adding(sheet, "review", _("Add"), "chart:allergy-new"))


def _allergies_reviewed(sheet: Sheet) -> SafeString:
    if not sheet.may_do("review"):
        return NOTHING
    pressed = (
        button(_("Reviewed"), class_="small", icon="check")
        if sheet.chart.allergy_slot.rows
        else button(_("No known allergies"), class_="small", icon="check", name="none", value="1")
    )
    return sheet.form(address_of("chart:allergies-reviewed", sheet.patient), pressed, quietly=False, class_="row")


def immunizations(sheet: Sheet) -> SafeString:
    lines = _list(map(rows.shot_row, sheet.chart.immunizations[:SHOTS]), _("No immunizations recorded."))
    return _card(sheet, "immunizations", _("Immunizations"), "syringe", (lines, _foot(sheet, "immunizations", _("All immunizations"))))


def vitals(sheet: Sheet) -> SafeString:
    shown = sheet.chart.vitals
    if shown.is_empty:
        body = markup(MUTED, _("Never measured here."))
    else:
        lines = SafeString("".join([rows.vital_row(row, sheet.patient, shown.earlier(row)) for row in shown.rows]))
        latest = markup('<p class="muted small">{} {}</p>\n', _("Latest"), shown.taken)
        body = markup("{}{}", latest, markup(TABLE, "", _("Latest vital signs"), lines))
    adding = _adding(sheet, "record_vitals", _("Record"), "chart:vitals")
    return _card(sheet, "vitals", _("Vital signs"), "activity", (body,), **adding)


def results(sheet: Sheet) -> SafeString:
    lines = SafeString("".join([rows.result_row(group, sheet.patient) for group in sheet.chart.results[:RESULTS]]))
    body = markup(TABLE, " results", _("Latest laboratory results"), lines) if lines else markup(MUTED, _("No laboratory results."))
    return _card(sheet, "results", _("Results"), "flask-conical", (body, _foot(sheet, "results", _("All results"))))


def orders(sheet: Sheet) -> SafeString:
    found, may_order = sheet.chart.open_orders, sheet.may_do("order")
    lines = _list((rows.order_row(order, sheet.patient, may_order) for order in found), _("Nothing on order."))
    return _card(sheet, "orders", _("Open orders"), "test-tube", (lines,), count=len(found), **_adding(sheet, "order", _("Order"), "chart:order"))


def documents(sheet: Sheet) -> SafeString:
    lines = _list((rows.note_row(row, sheet.patient) for row in sheet.chart.note_rows[:NOTES]), _("No notes yet."))
    foot = markup(
        '<p class="card-foot"><a href="{}">{}</a> · <a href="{}">{}</a></p>',
        address_of("chart:history", sheet.patient, "notes"), _("All notes"),
        address_of("chart:history", sheet.patient, "documents"), _("Other documents"),
    )  # fmt: skip
    return _card(sheet, "documents", _("Notes"), "notebook-pen", (lines, foot), **_adding(sheet, "write", _("Write"), "chart:note-new"))


def visits(sheet: Sheet) -> SafeString:
    may_manage = sheet.may_do("manage_problems")
    lines = _list((rows.visit_row(row, sheet.patient, may_manage) for row in sheet.chart.visit_rows[:VISITS]), _("No visits yet."))
    return _card(sheet, "visits", _("Visits"), "stethoscope", (lines, _foot(sheet, "visits", _("All visits"))))


def happened(sheet: Sheet) -> SafeString:
    lines = [
        event(markup('<p class="muted small">{}</p>', one.detail) if one.detail else NOTHING, one.title, at=one.at, icon=one.icon, by=one.by)
        for one in sheet.chart.timeline[:EVENTS]
    ]
    body = timeline(SafeString("".join(lines)), _("Timeline")) if lines else markup(MUTED, _("Nothing has happened yet."))
    return _card(sheet, "timeline", _("Timeline"), "history", (body, _foot(sheet, "timeline", _("Whole timeline"))))


CARDS: Mapping[str, Callable[[Sheet], SafeString]] = {
    "problems": problems, "medications": medications, "allergies": allergies, "immunizations": immunizations, "vitals": vitals, "results": results,
    "orders": orders, "documents": documents, "visits": visits, "timeline": happened,
}  # fmt: skip


def _card(sheet: Sheet, name: str, title: str, icon: str, parts: Iterable[SafeString], **more: Any) -> SafeString:
    """A card that reloads itself when what it shows has changed."""
    content = SafeString("\n".join(["", *parts, ""]))
    return surface(content, title, id=name, icon=icon, refresh=name, src=address_of("chart:card", sheet.patient, name), **more)


def _adding(sheet: Sheet, permission: str, words: str, page: str) -> dict[str, Any]:
    """The link in the head of a card, for who may add to it."""
    return {"action": words, "action_url": address_of(page, sheet.patient), "panel": True} if sheet.may_do(permission) else {}


def _list(lines: Iterable[SafeString], none: str) -> SafeString:
    found = "".join(lines)
    return markup(LIST, SafeString(found)) if found else markup(MUTED, none)


def _foot(sheet: Sheet, noun: str, words: str) -> SafeString:
    return markup(FOOT, address_of("chart:history", sheet.patient, noun), words)
