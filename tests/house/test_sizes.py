"""A file that outgrows its room is split by noun before it becomes the one that everyone apologises for."""

from __future__ import annotations

import ast
from pathlib import Path
from statistics import quantiles

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "openward"
FILE_AT_MOST = 600
FUNCTION_AT_MOST = 60
FUNCTION_P90 = 30
GENERATED = ("definitions/data", "migrations", "resources/__init__.pyi", "resource_types.py")


def ours() -> list[Path]:
    return sorted(path for path in SOURCE.rglob("*.py") if not any(part in path.as_posix() for part in GENERATED))


def functions() -> list[tuple[str, int]]:
    found = []
    for path in ours():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found.append((f"{path.relative_to(SOURCE)}:{node.name}", (node.end_lineno or node.lineno) - node.lineno + 1))
    return found


def test_no_file_is_longer_than_600_lines() -> None:
    too_long = [(path.name, lines) for path in ours() if (lines := len(path.read_text(encoding="utf-8").splitlines())) > FILE_AT_MOST]
    assert too_long == []


def test_no_function_is_longer_than_60_lines_and_nine_in_ten_are_at_most_30() -> None:
    sizes = functions()
    assert [entry for entry in sizes if entry[1] > FUNCTION_AT_MOST] == []
    assert quantiles([lines for _, lines in sizes], n=10)[-1] <= FUNCTION_P90


@pytest.mark.parametrize("name", ["utils.py", "helpers.py", "common.py", "misc.py"])
def test_no_file_is_a_drawer_for_everything(name: str) -> None:
    assert list(SOURCE.rglob(name)) == []


def test_every_package_says_what_it_is() -> None:
    """The first line of a package's docstring is what a newcomer reads."""
    silent = [
        package.name
        for package in sorted(SOURCE.iterdir())
        if (package / "__init__.py").exists() and not ast.get_docstring(ast.parse((package / "__init__.py").read_text(encoding="utf-8")))
    ]
    assert silent == []
