"""What a signed visit is charged for, and the claim of every visit that was billed some time ago.

Only what went out to the payer is written here. What the payer answered, the books and payments follow from it by the billing room's
own actions (`demo.books`), and so do the claims of today and of those whose insurance lacks something.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from openward.demo.content.services import FEE, Fee
from openward.demo.generation.parts import Json, coding, concept, day, hl7, instant, reference, tag, to, usd
from openward.demo.generation.visits import Visit

if TYPE_CHECKING:
    from openward.demo.generation.chart import Chart

BILLED_DAYS = 366
FAULTS_WITHIN = 21
READY_FOR = 2
SUBMITTED_FOR = 14
OFFICE = "11"
PLACE_OF_SERVICE = "https://www.cms.gov/Medicare/Coding/place-of-service-codes/Place_of_Service_Code_Set"
CHARGE_SOURCE = "urn:openward:charge-source"


def write(chart: Chart, visit: Visit) -> None:
    """Charges and claim of a signed visit before today, of the last year, when there is someone to bill and nothing lacks."""
    age = (chart.today - visit.day).days
    coverage = chart.named.get("coverage")
    if not chart.named[f"note/{visit.encounter}"]["signed"] or not 1 <= age <= BILLED_DAYS:
        return
    if coverage is None or not _is_billable(coverage, visit, age):
        return
    lines = [_charge(chart, visit, FEE[code], count) for code, count in Counter(charges(chart, visit)).items()]
    _claim(chart, visit, coverage, lines, "ready" if age <= READY_FOR else "submitted" if age <= SUBMITTED_FOR else "accepted")


def _is_billable(coverage: Json, visit: Visit, age: int) -> bool:
    """What the insurance lacks was lost some weeks ago, at a change of plan: claims before went out, those since are drafts with faults."""
    is_whole = "subscriber" in coverage and "subscriberId" in coverage
    return (is_whole or age > FAULTS_WITHIN) and coverage["period"]["start"] <= day(visit.day)


def _charge(chart: Chart, visit: Visit, fee: Fee, count: int) -> Json:
    encounter = chart.named[f"encounter/{visit.encounter}"]
    return chart.add(
        "ChargeItem",
        status="billed",
        code=concept(fee.system, fee.code, fee.name),
        subject=chart.patient,
        context=reference("Encounter", visit.encounter),
        occurrenceDateTime=day(visit.day),
        performer=[{"actor": chart.house.ref("practitioner", visit.clinician.key)}],
        quantity={"value": count},
        priceOverride=usd(fee.price),
        enteredDate=instant(min(visit.end, chart.clock)),
        reason=[{"text": each["condition"]["display"]} for each in encounter.get("diagnosis", ())[:1]],
    )


def _claim(chart: Chart, visit: Visit, coverage: Json, charges: list[Json], state: str) -> None:
    diagnoses = _diagnoses(chart, visit)
    items = [_item(number, charge, visit, len(diagnoses)) for number, charge in enumerate(charges, start=1)]
    chart.add(
        "Claim",
        meta={"tag": [tag("claim-state", state)]},
        status="active",
        type=hl7("claim-type", "professional"),
        use="claim",
        patient=chart.patient,
        created=instant(min(visit.end + dt.timedelta(hours=14), chart.clock)),
        insurer=coverage["payor"][0],
        provider=chart.house.ref("organization", "hospital"),
        priority=hl7("processpriority", "normal"),
        careTeam=[{"sequence": 1, "provider": chart.house.ref("practitioner", visit.clinician.key), "responsible": True}],
        diagnosis=[{"sequence": n, "diagnosisCodeableConcept": code} for n, code in enumerate(diagnoses, start=1)],
        insurance=[{"sequence": 1, "focal": True, "coverage": to(coverage)}],
        item=items,
        total=usd(sum((item["net"]["value"] for item in items), Decimal(0))),
    )


def _diagnoses(chart: Chart, visit: Visit) -> list[Json]:
    named = {condition["id"]: condition["code"] for name, condition in chart.named.items() if name.startswith(("problem/", "diagnosis/"))}
    found = chart.named[f"encounter/{visit.encounter}"].get("diagnosis", ())
    codes = [named[each["condition"]["reference"].removeprefix("Condition/")] for each in found]
    return list({code["coding"][0]["code"]: code for code in codes}.values())


def _item(number: int, charge: Json, visit: Visit, diagnoses: int) -> Json:
    return {
        "extension": [{"url": CHARGE_SOURCE, "valueReference": to(charge)}],
        "sequence": number,
        "careTeamSequence": [1],
        "diagnosisSequence": list(range(1, min(diagnoses, 4) + 1)),
        "productOrService": charge["code"],
        "servicedDate": day(visit.day),
        "locationCodeableConcept": {"coding": [coding(PLACE_OF_SERVICE, OFFICE)]},
        "quantity": charge["quantity"],
        "unitPrice": charge["priceOverride"],
        "net": usd(charge["priceOverride"]["value"] * charge["quantity"]["value"]),
        "encounter": [reference("Encounter", visit.encounter)],
    }


def charges(chart: Chart, visit: Visit) -> Iterator[str]:
    """The fee-schedule codes of what was done, one for each time."""
    senior = chart.person.age_on(visit.day) >= 65
    yield "G0439" if senior and visit.service.key == "annual-physical" else visit.service.charge
    if f"phq/{visit.encounter}" in chart.named and visit.service.key == "annual-physical":
        yield "G0444"
    if visit.panels:
        yield "OW-LAB1"
    if "psa" in visit.panels:
        yield "G0103"
    for name in chart.named.get(f"vaccines/{visit.encounter}", {}).get("names", ()):
        yield _administration(name, senior=senior)
    if visit.service.key == "cardiology":
        yield "OW-ECG1"


def _administration(vaccine: str, *, senior: bool) -> str:
    if senior and vaccine.startswith("Influenza"):
        return "G0008"
    return "G0009" if senior and vaccine.startswith("Pneumococcal") else "OW-VAC1"
