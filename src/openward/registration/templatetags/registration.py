"""`{% load registration %}`: the rows of the finder's list (`registration/rows.py`)."""

from __future__ import annotations

from django import template

from openward.registration import rows

register = template.Library()
register.simple_tag(rows.found_row)
