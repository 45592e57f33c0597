"""The terminology operations over HTTP."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest

from openward.fhir.store import Store
from openward.fhir.terminology import catalogue
from openward.fhir.terminology.systems.stored import StoredSystem
from tests.fhir.http.client import Client
from tests.fhir.terminology.shelf import ANIMAL_SYSTEM, ANIMALS, codes, filtered, named, value_set

VS = "http://example.org/vs/test"
IN_ORDER = ["animal", "mammal", "dog", "poodle", "cat", "bird", "dodo", "stone"]


@pytest.fixture
def animals(store: Store) -> Any:
    return store.create(ANIMAL_SYSTEM)


def parameters(**given: Any) -> dict[str, Any]:
    kinds = {str: "valueString", bool: "valueBoolean", int: "valueInteger"}
    parts = []
    for name, value in given.items():
        kind = kinds.get(type(value)) or ("resource" if "resourceType" in value else "valueCodeableConcept" if "coding" in value else "valueCoding")
        parts.append({"name": name.replace("_", "-"), kind: value})
    return {"resourceType": "Parameters", "parameter": parts}


def expand(call: Client, composed: dict[str, Any], **given: Any) -> list[dict[str, Any]]:
    answer = call("POST", "/ValueSet/$expand", parameters(valueSet=composed, **given))
    assert answer.status == 200, answer.json
    contains: list[dict[str, Any]] = answer.json["expansion"].get("contains", [])
    return contains


class TestExpand:
    @pytest.mark.parametrize(
        ("filters", "expected"),
        [
            ([("concept", "is-a", "mammal")], ["mammal", "dog", "poodle", "cat"]),
            ([("concept", "descendent-of", "mammal")], ["dog", "poodle", "cat"]),
            ([("concept", "is-not-a", "mammal")], ["animal", "bird", "dodo", "stone"]),
            ([("concept", "generalizes", "dog")], ["animal", "mammal", "dog"]),
            ([("code", "regex", "d.*")], ["dog", "dodo"]),
            ([("concept", "in", "dog,cat,unicorn")], ["dog", "cat"]),
            ([("concept", "not-in", "dog, cat")], ["animal", "mammal", "poodle", "bird", "dodo", "stone"]),
            ([("legs", "=", "4")], ["dog", "cat"]),
            ([("legs", "exists", "true")], ["dog", "cat", "bird"]),
            ([("legs", "exists", "false")], ["animal", "mammal", "poodle", "dodo", "stone"]),
            ([("legs", "in", "2,4"), ("concept", "is-a", "mammal")], ["dog", "cat"]),
            ([("parent", "=", "mammal")], ["dog", "cat"]),
            ([("child", "=", "poodle")], ["dog"]),
            ([("inactive", "=", "true")], ["dodo"]),
            ([("notSelectable", "=", "false")], IN_ORDER[1:]),
            ([("display", "regex", ".*cat")], ["cat"]),
            ([("concept", "is-a", "unicorn")], []),
        ],
    )
    def test_filters(self, call: Client, animals: Any, filters: list[tuple[str, str, str]], expected: list[str]) -> None:
        assert codes(expand(call, value_set(VS, filtered(*filters)), excludeNested=True)) == expected

    def test_by_address_the_hierarchy_is_kept(self, call: Client, animals: Any) -> None:
        answer = call("GET", "/ValueSet/$expand?url=http://example.org/vs/animals").json
        assert [row["code"] for row in answer["expansion"]["contains"]] == ["animal", "stone"]
        assert codes(answer["expansion"]["contains"]) == IN_ORDER
        assert answer["expansion"]["total"] == 8
        assert answer["expansion"]["contains"][0]["abstract"] is True
        assert {"name": "version", "valueUri": f"{ANIMALS}|1.0"} in answer["expansion"]["parameter"]

    def test_the_hierarchy_of_a_large_system_takes_few_statements(self, call: Client, animals: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[str] = []
        rows = StoredSystem._rows
        monkeypatch.setattr(StoredSystem, "_rows", lambda system, sql, *bound, **more: asked.append(sql) or rows(system, sql, *bound, **more))
        small = call("GET", "/ValueSet/$expand?url=http://example.org/vs/animals").json["expansion"]["contains"]
        monkeypatch.setattr(catalogue, "SMALL", -1)
        catalogue.written()
        assert call("GET", "/ValueSet/$expand?url=http://example.org/vs/animals").json["expansion"]["contains"] == small
        assert 0 < len(asked) < 10

    def test_an_instance_is_expanded_at_its_address(self, call: Client, animals: Any, store: Store) -> None:
        made = store.create(value_set(VS, filtered(("legs", "=", "4"))))
        assert codes(call("GET", f"/ValueSet/{made.id}/$expand").json["expansion"]["contains"]) == ["dog", "cat"]

    def test_excludes_imports_and_lists_come_together(self, call: Client, animals: Any, store: Store) -> None:
        store.create(value_set("http://example.org/vs/four", filtered(("legs", "=", "4"))))
        both = value_set(
            VS, {"valueSet": ["http://example.org/vs/four"]}, {"system": ANIMALS, "concept": [{"code": "bird", "display": "Vogel"}, {"code": "nonsense"}]},
            exclude=({"system": ANIMALS, "concept": [{"code": "cat"}]},),
        )  # fmt: skip
        assert [(row["code"], row["display"]) for row in expand(call, both)] == [("dog", "Domestic dog"), ("bird", "Vogel")]

    def test_what_ships_and_says_no_status_is_active(self, call: Client) -> None:
        flags = filtered(("status", "=", "active"), system="http://terminology.hl7.org/CodeSystem/v3-Confidentiality")
        assert "N" in codes(expand(call, value_set(VS, flags)))

    def test_several_imports_in_one_include_must_all_hold(self, call: Client, animals: Any, store: Store) -> None:
        store.create(value_set("http://example.org/vs/four", filtered(("legs", "=", "4"))))
        store.create(value_set("http://example.org/vs/dogs", filtered(("concept", "is-a", "dog"))))
        assert codes(expand(call, value_set(VS, {"valueSet": ["http://example.org/vs/four", "http://example.org/vs/dogs"]}))) == ["dog"]

    def test_paging_loses_nothing(self, call: Client, animals: Any) -> None:
        pages = [
            call("GET", f"/ValueSet/$expand?url=http://example.org/vs/animals&count=3&offset={offset}").json["expansion"] for offset in (0, 3, 6)
        ]
        assert [code for page in pages for code in codes(page["contains"])] == IN_ORDER
        assert {page["total"] for page in pages} == {8}

    def test_count_zero_only_counts(self, call: Client, animals: Any) -> None:
        expansion = call("GET", "/ValueSet/$expand?url=http://example.org/vs/animals&count=0").json["expansion"]
        assert (expansion["total"], "contains" in expansion) == (8, False)

    @pytest.mark.parametrize(
        ("typed", "expected"), [("dom do", ["dog"]), ("HOUSE", ["cat"]), ("haushu", ["dog"]), ("ird", []), ("do", ["dog", "dodo"])]
    )
    def test_what_a_person_types_finds_by_the_beginnings_of_words(self, call: Client, animals: Any, typed: str, expected: list[str]) -> None:
        answer = call("GET", f"/ValueSet/$expand?url=http://example.org/vs/animals&filter={quote(typed)}").json
        assert codes(answer["expansion"].get("contains", [])) == expected

    def test_inactive_abstract_and_other_systems_are_left_out_when_asked(self, call: Client, animals: Any) -> None:
        whole = value_set(VS, {"system": ANIMALS}, {"system": "http://hl7.org/fhir/administrative-gender"})
        left = expand(
            call, whole, activeOnly=True, excludeNotForUI=True, excludeNested=True, exclude_system="http://hl7.org/fhir/administrative-gender"
        )
        assert codes(left) == ["mammal", "dog", "poodle", "cat", "bird", "stone"]

    @pytest.mark.parametrize(("left_out", "expected"), [(f"{ANIMALS}|1.0", []), (f"{ANIMALS}|2.0", IN_ORDER), (ANIMALS, [])])
    def test_a_version_of_a_system_is_left_out_and_no_other(self, call: Client, animals: Any, left_out: str, expected: list[str]) -> None:
        assert codes(expand(call, value_set(VS, {"system": ANIMALS}), exclude_system=left_out)) == expected

    def test_what_is_said_back_is_text(self, call: Client, animals: Any) -> None:
        url = "/ValueSet/$expand?url=http://example.org/vs/animals&filter="
        assert "filter" not in [part["name"] for part in call("GET", url).json["expansion"]["parameter"]]
        assert call("POST", "/ValueSet/$expand", parameters(url="http://example.org/vs/animals", exclude_system={"code": "x"})).status == 400

    def test_the_definition_comes_along_when_asked_for_and_what_shaped_the_list_is_said(self, call: Client, animals: Any) -> None:
        dogs = value_set(VS, filtered(("concept", "is-a", "dog")))
        asked = parameters(valueSet=dogs, includeDefinition=True, exclude_system="http://loinc.org|2.56", designation="urn:ietf:bcp:47|de")
        answer = call("POST", "/ValueSet/$expand", asked).json
        assert answer["compose"] == dogs["compose"]
        said = {part["name"]: part for part in answer["expansion"]["parameter"]}
        assert said["exclude-system"]["valueUri"] == "http://loinc.org|2.56"
        assert said["designation"]["valueString"] == "urn:ietf:bcp:47|de"
        assert "compose" not in call("POST", "/ValueSet/$expand", parameters(valueSet=dogs)).json

    @pytest.mark.parametrize(
        ("include", "exclude", "status"),
        [
            ({"system": ANIMALS}, {"valueSet": ["http://example.org/vs/nowhere"]}, 404),
            ({"valueSet": ["http://example.org/vs/animals", "http://example.org/vs/nowhere"]}, {}, 404),
            (
                {"system": "http://example.org/lost", "concept": [{"code": "a"}]},
                filtered(("concept", "is-a", "a"), system="http://example.org/lost"),
                422,
            ),
        ],
    )
    def test_a_list_is_no_guess(self, call: Client, animals: Any, include: dict[str, Any], exclude: dict[str, Any], status: int) -> None:
        """https://hl7.org/fhir/R4/valueset-operation-expand.html: a server that cannot correctly expand a value set SHALL return an error"""
        answer = call("POST", "/ValueSet/$expand", parameters(valueSet=value_set(VS, include, exclude=(exclude,) if exclude else ())))
        assert (answer.status, answer.issue["code"]) == (status, "not-found")

    def test_a_set_that_says_no_inactive_has_none(self, call: Client, animals: Any) -> None:
        assert "dodo" not in codes(expand(call, value_set(VS, {"system": ANIMALS}, inactive=False)))

    def test_designations_and_languages(self, call: Client, animals: Any) -> None:
        dog = value_set(VS, {"system": ANIMALS, "concept": [{"code": "dog"}]})
        assert expand(call, dog, displayLanguage="de")[0]["display"] == "Haushund"
        assert [one["value"] for one in expand(call, dog, includeDesignations=True)[0]["designation"]] == ["Haushund", "Chien"]
        assert [one["value"] for one in expand(call, dog, designation="urn:ietf:bcp:47|fr")[0]["designation"]] == ["Chien"]

    @pytest.mark.parametrize(("language", "display"), [("de", "Ente"), ("de-CH", "Änte"), ("de-AT", "Ente"), ("de-CH-1901", "Änte"), ("it", "Duck")])
    def test_a_name_is_in_the_language_asked_for_or_the_nearest(self, call: Client, language: str, display: str) -> None:
        """RFC 4647, 3.4: what is not there in a dialect is looked for in its language, and the language itself comes before its dialects."""
        names = [("de-CH", "Änte"), ("de", "Ente")]
        duck = {"code": "duck", "display": "Duck", "designation": [{"language": tag, "value": value} for tag, value in names]}
        birds = {"resourceType": "CodeSystem", "url": "http://example.org/birds", "status": "active", "content": "complete", "concept": [duck]}
        one = value_set("http://example.org/vs/birds", {"system": "http://example.org/birds"})
        assert expand(call, one, displayLanguage=language, tx_resource=birds)[0]["display"] == display

    @pytest.mark.parametrize(
        ("version", "status"), [("&valueSetVersion=4.0.1", 200), ("|4.0", 200), ("", 200), ("&valueSetVersion=9", 404), ("|9", 404)]
    )
    def test_a_version_of_a_value_set_is_that_one_or_none(self, call: Client, version: str, status: int) -> None:
        assert call("GET", f"/ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/administrative-gender{version}").status == status

    def test_versions_are_chosen_checked_and_forced(self, call: Client, animals: Any, store: Store) -> None:
        store.create({**ANIMAL_SYSTEM, "version": "2.0", "concept": [{"code": "yak"}]})
        whole, pinned = value_set(VS, {"system": ANIMALS}), value_set(VS, {"system": ANIMALS, "version": "1.0"})
        assert codes(expand(call, whole)) == ["yak"]
        assert codes(expand(call, whole, system_version=f"{ANIMALS}|1.0")) == IN_ORDER
        assert codes(expand(call, pinned, force_system_version=f"{ANIMALS}|2.0")) == ["yak"]
        refused = call("POST", "/ValueSet/$expand", parameters(valueSet=pinned, check_system_version=f"{ANIMALS}|2.0"))
        assert refused.status == 422

    @pytest.mark.parametrize(
        ("composed", "status", "code"),
        [
            ({"system": "http://snomed.info/sct"}, 422, "not-found"),
            ({"system": "http://hl7.org/fhir/sid/icd-10-cm"}, 422, "too-costly"),
            ({"system": "http://unitsofmeasure.org"}, 422, "too-costly"),
            (filtered(("colour", "=", "red")), 422, "not-supported"),
            (filtered(("code", "regex", "(a+)+\\1")), 422, "invalid"),
            (filtered(("code", "regex", "(")), 422, "invalid"),
            ({"valueSet": ["http://example.org/none"]}, 404, "not-found"),
            ({"concept": [{"code": "x"}]}, 422, None),
        ],
    )
    def test_what_cannot_be_listed_is_said(self, call: Client, animals: Any, composed: dict[str, Any], status: int, code: str | None) -> None:
        answer = call("POST", "/ValueSet/$expand", parameters(valueSet=value_set(VS, composed)))
        assert answer.status == status
        assert code in (None, answer.issue["code"])

    def test_a_pattern_made_to_take_for_ever_does_not(self, call: Client, animals: Any) -> None:
        assert expand(call, value_set(VS, filtered(("display", "regex", "(a*)*b")))) == []

    def test_icd_10_cm_is_listed_by_page(self, call: Client) -> None:
        composed = value_set(VS, {"system": "http://hl7.org/fhir/sid/icd-10-cm"})
        page = call("POST", "/ValueSet/$expand", parameters(valueSet=composed, filter="type 2 diabetes neuropathy", count=5)).json["expansion"]
        assert "E11.40" in codes(page["contains"])

    def test_snomed_ct_by_its_own_addresses(self, call: Client, store: Store) -> None:
        url = "http://snomed.info/sct"
        store.create({**ANIMAL_SYSTEM, "url": url, "valueSet": url + "?fhir_vs"})
        address = quote("http://snomed.info/sct?fhir_vs=isa/mammal")
        assert codes(call("GET", f"/ValueSet/$expand?url={address}").json["expansion"]["contains"]) == ["mammal", "dog", "poodle", "cat"]


