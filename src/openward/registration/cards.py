"""Registration's card on the home page: the finder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from openward.access.permissions import Permission
from openward.web.homes import HomeCard

if TYPE_CHECKING:
    from openward.web.pages import PageRequest


def finder(request: PageRequest) -> dict[str, Any]:
    return {"may_register": request.actor.may(Permission.REGISTER_PATIENTS)}


FIND = HomeCard(
    "find",
    _("Find a patient"),
    "registration/parts/finder.html",
    finder,
    needs=Permission.FIND_PATIENTS,
    roles=("front-desk", "nurse", "biller"),
    order=5,
    wide=True,
)
