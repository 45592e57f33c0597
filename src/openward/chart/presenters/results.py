"""Laboratory results: value, unit, range, H and L in words, trend, the laboratory's comment, and the same in plain words for the patient."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Any

from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _lazy

from openward.chart import labs
from openward.chart.codes import CRITICAL, INTERPRETATION, LOINC, RELEASED, TAG
from openward.chart.labs import LabTest
from openward.chart.limits import Limits
from openward.chart.presenters.wording import amount, code_in, concept, date_of, in_order, unit, years_between
from openward.web.charts import Series, Trend, points
from openward.web.display import day, local, number, parse
from openward.web.words import gettext as _

NOTHING: Mapping[str, Any] = {}
SYMBOLS = ("H", "L", "A", "N", *CRITICAL)

RESULT_STATES = {
    "registered": _lazy("Registered"),
    "preliminary": _lazy("Preliminary"),
    "final": "",
    "amended": _lazy("Amended"),
    "corrected": _lazy("Corrected"),
    "cancelled": _lazy("Cancelled"),
    "entered-in-error": _lazy("Entered in error"),
}


@dataclass(frozen=True, slots=True)
class Person:
    """Who the result is read for, where the laboratory sent no range of its own."""

    sex: str | None
    born: str | None

    def age_at(self, at: str) -> Decimal | None:
        moment = parse(at)
        if moment is None:
            return None
        return years_between(self.born, moment.date() if isinstance(moment, dt.datetime) else moment)


@dataclass(unsafe_hash=True)
class ResultRow:
    """One laboratory observation, which nobody changes. `mark` as the laboratory sent it, else read against its range, else against the catalog's."""

    resource: Any
    person: Person

    @property
    def id(self) -> str:
        return str(self.resource.id)

    @cached_property
    def test(self) -> LabTest | None:
        known = labs.by_loinc()
        codings = self.resource.data.get("code", NOTHING).get("coding", ())
        return next((known[one["code"]] for one in codings if one.get("system") == LOINC and one.get("code") in known), None)

    @property
    def code(self) -> str:
        return code_in(self.resource.code, LOINC) or concept(self.resource.code)

    @cached_property
    def name(self) -> str:
        return self.test.name if self.test is not None else concept(self.resource.code, _("Test not named"))

    @cached_property
    def at(self) -> str:
        return date_of(self.resource)

    @cached_property
    def _quantity(self) -> Mapping[str, Any]:
        """As it stands in the resource's JSON, for it is asked for many times over: the value, its unit, its mark, its trend."""
        return self.resource.data.get("valueQuantity") or NOTHING

    @cached_property
    def number(self) -> Decimal | None:
        value = self._quantity.get("value")
        return value if value is None or isinstance(value, Decimal) else Decimal(str(value))

    @property
    def value(self) -> str:
        """The value with its comparator, or text, or why there is none."""
        if self.number is not None:
            return f"{self._quantity.get('comparator') or ''}{number(self.number)}"
        if self.resource.valueCodeableConcept is not None:
            return concept(self.resource.valueCodeableConcept)
        if self.resource.valueString:
            return str(self.resource.valueString)
        return concept(self.resource.dataAbsentReason, _("No value sent"))

    @cached_property
    def unit(self) -> str:
        return unit(self._quantity.get("unit") or self._quantity.get("code"))

    @cached_property
    def mark(self) -> str:
        """H, L, HH, LL, A, AA; empty for normal and for not known."""
        stated = next((code for one in self.resource.interpretation if (code := code_in(one, INTERPRETATION)) in SYMBOLS), "")
        found = stated or self._mark_by_range()
        return "" if found == "N" else found

    @property
    def is_critical(self) -> bool:
        return self.mark in CRITICAL

    @cached_property
    def is_usual(self) -> bool:
        """Whether somebody says so: the laboratory, or a range in numbers it lies in. A range in words alone was held against nothing."""
        if self.mark or self.number is None:
            return False
        stated = any(code_in(one, INTERPRETATION) == "N" for one in self.resource.interpretation)
        return stated or any(limit is not None for limit in self.limits)

    def _mark_by_range(self) -> str:
        if self.number is None:
            return ""
        limits: Limits | None = self._catalog_range
        if self._own_range is not None:
            # A laboratory's range says what is usual, not what is dangerous: that the catalog knows.
            dangerous = (limits.critical_low, limits.critical_high) if limits is not None else (None, None)
            limits = Limits(*self.limits, *dangerous)
        return limits.mark(self.number) if limits is not None else ""

    @cached_property
    def _own_range(self) -> Any:
        return next((row for row in self.resource.referenceRange if row.low is not None or row.high is not None or row.text), None)

    @cached_property
    def _catalog_range(self) -> labs.LabRange | None:
        test = self.test
        same_unit = test is not None and test.ucum in (self._quantity.get("code"), self._quantity.get("unit")) if self.number is not None else False
        return test.range_for(self.person.sex, self.person.age_at(self.at)) if test is not None and same_unit else None

    @cached_property
    def limits(self) -> tuple[Decimal | None, Decimal | None]:
        own = self._own_range
        if own is not None:
            return (own.low.value if own.low is not None else None, own.high.value if own.high is not None else None)
        row = self._catalog_range
        return (row.low, row.high) if row is not None else (None, None)

    @property
    def reference(self) -> str:
        """The reference range in words; says when it is not the laboratory's own."""
        if self._own_range is not None and self._own_range.text:
            return str(self._own_range.text)
        low, high = self.limits
        if low is None and high is None:
            return ""
        return (
            f"{number(low)}–{number(high)}"
            if low is not None and high is not None
            else f"≥ {number(low)}"
            if low is not None
            else f"≤ {number(high)}"
        )

    @property
    def comment(self) -> str:
        return " ".join(str(note.text) for note in self.resource.note if note.text)

    @property
    def status(self) -> str:
        return str(RESULT_STATES.get(self.resource.status or "", ""))

    @property
    def is_released(self) -> bool:
        return is_released(self.resource)


