from __future__ import annotations

import pytest

from tests.fhir.http.client import Client

PATIENT = {"resourceType": "Patient", "name": [{"family": "Okafor"}], "identifier": [{"system": "urn:mrn", "value": "7"}]}


class TestReading:
    def test_a_resource_comes_with_its_validators(self, call: Client) -> None:
        made = call("POST", "/Patient", PATIENT).json
        answer = call("GET", f"/Patient/{made['id']}")
        assert answer.status == 200
        assert answer.headers["ETag"] == 'W/"1"'
        assert answer.headers["Last-Modified"].endswith("GMT")
        assert answer.headers["Content-Type"].startswith("application/fhir+json")
        assert answer.headers["Cache-Control"] == "no-store"

    def test_digits_come_back_as_they_were_sent(self, call: Client) -> None:
        body = b'{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.10}}'
        made = call("POST", "/Observation", body).json
        assert b'"value":1.10}' in call("GET", f"/Observation/{made['id']}").body

    @pytest.mark.parametrize("tag", ['W/"1"', '"x", W/"1"', "*"])
    def test_what_the_client_has_is_not_sent_again(self, call: Client, tag: str) -> None:
        id = call("POST", "/Patient", PATIENT).json["id"]
        answer = call("GET", f"/Patient/{id}", if_none_match=tag)
        assert (answer.status, answer.body) == (304, b"")

    def test_if_modified_since_is_to_the_second(self, call: Client) -> None:
        made = call("POST", "/Patient", PATIENT)
        answer = call("GET", f"/Patient/{made.json['id']}", if_modified_since=made.headers["Last-Modified"])
        assert answer.status == 304

    @pytest.mark.parametrize("date", ["Sun Nov  6 08:49:37 2094", "Saturday, 06-Nov-60 08:49:37 GMT", "Sat, 06 Nov 2094 08:49:37 GMT"])
    def test_a_date_may_be_written_in_each_of_the_ways_of_http(self, call: Client, date: str) -> None:
        """rfc9110#section-5.6.7"""
        id = call("POST", "/Patient", PATIENT).json["id"]
        assert call("GET", f"/Patient/{id}", if_modified_since=date).status == 304

    @pytest.mark.parametrize("date", ["yesterday", "Mon, 01 Jan 2024 00:00:00 +99999999999999999999", "Mon, 01 Jan 99999 00:00:00 GMT"])
    def test_what_is_no_date_conditions_nothing(self, call: Client, date: str) -> None:
        """rfc9110#field.if-modified-since"""
        id = call("POST", "/Patient", PATIENT).json["id"]
        assert call("GET", f"/Patient/{id}", if_modified_since=date).status == 200

    @pytest.mark.parametrize(("method", "path", "condition"), [("POST", "/Patient", "name=a%00b"), ("POST", "/Patient", "%00=b")])
    def test_a_condition_with_the_character_nul_is_refused(self, call: Client, method: str, path: str, condition: str) -> None:
        answer = call(method, path, PATIENT, if_none_exist=condition)
        assert (answer.status, answer.issue["diagnostics"]) == (400, "The condition contains the character NUL.")

    def test_head_sends_no_body(self, call: Client) -> None:
        id = call("POST", "/Patient", PATIENT).json["id"]
        answer = call("HEAD", f"/Patient/{id}")
        assert (answer.status, answer.body) == (200, b"")
        assert int(answer.headers["Content-Length"]) > 0

    def test_a_version_is_read_by_its_number(self, call: Client) -> None:
        id = call("POST", "/Patient", PATIENT).json["id"]
        call("PUT", f"/Patient/{id}", {**PATIENT, "id": id, "active": True})
        assert "active" not in call("GET", f"/Patient/{id}/_history/1").json
        assert call("GET", f"/Patient/{id}/_history/3").status == 404
        assert call("GET", f"/Patient/{id}/_history/x").status == 404

    def test_a_version_that_is_not_there_is_what_does_not_exist(self, call: Client) -> None:
        id = call("POST", "/Patient", PATIENT).json["id"]
        answer = call("GET", f"/Patient/{id}/_history/9")
        assert (answer.status, answer.issue["diagnostics"]) == (404, f"Patient/{id}/_history/9 does not exist.")

    @pytest.mark.parametrize(
        ("id", "header", "said"),
        [("none", "if_match", "is not there"), ("gone", "if_match", "is not there"), ("mine", "if_none_match", "is there, at version 1")],
    )
    def test_what_a_condition_found_is_told(self, call: Client, id: str, header: str, said: str) -> None:
        for place in ("mine", "gone"):
            call("PUT", f"/Patient/{place}", {**PATIENT, "id": place})
        call("DELETE", "/Patient/gone")
        answer = call("PUT", f"/Patient/{id}", {**PATIENT, "id": id}, **{header: "*"})
        assert (answer.status, said in answer.issue["diagnostics"]) == (412, True)

    def test_a_read_may_ask_for_less(self, call: Client) -> None:
        id = call("POST", "/Patient", PATIENT).json["id"]
        assert set(call("GET", f"/Patient/{id}?_elements=name").json) == {"resourceType", "id", "meta", "name"}
        assert call("GET", f"/Patient/{id}?_summary=nonsense").status == 400

    @pytest.mark.parametrize("name", ["value", "valueQuantity", "Observation.value"])
    def test_a_choice_is_asked_for_by_its_name_or_as_it_is_written(self, call: Client, name: str) -> None:
        amount = {
            "resourceType": "Observation",
            "status": "final",
            "code": {"text": "x"},
            "valueQuantity": {"value": 1},
            "issued": "2026-01-01T00:00:00Z",
        }
        id = call("POST", "/Observation", amount).json["id"]
        assert set(call("GET", f"/Observation/{id}?_elements={name}").json) == {"resourceType", "id", "meta", "status", "code", "valueQuantity"}

    def test_a_version_and_a_history_may_be_asked_for_less(self, call: Client) -> None:
        """http.html#parameters: _summary and _elements are for every interaction that answers with resources."""
        id = call("POST", "/Patient", {**PATIENT, "active": True}).json["id"]
        call("DELETE", f"/Patient/{id}")
        short = {"resourceType", "id", "meta", "name"}
        assert set(call("GET", f"/Patient/{id}/_history/1?_elements=name").json) == short
        for address in (f"/Patient/{id}/_history", "/Patient/_history", "/_history"):
            gone, first = call("GET", f"{address}?_elements=name").json["entry"]
            assert ("resource" in gone, set(first["resource"])) == (False, short)
            assert first["resource"]["meta"]["tag"][0]["code"] == "SUBSETTED"
        assert call("GET", f"/Patient/{id}/_history?_summary=nonsense").status == 400

    @pytest.mark.parametrize("address", ["/Patient/ID/_history", "/Patient/_history", "/_history"])
    def test_a_history_of_nothing_has_no_entries(self, call: Client, address: str) -> None:
        """json.html: arrays are never empty."""
        id = call("POST", "/Patient", PATIENT).json["id"]
        answer = call("GET", f"{address.replace('ID', id)}?_since=2999-01-01T00:00:00Z").json
        assert (answer["type"], "entry" in answer) == ("history", False)

    def test_a_history_has_no_more_than_was_asked_for(self, call: Client) -> None:
        id = call("POST", "/Patient", PATIENT).json["id"]
        answer = call("GET", f"/Patient/{id}/_history?_count=0").json
        assert ("entry" in answer, [link["relation"] for link in answer["link"]]) == (False, ["self"])
        assert call("GET", "/Patient/nobody/_history?_count=0").status == 404

    def test_what_was_made_again_says_so_in_its_history(self, call: Client) -> None:
        for method in ("PUT", "PUT", "DELETE", "PUT"):
            call(method, "/Patient/mine", None if method == "DELETE" else {**PATIENT, "id": "mine", "active": method == "PUT"})
        said = [entry["response"]["status"][:3] for entry in call("GET", "/Patient/mine/_history").json["entry"]]
        assert said == ["201", "204", "201"]

    def test_history_is_a_bundle_with_a_next_page(self, call: Client) -> None:
        id = call("POST", "/Patient", PATIENT).json["id"]
        call("PUT", f"/Patient/{id}", {**PATIENT, "id": id, "active": True})
        call("DELETE", f"/Patient/{id}")
        bundle = call("GET", f"/Patient/{id}/_history?_count=2").json
        assert [entry["request"]["method"] for entry in bundle["entry"]] == ["DELETE", "PUT"]
        following = next(link["url"] for link in bundle["link"] if link["relation"] == "next")
        last = call("GET", following.removeprefix("https://clinic.test/fhir")).json
        assert last["entry"][0]["resource"]["meta"]["versionId"] == "1"

    def test_a_deleted_resource_is_gone(self, call: Client) -> None:
        id = call("POST", "/Patient", PATIENT).json["id"]
        call("DELETE", f"/Patient/{id}")
        assert call("GET", f"/Patient/{id}").status == 410


