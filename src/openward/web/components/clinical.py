"""What clinicians read: the patient banner, numeric observations, timelines, chat threads."""

from __future__ import annotations

from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext_noop

from openward.web.banner import Banner
from openward.web.components.basics import avatar
from openward.web.components.basics import icon as _icon
from openward.web.display import clock, day, day_and_clock, number
from openward.web.markup import markup
from openward.web.words import gettext as _


def patient_banner(banner: Banner | None) -> SafeString:
    return render_to_string("web/components/banner.html", {"banner": banner}) if banner is not None else SafeString("")


# Symbol, tone and word of HL7 v3 interpretation codes. https://terminology.hl7.org/CodeSystem-v3-ObservationInterpretation.html
MARKS = {"H": "▲", "HU": "▲▲", "HH": "▲▲", "L": "▼", "LU": "▼▼", "LL": "▼▼", "A": "◆", "AA": "◆◆", "N": "", "": ""}
TONES = {"H": "high", "HU": "critical", "HH": "critical", "L": "low", "LU": "critical", "LL": "critical", "A": "high", "AA": "critical"}


WORDS = {
    "H": gettext_noop("high"), "HU": gettext_noop("significantly high"), "HH": gettext_noop("critically high"),
    "L": gettext_noop("low"), "LU": gettext_noop("significantly low"), "LL": gettext_noop("critically low"),
    "A": gettext_noop("abnormal"), "AA": gettext_noop("critically abnormal"), "N": gettext_noop("normal"),
}  # fmt: skip
TRENDS = {
    "up": ("trending-up", gettext_noop("rising")),
    "down": ("trending-down", gettext_noop("falling")),
    "same": ("move-right", gettext_noop("steady")),
}


def interpretation_word(code: str) -> str:
    return _(WORDS[code]) if code in WORDS else ""


def observation(
    value: Any,
    unit: str = "",
    *,
    interpretation: str = "",
    low: Any = None,
    high: Any = None,
    label: str = "",
    trend: str = "",
    at: Any = None,
    reference: str = "",
) -> SafeString:
    """A measured value as it must be read: value, unit, H/L with symbol, word and colour, reference range, trend in words.

    `value` is a number, or text such as `128/82`; `interpretation` one of N H L HH LL A AA; `trend` up, down or same.
    """
    shown = value if isinstance(value, str) and not value.replace(".", "", 1).lstrip("-").isdigit() else number(value)
    code = interpretation if interpretation in TONES else ""
    head = markup('<span class="obs-label">{}</span>', label) if label else ""
    flag = (
        markup('<span class="obs-flag"><b>{}</b> <span aria-hidden="true">{}</span> {}</span>', code, MARKS[code], interpretation_word(code))
        if code
        else ""
    )
    main = markup('<span class="obs-value"><b class="num">{}</b> <span class="obs-unit">{}</span></span>', shown, unit)
    return markup(
        '<span class="obs {}">{}{}{}{}{}{}</span>', TONES.get(code, ""), head, main, flag, _trend(trend), _range(low, high, reference), _when(at)
    )


def _range(low: Any, high: Any, reference: str) -> SafeString:
    if not reference and (low is not None or high is not None):
        reference = (
            f"{number(low)}–{number(high)}"
            if low is not None and high is not None
            else f"≥ {number(low)}"
            if low is not None
            else f"≤ {number(high)}"
        )
    return (
        markup('<span class="obs-range"><span class="sr-only">{} </span>{}</span>', _("reference range"), reference) if reference else SafeString("")
    )


def _trend(trend: str) -> SafeString:
    if trend not in TRENDS:
        return SafeString("")
    icon, word = TRENDS[trend]
    return markup('<span class="obs-trend">{} {}</span>', _icon(icon), _(word))


def _when(at: Any) -> SafeString:
    text = day_and_clock(at)
    return markup('<span class="obs-when">{}</span>', text) if text else SafeString("")


def timeline(content: str, label: str = "") -> SafeString:
    """A list of `{% event %}`s, newest first."""
    return markup('<ol class="timeline" aria-label="{}">{}</ol>', label or _("Timeline"), content)


def event(content: str, title: str, at: Any = None, icon: str = "circle-dot", tone: str = "", url: str = "", by: str = "") -> SafeString:
    """One thing that happened, inside `{% timeline %}`."""
    head = markup('<a href="{}">{}</a>', url, title) if url else markup("{}", title)
    when = markup('<span class="num">{}</span> <span class="num muted">{}</span>', day(at), clock(at))
    who = markup('<span class="muted"> · {}</span>', by) if by else ""
    return markup(
        '<li class="event {}"><span class="event-mark">{}</span><div class="event-when">{}</div><div class="event-what"><p class="event-title">{}{}</p>{}</div></li>',
        tone, _icon(icon), when, head, who, content,
    )  # fmt: skip


def thread(content: str, label: str = "") -> SafeString:
    """A conversation of `{% message %}`s, oldest first."""
    return markup('<ol class="thread" aria-label="{}">{}</ol>', label or _("Conversation"), content)


def message(content: str, who: str, at: Any = None, mine: bool = False) -> SafeString:
    """One message of a thread; `mine` when the reader wrote it."""
    return markup(
        '<li class="message {}">{}<div class="message-body"><p class="message-head"><b>{}</b> <span class="num muted">{}</span></p><div class="message-text">{}</div></div></li>',
        "mine" if mine else "", avatar(who), who, day_and_clock(at), content,
    )  # fmt: skip
