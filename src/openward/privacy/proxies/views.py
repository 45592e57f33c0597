"""Who looks after whose record: the desk's pages."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.http import Http404
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _

from openward.access.models import ProxyGrant
from openward.access.permissions import Permission
from openward.access.proxies import AREAS, of_patient
from openward.accounts.models import User
from openward.fhir.errors import FhirError
from openward.fhir.resources import Patient
from openward.privacy.finding import find_patients, name_of
from openward.privacy.forms import FindForm
from openward.privacy.proxies import actions
from openward.privacy.proxies.forms import GrantForm
from openward.web.errors import add_to_form
from openward.web.pages import PageRequest, go, page, render


@page("privacy:proxies", needs=Permission.GRANT_PROXIES, methods=("GET", "POST"))
def find(request: PageRequest) -> HttpResponseBase:
    """Whose record it is about. A POST: names do not belong in addresses."""
    form = FindForm(request.POST or None)
    text = form.cleaned_data["text"] if form.is_valid() else ""
    return render(request, "privacy/proxies_find.html", {"form": form, "found": find_patients(request.store, text) if text else None})


@page("privacy:proxies-of", needs=Permission.GRANT_PROXIES, methods=("GET", "POST"))
def of(request: PageRequest, id: str) -> HttpResponseBase:
    person = request.store.read(Patient, id)
    form = GrantForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.give(patient=id, by=request.actor, **form.cleaned_data)
        except FhirError as refusal:
            add_to_form(form, refusal)
        else:
            return go(request, "privacy:proxies-of", id=id, message=_("They may look after this record now."))
    grants = of_patient(request.actor.tenant, f"Patient/{id}")
    names = dict(User.objects.filter(id__in=[grant.user_id for grant in grants]).values_list("id", "name"))
    rows = [(grant, names.get(grant.user_id, ""), _areas(grant), _holds(grant)) for grant in grants]
    return render(request, "privacy/proxies.html", {"name": name_of(person), "rows": rows, "form": form}, status=422 if form.errors else 200)


@page("privacy:proxy-end", needs=Permission.GRANT_PROXIES, methods=("POST",))
def end(request: PageRequest, id: str) -> HttpResponseBase:
    try:
        row = ProxyGrant.objects.get(pk=id, tenant=request.actor.tenant)
    except (ProxyGrant.DoesNotExist, ValidationError):
        raise Http404 from None
    actions.end(grant=id, by=request.actor)
    return go(request, "privacy:proxies-of", id=row.reference.split("/", 1)[1], message=_("Their leave has ended."))


def _areas(grant: ProxyGrant) -> str:
    return "; ".join(AREAS[area][0].partition(":")[0] for area in grant.areas if area in AREAS)


def _holds(grant: ProxyGrant) -> bool:
    return grant.until is None or grant.until > timezone.now()
