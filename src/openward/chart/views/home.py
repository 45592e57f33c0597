"""A home card alone: what it asks for when something happened."""

from __future__ import annotations

from django.http import Http404, HttpResponse

from openward.access.permissions import Permission
from openward.chart.cards import CARDS
from openward.web.pages import PageRequest, page, render


@page("chart:home", needs=Permission.READ_CHART)
def card(request: PageRequest, card: str) -> HttpResponse:
    found = next((one for one in CARDS if one.key == card and one.is_for(request)), None)
    if found is None:
        raise Http404
    return render(request, found.template, found.query(request))
