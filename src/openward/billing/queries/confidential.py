"""A patient's account as someone else is shown it: without the visits a young person, or any patient, keeps to themselves.

Who looks after the record, and whatever leaves on paper or as a link, gets the account without them: no line, no amount, no trace in the sum.
Payments belong to no visit in the books; the patient's own are taken as paid for what is kept back, as far as it goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _

from openward.access.actor import Actor
from openward.access.proxies import age_and_state, hidden_at
from openward.access.roles import PROXY
from openward.accounts.models import User
from openward.billing import ledger
from openward.billing.models import ClaimRow, Payment, Statement
from openward.billing.protected import is_shown_labelled
from openward.billing.queries.balances import Activity, patient_activity, patient_balance
from openward.billing.queries.visits import charges_of, labels_of_all
from openward.fhir.resources import Patient
from openward.record import open_store

Hides = Callable[[frozenset[str]], bool]


def hides_from(actor: Actor, patient: str) -> Hides | None:
    """What of the patient's account is kept from the actor, by labels; None for who is no proxy and is shown all of it."""
    if actor.role != PROXY.key:
        return None
    return lambda labels: not is_shown_labelled(actor, labels, patient)


def hides_on_paper(tenant: int, patient: str) -> Hides | None:
    """What must not leave on paper or as a link, which others open: what a young person may keep to themselves. None for a grown one."""
    person = open_store(Actor.system("keep what is confidential", tenant=tenant)).read(Patient, patient)
    kept = hidden_at(*age_and_state(person, timezone.localdate()))
    return (lambda labels: bool(labels & kept)) if kept else None


def activity(tenant: int, patient: str, hides: Hides | None) -> list[Activity]:
    """The account in order without what is hidden; the same list where nothing is. The last balance is never more than is truly owed."""
    lines = patient_activity(tenant, patient)
    kept = _hidden(tenant, lines, hides) if hides else set()
    if not kept:
        return lines
    own = _own_payments(tenant, patient)
    shown = [
        line for place, line in enumerate(lines) if place not in kept and not (line.source[0] in ("payment", "refund") and _payment(line) in own)
    ]
    return list(_run(shown, lines[-1]))


def balance(tenant: int, patient: str, hides: Hides | None) -> Decimal:
    """What the patient owes of what is shown."""
    if hides is None:
        return patient_balance(tenant, patient)
    lines = activity(tenant, patient, hides)
    return lines[-1].running if lines else ledger.ZERO


def statements(tenant: int, patient: str, hides: Hides | None) -> list[Statement]:
    """Statements made for the patient that explain nothing hidden, newest first, without their PDFs."""
    found = list(Statement.objects.filter(tenant=tenant, patient=patient).defer("pdf").order_by("-made_at"))
    return [one for one in found if may_open(one, hides)]


def may_open(statement: Statement, hides: Hides | None) -> bool:
    """Of one made before labels were kept, what the account has now tells."""
    if hides is None:
        return True
    if statement.labels is not None:
        return not statement.labels or not hides(frozenset(statement.labels))
    return not _hidden(statement.tenant, patient_activity(statement.tenant, statement.patient), hides)


def _hidden(tenant: int, lines: Sequence[Activity], hides: Hides) -> set[int]:
    labels = labels_of_lines(tenant, lines)
    return {place for place, found in labels.items() if found and hides(found)}


def labels_of_lines(tenant: int, lines: Sequence[Activity]) -> Mapping[int, frozenset[str]]:
    """The labels of the claim or the visit each line is about, by its place in the list; lines about neither are left out."""
    claims = {line.claim for line in lines if line.claim}
    of_claims = dict(ClaimRow.objects.filter(tenant=tenant, claim__in=claims).exclude(labels=[]).values_list("claim", "labels"))
    visits = {line.source[1] for line in lines if not line.claim and line.source[0] == "visit"}
    of_visits = {visit: labels_of_visit(tenant, visit) for visit in visits}
    found: dict[int, frozenset[str]] = {}
    for place, line in enumerate(lines):
        if line.claim in of_claims:
            found[place] = frozenset(of_claims[line.claim])
        elif not line.claim and line.source[1] in of_visits:
            found[place] = of_visits[line.source[1]]
    return found


def labels_of_visit(tenant: int, visit: str) -> frozenset[str]:
    """Those of what was charged for a visit without insurance."""
    return labels_of_all(charges_of(open_store(Actor.system("keep what is confidential", tenant=tenant)), visit))


def _own_payments(tenant: int, patient: str) -> set[str]:
    """The payments the patient made themselves, signed in."""
    users = User.objects.filter(tenant=tenant, reference=f"Patient/{patient}").values_list("id", flat=True)
    made = Payment.objects.filter(tenant=tenant, patient=patient, made_by__in=[f"user:{id}" for id in users])
    return {str(id) for id in made.values_list("id", flat=True)}


def _payment(line: Activity) -> str:
    return line.source[1].split("|")[0]


def _run(shown: Sequence[Activity], last: Activity) -> Iterator[Activity]:
    """The lines with a balance of their own, brought between nothing and what is truly owed by a line that says no more than that."""
    running, true = ledger.ZERO, last.running
    for line in shown:
        running += line.amount
        yield replace(line, running=running)
    right = min(max(running, min(true, ledger.ZERO)), max(true, ledger.ZERO))
    if right != running:
        words = _("Paid otherwise") if right < running else _("Used for other bills")
        yield Activity(last.on, "payment", words, None, ("", ""), right - running, right)
