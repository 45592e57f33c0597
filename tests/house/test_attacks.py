"""docs/attacks.md names tests that are there, and leaves no number out."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "attacks.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("named", sorted(set(re.findall(r"`((?:tests|requirements)[^`]*)`", TEXT))))
def test_what_a_row_names_is_there(named: str) -> None:
    path, _, name = named.partition("::")
    text = (ROOT / path).read_text(encoding="utf-8")
    assert not name or name in {node.name for node in ast.parse(text).body if isinstance(node, ast.ClassDef | ast.FunctionDef)}


def test_no_number_is_left_out() -> None:
    assert [int(number) for number in re.findall(r"^\| (\d+) \|", TEXT, flags=re.MULTILINE)] == list(range(35, 51))
