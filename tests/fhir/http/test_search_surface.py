"""Search over HTTP: pages by opaque addresses, compartments, several types, value sets."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from openward.fhir.terminology import guards
from tests.fhir.house import House
from tests.fhir.http.client import Client

BASE = "https://clinic.test/fhir"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def ward(call: Client) -> Client:
    """Five patients named Secret, three observations of the first."""
    for number in range(5):
        patient = {"resourceType": "Patient", "id": f"p{number}", "name": [{"family": "Secret"}], "gender": ("male", "female")[number % 2]}
        assert call("PUT", f"/Patient/p{number}", patient).status == 201
    for number in range(3):
        code = {"coding": [{"system": "urn:x", "code": f"c{number}"}]}
        observation = {"resourceType": "Observation", "id": f"o{number}", "status": "final", "code": code, "subject": {"reference": "Patient/p0"}}
        assert call("PUT", f"/Observation/o{number}", observation).status == 201
    return call


def links(bundle: Any) -> dict[str, str]:
    return {link["relation"]: link["url"] for link in bundle["link"]}


def ids(bundle: Any) -> list[str]:
    return [entry["resource"]["id"] for entry in bundle.get("entry", ()) if entry["search"]["mode"] == "match"]


def posted(call: Client, path: str, **params: str) -> Any:
    return call("POST", path, urlencode(params).encode(), content_type=FORM)


class TestPages:
    def test_the_next_page_of_a_posted_search_says_nothing_of_what_was_searched(self, ward: Client) -> None:
        bundle = posted(ward, "/Patient/_search", family="Secret", _count="2").json
        assert all("ecret" not in url and url.startswith(f"{BASE}/Patient?_cursor=") for name, url in links(bundle).items() if name != "self")

    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_the_pages_lead_through_everything_and_back_to_the_first(self, ward: Client, method: str) -> None:
        query = {"family": "secret", "_count": "2", "_sort": "_id"}
        bundle = (posted(ward, "/Patient/_search", **query) if method == "POST" else ward("GET", f"/Patient?{urlencode(query)}")).json
        first, seen = ids(bundle), ids(bundle)
        while "next" in links(bundle):
            bundle = ward("GET", links(bundle)["next"].removeprefix(BASE)).json
            seen += ids(bundle)
        assert sorted(seen) == [f"p{number}" for number in range(5)]
        assert ids(ward("GET", links(bundle)["first"].removeprefix(BASE)).json) == first

    def test_a_forged_address_is_refused(self, ward: Client) -> None:
        url = links(ward("GET", "/Patient?_count=2").json)["next"].removeprefix(BASE)
        assert ward("GET", url[:-6] + "AAAAAA").status == 400
        assert ward("GET", url.replace("/Patient", "/Observation")).status == 400

    def test_an_old_address_is_gone(self, ward: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        import datetime as dt

        url = links(ward("GET", "/Patient?_count=2").json)["next"].removeprefix(BASE)
        monkeypatch.setattr("openward.fhir.search.ticket.GOOD_FOR", dt.timedelta(seconds=-2))
        assert ward("GET", url).status == 410

    def test_the_self_link_says_what_was_understood(self, ward: Client) -> None:
        bundle = ward("GET", "/Patient?gender=male&shoe-size=9&_count=2").json
        assert links(bundle)["self"] == f"{BASE}/Patient?gender=male&_count=2"
        assert [e["search"]["mode"] for e in bundle["entry"]] == ["match", "match", "outcome"]
        assert ward("GET", "/Patient?shoe-size=9", prefer="handling=strict").status == 400


class TestPlaces:
    def test_a_compartment_is_searched_by_get_and_by_post(self, ward: Client) -> None:
        assert sorted(ids(ward("GET", "/Patient/p0/Observation?code=c1,c2").json)) == ["o1", "o2"]
        assert ids(posted(ward, "/Patient/p0/Observation/_search", code="c1").json) == ["o1"]
        assert sorted(ids(ward("GET", "/Patient/p0/*").json)) == ["o0", "o1", "o2", "p0"]
        assert ids(ward("GET", "/Patient/p1/Observation").json) == []

    def test_the_pages_of_a_compartment_stay_in_it(self, ward: Client) -> None:
        bundle = ward("GET", "/Patient/p0/*?_count=3").json
        assert len(ids(bundle) + ids(ward("GET", links(bundle)["next"].removeprefix(BASE)).json)) == 4

    def test_several_types_are_searched_by_get_and_by_post(self, ward: Client) -> None:
        assert sorted(ids(ward("GET", "?_type=Patient,Observation&_id=p1,o1").json)) == ["o1", "p1"]
        assert sorted(ids(posted(ward, "/_search", _type="Observation", _id="o1,p1").json)) == ["o1"]
        assert ward("GET", "?_summary=count").json["total"] == 8

    @pytest.mark.parametrize(("path", "status"), [("/Organization/1/Patient", 404), ("/Patient/p0/Nothing", 404), ("?_type=Nothing", 400)])
    def test_what_is_nowhere_is_refused(self, ward: Client, path: str, status: int) -> None:
        assert ward("GET", path).status == status


@pytest.mark.parametrize(
    ("query", "found"),
    [("Observation?subject=BASE/Patient/p0", ["o0", "o1", "o2"]), ("Observation?subject=Patient/p1,BASE/Patient/p0", ["o0", "o1", "o2"]),
     ("Patient?_has:Observation:subject:subject=BASE/Patient/p0", ["p0"]), ("Observation?derived-from.subject=BASE/Patient/p0", ["o3"]),
     ("?_type=Observation&subject=BASE/Patient/p0", ["o0", "o1", "o2"]), ("Patient/p0/Observation?subject=BASE/Patient/p0", ["o0", "o1", "o2"]),
     ("ValueSet?url=BASE/ValueSet/v", ["v"]), ("Observation?subject:identifier=BASE/|1", ["o3"]),
     ("QuestionnaireResponse?questionnaire=BASE/Questionnaire/q", ["filled"]),
     ("DocumentReference?relationship=replaces$BASE/DocumentReference/old", ["new"])],
)  # fmt: skip
def test_a_resource_may_be_named_by_the_address_of_this_server(ward: Client, query: str, found: list[str]) -> None:
    """search.html#reference: also at the end of a chain and in a composite; a uri and a canonical stay what they are."""
    identifier = {"identifier": {"system": f"{BASE}/", "value": "1"}}
    third = {"resourceType": "Observation", "id": "o3", "status": "final", "code": {"text": "x"}, "subject": identifier}
    assert ward("PUT", "/Observation/o3", {**third, "derivedFrom": [{"reference": "Observation/o0"}]}).status == 201
    assert ward("PUT", "/ValueSet/v", {"resourceType": "ValueSet", "id": "v", "status": "draft", "url": f"{BASE}/ValueSet/v"}).status == 201
    filled = {"resourceType": "QuestionnaireResponse", "id": "filled", "status": "completed", "questionnaire": f"{BASE}/Questionnaire/q"}
    assert ward("PUT", "/QuestionnaireResponse/filled", filled).status == 201
    old = {"resourceType": "DocumentReference", "id": "old", "status": "superseded", "content": [{"attachment": {"title": "x"}}]}
    assert ward("PUT", "/DocumentReference/old", old).status == 201
    replaced = [{"code": "replaces", "target": {"reference": "DocumentReference/old"}}]
    assert ward("PUT", "/DocumentReference/new", {**old, "id": "new", "relatesTo": replaced}).status == 201
    assert sorted(ids(ward("GET", f"/{query.replace('BASE', BASE)}").json)) == found


