"""What is brought in from the chart when a note is opened: plain text, the author's to change from then on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING

from openward.chart.presenters.wording import in_order
from openward.web.display import clock, day, local, parse
from openward.web.words import gettext as _

if TYPE_CHECKING:
    from openward.chart.queries.summary import Chart


def fillings(names: Iterable[str], chart: Chart, today: dt.date) -> str:
    """The texts of these names, one below the other."""
    tellers = {"vitals": _vitals, "problems": _problems, "medications": _medications, "allergies": _allergies, "results": _results}
    return "\n\n".join(text for name in names if name in tellers and (text := tellers[name](chart, today)))


def _vitals(chart: Chart, today: dt.date) -> str:
    rows = [row for row in chart.vitals.rows if _is_on(row.at, today)]
    if not rows:
        return ""
    by_time: dict[str, list[str]] = {}
    for row in sorted(rows, key=lambda row: in_order(row.at)):
        by_time.setdefault(clock(row.at), []).append(f"{row.label} {row.value} {row.unit}{f' ({row.mark})' if row.mark else ''}")
    return "\n".join(_("Vital signs {time}: {shown}.").format(time=time, shown="; ".join(told)) for time, told in by_time.items())


def _is_on(at: str, today: dt.date) -> bool:
    moment = parse(at)
    return isinstance(moment, dt.datetime) and local(moment).date() == today


def _problems(chart: Chart, today: dt.date) -> str:
    return "\n".join(f"- {row.name}{f' ({row.code})' if row.code else ''}" for row in chart.problems)


def _medications(chart: Chart, today: dt.date) -> str:
    return "\n".join(f"- {line.plain}" for line in chart.medications) or _("No current medications.")


def _allergies(chart: Chart, today: dt.date) -> str:
    slot = chart.allergy_slot
    return "\n".join(f"- {row.substance}: {row.reaction}" for row in slot.rows) or slot.absence


def _results(chart: Chart, today: dt.date) -> str:
    recent = [group.latest for group in chart.results[:8]]
    return "\n".join(f"- {row.name} {row.value} {row.unit}{f' ({row.mark})' if row.mark else ''}, {day(row.at)}" for row in recent)
