from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from openward.fhir.errors import FhirError
from openward.fhir.operations.parameters import Parameters
from openward.fhir.operations.registry import Call, named
from tests.fhir.house import House, Visitor
from tests.fhir.http.client import Answer, Client
from tests.fhir.operations.conftest import observation, patient, to

Keep = Callable[..., None]
BOTH = {"source-patient": to("Patient/double"), "target-patient": to("Patient/ada")}


def number(value: str) -> dict[str, str]:
    return {"system": "urn:numbers", "value": value}


@pytest.fixture(autouse=True)
def records(keep: Keep) -> None:
    keep(
        {"resourceType": "Practitioner", "id": "osei"},
        patient("ada", identifier=[number("1")], active=True),
        patient("double", identifier=[number("2")], active=True),
        patient("ben"),
        observation("a1", "ada"),
        observation("d1", "double", performer=[to("Patient/double"), to("Practitioner/osei")]),
        observation("d2", "double", note=[{"text": "Patient/double", "authorReference": to("Patient/double")}]),
        observation("b1", "ben"),
        {
            "resourceType": "Group",
            "id": "walkers",
            "type": "person",
            "actual": True,
            "member": [{"entity": to(f"Patient/{p}")} for p in ("ben", "double")],
        },
        {
            "resourceType": "Provenance",
            "id": "seen",
            "target": [to("Patient/double")],
            "recorded": "2026-01-01T00:00:00Z",
            "agent": [{"who": {"display": "X"}}],
        },
    )


def parameters(given: dict[str, Any]) -> dict[str, Any]:
    kinds = {bool: "valueBoolean", str: "valueString"}
    parts = []
    for name, value in given.items():
        part = {"resource": value} if isinstance(value, dict) and "resourceType" in value else {kinds.get(type(value), "valueReference"): value}
        parts.append({"name": name, **({"valueIdentifier": value} if name.endswith("identifier") else part)})
    return {"resourceType": "Parameters", "parameter": parts}


def merge(call: Client, token: str = "good", **given: Any) -> Answer:
    return call("POST", "/Patient/$merge", parameters(given or BOTH), token=token)


def undo(call: Client, merged: Answer, token: str = "good") -> Answer:
    return call("POST", "/Patient/$undo-merge", parameters({"task": to(f"Task/{part(merged, 'task')['id']}")}), token=token)


def part(answer: Answer, name: str) -> dict[str, Any]:
    assert answer.status == 200, answer.body
    found: dict[str, Any] = next(one["resource"] for one in answer.json["parameter"] if one["name"] == name)
    return found


def read(call: Client, reference: str) -> dict[str, Any]:
    found: dict[str, Any] = call("GET", f"/{reference}").json
    return {name: value for name, value in found.items() if name != "meta"}


MOVED = ("Observation/d1", "Observation/d2", "Group/walkers")
ALL = (*MOVED, "Patient/ada", "Patient/double", "Observation/a1", "Observation/b1", "Provenance/seen", "Patient/ben")