class TestValidateCode:
    def test_of_a_code_system(self, call: Client, animals: Any) -> None:
        good = call("GET", f"/CodeSystem/$validate-code?url={ANIMALS}&code=dog").json
        assert (named(good, "result"), named(good, "display"), named(good, "message")) == (True, "Domestic dog", None)
        bad = call("GET", f"/CodeSystem/$validate-code?url={ANIMALS}&code=unicorn").json
        assert named(bad, "result") is False
        assert "unicorn" in named(bad, "message")

    @pytest.mark.parametrize(("display", "expected"), [("domestic DOG", True), ("Haushund", True), ("House cat", False)])
    def test_the_display_must_be_a_name_of_it(self, call: Client, animals: Any, display: str, expected: bool) -> None:
        answer = call("POST", "/CodeSystem/$validate-code", parameters(coding={"system": ANIMALS, "code": "dog", "display": display})).json
        assert named(answer, "result") is expected
        assert named(answer, "display") == "Domestic dog"

    def test_what_has_no_names_may_be_called_anything(self, call: Client) -> None:
        unit = {"system": "http://unitsofmeasure.org", "code": "mg", "display": "milligram"}
        assert named(call("POST", "/CodeSystem/$validate-code", parameters(coding=unit)).json, "result") is True
        language = {"system": "urn:ietf:bcp:47", "code": "de", "display": "French"}
        assert named(call("POST", "/CodeSystem/$validate-code", parameters(coding=language)).json, "result") is False

    def test_of_a_value_set_each_way_of_asking(self, call: Client, animals: Any, store: Store) -> None:
        made = store.create(value_set(VS, filtered(("legs", "=", "4"))))
        dog, bird = {"system": ANIMALS, "code": "dog"}, {"system": ANIMALS, "code": "bird"}
        asked = [
            call("GET", f"/ValueSet/$validate-code?url={VS}&system={ANIMALS}&code=dog"),
            call("GET", f"/ValueSet/{made.id}/$validate-code?system={ANIMALS}&code=dog"),
            call("POST", "/ValueSet/$validate-code", parameters(url=VS, coding=dog)),
            call("POST", "/ValueSet/$validate-code", parameters(url=VS, codeableConcept={"coding": [bird, dog]})),
            call("POST", "/ValueSet/$validate-code", parameters(valueSet=made.data, coding=bird)),
            call("POST", "/ValueSet/$validate-code", parameters(url=VS, codeableConcept={"coding": [bird]})),
            call("GET", f"/ValueSet/$validate-code?url={VS}&system={ANIMALS}&code=unicorn"),
            call("GET", "/ValueSet/$validate-code?url=http://hl7.org/fhir/ValueSet/administrative-gender&code=female"),
        ]
        assert [named(one.json, "result") for one in asked] == [True, True, True, True, False, False, False, True]

    def test_an_abstract_code_only_where_that_is_fine(self, call: Client, animals: Any) -> None:
        url = f"/ValueSet/$validate-code?url=http://example.org/vs/animals&system={ANIMALS}&code=animal"
        assert [named(call("GET", url + more).json, "result") for more in ("", "&abstract=true", "&abstract=false")] == [True, True, False]

    def test_what_cannot_be_told_is_not_said_to_be_right(self, call: Client) -> None:
        answer = call("GET", "/ValueSet/$validate-code?url=http://hl7.org/fhir/ValueSet/condition-code&system=http://snomed.info/sct&code=1").json
        assert named(answer, "result") is False
        assert "cannot be told" in named(answer, "message")

    def test_of_a_version_that_is_not_here_nothing_is_said_to_be_right(self, call: Client, animals: Any) -> None:
        dog = {"system": ANIMALS, "version": "9", "code": "dog"}
        answer = call("POST", "/ValueSet/$validate-code", parameters(valueSet=value_set(VS, {"system": ANIMALS}), coding=dog)).json
        assert named(answer, "result") is False
        assert f"{ANIMALS}|9" in named(answer, "message")

    def test_a_code_of_another_version_than_the_value_set_means_is_not_in_it(self, call: Client, animals: Any, store: Store) -> None:
        store.create({**ANIMAL_SYSTEM, "version": "2.0"})
        pinned = value_set(VS, {"system": ANIMALS, "version": "1.0"})
        asked = [{"system": ANIMALS, "version": version, "code": "dog"} for version in ("1.0", "2.0")]
        answers = [call("POST", "/ValueSet/$validate-code", parameters(valueSet=pinned, coding=one)).json for one in asked]
        assert [named(one, "result") for one in answers] == [True, False]
        assert "version 2.0" in named(answers[1], "message")

    @pytest.mark.parametrize("url", [VS, "http://example.org/vs/importing"])
    def test_a_code_is_looked_up_in_the_version_the_value_set_means(self, call: Client, animals: Any, store: Store, url: str) -> None:
        store.create({**ANIMAL_SYSTEM, "id": "later", "version": "2.0", "concept": [{"code": "dog", "display": "Hound"}]})
        store.create(value_set(VS, {"system": ANIMALS, "version": "1.0"}))
        store.create(value_set("http://example.org/vs/importing", {"valueSet": [VS]}))
        asked = f"/ValueSet/$validate-code?url={url}&system={ANIMALS}&code="
        assert named(call("GET", asked + "cat").json, "result") is True
        assert named(call("GET", asked + "dog&display=Domestic dog").json, "display") == "Domestic dog"
        assert named(call("GET", asked + "dog&display=Hound").json, "result") is False

    @pytest.mark.parametrize(("display", "expected"), [("Wauwau", True), ("Toutou", True), ("Domestic dog", True), ("Cat", False)])
    def test_what_the_value_set_calls_a_code_is_a_name_of_it(self, call: Client, animals: Any, store: Store, display: str, expected: bool) -> None:
        """https://hl7.org/fhir/R4/valueset-definitions.html#ValueSet.compose.include.concept.display"""
        row = {"code": "dog", "display": "Wauwau", "designation": [{"language": "fr", "value": "Toutou"}]}
        store.create(value_set(VS, {"system": ANIMALS, "concept": [row]}))
        store.create(value_set("http://example.org/vs/importing", {"valueSet": [VS]}))
        for url in (VS, "http://example.org/vs/importing"):
            answer = call("GET", f"/ValueSet/$validate-code?url={url}&system={ANIMALS}&code=dog&display={display}").json
            assert named(answer, "result") is expected

    def test_what_is_taken_out_by_a_system_that_is_not_here_cannot_be_told(self, call: Client) -> None:
        sct = "http://snomed.info/sct"
        without = value_set(VS, {"system": sct, "concept": [{"code": "73211009"}]}, exclude=(filtered(("concept", "is-a", "1"), system=sct),))
        answer = call("POST", "/ValueSet/$validate-code", parameters(valueSet=without, coding={"system": sct, "code": "73211009"})).json
        assert named(answer, "result") is False
        assert "cannot be told" in named(answer, "message")

    def test_words_without_a_code_are_no_code(self, call: Client, animals: Any) -> None:
        concept = {"name": "codeableConcept", "valueCodeableConcept": {"text": "a dog"}}
        asked = parameters(url="http://example.org/vs/animals")
        asked["parameter"].append(concept)
        answer = call("POST", "/ValueSet/$validate-code", asked).json
        assert (named(answer, "result"), named(answer, "message")) == (False, "There is no code in it.")

    def test_one_coding_of_the_code_system_is_enough(self, call: Client, animals: Any) -> None:
        """https://hl7.org/fhir/R4/codesystem-operation-validate-code.html: true if one of the coding values is in the code system"""
        concept = {"coding": [{"system": "http://loinc.org", "code": "1-8"}, {"system": ANIMALS, "code": "dog"}]}
        assert named(call("POST", "/CodeSystem/$validate-code", parameters(url=ANIMALS, codeableConcept=concept)).json, "result") is True
        concept["coding"].pop()
        answer = call("POST", "/CodeSystem/$validate-code", parameters(url=ANIMALS, codeableConcept=concept)).json
        assert (named(answer, "result"), "not of the code system" in named(answer, "message")) == (False, True)

    def test_a_code_system_without_an_address_is_refused(self, call: Client) -> None:
        nameless = {key: value for key, value in ANIMAL_SYSTEM.items() if key != "url"}
        assert call("POST", "/CodeSystem/$validate-code", parameters(codeSystem=nameless, code="dog")).status == 400

    def test_a_coding_that_says_no_code_tells_nothing(self, call: Client, animals: Any) -> None:
        concept = {"coding": [{"display": "a dog"}, {"system": ANIMALS, "code": "dog"}]}
        asked = parameters(url="http://example.org/vs/animals", codeableConcept=concept)
        assert named(call("POST", "/ValueSet/$validate-code", asked).json, "result") is True

    @pytest.mark.parametrize(("code", "expected"), [("h", True), ("a", True), ("kg", False)])
    def test_units_of_time_are_those_that_measure_time(self, call: Client, code: str, expected: bool) -> None:
        units = "http://hl7.org/fhir/ValueSet/all-time-units"
        coding = {"system": "http://unitsofmeasure.org", "code": code}
        assert named(call("POST", "/ValueSet/$validate-code", parameters(url=units, coding=coding)).json, "result") is expected

    @pytest.mark.parametrize(
        "path",
        [
            "/ValueSet/$validate-code?code=x", "/CodeSystem/$validate-code?code=x", f"/CodeSystem/$validate-code?url={ANIMALS}",
            f"/CodeSystem/$validate-code?url={ANIMALS}&code=a&coding=b",
        ],
    )  # fmt: skip
    def test_a_question_without_its_half_is_refused(self, call: Client, path: str) -> None:
        assert call("GET", path).status == 400

    def test_a_value_set_that_is_not_here_is_said(self, call: Client) -> None:
        assert call("GET", "/ValueSet/$validate-code?url=http://example.org/none&code=x&system=http://example.org/y").status == 404


