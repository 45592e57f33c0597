"""$validate over the REST surface. https://hl7.org/fhir/R4/resource-operation-validate.html"""

from __future__ import annotations

from typing import Any

import pytest

from tests.fhir.http.client import Client

PROFILE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient"
SAID = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">Wu</div>'}
GOOD = {
    "resourceType": "Patient",
    "text": SAID,
    "identifier": [{"system": "urn:x", "value": "1"}],
    "name": [{"family": "Wu"}],
    "gender": "female",
}


def parameters(resource: dict[str, Any] | None = None, **more: str) -> dict[str, Any]:
    kinds = {"mode": "valueCode", "profile": "valueUri"}
    given = [{"name": name, kinds[name]: value} for name, value in more.items()]
    return {"resourceType": "Parameters", "parameter": [*given, *([{"name": "resource", "resource": resource}] if resource else [])]}


def issues(answer: Any) -> set[tuple[str, str]]:
    assert (answer.status, answer.json["resourceType"]) == (200, "OperationOutcome")
    return {(one["severity"], one.get("expression", [""])[0]) for one in answer.json["issue"]}


def test_says_all_ok_when_nothing_is_wrong(call: Client):
    for body in (GOOD, parameters(GOOD), parameters(GOOD, profile=PROFILE), parameters(GOOD, profile=f"{PROFILE}|8.0.0", mode="create")):
        answer = call("POST", "/Patient/$validate", body)
        assert issues(answer) == {("information", "")}
        assert "All OK" in answer.json["issue"][0]["diagnostics"]


def test_says_what_the_specification_only_advises_when_nothing_is_wrong(call: Client):
    untold = {name: value for name, value in GOOD.items() if name != "text"}
    answer = call("POST", "/Patient/$validate", untold)
    assert issues(answer) == {("warning", "Patient")}
    assert "dom-6" in answer.json["issue"][0]["diagnostics"]
    assert issues(call("POST", "/Patient/$validate", {**untold, "gender": "f"})) == {("error", "Patient.gender")}
    assert call("POST", "/Patient", untold).status == 201


def test_warns_of_codes_that_their_code_system_does_not_have(call: Client):
    acts = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
    visit = {"resourceType": "Encounter", "text": SAID, "status": "finished"}
    asked = [{"code": "ZZZ"}, {"code": "AMB", "display": "emergency"}, {"code": "AMB", "display": "Ambulatory"}, {"code": "ZZZ", "version": "1066"}]
    told = [issues(call("POST", "/Encounter/$validate", {**visit, "class": {"system": acts, **one}})) for one in asked]
    assert told == [{("warning", "Encounter.class")}, {("warning", "Encounter.class")}, {("information", "")}, {("information", "")}]


def test_takes_codes_of_r4_that_hl7_has_since_given_up(call: Client):
    kind = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/adverse-event-category", "code": "product-use-error"}]}
    event = {"resourceType": "AdverseEvent", "text": SAID, "actuality": "actual", "category": [kind], "subject": {"display": "x"}}
    assert issues(call("POST", "/AdverseEvent/$validate", event)) == {("information", "")}


def test_warns_of_units_that_are_none(call: Client):
    amount = {"value": 1, "system": "http://unitsofmeasure.org", "code": "mgg"}
    measured = {"resourceType": "Observation", "text": SAID, "status": "final", "code": {"text": "x"}, "valueQuantity": amount}
    assert issues(call("POST", "/Observation/$validate", measured)) == {("warning", "Observation.value")}


def test_lists_every_fault_with_its_place_and_stays_200(call: Client):
    wrong = {"resourceType": "Patient", "gender": "f", "nmae": [], "name": [{}]}
    found = issues(call("POST", "/Patient/$validate", wrong))
    assert {("error", "Patient.gender"), ("error", "Patient.nmae"), ("error", "Patient.name[0]")} <= found


def test_checks_the_profile_that_is_named_and_the_one_declared(call: Client):
    bare = {"resourceType": "Patient"}
    places = {("error", f"Patient.{name}") for name in ("identifier", "name", "gender")}
    assert issues(call("POST", "/Patient/$validate", parameters(bare, profile=PROFILE))) == places
    assert issues(call("POST", f"/Patient/$validate?profile={PROFILE}", bare)) == places
    assert issues(call("POST", "/Patient/$validate", {**bare, "meta": {"profile": [PROFILE]}})) == places


def test_a_profile_declared_without_a_version_means_the_version_that_is_named(call: Client):
    declared = {**GOOD, "gender": "female", "meta": {"profile": [PROFILE]}}
    for version in ("6.1.0", "7.0.0", "8.0.0"):
        bare = {"resourceType": "Patient", "meta": {"profile": [PROFILE]}}
        answer = call("POST", "/Patient/$validate", parameters(bare, profile=f"{PROFILE}|{version}"))
        said = {one["diagnostics"].rpartition("|")[2] for one in answer.json["issue"]}
        assert said == {f"{version})"}
        assert issues(call("POST", "/Patient/$validate", parameters(declared, profile=f"{PROFILE}|{version}"))) == {("information", "")}


