"""docs/security.md has a row for every requirement, and every row names something that is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from openward.server.environment import VARIABLES

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`((?:tests|src|docs)/[^`]*|requirements[a-z-]*\.lock)`", TEXT)))
ROWS = re.findall(r"^\| (\d+\.\d+\.\d+) \| (.+?) \| (.+) \|$", TEXT, flags=re.MULTILINE)

# How many requirements of levels 1 and 2 each section of ASVS 5.0.0 has, and which numbers where they are not the first ones.
SECTIONS = """
1.1:2 1.2:9 1.3:11 1.4:3 1.5:2 2.1:3 2.2:3 2.3:4 2.4:1 3.2:2 3.3:4 3.4:6 3.5:5 3.7:2 4.1:3 4.2:1 4.3:2 4.4:4 5.1:1 5.2:3 5.3:2 5.4:3
6.1:3 6.2:12 6.3:4 6.4:4 6.5:5 6.6:3 6.8:4 7.1:3 7.2:4 7.3:2 7.4:5 7.5:2 7.6:2 8.1:2 8.2:3 8.3:1 8.4:1 9.1:3 9.2:4
10.1:2 10.2:2 10.3:4 10.4:11 10.5:5 10.6:2 10.7:3 11.1:2 11.2:3 11.3:3 11.4:4 11.5:1 11.6:1 12.1:3 12.2:2 12.3:4 13.1:1 13.2:5 13.3:2 13.4:5
14.1:2 14.2:4 14.3:3 15.1:3 15.2:3 15.3:7 16.1:1 16.2:5 16.3:4 16.4:3 16.5:3 17.1:1 17.2:4 17.3:2
"""
REQUIREMENTS = [f"{section}.{number}" for section, count in (entry.split(":") for entry in SECTIONS.split()) for number in range(1, int(count) + 1)]


def names_in(path: Path) -> set[str]:
    """Classes and functions of a file, and methods as Class::method."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{one.name}" for one in node.body if isinstance(one, ast.FunctionDef)}
    return found


@pytest.mark.parametrize("named", NAMED)
def test_what_a_row_names_is_there(named: str) -> None:
    path, _, name = named.partition("::")
    assert (ROOT / path).exists()
    assert not name or name in names_in(ROOT / path)


def test_every_setting_that_is_named_exists() -> None:
    assert set(re.findall(r"`(OPENWARD_[A-Z_]+)`", TEXT)) <= {variable.name for variable in VARIABLES}


def test_every_requirement_of_levels_1_and_2_has_a_row_or_does_not_apply() -> None:
    assert len(REQUIREMENTS) == 253
    told = [number for number, _, _ in ROWS] + re.findall(r"17\.\d\.\d", TEXT.partition("### V17")[2])
    assert told == REQUIREMENTS


def test_a_row_that_names_nothing_says_so_or_is_known_here() -> None:
    """What rests on reading the code or on a library, without a test, setting or page to show."""
    unshown = [number for number, _, met in ROWS if not re.search(SHOWN, met)]
    assert unshown == ["4.1.2", "6.2.10", "6.4.2", "6.5.3", "7.2.3", "10.2.2", "11.3.2", "11.4.1", "13.2.5"]


SHOWN = r"`(?:tests|src|docs|requirements|OPENWARD)|not yet|in part|does not apply|the operator"


def test_the_numbers_at_the_top_are_those_of_the_rows() -> None:
    lacking = [number for number, _, met in ROWS if met.startswith("not yet")]
    partly = [number for number, _, met in ROWS if met.startswith("in part")]
    absent = [number for number, _, met in ROWS if met.startswith("does not apply")]
    said = f"Of 253, {len(absent) + 7} do not apply here, {len(partly)} are met in part and {len(lacking)} not yet ({', '.join(lacking)})."
    assert said in TEXT


@pytest.mark.parametrize("criterion", [f"(d)({number})" for number in range(1, 14)])
def test_every_criterion_of_170_315_d_has_a_row(criterion: str) -> None:
    assert f"| {criterion} |" in TEXT