class TestLookup:
    def test_all_that_is_known_of_a_code(self, call: Client, animals: Any) -> None:
        answer = call("GET", f"/CodeSystem/$lookup?system={ANIMALS}&code=dog").json
        assert [named(answer, name) for name in ("name", "version", "display")] == ["Animals", "1.0", "Domestic dog"]
        said = {
            (part[0]["valueCode"], part[1].get("valueCode") or part[1].get("valueString") or part[1].get("valueInteger"))
            for part in named(answer, "property")
        }
        assert said >= {("parent", "mammal"), ("child", "poodle"), ("legs", 4), ("definition", "A dog that lives with people.")}
        assert [part[-1]["valueString"] for part in named(answer, "designation")] == ["Haushund", "Chien"]

    def test_every_property_of_a_house_is_kept_with_its_type(self, call: Client, store: Store) -> None:
        """Also those named like the bookkeeping of HL7's publication, which is left out of what ships."""
        given = [
            {"code": "weight", "valueDecimal": Decimal("1.5")}, {"code": "source", "valueString": "wild"}, {"code": "isTame", "valueBoolean": False},
            {"code": "status", "valueCode": "active"},
        ]  # fmt: skip
        store.create(
            {
                **{key: value for key, value in ANIMAL_SYSTEM.items() if key != "property"},
                "concept": [{"code": "ox", "display": "Ox", "property": given}, {"code": "yak"}],
            }
        )
        answer = call("GET", f"/CodeSystem/$lookup?system={ANIMALS}&code=ox").json
        said = [
            {"code": part[0]["valueCode"]} | {key: value for key, value in part[1].items() if key != "name"} for part in named(answer, "property")
        ]
        assert all(one in said for one in given)
        assert codes(expand(call, value_set(VS, filtered(("status", "=", "active"))))) == ["ox"]

    def test_only_the_properties_asked_for(self, call: Client, animals: Any) -> None:
        answer = call("GET", f"/CodeSystem/$lookup?system={ANIMALS}&code=dog&property=legs&property=lang.de").json
        assert named(answer, "property") == [{"name": "code", "valueCode": "legs"}, {"name": "value", "valueInteger": 4}]
        assert named(answer, "designation")[-1]["valueString"] == "Haushund"

    def test_by_a_coding_in_another_language(self, call: Client, animals: Any) -> None:
        answer = call("POST", "/CodeSystem/$lookup", parameters(coding={"system": ANIMALS, "code": "dog"}, displayLanguage="fr")).json
        assert named(answer, "display") == "Chien"

    def test_a_concept_without_a_code_is_refused(self, call: Client) -> None:
        words = {"resourceType": "Parameters", "parameter": [{"name": "codeableConcept", "valueCodeableConcept": {"text": "a dog"}}]}
        assert call("POST", "/CodeSystem/$lookup", words).status == 400

    def test_of_units_and_languages(self, call: Client) -> None:
        assert named(call("GET", "/CodeSystem/$lookup?system=http://unitsofmeasure.org&code=mm[Hg]").json, "display") == "mm[Hg]"
        assert named(call("GET", "/CodeSystem/$lookup?system=urn:ietf:bcp:47&code=de-AT").json, "display") == "German (Austria)"

    def test_what_is_not_here_is_said(self, call: Client, animals: Any) -> None:
        assert call("GET", f"/CodeSystem/$lookup?system={ANIMALS}&code=unicorn").status == 404
        assert call("GET", "/CodeSystem/$lookup?system=http://snomed.info/sct&code=1").status == 422
        assert call("GET", "/CodeSystem/$lookup?code=1").status == 400