class TestWriting:
    def test_create_names_where_it_is(self, call: Client) -> None:
        answer = call("POST", "/Patient", PATIENT)
        assert answer.status == 201
        assert answer.headers["Location"] == f"https://clinic.test/fhir/Patient/{answer.json['id']}/_history/1"

    @pytest.mark.parametrize(("preference", "sent"), [("minimal", None), ("OperationOutcome", "OperationOutcome"), ("representation", "Patient")])
    def test_the_client_prefers_how_much_comes_back(self, call: Client, preference: str, sent: str | None) -> None:
        answer = call("POST", "/Patient", PATIENT, prefer=f"return={preference}")
        assert answer.status == 201
        assert (answer.json["resourceType"] if answer.body else None) == sent

    def test_conditional_create_answers_with_what_is_there(self, call: Client) -> None:
        made = call("POST", "/Patient", PATIENT).json
        again = call("POST", "/Patient", PATIENT, if_none_exist="identifier=urn:mrn|7")
        assert (again.status, again.json["id"]) == (200, made["id"])

    def test_update_creates_what_is_not_there(self, call: Client) -> None:
        assert call("PUT", "/Patient/mine", {**PATIENT, "id": "mine"}).status == 201
        assert call("PUT", "/Patient/mine", {**PATIENT, "id": "mine", "active": True}).status == 200

    def test_update_needs_the_id_of_the_address(self, call: Client) -> None:
        assert call("PUT", "/Patient/mine", {**PATIENT, "id": "other"}).status == 400
        assert call("PUT", "/Patient/mine", PATIENT).status == 400

    def test_a_stale_version_is_refused(self, call: Client) -> None:
        call("PUT", "/Patient/mine", {**PATIENT, "id": "mine"})
        answer = call("PUT", "/Patient/mine", {**PATIENT, "id": "mine", "active": True}, if_match='W/"2"')
        assert answer.status == 412

    def test_any_version_will_do_where_a_star_says_so(self, call: Client) -> None:
        assert call("PUT", "/Patient/mine", {**PATIENT, "id": "mine"}, if_match="*").status == 412
        call("PUT", "/Patient/mine", {**PATIENT, "id": "mine"})
        assert call("PUT", "/Patient/mine", {**PATIENT, "id": "mine", "active": True}, if_match="*").status == 200
        assert call("DELETE", "/Patient/mine", if_match="*").status == 204

    def test_deleting_what_never_was_is_no_error(self, call: Client) -> None:
        answer = call("DELETE", "/Patient/nobody")
        assert (answer.status, "ETag" in answer.headers) == (204, False)

    def test_conditional_update_and_delete_find_their_match(self, call: Client) -> None:
        id = call("POST", "/Patient", PATIENT).json["id"]
        assert call("PUT", "/Patient?identifier=urn:mrn|7", {**PATIENT, "active": True}).json["id"] == id
        assert call("DELETE", "/Patient?identifier=urn:mrn|7").status == 204
        assert call("GET", f"/Patient/{id}").status == 410

    @pytest.mark.parametrize("query", ["/mine", "?identifier=urn:mrn|7"])
    def test_what_must_be_new_overwrites_nothing(self, call: Client, query: str) -> None:
        """RFC 9110 13.1.2: a method whose If-None-Match is false must not be carried out."""
        assert call("PUT", "/Patient/mine", {**PATIENT, "id": "mine"}, if_none_match="*").status == 201
        assert call("PUT", f"/Patient{query}", {**PATIENT, "id": "mine", "active": True}, if_none_match="*").status == 412
        assert call("PUT", f"/Patient{query}", {**PATIENT, "id": "mine", "active": True}, if_none_match='W/"1"').status == 412
        assert call("PUT", f"/Patient{query}", {**PATIENT, "id": "mine", "active": True}, if_none_match='W/"2"').status == 200

    @pytest.mark.parametrize("tag", ['W/"2"', 'W/"0"'])
    def test_a_conditional_delete_of_another_version_deletes_nothing(self, call: Client, tag: str) -> None:
        """http.html#concurrency: If-Match holds for every interaction that changes what is there."""
        id = call("POST", "/Patient", PATIENT).json["id"]
        assert call("DELETE", "/Patient?identifier=urn:mrn|7", if_match=tag).status == 412
        assert call("GET", f"/Patient/{id}").status == 200
        assert call("DELETE", "/Patient?identifier=urn:mrn|8", if_match=tag).status == 412
        assert call("DELETE", "/Patient?identifier=urn:mrn|7", if_match='W/"1"').status == 204

    def test_a_condition_may_name_a_resource_by_the_address_of_this_server(self, call: Client) -> None:
        """references.html#literal: absolute and relative say the same; a search says so too, and a condition is a search."""
        call("PUT", "/Patient/mine", {**PATIENT, "id": "mine"})
        visit = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": {"reference": "Patient/mine"}}
        made = call("POST", "/Observation", visit).json["id"]
        absolute = "subject=https://clinic.test/fhir/Patient/mine"
        assert call("POST", "/Observation", visit, if_none_exist=absolute).json["id"] == made
        assert call("PUT", f"/Observation?{absolute}", {**visit, "status": "amended"}).json["id"] == made
        entry = {"resource": visit, "request": {"method": "POST", "url": "Observation", "ifNoneExist": absolute}}
        for kind in ("batch", "transaction"):
            answer = call("POST", "/", {"resourceType": "Bundle", "type": kind, "entry": [entry]}).json
            assert answer["entry"][0]["response"]["location"].split("/")[1] == made
        assert call("DELETE", "/Observation?subject=https%3A%2F%2Fclinic.test%2Ffhir%2FPatient%2Fmine").status == 204
        assert call("GET", f"/Observation/{made}").status == 410

    @pytest.mark.parametrize("before", ["?", "Patient?", "/Patient?", "https://clinic.test/fhir/Patient?"])
    def test_a_condition_may_name_the_type_it_is_asked_of(self, call: Client, before: str) -> None:
        """http.html#ccreate wants the parameters alone; the specification's example of XDS names the type, HAPI's client the whole address."""
        made = call("POST", "/Patient", PATIENT).json["id"]
        condition = before + "identifier=urn:mrn|7"
        assert call("POST", "/Patient", PATIENT, if_none_exist=condition).json["id"] == made
        entry = {"resource": PATIENT, "request": {"method": "POST", "url": "Patient", "ifNoneExist": condition}}
        for kind in ("batch", "transaction"):
            answer = call("POST", "/", {"resourceType": "Bundle", "type": kind, "entry": [entry]}).json
            assert answer["entry"][0]["response"]["location"].split("/")[1] == made
        assert call("POST", "/Patient", PATIENT, if_none_exist=before + "identifier=urn:mrn|8").status == 201

    @pytest.mark.parametrize("condition", ["Observation?identifier=urn:mrn|7", "https://elsewhere.test/Patient?identifier=urn:mrn|7"])
    def test_a_condition_of_another_type_or_server_is_refused(self, call: Client, condition: str) -> None:
        assert call("POST", "/Patient", PATIENT, if_none_exist=condition).status == 400

    @pytest.mark.parametrize("kind", ["batch", "transaction"])
    def test_in_a_bundle_a_conditional_delete_of_another_version_deletes_nothing(self, call: Client, kind: str) -> None:
        id = call("POST", "/Patient", PATIENT).json["id"]
        for query in ("identifier=urn:mrn|7", "identifier=urn:mrn|8"):
            entry = {"request": {"method": "DELETE", "url": f"Patient?{query}", "ifMatch": 'W/"2"'}}
            answer = call("POST", "/", {"resourceType": "Bundle", "type": kind, "entry": [entry]})
            assert answer.status == 412 if kind == "transaction" else answer.json["entry"][0]["response"]["status"].startswith("412")
        assert call("GET", f"/Patient/{id}").status == 200

    @pytest.mark.parametrize("kind", ["batch", "transaction"])
    @pytest.mark.parametrize(("tag", "status"), [("*", "412"), ('W/"1"', "412"), ('W/"2"', "200"), (None, "200")])
    @pytest.mark.parametrize("address", ["Patient/mine", "Patient?identifier=urn:mrn|7"])
    def test_in_a_bundle_an_update_of_what_must_not_be_there_changes_nothing(
        self, call: Client, kind: str, tag: str | None, status: str, address: str
    ) -> None:
        """rfc9110#field.if-none-match, as outside a bundle: who asks that nothing be there must not overwrite what is."""
        call("PUT", "/Patient/mine", {**PATIENT, "id": "mine"})
        asked = {"method": "PUT", "url": address} | ({"ifNoneMatch": tag} if tag else {})
        entry = {"resource": {**PATIENT, "id": "mine", "active": True}, "request": asked}
        answer = call("POST", "/", {"resourceType": "Bundle", "type": kind, "entry": [entry]})
        got = str(answer.status) if answer.status != 200 else answer.json["entry"][0]["response"]["status"][:3]
        assert (got, "active" in call("GET", "/Patient/mine").json) == (status, status == "200")

    @pytest.mark.parametrize("kind", ["batch", "transaction"])
    def test_in_a_bundle_what_must_not_be_there_and_is_not_is_created(self, call: Client, kind: str) -> None:
        entry = {"resource": {**PATIENT, "id": "mine"}, "request": {"method": "PUT", "url": "Patient/mine", "ifNoneMatch": "*"}}
        answer = call("POST", "/", {"resourceType": "Bundle", "type": kind, "entry": [entry]}).json
        assert answer["entry"][0]["response"]["status"][:3] == "201"

    @pytest.mark.parametrize("query", ["", "?", "?_count=1", "?identifier=", "?nonsense=1", "?_format=json"])
    def test_a_condition_that_conditions_nothing_deletes_nothing(self, call: Client, query: str) -> None:
        id = call("POST", "/Patient", PATIENT).json["id"]
        assert call("DELETE", f"/Patient{query}").status == 400
        assert call("GET", f"/Patient/{id}").status == 200

    @pytest.mark.parametrize("way", ["PUT", "PATCH", "batch", "transaction"])
    def test_what_points_at_something_deleted_can_still_be_amended(self, call: Client, way: str) -> None:
        """A result of a patient whose record is deleted must still be markable as entered in error."""
        call("PUT", "/Patient/mine", {**PATIENT, "id": "mine"})
        visit = {"resourceType": "Observation", "id": "o", "status": "final", "code": {"text": "x"}, "subject": {"reference": "Patient/mine"}}
        assert call("PUT", "/Observation/o", visit).status == 201
        assert call("DELETE", "/Patient/mine").status == 204
        amended = {**visit, "status": "entered-in-error"}
        if way == "PUT":
            answer = call("PUT", "/Observation/o", amended)
        elif way == "PATCH":
            patch = b'[{"op": "replace", "path": "/status", "value": "entered-in-error"}]'
            answer = call("PATCH", "/Observation/o", patch, content_type="application/json-patch+json")
        else:
            entry = {"resource": amended, "request": {"method": "PUT", "url": "Observation/o"}}
            answer = call("POST", "", {"resourceType": "Bundle", "type": way, "entry": [entry]})
        assert answer.status == 200
        assert call("GET", "/Observation/o").json["status"] == "entered-in-error"
        assert call("PUT", "/Observation/o2", {**visit, "id": "o2"}).status == 422
        assert call("PUT", "/Observation/o", {**amended, "performer": [{"reference": "Practitioner/nobody"}]}).status == 422

    def test_faults_are_listed_with_their_places(self, call: Client) -> None:
        answer = call("POST", "/Patient", {"resourceType": "Patient", "birthDate": "x", "gender": "y"})
        assert answer.status == 422
        assert {issue["expression"][0] for issue in answer.json["issue"]} == {"Patient.birthDate", "Patient.gender"}

    def test_a_body_of_another_type_is_refused(self, call: Client) -> None:
        assert call("POST", "/Observation", PATIENT).status == 400


