"""From a signed visit to a claim that may be sent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from django.utils import timezone

from openward.access.actor import Actor
from openward.access.labels import labels_of
from openward.billing import facts, rows, transitions
from openward.billing.charges import proposed
from openward.billing.errors import AlreadyClaimed, ClaimIsSent, NoCoverage, NothingToBill
from openward.billing.models import VisitToBill
from openward.billing.protected import is_shown_labelled
from openward.billing.queries.fees import fees_by_trigger
from openward.billing.queries.readiness import claims_of_visit, findings
from openward.billing.queries.visits import charges_of, conditions_of, coverages_on, day_of, done_at, labels_of_all, once, practice
from openward.fhir.resources import (
    ChargeItem,
    Claim,
    ClaimCareTeam,
    ClaimDiagnosis,
    ClaimInsurance,
    ClaimItem,
    ClaimRelated,
    CodeableConcept,
    Coverage,
    Encounter,
    Identifier,
    Quantity,
    Reference,
)
from openward.fhir.store import Store
from openward.formats.x12.from_fhir import CLAIM_FREQUENCY
from openward.formats.x12.write_837p import MAX_DIAGNOSES, MAX_POINTERS
from openward.record import UnitOfWork, open_store, unit_of_work
from openward.scheduling.facts import clinician_of


def propose_charges(*, visit: str, by: Actor) -> list[ChargeItem]:
    """Charge what was done at the visit, by the fee schedule. A visit that has charges keeps them as they are."""
    with unit_of_work(by=by) as work:
        one_at_a_time(work, visit)
        if existing := charges_of(work.store, visit):
            return existing
        done = done_at(work.store, work.store.read(Encounter, visit))
        return [work.store.create(charge) for charge in proposed(done, fees_by_trigger(work.tenant))]


def build_claim(*, visit: str, by: Actor) -> Claim:
    """Make the claim of a visit from its charges, and see whether it is ready.

    Raises NothingToBill, NoCoverage, AlreadyClaimed.
    """
    with unit_of_work(by=by) as work:
        one_at_a_time(work, visit)
        if other := claims_of_visit(work.tenant, visit):
            raise AlreadyClaimed(number=other[0].number)
        encounter = work.store.read(Encounter, visit)
        charges = [charge for charge in charges_of(work.store, visit) if charge.status != "billed"]
        if not charges:
            raise NothingToBill
        claim = work.store.create(_draft(work, encounter, charges))
        for charge in charges:
            charge.status = "billed"
            work.store.update(charge)
        return settle(work, claim)


def claim_signed_visit(*, visit: str, by: Actor) -> Claim | None:
    """Charge a signed visit and draft its claim; None where that cannot be, and the worklist then says why."""
    propose_charges(visit=visit, by=by)
    try:
        return build_claim(visit=visit, by=by)
    except AlreadyClaimed:
        reason = None
    except NoCoverage:
        reason = VisitToBill.Reason.NO_COVERAGE
    except NothingToBill:
        reason = VisitToBill.Reason.NO_CHARGES
    with unit_of_work(by=by) as work:
        if reason is None:
            rows.billed(work, visit)
        else:
            rows.wait_because(work, visit, reason)
    return None


def one_at_a_time(work: UnitOfWork, visit: str) -> None:
    """Who bills a visit waits for whoever else does: it is claimed or billed to the patient, never both."""
    work.connection.execute("select pg_advisory_xact_lock(hashtext('bill a visit'), hashtext(%s))", (f"{work.tenant} {visit}",))


def _draft(work: UnitOfWork, visit: Encounter, charges: Sequence[ChargeItem]) -> Claim:
    patient, day = str(facts.target(visit.subject)), day_of(work.store, visit)
    coverage = next(iter(coverages_on(work.store, patient, day)), None)
    if coverage is None:
        raise NoCoverage
    conditions = conditions_of(work.store, visit)
    reasons = once([condition.code for condition in conditions])[:MAX_DIAGNOSES]
    billing, clinician = practice(work.store, visit), clinician_of(visit)
    claim = Claim(
        status="active",
        type=facts.concept(facts.CLAIM_TYPE, "professional"),
        use="claim",
        patient=Reference(f"Patient/{patient}"),
        created=timezone.now(),
        provider=Reference.to(billing) if billing else Reference(display="Practice not recorded"),
        priority=facts.concept(facts.PRIORITY, "normal"),
        insurance=[ClaimInsurance(sequence=1, focal=True, coverage=Reference.to(coverage))],
        diagnosis=[ClaimDiagnosis(sequence=number, diagnosisCodeableConcept=reason) for number, reason in enumerate(reasons, 1)],
        item=[_item(number, charge, visit, day, len(reasons), team=bool(clinician)) for number, charge in enumerate(charges, 1)],
    )
    if payer := _payer(coverage):
        claim.insurer = payer
    if clinician:
        claim.careTeam = [ClaimCareTeam(sequence=1, provider=clinician, responsible=True)]
    claim.total = facts.usd(facts.total_of(claim))
    facts.set_labels(claim, labels_of_all([*conditions, visit, *charges]))
    facts.set_state(claim, transitions.DRAFT)
    return claim


def _payer(coverage: Coverage) -> Reference | None:
    return next((payor for payor in coverage.payor if payor.type == "Organization"), None)


def _item(number: int, charge: ChargeItem, visit: Encounter, day: dt.date, reasons: int, *, team: bool) -> ClaimItem:
    item = ClaimItem(
        sequence=number,
        diagnosisSequence=list(range(1, min(reasons, MAX_POINTERS) + 1)),
        productOrService=charge.code,
        servicedDate=charge.occurrenceDateTime or day.isoformat(),
        locationCodeableConcept=facts.place_of_service(_place(visit)),
        quantity=charge.quantity or Quantity(value=1),
        unitPrice=charge.priceOverride,
        net=facts.usd(facts.charge_total(charge)),
        encounter=[Reference.to(visit)],
    )
    if team:
        item.careTeamSequence = [1]
    item.set_extension(facts.CHARGE_SOURCE, valueReference=Reference.to(charge))
    return item


def _place(visit: Encounter) -> str:
    """Telehealth from home where the visit was virtual, else the office."""
    return facts.TELEHEALTH_HOME if visit.class_ and visit.class_.code == "VR" else facts.OFFICE


def settle(work: UnitOfWork, claim: Claim) -> Claim:
    """Draft while the scrub list names anything, ready when it names nothing. Claims that were sent stay as they are."""
    state = facts.state_of(claim)
    if state not in transitions.OPEN:
        return claim
    store = _store_for(work, claim)
    after = transitions.DRAFT if findings(store, claim) else transitions.READY
    if after == state:
        return claim
    facts.set_state(claim, after)
    return store.update(claim)


def _store_for(work: UnitOfWork, claim: Claim) -> Store:
    """Who adds a diagnosis that the law protects is not shown the claim any more: what is left to do with it the house does."""
    if is_shown_labelled(work.actor, labels_of(claim.data), str(facts.target(claim.patient))):
        return work.store
    return open_store(Actor.system("check claims", tenant=work.tenant, on_behalf_of=work.actor))


def check_again(*, claim: str, by: Actor) -> Claim:
    """Look again whether the claim is ready, after something it stands on was mended elsewhere."""
    with unit_of_work(by=by) as work:
        return settle(work, work.store.read(Claim, claim))


def _change(*, claim: str, version: int | None, by: Actor, apply: Callable[[UnitOfWork, Claim], None]) -> Claim:
    with unit_of_work(by=by) as work:
        changed = work.store.read(Claim, claim)
        if facts.state_of(changed) not in transitions.OPEN:
            raise ClaimIsSent
        apply(work, changed)
        changed.total = facts.usd(facts.total_of(changed))
        return settle(work, work.store.update(changed, if_match=version))


def change_line(
    *,
    claim: str,
    line: int,
    version: int | None = None,
    by: Actor,
    units: Decimal,
    price: Decimal,
    pointers: Sequence[int],
    modifiers: Sequence[str],
    place: str,
) -> Claim:
    """Change one line (its sequence number). `price` is for one unit. Raises ClaimIsSent, PreconditionFailed."""

    def apply(work: UnitOfWork, changed: Claim) -> None:
        item = _line(changed, line)
        item.quantity = Quantity(value=units)
        item.unitPrice = facts.usd(price)
        item.net = facts.usd(price * units)
        item.diagnosisSequence = list(pointers)
        item.modifier = [facts.concept("urn:openward:modifier", code) for code in modifiers]
        item.locationCodeableConcept = facts.place_of_service(place) if place else None

    return _change(claim=claim, version=version, by=by, apply=apply)


def add_line(*, claim: str, code: str, by: Actor, version: int | None = None) -> Claim:
    """Add a service of the fee schedule. Raises UnknownFee, ClaimIsSent."""

    def apply(work: UnitOfWork, changed: Claim) -> None:
        from openward.billing.queries.fees import fee

        wanted = fee(work.tenant, code)
        like = changed.item[0] if changed.item else None
        item = ClaimItem(
            sequence=max((each.sequence for each in changed.item), default=0) + 1,
            productOrService=facts.concept(wanted.system, wanted.code, wanted.description),
            quantity=Quantity(value=1),
            unitPrice=facts.usd(wanted.price),
            net=facts.usd(wanted.price),
            diagnosisSequence=list(like.diagnosisSequence) if like else [],
        )
        if like:
            item.servicedDate, item.locationCodeableConcept = like.servicedDate, like.locationCodeableConcept
            item.encounter, item.careTeamSequence = list(like.encounter), list(like.careTeamSequence)
        changed.item.append(item)

    return _change(claim=claim, version=version, by=by, apply=apply)


def drop_line(*, claim: str, line: int, by: Actor, version: int | None = None) -> Claim:
    """Take a line off the claim. Raises ClaimIsSent."""

    def apply(work: UnitOfWork, changed: Claim) -> None:
        _line(changed, line)
        changed.item = [item for item in changed.item if item.sequence != line]

    return _change(claim=claim, version=version, by=by, apply=apply)


def _line(claim: Claim, sequence: int) -> Any:
    from openward.fhir.errors import NotFound

    for item in claim.item:
        if item.sequence == sequence:
            return item
    raise NotFound(type="Claim.item", id=str(sequence))


def change_diagnoses(*, claim: str, codes: Sequence[CodeableConcept], by: Actor, version: int | None = None) -> Claim:
    """Replace the diagnoses, in the order given. Pointers follow their diagnosis; those to one that is gone are dropped."""

    def apply(work: UnitOfWork, changed: Claim) -> None:
        before = {entry.sequence: facts.code_of(entry.diagnosisCodeableConcept) for entry in changed.diagnosis}
        after = {facts.code_of(code): number for number, code in enumerate(codes, 1)}
        changed.diagnosis = [ClaimDiagnosis(sequence=number, diagnosisCodeableConcept=code) for number, code in enumerate(codes, 1)]
        for item in changed.item:
            kept = [after[before[each]] for each in item.diagnosisSequence if before.get(each) in after]
            item.diagnosisSequence = kept or ([1] if codes else [])

    return _change(claim=claim, version=version, by=by, apply=apply)


def change_coverage(*, claim: str, coverage: str, by: Actor, version: int | None = None) -> Claim:
    """Send the claim to another of the patient's insurances."""

    def apply(work: UnitOfWork, changed: Claim) -> None:
        chosen = work.store.read(Coverage, coverage)
        changed.insurance[0].coverage = Reference.to(chosen)
        changed.insurer = _payer(chosen)

    return _change(claim=claim, version=version, by=by, apply=apply)


