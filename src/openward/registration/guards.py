"""What the store checks and does for patients and their coverage, whoever writes them."""

from __future__ import annotations

from openward.fhir.guards import Change, guard
from openward.fhir.resources import Patient
from openward.fhir.work import UnitOfWork
from openward.registration import facts, numbers
from openward.registration.errors import NumberFixed


@guard("Patient", on=("create", "update"))
def give_a_record_number(change: Change, work: UnitOfWork) -> None:
    """Every patient has one medical record number, nobody else's, for ever; raises NumberTaken, NumberFixed."""
    patient: Patient = change.resource
    before = facts.record_number(change.before) if change.before else None
    sent = facts.record_number(patient)
    if before and sent and sent != before:
        raise NumberFixed(number=before)
    if sent and not before:
        numbers.claim(work.store.connection, tenant=work.tenant, patient=change.key, number=sent)
    if not sent:
        number = before or numbers.give(work.store.connection, tenant=work.tenant, patient=change.key)
        patient.identifier = [*patient.identifier, facts.number_identifier(number)]
