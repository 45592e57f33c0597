"""The laboratory catalog as data: what can be ordered, and how a result is read when the laboratory did not say. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from openward.chart.limits import Limits

CONTENT = Path(__file__).parent / "content" / "labs.toml"
CHILD_UNTIL = 18


@dataclass(frozen=True, slots=True)
class LabRange(Limits):
    """A reference range for some people: everyone, one sex, or children."""

    sex: str | None = None
    child: bool = False


@dataclass(frozen=True, slots=True)
class LabTest:
    """One test. `loinc` is empty for a panel ordered by the site's own name; `tests` are the keys of a panel's parts."""

    key: str
    name: str
    loinc: str
    specimen: str
    also: tuple[str, ...] = ()
    ucum: str = ""
    unit: str = ""
    decimals: int = 0
    ranges: tuple[LabRange, ...] = ()
    plain: str = ""
    words: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()

    @property
    def is_panel(self) -> bool:
        return bool(self.tests)

    def range_for(self, sex: str | None, age: Decimal | None) -> LabRange | None:
        """The row for this person. A child's row first, then the sex, then everyone; none when only other people's are known."""
        is_child = age is not None and age < CHILD_UNTIL
        rows = [row for row in self.ranges if row.child == is_child] or [row for row in self.ranges if not row.child]
        if is_child and rows and not rows[0].child and any(row.sex for row in rows):
            return None
        return next((row for row in rows if row.sex in (None, sex)), None)


@cache
def catalog() -> Mapping[str, LabTest]:
    """Every panel and test by key, panels first."""
    with CONTENT.open("rb") as file:
        data = tomllib.load(file, parse_float=Decimal)
    panels = {entry["key"]: _test(entry) for entry in data["panel"]}
    return panels | {entry["key"]: _test(entry) for entry in data["test"]}


@cache
def by_loinc() -> Mapping[str, LabTest]:
    return {code: test for test in catalog().values() for code in (test.loinc, *test.also) if code}


def find(text: str, limit: int = 12) -> list[LabTest]:
    """Tests whose name or other words begin with what was typed, panels first; everything when nothing was typed."""
    asked = text.lower().split()
    hits = [test for test in catalog().values() if all(_begins(word, test) for word in asked)]
    return hits[:limit]


def _begins(asked: str, test: LabTest) -> bool:
    names = f"{test.name} {' '.join(test.words)}".lower().replace("(", " ").replace(",", " ").split()
    return any(word.startswith(asked) for word in names) or test.loinc.startswith(asked)


def parts(test: LabTest) -> Sequence[LabTest]:
    return [catalog()[key] for key in test.tests] or [test]


def _test(entry: dict[str, Any]) -> LabTest:
    return LabTest(
        key=entry["key"],
        name=entry["name"],
        loinc=entry.get("loinc", ""),
        specimen=entry["specimen"],
        also=tuple(entry.get("also", [])),
        ucum=entry.get("ucum", ""),
        unit=entry.get("unit", ""),
        decimals=entry.get("decimals", 0),
        ranges=tuple(_range(row) for row in entry.get("ranges", [])),
        plain=entry.get("plain", ""),
        words=tuple(entry.get("words", [])),
        tests=tuple(entry.get("tests", [])),
    )


def _range(row: dict[str, Any]) -> LabRange:
    def limit(name: str) -> Decimal | None:
        return None if row.get(name) is None else Decimal(row[name])

    return LabRange(limit("low"), limit("high"), limit("critical_low"), limit("critical_high"), row.get("sex"), row.get("child", False))
