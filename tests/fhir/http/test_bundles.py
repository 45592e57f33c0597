"""Bundles over HTTP: what asks is answered as a request of its own would be, and what comes back is what the client prefers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fhir.http.client import Answer, Client

PATIENT = {"resourceType": "Patient", "active": True, "identifier": [{"system": "urn:mrn", "value": "7"}]}
both = pytest.mark.parametrize("kind", ["batch", "transaction"])


@pytest.fixture
def id(call: Client) -> str:
    return str(call("POST", "/Patient", PATIENT).json["id"])


def send(call: Client, kind: str, *entries: Any, **headers: str) -> Answer:
    return call("POST", "", {"resourceType": "Bundle", "type": kind, "entry": list(entries)}, **headers)


def asking(url: str, method: str = "GET", resource: Any = None, **conditions: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"request": {"method": method, "url": url, **conditions}}
    return {**entry, "resource": resource} if resource else entry


class TestWhatAsks:
    @both
    def test_a_read_comes_with_its_validators(self, call: Client, id: str, kind: str) -> None:
        (entry,) = send(call, kind, asking(f"Patient/{id}")).json["entry"]
        assert entry["resource"] == call("GET", f"/Patient/{id}").json
        assert entry["response"] == {"status": "200 OK", "etag": 'W/"1"', "lastModified": entry["resource"]["meta"]["lastUpdated"]}

    @both
    @pytest.mark.parametrize("condition", [{"ifNoneMatch": 'W/"1"'}, {"ifModifiedSince": "2999-01-01T00:00:00Z"}])
    def test_what_the_client_has_is_not_sent_again(self, call: Client, id: str, kind: str, condition: dict[str, str]) -> None:
        (entry,) = send(call, kind, asking(f"Patient/{id}", **condition)).json["entry"]
        assert (entry["response"]["status"], "resource" in entry) == ("304 Not Modified", False)

    @pytest.mark.parametrize("moment", ["yesterday", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
    def test_what_is_no_instant_is_refused(self, call: Client, id: str, moment: str) -> None:
        (entry,) = send(call, "batch", asking(f"Patient/{id}", ifModifiedSince=moment)).json["entry"]
        assert entry["response"]["status"] == "400 Bad Request"

    @both
    def test_a_search_has_links_and_addresses_of_this_server(self, call: Client, id: str, kind: str) -> None:
        (entry,) = send(call, kind, asking("Patient?identifier=urn:mrn|7&_elements=active")).json["entry"]
        assert entry["resource"]["link"][0]["url"].startswith("https://clinic.test/fhir/Patient?")
        assert entry["resource"]["entry"][0]["fullUrl"] == f"https://clinic.test/fhir/Patient/{id}"
        assert "identifier" not in entry["resource"]["entry"][0]["resource"]

    @both
    @pytest.mark.parametrize(
        ("method", "url", "type"),
        [("GET", "Patient/ID/_history", "history"), ("GET", "_history", "history"), ("POST", "Patient/_search?active=true", "searchset"),
         ("GET", "/Patient/ID/_history/1", None), ("GET", "Patient/ID/$meta", None), ("POST", "Patient/ID/$meta", None)],
    )  # fmt: skip
    def test_every_address_that_reads_is_answered(self, call: Client, id: str, kind: str, method: str, url: str, type: str | None) -> None:
        (entry,) = send(call, kind, asking(url.replace("ID", id), method)).json["entry"]
        assert (entry["response"]["status"], entry["resource"].get("type")) == ("200 OK", type)

    def test_an_operation_takes_its_parameters(self, call: Client, id: str) -> None:
        meta = {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": {"tag": [{"system": "urn:t", "code": "x"}]}}]}
        (entry,) = send(call, "batch", asking(f"Patient/{id}/$meta-add", "POST", meta)).json["entry"]
        assert entry["response"]["status"] == "200 OK"
        assert call("GET", f"/Patient/{id}").json["meta"]["tag"] == [{"system": "urn:t", "code": "x"}]

    def test_a_head_has_no_body(self, call: Client, id: str) -> None:
        assert "resource" not in send(call, "batch", asking(f"Patient/{id}", "HEAD")).json["entry"][0]

    def test_in_a_batch_what_fails_has_its_outcome_and_the_rest_goes_on(self, call: Client, id: str) -> None:
        urls = ["Patient/none", f"Patient/{id}", "Pasient/1", "Patient/1/2/3", "metadata", "Patient/é"]
        entries = send(call, "batch", *map(asking, urls)).json["entry"]
        assert [entry["response"]["status"][:3] for entry in entries] == ["404", "200", "404", "404", "400", "404"]
        assert entries[0]["response"]["outcome"]["issue"][0]["code"] == "not-found"

    def test_the_bundles_own_headers_are_not_those_of_its_entries(self, call: Client, id: str) -> None:
        answer = send(call, "batch", asking(f"Patient/{id}"), if_none_match='W/"1"', accept="application/fhir+json")
        assert answer.json["entry"][0]["response"]["status"] == "200 OK"

    def test_strict_handling_holds_for_the_searches_inside(self, call: Client) -> None:
        (entry,) = send(call, "batch", asking("Patient?shoe-size=43"), prefer="handling=strict").json["entry"]
        assert entry["response"]["status"].startswith("400")


class TestWhatComesBack:
    @both
    @pytest.mark.parametrize(
        ("prefer", "resource", "outcome"), [("minimal", False, False), ("representation", True, False), ("OperationOutcome", False, True)]
    )
    def test_of_writes_it_is_what_the_client_prefers(self, call: Client, kind: str, prefer: str, resource: bool, outcome: bool) -> None:
        entry = asking("Patient", "POST", PATIENT)
        (answer,) = send(call, kind, entry, prefer=f"return={prefer}").json["entry"]
        assert ("resource" in answer, "outcome" in answer["response"]) == (resource, outcome)
        assert answer["response"]["status"] == "201 Created"

    @both
    def test_a_conditional_delete_of_nothing_is_no_fault(self, call: Client, kind: str) -> None:
        (entry,) = send(call, kind, asking("Patient?identifier=urn:mrn|none", "DELETE")).json["entry"]
        assert entry["response"]["status"] == "204 No Content"

    def test_a_bundle_of_more_entries_than_are_taken_is_refused(self, call: Client) -> None:
        body = b'{"resourceType":"Bundle","type":"batch","entry":[' + b",".join([b"{}"] * 30_000) + b"]}"
        assert call("POST", "", body).status == 413


@both
@pytest.mark.parametrize("entries", [{}, {"entry": []}])
def test_the_answer_to_nothing_has_no_entries(call: Client, kind: str, entries: dict[str, Any]) -> None:
    """json.html: arrays are never empty."""
    answer = call("POST", "", {"resourceType": "Bundle", "type": kind, **entries})
    assert (answer.status, answer.json) == (200, {"resourceType": "Bundle", "type": f"{kind}-response"})


class TestWhatFails:
    def test_an_entry_nobody_understands_fails_alone_in_a_batch(self, call: Client, id: str) -> None:
        """http.html#batch: the success or failure of one entry does not alter that of another."""
        wrong = [
            asking("Shoe", "POST", {"resourceType": "Shoe"}), asking("Patient/1", "POST", PATIENT), asking("Patient/1", "PUT"), {}, "entry",
            asking(f"Patient/{id}", "PUT", {**PATIENT, "id": id}, ifMatch="latest"), asking(f"Patient/{id}", "PATCH"), asking("Patient", "TRACE"),
        ]  # fmt: skip
        entries = send(call, "batch", asking("Patient", "POST", PATIENT), *wrong, asking(f"Patient/{id}")).json["entry"]
        assert [entry["response"]["status"][:3] for entry in entries] == ["201", *(["400"] * len(wrong)), "200"]
        assert entries[1]["response"]["outcome"]["issue"][0]["expression"] == ["Bundle.entry[1]"]

    def test_an_entry_of_a_batch_refers_to_no_other(self, call: Client, id: str) -> None:
        """http.html#brules: such references are non-conformant; stored as it is this one would be of nobody."""
        name = "urn:uuid:0d1a9f0e-9c0b-4f0e-8d53-0f5c1b8e2a11"
        visit = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": {"reference": name}}
        entries = [{**asking("Patient", "POST", PATIENT), "fullUrl": name}, asking("Observation", "POST", visit)]
        made, refused = send(call, "batch", *entries).json["entry"]
        assert (made["response"]["status"][:3], refused["response"]["status"][:3]) == ("201", "422")
        assert refused["response"]["outcome"]["issue"][0]["expression"] == ["Bundle.entry[1].resource.subject.reference"]

    def test_a_transaction_with_one_is_refused_whole(self, call: Client) -> None:
        answer = send(call, "transaction", asking("Patient", "POST", PATIENT), asking("Shoe", "POST", {"resourceType": "Shoe"}))
        assert (answer.status, answer.issue["expression"]) == (400, ["Bundle.entry[1]"])
        assert "entry" not in call("GET", "/Patient").json

    @pytest.mark.parametrize("reference", ["Patient?identifier=urn:mrn|7", "Patient?identifier=7", "http:Patient", "Patient/1?x=a:b"])
    def test_a_condition_outside_a_transaction_is_no_reference(self, call: Client, id: str, reference: str) -> None:
        """http.html#trules: only a transaction resolves it; stored as it is it would be of nobody."""
        subject = {"reference": reference}
        visit = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": subject}
        expected = 201 if reference == "http:Patient" else 422
        assert call("POST", "/Observation", visit).status == expected
        (entry,) = send(call, "batch", asking("Observation", "POST", visit)).json["entry"]
        assert entry["response"]["status"].startswith(str(expected))


