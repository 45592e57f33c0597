"""Writing to the practice and reading its answers."""

from __future__ import annotations

from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from openward.access.permissions import Permission
from openward.access.roles import PROXY
from openward.chart.actions.messages import send_message
from openward.fhir.errors import FhirError
from openward.fhir.resources import Patient
from openward.portal import confidences, queries
from openward.portal.forms import ReplyForm, WriteForm
from openward.web.errors import add_to_form
from openward.web.pages import PageRequest, go, page, render


@page("portal:messages", needs=Permission.MESSAGE_PRACTICE)
def messages(request: PageRequest) -> HttpResponseBase:
    return render(request, "portal/messages.html", {"threads": queries.threads(request.store)})


@page("portal:write", needs=Permission.MESSAGE_PRACTICE, methods=("GET", "POST"))
def write(request: PageRequest) -> HttpResponseBase:
    form = WriteForm(request.POST or None, initial={"topic": request.GET.get("about", "")})
    if request.method == "POST" and form.is_valid():
        try:
            send_message(patient=queries.own_id(request.store), text=form.cleaned_data["text"], topic=form.cleaned_data["topic"], by=request.actor)
        except FhirError as refusal:
            add_to_form(form, refusal)
        else:
            return go(request, "portal:messages", message=_("Your message is with the practice."))
    is_theirs = request.actor.role != PROXY.key and confidences.is_young(request.store.read(Patient, queries.own_id(request.store)))
    return render(request, "portal/write.html", {"form": form, "is_theirs": is_theirs}, status=422 if form.errors else 200)


@page("portal:thread", needs=Permission.MESSAGE_PRACTICE, methods=("GET", "POST"))
def conversation(request: PageRequest, id: str) -> HttpResponseBase:
    found = queries.thread(request.store, id)
    form = ReplyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            send_message(patient=queries.own_id(request.store), text=form.cleaned_data["text"], thread=id, by=request.actor)
        except FhirError as refusal:
            add_to_form(form, refusal)
        else:
            return go(request, "portal:thread", id=id, message=_("Your answer is with the practice."))
    return render(request, "portal/thread.html", {"thread": found, "form": form}, status=422 if form.errors else 200)
