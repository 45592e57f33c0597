"""`{% load chart %}`: the cards of the chart (`chart/drawing.py`)."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString

from openward.chart.drawing import CARDS, Sheet

register = template.Library()


@register.simple_tag(takes_context=True)
def chart_card(context: template.Context, name: str) -> SafeString:
    """One card, for the page that has what `views.chart.context` gives."""
    return CARDS[name](Sheet(context["chart"], context["patient"], context.get, str(context.get("csrf_token", ""))))
