"""What an update does to the labels of a resource. https://hl7.org/fhir/R4/resource.html#tag-updates"""

from __future__ import annotations

from typing import Any

import pytest

from tests.fhir.http.client import Client

TAG, OTHER = {"system": "urn:t", "code": "a"}, {"system": "urn:u", "code": "b"}
SECRET = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
META = {"profile": ["urn:p"], "tag": [TAG, OTHER], "security": [SECRET]}


@pytest.fixture(params=["PUT", "conditional PUT", "batch", "transaction"])
def update(request: pytest.FixtureRequest, call: Client) -> Any:
    """Update Patient/mine, whichever way."""
    call("PUT", "/Patient/mine", {"resourceType": "Patient", "id": "mine", "meta": META, "identifier": [{"value": "7"}]})

    def put(meta: Any) -> dict[str, Any]:
        resource = {"resourceType": "Patient", "id": "mine", "active": True, "identifier": [{"value": "7"}], **({"meta": meta} if meta else {})}
        entry = {"resource": resource, "request": {"method": "PUT", "url": "Patient/mine"}}
        if request.param == "PUT":
            call("PUT", "/Patient/mine", resource)
        elif request.param == "conditional PUT":
            call("PUT", "/Patient?identifier=7", resource)
        else:
            call("POST", "", {"resourceType": "Bundle", "type": request.param, "entry": [entry]})
        stored = call("GET", "/Patient/mine").json
        assert stored["active"]
        return {name: stored["meta"][name] for name in stored["meta"] if name not in ("versionId", "lastUpdated")}

    return put


class TestUpdate:
    def test_labels_it_does_not_speak_of_stay_and_profiles_are_what_it_says(self, update: Any) -> None:
        assert update(None) == {"tag": [TAG, OTHER], "security": [SECRET]}

    def test_a_tag_takes_the_place_of_those_of_its_system(self, update: Any) -> None:
        new = {"system": "urn:t", "code": "c"}
        assert update({"tag": [new]})["tag"] == [new, OTHER]

    def test_a_security_label_comes_beside_those_that_are_there(self, update: Any) -> None:
        new = {**SECRET, "code": "V"}
        assert update({"security": [new], "profile": ["urn:q"]}) == {"security": [new, SECRET], "tag": [TAG, OTHER], "profile": ["urn:q"]}


def test_labels_are_found(call: Client) -> None:
    call("PUT", "/Patient/mine", {"resourceType": "Patient", "id": "mine", "meta": META})
    for query in ("_tag=urn:t|a", "_security=R", "_profile=urn:p"):
        assert call("GET", f"/Patient?{query}&_summary=count").json["total"] == 1


def test_labels_are_taken_away_by_the_operation(call: Client) -> None:
    call("PUT", "/Patient/mine", {"resourceType": "Patient", "id": "mine", "meta": META})
    gone = {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": {"tag": [TAG], "security": [SECRET]}}]}
    call("POST", "/Patient/mine/$meta-delete", gone)
    assert call("GET", "/Patient/mine").json["meta"]["tag"] == [OTHER]


def test_a_patch_says_itself_what_goes(call: Client) -> None:
    call("PUT", "/Patient/mine", {"resourceType": "Patient", "id": "mine", "meta": META})
    call("PATCH", "/Patient/mine", b'[{"op":"remove","path":"/meta/tag"}]', content_type="application/json-patch+json")
    assert "tag" not in call("GET", "/Patient/mine").json["meta"]
