"""Vital signs: what this body would show on this day, with its illnesses and what is taken for them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING

from openward.demo.content.growth import on_track
from openward.demo.generation import encounters
from openward.demo.generation.chance import Chance
from openward.demo.generation.parts import LOINC, Json, concept, decimal, hl7, instant, quantity, reference
from openward.demo.generation.people import Person
from openward.demo.generation.visits import Visit

if TYPE_CHECKING:
    from openward.demo.generation.chart import Chart

Reading = tuple[str, str, float, int, str, str]
SMOKING = {
    "never": ("LA18978-9", "Never smoker"),
    "former": ("LA15920-4", "Former smoker"),
    "current": ("LA18976-3", "Current every day smoker"),
}


def write(chart: Chart, visit: Visit) -> None:
    """Everything the nurse takes: about five minutes after the patient was roomed."""
    arrived, _ = encounters.times(chart, visit)
    at = min(arrived + dt.timedelta(minutes=chart.chance.randint(6, 12)), chart.clock)
    age = chart.person.age_on(visit.day)
    if age >= 3:
        chart.named[f"bp/{visit.encounter}"] = _blood_pressure(chart, visit, at)
    for reading in _readings(chart, visit, age):
        _observe(chart, visit, at, reading)
    if visit.is_checkup and age >= 13 and "smoking" not in chart.named:
        chart.named["smoking"] = _smoking(chart, visit, at)
    if age >= 12 and (visit.is_checkup or chart.health.has("depression", visit.day)):
        _phq(chart, visit, at)


def _observe(chart: Chart, visit: Visit, at: dt.datetime, reading: Reading) -> None:
    code, name, value, digits, unit, ucum = reading
    chart.add(
        "Observation",
        status="final",
        category=[hl7("observation-category", "vital-signs", "Vital Signs")],
        code=concept(LOINC, code, name),
        valueQuantity=quantity(decimal(value, digits), unit, ucum),
        **_about(chart, visit, at),
    )


def _about(chart: Chart, visit: Visit, at: dt.datetime) -> Json:
    return {
        "subject": chart.patient,
        "encounter": reference("Encounter", visit.encounter),
        "effectiveDateTime": instant(at),
        "performer": [encounters.nurse(chart, visit)],
    }


def _blood_pressure(chart: Chart, visit: Visit, at: dt.datetime) -> Json:
    systolic, diastolic = pressure(chart, visit.day)
    parts = (("8480-6", "Systolic blood pressure", systolic), ("8462-4", "Diastolic blood pressure", diastolic))
    chart.add(
        "Observation",
        status="final",
        category=[hl7("observation-category", "vital-signs", "Vital Signs")],
        code=concept(LOINC, "85354-9", "Blood pressure"),
        component=[{"code": concept(LOINC, code, name), "valueQuantity": quantity(decimal(v, 0), "mmHg", "mm[Hg]")} for code, name, v in parts],
        **_about(chart, visit, at),
    )
    return {"systolic": systolic, "diastolic": diastolic}


def pressure(chart: Chart, day: dt.date) -> tuple[int, int]:
    """(systolic, diastolic) in mm[Hg]."""
    age, chance = chart.person.age_on(day), chart.chance
    if age < 18:
        return round(chance.near(88 + 1.6 * age, 6, 78, 128)), round(chance.near(52 + 1.1 * age, 5, 44, 82))
    systolic = 112 + 0.22 * max(age - 30, 0) + 0.35 * (min(chart.person.bmi, 40) - 25)
    course = chart.health.has("hypertension", day)
    if course:
        systolic += 26 - min(course.treated_on(day), 1.6) * (12 + 12 * course.control)
    systolic = chance.near(systolic, 6.5, 92, 198)
    return round(systolic), round(chance.near(systolic * 0.46 + 22, 4.5, 52, 116))


def _readings(chart: Chart, visit: Visit, age: float) -> Iterator[Reading]:
    chance, lung = chart.chance, chart.health.has("copd", visit.day)
    fever = bool(visit.illness) and chance.happens(visit.illness.fever if visit.illness else 0)
    pulse = (
        (132 - 14 * age if age < 3 else 96 - 1.6 * min(age, 14)) + (12 if fever else 0) - (9 if chart.health.takes("metoprolol", visit.day) else 0)
    )
    yield "8867-4", "Heart rate", chance.near(pulse, 8, 46, 178), 0, "beats/min", "/min"
    if visit.illness or age < 18 or chance.happens(0.4):
        yield "8310-5", "Body temperature", chance.near(38.6 if fever else 36.7, 0.35 if fever else 0.22, 36.0, 40.1), 1, "°C", "Cel"
    if visit.illness or lung or age < 6:
        breathing = 34 - 4 * min(age, 3) if age < 3 else 20 if age < 10 else 15
        yield "9279-1", "Respiratory rate", chance.near(breathing + (4 if lung else 0), 1.6, 11, 48), 0, "breaths/min", "/min"
    yield "2708-6", "Oxygen saturation", chance.near(94 if lung else 98.2, 1.2, 88, 100), 0, "%", "%"
    yield from _body(chart, visit, age)


def _body(chart: Chart, visit: Visit, age: float) -> Iterator[Reading]:
    person = chart.person
    if age < 18:
        height, weight = child(person, age, chart.chance)
        if visit.is_checkup:
            yield "8302-2", "Body height", height, 1, "cm", "cm"
        yield "29463-7", "Body weight", weight, 1, "kg", "kg"
        if age < 2.1 and visit.is_checkup:
            yield "9843-4", "Head circumference", on_track("head", age * 12, person.sex, person.tall * 0.6), 1, "cm", "cm"
        if age >= 2 and visit.is_checkup:
            yield "39156-5", "Body mass index", weight / (height / 100) ** 2, 1, "kg/m2", "kg/m2"
        return
    weight = adult_weight(person, visit.day, chart.today, chart.seed) + chart.chance.gauss(0, 0.6)
    if "height" not in chart.named or visit.is_checkup:
        chart.named["height"] = {}
        yield "8302-2", "Body height", person.height, 0, "cm", "cm"
    yield "29463-7", "Body weight", weight, 1, "kg", "kg"
    yield "39156-5", "Body mass index", weight / (round(person.height) / 100) ** 2, 1, "kg/m2", "kg/m2"


def child(person: Person, age: float, chance: Chance) -> tuple[float, float]:
    """(height in cm, weight in kg); a teenager grows toward the height they will have."""
    months = age * 12
    return (
        on_track("height", months, person.sex, person.tall) + chance.gauss(0, 0.3),
        on_track("weight", months, person.sex, person.heavy * min(0.4 + age / 10, 1.15)) * (1 + chance.gauss(0, 0.008)),
    )


def adult_weight(person: Person, day: dt.date, today: dt.date, seed: int) -> float:
    """In kg: `bmi` is today's; over the years it drifted there along a slow line of the person's own."""
    drift = Chance(seed, "drift", person.number).gauss(0.35, 0.8)
    years = (today - day).days / 365.25
    return person.bmi * (person.height / 100) ** 2 - drift * years


def _smoking(chart: Chart, visit: Visit, at: dt.datetime) -> Json:
    code, words = SMOKING[chart.person.smoker]
    return chart.add(
        "Observation",
        status="final",
        category=[hl7("observation-category", "social-history", "Social History")],
        code=concept(LOINC, "72166-2", "Tobacco smoking status"),
        valueCodeableConcept=concept(LOINC, code, words),
        **_about(chart, visit, at),
    )


def _phq(chart: Chart, visit: Visit, at: dt.datetime) -> None:
    course = chart.health.has("depression", visit.day)
    middle = 13.5 - min(course.treated_on(visit.day), 1.4) * 7 * course.control if course else 2
    score = round(chart.chance.near(middle, 2.4, 0, 26))
    chart.named[f"phq/{visit.encounter}"] = {"score": score}
    chart.add(
        "Observation",
        status="final",
        category=[hl7("observation-category", "survey", "Survey")],
        code=concept(LOINC, "44261-6", "PHQ-9 total score"),
        valueInteger=score,
        **_about(chart, visit, at),
    )