class TestSubsumes:
    @pytest.mark.parametrize(("a", "b", "outcome"), [("animal", "dog", "subsumes"), ("dog", "animal", "subsumed-by"), ("dog", "cat", "not-subsumed")])
    def test_at_the_type_and_at_the_instance(self, call: Client, animals: Any, a: str, b: str, outcome: str) -> None:
        assert named(call("GET", f"/CodeSystem/$subsumes?system={ANIMALS}&codeA={a}&codeB={b}").json, "outcome") == outcome
        assert named(call("GET", f"/CodeSystem/{animals.id}/$subsumes?codeA={a}&codeB={b}").json, "outcome") == outcome
        body = parameters(codingA={"system": ANIMALS, "code": a}, codingB={"system": ANIMALS, "code": b})
        assert named(call("POST", "/CodeSystem/$subsumes", body).json, "outcome") == outcome

    def test_a_version_that_is_not_here_is_named(self, call: Client, animals: Any) -> None:
        for asked in ("$subsumes?codeA=dog&codeB=cat", "$lookup?code=dog"):
            answer = call("GET", f"/CodeSystem/{asked}&system={ANIMALS}&version=9")
            assert (answer.status, f"{ANIMALS}|9" in answer.json["issue"][0]["diagnostics"]) == (422, True)

    def test_an_unknown_code_is_said(self, call: Client, animals: Any) -> None:
        assert call("GET", f"/CodeSystem/$subsumes?system={ANIMALS}&codeA=dog&codeB=unicorn").status == 404
        assert call("GET", f"/CodeSystem/$subsumes?system={ANIMALS}&codeA=dog").status == 400


