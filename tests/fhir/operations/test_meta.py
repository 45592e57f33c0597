from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.fhir.http.client import Answer, Client
from tests.fhir.operations.conftest import observation, patient

Keep = Callable[..., None]
VIP = {"system": "urn:tags", "code": "vip"}
TEST = {"system": "urn:tags", "code": "test"}
SECRET = {"system": "urn:labels", "code": "R"}
PROFILE = "http://example.org/StructureDefinition/patient"


@pytest.fixture(autouse=True)
def labelled(keep: Keep) -> None:
    keep(
        patient("ada", meta={"tag": [VIP], "security": [SECRET], "profile": [PROFILE]}),
        patient("ben"),
        observation("b1", "ben", meta={"tag": [TEST]}),
    )


def meta(answer: Answer) -> dict[str, Any]:
    assert answer.status == 200, answer.body
    (returned,) = answer.json["parameter"]
    assert returned["name"] == "return"
    found: dict[str, Any] = returned["valueMeta"]
    return found


def changed(call: Client, name: str, given: Any, *, id: str = "Patient/ada", token: str = "good") -> Answer:
    return call("POST", f"/{id}/{name}", {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": given}]}, token=token)


def test_the_meta_of_one_resource(call: Client) -> None:
    found = meta(call("GET", "/Patient/ada/$meta"))
    assert (found["tag"], found["security"], found["profile"], found["versionId"]) == ([VIP], [SECRET], [PROFILE], "1")


def test_the_labels_in_use_on_a_type_and_on_the_system(call: Client) -> None:
    assert meta(call("GET", "/Patient/$meta")) == {"profile": [PROFILE], "security": [SECRET], "tag": [VIP]}
    assert meta(call("GET", "/$meta"))["tag"] == [TEST, VIP]
    assert meta(call("GET", "/Encounter/$meta")) == {}


def test_labels_are_added_once_and_are_searchable(call: Client) -> None:
    added = meta(changed(call, "$meta-add", {"tag": [TEST, {**VIP, "display": "Very important"}], "profile": [PROFILE]}))
    assert added["tag"] == [{**VIP, "display": "Very important"}, TEST]
    assert (added["profile"], added["versionId"]) == ([PROFILE], "2")
    assert call("GET", "/Patient?_tag=urn:tags|test").json["entry"][0]["resource"]["id"] == "ada"
    assert meta(call("GET", "/Patient/ada/$meta")) == added


def test_labels_are_taken_off_and_the_rest_stays(call: Client) -> None:
    left = meta(changed(call, "$meta-delete", {"tag": [VIP], "profile": [PROFILE]}))
    assert "tag" not in left
    assert "profile" not in left
    assert left["security"] == [SECRET]
    assert "entry" not in call("GET", "/Patient?_tag=urn:tags|vip").json


def test_a_change_that_changes_nothing_makes_no_version(call: Client) -> None:
    assert meta(changed(call, "$meta-add", {"tag": [VIP]}))["versionId"] == "1"


@pytest.mark.parametrize("name", ["$meta-add", "$meta-delete"])
@pytest.mark.parametrize("given", [None, "x", {"tag": "x"}, {"tag": ["x"]}, {"profile": "urn:x"}, {"profile": [{}]}, {"profile": [["urn:x"]]}])
def test_what_is_no_meta_is_refused(call: Client, given: Any, name: str) -> None:
    assert changed(call, name, given).status == 400


def test_changing_is_by_post_alone(call: Client) -> None:
    assert call("GET", "/Patient/ada/$meta-add").status == 405


class TestWhoMaySeeWhat:
    def test_a_patient_sees_only_their_own(self, call: Client) -> None:
        assert call("GET", "/Patient/ada/$meta", token="ben").status == 404
        assert meta(call("GET", "/$meta", token="ben")) == {"tag": [TEST]}
        assert changed(call, "$meta-add", {"tag": [TEST]}, token="ben").status == 404

    def test_a_client_sees_only_the_types_of_its_scope(self, call: Client) -> None:
        assert meta(call("GET", "/$meta", token="blind")) == {}
        assert call("GET", "/Patient/$meta", token="blind").status == 403

    def test_who_may_not_write_changes_nothing(self, call: Client) -> None:
        assert changed(call, "$meta-add", {"tag": [TEST]}, token="reader").status == 404
        assert meta(call("GET", "/Patient/ada/$meta"))["versionId"] == "1"
