"""The examples of https://hl7.org/fhir/R4/graphql.html, and what a query must not be able to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from openward.fhir.graphql import executor
from openward.fhir.ids import key
from tests.fhir.house import House
from tests.fhir.http.client import Answer, Client
from tests.fhir.operations.conftest import observation, patient, to

Keep = Callable[..., None]
OID = "urn:oid:1.2.36.146.595.217.0.1"
NAMES = [
    {"use": "official", "family": "Chalmers", "given": ["Peter", "James"]},
    {"use": "usual", "given": ["Jim"]},
    {"use": "maiden", "family": "Windsor", "given": ["Peter", "James"], "period": {"end": "2002"}},
]


@pytest.fixture(autouse=True)
def record(keep: Keep) -> None:
    keep(
        {"resourceType": "Organization", "id": "north", "name": "North"},
        {"resourceType": "Practitioner", "id": "osei", "name": [{"family": "Osei"}]},
        {
            "resourceType": "Patient",
            "id": "ada",
            "identifier": [{"use": "usual", "system": OID, "value": "12345"}],
            "active": True,
            "name": NAMES,
            "birthDate": "2016-05-18",
            "_birthDate": {"extension": [{"url": "urn:time", "valueDateTime": "2016-05-18T10:28:45Z"}]},
            "extension": [{"url": "urn:one", "valueString": "1"}, {"url": "urn:two", "valueInteger": 2}],
            "managingOrganization": to("Organization/north"),
        },
        patient("ben"),
        observation("a1", "ada", "8867-4", "2026-03-01", valueQuantity={"value": 61, "unit": "/min"}, performer=[to("Practitioner/osei"), to("#dr")])
        | {"contained": [{"resourceType": "Practitioner", "id": "dr", "name": [{"family": "Inside"}]}]},
        observation("a2", "ada", "29463-7", "2026-03-02", valueString="heavy", subject=to("Patient/ada")),
        observation("b1", "ben", "8867-4", performer=[to("Patient/ada")]),
    )


def ask(call: Client, query: str, path: str = "/Patient/ada", token: str = "good", **more: Any) -> Answer:
    return call("POST", f"{path}/$graphql", {"query": query, **more}, token=token, content_type="application/json")


def data(call: Client, query: str, path: str = "/Patient/ada", token: str = "good", **more: Any) -> Any:
    answer = ask(call, query, path, token, **more)
    assert answer.status == 200, answer.body
    assert answer.headers["Content-Type"] == "application/json"
    return answer.json["data"]


def refusal(call: Client, query: str, path: str = "/Patient/ada", token: str = "good", **more: Any) -> tuple[int, str]:
    answer = ask(call, query, path, token, **more)
    assert answer.json["data"] is None
    (error,) = answer.json["errors"]
    assert error["extensions"]["resource"]["resourceType"] == "OperationOutcome"
    return answer.status, error["message"]


FLAT = {"system": [OID], "value": ["12345"], "active": True}
SELECTIONS: list[tuple[str, Any]] = [
    ("{ id active }", {"id": "ada", "active": True}),
    ("{ resourceType __typename who: id }", {"resourceType": "Patient", "__typename": "Patient", "who": "ada"}),
    ("{ name { text given family } }", {"name": [{key: name[key] for key in ("given", "family") if key in name} for name in NAMES]}),
    ("{ birthDate _birthDate { extension { valueDateTime } } }",
     {"birthDate": "2016-05-18", "_birthDate": {"extension": [{"valueDateTime": "2016-05-18T10:28:45Z"}]}}),
    ('{ name(fhirpath: "family.exists()") { family } }', {"name": [{"family": "Chalmers"}, {"family": "Windsor"}]}),
    ('{ name(fhirpath: "$index = 1") { given } }', {"name": [{"given": ["Jim"]}]}),
    ("{ name(use: official) { family } }", {"name": [{"family": "Chalmers"}]}),
    ('{ name(given: "Peter", use: maiden) { family } }', {"name": [{"family": "Windsor"}]}),
    ("{ name(_offset: 1, _count: 1) { given } }", {"name": [{"given": ["Jim"]}]}),
    ('{ two: extension(url: "urn:two") { value: valueInteger } }', {"two": [{"value": 2}]}),
    ("{ name { given } name { family } }", {"name": [{key: name[key] for key in ("given", "family") if key in name} for name in NAMES]}),
    ("{ ... on Patient { id } ... on Group { quantity } }", {"id": "ada"}),
    ("{ ...some } fragment some on Patient { id }", {"id": "ada"}),
    ("{ id @skip(if: true) active @include(if: true) birthDate @include(if: false) }", {"active": True}),
    ("{ identifier @flatten { system value } active name @flatten { text given family } }",
     {**FLAT, "given": ["Peter", "James", "Jim", "Peter", "James"], "family": ["Chalmers", "Windsor"]}),
    ("{ identifier @flatten { system value } active name @flatten { text given @first family } }",
     {**FLAT, "given": ["Peter", "Jim", "Peter"], "family": ["Chalmers", "Windsor"]}),
    ("{ identifier @flatten { system @singleton value @singleton } active name @flatten @first { text given family @singleton } }",
     {"system": OID, "value": "12345", "active": True, "given": ["Peter", "James"], "family": "Chalmers"}),
    ('{ name @flatten @slice(path: "use") { given family @singleton } }',
     {"given.official": ["Peter", "James"], "family.official": "Chalmers", "given.usual": ["Jim"], "given.maiden": ["Peter", "James"],
      "family.maiden": "Windsor"}),
    ('{ name @flatten @slice(path: "$index") { family @singleton } }', {"family.0": "Chalmers", "family.2": "Windsor"}),
    ("{ name @first { family } }", {"name": {"family": "Chalmers"}}),
    ("{ managingOrganization { resource { ... on Organization { name } } } }", {"managingOrganization": {"resource": {"name": "North"}}}),
    ("{ ObservationList(_reference: patient, code: \"8867-4\") { id } }", {"ObservationList": [{"id": "a1"}]}),
]  # fmt: skip


@pytest.mark.parametrize(("query", "expected"), SELECTIONS, ids=[query for query, _ in SELECTIONS])
def test_fields_of_a_resource(call: Client, query: str, expected: Any) -> None:
    assert data(call, query) == expected


OBSERVED: list[tuple[str, Any]] = [
    ("{ valueQuantity { value unit } }", {"valueQuantity": {"value": 61, "unit": "/min"}}),
    ("{ value { ... on Quantity { value } ... on CodeableConcept { text } } }", {"value": {"value": 61}}),
    ("{ subject { reference resource { active } } }", {"subject": {"reference": "Patient/ada", "resource": {"active": True}}}),
    ("{ subject { resource(type: Patient) { id } other: resource(type: Group) { name } } }", {"subject": {"resource": {"id": "ada"}}}),
    ("{ performer(reference: \"#dr\") { resource { name { family } } } }", {"performer": [{"resource": {"name": [{"family": "Inside"}]}}]}),
    ("{ performer { resource @flatten { id } } }", {"performer": [{"resource": {"id": "osei"}}, {"resource": {"id": "dr"}}]}),
    ("{ subject { resource { managingOrganization { resource { name } } } } }",
     {"subject": {"resource": {"managingOrganization": {"resource": {"name": "North"}}}}}),
]  # fmt: skip


@pytest.mark.parametrize(("query", "expected"), OBSERVED, ids=[query for query, _ in OBSERVED])
def test_references_and_choices(call: Client, query: str, expected: Any) -> None:
    assert data(call, query, "/Observation/a1") == expected


RECORD: list[tuple[str, Any]] = [
    ("{ Patient(id: ada) { id active } }", {"Patient": {"id": "ada", "active": True}}),
    ("{ one: Patient(id: \"ada\") { id } two: Patient(id: ben) { id } }", {"one": {"id": "ada"}, "two": {"id": "ben"}}),
    ("{ PatientList(name: \"chalm\") { id } }", {"PatientList": [{"id": "ada"}]}),
    ("{ PatientList(_id: [ada, ben], _sort: \"-birthdate\") { active } }", {"PatientList": [{"active": True}, {}]}),
    ("{ ObservationList(patient: ada, _sort: \"date\") { id subject { resource { birthDate } } } }",
     {"ObservationList": [{"id": id, "subject": {"resource": {"birthDate": "2016-05-18"}}} for id in ("a1", "a2")]}),
    ("{ ObservationList(patient: ada, value_quantity: \"61\") { id } }", {"ObservationList": [{"id": "a1"}]}),
    ("{ ObservationList(patient: ada, fhirpath: \"value is string\") { id } }", {"ObservationList": [{"id": "a2"}]}),
    ("{ ObservationList(patient: nobody) { id } }", {"ObservationList": []}),
]  # fmt: skip


@pytest.mark.parametrize(("query", "expected"), RECORD, ids=[query for query, _ in RECORD])
def test_searches_of_the_record(call: Client, query: str, expected: Any) -> None:
    assert data(call, query, "") == expected


def test_a_connection_is_walked_by_its_cursor(call: Client) -> None:
    query = 'query ($at: String) { ObservationConnection(patient: ada, _sort: "date", _count: 1, cursor: $at) { count pagesize next edges { mode resource { id } } } }'
    first = data(call, query, "")["ObservationConnection"]
    assert (first["count"], first["pagesize"], first["edges"]) == (2, 1, [{"mode": "match", "resource": {"id": "a1"}}])
    second = data(call, query, "", variables={"at": first["next"]})["ObservationConnection"]
    assert ([edge["resource"]["id"] for edge in second["edges"]], second["next"]) == (["a2"], None)


def test_it_is_asked_by_get_by_json_and_by_the_query_itself(call: Client) -> None:
    query = "query q($id: ID!) { Patient(id: $id) { id } }"
    expected = {"data": {"Patient": {"id": "ada"}}}
    variables = quote(json.dumps({"id": "ada"}))
    by_get = call("GET", f"/$graphql?query={quote(query)}&variables={variables}&operationName=q")
    by_json = ask(call, query, "", variables={"id": "ada"}, operationName="q")
    by_itself = call("POST", "/$graphql", b"{ Patient(id: ada) { id } }", content_type="application/graphql")
    assert [answer.json for answer in (by_get, by_json, by_itself)] == [expected] * 3


WRONG = {
    "{ nonsense }": "no field nonsense",
    "{ name }": "Select some",
    "{ id { x } }": "primitive",
    "{ birthDate(_count: 1) }": "no arguments",
    "{ name(nonsense: 1) { given } }": "no field nonsense",
    '{ name(fhirpath: "((") { given } }': "fhirpath",
    "{ name @nonsense { given } }": "@nonsense",
    "{ name @flatten { family @singleton } }": "more than one value",
    "{ a: id a: active }": "two different things",
    "{ ...gone }": "no fragment",
    "{": "Syntax Error",
    "mutation { PatientCreate(res: 1) { id } }": "Only queries",
    "query a { id } query b { id }": "operationName",
    "query ($x: ID!) { id }": "$x is missing",
    "{ name(use: $typo) { given } }": "$typo is not declared",
    "{ ObservationList(_reference: patient, code: [a, $typo]) { id } }": "$typo is not declared",
    "query ($x: Boolean) { id @include(if: $typo) }": "$typo is not declared",
    "{ ObservationList { id } }": "_reference",
    "{ id @skip(if: 3) }": "@skip needs",
    "": "no query",
}


@pytest.mark.parametrize(("query", "said"), WRONG.items(), ids=WRONG.keys())
def test_what_is_wrong_is_said(call: Client, query: str, said: str) -> None:
    status, message = refusal(call, query)
    assert status == 400
    assert said in message


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("{ Nothing(id: a) { id } }", 400),
        ("{ Patient { id } }", 400),
        ("{ PatientList(nonsense: 1) { id } }", 400),
        ("{ PatientList(name: $typo) { id } }", 400),
        ('{ PatientList(name: " ") { id } }', 400),
        ("{ PatientList(_id: []) { id } }", 400),
        ("query ($ids: [ID] = []) { PatientConnection(_id: $ids) { count } }", 400),
        ("query ($id: ID) { Patient(id: $id) { id } }", 400),
        ("{ PatientList(_include: x) { id } }", 400),
        ("{ __schema { types { name } } }", 400),
        ("{ Patient(id: nobody) { id } }", 404),
        ("{ PatientConnection { nonsense } }", 400),
        ("{ PatientConnection(cursor: \"forged\") { next } }", 400),
    ],
)  # fmt: skip
def test_what_the_record_cannot_answer_is_an_error(call: Client, query: str, status: int) -> None:
    assert refusal(call, query, "")[0] == status


def test_a_variable_without_a_value_narrows_nothing_and_one_that_must_have_one_is_asked_for(call: Client) -> None:
    given = [name["given"] for name in NAMES]
    assert data(call, "query ($use: code) { name(use: $use) { given } }") == {"name": [{"given": one} for one in given]}
    assert refusal(call, "query ($use: code!) { name(use: $use) { given } }", variables={"use": None}) == (400, "The variable $use is missing.")


class TestBounds:
    def test_depth(self, call: Client) -> None:
        deep = "{ subject { resource " * 10 + "{ id }" + " } }" * 10
        assert refusal(call, deep, "/Observation/a1")[0] in (400, 413)

    def test_circles_of_fragments(self, call: Client) -> None:
        assert refusal(call, "{ ...a } fragment a on Patient { ...b } fragment b on Patient { ...a }")[0] == 413

    def test_fragments_that_multiply(self, call: Client) -> None:
        doubling = " ".join(f"fragment f{n} on Patient {{ ...f{n + 1} ...f{n + 1} }}" for n in range(25))
        assert refusal(call, "{ ...f0 } " + doubling + " fragment f25 on Patient { id }")[0] == 413

    def test_length(self, call: Client) -> None:
        assert refusal(call, "{ " + "id " * 5000 + "}")[0] == 413

    def test_number_of_searches(self, call: Client) -> None:
        assert refusal(call, "{ " + " ".join(f"q{n}: PatientList(_count: 1) {{ id }}" for n in range(80)) + " }", "")[0] == 413

    def test_number_of_matches_a_list_holds(self, call: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        """Half a list would look like the whole of it."""
        assert len(data(call, "{ ObservationList(_count: 2) { id } }", "")["ObservationList"]) == 2
        monkeypatch.setattr("openward.fhir.search.query.MAX_COUNT", 2)
        assert refusal(call, "{ ObservationList(_count: 3) { id } }", "")[0] == 413

    def test_number_of_references_that_are_followed(self, call: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        assert executor.MOST_READ <= 3000
        query = "{ ObservationList { subject { resource { id } } } }"
        assert data(call, query, "")
        monkeypatch.setattr(executor, "MOST_READ", 1)
        assert refusal(call, query, "")[0] == 413


class TestWhoMaySeeWhat:
    def test_a_patient_sees_only_their_own(self, call: Client) -> None:
        assert refusal(call, "{ id }", token="ben")[0] == 404
        assert refusal(call, "{ Patient(id: ada) { id } }", "", "ben")[0] == 404
        assert data(call, "{ ObservationList { id } PatientList { id } }", "", "ben") == {
            "ObservationList": [{"id": "b1"}],
            "PatientList": [{"id": "ben"}],
        }

    def test_what_may_not_be_seen_cannot_be_resolved(self, call: Client) -> None:
        query = "{ performer { resource { id } } }"
        assert refusal(call, query, "/Observation/b1", "ben")[0] == 404
        optional = "{ performer { reference resource(optional: true) { id } } }"
        assert data(call, optional, "/Observation/b1", "ben") == {"performer": [{"reference": "Patient/ada"}]}

    def test_a_client_sees_only_the_types_of_its_scope(self, call: Client) -> None:
        assert data(call, "{ managingOrganization { resource(optional: true) { name } } }", token="scoped") == {"managingOrganization": {}}
        assert refusal(call, "{ OrganizationList { id } }", "", "scoped")[0] == 403

    def test_what_references_bring_is_audited(self, call: Client, house: House) -> None:
        data(call, "{ ObservationList(patient: ada) { subject { resource { id } } } }", "")
        heard = house.connections[0].execute("select interaction, type from heard where patient = %s", (key("Patient", "ada"),)).fetchall()
        assert set(heard) >= {("search", "Observation"), ("read", "Patient")}


def test_the_answer_is_json_whatever_resources_would_be(call: Client) -> None:
    answer = call("GET", f"/Patient/ada/$graphql?query={quote('{id}')}", accept="application/fhir+xml, application/json")
    assert (answer.headers["Content-Type"], answer.json) == ("application/json", {"data": {"id": "ada"}})


ODD = (
    "{ name(given: {a: 1}) { given } }",
    "{ extension(url: null) { url } }",
    '{ id @slice(path: "x") }',
    '{ name { given @slice(path: "$index") } }',
    '{ name { given @slice(path: "$this") } }',
    "{ name @flatten @slice { family } }",
    "{ contained { id } }",
    "{ contained { ... on Practitioner { name { family } } resourceType } }",
    "{ text { div } meta { tag { code } lastUpdated } }",
    '{ ObservationList(_reference: patient, _count: "-1") { id } }',
    "{ ObservationList(_reference: [1, 2]) { id } }",
    "{ ObservationList(_reference: patient, code: {a: 1}) { id } }",
    "{ ObservationList(_reference: patient, date: [\"a,b\", 3.5, true]) { id } }",
    "{ ObservationConnection(_reference: patient) { edges { resource { subject { resource { id } } } } } }",
    "{ managingOrganization { resource(type: 3) { id } } }",
    "{ managingOrganization { resource(optional: 3) { id } } }",
    "{ managingOrganization { resource { } } }",
    "{ managingOrganization { resource } }",
    '{ name(fhirpath: "$index / 0 = 1") { given } }',
    '{ name(fhirpath: 3) { given } }',
    '{ name(fhirpath: "iif(true, nothing(), 1)") { given } }',
    "{ name(_count: -1) { given } }",
    "{ name(_offset: 99999999999999999999) { given } }",
    "{ deceased { x } }",
    "{ deceased }",
    "{ multipleBirth { ... on boolean { x } } }",
    "{ birthDate { extension { url } } _birthDate }",
    "{ __typename __type(name: \"x\") { name } }",
    "subscription { id }",
    "{ a: name @first { given } a: name { family } }",
    "query ($a: [String]) { name(given: $a) { family } }",
    "{ id } extend type X { a: Int }",
    "type X { a: Int }",
    "{ \ud800 }",
    "{ name { ...on HumanName @include(if: $nothing) { given } } }",
)  # fmt: skip


@pytest.mark.parametrize("path", ["/Patient/ada", "/Observation/a1", ""])
@pytest.mark.parametrize("query", ODD)
def test_an_odd_query_gets_a_clear_answer(call: Client, query: str, path: str) -> None:
    answer = ask(call, query, path)
    assert answer.status in (200, 400, 404, 413)
