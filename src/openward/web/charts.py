"""Charts as server-side SVG: they print, they need no JavaScript, and the table behind each is one click away.

Horizontal places are percentages, so that a chart fits its card at any width while its words keep their size.
Colours come from the style sheet by class; there is no style attribute (CSP).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any

from django.utils.safestring import SafeString

from openward.web.display import clock, day, number, parse
from openward.web.markup import joined, markup
from openward.web.words import gettext as _

HEIGHT, TOP, BOTTOM = 168, 16, 24


@dataclass(frozen=True, slots=True)
class Point:
    """One measurement. `flag` is H, L, HH, LL or A; `text` how the table shows it, when not by the number alone."""

    at: dt.datetime | dt.date
    value: float
    flag: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    name: str
    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class Trend:
    """What a trend chart shows: one or more series in one unit over a shared reference range."""

    label: str
    unit: str
    series: Sequence[Series]
    low: float | None = None
    high: float | None = None


def trend_chart(data: Any, *, label: str = "", unit: str = "", low: Any = None, high: Any = None) -> SafeString:
    """A line over time with the reference range as a band. `data` is a `Trend`, or (when, value[, flag]) tuples with the rest as arguments."""
    trend = data if isinstance(data, Trend) else Trend(label, unit, [Series(label, points(data))], _number(low), _number(high))
    found = [point for series in trend.series for point in series.points]
    if not found:
        return markup('<p class="muted">{}</p>', _("No measurements yet."))
    frame = Frame.around(found, trend.low, trend.high)
    lines = SafeString("".join(_line(series, frame, n) for n, series in enumerate(trend.series)))
    return markup(
        '<figure class="chart"><figcaption class="chart-title">{} <span class="muted">{}</span>{}</figcaption>'
        '<svg class="trend" height="{}" role="img" aria-label="{}"><svg class="plot" x="1%" width="98%" height="{}">{}{}{}</svg>{}</svg>{}</figure>',
        trend.label, trend.unit, _legend(trend.series), HEIGHT, _in_words(trend), HEIGHT, _band(trend, frame), _grid(frame), lines, _days(frame), _table(trend),
    )  # fmt: skip


def points(rows: Any) -> list[Point]:
    """(when, value[, flag]) tuples or Points, oldest first; rows without a time or a number are left out."""
    made = [point for row in rows if (point := row if isinstance(row, Point) else _point(*row)) is not None]
    return sorted(made, key=lambda point: _seconds(point.at))


def _point(when: Any, value: Any, flag: str = "", text: str = "") -> Point | None:
    at = parse(when)
    return None if at is None or value is None else Point(at, float(value), flag, text)


def _number(value: Any) -> float | None:
    return None if value in (None, "") else float(value)


def _seconds(at: dt.datetime | dt.date) -> float:
    moment = at if isinstance(at, dt.datetime) else dt.datetime(at.year, at.month, at.day, 12)
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp()


@dataclass(frozen=True, slots=True)
class Frame:
    """The window of a chart: time from `start` to `end`, values from `bottom` to `top`, gridlines at `ticks`."""

    start: float
    end: float
    bottom: float
    top: float
    ticks: tuple[float, ...]
    first: dt.datetime | dt.date
    last: dt.datetime | dt.date

    @classmethod
    def around(cls, found: Sequence[Point], low: float | None, high: float | None) -> Frame:
        values = [point.value for point in found] + [limit for limit in (low, high) if limit is not None]
        ticks = _ticks(min(values), max(values))
        ordered = sorted(found, key=lambda point: _seconds(point.at))
        return cls(_seconds(ordered[0].at), _seconds(ordered[-1].at), ticks[0], ticks[-1], ticks, ordered[0].at, ordered[-1].at)

    def x(self, at: dt.datetime | dt.date) -> str:
        share = 0.5 if self.end == self.start else (_seconds(at) - self.start) / (self.end - self.start)
        return f"{7 + 91 * share:.2f}%"  # the left edge is for the numbers of the grid

    def y(self, value: float) -> str:
        share = (value - self.bottom) / (self.top - self.bottom)
        return f"{TOP + (HEIGHT - TOP - BOTTOM) * (1 - share):.1f}"


def _ticks(least: float, most: float) -> tuple[float, ...]:
    """Three to five round numbers that enclose the values."""
    span = (most - least) or abs(most) or 1.0
    step = 10.0 ** (len(str(int(span))) - 1) if span >= 1 else 0.1
    while span / step < 2.5:
        step /= 2
    while span / step > 4:
        step *= 2 if (step * 2) != int(step * 2) or span / step <= 8 else 2.5
    first = step * int((least - span * 0.08) // step)
    ticks = [first]
    while ticks[-1] < most + span * 0.04:
        ticks.append(round(ticks[-1] + step, 6))
    return tuple(ticks)


def _line(series: Series, frame: Frame, n: int) -> SafeString:
    spots = [(frame.x(point.at), frame.y(point.value), point) for point in series.points]
    strokes = joined("", '<line class="line" x1="{}" y1="{}" x2="{}" y2="{}"/>', ((a[0], a[1], b[0], b[1]) for a, b in pairwise(spots)))
    dots = joined("", '<circle class="spot {}" cx="{}" cy="{}" r="{}"><title>{}</title></circle>', (
        ("odd" if point.flag and point.flag != "N" else "", x, y, "3.5" if point is spots[-1][2] else "2.5", _spoken(point)) for x, y, point in spots
    ))  # fmt: skip
    x, y, last = spots[-1]
    label = markup(
        '<text class="last" x="{}" y="{}" text-anchor="end">{}</text>',
        x,
        f"{max(float(y) - 8, 11):.1f}",
        last.text or number(Decimal(str(last.value)).normalize()),
    )
    return markup('<g class="series-{}">{}{}{}</g>', n, strokes, dots, label)


def _spoken(point: Point) -> str:
    return f"{day(point.at)} {clock(point.at)} {point.text or number(Decimal(str(point.value)).normalize())} {point.flag}".strip()


def _band(trend: Trend, frame: Frame) -> SafeString:
    if trend.low is None and trend.high is None:
        return SafeString("")
    top, bottom = frame.y(frame.top if trend.high is None else trend.high), frame.y(frame.bottom if trend.low is None else trend.low)
    return markup('<rect class="band" x="0" width="100%" y="{}" height="{}"/>', top, f"{float(bottom) - float(top):.1f}")


def _grid(frame: Frame) -> SafeString:
    return joined("", '<line class="grid" x1="0" x2="100%" y1="{0}" y2="{0}"/><text class="tick" x="0" y="{1}">{2}</text>', (
        (frame.y(tick), f"{float(frame.y(tick)) - 3:.1f}", number(Decimal(str(tick)).normalize())) for tick in frame.ticks
    ))  # fmt: skip


def _days(frame: Frame) -> SafeString:
    y = HEIGHT - 6
    if frame.start == frame.end:
        return markup('<text class="tick" x="50%" y="{}" text-anchor="middle">{}</text>', y, day(frame.first))
    return markup(
        '<text class="tick" x="1%" y="{0}">{1}</text><text class="tick" x="99%" y="{0}" text-anchor="end">{2}</text>',
        y,
        day(frame.first),
        day(frame.last),
    )


def _legend(series: Sequence[Series]) -> SafeString:
    if len(series) < 2:
        return SafeString("")
    return joined(
        "",
        '<span class="legend series-{}"><svg aria-hidden="true" width="10" height="10"><circle cx="5" cy="5" r="4"/></svg>{}</span>',
        ((n, one.name) for n, one in enumerate(series)),
    )


def _in_words(trend: Trend) -> str:
    parts = []
    for series in trend.series:
        if series.points:
            first, last = series.points[0], series.points[-1]
            parts.append(_("{name}: {count} values, from {first} on {first_day} to {last} on {last_day}").format(
                name=series.name or trend.label, count=len(series.points), first=number(Decimal(str(first.value)).normalize()), first_day=day(first.at),
                last=number(Decimal(str(last.value)).normalize()), last_day=day(last.at)))  # fmt: skip
    return "; ".join(parts)


def _table(trend: Trend) -> SafeString:
    rows = joined("", "<tr><td class=\"num\">{}</td><td>{}</td><td class=\"amount\">{}</td><td>{}</td></tr>", (
        (f"{day(point.at)} {clock(point.at)}".strip(), series.name, point.text or number(Decimal(str(point.value)).normalize()), point.flag)
        for series in trend.series for point in reversed(series.points)
    ))  # fmt: skip
    return markup(
        '<details class="chart-table"><summary>{}</summary><table class="data dense"><caption class="sr-only">{}</caption>'
        '<thead><tr><th scope="col">{}</th><th scope="col">{}</th><th scope="col" class="amount">{} {}</th><th scope="col">{}</th></tr></thead><tbody>{}</tbody></table></details>',
        _("Show as table"), trend.label, _("Date"), _("Measure"), _("Value"), trend.unit, _("Flag"), rows,
    )  # fmt: skip


def sparkline(values: Any, *, label: str = "", low: Any = None, high: Any = None) -> SafeString:
    """A word-sized line of numbers, oldest first; its `label` says what a reader who cannot see it needs."""
    numbers = [float(value) for value in values if value is not None]
    if len(numbers) < 2:
        return SafeString("")
    limits = [limit for limit in (_number(low), _number(high)) if limit is not None]
    least, most = min(numbers + limits), max(numbers + limits)
    span = (most - least) or 1.0
    spots = [(f"{3 + 90 * n / (len(numbers) - 1):.1f}", f"{21 - 18 * (value - least) / span:.1f}") for n, value in enumerate(numbers)]
    band = ""
    if len(limits) == 2:
        band = markup(
            '<rect class="band" x="0" width="96" y="{}" height="{}"/>',
            f"{21 - 18 * (limits[1] - least) / span:.1f}",
            f"{18 * (limits[1] - limits[0]) / span:.1f}",
        )
    words = label or _("{n} values, from {first} to {last}").format(n=len(numbers), first=number(numbers[0]), last=number(numbers[-1]))
    return markup(
        '<svg class="sparkline" viewBox="0 0 96 24" width="96" height="24" role="img" aria-label="{}">{}<polyline class="line" points="{}"/><circle class="spot" cx="{}" cy="{}" r="2.5"/></svg>',
        words, band, " ".join(f"{x},{y}" for x, y in spots), *spots[-1],
    )  # fmt: skip


def bar_chart(items: Any, *, label: str = "", unit: str = "") -> SafeString:
    """(words, number[, shown]) as bars in a table: the chart is its own table."""
    rows = [(row[0], float(row[1]), row[2] if len(row) > 2 else number(row[1])) for row in items]
    most = max((abs(value) for _w, value, _s in rows), default=0) or 1
    body = joined("", '<tr><th scope="row">{}</th><td class="bar"><svg aria-hidden="true" height="10"><rect class="bar-ground" width="100%" height="10" rx="3"/><rect class="bar-fill" width="{}%" height="10" rx="3"/></svg></td><td class="num">{} {}</td></tr>', (
        (name, f"{100 * abs(value) / most:.1f}", shown, unit) for name, value, shown in rows
    ))  # fmt: skip
    return markup(
        '<table class="bars"><caption class="{}">{}</caption><tbody>{}</tbody></table>', "" if label else "sr-only", label or _("Bars"), body
    )


def donut(items: Any, *, label: str = "", center: str = "") -> SafeString:
    """(words, number) as shares of a whole, at most six, with a legend that carries the numbers."""
    rows = [(str(row[0]), float(row[1])) for row in items][:6]
    whole = sum(value for _w, value in rows) or 1
    arcs, turned = [], 0.0
    for n, (_words, value) in enumerate(rows):
        share = 100 * value / whole
        arcs.append(
            markup(
                '<circle class="arc part-{}" cx="21" cy="21" r="15.915" stroke-dasharray="{} {}" stroke-dashoffset="{}"/>',
                n,
                f"{max(share - 0.8, 0):.2f}",
                f"{100 - max(share - 0.8, 0):.2f}",
                f"{25 - turned:.2f}",
            )
        )
        turned += share
    legend = joined(
        "",
        '<li><svg class="part-{}" aria-hidden="true" width="10" height="10"><rect width="10" height="10" rx="3"/></svg><span>{}</span><b class="num">{}</b></li>',
        ((n, name, number(_tidy(value))) for n, (name, value) in enumerate(rows)),
    )
    middle = markup('<text class="donut-center" x="21" y="21" dy="0.35em" text-anchor="middle">{}</text>', center) if center else ""
    words = "; ".join(f"{name} {number(_tidy(value))}" for name, value in rows)
    return markup(
        '<figure class="donut"><svg viewBox="0 0 42 42" role="img" aria-label="{}"><circle class="arc-ground" cx="21" cy="21" r="15.915"/>{}{}</svg><ul class="donut-legend">{}</ul></figure>',
        f"{label}: {words}" if label else words, SafeString("".join(arcs)), middle, legend,
    )  # fmt: skip


def _tidy(value: float) -> Decimal:
    return Decimal(str(int(value) if value == int(value) else value))
