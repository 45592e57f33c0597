"""Laboratory orders: a basket, signed once."""

from __future__ import annotations

from collections.abc import Sequence

from openward.access.actor import Actor
from openward.chart import labs
from openward.chart.actions.writing import coded, must_exist, now_text, patient_reference, signature, visit_reference, without_empty
from openward.chart.codes import CATEGORY, LABORATORY, LOINC
from openward.chart.errors import NothingToOrder
from openward.chart.labs import LabTest
from openward.chart.queries.patients import current_visit
from openward.fhir.ids import new_id
from openward.fhir.resources import Annotation, CodeableConcept, Identifier, Reference, ServiceRequest
from openward.record import unit_of_work

REQUISITION = "urn:openward:requisition"


def order_tests(
    *, patient: str, tests: Sequence[str], by: Actor, urgent: bool = False, reasons: Sequence[str] = (), note: str = ""
) -> list[ServiceRequest]:
    """Sign the basket: one order a test or panel, all with one requisition number. `tests` are keys of the catalog, `reasons` ids of Conditions."""
    chosen = [labs.catalog()[key] for key in dict.fromkeys(tests) if key in labs.catalog()]
    if not chosen:
        raise NothingToOrder
    with unit_of_work(by=by) as work:
        must_exist(work.store, patient)
        visit = current_visit(work.store, patient)
        common = without_empty(
            status="active",
            intent="order",
            category=[coded(CATEGORY, LABORATORY, display="Laboratory")],
            priority="urgent" if urgent else "routine",
            subject=patient_reference(patient),
            encounter=visit_reference(visit),
            authoredOn=now_text(),
            requester=signature(by),
            requisition=Identifier(system=REQUISITION, value=new_id().replace("-", "")[-12:].upper()),
            reasonReference=[Reference(f"Condition/{condition}") for condition in reasons],
            note=[Annotation(text=note)] if note else [],
        )
        return [work.store.create(ServiceRequest(**common, code=code_of(test))) for test in chosen]


def code_of(test: LabTest) -> CodeableConcept:
    return coded(LOINC, test.loinc, text=test.name, display=test.name) if test.loinc else CodeableConcept(text=test.name)


def cancel_order(*, order: str, reason: str, by: Actor) -> ServiceRequest:
    """The test is no longer wanted."""
    with unit_of_work(by=by) as work:
        standing = work.store.read(ServiceRequest, order)
        standing.status = "revoked"
        if reason:
            standing.note.append(Annotation(text=f"Cancelled: {reason}"))
        return work.store.update(standing)