MAP: dict[str, Any] = {
    "resourceType": "ConceptMap", "url": "http://example.org/map", "version": "3", "status": "active", "sourceUri": "http://example.org/vs/animals",
    "targetUri": "http://example.org/vs/sounds",
    "group": [{
        "source": ANIMALS, "target": "http://example.org/sounds",
        "element": [
            {"code": "dog", "target": [{"code": "bark", "display": "Bark", "equivalence": "equivalent"}, {"code": "noise", "equivalence": "wider"}]},
            {"code": "cat", "target": [{"code": "purr", "equivalence": "relatedto", "dependsOn": [{"property": "http://example.org/mood", "value": "good"}]}]},
            {"code": "stone", "target": [{"equivalence": "unmatched"}]},
        ],
        "unmapped": {"mode": "fixed", "code": "silence", "display": "Silence"},
    }],
}  # fmt: skip


class TestTranslate:
    @staticmethod
    def matches(answer: dict[str, Any]) -> list[tuple[str, str | None]]:
        parts = [part["part"] for part in answer["parameter"] if part["name"] == "match"]
        return [(part[0]["valueCode"], next((one["valueCoding"]["code"] for one in part if one["name"] == "concept"), None)) for part in parts]

    def test_forward_by_each_way_of_naming_the_map(self, call: Client, store: Store) -> None:
        made = store.create(MAP)
        query = f"system={ANIMALS}&code=dog"
        for path in (
            f"/ConceptMap/$translate?url=http://example.org/map&{query}", f"/ConceptMap/{made.id}/$translate?{query}",
            f"/ConceptMap/$translate?source=http://example.org/vs/animals&target=http://example.org/vs/sounds&{query}",
        ):  # fmt: skip
            answer = call("GET", path).json
            assert named(answer, "result") is True
            assert self.matches(answer) == [("equivalent", "bark"), ("wider", "noise")]

    def test_backwards_wider_becomes_narrower(self, call: Client, store: Store) -> None:
        store.create(MAP)
        answer = call("GET", "/ConceptMap/$translate?url=http://example.org/map&reverse=true&system=http://example.org/sounds&code=noise").json
        assert self.matches(answer) == [("narrower", "dog")]

    def test_unmatched_is_a_match_that_translates_nothing(self, call: Client, store: Store) -> None:
        store.create(MAP)
        answer = call("GET", f"/ConceptMap/$translate?url=http://example.org/map&system={ANIMALS}&code=stone").json
        assert named(answer, "result") is False
        assert self.matches(answer) == [("unmatched", None)]

    def test_what_the_map_does_not_list_follows_its_rule(self, call: Client, store: Store) -> None:
        store.create(MAP)
        answer = call("GET", f"/ConceptMap/$translate?url=http://example.org/map&system={ANIMALS}&code=bird").json
        assert self.matches(answer) == [("inexact", "silence")]

    def test_maps_that_point_at_one_another_come_to_an_end(self, call: Client, store: Store) -> None:
        for name, other in (("one", "two"), ("two", "one")):
            rule = {"mode": "other-map", "url": f"http://example.org/{other}"}
            line = {"code": name, "target": [{"code": name, "equivalence": "equal"}]}
            group = {"source": ANIMALS, "target": "http://example.org/sounds", "element": [line], "unmapped": rule}
            store.create({"resourceType": "ConceptMap", "url": f"http://example.org/{name}", "status": "active", "group": [group]})
        asked = f"/ConceptMap/$translate?url=http://example.org/one&system={ANIMALS}&code="
        assert self.matches(call("GET", asked + "two").json) == [("equal", "two")]
        assert named(call("GET", asked + "nowhere").json, "result") is False

    def test_a_dependency_must_be_met(self, call: Client, store: Store) -> None:
        store.create(MAP)
        dependency = {"name": "dependency", "part": [
            {"name": "element", "valueUri": "http://example.org/mood"}, {"name": "concept", "valueCodeableConcept": {"text": "good"}},
        ]}  # fmt: skip
        body = parameters(url="http://example.org/map", coding={"system": ANIMALS, "code": "cat"})
        assert self.matches(call("POST", "/ConceptMap/$translate", body).json) == []
        body["parameter"].append(dependency)
        assert self.matches(call("POST", "/ConceptMap/$translate", body).json) == [("relatedto", "purr")]

    @pytest.mark.parametrize("part", [{"name": ["element"], "valueUri": "x"}, {"name": "concept", "valueCodeableConcept": {"coding": "x"}}, "x"])
    def test_a_dependency_of_no_form_is_refused(self, call: Client, store: Store, part: Any) -> None:
        store.create(MAP)
        body = parameters(url="http://example.org/map", coding={"system": ANIMALS, "code": "cat"})
        body["parameter"].append({"name": "dependency", "part": [part]})
        assert call("POST", "/ConceptMap/$translate", body).status == 422

    def test_a_target_system_narrows(self, call: Client, store: Store) -> None:
        store.create(MAP)
        url = f"/ConceptMap/$translate?url=http://example.org/map&system={ANIMALS}&code=dog&targetsystem="
        assert self.matches(call("GET", url + "http://example.org/sounds").json) != []
        assert self.matches(call("GET", url + "http://example.org/other").json) == []

    def test_a_map_that_ships(self, call: Client) -> None:
        url = "http://hl7.org/fhir/ConceptMap/cm-administrative-gender-v2"
        answer = call("GET", f"/ConceptMap/$translate?url={url}&system=http://hl7.org/fhir/administrative-gender&code=male").json
        assert self.matches(answer) == [("equal", "M")]

    def test_a_map_that_is_not_here_is_said(self, call: Client) -> None:
        assert call("GET", f"/ConceptMap/$translate?url=http://example.org/none&system={ANIMALS}&code=dog").status == 404


