"""Patients see who opened their record."""

from __future__ import annotations

import datetime as dt

from django.http.response import HttpResponseBase
from django.utils import timezone

from openward.access.permissions import Permission
from openward.audit.auditor import AUDITOR
from openward.fhir.ids import key
from openward.fhir.protocols import Event
from openward.portal.openings import DAYS, days
from openward.portal.queries import own_id
from openward.record.connection import connection
from openward.web.pages import PageRequest, page, render

EARLIEST = dt.date(2000, 1, 1)


@page("portal:openings", needs=Permission.SEE_OWN_RECORD)
def openings(request: PageRequest) -> HttpResponseBase:
    """Thirty days at a time. Whoever looks after another's record does not see who opened it: a young person's visits may be their own matter."""
    if request.actor.role != "patient":
        return render(request, "portal/openings.html", {"is_own": False})
    own = key("Patient", own_id(request.store))
    last = _last(request)
    AUDITOR.record(connection(), request.actor.tenant, request.actor, [Event("audit-review", None, patients=[own])])
    context = {"is_own": True, "days": days(request.actor, last), "first": last - dt.timedelta(days=DAYS - 1), "last": last}
    return render(request, "portal/openings.html", {**context, "earlier": last - dt.timedelta(days=DAYS)})


def _last(request: PageRequest) -> dt.date:
    today = timezone.localdate()
    try:
        return max(min(dt.date.fromisoformat(request.GET.get("until", "")), today), EARLIEST)
    except ValueError:
        return today