class TestMerging:
    def test_all_that_pointed_at_the_source_points_at_the_target(self, call: Client) -> None:
        assert part(merge(call), "outcome")["issue"][0]["diagnostics"].startswith("3 resources")
        assert read(call, "Observation/d1")["performer"] == [to("Patient/ada"), to("Practitioner/osei")]
        assert read(call, "Observation/d2")["note"] == [{"text": "Patient/double", "authorReference": to("Patient/ada")}]
        assert [one["entity"] for one in read(call, "Group/walkers")["member"]] == [to("Patient/ben"), to("Patient/ada")]
        assert {e["resource"]["id"] for e in call("GET", "/Observation?patient=ada").json["entry"]} == {"a1", "d1", "d2"}
        assert "entry" not in call("GET", "/Observation?patient=double").json

    def test_the_two_are_linked_and_the_source_is_no_longer_active(self, call: Client) -> None:
        merge(call)
        source, target = read(call, "Patient/double"), read(call, "Patient/ada")
        assert (source["active"], source["link"]) == (False, [{"other": to("Patient/ada"), "type": "replaced-by"}])
        assert (target["active"], target["link"]) == (True, [{"other": to("Patient/double"), "type": "replaces"}])
        assert target["identifier"] == [number("1"), {**number("2"), "use": "old"}]

    def test_what_was_done_to_the_source_is_still_said_of_it(self, call: Client) -> None:
        merge(call)
        assert read(call, "Provenance/seen")["target"] == [to("Patient/double")]

    def test_the_result_may_be_said(self, call: Client) -> None:
        wanted = patient("ada", name=[{"family": "Lovelace"}], identifier=[number("1")])
        assert part(merge(call, **BOTH, **{"result-patient": wanted}), "result")["name"] == [{"family": "Lovelace"}]
        assert read(call, "Patient/ada")["link"] == [{"other": to("Patient/double"), "type": "replaces"}]

    def test_patients_may_be_named_by_identifier(self, call: Client) -> None:
        given = {"source-patient-identifier": number("2"), "target-patient-identifier": number("1")}
        assert part(merge(call, **given), "result")["id"] == "ada"
        assert merge(call, **{**given, "source-patient-identifier": number("9")}).status == 400

    def test_a_preview_tells_and_stores_nothing(self, call: Client) -> None:
        answer = merge(call, **BOTH, preview=True)
        moves = [(p["part"][0]["valueCode"], p["part"][1]["valueInteger"]) for p in answer.json["parameter"] if p["name"] == "moves"]
        assert moves == [("Group", 1), ("Observation", 2)]
        assert part(answer, "result")["link"] == [{"other": to("Patient/double"), "type": "replaces"}]
        assert read(call, "Observation/d1")["subject"] == to("Patient/double")
        assert "link" not in read(call, "Patient/ada")

    def test_merging_again_moves_what_came_since(self, call: Client, keep: Keep) -> None:
        first = merge(call)
        keep(observation("late", "double"))
        again = merge(call)
        assert part(again, "task")["id"] == part(first, "task")["id"]
        assert read(call, "Observation/late")["subject"] == to("Patient/ada")
        undo(call, again)
        assert {read(call, f"Observation/{id}")["subject"]["reference"] for id in ("late", "d1", "d2")} == {"Patient/double"}

    @pytest.mark.parametrize(
        "given",
        [
            {"source-patient": to("Patient/ada"), "target-patient": to("Patient/ada")},
            {"source-patient": to("Patient/ada")},
            {**BOTH, "result-patient": patient("ben")},
            {**BOTH, "source-patient": to("Observation/a1")},
        ],
    )
    def test_what_makes_no_sense_is_refused(self, call: Client, given: dict[str, Any]) -> None:
        assert merge(call, **given).status == 400

    def test_a_source_that_was_merged_elsewhere_is_refused(self, call: Client) -> None:
        merge(call)
        assert merge(call, **{**BOTH, "target-patient": to("Patient/ben")}).status == 422
        assert merge(call, **{"source-patient": to("Patient/ben"), "target-patient": to("Patient/double")}).status == 422

    def test_a_merged_record_is_no_candidate_of_a_match(self, call: Client) -> None:
        given = {"resourceType": "Patient", "name": [{"family": "Double", "given": ["Test"]}], "identifier": [number("2")]}
        merge(call)
        found = [entry["resource"]["id"] for entry in call("POST", "/Patient/$match", given).json.get("entry", [])]
        assert found == ["ada"]