class TestReferences:
    NAME = "urn:uuid:0d1a9f0e-9c0b-4f0e-8d53-0f5c1b8e2a11"

    def visit(self, reference: str) -> dict[str, Any]:
        return {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": {"reference": reference}}

    def test_a_conditional_reference_finds_what_the_same_transaction_writes(self, call: Client) -> None:
        """http.html#trules: resolving conditional references is the last step of a transaction."""
        visit = asking("Observation", "POST", self.visit("Patient?identifier=urn:mrn|7"))
        made = send(call, "transaction", visit, asking("Patient", "POST", PATIENT), visit, asking("Observation?subject.identifier=urn:mrn|7")).json[
            "entry"
        ]
        subject = made[1]["response"]["location"].partition("/_history")[0]
        assert [entry["resource"]["subject"]["reference"] for entry in made[3]["resource"]["entry"]] == [subject, subject]
        (again,) = send(call, "transaction", visit).json["entry"]
        assert call("GET", "/" + again["response"]["location"]).json["subject"]["reference"] == subject

    def test_it_may_be_written_with_the_address_of_this_server(self, call: Client, id: str) -> None:
        visit = asking("Observation", "POST", self.visit("https://clinic.test/fhir/Patient?identifier=urn:mrn|7"))
        (made,) = send(call, "transaction", visit).json["entry"]
        assert call("GET", "/" + made["response"]["location"]).json["subject"]["reference"] == f"Patient/{id}"
        assert call("POST", "/Observation", visit["resource"]).status == 422

    @pytest.mark.parametrize("patients", [0, 2])
    def test_one_that_finds_none_or_several_refuses_the_whole(self, call: Client, patients: int) -> None:
        visit = asking("Observation", "POST", self.visit("Patient?identifier=urn:mrn|7"))
        answer = send(
            call,
            "transaction",
            visit,
            *[asking("Patient", "POST", PATIENT)] * patients,
            asking("Organization", "POST", {"resourceType": "Organization", "name": "x"}),
        )
        assert (answer.status, answer.issue["expression"]) == (412, ["Bundle.entry[0]"])
        assert all("entry" not in call("GET", f"/{type}").json for type in ("Patient", "Observation", "Organization"))

    @pytest.mark.parametrize("reference", ["Patient/nobody", NAME])
    def test_what_leads_nowhere_is_told_with_its_entry(self, call: Client, reference: str) -> None:
        answer = send(call, "transaction", asking("Patient", "POST", PATIENT), asking("Observation", "POST", self.visit(reference)))
        assert answer.status == 422
        assert answer.issue["expression"][0].startswith("Bundle.entry[1]")
        assert "entry" not in call("GET", "/Patient").json

    @pytest.mark.parametrize("name", [NAME, "http://other.example/fhir/Patient/7"])
    def test_a_reference_to_a_version_of_an_entry_leads_to_what_became_of_it(self, call: Client, name: str) -> None:
        """bundle.html#references: the version is taken off before the entry is looked for; the number 7 is another patient here."""
        call("PUT", "/Patient/7", {**PATIENT, "id": "7"})
        said = f"{name}/_history/3" if name.startswith("urn:") else "Patient/7/_history/3"
        person = {**asking("Patient", "POST", PATIENT), "fullUrl": name}
        patient, visit = send(call, "transaction", person, asking("Observation", "POST", self.visit(said))).json["entry"]
        subject = call("GET", "/" + visit["response"]["location"]).json["subject"]["reference"]
        assert subject == patient["response"]["location"].partition("/_history")[0] != "Patient/7"


class TestStoredBundles:
    """bundle.html#references: what its entries name is looked for in the Bundle itself."""

    NAME = "urn:uuid:0d1a9f0e-9c0b-4f0e-8d53-0f5c1b8e2a11"

    def collection(self, name: str, reference: str) -> dict[str, Any]:
        seen = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": {"reference": reference}}
        patient, visit = {"fullUrl": name, "resource": {"resourceType": "Patient"}}, {"fullUrl": f"{name[:-1]}9", "resource": seen}
        return {"resourceType": "Bundle", "type": "collection", "entry": [patient, visit]}

    @pytest.mark.parametrize(
        ("name", "reference"),
        [(NAME, NAME), ("http://other.example/fhir/Patient/7", "Patient/7"), ("http://other.example/fhir/Patient/7", "Patient/elsewhere")],
    )
    def test_it_is_stored_as_it_is(self, call: Client, name: str, reference: str) -> None:
        stored = self.collection(name, reference)
        alone = call("POST", "/Bundle", stored)
        patient = {**asking("Patient", "POST", PATIENT), "fullUrl": name}
        made = send(call, "transaction", patient, asking("Bundle", "POST", stored)).json["entry"]
        assert alone.json["entry"] == call("GET", "/" + made[1]["response"]["location"]).json["entry"] == stored["entry"]

    def test_what_it_does_not_hold_itself_still_leads_out_of_it(self, call: Client) -> None:
        entries = [
            {**asking("Patient", "POST", PATIENT), "fullUrl": self.NAME},
            asking("Bundle", "POST", self.collection("urn:oid:1.2.3", self.NAME)),
        ]
        made = send(call, "transaction", *entries).json["entry"]
        stored = call("GET", "/" + made[1]["response"]["location"]).json
        assert stored["entry"][1]["resource"]["subject"]["reference"] == made[0]["response"]["location"].partition("/_history")[0]
        assert call("POST", "/Bundle", self.collection("urn:oid:1.2.3", "Patient/nobody")).status == 422


class TestConditions:
    """What a condition finds inside a transaction. https://hl7.org/fhir/R4/http.html#trules"""

    CREATION = asking("Patient", "POST", PATIENT, ifNoneExist="identifier=urn:mrn|7")

    @pytest.mark.parametrize("url", ["Patient/ID", "Patient?identifier=urn:mrn|7"])
    @pytest.mark.parametrize("is_first", [True, False])
    def test_what_is_deleted_no_longer_exists_for_a_creation(self, call: Client, id: str, url: str, is_first: bool) -> None:
        entries = [asking(url.replace("ID", id), "DELETE"), self.CREATION]
        answers = send(call, "transaction", *(entries if is_first else entries[::-1])).json["entry"]
        assert sorted(entry["response"]["status"][:3] for entry in answers) == ["201", "204"]
        (found,) = call("GET", "/Patient?identifier=urn:mrn|7").json["entry"]
        assert found["resource"]["id"] != id

    def test_two_creations_that_found_what_is_deleted_are_still_one(self, call: Client, id: str) -> None:
        answer = send(call, "transaction", asking(f"Patient/{id}", "DELETE"), self.CREATION, self.CREATION)
        assert (answer.status, answer.issue["expression"]) == (400, ["Bundle.entry[2]"])

    @both
    def test_an_update_that_finds_nothing_creates_under_the_id_it_carries(self, call: Client, kind: str) -> None:
        (entry,) = send(call, kind, asking("Patient?identifier=urn:mrn|7", "PUT", {**PATIENT, "id": "seven"})).json["entry"]
        assert (entry["response"]["status"], entry["response"]["location"]) == ("201 Created", "Patient/seven/_history/1")

    @both
    @pytest.mark.parametrize("id", ["a_b", 7])
    def test_an_id_that_is_none_is_refused(self, call: Client, kind: str, id: object) -> None:
        answer = send(call, kind, asking("Patient?identifier=urn:mrn|7", "PUT", {**PATIENT, "id": id}))
        assert (answer.status if kind == "transaction" else int(answer.json["entry"][0]["response"]["status"][:3])) == 400

    @both
    @pytest.mark.parametrize("condition", ["", "?", "identifier=a%00b"])
    def test_a_condition_that_asks_nothing_is_refused(self, call: Client, kind: str, condition: str) -> None:
        answer = send(call, kind, asking("Patient", "POST", PATIENT, ifNoneExist=condition))
        assert (answer.status if kind == "transaction" else int(answer.json["entry"][0]["response"]["status"][:3])) == 400
        assert "entry" not in call("GET", "/Patient").json


class TestLinks:
    """http.html#trules: links are replaced in references, in elements of type url and in `<a href>` and `<img src>` of narratives."""

    URN = "urn:uuid:0d1a9f0e-9c0b-4f0e-8d53-0f5c1b8e2a11"

    @pytest.mark.parametrize("name", [URN, "http://other.example/fhir/Binary/photo"])
    def test_what_a_narrative_shows_is_what_was_stored(self, call: Client, name: str) -> None:
        div = f'<div xmlns="http://www.w3.org/1999/xhtml"><img src="{name}" alt="{name}"/><a href=\'{name}\'>{name}</a></div>'
        story = {"status": "additional", "div": div}
        section = {"title": "Picture", "text": story, "section": [{"title": name, "text": story}]}
        note = {
            "resourceType": "Composition", "status": "preliminary", "type": {"text": "note"}, "date": "2026", "author": [{"display": "x"}],
            "title": "x", "text": story, "section": [section],
        }  # fmt: skip
        picture = {**asking("Binary", "POST", {"resourceType": "Binary", "contentType": "text/plain", "data": "aGk="}), "fullUrl": name}
        made = send(call, "transaction", asking("Composition", "POST", note), picture).json["entry"]
        binary = made[1]["response"]["location"].partition("/_history")[0]
        stored = call("GET", "/" + made[0]["response"]["location"]).json
        expected = div.replace(f'src="{name}"', f'src="{binary}"').replace(f"href='{name}'", f"href='{binary}'")
        assert stored["text"]["div"] == stored["section"][0]["text"]["div"] == expected
        assert stored["section"][0]["section"][0] == {"title": name, "text": {"status": "additional", "div": expected}}

    @pytest.mark.parametrize("url", ["http://other.example/fhir/Binary/scan", "Binary/scan"])
    def test_an_attachment_leads_to_the_binary_that_came_with_it(self, call: Client, url: str) -> None:
        document = {"resourceType": "DocumentReference", "status": "current", "content": [{"attachment": {"contentType": "text/plain", "url": url}}]}
        scan = asking("Binary", "POST", {"resourceType": "Binary", "contentType": "text/plain", "data": "aGk="})
        scan["fullUrl"] = "http://other.example/fhir/Binary/scan"
        made = send(call, "transaction", asking("DocumentReference", "POST", document), scan).json["entry"]
        binary = made[1]["response"]["location"].partition("/_history")[0]
        assert call("GET", "/" + made[0]["response"]["location"]).json["content"][0]["attachment"]["url"] == binary

    def test_a_canonical_and_a_text_keep_what_they_say(self, call: Client) -> None:
        said = [{"url": "urn:x", name: self.URN} for name in ("valueCanonical", "valueString")]
        entry = {**asking("Patient", "POST", {**PATIENT, "extension": [*said, {"url": "urn:x", "valueUri": self.URN}]}), "fullUrl": self.URN}
        (made,) = send(call, "transaction", entry).json["entry"]
        stored = call("GET", "/" + made["response"]["location"]).json
        assert stored["extension"] == [*said, {"url": "urn:x", "valueUri": f"Patient/{stored['id']}"}]
