"""Median length or height (cm), weight (kg) and head circumference (cm) by age: WHO child growth standards to 24 months,
CDC 2000 growth charts after (both public), rounded. A child keeps near one track of them.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Literal

Measure = Literal["height", "weight", "head"]

# age in months: (height boys, girls, weight boys, girls)
MEDIANS = (
    (0, 49.9, 49.1, 3.3, 3.2),
    (1, 54.7, 53.7, 4.5, 4.2),
    (2, 58.4, 57.1, 5.6, 5.1),
    (4, 63.9, 62.1, 7.0, 6.4),
    (6, 67.6, 65.7, 7.9, 7.3),
    (9, 72.0, 70.1, 8.9, 8.2),
    (12, 75.7, 74.0, 9.6, 8.9),
    (15, 79.1, 77.5, 10.3, 9.6),
    (18, 82.3, 80.7, 10.9, 10.2),
    (24, 87.1, 85.7, 12.2, 11.5),
    (36, 95.3, 94.2, 14.3, 13.9),
    (48, 102.5, 101.0, 16.3, 15.9),
    (60, 109.2, 108.0, 18.5, 18.0),
    (72, 115.7, 115.0, 20.8, 20.3),
    (84, 122.0, 121.8, 23.2, 22.9),
    (96, 128.1, 127.8, 25.8, 25.8),
    (108, 133.7, 133.1, 28.7, 29.0),
    (120, 138.8, 138.3, 32.1, 32.9),
    (132, 143.7, 144.8, 36.1, 37.2),
    (144, 149.3, 151.5, 40.7, 41.8),
    (156, 156.4, 157.1, 45.8, 46.1),
    (168, 164.1, 160.4, 51.2, 49.9),
    (180, 170.1, 162.0, 56.5, 52.6),
    (192, 173.6, 162.7, 61.1, 54.4),
    (204, 175.3, 163.0, 64.7, 55.7),
    (216, 176.1, 163.1, 67.3, 56.7),
    (240, 176.8, 163.3, 70.6, 58.2),
)

HEADS = (
    (0, 34.5, 33.9),
    (2, 39.1, 38.3),
    (4, 41.6, 40.6),
    (6, 43.3, 42.2),
    (9, 45.0, 43.8),
    (12, 46.1, 44.9),
    (18, 47.4, 46.2),
    (24, 48.3, 47.2),
    (36, 49.5, 48.5),
)

SPREAD = {"height": 0.04, "weight": 0.13, "head": 0.03}


def median(measure: Measure, months: float, sex: str) -> float:
    """The middle child's measure at this age, between table rows by a straight line."""
    column = {"height": 1, "weight": 3, "head": 1}[measure] + (1 if sex == "female" else 0)
    table: tuple[tuple[float, ...], ...] = HEADS if measure == "head" else MEDIANS
    at = min(max(bisect_right([row[0] for row in table], months) - 1, 0), len(table) - 2)
    low, high = table[at], table[at + 1]
    part = min(max((months - low[0]) / (high[0] - low[0]), 0.0), 1.0)
    return low[column] + (high[column] - low[column]) * part


def on_track(measure: Measure, months: float, sex: str, z: float) -> float:
    """The measure of a child `z` standard deviations from the middle."""
    return median(measure, months, sex) * (1 + z * SPREAD[measure])