class TestPosting:
    @pytest.mark.parametrize("path", ["/Patient/_search", "/Patient/_search?gender=male", "/_search", "/Patient/p0/Observation/_search"])
    @pytest.mark.parametrize(("type", "body"), [("text/plain", b"_id=p1"), ("application/fhir+json", b'{"resourceType":"Parameters"}')])
    def test_what_is_no_form_is_refused_and_does_not_find_everything(self, ward: Client, path: str, type: str, body: bytes) -> None:
        """http.html#search: a search by POST is application/x-www-form-urlencoded."""
        assert ward("POST", path, body, content_type=type).status == 415

    def test_what_comes_in_chunks_is_looked_at_too(self, ward: Client) -> None:
        answer = ward("POST", "/Patient/_search", b"_id=p1", content_type="text/plain", content_length="", transfer_encoding="chunked")
        assert answer.status == 415
        body = b'{"resourceType":"Patient","gender":"nobody"}'
        answer = ward("POST", "/Patient/$validate", body, content_length="", transfer_encoding="chunked")
        assert (answer.status, answer.issue["expression"]) == (200, ["Patient.gender"])

    def test_nothing_need_be_posted(self, ward: Client) -> None:
        assert ids(ward("POST", "/Patient/_search?_id=p1").json) == ["p1"]

    def test_a_form_says_too_in_what_the_answer_is_to_come(self, ward: Client) -> None:
        answer = posted(ward, "/Patient/_search", _id="p1", _format="xml")
        assert answer.headers["Content-Type"].startswith("application/fhir+xml")
        assert posted(ward, "/Patient/_search", _id="p1", _format="ttl").status == 406
        assert b"\n  " in posted(ward, "/Patient/_search", _id="p1", _pretty="true").body


