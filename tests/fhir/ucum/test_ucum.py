"""Units as https://ucum.org/ucum defines them."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openward.fhir.ucum import NotComparable, UnitUnknown, canonical, convert, is_comparable, unit
from openward.fhir.ucum.convert import FUNCTIONS
from openward.fhir.ucum.units import table

EXACT = [
    ("1", "[in_i]", "cm", "2.54"),
    ("1", "[lb_av]", "kg", "0.45359237"),
    ("5", "mm[Hg]", "kPa", "0.66661"),
    ("1", "mmol/L", "mol/m3", "1"),
    ("1", "10*3/uL", "10*9/L", "1"),
    ("60", "kg/m2", "g/cm2", "6"),
    ("1", "L/min", "L/h", "60"),
    ("1", "{beats}/min", "/min", "1"),
    ("1", "m/s2{up}", "m.s-2", "1"),
    ("1", "/(m.s)", "m-1.s-1", "1"),
    ("37", "Cel", "[degF]", "98.6"),
    ("98.6", "[degF]", "Cel", "37"),
    ("0", "K", "Cel", "-273.15"),
    ("-40", "Cel", "[degF]", "-40"),
    ("30", "dB", "B", "3"),
    ("1", "wk", "d", "7"),
    ("1", "[iU]/mL", "[iU]/L", "1000"),
    ("50", "%", "1", "0.5"),
    ("1", "kg.m/s2", "N", "1"),
    ("2", "m[H2O]", "cm[H2O]", "200"),
]


@pytest.mark.parametrize(("amount", "source", "target", "expected"), EXACT)
def test_an_amount_is_converted_exactly(amount: str, source: str, target: str, expected: str) -> None:
    assert convert(Decimal(amount), source, target) == Decimal(expected)


@pytest.mark.parametrize(
    ("amount", "source", "target", "expected"), [("7", "[pH]", "mol/L", "1E-7"), ("20", "B[V]", "V", "1E10"), ("1", "Np", "1", "2.718281828459045")]
)
def test_units_on_other_than_ratio_scales_are_converted_as_doubles_are(amount: str, source: str, target: str, expected: str) -> None:
    assert float(convert(Decimal(amount), source, target)) == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.parametrize("code", sorted(table()["units"]))
def test_every_unit_of_the_table_is_read(code: str) -> None:
    assert unit(code).special in (None, *FUNCTIONS)


@pytest.mark.parametrize(
    "code",
    ["", "foo", "[s]", "cm..m", "{", "m(", "(m", "kkg", "1e3", "é", "mg/", "m^2", "Cel.m", "2Cel2", "m" * 201, "(" * 99, "k[in_i]", "1/0", "0.m"],
)
def test_what_is_no_unit_is_refused(code: str) -> None:
    with pytest.raises(UnitUnknown):
        unit(code)


@given(st.text("mgkLs/.()[]{}0123456789-+*^%", max_size=30))
def test_any_text_is_a_unit_or_is_refused(text: str) -> None:
    with suppress(UnitUnknown):
        assert unit(text).factor > 0


def test_what_measures_something_else_is_not_converted() -> None:
    with pytest.raises(NotComparable):
        convert(Decimal(1), "mg", "mL")


def test_arbitrary_units_compare_with_themselves_only() -> None:
    assert (is_comparable("[iU]/mL", "k[iU]/L"), is_comparable("[iU]", "[arb'U]"), is_comparable("[iU]", "1")) == (True, False, False)


def test_the_same_amount_has_one_canonical_form() -> None:
    assert canonical(Decimal(1), "g/L") == canonical(Decimal("0.1"), "g/dL") == (Decimal(1000), "m-3.g")


def test_the_table_says_whose_facts_it_holds() -> None:
    assert "Regenstrief Institute" in table()["notice"]