def test_a_profile_that_is_not_known_is_an_error_when_named_and_a_warning_when_declared(call: Client):
    unknown = "http://example.org/StructureDefinition/unknown"
    assert issues(call("POST", "/Patient/$validate", parameters(GOOD, profile=unknown))) == {("error", "")}
    assert issues(call("POST", "/Patient/$validate", {**GOOD, "meta": {"profile": [unknown]}})) == {("warning", "Patient.meta.profile")}


@pytest.mark.parametrize(
    ("type", "is_kept"),
    [("Patient", True), ("Patient|4.0.1", True), ("DomainResource", True), ("Resource", True), ("Observation", False), ("HumanName", False)],
)
def test_the_definition_of_a_type_is_kept_by_its_resources_only(call: Client, type: str, is_kept: bool):
    """resource-operation-validate.html: does the resource conform to the profile named? A Patient is no Observation."""
    base = f"http://hl7.org/fhir/StructureDefinition/{type}"
    expected = {("information", "")} if is_kept else {("error", "Patient")}
    assert issues(call("POST", "/Patient/$validate", parameters(GOOD, profile=base))) == expected
    assert issues(call("POST", "/Patient/$validate", {**GOOD, "meta": {"profile": [base]}})) == expected


def test_the_definition_of_a_type_in_another_release_is_not_known(call: Client):
    later = "http://hl7.org/fhir/StructureDefinition/Patient|5.0.0"
    assert issues(call("POST", "/Patient/$validate", parameters(GOOD, profile=later))) == {("error", "")}


def test_a_bundle_is_no_domain_resource(call: Client):
    base = "http://hl7.org/fhir/StructureDefinition/DomainResource"
    bundle = {"resourceType": "Bundle", "type": "collection"}
    assert issues(call("POST", "/Bundle/$validate", parameters(bundle, profile=base))) == {("error", "Bundle")}


def test_a_resource_of_another_type_is_an_error(call: Client):
    assert ("error", "Organization") in issues(call("POST", "/Patient/$validate", {"resourceType": "Organization", "name": "A"}))


class TestOfWhatIsStored:
    def test_looks_at_the_stored_resource(self, call: Client, keep):
        keep({**GOOD, "id": "p"}, {"resourceType": "Patient", "id": "bare"})
        assert issues(call("GET", "/Patient/p/$validate")) == {("information", "")}
        assert issues(call("POST", "/Patient/p/$validate", parameters(mode="profile", profile=PROFILE))) == {("information", "")}
        assert ("error", "Patient.name") in issues(call("GET", f"/Patient/bare/$validate?profile={PROFILE}"))

    def test_is_not_found_when_it_is_not_there_or_not_to_be_seen(self, call: Client, keep):
        keep({**GOOD, "id": "ada"})
        assert call("GET", "/Patient/none/$validate").status == 404
        assert call("GET", "/Patient/ada/$validate", token="ben").status == 404

    def test_an_update_must_carry_the_id_of_its_address(self, call: Client, keep):
        keep({**GOOD, "id": "p"})
        assert issues(call("POST", "/Patient/p/$validate", parameters({**GOOD, "id": "p"}, mode="update"))) == {("information", "")}
        assert issues(call("POST", "/Patient/p/$validate", parameters({**GOOD, "id": "q"}, mode="update"))) == {("error", "Patient.id")}
        assert issues(call("POST", "/Patient/$validate", parameters(GOOD, mode="update"))) == {("error", "Patient.id")}

    def test_says_whether_it_may_be_deleted_and_deletes_nothing(self, call: Client, keep):
        keep({**GOOD, "id": "p"})
        assert issues(call("POST", "/Patient/p/$validate", parameters(mode="delete"))) == {("information", "")}
        assert issues(call("POST", "/Patient/p/$validate", parameters(mode="delete"), token="reader")) == {("error", "")}
        assert issues(call("POST", "/Patient/none/$validate", parameters(mode="delete"))) == {("error", "")}
        assert call("GET", "/Patient/p").status == 200


def test_a_reference_that_leads_nowhere_would_refuse_a_create(call: Client):
    lost = {**GOOD, "managingOrganization": {"reference": "Organization/none"}}
    assert issues(call("POST", "/Patient/$validate", parameters(lost, mode="create"))) == {("error", "Patient.managingOrganization.reference")}
    assert issues(call("POST", "/Patient/$validate", lost)) == {("information", "")}


def test_who_may_not_create_is_told(call: Client):
    assert issues(call("POST", "/Patient/$validate", parameters(GOOD, mode="create"), token="reader")) == {("error", "")}


@pytest.mark.parametrize("body", [parameters(GOOD, mode="sometimes"), parameters(), parameters(mode="create"), parameters(mode="delete")])
def test_what_makes_no_sense_is_refused(call: Client, body):
    assert call("POST", "/Patient/$validate", body).status == 400


def test_nothing_is_stored(call: Client):
    call("POST", "/Patient/$validate", parameters(GOOD, mode="create"))
    assert call("GET", "/Patient?_summary=count").json["total"] == 0


def test_every_type_offers_it(call: Client):
    rest = call("GET", "/metadata").json["rest"][0]
    offered = {one["type"] for one in rest["resource"] if "validate" in {operation["name"] for operation in one.get("operation", ())}}
    assert len(offered) == len(rest["resource"])
