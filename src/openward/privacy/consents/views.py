"""What a patient permits and refuses: the practice's pages, and the patient's own in the portal. Both write the same Consent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from openward.access.permissions import Permission
from openward.fhir.errors import FhirError, NotFound
from openward.fhir.resources import Organization, Patient
from openward.privacy.consents import actions
from openward.privacy.consents.choices import SENSITIVE, groups
from openward.privacy.consents.forms import ConsentForm
from openward.privacy.consents.presenters import Told, paper, told
from openward.privacy.finding import find_patients, name_of
from openward.privacy.forms import FindForm
from openward.registration import queries as registration
from openward.web.errors import add_to_form
from openward.web.pages import PageRequest, go, page, render
from openward.web.papers import pdf_response
from openward.web.pdf import pdf

TEMPLATE = Path(__file__).parents[1] / "typst" / "consent.typ"
MOST = 200


@page("privacy:consents-find", needs=Permission.RECORD_CONSENTS, methods=("GET", "POST"))
def find(request: PageRequest) -> HttpResponseBase:
    """Whose consents. A POST: names do not belong in addresses."""
    form = FindForm(request.POST or None)
    text = form.cleaned_data["text"] if form.is_valid() else ""
    return render(request, "privacy/consents_find.html", {"form": form, "found": find_patients(request.store, text) if text else None})


@page("privacy:consents", needs=Permission.RECORD_CONSENTS)
def of(request: PageRequest, id: str) -> HttpResponseBase:
    return _all(request, id, own=False)


@page("privacy:consent-new", needs=Permission.RECORD_CONSENTS, methods=("GET", "POST"))
def new(request: PageRequest, id: str) -> HttpResponseBase:
    return _new(request, id, own=False)


@page("privacy:consent-withdraw", needs=Permission.RECORD_CONSENTS, methods=("POST",))
def withdraw(request: PageRequest, id: str, consent: str) -> HttpResponseBase:
    return _withdraw(request, id, consent, own=False)


@page("privacy:consent-pdf", needs=Permission.RECORD_CONSENTS)
def consent_pdf(request: PageRequest, id: str, consent: str) -> HttpResponseBase:
    return _paper(request, id, consent)


@page("privacy:sharing", needs=Permission.DECIDE_SHARING)
def sharing(request: PageRequest) -> HttpResponseBase:
    return _all(request, _own(request), own=True)


@page("privacy:sharing-new", needs=Permission.DECIDE_SHARING, methods=("GET", "POST"))
def sharing_new(request: PageRequest) -> HttpResponseBase:
    return _new(request, _own(request), own=True)


@page("privacy:sharing-withdraw", needs=Permission.DECIDE_SHARING, methods=("POST",))
def sharing_withdraw(request: PageRequest, consent: str) -> HttpResponseBase:
    return _withdraw(request, _own(request), consent, own=True)


@page("privacy:sharing-pdf", needs=Permission.DECIDE_SHARING)
def sharing_pdf(request: PageRequest, consent: str) -> HttpResponseBase:
    return _paper(request, _own(request), consent)


def _own(request: PageRequest) -> str:
    """The patient's own id. Raises NotFound for who has no record."""
    id = request.actor.reference_id
    if id is None or not (request.actor.reference or "").startswith("Patient/"):
        raise NotFound(type="Patient", id="")
    return id


def _places(patient: str, *, own: bool) -> dict[str, Any]:
    """The addresses of the pages about this patient, and what they stand in."""
    urls: dict[str, Callable[[str], str]]
    if own:
        urls = {name: lambda consent, name=name: reverse(f"privacy:sharing-{name}", args=[consent]) for name in ("withdraw", "pdf")}  # type: ignore[misc]
        here, there = reverse("privacy:sharing"), reverse("privacy:sharing-new")
    else:
        urls = {name: lambda consent, name=name: reverse(f"privacy:consent-{name}", args=[patient, consent]) for name in ("withdraw", "pdf")}  # type: ignore[misc]
        here, there = reverse("privacy:consents", args=[patient]), reverse("privacy:consent-new", args=[patient])
    return {"layout": "web/portal.html" if own else "web/page.html", "own": own, "here": here, "new_url": there, "urls": urls}


def _all(request: PageRequest, patient: str, *, own: bool) -> HttpResponseBase:
    person = request.store.read(Patient, patient)
    rows = told(request.store.search("Consent", {"patient": f"Patient/{patient}", "_count": MOST}).resources)
    places = _places(patient, own=own)
    shown = [{"row": row, "withdraw_url": places["urls"]["withdraw"](row.id), "pdf_url": places["urls"]["pdf"](row.id)} for row in rows]
    current = [one for one in shown if one["row"].may_withdraw]
    past = [one for one in shown if not one["row"].may_withdraw]
    return render(request, "privacy/consents.html", {**places, "name": name_of(person), "current": current, "past": past})


def _new(request: PageRequest, patient: str, *, own: bool) -> HttpResponseBase:
    """The form; then what follows from it, in words; then it is kept. Nothing is kept before it was read."""
    person = request.store.read(Patient, patient)
    form = ConsentForm(
        request.POST if request.method == "POST" else None, people=groups(request.store, patient, by=request.actor), own=own, initial=_wanted(request)
    )
    preview = None
    if request.method == "POST" and form.is_valid():
        who = form.named[form.cleaned_data["who"]]
        if request.POST.get("read") == "1":
            try:
                actions.record(patient=patient, said=form.cleaned_data, who=who, by=request.actor)
            except FhirError as refusal:
                add_to_form(form, refusal)
            else:
                return go(request, _places(patient, own=own)["here"], message=_("It is kept, and holds from now on."))
        elif request.POST.get("read") != "back":
            preview = Told(
                {"status": "active", "scope": {"coding": [{"code": "patient-privacy"}]}, "provision": actions.provision(form.cleaned_data, who)}
            )
    places = _places(patient, own=own)
    typed = [(name, value) for name in form.fields for value in request.POST.getlist(name)] if preview else []
    context = {**places, "form": form, "preview": preview, "typed": typed, "name": name_of(person)}
    return render(request, "privacy/consent_new.html", context, status=422 if form.errors else 200)


def _wanted(request: PageRequest) -> dict[str, Any]:
    """What a link asks the form to begin with: the consent that lets protected visits be billed."""
    labels = [label for label in request.GET.getlist("label") if label in SENSITIVE]
    return {"effect": "permit", "who": "tpo", "labels": labels or ["ETH"]} if request.GET.get("for") == "payment" else {}


def _withdraw(request: PageRequest, patient: str, consent: str, *, own: bool) -> HttpResponseBase:
    actions.withdraw(patient=patient, consent=consent, by=request.actor)
    return go(request, _places(patient, own=own)["here"], message=_("It is withdrawn, and counts no more."))


def _paper(request: PageRequest, patient: str, consent: str) -> HttpResponseBase:
    person, found = request.store.read(Patient, patient), request.store.read("Consent", consent)
    if (found.data.get("patient") or {}).get("reference") != f"Patient/{patient}":
        raise NotFound(type="Consent", id=consent)
    words = paper(
        Told(found.data),
        name=name_of(person),
        born=person.birthDate,
        number=registration.number_of(person) or "",
        practice=_practice(request, person),
    )
    return pdf_response(request, pdf(TEMPLATE, words), "consent.pdf", patient=patient)


def _practice(request: PageRequest, person: Patient) -> str:
    managing = person.managingOrganization
    found = request.store.find(Organization, managing.target_id) if managing and managing.target_id else None
    return (found.name if found else None) or _("This practice")
