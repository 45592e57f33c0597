from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.fhir.http.client import Client
from tests.fhir.operations.conftest import patient, references, to

Keep = Callable[..., None]
LOINC = "http://loinc.org"


def reference(id: str, whose: str, code: str, date: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "DocumentReference",
        "id": id,
        "status": "current",
        "type": {"coding": [{"system": LOINC, "code": code}]},
        "subject": to(f"Patient/{whose}"),
        "date": f"{date}T09:00:00Z",
        "content": [{"attachment": {"contentType": "text/plain", "data": "aGVsbG8="}}],
        "context": {"period": {"start": date, "end": date}},
        **more,
    }


@pytest.fixture(autouse=True)
def documents(keep: Keep) -> None:
    keep(
        patient("ada"),
        patient("ben"),
        reference("old", "ada", "34133-9", "2024-01-01"),
        reference("new", "ada", "34133-9", "2026-01-01"),
        reference("note", "ada", "11506-3", "2025-06-01"),
        reference("wrong", "ada", "34133-9", "2026-02-01", status="entered-in-error"),
        reference("bens", "ben", "34133-9", "2026-05-01"),
    )


def docref(call: Client, query: str, token: str = "good") -> list[str]:
    answer = call("GET", f"/DocumentReference/$docref?{query}", token=token)
    assert answer.status == 200, answer.body
    return [name.partition("/")[2] for name in references(answer.json, "match")]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("patient=ada", ["new"]),
        ("patient=Patient/ada&type=http://loinc.org|34133-9", ["new", "old"]),
        ("patient=ada&type=11506-3", ["note"]),
        ("patient=ada&start=2025-01-01", ["new", "note"]),
        ("patient=ada&start=2025-01-01&end=2025-12-31", ["note"]),
        ("patient=nobody", []),
    ],
)
def test_the_documents_asked_for_the_newest_first(call: Client, query: str, expected: list[str]) -> None:
    assert docref(call, query) == expected


def test_a_type_may_be_a_concept_in_parameters(call: Client) -> None:
    concept = {"coding": [{"system": LOINC, "code": "11506-3"}]}
    parameters = [{"name": "patient", "valueId": "ada"}, {"name": "type", "valueCodeableConcept": concept}]
    answer = call("POST", "/DocumentReference/$docref", {"resourceType": "Parameters", "parameter": parameters})
    assert references(answer.json) == ["DocumentReference/note"]


def test_what_is_asked_on_demand_is_answered_with_what_there_is_and_says_so(call: Client) -> None:
    bundle = call("GET", "/DocumentReference/$docref?patient=ada&on-demand=true").json
    assert references(bundle, "match") == ["DocumentReference/new"]
    assert bundle["entry"][-1]["resource"]["issue"][0]["code"] == "not-supported"


@pytest.mark.parametrize("query", ["", "type=34133-9", "patient=ada&start=soon", "patient=a/b/c"])
def test_what_it_cannot_answer_is_refused(call: Client, query: str) -> None:
    assert call("GET", f"/DocumentReference/$docref?{query}").status == 400


class TestWhoMaySeeWhat:
    def test_a_patient_sees_only_their_own(self, call: Client) -> None:
        assert docref(call, "patient=ada", token="ben") == []
        assert docref(call, "patient=ben", token="ben") == ["bens"]

    def test_a_client_without_documents_is_refused(self, call: Client) -> None:
        assert call("GET", "/DocumentReference/$docref?patient=ada", token="scoped").status == 403
