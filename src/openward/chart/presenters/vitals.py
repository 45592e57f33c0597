"""Vital signs as they must be read: value with unit, H and L in words, range, trend, or that nobody measured."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from django.utils.functional import cached_property

from openward.chart import vitals
from openward.chart.codes import INTERPRETATION, LOINC
from openward.chart.presenters.wording import date_of, in_order, years_between
from openward.chart.vitals import BLOOD_PRESSURE, Sign
from openward.web.charts import Point, Series, Trend
from openward.web.display import clock, day, day_and_clock, parse
from openward.web.words import gettext as _

MARKS = ("N", "L", "H", "LL", "HH")


@dataclass(unsafe_hash=True)
class Reading:
    """One measured value, which nobody changes. Its number and its mark are made when they are asked for: a chart reads a hundred and shows a dozen.

    `quantity` is the JSON of what was measured, `stated` the mark that came with it, `born` the birth date of who was measured.
    """

    sign: Sign
    quantity: Mapping[str, Any]
    at: str
    stated: str
    born: str | None
    observation: str

    @property
    def moment(self) -> dt.datetime | dt.date | None:
        return parse(self.at)

    @cached_property
    def value(self) -> Decimal:
        """In the sign's own unit."""
        number = self.quantity["value"]
        value = vitals.in_own_unit(self.sign, number if isinstance(number, Decimal) else Decimal(str(number)), _unit(self.quantity))
        assert value is not None  # noqa: S101 - one that cannot be read is no reading
        return value

    @cached_property
    def mark(self) -> str:
        """N, L, H, LL or HH: as it came, else by the limits for the age at that time."""
        if self.stated:
            return self.stated
        moment = self.moment
        age = years_between(self.born, moment.date() if isinstance(moment, dt.datetime) else moment) if moment else None
        return self.sign.at(age).mark(self.value)


def readings(observations: Iterable[Any], born: str | None) -> dict[str, list[Reading]]:
    """Every reading by sign, newest first. Entered-in-error and cancelled ones are left out, and what is in no unit of its sign; other units are
    converted."""
    found: dict[str, list[Reading]] = {}
    for observation in observations:
        if observation.status in ("entered-in-error", "cancelled"):
            continue
        at = date_of(observation)
        for sign, part in _measured(observation.data):
            if vitals.unit_of(sign.key, _unit(part["valueQuantity"])) is None:
                continue
            found.setdefault(sign.key, []).append(Reading(sign, part["valueQuantity"], at, _stated(part), born, str(observation.id)))
    return {key: sorted(rows, key=lambda row: in_order(row.at), reverse=True) for key, rows in found.items()}


def _unit(quantity: Mapping[str, Any]) -> str:
    return str(quantity.get("code") or quantity.get("unit") or "")


def _measured(observation: Mapping[str, Any]) -> Iterable[tuple[Sign, Mapping[str, Any]]]:
    """The signs measured, each with the part of the observation that holds its value."""
    known = _by_loinc()
    for part in (observation, *observation.get("component", ())):
        codings = part["code"].get("coding", ()) if part.get("valueQuantity", {}).get("value") is not None else ()
        sign = next((known[coding["code"]] for coding in codings if coding.get("system") == LOINC and coding.get("code") in known), None)
        if sign is not None:
            yield sign, part


def _stated(part: Mapping[str, Any]) -> str:
    codings = (coding for one in part.get("interpretation", ()) for coding in one.get("coding", ()))
    return next((str(coding["code"]) for coding in codings if coding.get("system") == INTERPRETATION and coding.get("code") in MARKS), "")


@cache
def _by_loinc() -> Mapping[str, Sign]:
    found = {sign.loinc: sign for sign in vitals.signs().values()}
    return found | {sign.also: sign for sign in vitals.signs().values() if sign.also}


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


@dataclass(frozen=True, slots=True)
class Taken:
    """One measurement as a line: what it says, when, and the Observation it is."""

    observation: str
    said: str
    at: str

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
        return day_and_clock(self._latest) if self._latest else _("Never measured here")

    @cached_property
    def _latest(self) -> str:
        return max((rows[0].at for rows in self.by_sign.values()), key=in_order, default="")

    def earlier(self, row: VitalRow) -> str:
        """When a row was taken, if not with the latest: its time when it was the same day, else its day."""
        same_day = day(row.at) == day(self._latest)
        if same_day and clock(row.at) == clock(self._latest):
            return ""
        return (clock(row.at) if same_day else "") or day(row.at)

    @cached_property
    def rows(self) -> list[VitalRow]:
        found = [self._pressure()] if "systolic" in self.by_sign or "diastolic" in self.by_sign else []
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
        """The halves of the latest measurement. A half that was not measured is said to be missing, never taken from another day."""
        halves = [self.by_sign.get(key, []) for key in ("systolic", "diastolic")]
        at = max((rows[0].at for rows in halves if rows), key=in_order)
        latest = [next((row for row in rows[:1] if in_order(row.at) == in_order(at)), None) for rows in halves]
        upper = halves[0]
        return VitalRow(
            label=_("Blood pressure"),
            value="/".join(str(half.value) if half is not None else "–" for half in latest),
            unit="mmHg",
            mark=_worst([half.mark for half in latest if half is not None and half.mark != "N"]),
            at=at,
            also="",
            reference=" / ".join(_range(vitals.signs()[key], self.age) for key in ("systolic", "diastolic")),
            trend=_trend([row.value for row in upper[:2]], upper[0].sign) if latest[0] is not None else "",
            history=tuple(float(row.value) for row in reversed(upper[:12])),
            key="systolic",
        )

    def taken_of(self, key: str, most: int = 10) -> list[Taken]:
        """The latest measurements of one sign, newest first; of blood pressure both halves of each."""
        keys = ["systolic", "diastolic"] if key in ("systolic", "diastolic") else [key]
        rows = sorted((row for one in keys for row in self.by_sign.get(one, [])), key=lambda row: in_order(row.at), reverse=True)
        by_observation: dict[str, list[Reading]] = {}
        for row in rows:
            by_observation.setdefault(row.observation, []).append(row)
        shown = list(by_observation.items())[:most]
        return [Taken(id, f"{'/'.join(str(part.value) for part in parts)} {parts[0].sign.unit}", parts[0].at) for id, parts in shown]

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
