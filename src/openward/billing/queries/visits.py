"""Visits as billing sees them: what was done, what it was for, who pays."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from openward.access.labels import labels_of
from openward.billing.charges import Done
from openward.billing.facts import target
from openward.fhir.resources import (
    ChargeItem,
    CodeableConcept,
    Condition,
    Coverage,
    Encounter,
    Immunization,
    Location,
    Organization,
    Patient,
    Procedure,
    ServiceRequest,
)
from openward.fhir.store import Store
from openward.formats.x12.from_fhir import NPI
from openward.scheduling.facts import moment, zone_of

LABORATORY = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"


def day_of(store: Store, visit: Encounter) -> dt.date:
    """The day of the visit where it took place; today when it says no time."""
    place = next((entry.location for entry in visit.location if entry.location), None)
    location = store.find(Location, str(place.target_id)) if place and place.target_id else None
    started = moment(visit.period.start) if visit.period else None
    return (started or dt.datetime.now(dt.UTC)).astimezone(zone_of(location)).date()


def done_at(store: Store, visit: Encounter) -> Done:
    """What the fee schedule looks at."""
    day, here = day_of(store, visit), {"encounter": f"Encounter/{visit.id}"}
    patient = f"Patient/{target(visit.subject)}"
    conditions = conditions_of(store, visit)
    vaccines = store.search(Immunization, {"patient": patient, "date": day.isoformat(), "status": "completed"})
    return Done(
        visit=visit,
        day=day.isoformat(),
        orders=[order for order in store.search(ServiceRequest, {**here, "category": LABORATORY}) if order.status in ("active", "completed")],
        immunizations=[vaccine for vaccine in vaccines if target(vaccine.encounter) == visit.id],
        procedures=[procedure for procedure in store.search(Procedure, here) if procedure.status == "completed"],
        reasons=once([condition.code for condition in conditions]),
        labels=labels_of_all([*conditions, visit]),
    )


def diagnoses_of(store: Store, visit: Encounter) -> list[CodeableConcept]:
    """The visit's diagnoses in their rank, then its other encounter diagnoses; each code once."""
    return once([condition.code for condition in conditions_of(store, visit)])


def labels_of_all(resources: Iterable[Any]) -> frozenset[str]:
    """The sensitivity labels any of them has: what is charged for them has these too."""
    return frozenset(label for one in resources for label in labels_of(one.data))


def conditions_of(store: Store, visit: Encounter) -> list[Any]:
    """The Conditions the visit was for, those of its diagnosis list first; ruled out ones left out."""
    ranked = sorted(visit.diagnosis, key=lambda entry: entry.rank or 99)
    named = [("Condition", str(entry.condition.target_id)) for entry in ranked if entry.condition and entry.condition.target_id]
    found: list[Any] = store.read_many(named)
    others = sorted(store.search(Condition, {"encounter": f"Encounter/{visit.id}", "category": "encounter-diagnosis"}), key=lambda each: str(each.id))
    return [condition for condition in [*found, *others] if condition.code and _holds(condition)]


def _holds(condition: Any) -> bool:
    said = condition.verificationStatus.coding if condition.verificationStatus else []
    return not any(coding.code in ("refuted", "entered-in-error") for coding in said)


def once(concepts: list[CodeableConcept]) -> list[CodeableConcept]:
    kept: dict[str, CodeableConcept] = {}
    for concept in concepts:
        code = next((str(coding.code) for coding in concept.coding if coding.code), "")
        kept.setdefault(code or str(concept.text), concept)
    return list(kept.values())


def charges_of(store: Store, visit: str) -> list[ChargeItem]:
    """The visit's charges that count, oldest first."""
    found = store.search(ChargeItem, {"context": f"Encounter/{visit}", "_count": 100})
    return sorted((charge for charge in found if charge.status in ("billable", "billed", "planned")), key=lambda charge: str(charge.id))


def coverages_on(store: Store, patient: str, day: dt.date) -> list[Coverage]:
    """The patient's insurances that hold on a day, the one that pays first in front."""
    found = store.search(Coverage, {"beneficiary": f"Patient/{patient}", "status": "active"})
    return sorted((coverage for coverage in found if _covers(coverage, day.isoformat())), key=lambda coverage: coverage.order or 99)


def _covers(coverage: Coverage, day: str) -> bool:
    period = coverage.period
    return period is None or not ((period.start and day < period.start[:10]) or (period.end and day > period.end[:10]))


def practice(store: Store, visit: Encounter | None = None) -> Organization | None:
    """The organisation that bills: the visit's own, else the one of this record that has an NPI."""
    own = target(visit.serviceProvider) if visit else None
    found = store.find(Organization, own) if own else None
    if found is not None:
        return found
    return next(iter(store.search(Organization, {"identifier": f"{NPI}|", "_sort": "_id", "_count": 1})), None)


def patient_of(store: Store, id: str) -> Patient:
    return store.read(Patient, id)
