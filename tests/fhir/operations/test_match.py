from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest

from openward.fhir.ids import key
from openward.fhir.matching.matcher import MOST_SOUGHT
from openward.fhir.search.people import PatientFinder
from tests.fhir.house import House
from tests.fhir.http.client import Client
from tests.fhir.operations.conftest import patient, references

Keep = Callable[..., None]
GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"
OKAFOR = {"name": [{"family": "Okafor", "given": ["Ada"]}], "birthDate": "1980-11-03", "gender": "female"}


@pytest.fixture(autouse=True)
def people(keep: Keep) -> None:
    keep(
        patient("ada", **OKAFOR, telecom=[{"system": "phone", "value": "555-010-4477"}]),
        patient("ben", name=[{"family": "Okafor", "given": ["Ben"]}], birthDate="1980-11-03", gender="male"),
        patient("cy", name=[{"family": "Lindqvist", "given": ["Cy"]}], birthDate="1955-01-01"),
    )


def match(call: Client, given: dict[str, Any], token: str = "good", **more: Any) -> dict[str, Any]:
    parameters = [{"name": "resource", "resource": {"resourceType": "Patient", **given}}, *({"name": n, **value} for n, value in more.items())]
    answer = call("POST", "/Patient/$match", {"resourceType": "Parameters", "parameter": parameters}, token=token)
    assert answer.status == 200, answer.body
    bundle: dict[str, Any] = answer.json
    return bundle


def grades(bundle: dict[str, Any]) -> list[str]:
    return [entry["search"]["extension"][0]["valueCode"] for entry in bundle.get("entry", [])]


def test_a_candidate_carries_its_score_and_its_grade(call: Client) -> None:
    bundle = match(call, OKAFOR)
    assert (bundle["type"], bundle["total"], references(bundle)) == ("searchset", 1, ["Patient/ada"])
    search = bundle["entry"][0]["search"]
    assert search["mode"] == "match"
    assert search["extension"] == [{"url": GRADE, "valueCode": "certain"}]
    assert 0.99 < search["score"] <= 1


def test_a_patient_by_itself_may_be_the_body(call: Client) -> None:
    answer = call("POST", "/Patient/$match", {"resourceType": "Patient", **OKAFOR})
    assert references(answer.json) == ["Patient/ada"]


@pytest.mark.parametrize("id", ["ada", "cy", "unknown"])
def test_the_id_a_record_has_where_it_comes_from_hides_nobody(call: Client, id: str) -> None:
    """patient-operation-match.html: the resource is the details to match against; its id is the sender's, and may be another's here."""
    assert references(match(call, {"id": id, **OKAFOR}, onlyCertainMatches={"valueBoolean": True})) == ["Patient/ada"]


def test_only_certain_matches_are_certain_and_one(call: Client, keep: Keep) -> None:
    certainly = {"onlyCertainMatches": {"valueBoolean": True}}
    slightly = {**OKAFOR, "name": [{"family": "Okafer", "given": ["Adah"]}], "birthDate": "1980-03-11"}
    assert grades(match(call, OKAFOR, **certainly)) == ["certain"]
    assert match(call, slightly, **certainly)["total"] == 0
    assert grades(match(call, slightly)) != []
    keep(patient("ada2", **OKAFOR))
    assert match(call, OKAFOR, **certainly)["total"] == 0
    assert match(call, OKAFOR, **certainly, count={"valueInteger": 1})["total"] == 0


def test_count_limits_the_candidates(call: Client, keep: Keep) -> None:
    keep(*(patient(f"ada{n}", **OKAFOR) for n in range(3)))
    assert match(call, OKAFOR, count={"valueInteger": 2})["total"] == 2


def test_more_than_anyone_has_costs_no_more_and_finds_them_still(call: Client) -> None:
    names = [{"family": f"Unheard{n}", "given": [f"Nobody{n}"]} for n in range(400)]
    telecom = [{"system": "phone", "value": f"555{n:07}"} for n in range(400)]
    identifier = [{"system": "urn:elsewhere", "value": f"E-{n}"} for n in range(400)]
    ada = {**OKAFOR, "name": [*OKAFOR["name"], *names], "telecom": telecom, "identifier": identifier}
    with patch.object(PatientFinder, "candidates", autospec=True, side_effect=PatientFinder.candidates) as asked:
        assert "Patient/ada" in references(match(call, ada))
    assert len(asked.call_args.args[1]) <= MOST_SOUGHT


def test_a_brother_with_the_same_birth_date_is_someone_else(call: Client) -> None:
    assert "Patient/ben" not in references(match(call, OKAFOR))


@pytest.mark.parametrize(
    "body",
    [
        {"resourceType": "Parameters", "parameter": []},
        {"resourceType": "Patient", "name": "Ada"},
        {"resourceType": "Patient", "birthDate": 1980},
        {"resourceType": "Group"},
    ],
)
def test_what_is_no_patient_is_refused(call: Client, body: dict[str, Any]) -> None:
    assert call("POST", "/Patient/$match", body).status in (400, 422)


class TestWhoMaySeeWhat:
    def test_a_patient_matches_only_themselves(self, call: Client) -> None:
        assert references(match(call, OKAFOR, token="ada")) == ["Patient/ada"]
        assert match(call, OKAFOR, token="ben")["total"] == 0

    def test_who_may_not_search_patients_is_refused(self, call: Client) -> None:
        assert call("POST", "/Patient/$match", {"resourceType": "Patient", **OKAFOR}, token="blind").status == 403

    def test_the_audit_event_names_the_candidates(self, call: Client, house: House) -> None:
        match(call, OKAFOR)
        heard = house.connections[0].execute("select type, patient from heard where interaction = '$match'").fetchall()
        assert heard == [("Patient", key("Patient", "ada"))]