def throw_away(*, claim: str, by: Actor) -> None:
    """Delete a claim that was never sent; its charges and its visit wait to be claimed again. Raises Conflict for one that was sent."""
    with unit_of_work(by=Actor.system("throw away draft claims", tenant=by.tenant, on_behalf_of=by)) as work:
        draft = work.store.read(Claim, claim)
        work.store.delete(Claim, claim)
        visit = facts.visit_of(draft)
        for charge in charges_of(work.store, visit) if visit else ():
            charge.status = "billable"
            work.store.update(charge)
        if visit:
            rows.wait_for_claim(work, visit, str(facts.target(draft.patient)), str(facts.served_on(draft) or timezone.localdate()))


def correct(*, claim: str, by: Actor) -> Claim:
    """Open an answered claim again, as a replacement of what the payer has; the payer's number of it comes from its last answer."""
    with unit_of_work(by=by) as work:
        changed = work.store.read(Claim, claim)
        transitions.check(str(facts.state_of(changed)), transitions.DRAFT)
        control = _payer_control(work.tenant, claim)
        changed.set_extension(CLAIM_FREQUENCY, valueCode="7")
        if control:
            relationship = facts.concept(facts.RELATED, "prior")
            changed.related = [ClaimRelated(relationship=relationship, reference=Identifier(value=control))]
        facts.set_state(changed, transitions.DRAFT)
        return settle(work, work.store.update(changed))


def _payer_control(tenant: int, claim: str) -> str:
    from openward.billing.models import RemittanceItem

    answered = RemittanceItem.objects.filter(tenant=tenant, claim=claim).exclude(payer_control="")
    rows_found = list(answered.order_by("-remittance", "-place")[:1])
    return rows_found[0].payer_control if rows_found else ""


def keep(work: UnitOfWork, claim: Claim) -> None:
    """What the guard does for every claim of ours: a number, and the row the worklist counts."""
    if not facts.number_of(claim):
        claim.identifier = [*claim.identifier, facts.number_identifier(f"OW{rows.next_number(work, 'claim'):07}")]
    rows.keep_claim(work, claim)
