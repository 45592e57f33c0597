"""The people one looks after, and switching between their records and one's own."""

from __future__ import annotations

from django.http import Http404
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from openward.access.actor import Actor
from openward.access.permissions import Permission
from openward.access.proxies import AREAS, as_proxy, grants_of
from openward.audit.auditor import note
from openward.fhir.resources import Patient
from openward.portal.family import KEY
from openward.record import open_store
from openward.record.connection import connection
from openward.web.display import person_name
from openward.web.pages import PageRequest, go, page, render


@page("portal:family", needs=Permission.SEE_OWN_RECORD)
def family(request: PageRequest) -> HttpResponseBase:
    """Oneself, and everyone one has leave to look after: until when, and with what."""
    rows = []
    for grant in grants_of(request.actor):
        proxy = as_proxy(_themselves(request), grant.reference)
        person = open_store(proxy).find(Patient, grant.reference.split("/", 1)[1]) if proxy else None
        if person is not None:
            words = [AREAS[area][0] for area in AREAS if area in grant.areas]
            rows.append((grant, person_name(person.name[0] if person.name else None), words, request.actor.reference == grant.reference))
    mine = (_themselves(request).reference or "").startswith("Patient/")
    return render(request, "portal/family.html", {"rows": rows, "has_own": mine, "is_self": request.actor.role == "patient"})


@page("portal:switch", needs=Permission.SEE_OWN_RECORD, methods=("POST",))
def switch(request: PageRequest) -> HttpResponseBase:
    """To the record of someone one looks after, or back to one's own."""
    chosen = request.POST.get("patient", "")
    if chosen and as_proxy(_themselves(request), chosen) is None:
        raise Http404
    request.session[KEY] = chosen
    note(connection(), _themselves(request), "switch-record", detail="to another's record" if chosen else "to their own record")
    return go(request, "/portal/", message=_("You are looking after their record now.") if chosen else _("You are back in your own record."))


def _themselves(request: PageRequest) -> Actor:
    """Who signed in, whomever they act for."""
    found: Actor = getattr(request, "self_actor", request.actor)
    return found
