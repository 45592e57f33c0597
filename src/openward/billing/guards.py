"""What the record must check or do when money is concerned, whoever writes."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from openward.billing import books, facts, jobs, rows, transitions
from openward.billing.errors import BalanceOpen, ClaimIsSent, TooMuch
from openward.billing.models import ClaimRow
from openward.billing.queries.balances import claim_balances, patient_balance
from openward.fhir.errors import Conflict
from openward.fhir.guards import Change, guard
from openward.fhir.resources import Claim
from openward.record import UnitOfWork
from openward.web.banner import is_replaced

PROGRESS_NOTE = "11506-3"
TOO_OLD = dt.timedelta(days=365)
MOST = 10**10


@guard("Composition", on=("create", "update"))
def bill_the_signed_visit(change: Change, work: UnitOfWork) -> None:
    """When a visit's note is signed, its charges are proposed and its claim is drafted, after the commit: billing never holds up signing."""
    note, before = change.resource, change.before
    signed_now = note.status == "final" and (before is None or before.status != "final")
    is_note = any(coding.code == PROGRESS_NOTE for coding in note.type.coding) if note.type else False
    visit = facts.target(note.encounter)
    if signed_now and is_note and visit and not note.relatesTo and not _is_old(note.date):
        rows.wait_for_claim(work, visit, str(facts.target(note.subject)), str(note.date)[:10])
        work.later(jobs.bill_visit, tenant=work.tenant, visit=visit)


def _is_old(date: str) -> bool:
    """Payers take no claim for a visit of more than a year ago: history that is brought in makes no charges."""
    return date[:10] < (dt.datetime.now(dt.UTC).date() - TOO_OLD).isoformat()


@guard("Claim", on=("create", "update"))
def keep_the_claim_countable(change: Change, work: UnitOfWork) -> None:
    """A claim of ours has a number that is never given twice and moves only through its declared states; once sent, it is in the books."""
    claim = change.resource
    state = facts.state_of(claim)
    before = facts.state_of(change.before)
    if state is None:
        if before is not None:
            raise Conflict("The claim has a state, which cannot be taken away.")
        return
    if state not in transitions.STATES:
        raise transitions.IllegalTransition(before=before or "new", after=state)
    if before is not None:
        transitions.check(before, state)
    _check_amounts(claim)
    _check_sent(change.before, claim)
    _keep_number(change.before, claim, work)
    claim.id = change.id
    rows.keep_claim(work, claim)
    if _is_sent_now(before, state):
        version = change.before.meta.versionId if change.before and change.before.meta else "0"
        books.charge(work, claim, f"{change.id}:{version}")


def _check_sent(before: Claim | None, claim: Claim) -> None:
    """What a claim with the payer asks for is in the books: it is corrected, never changed under way. Raises ClaimIsSent."""
    if before is None or {facts.state_of(before), facts.state_of(claim)} & transitions.OPEN or facts.state_of(before) is None:
        return
    if facts.total_of(before) != facts.total_of(claim):
        raise ClaimIsSent


def _keep_number(before: Claim | None, claim: Claim, work: UnitOfWork) -> None:
    """Payers answer by the number: one that a client left out is put back, and it is never another."""
    was, now = facts.number_of(before) if before else "", facts.number_of(claim)
    if was and now and was != now:
        raise Conflict("The number of a claim is not changed: payers answer by it.")
    if not now:
        claim.identifier.append(facts.number_identifier(was or f"OW{rows.next_number(work, 'claim'):07}"))


def _check_amounts(claim: Claim) -> None:
    """The books hold amounts below ten thousand million dollars."""
    nets = [Decimal(item.net.value) for item in claim.item if item.net and item.net.value is not None]
    if any(abs(net) >= MOST for net in nets) or abs(sum(nets, Decimal(0))) >= MOST:
        raise TooMuch


def _is_sent_now(before: str | None, after: str) -> bool:
    """Sent from here, or brought in as one that was sent elsewhere."""
    was_open = before is None or before in transitions.OPEN
    return was_open and after not in transitions.OPEN


@guard("Claim", on=("delete",))
def keep_sent_claims(change: Change, work: UnitOfWork) -> None:
    """A claim that was sent is never deleted, nor one being corrected, which was; a draft may be, and leaves the worklist."""
    was_sent = facts.state_of(change.resource) in (*transitions.SENT, *transitions.ANSWERED)
    if was_sent or claim_balances(work.tenant, change.id):
        raise Conflict("A claim that was sent stays in the record; void it with the payer instead.")
    ClaimRow.objects.filter(tenant=work.tenant, claim=change.id).delete()


@guard("Patient", "Coverage", on=("update",))
def look_again_at_drafts(change: Change, work: UnitOfWork) -> None:
    """When a patient's details or insurance are mended, the patient's draft claims are looked at again."""
    _look_again(change.id if change.type == "Patient" else facts.target(change.resource.beneficiary), work)


@guard("Consent", on=("create", "update", "delete"))
def look_again_after_a_consent(change: Change, work: UnitOfWork) -> None:
    """When a patient consents, or takes it back, the claims of theirs that are not sent yet are looked at again."""
    _look_again(facts.target(change.resource.patient), work)


def _look_again(patient: str | None, work: UnitOfWork) -> None:
    drafts = ClaimRow.objects.filter(tenant=work.tenant, patient=patient, state__in=transitions.OPEN)
    for claim in drafts.values_list("claim", flat=True):
        work.later(jobs.check_claim, tenant=work.tenant, claim=claim)


@guard("Patient", on=("update",))
def keep_a_balance_with_its_patient(change: Change, work: UnitOfWork) -> None:
    """A record with money owed or in credit is not merged into another: its balance is settled or moved first; raises BalanceOpen."""
    was = change.before is not None and is_replaced(change.before)
    if is_replaced(change.resource) and not was and patient_balance(work.tenant, change.id):
        raise BalanceOpen