class TestSearching:
    def test_get_and_post_find_the_same(self, call: Client) -> None:
        call("POST", "/Patient", PATIENT)
        by_get = call("GET", "/Patient?family=okafor").json
        by_post = call("POST", "/Patient/_search", b"family=okafor", content_type="application/x-www-form-urlencoded").json
        assert [entry["resource"]["id"] for entry in by_get["entry"]] == [entry["resource"]["id"] for entry in by_post["entry"]]

    def test_pages_are_linked(self, call: Client) -> None:
        for _ in range(3):
            call("POST", "/Patient", PATIENT)
        seen, url = set(), "/Patient?family=okafor&_count=2"
        while url:
            bundle = call("GET", url).json
            seen |= {entry["resource"]["id"] for entry in bundle["entry"]}
            url = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), "").removeprefix("https://clinic.test/fhir")
        assert len(seen) == 3

    def test_an_unknown_parameter_is_named_and_left_out_or_refused(self, call: Client) -> None:
        bundle = call("GET", "/Patient?shoe=42").json
        assert bundle["link"][0]["url"] == "https://clinic.test/fhir/Patient"
        assert bundle["entry"][0]["search"]["mode"] == "outcome"
        assert call("GET", "/Patient?shoe=42", prefer="handling=strict").status == 400

    def test_nothing_found_is_an_empty_bundle(self, call: Client) -> None:
        assert "entry" not in call("GET", "/Patient?family=nobody").json


