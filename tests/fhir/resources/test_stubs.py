"""What the type checker knows of the views."""

from __future__ import annotations

from pathlib import Path

import pytest
from mypy import api

import openward
from openward.fhir import resources
from openward.fhir.resources.stubs import stub

SNIPPET = """
from openward.fhir.resources import Encounter, HumanName, Observation, Patient, Quantity, Reference
patient = Patient(name=[HumanName(family="Okafor", given=["Ada"])], birthDate="1980-02-03")
{}
"""

WRONG = {
    "patient.nmae": '"Patient" has no attribute "nmae"',
    "patient.name[0].famly": '"HumanName" has no attribute "famly"',
    "patient.period.start": '"Patient" has no attribute "period"',
    'Patient(nmae="x")': 'Unexpected keyword argument "nmae"',
    "Patient(birthDate=1980)": 'Argument "birthDate" to "Patient" has incompatible type "int"',
    'patient.name = ["x"]': 'List item 0 has incompatible type "str"; expected "HumanName"',
    "Encounter().period.start": 'Item "None" of "Period | None" has no attribute "start"',
    'Quantity(value="3")': 'Argument "value" to "Quantity" has incompatible type "str"',
}
RIGHT = """
name: str | None = patient.name[0].family
patient.name[0].given.append("Mae")
Quantity(value=3, unit="g")
Observation(value=Quantity(value=3)).valueQuantity
Observation(subject=patient.reference, encounter=Reference("Encounter/1")).code.text
for_whom: str | None = Reference.to(patient).target_id
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> dict[str, str]:
    """What mypy says of each snippet, all checked in one run."""
    folder = tmp_path_factory.mktemp("snippets")
    sources = Path(openward.__file__).parents[1]
    for number, line in enumerate([*WRONG, RIGHT]):
        folder.joinpath(f"snippet{number}.py").write_text(SNIPPET.format(line))
    folder.joinpath("mypy.ini").write_text(f"[mypy]\nmypy_path = {sources}\n")
    output, _, _ = api.run(["--config-file", str(folder / "mypy.ini"), "--cache-dir", str(folder / "cache"), *map(str, sorted(folder.glob("*.py")))])
    return {line: "\n".join(said for said in output.splitlines() if f"snippet{number}.py" in said) for number, line in enumerate([*WRONG, RIGHT])}


@pytest.mark.parametrize(("line", "complaint"), WRONG.items())
def test_a_mistake_is_found_before_it_runs(report, line, complaint):
    assert complaint in report[line]


def test_right_code_is_let_be(report):
    assert report[RIGHT] == ""


def test_the_stub_is_the_one_the_definitions_give():
    assert Path(resources.__file__).with_suffix(".pyi").read_text() == stub()
