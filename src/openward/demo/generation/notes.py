"""The note of a visit, put together from what the chart says, so that it never contradicts it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from openward.demo.content.labs import ANALYTE
from openward.demo.generation import lists
from openward.demo.generation.parts import LOINC, Json, concept, div, instant, reference
from openward.demo.generation.visits import Visit

if TYPE_CHECKING:
    from openward.demo.generation.chart import Chart

SIGNED_LATER_THAN = dt.timedelta(hours=5)


def write(chart: Chart, visit: Visit) -> None:
    """Signed at the end of the visit; of today's, some are still drafts, and the one being written always is."""
    draft = visit.state == "with-clinician" or (visit.day == chart.today and chart.chance.happens(0.4))
    at = min(visit.end + dt.timedelta(minutes=chart.chance.randint(2, 12)), chart.clock)
    author = chart.house.ref("practitioner", visit.clinician.key)
    chart.named[f"note/{visit.encounter}"] = {"signed": not draft}
    chart.add(
        "Composition",
        status="preliminary" if draft else "final",
        type=concept(LOINC, "11506-3", "Progress note"),
        subject=chart.patient,
        encounter=reference("Encounter", visit.encounter),
        date=instant(at),
        author=[author],
        title=f"{visit.service.name} note",
        attester=None if draft else [{"mode": "legal", "time": instant(at), "party": author}],
        section=_sections(chart, visit, draft),
    )


def _sections(chart: Chart, visit: Visit, draft: bool) -> list[Json]:
    parts = [("61150-9", "Subjective", _subjective(chart, visit)), ("61149-1", "Objective", _objective(chart, visit))]
    if not (draft and visit.state == "with-clinician"):
        parts += [("51848-0", "Assessment", _assessment(chart, visit)), ("18776-5", "Plan", _plan(chart, visit))]
    return [{"title": title, "code": concept(LOINC, code, title), "text": div(*lines)} for code, title, lines in parts]


def _subjective(chart: Chart, visit: Visit) -> list[str]:
    person = chart.person
    who = (
        f"{_age(chart, visit)} {'girl' if person.sex == 'female' else 'boy'}"
        if person.age_on(visit.day) < 13
        else f"{_age(chart, visit)} {'woman' if person.sex == 'female' else 'man'}"
    )
    if visit.illness:
        return [f"{who} with {visit.illness.complaint}."]
    opening = f"{who} here for {'a ' if visit.is_checkup else ''}{visit.service.name.lower() if visit.is_checkup else 'follow-up'}."
    told = [c.problem.subjective for c in _known(chart, visit) if c.problem.subjective]
    if person.age_on(visit.day) < 18 and not told:
        told = [_child_story(person.age_on(visit.day))]
    return [opening, *told] if told else [opening, "Feels well; no new concerns."]


def _age(chart: Chart, visit: Visit) -> str:
    days = (visit.day - chart.person.born).days
    if days < 60:
        return f"{days}-day-old"
    return f"{int(days / 30.44)}-month-old" if days < 730 else f"{chart.person.whole_years(visit.day)}-year-old"


def _child_story(age: float) -> str:
    if age < 1:
        return "Feeding well, wet diapers as expected, sleeping on the back. Parents have no concerns."
    return "Eating a range of foods, active, sleeping through." if age < 5 else "Doing well at school, eats breakfast, active most days."


def _known(chart: Chart, visit: Visit) -> list[lists.Course]:
    return [c for c in visit.courses if lists.is_known(chart, c, visit)]


def _objective(chart: Chart, visit: Visit) -> list[str]:
    lines = []
    if pressure := chart.named.get(f"bp/{visit.encounter}"):
        lines.append(f"Blood pressure {pressure['systolic']}/{pressure['diastolic']} mmHg. Other vital signs as recorded by the nurse.")
    lines.append(visit.illness.findings if visit.illness else _examination(visit))
    if phq := chart.named.get(f"phq/{visit.encounter}"):
        lines.append(f"PHQ-9 score {phq['score']}.")
    return lines


def _examination(visit: Visit) -> str:
    if visit.service.key == "behavioral-health":
        return "Alert, cooperative, speech normal, mood as described, thought organized. No thoughts of harm to self or others."
    return "Well appearing. Heart regular without murmur. Lungs clear. Abdomen soft. No edema."


def _assessment(chart: Chart, visit: Visit) -> list[str]:
    lines = [f"{visit.illness.name} ({visit.illness.code})."] if visit.illness else []
    if coded := (None if visit.illness else lists.checkup_code(chart, visit)):
        lines.append(f"{coded[1]} ({coded[0]}).")
    lines += [f"{c.problem.name} ({c.problem.code}): {_how_it_goes(chart, visit, c)}." for c in _known(chart, visit)]
    return lines or ["Stable."]


def _how_it_goes(chart: Chart, visit: Visit, course: lists.Course) -> str:
    if course.problem.key == "hypertension" and (pressure := chart.named.get(f"bp/{visit.encounter}")):
        return "at goal today" if pressure["systolic"] < 140 and pressure["diastolic"] < 90 else "above goal today"
    if course.problem.key == "diabetes" and (value := _last_a1c(chart, visit)):
        return f"last HbA1c {value}%, {'at goal' if float(value) < 7.5 else 'above goal'}"
    if course.problem.key == "depression" and (phq := chart.named.get(f"phq/{visit.encounter}")):
        return "in remission" if phq["score"] < 5 else "improving" if phq["score"] < 10 else "not yet controlled"
    return "stable"


def _last_a1c(chart: Chart, visit: Visit) -> str | None:
    """The newest value that was back before this visit began."""
    found = [
        r["valueQuantity"]["value"]
        for r in chart.resources
        if r["resourceType"] == "Observation" and r["code"]["coding"][0]["code"] == ANALYTE["a1c"].code and r["issued"] < instant(visit.start)
    ]
    return str(found[-1]) if found else None


def _plan(chart: Chart, visit: Visit) -> list[str]:
    lines = [visit.illness.plan] if visit.illness else []
    lines += [c.problem.plan for c in _known(chart, visit) if c.problem.plan]
    if given := chart.named.get(f"vaccines/{visit.encounter}"):
        lines.append("Vaccines given today: " + ", ".join(given["names"]) + ".")
    if visit.panels:
        lines.append("Laboratory tests ordered; results will be released to the portal.")
    return lines or ["Healthy habits reviewed. Return in a year or as needed."]