class TestBundles:
    def test_a_transaction_is_posted_to_the_base(self, call: Client) -> None:
        entry = {"fullUrl": "urn:uuid:1", "resource": PATIENT, "request": {"method": "POST", "url": "Patient"}}
        answer = call("POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": [entry]})
        assert answer.status == 200
        assert answer.json["entry"][0]["response"]["status"] == "201 Created"

    @pytest.mark.parametrize("kind", ["batch", "transaction"])
    @pytest.mark.parametrize("address", ["https://clinic.test/fhir/Patient{}", "/Patient/{}", "Patient{}"])
    def test_an_entry_may_be_addressed_by_the_whole_address_of_this_server(self, call: Client, kind: str, address: str) -> None:
        """bundle-definitions.html#Bundle.entry.request.url is relative to this server's address, and that before it says the same."""
        call("PUT", "/Patient/mine", {**PATIENT, "id": "mine"})
        asked: list[dict[str, object]] = [
            {"resource": {**PATIENT, "id": "new"}, "request": {"method": "PUT", "url": address.format("/new").replace("//n", "/n")}},
            {"resource": PATIENT, "request": {"method": "POST", "url": address.format(""), "ifNoneExist": "identifier=urn:mrn|8"}},
            {"request": {"method": "DELETE", "url": address.format("?identifier=urn:mrn|9")}},
            {"request": {"method": "GET", "url": address.format("/mine").replace("//m", "/m")}},
        ]
        answer = call("POST", "/", {"resourceType": "Bundle", "type": kind, "entry": asked})
        assert [entry["response"]["status"][:3] for entry in answer.json["entry"]] == ["201", "201", "204", "200"]

    def test_an_entry_may_ask_for_the_page_a_link_leads_to(self, call: Client) -> None:
        for number in range(3):
            call("PUT", f"/Patient/p{number}", {**PATIENT, "id": f"p{number}"})
        page = call("GET", "?_type=Patient&_count=2").json
        following = next(link["url"] for link in page["link"] if link["relation"] == "next")
        entry = {"request": {"method": "GET", "url": following}}
        answer = call("POST", "/", {"resourceType": "Bundle", "type": "batch", "entry": [entry]}).json
        assert len(answer["entry"][0]["resource"]["entry"]) == 1

    @pytest.mark.parametrize("base", ["https://elsewhere.test/fhir", "https://clinic.test/fhirs", "https://clinic.test"])
    def test_an_entry_at_another_server_is_refused(self, call: Client, base: str) -> None:
        entry = {"request": {"method": "DELETE", "url": f"{base}/Patient/mine"}}
        assert call("POST", "/", {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}).status == 400


