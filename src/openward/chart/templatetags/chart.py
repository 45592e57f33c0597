"""`{% load chart %}`: the rows of the chart's cards (`chart/rows.py`)."""

from __future__ import annotations

from django import template

from openward.chart import rows

register = template.Library()

for _row in (rows.result_row, rows.vital_row, rows.problem_row, rows.visit_row):
    register.simple_tag(_row)
