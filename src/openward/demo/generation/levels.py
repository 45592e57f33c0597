"""What a laboratory would measure in this person on this day: baselines of their own, moved by illness, treatment and age."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from openward.demo.content.labs import Panel
from openward.demo.generation.chance import Chance
from openward.demo.generation.people import Person

if TYPE_CHECKING:
    from openward.demo.generation.chart import Chart

CRITICAL_EVERY = 40


def panel_levels(chart: Chart, panel: Panel, day: dt.date) -> dict[str, float]:
    """A value for every analyte of the panel, consistent among each other."""
    levels = _Levels(chart, day)
    values = {key: levels.of(key) for key in panel.analytes if key != "cholesterol"}
    if panel.key == "lipid":
        values["cholesterol"] = values["ldl"] + values["hdl"] + values["triglycerides"] / 5
    if panel.key in ("bmp", "cmp") and _is_critical(chart, day):
        values["potassium"] = chart.chance.near(6.5, 0.12, 6.3, 6.8)
    return values


def _is_critical(chart: Chart, day: dt.date) -> bool:
    """Now and then a result of the last days that somebody must be called about: high potassium."""
    recent = (chart.today - day).days <= 3
    return recent and chart.chance.happens(1 / CRITICAL_EVERY if not chart.health.has("ckd", day) else 0.3)


class _Levels:
    """`own` is a stable number of this person for an analyte, in standard deviations."""

    def __init__(self, chart: Chart, day: dt.date) -> None:
        self.chart, self.person, self.day, self.chance = chart, chart.person, day, chart.chance
        self.male = chart.person.sex == "male"

    def own(self, key: str) -> float:
        return Chance(self.chart.seed, "level", self.person.number, key).near(0, 1, -2, 2)

    def about(self, key: str, middle: float, between: float, within: float, low: float, high: float) -> float:
        """A person keeps near their own level: `between` people it differs more than `within` one."""
        return self.chance.near(middle + self.own(key) * between, within, low, high)

    def of(self, key: str) -> float:
        special = getattr(self, "_" + key.replace("-", "_"), None)
        return float(special()) if special else self.about(key, *PLAIN[key])

    def _a1c(self) -> float:
        course = self.chart.health.has("diabetes", self.day)
        if course:
            untreated = 8.7 + self.own("a1c") * 0.9
            years = (self.day - course.onset).days / 365.25
            effect = min(course.treated_on(self.day), 1.7) * (0.9 + 1.1 * course.control)
            return self.chance.near(untreated - effect + min(years, 15) * 0.04, 0.25, 5.8, 13.5)
        if self.chart.health.has("prediabetes", self.day):
            return self.chance.near(6.0, 0.15, 5.7, 6.4)
        return self.chance.near(5.2 + self.own("a1c") * 0.18, 0.1, 4.6, 5.6)

    def _glucose(self) -> float:
        diabetic = self.chart.health.has("diabetes", self.day)
        return self.chance.near(28.7 * self._a1c() - 46.7 - (12 if not diabetic else 0), 9 if not diabetic else 22, 64, 380)

    def _egfr(self) -> float:
        return egfr(self._creatinine(), self.person, self.day)

    def _creatinine(self) -> float:
        """One value a day, so that the estimated filtration rate agrees with it."""
        name = f"creatinine/{self.day}"
        if name not in self.chart.named:
            self.chart.named[name] = {"value": round(self._fresh_creatinine(), 2)}
        return float(self.chart.named[name]["value"])

    def _fresh_creatinine(self) -> float:
        course = self.chart.health.has("ckd", self.day)
        if course:
            years = (self.day - course.onset).days / 365.25
            target = max(57 + self.own("egfr") * 3 - 1.1 * min(years, 14) * (1.3 - course.control), 33)
            return creatinine_for(self.chance.near(target, 1.8, 30, 62), self.person, self.day)
        age = self.person.age_on(self.day)
        if age < 16:
            return self.chance.near(0.3 + age * 0.025, 0.04, 0.2, 0.8)
        expected = creatinine_for(max(104 - max(age - 30, 0) * 0.65 + self.own("egfr") * 9, 64), self.person, self.day)
        return self.chance.near(expected, 0.03, 0.45, 1.25)

    def _bun(self) -> float:
        return self.chance.near(12 + (9 if self.chart.health.has("ckd", self.day) else 0), 2.6, 5, 45)

    def _ldl(self) -> float:
        ill = self.chart.health.has("hyperlipidemia", self.day)
        level = 158 + self.own("ldl") * 17 if ill else 104 + self.own("ldl") * 18
        if self.chart.health.takes("atorvastatin", self.day) or self.chart.health.takes("simvastatin", self.day):
            level *= 0.6 + 0.12 * (1 - self.person.careful)
        return self.chance.near(level, 7, 38, 240)

    def _triglycerides(self) -> float:
        return self.about(
            "triglycerides", 105 + (45 if self.chart.health.has("diabetes", self.day) else 0) + (self.person.bmi - 26) * 2, 24, 16, 45, 420
        )

    def _hdl(self) -> float:
        return self.about("hdl", (48 if self.male else 58) - (self.person.bmi - 26) * 0.5, 8, 2.5, 26, 92)

    def _hemoglobin(self) -> float:
        name = f"hemoglobin/{self.day}"
        if name not in self.chart.named:
            self.chart.named[name] = {"value": round(self._fresh_hemoglobin(), 1)}
        return float(self.chart.named[name]["value"])

    def _fresh_hemoglobin(self) -> float:
        level = (15.1 if self.male else 13.6) if self.person.age_on(self.day) >= 14 else 12.9
        course = self.chart.health.has("anemia", self.day)
        level -= 3.4 - 2.6 * min(course.treated_on(self.day), 1.0) if course else 0
        level -= 1.2 if self.chart.health.has("ckd", self.day) else 0
        return self.chance.near(level + self.own("hemoglobin") * 0.6, 0.25, 8.2, 17.6)

    def _hematocrit(self) -> float:
        return self._hemoglobin() * 2.95

    def _rbc(self) -> float:
        return self._hemoglobin() * 10 * 2.95 / self._mcv()

    def _mcv(self) -> float:
        course = self.chart.health.has("anemia", self.day)
        return 89 + self.own("mcv") * 2.5 - (13 * (1 - 0.8 * min(course.treated_on(self.day), 1.0)) if course else 0)

    def _ferritin(self) -> float:
        course = self.chart.health.has("anemia", self.day)
        return self.chance.near(7 + 26 * min(course.treated_on(self.day), 1.0), 3, 3, 60) if course else self.about("ferritin", 95, 35, 8, 25, 300)

    def _tsh(self) -> float:
        course = self.chart.health.has("hypothyroidism", self.day)
        if course:
            return self.chance.near(10.5 - 8 * min(course.treated_on(self.day), 1.0) * (0.6 + 0.4 * course.control), 0.8, 0.3, 22)
        return self.about("tsh", 1.9, 0.6, 0.25, 0.5, 4.2)

    def _uacr(self) -> float:
        kidney = self.chart.health.has("ckd", self.day)
        return self.about("uacr", 78 if kidney else 13, 22 if kidney else 5, 6, 3, 340)

    def _psa(self) -> float:
        return self.about("psa", 0.9 + (1.2 if self.chart.health.has("prostate", self.day) else 0), 0.4, 0.1, 0.2, 6.5)

    def _uric_acid(self) -> float:
        course = self.chart.health.has("gout", self.day)
        return (
            self.chance.near(8.6 - 2.6 * min(course.treated_on(self.day), 1.0), 0.4, 4.2, 10.5)
            if course
            else self.about("uric-acid", 5.4, 0.7, 0.2, 3.6, 7.1)
        )

    def _bnp(self) -> float:
        return self.about(
            "bnp",
            1250 if self.chart.health.has("heart-failure", self.day) else 110,
            260 if self.chart.health.has("heart-failure", self.day) else 40,
            40,
            20,
            4000,
        )

    def _urine_wbc(self) -> float:
        return 1.0

    def _urine_nitrite(self) -> float:
        return 1.0 if self.chance.happens(0.6) else 0.0

    def _potassium(self) -> float:
        kidney = 0.35 if self.chart.health.has("ckd", self.day) else 0.0
        water = -0.25 if self.chart.health.takes("furosemide", self.day) or self.chart.health.takes("hctz", self.day) else 0.0
        return self.about("potassium", 4.2 + kidney + water, 0.18, 0.15, 3.1, 5.6)


# analyte: middle, between people, within one, lowest, highest
PLAIN: dict[str, tuple[float, float, float, float, float]] = {
    "sodium": (139.5, 1.2, 1.1, 131, 146),
    "chloride": (102.5, 1.3, 1.2, 96, 109),
    "bicarbonate": (25.3, 1.2, 1.0, 19, 31),
    "calcium": (9.4, 0.2, 0.15, 8.4, 10.5),
    "protein": (7.1, 0.25, 0.15, 5.9, 8.4),
    "albumin": (4.3, 0.2, 0.1, 3.2, 5.0),
    "bilirubin": (0.6, 0.15, 0.08, 0.2, 1.6),
    "alp": (76, 14, 5, 38, 150),
    "alt": (24, 8, 4, 8, 95),
    "ast": (23, 5, 3, 10, 70),
    "wbc": (6.7, 1.1, 0.7, 3.4, 13.5),
    "platelets": (248, 40, 14, 130, 430),
    "vitamin-d": (31, 8, 3, 11, 68),
}


def egfr(creatinine: float, person: Person, day: dt.date) -> float:
    """CKD-EPI 2021, in mL/min/1.73 m². https://www.kidney.org/ckd-epi-creatinine-equation-2021-0"""
    kappa, alpha, factor = (0.7, -0.241, 1.012) if person.sex == "female" else (0.9, -0.302, 1.0)
    ratio = creatinine / kappa
    return min(142 * min(ratio, 1) ** alpha * max(ratio, 1) ** -1.2 * 0.9938 ** person.age_on(day) * factor, 140)


def creatinine_for(rate: float, person: Person, day: dt.date) -> float:
    """The creatinine in mg/dL that gives this filtration rate: the equation turned round."""
    kappa, alpha, factor = (0.7, -0.241, 1.012) if person.sex == "female" else (0.9, -0.302, 1.0)
    share = rate / (142 * 0.9938 ** person.age_on(day) * factor)
    return float(kappa * share ** (1 / -1.2) if share < 1 else kappa * share ** (1 / alpha))
