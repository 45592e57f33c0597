"""What payers sent: posting it, and sorting out what could not be posted."""

from __future__ import annotations

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from openward.access.permissions import Permission
from openward.billing import actions, health
from openward.billing.forms import MatchForm, ReasonForm, UploadForm
from openward.billing.models import ClaimRow, RemittanceFile, RemittanceItem
from openward.billing.presenters.remittances import Explained, item_rows, remittance_rows, sort_out_rows, taken_words
from openward.billing.queries import remittances as queries
from openward.billing.queries.worklist import to_sort_out
from openward.fhir.errors import FhirError, NotFound
from openward.web import errors
from openward.web.pages import PageRequest, go, page, render, render_panel, toast
from openward.web.papers import file_response


@page("billing:remittances", needs=Permission.POST_REMITTANCES)
def remittances(request: PageRequest) -> HttpResponse:
    rows, following = queries.remittances(request.actor.tenant, before=request.GET.get("before", ""))
    trouble = health.folder_moves()
    context = {"rows": remittance_rows(rows), "next_url": f"?before={following}" if following else "", "trouble": trouble}
    return render(request, "billing/remittances.html", context)


@page("billing:upload", needs=Permission.POST_REMITTANCES, methods=("GET", "POST"))
def upload(request: PageRequest) -> HttpResponseBase:
    """Post a file by hand. What is wrong with it stands beside the field."""
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        taken = actions.take_file(data=file.read(), name=file.name, by=request.actor)
        if not taken.refused and not taken.already:
            return go(
                request,
                "billing:remittances",
                message=taken_words(taken),
                kind="ok" if all(each.state == "posted" for each in taken.outcomes) else "warning",
            )
        form.add_error("file", taken_words(taken))
    status = 422 if request.method == "POST" else 200
    return render_panel(
        request, "billing/panels/upload.html", {"form": form, "panel_title": _("Upload a remittance")}, page="billing:remittances", status=status
    )


@page("billing:collect", needs=Permission.POST_REMITTANCES, methods=("POST",))
def collect(request: PageRequest) -> HttpResponse:
    """Look into the clearinghouse folder now."""
    taken = actions.collect_folder(by=request.actor)
    for each in taken[1:]:
        toast(request, taken_words(each))
    return go(request, "billing:remittances", message=taken_words(taken[0]) if taken else _("Nothing new lies in the folder."))


@page("billing:remittance", needs=Permission.POST_REMITTANCES)
def remittance(request: PageRequest, remittance: str) -> HttpResponse:
    found = queries.remittance(request.store, remittance)
    explained = Explained.of(actions.remittances.read_again(found.row))
    return render(
        request, "billing/remittance.html", {"page": found, "row": remittance_rows([found.row])[0], "items": item_rows(found), "advice": explained}
    )


@page("billing:remittance-file", needs=Permission.POST_REMITTANCES)
def file(request: PageRequest, remittance: str) -> HttpResponse:
    """The file as it came, to who may see every claim in it."""
    found = queries.remittance(request.store, remittance)
    if found.withheld:
        raise NotFound(type="Remittance", id=remittance)
    body = RemittanceFile.objects.get(tenant=request.actor.tenant, id=found.file.id).body
    whose = RemittanceItem.objects.filter(tenant=request.actor.tenant, remittance=remittance, patient__isnull=False).values_list("patient", flat=True)
    return file_response(request, bytes(body), "application/octet-stream", f"remittance-{found.row.trace}.835", patients=[*filter(None, whose)])


@page("billing:unmatched", needs=Permission.POST_REMITTANCES)
def unmatched(request: PageRequest) -> HttpResponse:
    """Answers to claims that were not found, remittances that do not balance, files that could not be read."""
    found = to_sort_out(request.actor.tenant)
    return render(request, "billing/unmatched.html", {"found": found, "rows": sort_out_rows(found)})


@page("billing:match", needs=Permission.POST_REMITTANCES, methods=("GET", "POST"))
def match(request: PageRequest, remittance: str, place: int) -> HttpResponseBase:
    """Name the claim an answer is about."""
    item = queries.item(request.actor.tenant, remittance, place)
    form = MatchForm(request.POST or None)
    if form.is_bound and form.is_valid():
        number = form.cleaned_data["number"].strip().upper()
        row = ClaimRow.objects.filter(tenant=request.actor.tenant, number=number).first()
        if row is None:
            form.add_error("number", _("There is no claim {number}.").format(number=number))
        else:
            try:
                actions.match_item(remittance=remittance, place=place, claim=row.claim, by=request.actor)
                return go(request, "billing:unmatched", message=_("Matched and posted to claim {number}.").format(number=number))
            except FhirError as error:
                form.add_error("number", errors.sentence(error))
    return _panel(request, "match", {"form": form, "item": item, "panel_title": _("Match to a claim")})


@page("billing:set-aside", needs=Permission.POST_REMITTANCES, methods=("GET", "POST"))
def set_aside(request: PageRequest, remittance: str, place: int) -> HttpResponseBase:
    """Say that an answer is none of ours."""
    item = queries.item(request.actor.tenant, remittance, place)
    form = ReasonForm(request.POST or None)
    if form.is_bound and form.is_valid():
        actions.set_aside(remittance=remittance, place=place, why=form.cleaned_data["why"], by=request.actor)
        return go(request, "billing:unmatched", message=_("Set aside. Its money stays among unmatched payments."))
    return _panel(request, "set_aside", {"form": form, "item": item, "panel_title": _("Set aside")})


@page("billing:close", needs=Permission.POST_REMITTANCES, methods=("GET", "POST"))
def close(request: PageRequest, remittance: str) -> HttpResponseBase:
    """Close a remittance that does not balance, with what was done about it."""
    form = ReasonForm(request.POST or None)
    if form.is_bound and form.is_valid():
        actions.close_quarantined(remittance=remittance, why=form.cleaned_data["why"], by=request.actor)
        return go(request, "billing:unmatched", message=_("Closed. Nothing of it is posted."))
    return _panel(request, "close", {"form": form, "panel_title": _("Close without posting")})


@page("billing:seen", needs=Permission.POST_REMITTANCES, methods=("POST",))
def seen(request: PageRequest, file: str) -> HttpResponse:
    """Take a refused file off the list."""
    actions.see_refused(file=file, by=request.actor)
    return go(request, "billing:unmatched", message=_("Taken off the list."))


def _panel(request: PageRequest, template: str, context: dict[str, object]) -> HttpResponseBase:
    status = 422 if request.method == "POST" else 200
    return render_panel(request, f"billing/panels/{template}.html", context, page="billing:unmatched", status=status)
