"""One claim: what it says, what is missing, what happened to it, and everything that can be done with it."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from openward.access.permissions import Permission
from openward.billing import actions, facts, transitions
from openward.billing.envelopes import preview
from openward.billing.forms import AddLineForm, CoverageChoiceForm, DenialForm, DiagnosesForm, LineForm
from openward.billing.models import ClaimRow, Submission
from openward.billing.presenters import claims as shown
from openward.billing.presenters.words import letter, service_words, state_badge
from openward.billing.protected import is_shown
from openward.billing.queries.claim_file import claim_file
from openward.billing.queries.claims import claim_page
from openward.billing.queries.fees import fees
from openward.billing.queries.readiness import findings_of
from openward.billing.queries.visits import coverages_on
from openward.chart.diagnoses import find as find_diagnoses
from openward.chart.queries import banner
from openward.fhir.errors import FhirError, NotFound
from openward.fhir.resources import Claim, CodeableConcept
from openward.formats.x12.errors import Unwritable
from openward.registration.queries import payer_name
from openward.web import errors
from openward.web.display import money
from openward.web.pages import PageRequest, go, page, render, render_panel
from openward.web.papers import file_response


@page("billing:claim", needs=Permission.SEE_BILLING)
def claim(request: PageRequest, claim: str) -> HttpResponse:
    try:
        found = claim_page(request.store, claim)
    except NotFound:
        return _withheld(request, claim)
    state = str(facts.state_of(found.claim))
    mends = shown.mends(found)
    context = {
        "claim": found.claim,
        "banner": banner(request.store, str(facts.target(found.claim.patient))) if found.file.patient else None,
        "patient_id": facts.target(found.claim.patient),
        "number": facts.number_of(found.claim),
        "state": state,
        "badge": state_badge(state),
        "is_open": state in transitions.OPEN,
        "is_ready": state == transitions.READY and not mends,
        "can_correct": state in transitions.ANSWERED,
        "refused": found.sums.get("denied"),
        "mends": mends,
        "lines": shown.lines(found),
        "total": facts.total_of(found.claim),
        "diagnoses": shown.diagnoses(found),
        "facts": shown.facts_of(found),
        "steps": list(shown.money_steps(found)),
        "answers": shown.answers(found),
        "history": shown.history(found),
        "submissions": found.submissions,
        "may_manage": request.actor.may(Permission.MANAGE_CLAIMS),
        "may_account": request.actor.may(Permission.SEND_STATEMENTS),
    }
    return render(request, "billing/claim.html", context)


def _withheld(request: PageRequest, claim: str) -> HttpResponse:
    """That a claim with this number waits for a consent, to who sends claims; nothing of what it says. Raises NotFound."""
    row = ClaimRow.objects.filter(tenant=request.actor.tenant, claim=claim).first()
    if row is None or is_shown(request.actor, row) or not request.actor.may(Permission.MANAGE_CLAIMS):
        raise NotFound(type="Claim", id=claim)
    return render(request, "billing/withheld.html", {"number": row.number, "is_open": row.state in transitions.OPEN})


def _version(claim: Claim) -> int | None:
    return int(claim.meta.versionId) if claim.meta and claim.meta.versionId else None


def _panel(request: PageRequest, template: str, claim: Claim, context: dict[str, Any]) -> HttpResponseBase:
    form = context.get("form")
    status = 422 if form is not None and form.is_bound and form.errors else 200
    more = {"claim_id": claim.id, "number": facts.number_of(claim)}
    return render_panel(
        request, f"billing/panels/{template}.html", context | more, page="billing:claim", page_args={"claim": claim.id}, status=status
    )


def _saved(request: PageRequest, claim: str, message: str) -> HttpResponse:
    """The whole page changes with a line: totals, scrub list, state."""
    return go(request, "billing:claim", message=message, claim=claim)


@page("billing:claim-line", needs=Permission.MANAGE_CLAIMS, methods=("GET", "POST"))
def line(request: PageRequest, claim: str, line: int) -> HttpResponseBase:
    """Edit one line: units, price, pointers, modifiers, place."""
    found = request.store.read(Claim, claim)
    item = next((each for each in found.item if each.sequence == line), None)
    if item is None:
        raise NotFound(type="Claim.item", id=str(line))
    form = LineForm(request.POST or None, diagnoses=_pointer_choices(found), initial=_shown(found, item))
    if form.is_bound and form.is_valid():
        entered = {name: form.cleaned_data[name] for name in ("units", "price", "pointers", "modifiers", "place")}
        try:
            actions.change_line(claim=claim, line=line, version=form.cleaned_data["version"], by=request.actor, **entered)
            return _saved(request, claim, _("Line saved."))
        except FhirError as error:
            errors.add_to_form(form, error)
    title = f"{facts.code_of(item.productOrService)} {service_words(item.productOrService)}"
    return _panel(request, "line", found, {"form": form, "panel_title": title, "line": line})


def _pointer_choices(claim: Claim) -> list[tuple[str, str]]:
    ordered = sorted(claim.diagnosis, key=lambda entry: entry.sequence or 0)
    words = [(entry, facts.code_of(entry.diagnosisCodeableConcept), shown.diagnosis_words(entry.diagnosisCodeableConcept)) for entry in ordered]
    return [(str(entry.sequence), f"{letter(entry.sequence)} · {code} {text}") for entry, code, text in words]


def _shown(claim: Claim, item: Any) -> dict[str, Any]:
    return {
        "units": item.quantity.value.normalize() if item.quantity else 1,
        "price": facts.value(item.unitPrice),
        "pointers": [str(each) for each in item.diagnosisSequence],
        "modifiers": " ".join(facts.code_of(each) for each in item.modifier),
        "place": facts.code_of(item.locationCodeableConcept),
        "version": _version(claim),
    }


@page("billing:claim-line-new", needs=Permission.MANAGE_CLAIMS, methods=("GET", "POST"))
def new_line(request: PageRequest, claim: str) -> HttpResponseBase:
    """Add a service of the fee schedule."""
    found = request.store.read(Claim, claim)
    form = AddLineForm(request.POST or None, initial={"version": _version(found)})
    if form.is_bound and form.is_valid():
        try:
            actions.add_line(claim=claim, code=form.cleaned_data["code"], version=form.cleaned_data["version"], by=request.actor)
            return _saved(request, claim, _("Service added."))
        except FhirError as error:
            form.add_error("code", errors.sentence(error))
    return _panel(request, "new_line", found, {"form": form, "panel_title": _("Add a service")})


@page("billing:claim-line-drop", needs=Permission.MANAGE_CLAIMS, methods=("POST",))
def drop_line(request: PageRequest, claim: str, line: int) -> HttpResponse:
    actions.drop_line(claim=claim, line=line, by=request.actor)
    return _saved(request, claim, _("Line taken off the claim."))


@page("billing:fee-options", needs=Permission.MANAGE_CLAIMS, methods=("POST",))
def fee_options(request: PageRequest) -> HttpResponse:
    """Services of the fee schedule, for the combobox."""
    found = fees(request.actor.tenant, request.POST.get("q", "").strip())[:12]
    options = [{"value": fee.code, "label": f"{fee.code} {fee.description}", "detail": money(fee.price)} for fee in found]
    return render(request, "web/components/options.html", {"options": options})


@page("billing:diagnosis-options", needs=Permission.MANAGE_CLAIMS, methods=("POST",))
def diagnosis_options(request: PageRequest) -> HttpResponse:
    """Diagnoses that may go on a claim, for the combobox."""
    found = [each for each in find_diagnoses(request.POST.get("q", ""), limit=30) if each.is_billable][:12]
    options = [{"value": each.code, "label": each.name, "detail": each.code} for each in found]
    return render(request, "web/components/options.html", {"options": options})


@page("billing:claim-diagnoses", needs=Permission.MANAGE_CLAIMS, methods=("GET", "POST"))
def diagnoses(request: PageRequest, claim: str) -> HttpResponseBase:
    """Edit which diagnoses the claim names, and their order."""
    found = request.store.read(Claim, claim)
    ordered = sorted(found.diagnosis, key=lambda entry: entry.sequence or 0)
    codes = "\n".join(facts.code_of(entry.diagnosisCodeableConcept) for entry in ordered)
    form = DiagnosesForm(request.POST or None, initial={"codes": codes, "version": _version(found)})
    if form.is_bound and form.is_valid():
        concepts: list[CodeableConcept] = [facts.concept(facts.ICD10, each.code, each.name) for each in form.cleaned_data["diagnoses"]]
        try:
            actions.change_diagnoses(claim=claim, codes=concepts, version=form.cleaned_data["version"], by=request.actor)
            return _saved(request, claim, _("Diagnoses saved."))
        except FhirError as error:
            errors.add_to_form(form, error)
    return _panel(request, "diagnoses", found, {"form": form, "panel_title": _("Diagnoses"), "known": _pointer_choices(found)})


@page("billing:claim-coverage", needs=Permission.MANAGE_CLAIMS, methods=("GET", "POST"))
def coverage(request: PageRequest, claim: str) -> HttpResponseBase:
    """Choose which of the patient's insurances gets the claim."""
    found = request.store.read(Claim, claim)
    day = facts.served_on(found)
    held = coverages_on(request.store, str(facts.target(found.patient)), day) if day else []
    choices = [(str(each.id), f"{payer_name(each)} · {each.subscriberId or '?'}") for each in held]
    chosen = next((entry.coverage.target_id for entry in found.insurance if entry.coverage), None)
    form = CoverageChoiceForm(request.POST or None, coverages=choices, initial={"coverage": chosen})
    if form.is_bound and form.is_valid():
        actions.change_coverage(claim=claim, coverage=form.cleaned_data["coverage"], by=request.actor)
        return _saved(request, claim, _("Insurance changed."))
    return _panel(request, "coverage", found, {"form": form, "panel_title": _("Insurance of the claim"), "choices": choices})


