"""The vital signs form: each sign in the unit it was read in; what cannot be is refused, what is unlikely must be confirmed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext as _

from openward.chart import vitals
from openward.chart.vitals import Sign


class VitalsForm(forms.Form):
    """One number for every sign asked at this age, with a choice of unit where there is one. `values` are in the signs' own units."""

    confirm = forms.BooleanField(required=False)

    def __init__(self, *arguments: Any, age: Decimal | None, last: Mapping[str, Decimal] | None = None, metric: bool = False, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.age, self.last = age, last or {}
        self.signs = vitals.asked_at(age)
        self.values: dict[str, Decimal] = {}
        self.questioned: list[str] = []
        self.asks = False
        for sign in self.signs:
            self._ask(sign, metric)
        self.fields[self.signs[0].key].widget.attrs["data-first"] = True

    def _ask(self, sign: Sign, metric: bool) -> None:
        widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "class": "num", "size": 6})
        self.fields[sign.key] = forms.DecimalField(label=_(sign.title), required=False, max_digits=6, decimal_places=2, widget=widget)
        if sign.units:
            choices = [(unit.unit, unit.unit) for unit in (*sign.units, sign.own_unit)]
            start = sign.unit if metric else sign.usual_unit.unit
            label = _("Unit of {sign}").format(sign=_(sign.title))
            self.fields[f"{sign.key}_unit"] = forms.ChoiceField(label=label, choices=choices, initial=start, required=False)

    def rows(self) -> Iterator[tuple[Sign, BoundField, BoundField | None]]:
        """(sign, its field, its unit's field) in the order asked."""
        for sign in self.signs:
            yield sign, self[sign.key], self[f"{sign.key}_unit"] if sign.units else None

    @property
    def is_metric(self) -> bool:
        """Whether the temperature was given in °C: what the next form starts with."""
        return bool(self.cleaned_data.get("temperature_unit") == "°C")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        for sign in self.signs:
            typed = cleaned.get(sign.key)
            if typed is not None:
                self._take(sign, typed, cleaned.get(f"{sign.key}_unit") or sign.unit)
        if not self.values and not self.errors:
            self.add_error(None, _("Enter at least one value."))
        self._check_pressure()
        self.asks = bool(self.questioned) and not cleaned.get("confirm") and not self.errors
        if self.asks:
            for key in self.questioned:
                self.add_error(key, self._question(vitals.signs()[key]))
        return cleaned

    def _take(self, sign: Sign, typed: Decimal, unit: str) -> None:
        value = vitals.to_own_unit(sign, typed, unit)
        if not vitals.is_possible(sign, value):
            low, high = (vitals.from_own_unit(sign, limit, unit) for limit in sign.possible)
            message = _("{sign} of {value} {unit} cannot be right: it must be between {low} and {high} {unit}.")
            self.add_error(sign.key, message.format(sign=_(sign.title), value=typed, unit=unit, low=low, high=high))
            return
        self.values[sign.key] = value
        if not vitals.is_likely(sign, value, self.age, self.last.get(sign.key)):
            self.questioned.append(sign.key)

    def _check_pressure(self) -> None:
        upper, lower = self.values.get("systolic"), self.values.get("diastolic")
        if (upper is None) != (lower is None) and not self.errors:
            self.add_error("diastolic" if lower is None else "systolic", _("Blood pressure needs both values."))
        if upper is not None and lower is not None and lower >= upper:
            self.add_error("diastolic", _("The diastolic value must be below the systolic one."))

    def _question(self, sign: Sign) -> str:
        """Said in the unit of the record, so that a slip between units is seen."""
        last = self.last.get(sign.key)
        if last is not None and vitals.is_likely(sign, self.values[sign.key], self.age):
            return _("Unlikely: {sign} was {last} {unit} last time. Measure again, or confirm below.").format(
                sign=_(sign.title), last=last, unit=sign.unit
            )
        return _("Unlikely for this age: {value} {unit}. Measure again, or confirm below.").format(value=self.values[sign.key], unit=sign.unit)
