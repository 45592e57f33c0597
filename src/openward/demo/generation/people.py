"""Who the patients are: age, sex, name, home, doctor, payer and the body they have. Cheap enough to make ten thousand at once."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from openward.demo.content.names import BACKGROUNDS, Background
from openward.demo.content.places import FACILITIES, Facility
from openward.demo.content.services import PAYERS, Payer
from openward.demo.content.staff import CLINICIANS, Clinician
from openward.demo.generation.chance import Chance, fixed_id
from openward.demo.generation.moment import Moment

YEAR = 365.25
AGES = (((0, 5), 0.08), ((5, 18), 0.15), ((18, 35), 0.19), ((35, 50), 0.18), ((50, 65), 0.19), ((65, 80), 0.15), ((80, 96), 0.06))
PEOPLE_FROM = 1000


@dataclass(frozen=True, slots=True)
class Person:
    """One invented patient. `tall` and `heavy` are standard deviations from the middle child; `bmi` is the adult's, in kg/m²."""

    number: int
    id: str
    sex: str
    born: dt.date
    died: dt.date | None
    given: str
    middle: str
    family: str
    background: Background
    language: tuple[str, str]
    facility: Facility
    doctor: Clinician
    payer: Payer
    joined: dt.date
    tall: float
    heavy: float
    height: float
    bmi: float
    smoker: str
    careful: float

    @property
    def name(self) -> str:
        return f"{self.given} {self.family}"

    def age_on(self, day: dt.date) -> float:
        """Age in years, with its fraction."""
        return (day - self.born).days / YEAR

    def whole_years(self, day: dt.date) -> int:
        return day.year - self.born.year - ((day.month, day.day) < (self.born.month, self.born.day))

    def may_see(self, clinician: Clinician, day: dt.date) -> bool:
        return clinician.ages[0] <= self.age_on(day) < clinician.ages[1] and self.sex[0] in clinician.sexes


def person(seed: int, number: int, moment: Moment) -> Person:
    """The `number`th patient, from 1."""
    chance = Chance(seed, "person", number)
    today = moment.today
    born = _born(chance, today)
    age = (today - born).days / YEAR
    sex = "female" if chance.happens(0.53) else "male"
    background = chance.weighted([(b, b.share) for b in BACKGROUNDS])
    given, middle, family = _names(chance, background, sex)
    facility = FACILITIES[0] if chance.happens(0.6) else FACILITIES[1]
    joined = _joined(chance, born, today)
    died = _died(chance, age, joined, today)
    language = chance.weighted([((code, name), weight) for code, name, weight in background.languages])
    return Person(
        number=number,
        id=fixed_id(seed, PEOPLE_FROM + number, 0),
        sex=sex,
        born=born,
        died=died,
        given=given,
        middle=middle,
        family=family,
        background=background,
        language=language,
        facility=facility,
        doctor=_doctor(chance, facility, age),
        payer=chance.weighted([(p, p.weight) for p in PAYERS if p.ages[0] <= age < p.ages[1]]),
        joined=joined,
        tall=chance.near(0, 0.9, -2.2, 2.2),
        heavy=chance.near(0.15, 0.9, -1.9, 2.6),
        height=_height(chance, sex),
        bmi=_bmi(chance, age),
        smoker=_smoker(chance, age),
        careful=chance.near(0.75, 0.2, 0.15, 1.0),
    )


def _born(chance: Chance, today: dt.date) -> dt.date:
    low, high = chance.weighted(AGES)
    return today - dt.timedelta(days=chance.uniform(max(low, 0.04) * YEAR, high * YEAR))


def _names(chance: Chance, background: Background, sex: str) -> tuple[str, str, str]:
    pool = background.female if sex == "female" else background.male
    given, middle = chance.sample(pool, 2)
    return given, middle[0], chance.choice(background.family)


def _joined(chance: Chance, born: dt.date, today: dt.date) -> dt.date:
    """When they first came: up to six years ago; most children under six were born into the practice."""
    age = (today - born).days
    if age < 6 * YEAR and chance.happens(0.85):
        return born + dt.timedelta(days=min(3, age))
    return today - dt.timedelta(days=int(chance.uniform(20, min(6 * YEAR, age - 10 if age > 40 else age))))


def _died(chance: Chance, age: float, joined: dt.date, today: dt.date) -> dt.date | None:
    with_us = (today - joined).days
    if age < 55 or with_us < 200 or not chance.happens(0.06 if age > 80 else 0.02):
        return None
    return today - dt.timedelta(days=int(chance.uniform(14, min(with_us - 100, 700))))


def _doctor(chance: Chance, facility: Facility, age: float) -> Clinician:
    here = [c for c in CLINICIANS if c.facility == facility.key and c.is_primary and c.ages[0] <= age < c.ages[1]]
    return chance.weighted([(c, 4.0 if c.ages[1] == 18 else 1.0) for c in here])


def _height(chance: Chance, sex: str) -> float:
    return chance.near(162, 6.5, 145, 182) if sex == "female" else chance.near(176, 7, 156, 200)


def _bmi(chance: Chance, age: float) -> float:
    middle = 25.5 + min(max(age - 18, 0), 35) * 0.09
    return min(max(chance.lognormvariate(0, 0.2) * middle, 17.2), 52.0)


def _smoker(chance: Chance, age: float) -> str:
    if age < 16:
        return "never"
    return chance.weighted([("never", 0.66 if age < 45 else 0.55), ("former", 0.14 if age < 45 else 0.32), ("current", 0.14 if age < 75 else 0.07)])