class TestClosure:
    def coding(self, code: str) -> dict[str, Any]:
        return {"name": "concept", "valueCoding": {"system": ANIMALS, "code": code}}

    def ask(self, call: Client, *parts: dict[str, Any], token: str = "good") -> Any:
        return call("POST", "/$closure", {"resourceType": "Parameters", "parameter": [{"name": "name", "valueString": "mine"}, *parts]}, token=token)

    def pairs(self, answer: Any) -> set[tuple[str, str]]:
        return {
            (element["code"], target["code"])
            for group in answer.json.get("group", [])
            for element in group["element"]
            for target in element["target"]
        }  # fmt: skip

    def test_it_grows_by_versions_and_tells_only_what_is_new(self, call: Client, animals: Any) -> None:
        assert self.ask(call).json["version"] == "0"
        first = self.ask(call, self.coding("poodle"), self.coding("mammal"))
        assert (first.json["version"], self.pairs(first)) == ("1", {("poodle", "mammal")})
        second = self.ask(call, self.coding("dog"))
        assert (second.json["version"], self.pairs(second)) == ("2", {("poodle", "dog"), ("dog", "mammal")})

    def test_it_is_told_again_from_any_version(self, call: Client, animals: Any) -> None:
        self.ask(call)
        self.ask(call, self.coding("poodle"), self.coding("mammal"))
        self.ask(call, self.coding("dog"))
        assert len(self.pairs(self.ask(call, {"name": "version", "valueString": "0"}))) == 3
        assert self.pairs(self.ask(call, {"name": "version", "valueString": "1"})) == {("poodle", "dog"), ("dog", "mammal")}

    def test_its_name_alone_begins_it_anew(self, call: Client, animals: Any) -> None:
        self.ask(call)
        self.ask(call, self.coding("poodle"), self.coding("mammal"))
        self.ask(call)
        assert self.pairs(self.ask(call, self.coding("dog"))) == set()

    def test_one_that_was_never_begun_is_refused(self, call: Client, animals: Any) -> None:
        assert self.ask(call, self.coding("dog")).status == 422

    def test_another_client_has_its_own_of_the_same_name(self, call: Client, animals: Any) -> None:
        self.ask(call)
        assert self.ask(call, self.coding("dog"), token="CodeSystem+ValueSet+ConceptMap").status == 422

    def test_an_unknown_system_is_refused_and_changes_nothing(self, call: Client) -> None:
        self.ask(call)
        assert self.ask(call, {"name": "concept", "valueCoding": {"system": "http://example.org/none", "code": "x"}}).status == 422
        assert self.ask(call, {"name": "version", "valueString": "0"}).json["version"] == "0"


class TestWhoMayAsk:
    def test_without_the_type_there_is_no_answer(self, call: Client, animals: Any) -> None:
        assert call("GET", "/ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/administrative-gender", token="Patient").status in (403, 404)

    def test_who_may_not_read_all_of_it_sees_only_what_ships(self, call: Client, animals: Any) -> None:
        asked = "/ValueSet/$expand?url="
        assert call("GET", asked + "http://hl7.org/fhir/ValueSet/administrative-gender", token="ValueSet").status == 200
        assert call("GET", asked + "http://example.org/vs/animals", token="ValueSet").status == 404

    def test_each_question_is_on_the_audit_trail(self, call: Client, house: Any) -> None:
        call("GET", "/ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/administrative-gender")
        assert ("$expand", "ValueSet", None, 0) in house.heard()