class TestUndoing:
    def test_everything_is_as_it_was(self, call: Client) -> None:
        before = {reference: read(call, reference) for reference in ALL}
        merged = merge(call)
        assert part(undo(call, merged), "outcome")["issue"][0]["diagnostics"].startswith("3 resources")
        assert {reference: read(call, reference) for reference in ALL} == before
        assert {e["resource"]["id"] for e in call("GET", "/Observation?patient=double").json["entry"]} == {"d1", "d2"}

    def test_what_was_changed_since_keeps_the_change(self, call: Client, keep: Keep) -> None:
        merged = merge(call)
        keep(read(call, "Observation/d1") | {"valueString": "better"}, read(call, "Patient/ada") | {"birthDate": "1980-11-03"})
        undo(call, merged)
        found = read(call, "Observation/d1")
        assert (found["valueString"], found["subject"]) == ("better", to("Patient/double"))
        target = read(call, "Patient/ada")
        assert (target["birthDate"], target["identifier"], "link" in target) == ("1980-11-03", [number("1")], False)

    def test_what_came_to_the_target_since_stays_there(self, call: Client, keep: Keep) -> None:
        merged = merge(call)
        keep(observation("a2", "ada"))
        undo(call, merged)
        assert read(call, "Observation/a2")["subject"] == to("Patient/ada")
        assert read(call, "Observation/a1")["subject"] == to("Patient/ada")

    def test_what_was_deleted_since_stays_deleted(self, call: Client) -> None:
        merged = merge(call)
        call("DELETE", "/Observation/d1")
        assert undo(call, merged).status == 200
        assert call("GET", "/Observation/d1").status == 410

    def test_a_merge_is_undone_once_and_the_last_first(self, call: Client) -> None:
        first = merge(call)
        second = merge(call, **{"source-patient": to("Patient/ada"), "target-patient": to("Patient/ben")})
        assert undo(call, first).status == 422
        assert undo(call, second).status == 200
        assert undo(call, first).status == 200
        assert undo(call, first).status == 422
        assert read(call, "Observation/d1")["subject"] == to("Patient/double")

    def test_it_says_who_did_it(self, call: Client) -> None:
        merged = merge(call)
        undo(call, merged)
        activities = [
            e["resource"].get("activity", {}).get("coding", [{}])[0].get("code")
            for e in call("GET", "/Provenance?target=Observation/d1").json["entry"]
        ]
        assert sorted(activities) == ["merge", "unmerge"]
        assert read(call, f"Task/{part(merged, 'task')['id']}")["status"] == "entered-in-error"

    def test_only_a_merge_can_be_undone(self, call: Client, keep: Keep) -> None:
        keep({"resourceType": "Task", "id": "other", "status": "requested", "intent": "order"})
        assert call("POST", "/Patient/$undo-merge", parameters({"task": to("Task/other")})).status == 400
        assert call("POST", "/Patient/$undo-merge", parameters({})).status == 400

    @pytest.mark.parametrize(
        "forged",
        [
            {},
            {"focus": to("Patient/double"), "for": to("Patient/ada")},
            {"focus": to("Observation/a1"), "for": to("Patient/ada")},
            {
                "focus": to("Patient/double"),
                "for": to("Patient/ada"),
                "output": [{"type": {"text": "provenance"}, "valueReference": to("Provenance/seen")}],
            },
            {"focus": to("Patient/double"), "for": to("Patient/ada"), "output": [{"type": {"text": "provenance"}, "valueString": "x"}]},
            {
                "focus": to("Patient/double"),
                "for": to("Patient/ada"),
                "output": [{"type": {"text": "provenance"}, "valueReference": to("Provenance/forged")}],
            },
        ],
    )
    def test_a_task_that_only_looks_like_a_merge_undoes_nothing(self, call: Client, keep: Keep, forged: dict[str, Any]) -> None:
        code = {"coding": [{"system": "urn:openward:task", "code": "merge-patients"}]}
        made = [to(f"{type}/{id}/_history/1") for type, id in (("Patient", "ada"), ("Patient", "double"), ("Observation", "a1"))]
        agent = [{"who": {"display": "X"}}]
        keep({"resourceType": "Provenance", "id": "forged", "target": made, "recorded": "2026-01-01T00:00:00Z", "agent": agent})
        keep({"resourceType": "Task", "id": "forged", "status": "completed", "intent": "order", "code": code, **forged})
        assert call("POST", "/Patient/$undo-merge", parameters({"task": to("Task/forged")})).status in (400, 422)
        assert read(call, "Observation/a1")["subject"] == to("Patient/ada")


class TestWhoMay:
    def test_who_may_not_write_merges_nothing(self, call: Client) -> None:
        assert merge(call, token="reader").status == 403
        assert read(call, "Observation/d1")["subject"] == to("Patient/double")

    def test_who_may_not_change_all_that_moves_merges_nothing(self, call: Client) -> None:
        answer = merge(call, token="scoped")
        assert (answer.status, "Group" in answer.issue["diagnostics"]) == (403, True)
        assert read(call, "Observation/d1")["subject"] == to("Patient/double")

    def test_a_patient_who_sees_only_one_of_them_finds_no_other(self, call: Client) -> None:
        assert merge(call, token="ada").status == 404
        assert call("GET", "/Patient/$merge").status == 405

    def test_the_audit_trail_names_both(self, call: Client, house: House) -> None:
        merge(call)
        heard = house.connections[0].execute("select count(distinct patient) from heard where interaction = '$merge'").fetchone()
        assert heard == (2,)


def test_of_two_merges_of_one_patient_at_once_one_wins(house: House, call: Client) -> None:
    outcomes: list[str] = []

    def attempt(target: str) -> None:
        store = house.store(Visitor("clerk"))
        given = Parameters([("source-patient", to("Patient/double")), ("target-patient", to(f"Patient/{target}"))])
        try:
            named("merge", "type", "Patient")(Call(store, "merge", "Patient", None, given))
            outcomes.append("merged")
        except FhirError as error:
            outcomes.append(type(error).__name__)

    threads = [threading.Thread(target=attempt, args=(target,)) for target in ("ada", "ben")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["Refused", "merged"]
    (link,) = read(call, "Patient/double")["link"]
    assert {read(call, f"Observation/{id}")["subject"]["reference"] for id in ("d1", "d2")} == {link["other"]["reference"]}