@page("billing:claim-check", needs=Permission.MANAGE_CLAIMS, methods=("POST",))
def check(request: PageRequest, claim: str) -> HttpResponse:
    """Look again whether it is ready."""
    ready = facts.state_of(actions.check_again(claim=claim, by=request.actor)) == transitions.READY
    return go(
        request,
        "billing:claim",
        claim=claim,
        message=_("Nothing is missing any more.") if ready else _("Something is still missing."),
        kind="ok" if ready else "warning",
    )


@page("billing:claim-submit", needs=Permission.MANAGE_CLAIMS, methods=("POST",))
def submit(request: PageRequest, claim: str) -> HttpResponse:
    """Send this claim."""
    sent = actions.submit(claims=[claim], by=request.actor)
    return go(request, "billing:claim", claim=claim, message=_("Sent in file {name}.").format(name=sent.file_name))


@page("billing:claim-correct", needs=Permission.MANAGE_CLAIMS, methods=("POST",))
def correct(request: PageRequest, claim: str) -> HttpResponse:
    """Open an answered claim to correct and send it again."""
    actions.correct(claim=claim, by=request.actor)
    return go(request, "billing:claim", claim=claim, message=_("Opened for correction. It goes out as a replacement."))


@page("billing:claim-throw-away", needs=Permission.MANAGE_CLAIMS, methods=("POST",))
def throw_away(request: PageRequest, claim: str) -> HttpResponse:
    """Delete a claim that was never sent."""
    actions.throw_away(claim=claim, by=request.actor)
    return go(request, "billing:claims", message=_("Draft thrown away. Its visit waits to be claimed again."))


