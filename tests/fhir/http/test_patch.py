from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from openward.fhir.guards import Change
from openward.fhir.work import UnitOfWork
from openward.fhir.xml import to_xml
from tests.fhir.house import House
from tests.fhir.http.client import Answer, Client

JSON_PATCH, XML_PATCH = "application/json-patch+json", "application/xml-patch+xml"
PATIENT = {"resourceType": "Patient", "name": [{"family": "Okafor", "given": ["Ada", "Bo"]}], "identifier": [{"system": "urn:mrn", "value": "7"}]}
CHANGE = [{"op": "replace", "path": "/name/0/family", "value": "Obi"}]
XML_CHANGE = b'<diff xmlns="http://hl7.org/fhir"><replace sel="Patient/name/family/@value">Obi</replace></diff>'


FOLD = [
    {"op": "add", "path": "/y", "value": {"x": {}}},
    {"op": "move", "from": "/x", "path": "/y/x/x"},
    {"op": "move", "from": "/y", "path": "/x"},
]


@pytest.fixture
def id(call: Client) -> str:
    return str(call("POST", "/Patient", PATIENT).json["id"])


def by_json(call: Client, path: str, change: Any = CHANGE, **headers: str) -> Answer:
    return call("PATCH", path, json.dumps(change).encode(), content_type=JSON_PATCH, **headers)


class TestPatch:
    def test_json_patch_makes_the_next_version(self, call: Client, id: str) -> None:
        answer = by_json(call, f"/Patient/{id}")
        assert (answer.status, answer.json["name"][0]["family"], answer.headers["ETag"]) == (200, "Obi", 'W/"2"')
        assert answer.json == call("GET", f"/Patient/{id}").json

    def test_xml_patch_does_too(self, call: Client, id: str) -> None:
        answer = call("PATCH", f"/Patient/{id}", XML_CHANGE, content_type=XML_PATCH)
        assert (answer.status, answer.json["name"][0]["family"]) == (200, "Obi")

    def test_the_last_of_a_list_may_be_taken_away(self, call: Client, id: str) -> None:
        assert "identifier" not in by_json(call, f"/Patient/{id}", [{"op": "remove", "path": "/identifier/0"}]).json

    def test_decimals_keep_their_digits(self, call: Client) -> None:
        body = b'{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.10}}'
        id = call("POST", "/Observation", body).json["id"]
        assert b'"value":1.10}' in by_json(call, f"/Observation/{id}", [{"op": "replace", "path": "/status", "value": "amended"}]).body

    def test_the_version_to_be_changed_may_be_named(self, call: Client, id: str) -> None:
        assert by_json(call, f"/Patient/{id}", if_match='W/"2"').status == 412
        assert by_json(call, f"/Patient/{id}", if_match='W/"1"').status == 200

    def test_what_is_not_there_cannot_be_changed(self, call: Client, id: str) -> None:
        assert by_json(call, "/Patient/none").status == 404
        call("DELETE", f"/Patient/{id}")
        assert by_json(call, f"/Patient/{id}").status == 410

    def test_who_may_only_read_learns_nothing_and_changes_nothing(self, call: Client, id: str) -> None:
        assert by_json(call, f"/Patient/{id}", [{"op": "test", "path": "/name/0/family", "value": "X"}], token="reader").status == 404

    def test_who_may_write_and_not_read_cannot_ask_by_tests(self, house: House, call: Client, id: str) -> None:
        assert by_json(call, f"/Patient/{id}", [{"op": "test", "path": "/name/0/family", "value": "X"}], token="writer").status == 404

    @pytest.mark.parametrize(
        ("change", "status"),
        [
            ([{"op": "replace", "path": "/nothing", "value": 1}], 422),
            ([{"op": "test", "path": "/name/0/family", "value": "X"}], 422),
            ([{"op": "add", "path": "/nickname", "value": "X"}], 422),
            ([{"op": "replace", "path": "/id", "value": "other"}], 400),
            ([{"op": "replace", "path": "/resourceType", "value": "Person"}], 400),
            ([{"op": "replace", "path": "", "value": 7}], 400),
            ([{"op": "grow", "path": "/name"}], 400),
            ([{"op": "add", "path": "name", "value": 1}], 400),
            ([{"op": "add", "path": "/a~2", "value": 1}], 400),
            ([{"op": "add", "path": "/active"}], 400),
            ({"op": "add"}, 400),
            ([7], 400),
            ([{"op": "copy", "from": "/name", "path": "/name/-"}] * 30, 422),
        ],
    )
    def test_a_patch_that_cannot_be_is_refused_and_nothing_changes(self, call: Client, id: str, change: Any, status: int) -> None:
        assert by_json(call, f"/Patient/{id}", change).status == status
        assert call("GET", f"/Patient/{id}").headers["ETag"] == 'W/"1"'

    @pytest.mark.parametrize(
        ("inside", "status"),
        [
            ('<remove sel="f:Patient/f:nothing"/>', 422),
            ('<remove sel="f:Patient"/>', 422),
            ('<remove sel="Patient/name/given"/>', 422),
            ('<add sel="Patient"><nickname value="x"/></add>', 400),
            ('<remove sel="//*[//*[//*]]"/>', 400),
            ('<remove sel="Patient/ancestor::*"/>', 400),
            ('<remove sel="count(Patient)"/>', 400),
            ('<remove sel="x:Patient"/>', 400),
            ('<remove sel=""/>', 400),
            ("<grow/>", 400),
            ("", 400),
        ],
    )
    def test_so_is_one_in_xml(self, call: Client, id: str, inside: str, status: int) -> None:
        body = f'<diff xmlns="http://hl7.org/fhir">{inside}</diff>'.encode()
        assert call("PATCH", f"/Patient/{id}", body, content_type=XML_PATCH).status == status
        doctype = b'<!DOCTYPE d [<!ENTITY a "ha">]>'
        assert call("PATCH", f"/Patient/{id}", doctype + body, content_type=XML_PATCH).status == 400

    def test_xml_selectors_may_ask_for_values(self, call: Client, id: str) -> None:
        body = b"""<diff><remove sel="f:Patient/f:name[f:family/@value='Okafor'][1]/f:given[2]"/></diff>"""
        assert call("PATCH", f"/Patient/{id}", body, content_type=XML_PATCH).json["name"][0]["given"] == ["Ada"]

    def test_other_kinds_of_patch_are_not_taken(self, call: Client, id: str) -> None:
        assert call("PATCH", f"/Patient/{id}", b"{}", content_type="application/merge-patch+json").status == 415

    def test_the_guards_of_an_update_run_and_it_is_audited_as_one(self, call: Client, house: House, id: str) -> None:
        seen: list[str] = []

        def watch(change: Change, work: UnitOfWork) -> None:
            seen.append(change.resource.data["name"][0]["family"])

        house.guards.register(watch, ("Patient",), ("update",))
        by_json(call, f"/Patient/{id}")
        assert seen == ["Obi"]
        assert ("update", "Patient", 2, 0) in house.heard()


