"""A value held against its limits: a critical limit is reached, any other is passed."""

from __future__ import annotations

from decimal import Decimal

import pytest

from openward.chart.limits import Limits

POTASSIUM = Limits(Decimal("3.5"), Decimal("5.1"), Decimal("2.5"), Decimal("6.5"))


@pytest.mark.parametrize(
    ("value", "expected"),
    [("2.5", "LL"), ("2.6", "L"), ("3.4", "L"), ("3.5", "N"), ("4.2", "N"), ("5.1", "N"), ("5.2", "H"), ("6.4", "H"), ("6.5", "HH"), ("9", "HH")],
)
def test_is_marked_on_either_side(value: str, expected: str) -> None:
    assert POTASSIUM.mark(Decimal(value)) == expected


@pytest.mark.parametrize(("limits", "expected"), [(Limits(), "N"), (Limits(low=Decimal(1)), "L"), (Limits(high=Decimal(1)), "N")])
def test_a_limit_that_is_not_known_marks_nothing(limits: Limits, expected: str) -> None:
    assert limits.mark(Decimal("0.5")) == expected