@page("billing:claim-denial", needs=Permission.MANAGE_CLAIMS, methods=("GET", "POST"))
def denial(request: PageRequest, claim: str) -> HttpResponseBase:
    """Decide what becomes of the refused amount."""
    found = request.store.read(Claim, claim)
    form = DenialForm(request.POST or None)
    if form.is_bound and form.is_valid():
        try:
            actions.settle_denial(
                claim=claim, who=form.cleaned_data["who"], why=form.cleaned_data["why"], by=request.actor, key=request.POST.get("_once", "")
            )
            return _saved(request, claim, _("Decision recorded in the ledger."))
        except FhirError as error:
            errors.add_to_form(form, error)
    return _panel(request, "denial", found, {"form": form, "panel_title": _("Refused amount")})


@page("billing:claim-837", needs=Permission.SEE_BILLING)
def file_preview(request: PageRequest, claim: str) -> HttpResponseBase:
    """The claim as its file would say it, segment by segment."""
    file = claim_file(request.store, request.store.read(Claim, claim))
    missing, text = findings_of(request.store, file) if facts.state_of(file.claim) in transitions.OPEN else [], ""
    if file.patient and file.coverage and file.payer and file.billing:
        try:
            text = preview(file).decode()
        except Unwritable as fault:
            text = str(fault)
    return _panel(request, "file", file.claim, {"panel_title": _("Claim file (837P)"), "text": text, "missing": missing})


@page("billing:submission", needs=Permission.SEE_BILLING)
def submission(request: PageRequest, submission: str) -> HttpResponse:
    """A claim file as it was sent, to who may see every claim in it."""
    found = Submission.objects.filter(tenant=request.actor.tenant, id=submission).first()
    rows = ClaimRow.objects.filter(tenant=request.actor.tenant, claim__in=found.claims) if found else ()
    if found is None or not all(is_shown(request.actor, row) for row in rows):
        raise NotFound(type="Submission", id=submission)
    return file_response(
        request, bytes(found.body), "text/plain; charset=us-ascii", found.file_name, patients=[row.patient for row in rows if row.patient]
    )
