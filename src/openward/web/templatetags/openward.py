"""`{% load openward %}`: every component. Shapes and examples are in docs/components.md and, living, at /design."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.safestring import SafeString

from openward.web import addresses, display, kept, translated
from openward.web.charts import bar_chart, donut, sparkline, trend_chart
from openward.web.components import basics, clinical, forms, tables
from openward.web.markup import markup

register = template.Library()

for _tag in (
    basics.icon, basics.mark, basics.button, basics.badge, basics.avatar, basics.toast, basics.tabs, basics.pagination, basics.keys,
    basics.progress, basics.steps, basics.stat, basics.live, basics.skeleton,
    forms.field, forms.error_summary, forms.once_token, forms.autosave_state, forms.combobox, forms.search_box,
    clinical.patient_banner, clinical.observation,
    tables.no_rows, tables.definition,
    sparkline, trend_chart, bar_chart, donut,
):  # fmt: skip
    register.simple_tag(_tag)

for _block in (
    basics.callout, basics.empty, basics.card, basics.panel_link, clinical.timeline, clinical.event, clinical.thread, clinical.message,
    tables.data_table, tables.row_link, tables.columns, tables.column,
):  # fmt: skip
    register.simple_block_tag(_block)

register.simple_tag(takes_context=True)(forms.error_prefix)
register.simple_tag(takes_context=True)(tables.sort_header)
register.simple_block_tag(takes_context=True)(forms.post_form)
register.simple_tag(name="trend")(trend_chart)
register.tag("url", addresses.url)
register.tag("kept", kept.kept)
register.tag("translate", translated.translate)


@register.simple_tag
def day(value: display.Moment, zone: str | None = None) -> SafeString:
    """`03-Nov-2026` in a `<time>`."""
    return _time(value, display.day(value, zone))


@register.simple_tag
def clock(value: display.Moment, zone: str | None = None) -> SafeString:
    """`14:05` in a `<time>`."""
    return _time(value, display.clock(value, zone))


@register.simple_tag
def when(value: display.Moment, zone: str | None = None) -> SafeString:
    """`03-Nov-2026 14:05` in a `<time>`."""
    return _time(value, display.day_and_clock(value, zone))


@register.simple_tag
def since(value: display.Moment) -> SafeString:
    """`12 min`, counting on in the browser (frame.js)."""
    machine = value.isoformat() if isinstance(value, dt.date) else str(value or "")
    return markup('<time class="num" datetime="{}" data-since>{}</time>', machine, display.ago(value))


@register.simple_tag
def age(born: display.Moment, at: display.Moment = None) -> str:
    return display.age(born, at)


@register.simple_tag
def money(value: Any, currency: str = "USD") -> SafeString:
    return markup('<span class="money">{}</span>', display.money(value, currency))


@register.filter
def words(value: str) -> list[str]:
    """Split by blanks: a small loop in a template."""
    return value.split()


register.filter("as_day", display.day)
register.filter("as_clock", display.clock)
register.filter("as_when", display.day_and_clock)
register.filter("as_money", display.money)
register.filter("as_number", display.number)
register.filter("initials", display.initials)


@register.simple_tag
def stylesheet(name: str) -> str:
    return static(f"web/{name}.css")


@register.simple_tag
def script(name: str) -> str:
    return static(f"web/{name}.js")


def _time(value: display.Moment, shown: str) -> SafeString:
    if not shown:
        return SafeString("")
    machine = value.isoformat() if isinstance(value, dt.date) else str(value)
    return markup('<time class="num" datetime="{}">{}</time>', machine, shown)
