"""Prescriptions: started at a visit, renewed once a year, stopped when replaced or the course is over."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

from openward.demo.content.drugs import DRUG, Drug
from openward.demo.generation import lists
from openward.demo.generation.courses import Treatment
from openward.demo.generation.parts import RXNORM, Json, concept, instant, quantity, reference, to
from openward.demo.generation.visits import Visit

if TYPE_CHECKING:
    from openward.demo.generation.chart import Chart

RENEW_AFTER = 340


def write(chart: Chart) -> None:
    seen = [v for v in chart.visits if v.state in ("finished", "leaving")]
    active = [line for course in chart.health.courses for t in course.treatments for line in [_long_term(chart, t, seen)] if line]
    for visit in seen:
        if visit.illness:
            active += _for_illness(chart, visit, {line["medicationCodeableConcept"]["coding"][0]["code"] for line in active})
    if seen and chart.health.allergies is not None:
        lists.review(chart, seen[-1], "10160-0", "Medications", [to(line) for line in active])


def _long_term(chart: Chart, treatment: Treatment, seen: list[Visit]) -> Json | None:
    """All prescriptions of one treatment; the last, when it still runs."""
    doctors = [
        v for v in seen if v.day >= treatment.started and v.service.key != "sick-visit" and not (treatment.stopped and v.day >= treatment.stopped)
    ]
    last: Json | None = None
    written = dt.date.min
    for visit in doctors:
        if (visit.day - written).days >= RENEW_AFTER or last is None:
            if last:
                last["status"] = "completed"
            last, written = _prescription(chart, treatment.drug, visit, "active"), visit.day
    replaced = treatment.stopped and any(v.day >= treatment.stopped for v in seen)
    if last and replaced:
        last["status"] = "stopped"
        return None
    return last


def _for_illness(chart: Chart, visit: Visit, taken: set[str]) -> list[Json]:
    """A short course, of nothing that is taken already; it is over when its days are."""
    illness = visit.illness
    found = []
    for key in illness.drugs if illness else ():
        drug = DRUG[_in_place_of(chart, key, visit)]
        if chart.health.may_take(drug.key) and drug.code not in taken:
            runs = visit.day + dt.timedelta(days=drug.days) >= chart.today
            line = _prescription(chart, drug, visit, "active" if runs else "completed")
            found += [line] if runs else []
    return found


def _in_place_of(chart: Chart, key: str, visit: Visit) -> str:
    """Another antibiotic for the allergic, a liquid for the small."""
    small = chart.person.age_on(visit.day) < 8
    key = "amoxicillin-suspension" if key == "amoxicillin-500" and small else key
    return key if chart.health.may_take(key) or not key.startswith("amoxicillin") else "azithromycin-250"


def _prescription(chart: Chart, drug: Drug, visit: Visit, status: str) -> Json:
    amount = drug.dose * drug.times * drug.days
    one_pack = drug.form in ("puff", "inhalation", "spray", "application")
    return chart.add(
        "MedicationRequest",
        status=status,
        intent="order",
        medicationCodeableConcept=concept(RXNORM, drug.code, drug.name),
        subject=chart.patient,
        encounter=reference("Encounter", visit.encounter),
        authoredOn=instant(visit.end if visit.end < chart.clock else chart.clock),
        requester=chart.house.ref("practitioner", visit.clinician.key),
        dosageInstruction=[_dosage(drug)],
        dispenseRequest={
            "numberOfRepeatsAllowed": drug.refills,
            "quantity": {"value": 1, "unit": "package"} if one_pack else {"value": amount, "unit": drug.form},
            "expectedSupplyDuration": quantity(Decimal(drug.days), "days", "d"),
        },
    )


def _dosage(drug: Drug) -> Json:
    found: Json = {
        "text": drug.sig,
        "timing": {"repeat": {"frequency": drug.times, "period": 1, "periodUnit": "d"}},
        "route": {"text": drug.route},
        "doseAndRate": [{"doseQuantity": {"value": drug.dose, "unit": drug.form}}],
    }
    return found | ({"asNeededBoolean": True} if drug.as_needed else {})
