"""Laboratory orders and results: values that follow from the illness, its treatment and time, with what was normal before."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from openward.demo.content.labs import ANALYTE, PANEL, Analyte, Panel
from openward.demo.generation.chance import task_id
from openward.demo.generation.levels import panel_levels
from openward.demo.generation.parts import LOINC, Json, concept, decimal, hl7, identifier, instant, quantity, reference, tag, to
from openward.demo.generation.visits import Visit

if TYPE_CHECKING:
    from openward.demo.generation.chart import Chart

WORDS = {"H": "High", "L": "Low", "HH": "Critical high", "LL": "Critical low", "N": "Normal", "A": "Abnormal"}
REVIEWED_AFTER = dt.timedelta(days=3)


def write(chart: Chart, visit: Visit) -> None:
    for key in visit.panels:
        _order(chart, visit, PANEL[key])


def _order(chart: Chart, visit: Visit, panel: Panel) -> None:
    """An order of today waits for its result; an older one has it since the next morning."""
    waits = visit.day >= chart.today
    order = chart.add(
        "ServiceRequest",
        identifier=[identifier("urn:openward:order", f"D{chart.person.number:05d}-{chart.ids.count:04d}")],
        status="active" if waits else "completed",
        intent="order",
        category=[hl7("observation-category", "laboratory", "Laboratory")],
        code=concept(LOINC, panel.code, panel.name),
        subject=chart.patient,
        encounter=reference("Encounter", visit.encounter),
        authoredOn=instant(min(visit.end, chart.clock)),
        requester=chart.house.ref("practitioner", visit.clinician.key),
    )
    if not waits:
        _result(chart, visit, panel, order)


def _result(chart: Chart, visit: Visit, panel: Panel, order: Json) -> None:
    taken = visit.end + dt.timedelta(minutes=10)
    issued = _issued(chart, visit)
    reviewed = chart.clock - issued > REVIEWED_AFTER
    levels = panel_levels(chart, panel, visit.day)
    values = [_observation(chart, visit, ANALYTE[key], levels[key], order, (taken, issued), reviewed) for key in panel.analytes]
    flags = [flag for flag in (_flag_of(value) for value in values) if flag not in (None, "N")]
    report = chart.add(
        "DiagnosticReport",
        meta={"tag": [tag("tag", "released")]} if reviewed else None,
        basedOn=[to(order)],
        status="final",
        category=[hl7("v2-0074", "LAB", "Laboratory")],
        code=concept(LOINC, panel.code, panel.name),
        subject=chart.patient,
        encounter=reference("Encounter", visit.encounter),
        effectiveDateTime=instant(taken),
        issued=instant(issued),
        performer=[chart.house.ref("organization", "laboratory")],
        resultsInterpreter=[chart.house.ref("practitioner", visit.clinician.key)] if reviewed else None,
        result=[to(value, value["code"]["text"]) for value in values],
        conclusion=_in_plain_words(panel, flags) if reviewed else None,
    )
    chart.named.setdefault(f"results/{visit.encounter}", {"reports": []})["reports"].append((panel, values))
    _to_inbox(chart, visit, order, report, flags, reviewed)


def _issued(chart: Chart, visit: Visit) -> dt.datetime:
    """Early the next morning at the facility, and never later than now."""
    morning = dt.datetime.combine(visit.day + dt.timedelta(days=1), dt.time(5, 30), visit.start.tzinfo)
    return min(morning + dt.timedelta(minutes=chart.chance.randint(0, 150)), chart.clock - dt.timedelta(minutes=5))


def _observation(
    chart: Chart, visit: Visit, analyte: Analyte, value: float, order: Json, times: tuple[dt.datetime, dt.datetime], reviewed: bool
) -> Json:
    return chart.add(
        "Observation",
        meta={"tag": [tag("tag", "released")]} if reviewed else None,
        basedOn=[to(order)],
        status="final",
        category=[hl7("observation-category", "laboratory", "Laboratory")],
        code=concept(LOINC, analyte.code, analyte.name),
        subject=chart.patient,
        encounter=reference("Encounter", visit.encounter),
        effectiveDateTime=instant(times[0]),
        issued=instant(times[1]),
        performer=[chart.house.ref("organization", "laboratory")],
        **_value(analyte, value, chart.person.sex),
    )


def _value(analyte: Analyte, value: float, sex: str) -> Json:
    if not analyte.ucum:
        words, flag = ("Positive", "A") if value > 0 else ("Negative", "N")
        return {"valueString": words, "interpretation": [hl7("v3-ObservationInterpretation", flag, WORDS[flag])]}
    low, high = analyte.bounds(sex)
    shown = decimal(value, analyte.digits)
    flag = flag_of(analyte, float(shown), sex)
    bounds: dict[str, Any] = {"low": quantity(decimal(low, analyte.digits), analyte.unit, analyte.ucum)} if low is not None else {}
    bounds |= {"high": quantity(decimal(high, analyte.digits), analyte.unit, analyte.ucum)} if high is not None else {}
    return {
        "valueQuantity": quantity(shown, analyte.unit, analyte.ucum),
        "interpretation": [hl7("v3-ObservationInterpretation", flag, WORDS[flag])],
        "referenceRange": [bounds],
    }


def flag_of(analyte: Analyte, value: float, sex: str) -> str:
    """N, H, L, and HH or LL when the laboratory would telephone. https://terminology.hl7.org/CodeSystem-v3-ObservationInterpretation.html"""
    low, high = analyte.bounds(sex)
    if analyte.panic and not analyte.panic[0] < value < analyte.panic[1]:
        return "LL" if value <= analyte.panic[0] else "HH"
    if high is not None and value > high:
        return "H"
    return "L" if low is not None and value < low else "N"


def _flag_of(observation: Json) -> str | None:
    return next((i["coding"][0]["code"] for i in observation.get("interpretation", ())), None)


def _in_plain_words(panel: Panel, flags: list[Any]) -> str:
    """What the patient reads."""
    if not flags:
        return f"{panel.name}: everything is in the expected range. No change is needed."
    if panel.key == "a1c":
        return "Your 3-month average sugar is above the expected range. We will talk about it at your next visit."
    outside = f"{len(flags)} values are" if len(flags) > 1 else "one value is"
    return f"{panel.name}: close to what we expected for you; {outside} outside the usual range. Keep to the plan."


def _to_inbox(chart: Chart, visit: Visit, order: Json, report: Json, flags: list[Any], reviewed: bool) -> None:
    """Results of the last days wait in the inbox of who ordered them; a critical one on top."""
    if reviewed and (chart.today - visit.day).days > 30:
        return
    critical = any(flag in ("HH", "LL") for flag in flags)
    panel = report["code"]["text"]
    chart.add(
        "Task",
        id=task_id("review-result", order["id"]),
        basedOn=[to(order)],
        status="completed" if reviewed else "requested",
        intent="order",
        priority="stat" if critical else "urgent" if flags else "routine",
        code={"coding": [tag("task", "review-result")], "text": "Review result"},
        description=panel,
        focus=to(report),
        **{"for": chart.patient},
        encounter=report["encounter"],
        authoredOn=report["issued"],
        lastModified=report["issued"],
        owner=chart.house.ref("practitioner", visit.clinician.key),
    )
