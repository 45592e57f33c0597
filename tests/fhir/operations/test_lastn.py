from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from openward.fhir.ids import key
from tests.fhir.house import House
from tests.fhir.http.client import Client
from tests.fhir.operations.conftest import observation, patient, references, to

Keep = Callable[..., None]
LOINC = "http://loinc.org"


@pytest.fixture(autouse=True)
def readings(keep: Keep) -> None:
    vital = {"category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}]}]}
    keep(
        patient("ada"),
        patient("ben"),
        {"resourceType": "Practitioner", "id": "osei"},
        *(observation(f"pulse{n}", "ada", "8867-4", f"2026-03-0{n}T09:00:00Z", **vital) for n in (1, 2, 3)),
        *(observation(f"weight{n}", "ada", "29463-7", f"2026-02-0{n}T09:00:00Z", performer=[to("Practitioner/osei")]) for n in (1, 2)),
        observation("said1", "ada", when="2026-01-01") | {"code": {"text": "Mood"}},
        observation("said2", "ada", when="2026-01-02") | {"code": {"text": "mood"}},
        observation("said3", "ada", when="2026-01-03") | {"code": {"text": "Sleep"}},
        observation("ben1", "ben", "8867-4", "2026-05-01T09:00:00Z"),
    )


def latest(call: Client, query: str, token: str = "good") -> list[str]:
    answer = call("GET", f"/Observation/$lastn?{query}", token=token)
    assert answer.status == 200, answer.body
    return [name.partition("/")[2] for name in references(answer.json)]


def test_one_of_each_kind_the_newest_first(call: Client) -> None:
    assert latest(call, "patient=ada") == ["pulse3", "weight2", "said3", "said2"]


def test_as_many_of_each_kind_as_max_says(call: Client) -> None:
    assert latest(call, "patient=Patient/ada&max=2") == ["pulse3", "pulse2", "weight2", "weight1", "said3", "said2", "said1"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("code=8867-4", ["pulse3"]),
        ("category=vital-signs", ["pulse3"]),
        ("code=8867-4,29463-7", ["pulse3", "weight2"]),
        ("date=lt2026-03-03", ["pulse2", "weight2", "said3", "said2"]),
        ("code=none", []),
    ],
)
def test_any_search_parameter_narrows(call: Client, query: str, expected: list[str]) -> None:
    assert latest(call, f"patient=ada&{query}") == expected


@pytest.mark.parametrize(
    "whose",
    [
        {"name": "patient", "valueReference": {"reference": "Patient/ada"}},
        {"name": "subject", "valueReference": {"reference": "https://clinic.test/fhir/Patient/ada"}},
        {"name": "patient", "valueString": "ada"},
        {"name": "patient", "valueId": "ada"},
    ],
)
@pytest.mark.parametrize(
    "kind",
    [
        {"name": "code", "valueCodeableConcept": {"coding": [{"system": "urn:x", "code": "y"}, {"system": LOINC, "code": "8867-4"}]}},
        {"name": "code", "valueCoding": {"system": LOINC, "code": "8867-4"}},
        {"name": "code", "valueCoding": {"code": "8867-4"}},
        {"name": "category", "valueString": "vital-signs"},
    ],
)
def test_parameters_may_be_of_their_own_types(call: Client, whose: dict[str, Any], kind: dict[str, Any]) -> None:
    """parameters.html: a patient is a Reference, a code a Coding or a CodeableConcept. An answer without any would say there is nothing."""
    answer = call("POST", "/Observation/$lastn", {"resourceType": "Parameters", "parameter": [whose, kind]})
    assert references(answer.json) == ["Observation/pulse3"]


def test_a_parameter_that_cannot_be_searched_by_is_refused(call: Client) -> None:
    parameters = [{"name": "patient", "valueString": "ada"}, {"name": "date", "valuePeriod": {"start": "2026"}}]
    assert call("POST", "/Observation/$lastn", {"resourceType": "Parameters", "parameter": parameters}).status == 400


def test_whose_may_be_said_by_the_address_of_this_server(call: Client) -> None:
    assert latest(call, "patient=https://clinic.test/fhir/Patient/ada&code=8867-4") == ["pulse3"]


def test_two_at_the_same_time_are_both_the_latest(call: Client, keep: Keep) -> None:
    keep(observation("twin", "ada", "8867-4", "2026-03-03T09:00:00Z"))
    assert sorted(latest(call, "subject=Patient/ada&code=8867-4")) == ["pulse3", "twin"]


@pytest.mark.parametrize("when", [{"effectiveDateTime": "2026-03-03T10:00:00+01:00"}, {"effectiveInstant": "2026-03-03T09:00:00.000Z"}])
def test_the_same_time_is_the_same_however_it_is_written(call: Client, keep: Keep, when: dict[str, str]) -> None:
    twin = {name: value for name, value in observation("twin", "ada", "8867-4").items() if name != "effectiveDateTime"}
    keep(twin | when)
    assert sorted(latest(call, "patient=ada&code=8867-4")) == ["pulse3", "twin"]


@pytest.mark.parametrize("whose", ["patient=ada,ben", "subject:Patient.name=test"])
def test_of_several_patients_each_has_their_own(call: Client, whose: str) -> None:
    assert latest(call, f"{whose}&code=8867-4") == ["ben1", "pulse3"]


def test_kinds_that_share_a_coding_are_one(call: Client, keep: Keep) -> None:
    both = [{"system": "urn:local", "code": "pulse"}, {"system": LOINC, "code": "8867-4"}]
    keep(observation("own", "ada", when="2026-03-09T09:00:00Z") | {"code": {"coding": both}})
    assert latest(call, "patient=ada&date=ge2026-03") == ["own"]


def test_what_they_refer_to_comes_along(call: Client) -> None:
    bundle = call("GET", "/Observation/$lastn?patient=ada&code=29463-7&_include=Observation:performer").json
    assert references(bundle, "include") == ["Practitioner/osei"]
    assert bundle["total"] == 1


@pytest.mark.parametrize("query", ["", "code=8867-4", "patient=ada&max=0", "patient=ada&_sort=date"])
def test_what_it_cannot_answer_is_refused(call: Client, query: str) -> None:
    assert call("GET", f"/Observation/$lastn?{query}").status == 400


@pytest.mark.parametrize(
    "query", ["patient=", "subject=%20", "patient:Patient=", "patient.nonsense=x", "subject:Patient.nonsense=x", "patient=&code=8867-4"]
)
def test_whose_they_are_must_be_said_and_understood(call: Client, query: str) -> None:
    """A form that was sent without its patient must not bring everyone's observations as if they were one person's."""
    assert call("GET", f"/Observation/$lastn?{query}").status == 400


class TestWhoMaySeeWhat:
    def test_a_patient_sees_only_their_own(self, call: Client) -> None:
        assert latest(call, "patient=ada", token="ben") == []
        assert latest(call, "patient=ben", token="ben") == ["ben1"]

    def test_a_client_sees_only_the_types_of_its_scope(self, call: Client) -> None:
        bundle = call("GET", "/Observation/$lastn?patient=ada&code=29463-7&_include=Observation:performer", token="scoped").json
        assert references(bundle) == ["Observation/weight2"]
        assert call("GET", "/Observation/$lastn?patient=ada", token="blind").status == 403

    def test_the_audit_event_names_the_patients(self, call: Client, house: House) -> None:
        latest(call, "patient=ada")
        heard = house.connections[0].execute("select type, patient from heard where interaction = '$lastn'").fetchall()
        assert heard == [("Observation", key("Patient", "ada"))]
