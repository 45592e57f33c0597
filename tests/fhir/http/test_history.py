from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.fhir.http.client import Client

levels = pytest.mark.parametrize("level", ["/Patient/mine/_history", "/Patient/_history", "/_history"])


@pytest.fixture
def times(call: Client) -> list[str]:
    """When the three versions of Patient/mine came to be: two updates and a deletion."""
    call("PUT", "/Patient/mine", {"resourceType": "Patient", "id": "mine"})
    call("PUT", "/Patient/mine", {"resourceType": "Patient", "id": "mine", "active": True})
    call("DELETE", "/Patient/mine")
    entries = call("GET", "/Patient/mine/_history").json["entry"]
    return [entry["response"]["lastModified"] for entry in reversed(entries)]


def versions(bundle: Any) -> list[str]:
    return [entry["response"]["etag"][3:-1] for entry in bundle.get("entry", ())]


@levels
class TestHistory:
    def test_versions_current_at_a_moment(self, call: Client, times: list[str], level: str) -> None:
        for number, moment in enumerate(times, start=1):
            assert versions(call("GET", f"{level}?_at={moment}").json) == [str(number)]

    def test_versions_current_at_some_point_of_a_day(self, call: Client, times: list[str], level: str) -> None:
        assert versions(call("GET", f"{level}?_at={times[0][:10]}").json) == ["3", "2", "1"]
        assert versions(call("GET", f"{level}?_at=1999").json) == []

    def test_the_oldest_may_come_first_page_by_page(self, call: Client, times: list[str], level: str) -> None:
        seen, address = [], f"{level}?_sort=_lastUpdated&_count=2"
        while address:
            page = call("GET", address).json
            seen += versions(page)
            address = next((link["url"].removeprefix("https://clinic.test/fhir") for link in page["link"] if link["relation"] == "next"), "")
        assert seen == ["1", "2", "3"]

    def test_since_an_instant(self, call: Client, times: list[str], level: str) -> None:
        assert versions(call("GET", f"{level}?_since={times[1]}").json) == ["3", "2"]

    @pytest.mark.parametrize(
        "position", [[10**30, None, None, None], [-1, None, None, None], [1, None, None, 2**31], [float("inf"), None, None, None]]
    )
    def test_a_page_link_that_was_made_up_is_refused(self, call: Client, times: list[str], level: str, position: list[Any]) -> None:
        cursor = base64.urlsafe_b64encode(json.dumps(position).encode()).decode()
        assert call("GET", f"{level}?_cursor={cursor}").status == 400

    @pytest.mark.parametrize("query", ["_at=yesterday", "_since=yesterday", "_sort=name", "_count=many", "_cursor=x"])
    def test_what_cannot_be_read_is_refused(self, call: Client, times: list[str], level: str, query: str) -> None:
        assert call("GET", f"{level}?{query}").status == 400

    def test_what_is_unknown_is_left_out_of_the_link_or_refused(self, call: Client, times: list[str], level: str) -> None:
        assert call("GET", f"{level}?shoe=43").json["link"][0]["url"] == f"https://clinic.test/fhir{level}"
        assert call("GET", f"{level}?shoe=43", prefer="handling=strict").status == 400


class TestListed:
    """`_list`: only versions of what a List names."""

    @pytest.fixture
    def list_id(self, call: Client) -> str:
        for id in ("one", "two", "three", "gone"):
            for active in (True, False):
                call("PUT", f"/Patient/{id}", {"resourceType": "Patient", "id": id, "active": active})
        call("PUT", "/Group/one", {"resourceType": "Group", "id": "one", "type": "person", "actual": True})
        entries = [{"item": {"reference": "Patient/one"}}, {"item": {"reference": "Patient/two/_history/1"}}]
        entries += [{"item": {"reference": "Patient/gone"}, "deleted": True}, {"item": {"display": "someone"}}, {"item": {"reference": "urn:uuid:x"}}]
        made = call("POST", "/List", {"resourceType": "List", "status": "current", "mode": "changes", "entry": entries})
        return str(made.json["id"])

    @pytest.mark.parametrize("level", ["", "/Patient"])
    def test_what_it_names_is_there_whole_or_by_the_version_named(self, call: Client, list_id: str, level: str) -> None:
        answer = call("GET", f"{level}/_history?_list={list_id}")
        assert sorted(entry["fullUrl"].rpartition("/")[2] for entry in answer.json["entry"]) == ["one", "one", "two"]

    def test_of_one_resource_it_keeps_what_the_list_names(self, call: Client, list_id: str) -> None:
        assert len(call("GET", f"/Patient/two/_history?_list=List/{list_id}").json["entry"]) == 1
        assert call("GET", f"/Patient/three/_history?_list={list_id}").json.get("entry", []) == []

    def test_its_pages_stay_within_the_list(self, call: Client, list_id: str) -> None:
        first = call("GET", f"/_history?_list={list_id}&_count=2").json
        following = next(link["url"] for link in first["link"] if link["relation"] == "next")
        rest = call("GET", following[following.index("/_history") :]).json
        assert len(first["entry"]) + len(rest["entry"]) == 3

    def test_a_list_that_is_not_there_is_not_found(self, call: Client) -> None:
        assert call("GET", "/_history?_list=nothing").status == 404
        assert call("GET", "/_history?_list=$current-problems").status == 400