def operation(**parts: Any) -> dict[str, Any]:
    """An operation whose value, where there is one, is a whole part."""
    value = [{"name": "value", **parts.pop("value")}] if "value" in parts else []
    kinds = {"type": "valueCode", "index": "valueInteger", "source": "valueInteger", "destination": "valueInteger"}
    return {"name": "operation", "part": [*({"name": name, kinds.get(name, "valueString"): said} for name, said in parts.items()), *value]}


def parameters(*operations: Any) -> dict[str, Any]:
    return {"resourceType": "Parameters", "parameter": list(operations)}


class TestFhirPathPatch:
    def test_parameters_say_what_to_change(self, call: Client, id: str) -> None:
        change = parameters(
            operation(type="replace", path="Patient.name.family", value={"valueString": "Obi"}),
            operation(type="insert", path="Patient.name[0].given", index=1, value={"valueString": "Ngozi"}),
            operation(type="move", path="Patient.name.given", source=0, destination=2),
            operation(type="delete", path="Patient.identifier.where(system = 'urn:mrn')"),
            operation(type="delete", path="Patient.birthDate"),
            operation(type="add", path="Patient", name="deceased", value={"valueBoolean": True}),
            operation(type="add", path="Patient", name="contact", value={"part": [{"name": "name", "valueHumanName": {"text": "Chi"}}]}),
        )
        changed = call("PATCH", f"/Patient/{id}", change).json
        assert {name: changed[name] for name in changed if name not in ("id", "meta", "resourceType")} == {
            "name": [{"family": "Obi", "given": ["Ngozi", "Bo", "Ada"]}],
            "deceasedBoolean": True,
            "contact": [{"name": {"text": "Chi"}}],
        }

    def test_a_primitive_may_carry_extensions(self, call: Client, id: str) -> None:
        note = {"url": "urn:note", "valueString": "as told"}
        change = parameters(
            operation(type="add", path="Patient.name.given[1]", name="extension", value={"valueExtension": note}),
            operation(type="replace", path="Patient.name.family", value={"valueString": "Obi", "_valueString": {"extension": [note]}}),
            operation(type="delete", path="Patient.name.given[0]"),
        )
        name = call("PATCH", f"/Patient/{id}", change).json["name"][0]
        assert name == {"given": ["Bo"], "_given": [{"extension": [note]}], "family": "Obi", "_family": {"extension": [note]}}

    def test_one_type_of_a_choice_takes_the_place_of_another(self, call: Client, id: str) -> None:
        add = operation(type="add", path="Patient", name="deceasedBoolean", value={"valueBoolean": False})
        change = parameters(add, operation(type="replace", path="Patient.deceased", value={"valueDateTime": "2026-01-02"}))
        changed = call("PATCH", f"/Patient/{id}", change).json
        assert (changed["deceasedDateTime"], "deceasedBoolean" in changed) == ("2026-01-02", False)

    def test_parameters_come_in_xml_too(self, call: Client, id: str) -> None:
        change = parameters(operation(type="add", path="Patient", name="gender", value={"valueCode": "female"}))
        answer = call("PATCH", f"/Patient/{id}", to_xml(change), content_type="application/fhir+xml", accept="application/fhir+json")
        assert answer.json["gender"] == "female"

    def test_in_a_transaction_it_may_refer_to_what_comes_with_it(self, call: Client, id: str) -> None:
        doctor = {"resource": {"resourceType": "Practitioner"}, "fullUrl": "urn:uuid:2f5a", "request": {"method": "POST", "url": "Practitioner"}}
        value = {"valueReference": {"reference": "urn:uuid:2f5a"}}
        change = parameters(operation(type="add", path="Patient", name="generalPractitioner", value=value))
        bundle = {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [{"resource": change, "request": {"method": "PATCH", "url": f"Patient/{id}"}}, doctor],
        }
        made = call("POST", "", bundle).json["entry"][1]["response"]["location"]
        assert call("GET", f"/Patient/{id}").json["generalPractitioner"][0]["reference"] == made.partition("/_history")[0]

    @pytest.mark.parametrize(
        ("change", "status"),
        [
            (operation(type="replace", path="Patient.birthDate", value={"valueDate": "2000"}), 422),
            (operation(type="add", path="Patient.name.family", name="given", value={"valueString": "x"}), 400),
            (operation(type="add", path="Patient.name", name="family", value={"valueString": "x"}), 422),
            (operation(type="add", path="Patient", name="nickname", value={"valueString": "x"}), 400),
            (operation(type="add", path="Patient", name="deceased", value={"valueString": "x"}), 400),
            (operation(type="add", path="Patient", name="active"), 400),
            (operation(type="insert", path="Patient.name.given", index=3, value={"valueString": "x"}), 422),
            (operation(type="insert", path="Patient.name.given.where($this = 'Bo')", index=0, value={"valueString": "x"}), 422),
            (operation(type="move", path="Patient.name.given", source=0, destination=2), 422),
            (operation(type="delete", path="Patient.name.given"), 422),
            (operation(type="delete", path="Patient"), 422),
            (operation(type="delete", path="1 + 1"), 422),
            (operation(type="delete", path="Patient.("), 400),
            (operation(type="grow", path="Patient"), 400),
            (operation(type="delete"), 400),
            ({"name": "other"}, 400),
        ],
    )  # fmt: skip
    def test_what_cannot_be_done_is_refused(self, call: Client, id: str, change: Any, status: int) -> None:
        answer = call("PATCH", f"/Patient/{id}", parameters(change))
        assert answer.status == status, answer.json
        assert call("GET", f"/Patient/{id}").headers["ETag"] == 'W/"1"'

    @pytest.mark.parametrize(
        ("path", "value"),
        [("Patient.name[0].family", {"valueHumanName": {"family": "N"}}), ("Patient.name[0]", {"valueMarkdown": "m"}), ("Patient.name[0].family", {"valueString": [1]}),
         ("Patient.name[0].family", {"valueString": "2000", "_valueString": "x"})],
    )  # fmt: skip
    def test_a_value_of_another_shape_is_refused_before_the_next_path_walks_into_it(self, call: Client, id: str, path: str, value: Any) -> None:
        change = parameters(operation(type="replace", path=path, value=value), operation(type="delete", path="Patient.descendants()"))
        answer = call("PATCH", f"/Patient/{id}", change)
        assert (answer.status, answer.issue["diagnostics"][:22]) == (400, "Operation 0 of the pat")

    def test_another_resource_is_no_patch(self, call: Client, id: str) -> None:
        assert call("PATCH", f"/Patient/{id}", PATIENT).status == 400