def is_released(resource: Any) -> bool:
    return resource.meta is not None and any(tag.system == TAG and tag.code == RELEASED for tag in resource.meta.tag)


@dataclass(frozen=True)
class ResultGroup:
    """All values of one test, newest first."""

    rows: Sequence[ResultRow]

    @property
    def latest(self) -> ResultRow:
        return self.rows[0]

    @cached_property
    def comparable(self) -> list[ResultRow]:
        """The values that may be compared with the latest: numbers in its unit."""
        return [row for row in self.rows if row.number is not None and row.unit == self.latest.unit]

    @property
    def history(self) -> tuple[float, ...]:
        return tuple(float(row.number) for row in reversed(self.comparable[:12]) if row.number is not None)

    @property
    def trend(self) -> str:
        if self.latest.number is None:
            return ""
        values = [row.number for row in self.comparable[:2] if row.number is not None]
        if len(values) < 2 or not values[1]:
            return ""
        change = (values[0] - values[1]) / abs(values[1])
        return "same" if abs(change) < Decimal("0.03") else "up" if change > 0 else "down"

    @property
    def chart(self) -> Trend:
        low, high = self.latest.limits
        rows = [(row.at, row.number, row.mark) for row in self.comparable]
        series = points(rows)
        return Trend(self.latest.name, self.latest.unit, [Series(self.latest.name, series)] if series else [], _float(low), _float(high))


def grouped(observations: Iterable[Any], person: Person, most: int | None = None) -> list[ResultGroup]:
    """By test: the latest day first, within it the critical, then the abnormal. Not many more than `most`, if given: to weigh a group is half the work."""
    groups: dict[str, list[ResultRow]] = {}
    for observation in observations:
        if observation.data.get("status") in ("entered-in-error", "cancelled"):
            continue
        row = ResultRow(observation, person)
        groups.setdefault(row.test.key if row.test is not None else row.code, []).append(row)
    found = [ResultGroup(sorted(rows, key=lambda row: in_order(row.at), reverse=True)) for rows in groups.values()]
    ordered: list[ResultGroup] = []
    for _day, of_day in groupby(sorted(found, key=_day_of, reverse=True), key=_day_of):
        if most is not None and len(ordered) >= most:
            break
        ordered += sorted(of_day, key=_weight)
    return ordered


def _day_of(group: ResultGroup) -> str:
    moment = parse(group.latest.at)
    return local(moment).date().isoformat() if isinstance(moment, dt.datetime) else group.latest.at[:10]


def _weight(group: ResultGroup) -> int:
    return 0 if group.latest.is_critical else 1 if group.latest.mark else 2


def plain_result(row: ResultRow) -> str:
    """The result as a sentence for the patient. Never a diagnosis: what it measures, where it lies, what was said about it."""
    what = row.test.plain if row.test is not None and row.test.plain else row.name
    shown = f"{row.value} {row.unit}".strip()
    words = {
        "H": _("Your result is higher than the usual range."), "L": _("Your result is lower than the usual range."),
        "HH": _("Your result is much higher than the usual range."), "LL": _("Your result is much lower than the usual range."),
        "A": _("Your result is different from what is usual."), "AA": _("Your result is very different from what is usual."),
    }  # fmt: skip
    if row.mark in words:
        reading = words[row.mark]
    elif row.is_usual:
        reading = _("Your result is in the usual range.")
    else:
        reading = ""
    sentence = _("This measures {what}. It was {value} on {date}.").format(what=what, value=shown, date=day(row.at))
    usual = _("The usual range is {range} {unit}.").format(range=row.reference, unit=row.unit).replace(" .", ".") if row.reference else ""
    return " ".join(part for part in (sentence, reading, usual) if part)


def amount_with_unit(row: ResultRow) -> str:
    return f"{amount(row.number) if row.number is not None else row.value} {row.unit}".strip()


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
