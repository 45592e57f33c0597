"""Records that may be of one person: side by side, merged, and taken apart again."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from openward.access.permissions import Permission
from openward.fhir.errors import FhirError
from openward.fhir.resources import Patient
from openward.registration import actions, merging, queries
from openward.registration.presenters import LikenessRow
from openward.registration.sides import Sides, moves_words
from openward.web.pages import PageRequest, go, page, render


@page("registration:duplicates", needs=Permission.MERGE_PATIENTS)
def duplicates(request: PageRequest, patient: str) -> HttpResponse:
    """Who else on record may be this person, and why."""
    person = request.store.read(Patient, patient)
    likenesses = queries.likenesses(request.store, person)
    others = {str(one.id): one for one in request.store.read_many([(Patient, one.id) for one in likenesses])}
    rows = [
        LikenessRow(likeness, other, reverse("registration:merge", args=[patient, likeness.id]))
        for likeness in likenesses
        if isinstance(other := others.get(likeness.id), Patient)
    ]
    return render(request, "registration/duplicates.html", {"patient": person, "banner": queries.banner(request.store, person), "likenesses": rows})


@page("registration:merge", needs=Permission.MERGE_PATIENTS, methods=("GET", "POST"))
def merge(request: PageRequest, patient: str, other: str) -> HttpResponse:
    """Two records side by side, what would move, and which one stays."""
    if patient == other:
        raise Http404
    keep = request.POST.get("keep", patient)
    if request.method == "POST" and keep in (patient, other):
        source = other if keep == patient else patient
        try:
            task = merging.merge(by=request.actor, source=source, target=keep)
        except FhirError as refusal:
            return _compared(request, patient, other, refused=str(refusal))
        undo = reverse("registration:undo-merge", args=[keep, task])
        return go(request, "registration:patient", message=_("The two records are one now."), undo=undo, patient=keep)
    return _compared(request, patient, other)


def _compared(request: PageRequest, patient: str, other: str, *, refused: str = "") -> HttpResponse:
    left, right = request.store.read(Patient, patient), request.store.read(Patient, other)
    try:
        moves = [
            moves_words(merging.preview(by=request.actor, source=source, target=target)) for source, target in ((other, patient), (patient, other))
        ]
    except FhirError as refusal:
        moves, refused = [], refused or str(refusal)
    told_apart = [str(reason) for one in (left, right) if (reason := one.extension_value(actions.DIFFERENT_PERSON))]
    context = {
        "patient": left,
        "banner": queries.banner(request.store, left),
        "sides": Sides(left, right, moves),
        "refused": refused,
        "told_apart": told_apart,
    }
    return render(request, "registration/merge.html", context, status=422 if refused else 200)


@page("registration:undo-merge", needs=Permission.MERGE_PATIENTS, methods=("POST",))
def undo_merge(request: PageRequest, patient: str, task: str) -> HttpResponse:
    """Take the merge back."""
    merging.undo(by=request.actor, task=task)
    return go(request, "registration:patient", message=_("The two records are apart again."), patient=patient)