@pytest.mark.parametrize(
    ("media", "document"),
    [("application/json-patch+json", '[{"op": "add", "path": "/generalPractitioner", "value": [{"reference": "NAME"}]}]'),
     ("application/xml-patch+xml",
      '<diff xmlns:f="http://hl7.org/fhir"><add sel="f:Patient"><f:generalPractitioner><f:reference value="NAME"/></f:generalPractitioner></add></diff>')],
)  # fmt: skip
def test_a_patch_in_a_binary_may_refer_to_what_comes_with_it(call: Client, id: str, media: str, document: str) -> None:
    """http.html#trules: all matching links of the bundle are replaced."""
    name = "urn:uuid:0d1a9f0e-9c0b-4f0e-8d53-0f5c1b8e2a11"
    patch = {"resourceType": "Binary", "contentType": media, "data": base64.b64encode(document.replace("NAME", name).encode()).decode()}
    doctor = {"fullUrl": name, "resource": {"resourceType": "Practitioner"}, "request": {"method": "POST", "url": "Practitioner"}}
    change = {"resource": patch, "request": {"method": "PATCH", "url": f"Patient/{id}"}}
    made = call("POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": [change, doctor]}).json["entry"]
    (stored,) = call("GET", f"/Patient/{id}").json["generalPractitioner"]
    assert stored["reference"] == made[1]["response"]["location"].partition("/_history")[0]


