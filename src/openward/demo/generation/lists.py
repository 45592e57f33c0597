"""Problem list, allergies, and that they were looked at: what is absent is written as absent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

from openward.demo.content.allergies import Allergen
from openward.demo.generation import encounters
from openward.demo.generation.courses import Course
from openward.demo.generation.parts import ICD10, LOINC, RXNORM, Json, concept, day, hl7, instant, reference, to
from openward.demo.generation.visits import Visit

if TYPE_CHECKING:
    from openward.demo.generation.chart import Chart


def problems(chart: Chart) -> None:
    """Every problem is noted at the first visit after it began; one that nobody has visited for yet is not known."""
    for course in chart.health.courses:
        visit = next((v for v in _seen(chart) if v.day >= course.onset), None)
        if visit:
            chart.named[f"problem/{course.problem.key}"] = _problem(chart, course, visit)
            chart.named[f"known/{course.problem.key}"] = {"since": visit.start}
    link_reasons(chart, chart.visits)


def _seen(chart: Chart) -> list[Visit]:
    return [v for v in chart.visits if v.state in ("finished", "leaving", "with-clinician")]


def is_known(chart: Chart, course: Course, visit: Visit) -> bool:
    """Whether the problem is on the list by this visit."""
    known = chart.named.get(f"known/{course.problem.key}")
    return bool(known and known["since"] <= visit.start)


def _problem(chart: Chart, course: Course, visit: Visit) -> Json:
    return chart.add(
        "Condition",
        clinicalStatus=hl7("condition-clinical", "active"),
        verificationStatus=hl7("condition-ver-status", "confirmed"),
        category=[hl7("condition-category", "problem-list-item", "Problem List Item")],
        code=concept(ICD10, course.problem.code, course.problem.name),
        subject=chart.patient,
        encounter=reference("Encounter", visit.encounter),
        onsetDateTime=day(course.onset),
        recordedDate=instant(visit.start),
        recorder=chart.house.ref("practitioner", visit.clinician.key),
    )


def link_reasons(chart: Chart, made: Sequence[Visit]) -> None:
    """The visits' diagnoses: the problems discussed, or what brought the patient in."""
    for visit in made:
        encounter = chart.named[f"encounter/{visit.encounter}"]
        encounter["reasonCode"] = [{"text": reason(visit)}]
        if visit.state in ("waiting", "roomed"):
            continue
        found = [diagnosis for diagnosis in (_diagnosis(chart, visit),) if diagnosis]
        found += [chart.named[f"problem/{c.problem.key}"] for c in visit.courses if is_known(chart, c, visit)]
        if found:
            encounter["diagnosis"] = [{"condition": to(each, each["code"]["text"]), "rank": rank} for rank, each in enumerate(found, start=1)]


def reason(visit: Visit) -> str:
    """Why they came, in a few words."""
    if visit.illness:
        return visit.illness.complaint.capitalize()
    if visit.is_checkup:
        return visit.service.name
    topics = ", ".join(c.problem.name.lower() for c in visit.courses[:3])
    return f"Follow-up of {topics}" if topics else visit.service.name


def _diagnosis(chart: Chart, visit: Visit) -> Json | None:
    coded = checkup_code(chart, visit)
    if visit.illness:
        coded = (visit.illness.code, visit.illness.name)
    if coded is None:
        return None
    gone = visit.day + dt.timedelta(days=visit.illness.days) if visit.illness else visit.day
    over = gone < chart.today
    made = chart.add(
        "Condition",
        clinicalStatus=hl7("condition-clinical", "resolved" if over else "active"),
        verificationStatus=hl7("condition-ver-status", "confirmed"),
        category=[hl7("condition-category", "encounter-diagnosis", "Encounter Diagnosis")],
        code=concept(ICD10, *coded),
        subject=chart.patient,
        encounter=reference("Encounter", visit.encounter),
        onsetDateTime=day(visit.day),
        abatementDateTime=day(gone) if over else None,
        recordedDate=instant(visit.start),
        recorder=chart.house.ref("practitioner", visit.clinician.key),
    )
    chart.named[f"diagnosis/{visit.encounter}"] = made
    return made


def checkup_code(chart: Chart, visit: Visit) -> tuple[str, str] | None:
    """The ICD-10-CM Z code of a check-up, or of a follow-up of someone with nothing on the list."""
    days = (visit.day - chart.person.born).days
    if visit.service.key == "well-child" or (visit.is_checkup and days < 18 * 365):
        if days < 8:
            return "Z00.110", "Health examination for newborn under 8 days old"
        return ("Z00.111", "Health examination for newborn 8 to 28 days old") if days < 29 else ("Z00.129", "Routine child health examination")
    if visit.service.key == "womens-health":
        return "Z01.419", "Gynecological examination (general) (routine) without abnormal findings"
    if visit.is_checkup:
        return "Z00.00", "General adult medical examination without abnormal findings"
    return None if any(is_known(chart, c, visit) for c in visit.courses) else ("Z71.89", "Other specified counseling")


def allergies(chart: Chart) -> None:
    if chart.health.allergies and (first := next(iter(_seen(chart)), None)):
        for allergen in chart.health.allergies:
            _allergy(chart, allergen, first)


def _allergy(chart: Chart, allergen: Allergen, visit: Visit) -> None:
    words, severity = chart.chance.choice(allergen.reactions)
    chart.add(
        "AllergyIntolerance",
        clinicalStatus=hl7("allergyintolerance-clinical", "active"),
        verificationStatus=hl7("allergyintolerance-verification", "confirmed"),
        type=allergen.kind,
        category=[allergen.category],
        criticality="high" if severity == "severe" else allergen.criticality,
        code=concept(RXNORM, allergen.code, allergen.name, allergen.name.capitalize()) if allergen.code else {"text": allergen.name},
        patient=chart.patient,
        encounter=reference("Encounter", visit.encounter),
        recordedDate=instant(visit.start),
        recorder=encounters.nurse(chart, visit),
        reaction=[{"manifestation": [{"text": words}], "severity": severity}],
    )


def reviews(chart: Chart) -> None:
    """The nurse looked at both lists at the last visit that got as far as a room, unless nobody has asked."""
    roomed = [v for v in chart.visits if v.state not in ("waiting", "roomed")]
    if not roomed or chart.health.allergies is None:
        return
    visit = roomed[-1]
    entries = [to(r) for r in chart.resources if r["resourceType"] == "AllergyIntolerance"]
    review(chart, visit, "48765-2", "Allergies and adverse reactions", entries)


def review(chart: Chart, visit: Visit, code: str, title: str, entries: list[Json]) -> None:
    """A list as it stood when someone looked at it."""
    chart.add(
        "List",
        status="current",
        mode="snapshot",
        title=title,
        code=concept(LOINC, code, title),
        subject=chart.patient,
        encounter=reference("Encounter", visit.encounter),
        date=instant(min(visit.start + dt.timedelta(minutes=7), chart.clock)),
        source=encounters.nurse(chart, visit),
        entry=[{"item": entry} for entry in entries],
        emptyReason=None if entries else hl7("list-empty-reason", "nilknown", "Nil Known"),
    )