class TestValueSets:
    @pytest.fixture(autouse=True)
    def terminology(self, house: House) -> None:
        house.guards.register(guards.keep_the_concepts, guards.TYPES, ("create", "update"))

    def test_a_code_is_sought_in_a_value_set_and_outside_of_it(self, ward: Client) -> None:
        codes = [{"code": "c0"}, {"code": "c1"}]
        value_set = {"resourceType": "ValueSet", "id": "v", "status": "active", "url": "urn:v"}
        value_set["compose"] = {"include": [{"system": "urn:x", "concept": codes}]}  # type: ignore[assignment]
        assert ward("PUT", "/ValueSet/v", value_set).status == 201
        answer = ward("GET", "/Observation?code:in=urn:v")
        assert sorted(ids(answer.json)) == ["o0", "o1"], answer.body
        assert ids(ward("GET", "/Observation?code:not-in=urn:v").json) == ["o2"]
        for name in ("ValueSet/v", f"{BASE}/ValueSet/v"):  # search.html#modifiers: literal, to an address where it can be found, or logical
            assert sorted(ids(ward("GET", f"/Observation?code:in={name}").json)) == ["o0", "o1"]
        assert ward("GET", "/Observation?code:in=ValueSet/other").status == 400
        assert ids(ward("GET", "/Patient?_has:Observation:patient:code:in=urn:v").json) == ["p0"]

    def test_a_code_is_sought_with_what_it_subsumes(self, ward: Client) -> None:
        system = {"resourceType": "CodeSystem", "id": "s", "status": "active", "url": "urn:x", "content": "complete", "hierarchyMeaning": "is-a"}
        system["concept"] = [{"code": "c0", "concept": [{"code": "c1"}]}, {"code": "c2"}]  # type: ignore[assignment]
        assert ward("PUT", "/CodeSystem/s", system).status == 201
        assert sorted(ids(ward("GET", "/Observation?code:below=urn:x|c0").json)) == ["o0", "o1"]
        assert sorted(ids(ward("GET", "/Observation?code:above=urn:x|c1").json)) == ["o0", "o1"]
        assert ids(ward("GET", "/Observation?code:below=urn:x|c2").json) == ["o2"]

    def test_what_cannot_be_told_is_refused(self, ward: Client) -> None:
        for query in ("code:in=urn:nowhere", "code:below=urn:nowhere|x", "code:below=x"):
            assert ward("GET", f"/Observation?{query}").status in (400, 404), query


def test_the_status_of_indexing_is_there_to_be_read(call: Client) -> None:
    answer = call("GET", "/SearchParameter/$reindex-status")
    assert answer.status == 200
    assert answer.json["resourceType"] == "Parameters"


def test_the_statement_names_what_search_can_do(call: Client) -> None:
    rest = call("GET", "/metadata").json["rest"][0]
    assert {"code": "search-system"} in rest["interaction"]
    assert "http://hl7.org/fhir/CompartmentDefinition/relatedPerson" in rest["compartment"]
    assert {"_text", "_content", "_list", "_has"} <= {parameter["name"] for parameter in rest["searchParam"]}
    patient = next(one for one in rest["resource"] if one["type"] == "Patient")
    assert {"*", "Observation:patient", "Provenance:target"} <= set(patient["searchRevInclude"])


@pytest.mark.parametrize("address", ["/Patient", "/Patient/p0/Observation", ""])
@pytest.mark.parametrize("handling", ["lenient", "strict"])
@pytest.mark.parametrize("name", ["_filter", "_query"])
def test_what_alone_says_what_is_searched_for_is_refused_and_not_left_out(ward: Client, address: str, handling: str, name: str) -> None:
    answer = ward("GET", f"{address}?{name}=gender%20eq%20male", prefer=f"handling={handling}")
    assert (answer.status, answer.issue["code"]) == (400, "not-supported")
    assert name in answer.issue["diagnostics"]
