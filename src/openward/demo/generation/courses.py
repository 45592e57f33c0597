"""What each person has, since when, and what is taken for it: the illness behind the chart."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field

from openward.demo.content.allergies import ALLERGENS, Allergen
from openward.demo.content.drugs import DRUG, Drug
from openward.demo.content.problems import PROBLEMS, Problem
from openward.demo.generation.chance import Chance
from openward.demo.generation.people import YEAR, Person


@dataclass(slots=True)
class Course:
    """One problem of one person. `control` is how well it is kept, 0 badly to 1 well."""

    problem: Problem
    onset: dt.date
    control: float
    treatments: list[Treatment] = field(default_factory=list)

    def treated_on(self, day: dt.date) -> float:
        """How much of the treatment's effect is there on the day: 0 none, 1 the full first line, more with a second."""
        effect = 0.0
        for treatment in self.treatments:
            if treatment.started <= day and not (treatment.stopped and treatment.stopped <= day):
                effect += min((day - treatment.started).days / 75, 1.0)
        return effect


@dataclass(slots=True)
class Treatment:
    """A drug taken from a day on, until it was stopped."""

    drug: Drug
    started: dt.date
    stopped: dt.date | None = None


@dataclass(slots=True)
class Health:
    """Everything that ails a person. `allergies` is None when nobody has asked yet, empty when they were asked and have none."""

    courses: list[Course]
    allergies: list[Allergen] | None

    def has(self, key: str, day: dt.date) -> Course | None:
        return next((c for c in self.courses if c.problem.key == key and c.onset <= day), None)

    def takes(self, ingredient: str, day: dt.date) -> bool:
        running = (t for c in self.courses for t in c.treatments if t.started <= day and not (t.stopped and t.stopped <= day))
        return any(t.drug.key.startswith(ingredient) for t in running)

    def may_take(self, drug: str) -> bool:
        return not any(drug.startswith(bad) for allergen in self.allergies or () for bad in allergen.forbids)


def health(person: Person, seed: int, today: dt.date) -> Health:
    """The illnesses of a person up to today, or up to their death."""
    chance = Chance(seed, "health", person.number)
    state = Health([], _allergies(chance, person, today))
    until = person.died or today
    for problem in PROBLEMS:
        if _falls_ill(chance, problem, person, state, until):
            state.courses.append(Course(problem, _onset(chance, problem, person, until), chance.near(0.68, 0.25, 0.05, 1.0)))
    for course in state.courses:
        course.treatments.extend(_treatments(chance, course, state, person, until))
    return state


def _allergies(chance: Chance, person: Person, today: dt.date) -> list[Allergen] | None:
    if person.joined > today - dt.timedelta(days=60) and chance.happens(0.3):
        return None
    if chance.happens(0.72 if person.age_on(today) > 18 else 0.85):
        return []
    first = chance.weighted([(a, a.weight) for a in ALLERGENS])
    second = chance.weighted([(a, a.weight) for a in ALLERGENS])
    return [first, second] if second is not first and chance.happens(0.2) else [first]


def _falls_ill(chance: Chance, problem: Problem, person: Person, state: Health, until: dt.date) -> bool:
    age = person.age_on(until)
    if person.sex[0] not in problem.sexes:
        return False
    if problem.key == "obesity":
        return person.bmi >= 30 if age >= 18 else person.heavy > 1.9 and age > 6
    if problem.key == "prediabetes" and any(c.problem.key == "diabetes" for c in state.courses):
        return False
    return chance.happens(_likelihood(problem, person, state, age))


def _likelihood(problem: Problem, person: Person, state: Health, age: float) -> float:
    share = problem.share_at(age)
    if problem.key == "copd":
        share *= {"never": 0.25, "former": 1.8, "current": 3.0}[person.smoker]
    if "obesity" in problem.after:
        return share * (problem.times if person.bmi >= 30 else 0.65)
    if problem.after:
        present = {course.problem.key for course in state.courses}
        return share * (problem.times if present & set(problem.after) else 0.6)
    return share


def _onset(chance: Chance, problem: Problem, person: Person, until: dt.date) -> dt.date:
    """Somewhere between the first age at which it happens and now, more often late than early."""
    youngest = problem.shares[0][0]
    age = person.age_on(until)
    at = youngest + (age - youngest) * chance.betavariate(2.2, 1.5)
    return min(person.born + dt.timedelta(days=int(at * YEAR) + 20), until - dt.timedelta(days=1))


def _treatments(chance: Chance, course: Course, state: Health, person: Person, until: dt.date) -> Iterator[Treatment]:
    """The first line soon after the onset; each further line if the first was not enough and time has passed."""
    start = course.onset + dt.timedelta(days=chance.randint(0, 60))
    mine: list[Treatment] = []
    for number, line in enumerate(course.problem.lines):
        if number and not chance.happens(0.3 + 0.5 * (1 - course.control)):
            break
        drug = _choose(chance, line, state, mine)
        if drug is None or start > until or person.age_on(start) < _youngest(drug):
            continue
        _stop_replaced(mine, drug, start)
        mine.append(Treatment(drug, start))
        yield mine[-1]
        start += dt.timedelta(days=chance.randint(240, 1100))


def _choose(chance: Chance, line: tuple[str, ...], state: Health, mine: list[Treatment]) -> Drug | None:
    taken = {_ingredient(t.drug) for c in state.courses for t in c.treatments if t not in mine and not t.stopped}
    fits = [key for key in line if state.may_take(key) and _ingredient(DRUG[key]) not in taken]
    return DRUG[chance.choice(fits)] if fits else None


def _stop_replaced(mine: list[Treatment], drug: Drug, start: dt.date) -> None:
    for earlier in mine:
        if _ingredient(earlier.drug) == _ingredient(drug) and not earlier.stopped:
            earlier.stopped = start


def _ingredient(drug: Drug) -> str:
    return {"apixaban": "anticoagulant", "warfarin": "anticoagulant", "atorvastatin": "statin", "simvastatin": "statin"}.get(
        drug.key.split("-")[0], drug.key.split("-")[0]
    )


def _youngest(drug: Drug) -> int:
    return {"naproxen-500": 12, "cetirizine-10": 6, "loratadine-10": 6, "methylphenidate-20": 6, "fluoxetine-20": 8, "sertraline-50": 6}.get(
        drug.key, 3
    )
