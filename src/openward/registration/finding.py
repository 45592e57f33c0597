"""The finder behind the search box, the home card and the command palette."""

from __future__ import annotations

from collections.abc import Sequence

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from openward.access.permissions import Permission
from openward.registration import queries
from openward.registration.presenters import FoundRow
from openward.web.addresses import address_of
from openward.web.pages import PageRequest
from openward.web.palette import Item

SHORTEST = 2


def rows(request: PageRequest, text: str, *, limit: int = queries.MOST_FOUND) -> list[FoundRow]:
    """The patients that fit what was typed, the likeliest first; nothing for a single letter."""
    if len(text.strip()) < SHORTEST:
        return []
    found = queries.find(request.store, text, limit=limit)
    return [FoundRow(one, address_of("registration:patient", one.patient.id), timezone.get_current_timezone_name()) for one in found]


def palette(request: PageRequest, text: str) -> Sequence[Item]:
    """Patients in the command palette."""
    if not request.actor.may(Permission.FIND_PATIENTS):
        return []
    items = [Item(row.name, row.url, _("Patients"), f"{row.born} · {row.number}", "user") for row in rows(request, text, limit=6)]
    if request.actor.may(Permission.REGISTER_PATIENTS):
        items += (
            [Item(_("Register a new patient"), reverse("registration:new"), _("Actions"), "", "user-plus")]
            if "register".startswith(text.lower()[:8])
            else []
        )
    return items
