"""One resource's sensitivity labels."""

from __future__ import annotations

from django import forms
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openward.access.labels import LABELS, implied, labels_of
from openward.access.permissions import Permission
from openward.fhir.errors import FhirError
from openward.privacy.labelling import actions
from openward.web.errors import add_to_form
from openward.web.pages import PageRequest, go, page, render


class LabelsForm(forms.Form):
    labels = forms.MultipleChoiceField(
        label=gettext_lazy("Labels"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=[(key, f"{label.title}: {label.sentence}") for key, label in LABELS.items()],
    )


@page("privacy:labels", needs=Permission.LABEL_RECORDS, methods=("GET", "POST"))
def labels(request: PageRequest, type: str, id: str) -> HttpResponseBase:
    """Who sees it follows from its labels; saved, they hold at once."""
    found = request.store.read(type, id)
    form = LabelsForm(request.POST if request.method == "POST" else None, initial={"labels": sorted(labels_of(found.data))})
    if request.method == "POST" and form.is_valid():
        try:
            actions.set_labels(type=type, id=id, labels=form.cleaned_data["labels"], by=request.actor)
        except FhirError as refusal:
            add_to_form(form, refusal)
        else:
            return go(request, "web:home", message=_("The labels are kept. They hold at once."))
    by_rule = [LABELS[label].title for label in sorted(implied(found.data))]
    context = {"form": form, "type": type, "what": _words(found.data), "by_rule": by_rule}
    return render(request, "privacy/labels.html", context, status=422 if form.errors else 200)


def _words(resource: dict[str, object]) -> str:
    """What the resource calls itself."""
    for place in ("code", "medicationCodeableConcept", "type"):
        concept = resource.get(place)
        if isinstance(concept, dict):
            codings = concept.get("coding") or [{}]
            return str(concept.get("text") or codings[0].get("display") or codings[0].get("code") or "")
    return ""
