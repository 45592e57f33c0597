"""The official FHIRPath R4 test suite, which nobody here wrote: every test passes but those `docs/conformance.md` lists with a reason."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest

from openward.fhir.fhirpath import FhirPathError, compile
from openward.fhir.fhirpath.checking import check
from openward.fhir.fhirpath.values import system, system_name
from openward.fhir.json import loads
from openward.fhir.xml import from_xml
from tests.conftest import OUTSIDE_DATA

DATA = OUTSIDE_DATA / "fhirpath-r4"
PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"
FLOOR = 935

suite = pytest.mark.skipif(not DATA.is_dir(), reason=f"NO FHIRPATH SUITE: {DATA} is absent, so the official tests DID NOT RUN")


def _cases() -> list[tuple[str, Element]]:
    """`group/name`, numbered where the suite uses a name twice."""
    if not DATA.is_dir():
        return []
    found: list[tuple[str, Element]] = []
    for group in fromstring((DATA / "tests-fhir-r4.xml").read_bytes()).iter("group"):
        for test in group.iter("test"):
            name = f"{group.get('name')}/{test.get('name')}"
            again = sum(known.split("#")[0] == name for known, _ in found)
            found.append((f"{name}#{again + 1}" if again else name, test))
    return found


CASES = _cases()


@cache
def exceptions() -> dict[str, str]:
    """Test → reason, from the table of the FHIRPath section."""
    section = PAGE.read_text("utf-8").split("## FHIRPath", 1)[1].split("\n## ", 1)[0]
    return dict(re.findall(r"^\| `([^`]+/[^`]+)` \| (.+?) \|$", section, re.MULTILINE))


@cache
def _input(name: str) -> dict[str, Any]:
    body = (DATA / "input" / name).read_bytes()
    return loads(body) if name.endswith(".json") else from_xml(body)


def _stated(item: Any) -> tuple[str, str]:
    """An item as the suite writes it: type and text."""
    value = system(item)
    name = item[1].name if item.__class__ is tuple else (system_name(value) or "")
    if value.__class__ is bool:
        return name, str(value).lower()
    text = f"{value:f}" if value.__class__ is Decimal else str(value)
    return name, text


def _is_as_stated(item: Any, output: Element) -> bool:
    type, wanted = output.get("type"), (output.text or "").strip()
    name, text = _stated(item)
    if type and type.lower() != name.lower():
        return False
    if name in ("Decimal", "Integer"):
        return Decimal(text) == Decimal(wanted)
    return text == wanted.removeprefix("@").removeprefix("T" if name == "Time" else "")


def run(test: Element) -> None:
    """Raises AssertionError or FhirPathError when the test is not passed."""
    expression = test.find("expression")
    assert expression is not None
    data = _input(test.get("inputfile", "patient-example.xml"))
    source, must_fail = expression.text or "", expression.get("invalid")
    if must_fail:
        with pytest.raises(FhirPathError):  # noqa: PT012
            check(source, data["resourceType"], ordered=test.get("checkOrderedFunctions") == "true")
            compile(source)(data)
        return
    check(source, data["resourceType"])
    items = compile(source).items(data)
    if test.get("predicate") == "true":
        items = [bool(items)]
    outputs = test.findall("output")
    assert len(items) == len(outputs), f"{source}: {[_stated(item) for item in items]}"
    for item, output in zip(items, outputs, strict=True):
        assert _is_as_stated(item, output), f"{source}: {_stated(item)} is not {output.get('type')} {output.text}"


def passes(test: Element) -> bool:
    try:
        run(test)
    except (AssertionError, FhirPathError, pytest.fail.Exception):
        return False
    return True


@suite
@pytest.mark.parametrize("name", [name for name, _ in CASES])
def test_the_official_suite_agrees(name: str) -> None:
    test = dict(CASES)[name]
    if name in exceptions():
        assert not passes(test), f"{name} passes now: take it out of docs/conformance.md"
    else:
        run(test)


@suite
def test_no_fewer_tests_pass_than_ever_before() -> None:
    assert len(CASES) - len(exceptions()) >= FLOOR


@suite
def test_every_exception_is_a_test_of_the_suite() -> None:
    assert set(exceptions()) <= {name for name, _ in CASES}
