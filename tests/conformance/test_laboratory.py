"""A laboratory sends results as laboratories do: one transaction of a report and its values, again when it was not sure, amended later."""

from __future__ import annotations

import copy
from typing import Any
from uuid import uuid4

import pytest

from tests.conformance.conftest import Surface

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
LABORATORY = [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}]
PANEL = [("2093-3", "Cholesterol", "5.10", "mmol/L"), ("2085-9", "HDL", "1.30", "mmol/L"), ("2571-8", "Triglyceride", "0.90", "mmol/L")]


@pytest.fixture
def patient(surface: Surface) -> dict[str, Any]:
    number = {"system": "urn:example:hospital-number", "value": uuid4().hex}
    return surface.created({"resourceType": "Patient", "name": [{"family": "Tested"}], "identifier": [number]})


def value(code: str, name: str, amount: str, unit: str, subject: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": LABORATORY,
        "code": {"coding": [{"system": LOINC, "code": code, "display": name}]},
        "subject": {"reference": subject},
        "effectiveDateTime": "2026-11-03T08:15:00-05:00",
        "valueQuantity": {"value": float(amount), "unit": unit, "system": UCUM, "code": unit},
    }


def message(patient: dict[str, Any], accession: str) -> dict[str, Any]:
    """The patient by the number on the tube; each value under the name the report calls it by; the report once, however often it is sent."""
    number = patient["identifier"][0]
    subject = f"Patient?identifier={number['system']}|{number['value']}"
    names = [f"urn:uuid:{uuid4()}" for _ in PANEL]
    entries = []
    for name, (code, display, amount, unit) in zip(names, PANEL, strict=True):
        identifier = {"system": "urn:example:lab", "value": f"{accession}-{code}"}
        resource = {**value(code, display, amount, unit, subject), "identifier": [identifier]}
        request = {"method": "PUT", "url": f"Observation?identifier={identifier['system']}|{identifier['value']}"}
        entries.append({"fullUrl": name, "resource": resource, "request": request})
    report = {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "identifier": [{"system": "urn:example:lab", "value": accession}],
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "LAB"}]}],
        "code": {"coding": [{"system": LOINC, "code": "24331-1", "display": "Lipid panel"}]},
        "subject": {"reference": subject},
        "effectiveDateTime": "2026-11-03T08:15:00-05:00",
        "issued": "2026-11-03T11:00:00Z",
        "result": [{"reference": name} for name in names],
    }
    request = {"method": "PUT", "url": f"DiagnosticReport?identifier=urn:example:lab|{accession}"}
    entries.append({"fullUrl": f"urn:uuid:{uuid4()}", "resource": report, "request": request})
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def report_of(surface: Surface, accession: str) -> dict[str, Any]:
    found = surface.json("GET", f"/DiagnosticReport?identifier=urn:example:lab|{accession}&_include=DiagnosticReport:result")
    return {"report": found["entry"][0]["resource"], "values": [entry["resource"] for entry in found["entry"][1:]]}


class TestAResultSent:
    def test_stands_whole_with_its_values_and_its_patient(self, surface: Surface, patient: dict[str, Any]) -> None:
        accession = uuid4().hex
        surface.json("POST", "", message(patient, accession))
        found = report_of(surface, accession)
        assert found["report"]["subject"]["reference"] == f"Patient/{patient['id']}"
        assert {f"Observation/{one['id']}" for one in found["values"]} == {one["reference"] for one in found["report"]["result"]}

    def test_is_found_among_the_patient_s_laboratory_results(self, surface: Surface, patient: dict[str, Any]) -> None:
        surface.json("POST", "", message(patient, uuid4().hex))
        found = surface.json("GET", f"/Observation?patient={patient['id']}&category=laboratory&_sort=-date")
        assert len(found["entry"]) == 3

    def test_sent_twice_stands_once(self, surface: Surface, patient: dict[str, Any]) -> None:
        accession = uuid4().hex
        sent = message(patient, accession)
        surface.json("POST", "", copy.deepcopy(sent))
        surface.json("POST", "", copy.deepcopy(sent))
        assert surface.json("GET", f"/Observation?patient={patient['id']}&_summary=count")["total"] == 3
        assert surface.json("GET", f"/DiagnosticReport?patient={patient['id']}&_summary=count")["total"] == 1

    def test_amended_keeps_what_was_said_before(self, surface: Surface, patient: dict[str, Any]) -> None:
        accession = uuid4().hex
        surface.json("POST", "", message(patient, accession))
        amended = message(patient, accession)
        for entry in amended["entry"]:
            entry["resource"]["status"] = "amended"
        surface.json("POST", "", amended)
        report = report_of(surface, accession)["report"]
        history = surface.json("GET", f"/DiagnosticReport/{report['id']}/_history")
        assert [entry["resource"]["status"] for entry in history["entry"]] == ["amended", "final"]

    def test_for_an_unknown_patient_is_refused_and_leaves_nothing(self, surface: Surface, patient: dict[str, Any]) -> None:
        before = surface.count("Observation")
        stranger = {"identifier": [{"system": "urn:example:hospital-number", "value": "nobody"}]}
        answer = surface("POST", "", message(stranger, uuid4().hex))
        assert answer.status == 412
        assert surface.count("Observation") == before

    def test_with_one_bad_value_is_refused_whole_and_says_which(self, surface: Surface, patient: dict[str, Any]) -> None:
        before = surface.count("Observation")
        sent = message(patient, uuid4().hex)
        sent["entry"][1]["resource"]["status"] = "finished"
        answer = surface("POST", "", sent)
        assert answer.status == 422
        assert "Bundle.entry[1].resource.status" in answer.text
        assert surface.count("Observation") == before