class TestCapabilities:
    def test_anyone_may_ask_what_the_server_can_do(self, call: Client) -> None:
        statement = call("GET", "/metadata", token=None).json
        patient = next(resource for resource in statement["rest"][0]["resource"] if resource["type"] == "Patient")
        assert statement["fhirVersion"] == "4.0.1"
        assert len(statement["rest"][0]["resource"]) == 146
        assert {"name": "birthdate", "type": "date"}.items() <= next(p for p in patient["searchParam"] if p["name"] == "birthdate").items()
        assert "Observation:subject" in patient["searchRevInclude"]

    def test_the_topics_to_subscribe_to_are_found_in_the_statement(self, call: Client) -> None:
        """Subscriptions R5 Backport, conformance in R4: a server declares backport-subscription as a supported profile, and SHOULD name its topics."""
        statement = call("GET", "/metadata").json
        guide = "http://hl7.org/fhir/uv/subscriptions-backport/"
        one = next(resource for resource in statement["rest"][0]["resource"] if resource["type"] == "Subscription")
        named = {extension["valueCanonical"] for extension in one["extension"]}
        assert {extension["url"] for extension in one["extension"]} == {guide + "StructureDefinition/capabilitystatement-subscriptiontopic-canonical"}
        assert {"urn:openward:topic:encounter-start", "urn:openward:topic:new-result"} <= named
        assert guide + "StructureDefinition/backport-subscription" in one["supportedProfile"]

    @pytest.mark.parametrize(
        "guide", ["us/core/CapabilityStatement/us-core-server", "uv/bulkdata/CapabilityStatement/bulk-data",
                  "uv/subscriptions-backport/CapabilityStatement/backport-subscription-server-r4"],
    )  # fmt: skip
    def test_the_statement_names_the_guides_it_keeps(self, call: Client, guide: str) -> None:
        """CapabilityStatement.instantiates; Inferno's suite of US Core fails a server that does not name it, that of bulk data warns."""
        assert f"http://hl7.org/fhir/{guide}" in call("GET", "/metadata", token=None).json["instantiates"]

    def test_the_statement_is_itself_valid(self, call: Client) -> None:
        from openward.fhir.json import loads
        from openward.fhir.validation import validate

        assert validate(loads(call("GET", "/metadata").body)) == []
