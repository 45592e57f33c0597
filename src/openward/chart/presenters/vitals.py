"""Vital signs as they must be read: value with unit, H and L in words, range, trend, or that nobody measured."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, cached_property
from typing import Any

from django.utils.translation import gettext as _

from openward.chart import vitals
from openward.chart.codes import INTERPRETATION, LOINC
from openward.chart.presenters.wording import code_in, codes_in, date_of, years_between
from openward.chart.vitals import BLOOD_PRESSURE, Sign
from openward.web.charts import Point, Series, Trend
from openward.web.display import day_and_clock, parse

MARKS = ("N", "L", "H", "LL", "HH")


@dataclass(frozen=True, slots=True)
class Reading:
    """One measured value, in the sign's own unit, with its mark (N L H LL HH)."""

    sign: Sign
    value: Decimal
    at: str
    mark: str
    observation: str

    @property
    def moment(self) -> dt.datetime | dt.date | None:
        return parse(self.at)


def readings(observations: Iterable[Any], born: str | None) -> dict[str, list[Reading]]:
    """Every reading by sign, newest first. Entered-in-error and cancelled ones are left out; other units are converted."""
    found: dict[str, list[Reading]] = {}
    for observation in observations:
        if observation.status in ("entered-in-error", "cancelled"):
            continue
        at = date_of(observation)
        moment = parse(at)
        age = years_between(born, moment.date() if isinstance(moment, dt.datetime) else moment) if moment else None
        for sign, quantity, marks in _measured(observation):
            found.setdefault(sign.key, []).append(_reading(str(observation.id), at, age, sign, quantity, marks))
    return {key: sorted(rows, key=lambda row: row.at, reverse=True) for key, rows in found.items()}


def _measured(observation: Any) -> Iterable[tuple[Sign, Any, Any]]:
    known = _by_loinc()
    for part in (observation, *observation.component):
        sign = next((known[code] for code in codes_in(part.code, LOINC) if code in known), None)
        if sign is not None and part.valueQuantity is not None and part.valueQuantity.value is not None:
            yield sign, part.valueQuantity, part.interpretation


@cache
def _by_loinc() -> Mapping[str, Sign]:
    found = {sign.loinc: sign for sign in vitals.signs().values()}
    return found | {sign.also: sign for sign in vitals.signs().values() if sign.also}


def _reading(observation: str, at: str, age: Decimal | None, sign: Sign, quantity: Any, marks: Any) -> Reading:
    value = vitals.to_own_unit(sign, quantity.value, str(quantity.code or quantity.unit or ""))
    stated = next((code for one in marks if (code := code_in(one, INTERPRETATION)) in MARKS), "")
    return Reading(sign, value, at, stated or vitals.mark(sign, value, age), observation)


@dataclass(frozen=True, slots=True)
class VitalRow:
    """One line of the card: the latest reading with what came before it."""

    label: str
    value: str
    unit: str
    mark: str
    at: str
    also: str
    reference: str
    trend: str
    history: tuple[float, ...]
    key: str

    @property
    def when(self) -> str:
        return day_and_clock(self.at)


@dataclass(frozen=True)
class VitalsCard:
    """The vitals of a patient, from their observations. `age` in years today."""

    observations: Sequence[Any]
    born: str | None
    age: Decimal | None

    @cached_property
    def by_sign(self) -> dict[str, list[Reading]]:
        return readings(self.observations, self.born)

    @property
    def is_empty(self) -> bool:
        return not self.by_sign

    @property
    def taken(self) -> str:
        """When the latest were taken, in words."""
        latest = max((rows[0].at for rows in self.by_sign.values()), default="")
        return day_and_clock(latest) if latest else _("Never measured here")

    @cached_property
    def rows(self) -> list[VitalRow]:
        found = [self._pressure()] if "systolic" in self.by_sign and "diastolic" in self.by_sign else []
        for key, sign in vitals.signs().items():
            if key in self.by_sign and not sign.panel:
                found.append(self._row(sign, self.by_sign[key]))
        return found

    def _row(self, sign: Sign, rows: Sequence[Reading]) -> VitalRow:
        latest = rows[0]
        return VitalRow(
            label=_(sign.title),
            value=str(latest.value),
            unit=sign.unit,
            mark="" if latest.mark == "N" else latest.mark,
            at=latest.at,
            also=_in_us_units(sign, latest.value),
            reference=_range(sign, self.age),
            trend=_trend([row.value for row in rows[:2]], sign),
            history=tuple(float(row.value) for row in reversed(rows[:12])),
            key=sign.key,
        )

    def _pressure(self) -> VitalRow:
        upper, lower = self.by_sign["systolic"], self.by_sign["diastolic"]
        marks = [row.mark for row in (upper[0], lower[0]) if row.mark != "N"]
        return VitalRow(
            label=_("Blood pressure"),
            value=f"{upper[0].value}/{lower[0].value}",
            unit="mmHg",
            mark=_worst(marks),
            at=upper[0].at,
            also="",
            reference=" / ".join(_range(vitals.signs()[key], self.age) for key in ("systolic", "diastolic")),
            trend=_trend([row.value for row in upper[:2]], upper[0].sign),
            history=tuple(float(row.value) for row in reversed(upper[:12])),
            key="systolic",
        )

    def trend_of(self, key: str) -> Trend | None:
        """The whole history of one sign for a chart; blood pressure as two lines."""
        keys = ["systolic", "diastolic"] if key in ("systolic", "diastolic", BLOOD_PRESSURE) else [key]
        if not any(key in self.by_sign for key in keys):
            return None
        series = [Series(_(vitals.signs()[one].title), _points(self.by_sign.get(one, []))) for one in keys]
        sign = vitals.signs()[keys[0]]
        limits = sign.at(self.age)
        label = _("Blood pressure") if len(keys) == 2 else _(sign.title)
        return Trend(label, sign.unit, series, _float(limits.low), _float(limits.high))


def _points(rows: Sequence[Reading]) -> list[Point]:
    return [
        Point(row.moment, float(row.value), "" if row.mark == "N" else row.mark, str(row.value)) for row in reversed(rows) if row.moment is not None
    ]


def _worst(marks: Sequence[str]) -> str:
    order = ("HH", "LL", "H", "L")
    return next((mark for mark in order if mark in marks), "")


def _range(sign: Sign, age: Decimal | None) -> str:
    row = sign.at(age)
    if row.low is not None and row.high is not None:
        return f"{row.low}–{row.high}"
    if row.low is not None:
        return f"≥ {row.low}"
    return f"≤ {row.high}" if row.high is not None else ""


def _trend(values: Sequence[Decimal], sign: Sign) -> str:
    """`up`, `down` or `same`: a change of less than 2 % is none."""
    if len(values) < 2 or not values[1]:
        return ""
    change = (values[0] - values[1]) / values[1]
    return "same" if abs(change) < Decimal("0.02") else "up" if change > 0 else "down"


def _in_us_units(sign: Sign, value: Decimal) -> str:
    unit = sign.usual_unit
    return "" if unit.unit == sign.unit else f"{vitals.from_own_unit(sign, value, unit.unit)} {unit.unit}"


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
