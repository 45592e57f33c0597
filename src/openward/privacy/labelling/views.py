"""One resource's sensitivity labels, and the rules by which resources get them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openward.access.labels import LABELS, SHIPPED, implied, labels_of
from openward.access.models import LabelRule
from openward.access.permissions import Permission
from openward.access.rules import rules_of
from openward.fhir.errors import FhirError
from openward.privacy.labelling import actions, relabelling
from openward.web.display import number
from openward.web.errors import add_to_form
from openward.web.pages import PageRequest, go, page, render


class LabelsForm(forms.Form):
    labels = forms.MultipleChoiceField(
        label=gettext_lazy("Labels"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=[(key, f"{label.title}: {label.sentence}") for key, label in LABELS.items()],
    )


SYSTEMS = {
    "http://hl7.org/fhir/sid/icd-10-cm": "ICD-10-CM",
    "http://snomed.info/sct": "SNOMED CT",
    "http://www.nlm.nih.gov/research/umls/rxnorm": "RxNorm",
    "http://loinc.org": "LOINC",
    "https://bluebutton.cms.gov/resources/codesystem/hcpcs": "HCPCS",
    "http://www.ama-assn.org/go/cpt": "CPT",
    "urn:openward:service-code": gettext_lazy("Our own service codes"),
}


class RuleForm(forms.Form):
    label = forms.ChoiceField(label=gettext_lazy("Label"), choices=[(key, label.title) for key, label in LABELS.items() if key != "CEL"])
    system = forms.ChoiceField(label=gettext_lazy("Code system"), choices=list(SYSTEMS.items()))
    code = forms.RegexField(
        label=gettext_lazy("Code"),
        regex=r"\A[A-Za-z0-9][A-Za-z0-9.\-]{1,39}\Z",
        max_length=40,
        error_messages={"invalid": gettext_lazy("Letters, digits, points and hyphens; at least two.")},
    )
    is_start = forms.BooleanField(label=gettext_lazy("And every code that begins so"), required=False)

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if found.get("is_start") and len(found.get("code", "")) < 3:
            self.add_error("code", _("Name at least three characters of codes that begin so: this would label too much."))
        return found


@page("privacy:rules", needs=Permission.REVIEW_PRIVACY, methods=("GET", "POST"))
def rules(request: PageRequest) -> HttpResponseBase:
    """Which codes get which label, the house's own rules, and how far the pass over what is stored has come."""
    form = RuleForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.add_rule(by=request.actor, **form.cleaned_data)
        except FhirError as refusal:
            add_to_form(form, refusal)
        else:
            return go(request, "privacy:rules", message=_("The rule holds from now on. What is stored is gone through in the background."))
    own = LabelRule.objects.filter(tenant=request.actor.tenant).order_by("-made_at")[:200]
    context = {
        "form": form,
        "own": [(row, LABELS[row.label].title, _system(row.system)) for row in own if row.label in LABELS],
        "shipped": _shipped(),
    }
    return render(request, "privacy/rules.html", {**context, **_progress(request.actor.tenant)}, status=422 if form.errors else 200)


@page("privacy:rules-progress", needs=Permission.REVIEW_PRIVACY)
def rules_progress(request: PageRequest) -> HttpResponseBase:
    """The card alone, which asks for itself while the pass goes on."""
    return render(request, "privacy/rules_progress.html", _progress(request.actor.tenant))


@page("privacy:rule-end", needs=Permission.REVIEW_PRIVACY, methods=("POST",))
def end_rule(request: PageRequest, id: str) -> HttpResponseBase:
    actions.end_rule(rule=id, by=request.actor)
    return go(request, "privacy:rules", message=_("The rule has ended. Labels it has put stay until somebody takes them away."))


def _progress(tenant: int) -> dict[str, Any]:
    row = relabelling.latest(tenant)
    words = _("{done} of {total}").format(done=number(row.done), total=number(row.total)) if row else ""
    return {"pass": row, "pass_words": words, "is_running": row is not None and row.finished_at is None}


def _system(system: str) -> str:
    return str(SYSTEMS.get(system, system))


def _shipped() -> list[tuple[str, str, list[str]]]:
    """Label, code system, and the codes; a code others begin with has a trailing asterisk."""
    found: dict[tuple[str, str], list[str]] = {}
    for label, system, code, is_start in SHIPPED:
        found.setdefault((label, system), []).append(f"{code}*" if is_start else code)
    return [(LABELS[label].title, _system(system), codes) for (label, system), codes in found.items()]


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
    by_rule = [LABELS[label].title for label in sorted(implied(found.data, rules_of(request.actor)))]
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
