"""`openward fhirpath EXPR FILE`, as a person calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from openward.cli import main

PATIENT = {"resourceType": "Patient", "name": [{"given": ["Ada", "Maria"]}], "birthDate": "1974-12-25"}


@pytest.fixture
def patient(tmp_path: Path) -> str:
    file = tmp_path / "patient.json"
    file.write_text(json.dumps(PATIENT))
    return str(file)


def test_prints_one_json_value_a_line(patient: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fhirpath", "name.given", patient]) == 0
    assert capsys.readouterr().out == '"Ada"\n"Maria"\n'


def test_prints_elements_as_json(patient: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fhirpath", "name", patient]) == 0
    assert json.loads(capsys.readouterr().out) == PATIENT["name"][0]


def test_reads_xml(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "patient.xml"
    file.write_text('<Patient xmlns="http://hl7.org/fhir"><active value="true"/></Patient>')
    assert main(["fhirpath", "active", str(file)]) == 0
    assert capsys.readouterr().out == "true\n"


@pytest.mark.parametrize("expression", ["name.", "name.nobody()", "name.given.single()"])
def test_refuses_an_expression_that_cannot_be_evaluated_in_a_sentence(patient: str, expression: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fhirpath", expression, patient]) == 1
    said = capsys.readouterr()
    assert (said.out, said.err.startswith("openward: ")) == ("", True)


def test_says_when_there_is_no_such_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fhirpath", "name", "/nowhere/patient.json"]) == 1
    assert "patient.json" in capsys.readouterr().err
