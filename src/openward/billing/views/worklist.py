"""Claims: the biller's first page, and search."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from openward.access.actor import Actor
from openward.access.permissions import Permission
from openward.billing import actions, health, ledger, transitions
from openward.billing.presenters import claims as shown
from openward.billing.presenters.words import state_badge
from openward.billing.protected import label_words, waiting_for_consent, withheld
from openward.billing.queries import worklist
from openward.billing.queries.balances import account_balances
from openward.fhir.resources import Encounter
from openward.web.pages import PageRequest, go, page, render

NEEDS_CONSENT = "needs-consent"


@page("billing:claims", needs=Permission.SEE_BILLING)
def claims(request: PageRequest) -> HttpResponse:
    """Claims by state with counts and money, how old what payers owe is, visits that wait for a claim, and what went wrong."""
    state = request.GET.get("state", "")
    state = state if state in (*transitions.STATES, NEEDS_CONSENT) else ""
    kept_back = withheld(request.actor) if request.actor.may(Permission.MANAGE_CLAIMS) else []
    if state == NEEDS_CONSENT:
        found = worklist.claims_page(request.store, claims=[row.claim for row in kept_back], cursor=request.GET.get("after", ""))
    else:
        found = worklist.claims_page(request.store, state=state, cursor=request.GET.get("after", ""))
    return render(request, "billing/claims.html", {**_overview(request), **_list(request, found, state), "need_consent": len(kept_back)})


def _overview(request: PageRequest) -> dict[str, Any]:
    tenant = request.actor.tenant
    sums = account_balances(tenant)
    visits = worklist.visits_to_bill(request.store) if request.actor.may(Permission.MANAGE_CLAIMS) else None
    return {
        "tiles": shown.state_tiles(worklist.state_sums(tenant)),
        "ages": shown.age_bars(worklist.owed_by_age(tenant, timezone.localdate())),
        "owed_by_patients": sums.get(ledger.PATIENT, ledger.ZERO),
        "owed_by_payers": sums.get(ledger.INSURANCE, ledger.ZERO),
        "refused": sums.get(ledger.DENIED, ledger.ZERO),
        "to_sort_out": worklist.count_to_sort_out(tenant),
        "waiting": shown.waiting_rows(visits) if visits else [],
        "waiting_count": visits.count if visits else 0,
        "troubles": [trouble for trouble in (health.folder_moves(), health.payments_finish(), health.ledger_balances()) if trouble],
        "may_manage": request.actor.may(Permission.MANAGE_CLAIMS),
        "may_post": request.actor.may(Permission.POST_REMITTANCES),
    }


def _list(request: PageRequest, found: worklist.ClaimsPage, state: str) -> dict[str, Any]:
    query = request.GET.copy()
    query["after"] = found.next
    return {
        "rows": shown.claim_rows(found, may_manage=request.actor.may(Permission.MANAGE_CLAIMS)),
        "state": state,
        "state_title": (_("Needs consent") if state == NEEDS_CONSENT else state_badge(state)[0]) if state else "",
        "next_url": f"?{query.urlencode()}" if found.next else "",
        "can_send": state == transitions.READY and request.actor.may(Permission.MANAGE_CLAIMS),
    }


@page("billing:consent-wanted", needs=Permission.REVIEW_PRIVACY)
def consent_wanted(request: PageRequest) -> HttpResponse:
    """Claims that wait for a patient's consent to payment, with whose they are, to who may know."""
    rows = waiting_for_consent(request.actor)
    people: dict[str, Any] = {str(one.id): one for one in request.store.read_many([("Patient", row.patient) for row in rows if row.patient])}
    found = [
        {
            "row": row,
            "name": shown.name_of(people[str(row.patient)]),
            "labels": label_words(row.labels),
            "url": f"{reverse('privacy:consent-new', args=[row.patient])}?{urlencode({'for': 'payment', 'label': row.labels}, doseq=True)}",
        }
        for row in rows
        if str(row.patient) in people
    ]
    return render(request, "billing/consent_wanted.html", {"rows": found})


@page("billing:search", needs=Permission.SEE_BILLING, methods=("POST",))
def search(request: PageRequest) -> HttpResponse:
    """Claims by part of a number or by the patient; what is typed may be a name, so it comes in the body."""
    words = request.POST.get("q", "")
    found = worklist.claims_page(request.store, claims=worklist.found_claims(request.store, words) if len(words.strip()) > 1 else None)
    rows = shown.claim_rows(found, may_manage=request.actor.may(Permission.MANAGE_CLAIMS))
    return render(request, "billing/parts/claim_rows.html", {"rows": rows, "searched": bool(words.strip())})


@page("billing:submit", needs=Permission.MANAGE_CLAIMS, methods=("POST",))
def submit(request: PageRequest) -> HttpResponse:
    """Send the chosen claims in one file."""
    sent = actions.submit(claims=request.POST.getlist("claim"), by=request.actor)
    return go(request, "billing:claims", message=_("{n} claims sent in file {name}.").format(n=len(sent.claims), name=sent.file_name))


@page("billing:visit-claim", needs=Permission.MANAGE_CLAIMS, methods=("POST",))
def visit_claim(request: PageRequest, visit: str) -> HttpResponse:
    """Make the claim of a visit now. In the house's name: it has every diagnosis, also one this biller is not shown."""
    request.store.read(Encounter, visit)
    claim = actions.claim_signed_visit(visit=visit, by=Actor.system("bill signed visits", tenant=request.actor.tenant, on_behalf_of=request.actor))
    if claim is None:
        return go(request, "billing:claims", message=_("There is no claim to make for this visit: see what it waits for."), kind="warning")
    return go(request, "billing:claim", claim=claim.id, message=_("Claim made."))


@page("billing:visit-bill", needs=Permission.MANAGE_CLAIMS, methods=("POST",))
def visit_bill(request: PageRequest, visit: str) -> HttpResponse:
    """Charge a visit to the patient."""
    request.store.read(Encounter, visit)
    actions.bill_patient(visit=visit, by=Actor.system("bill visits to the patient", tenant=request.actor.tenant, on_behalf_of=request.actor))
    return go(request, "billing:claims", message=_("Charged to the patient's account."))