class TestPilingUp:
    """Many small operations that would make something endless of a small resource."""

    def refused(self, call: Client, id: str, body: Any, media: str) -> None:
        answer = call("PATCH", f"/Patient/{id}", body, content_type=media)
        assert answer.status in (400, 422), answer.body
        assert call("GET", f"/Patient/{id}").headers["ETag"] == 'W/"1"'

    def test_json_nested_ever_deeper(self, call: Client, id: str) -> None:
        adding = [{"op": "add", "path": "/a" * level, "value": {}} for level in range(1, 260)]
        folding = [{"op": "add", "path": "/x", "value": {}}, *[step for _ in range(200) for step in FOLD]]
        for change in (adding, folding):
            self.refused(call, id, json.dumps(change).encode(), JSON_PATCH)

    def test_extensions_nested_ever_deeper(self, call: Client, id: str) -> None:
        first = operation(type="add", path="Patient", name="extension", value={"valueExtension": {"url": "x"}})
        deepest = "Patient.descendants().where(url.exists() and extension.empty())"
        more = operation(type="add", path=deepest, name="extension", value={"valueExtension": {"url": "x"}})
        self.refused(call, id, parameters(first, *[more] * 250), "application/fhir+json")

    def test_xml_nested_ever_deeper(self, call: Client, id: str) -> None:
        steps = "".join(f'<add sel="f:Patient{"/f:a" * level}"><a/></add>' for level in range(150))
        self.refused(call, id, f'<diff xmlns="http://hl7.org/fhir">{steps}</diff>'.encode(), XML_PATCH)


class TestConditionalPatch:
    def test_the_one_that_matches_is_changed(self, call: Client, id: str) -> None:
        assert by_json(call, "/Patient?identifier=urn:mrn|7").json["id"] == id

    def test_none_and_several_are_refused(self, call: Client, id: str) -> None:
        assert by_json(call, "/Patient?identifier=urn:mrn|8").status == 404
        call("POST", "/Patient", PATIENT)
        assert by_json(call, "/Patient?identifier=urn:mrn|7").status == 412
        assert by_json(call, "/Patient").status == 400


class TestInBundles:
    @pytest.mark.parametrize("kind", ["batch", "transaction"])
    @pytest.mark.parametrize(("media", "data"), [(JSON_PATCH, json.dumps(CHANGE).encode()), (XML_PATCH, XML_CHANGE)])
    def test_a_binary_carries_the_patch(self, call: Client, id: str, kind: str, media: str, data: bytes) -> None:
        binary = {"resourceType": "Binary", "contentType": media, "data": base64.b64encode(data).decode()}
        for url in (f"Patient/{id}", "Patient?identifier=urn:mrn|7"):
            entry = {"resource": binary, "request": {"method": "PATCH", "url": url}}
            answer = call("POST", "", {"resourceType": "Bundle", "type": kind, "entry": [entry]})
            assert answer.json["entry"][0]["response"]["status"] == "200 OK"
        assert call("GET", f"/Patient/{id}").json["name"][0]["family"] == "Obi"

    def test_in_a_transaction_a_patch_of_nothing_undoes_the_rest(self, call: Client) -> None:
        binary = {"resourceType": "Binary", "contentType": JSON_PATCH, "data": base64.b64encode(json.dumps(CHANGE).encode()).decode()}
        entries = [
            {"resource": PATIENT, "request": {"method": "POST", "url": "Patient"}},
            {"resource": binary, "request": {"method": "PATCH", "url": "Patient?identifier=urn:mrn|8"}},
        ]
        assert call("POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": entries}).status == 404
        assert call("GET", "/Patient?_summary=count").json["total"] == 0

    @pytest.mark.parametrize("resource", [PATIENT, None, {"resourceType": "Binary", "contentType": "text/plain", "data": "aGVsbG8="}])
    def test_what_is_no_patch_is_refused(self, call: Client, id: str, resource: Any) -> None:
        entry = {"resource": resource, "request": {"method": "PATCH", "url": f"Patient/{id}"}}
        assert call("POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}).status == 400
