"""Vaccines given at visits when due; what was missed stays a gap."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING

from openward.demo.content.vaccines import CHILD_DOSES, VACCINE, Dose, Vaccine
from openward.demo.generation import encounters
from openward.demo.generation.parts import CVX, concept, instant, reference
from openward.demo.generation.visits import Visit

if TYPE_CHECKING:
    from openward.demo.generation.chart import Chart

CATCH_UP_MONTHS = 30
SITES = ("left deltoid", "right deltoid")


def write(chart: Chart, visit: Visit) -> None:
    if visit.illness and visit.service.key == "sick-visit" and chart.chance.happens(0.8):
        return
    given = chart.named.setdefault("given", {})
    due = [*_child(chart, visit), *_adult(chart, visit)] if chart.person.careful > 0.25 else []
    for key, dose in due[:5]:
        given.setdefault(key, []).append(visit.day)
        _give(chart, visit, VACCINE[key], dose)


def _child(chart: Chart, visit: Visit) -> Iterator[tuple[str, Dose | None]]:
    """What the schedule asks at this age and has not been given; rotavirus never late, nothing twice within four weeks."""
    months = (visit.day - chart.person.born).days / 30.44
    for dose in CHILD_DOSES:
        late = months - dose.months
        if not 0 <= late <= (2 if dose.keys[0] == "rotavirus" else CATCH_UP_MONTHS) or months >= 216:
            continue
        key = next((k for k in dose.keys if _in_use(VACCINE[k], visit.day)), None)
        before = [d for k in dose.keys for d in chart.named["given"].get(k, ())]
        if key and len(before) == dose.number - 1 - _elsewhere(chart, dose) and all((visit.day - d).days >= 27 for d in before):
            yield key, dose


def _elsewhere(chart: Chart, dose: Dose) -> int:
    """Doses given before they joined the practice, which the practice has no record of."""
    joined_at = (chart.person.joined - chart.person.born).days / 30.44
    return sum(1 for other in CHILD_DOSES if other.keys == dose.keys and other.number < dose.number and other.months < joined_at - 2)


def _adult(chart: Chart, visit: Visit) -> Iterator[tuple[str, Dose | None]]:
    given, age, day = chart.named["given"], chart.person.age_on(visit.day), visit.day
    flu = "influenza" if _in_use(VACCINE["influenza"], day) else "influenza-3"
    last_flu = _since([*given.get("influenza", ()), *given.get("influenza-3", ())], day)
    wants_flu = chart.chance.happens(0.45 + 0.3 * (age > 60) + 0.15 * (age < 12))
    if age >= 0.5 and day.month in (9, 10, 11, 12, 1) and last_flu > 240 and wants_flu:
        yield flu, None
    if age >= 19 and visit.is_checkup and _since([*given.get("tdap", ()), *given.get("td", ())], day) > 3600 and chart.chance.happens(0.3):
        yield "td" if given.get("tdap") else "tdap", None
    shingles = given.get("zoster", ())
    if age >= 50 and len(shingles) < 2 and _since(list(shingles), day) > 60 and chart.chance.happens(0.85 if shingles else 0.22):
        yield "zoster", Dose(("zoster",), 600, len(shingles) + 1, 2)
    if age >= 65 and "pcv20" not in given and _in_use(VACCINE["pcv20"], day) and chart.chance.happens(0.3):
        yield "pcv20", None


def _since(days: list[dt.date], day: dt.date) -> int:
    return (day - max(days)).days if days else 10**6


def _in_use(vaccine: Vaccine, day: dt.date) -> bool:
    return vaccine.since <= day < vaccine.until


def _give(chart: Chart, visit: Visit, vaccine: Vaccine, dose: Dose | None) -> None:
    chart.named.setdefault(f"vaccines/{visit.encounter}", {"names": []})["names"].append(vaccine.name)
    small = chart.person.age_on(visit.day) < 2
    chart.add(
        "Immunization",
        status="completed",
        vaccineCode=concept(CVX, vaccine.code, vaccine.name),
        patient=chart.patient,
        encounter=reference("Encounter", visit.encounter),
        occurrenceDateTime=instant(min(visit.end, chart.clock)),
        primarySource=True,
        location=chart.house.ref("facility", visit.clinician.facility),
        lotNumber=f"DEMO{chart.chance.randrange(1000, 9999)}",
        expirationDate=(visit.day + dt.timedelta(days=chart.chance.randint(60, 500))).isoformat(),
        site={"text": "left thigh" if small else chart.chance.choice(SITES)},
        route={"text": "oral" if vaccine.key == "rotavirus" else "subcutaneous" if vaccine.key in ("mmr", "varicella") else "intramuscular"},
        performer=[{"actor": encounters.nurse(chart, visit)}],
        protocolApplied=[{"doseNumberPositiveInt": dose.number, "seriesDosesPositiveInt": dose.of}] if dose else None,
    )
