"""What the pages of the chart read, and what other rooms may ask of it. The store decides what the actor may see."""

from __future__ import annotations

from openward.chart.queries.banner import banner
from openward.chart.queries.messages import thread, threads
from openward.chart.queries.patients import current_visit, practitioner_name
from openward.chart.queries.portal import immunizations, medications, released_results
from openward.chart.queries.summary import Chart, read_chart

__all__ = [
    "Chart",
    "banner",
    "current_visit",
    "immunizations",
    "medications",
    "practitioner_name",
    "read_chart",
    "released_results",
    "thread",
    "threads",
]
