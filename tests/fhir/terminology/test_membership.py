"""Is this code in that value set?"""

from __future__ import annotations

import pytest

from openward.fhir.store import Store
from openward.fhir.terminology import Terminology
from tests.fhir.house import House
from tests.fhir.terminology.shelf import ANIMAL_SYSTEM, ANIMALS, filtered, value_set

GENDER = "http://hl7.org/fhir/ValueSet/administrative-gender"
GENDERS = "http://hl7.org/fhir/administrative-gender"
SNOMED = "http://snomed.info/sct"


class TestWhatShips:
    @pytest.mark.parametrize(
        ("value_set", "system", "code", "expected"),
        [
            (GENDER, None, "female", True),
            (GENDER + "|4.0.1", GENDERS, "female", True),
            (GENDER, GENDERS, "fem", False),
            (GENDER, "http://example.org/other", "female", False),
            ("http://hl7.org/fhir/ValueSet/mimetypes", None, "application/pdf", True),
            ("http://hl7.org/fhir/ValueSet/mimetypes", None, "a pdf", False),
            ("http://hl7.org/fhir/ValueSet/ucum-units", "http://unitsofmeasure.org", "mm[Hg]", True),
            ("http://hl7.org/fhir/ValueSet/ucum-units", "http://unitsofmeasure.org", "millimetres", False),
            ("http://hl7.org/fhir/ValueSet/all-languages", "urn:ietf:bcp:47", "sr-Latn-RS", True),
            ("http://hl7.org/fhir/ValueSet/all-languages", "urn:ietf:bcp:47", "xq-Latn", False),
            ("http://hl7.org/fhir/us/core/ValueSet/simple-language", "urn:ietf:bcp:47", "es-MX", True),
            ("http://hl7.org/fhir/us/core/ValueSet/simple-language", "urn:ietf:bcp:47", "sr-Latn", False),
            ("http://hl7.org/fhir/us/core/ValueSet/us-core-usps-state", "https://www.usps.com/", "MA", True),
            ("http://hl7.org/fhir/us/core/ValueSet/us-core-usps-state", "https://www.usps.com/", "ZZ", False),
            ("http://hl7.org/fhir/ValueSet/currencies", "urn:iso:std:iso:4217", "USD", True),
            ("http://hl7.org/fhir/ValueSet/observation-vitalsignresult", "http://loinc.org", "8310-5", True),
            ("http://hl7.org/fhir/ValueSet/observation-vitalsignresult", "http://loinc.org", "718-7", False),
            ("http://hl7.org/fhir/ValueSet/condition-code", SNOMED, "38341003", None),
            ("http://example.org/nowhere", None, "a", None),
        ],
    )  # fmt: skip
    def test_a_code_is_in_or_out_or_cannot_be_told(
        self, terminology: Terminology, value_set: str, system: str | None, code: str, expected: bool | None
    ) -> None:
        assert terminology.member(value_set, system, code) is expected

    def test_a_second_question_has_the_same_answer(self, terminology: Terminology) -> None:
        assert [terminology.member(GENDER, None, "male") for _ in range(2)] == [True, True]

    def test_a_value_set_means_the_code_system_it_was_published_with(self, terminology: Terminology) -> None:
        r4 = {code for _, code in terminology.codes("http://terminology.hl7.org/ValueSet/v3-ActCode|2014-03-26") or ()}
        tho = {code for _, code in terminology.codes("http://terminology.hl7.org/ValueSet/v3-ActCode") or ()}
        assert len(r4) == 1116
        assert len(tho - r4) > 100


class TestWhatTheHouseWrites:
    def test_a_new_value_set_counts_at_once_and_a_changed_one_too(self, store: Store, terminology: Terminology) -> None:
        url = "http://example.org/vs/pets"
        assert terminology.member(url, ANIMALS, "dog") is None
        store.create(ANIMAL_SYSTEM)
        pets = store.create(value_set(url, {"system": ANIMALS, "concept": [{"code": "dog"}]}))
        assert terminology.member(url, ANIMALS, "dog") is True
        assert terminology.member(url, ANIMALS, "cat") is False
        store.update({**pets.data, "compose": {"include": [{"system": ANIMALS, "concept": [{"code": "cat"}]}]}})
        assert terminology.member(url, ANIMALS, "dog") is False
        assert terminology.member(url, ANIMALS, "cat") is True

    def test_what_is_deleted_is_forgotten(self, store: Store, terminology: Terminology, house: House) -> None:
        system = store.create(ANIMAL_SYSTEM)
        assert terminology.member("http://example.org/vs/animals", ANIMALS, "dog") is True
        store.delete("CodeSystem", system.id)
        assert terminology.member("http://example.org/vs/animals", ANIMALS, "dog") is None
        assert [house.count(f"fhir.{table}") for table in ("canonical", "concept", "designation", "concept_property", "concept_parent")] == [0] * 5

    def test_what_is_rolled_back_never_counted(self, store: Store, house: House) -> None:
        with pytest.raises(ZeroDivisionError), store.transaction():
            store.create(ANIMAL_SYSTEM)
            assert Terminology.of(store).member("http://example.org/vs/animals", ANIMALS, "dog") is True
            raise ZeroDivisionError
        assert Terminology.of(store).member("http://example.org/vs/animals", ANIMALS, "dog") is None

    def test_another_tenant_does_not_see_it(self, store: Store, house: House) -> None:
        store.create(ANIMAL_SYSTEM)
        assert Terminology(house.connect(), 2).member("http://example.org/vs/animals", ANIMALS, "dog") is None

    def test_what_all_tenants_share_everyone_sees(self, house: House) -> None:
        from openward.fhir.terminology.writing import install, uninstall

        connection = house.connect()
        assert install(connection, 0, [ANIMAL_SYSTEM, {"resourceType": "Patient"}], source="zoo 1.0") == 1
        assert Terminology(connection, 7).member("http://example.org/vs/animals", ANIMALS, "dog") is True
        assert uninstall(connection, 0, source="zoo 1.0") == 1
        assert Terminology(connection, 7).member("http://example.org/vs/animals", ANIMALS, "dog") is None

    def test_a_code_that_stands_twice_is_refused(self, store: Store) -> None:
        from openward.fhir.errors import Invalid

        twice = {**ANIMAL_SYSTEM, "concept": [{"code": "dog"}, {"code": "cat", "concept": [{"code": "dog"}]}]}
        with pytest.raises(Invalid):
            store.create(twice)

    def test_a_fragment_says_yes_or_cannot_tell(self, store: Store, terminology: Terminology) -> None:
        store.create({**ANIMAL_SYSTEM, "content": "fragment"})
        assert terminology.member("http://example.org/vs/animals", ANIMALS, "dog") is True
        assert terminology.member("http://example.org/vs/animals", ANIMALS, "horse") is None

    def test_case_counts_only_where_the_system_says_so(self, store: Store, terminology: Terminology) -> None:
        store.create({**ANIMAL_SYSTEM, "caseSensitive": False})
        assert terminology.member("http://example.org/vs/animals", ANIMALS, "DOG") is True
        store.create({**ANIMAL_SYSTEM, "url": "http://example.org/strict", "valueSet": "http://example.org/vs/strict"})
        assert terminology.member("http://example.org/vs/strict", "http://example.org/strict", "DOG") is False

    def test_the_latest_version_is_meant_unless_one_is_named(self, store: Store, terminology: Terminology) -> None:
        store.create({**ANIMAL_SYSTEM, "id": "ten", "version": "1.10", "concept": [{"code": "yak"}]})
        store.create({**ANIMAL_SYSTEM, "version": "1.9"})
        assert terminology.validate_code(ANIMALS, "yak").result is True
        assert terminology.validate_code(ANIMALS, "dog").result is False
        assert terminology.validate_code(ANIMALS, "dog", version="1.9").result is True

    def test_a_set_that_includes_itself_is_refused_not_followed(self, store: Store, terminology: Terminology) -> None:
        from openward.fhir.terminology.compose import CircularValueSet

        one, other = "http://example.org/vs/one", "http://example.org/vs/other"
        store.create(value_set(one, {"valueSet": [other]}))
        store.create(value_set(other, {"valueSet": [one]}))
        with pytest.raises(CircularValueSet):
            terminology.member(one, ANIMALS, "dog")


class TestHierarchies:
    def test_subsumption_both_ways(self, store: Store, terminology: Terminology) -> None:
        store.create(ANIMAL_SYSTEM)
        pairs = [("animal", "poodle"), ("poodle", "animal"), ("dog", "dog"), ("dog", "cat"), ("dog", "nothing")]
        assert [terminology.subsumes(ANIMALS, a, b) for a, b in pairs] == ["subsumes", "subsumed-by", "equivalent", "not-subsumed", None]

    def test_below_and_above(self, store: Store, terminology: Terminology) -> None:
        store.create(ANIMAL_SYSTEM)
        assert sorted(terminology.below(ANIMALS, "mammal") or ()) == ["cat", "dog", "mammal", "poodle"]
        assert terminology.above(ANIMALS, "poodle") == ["poodle", "dog", "mammal", "animal"]
        assert terminology.below("http://loinc.org", "8310-5") is None

    def test_below_too_much_is_said(self, store: Store, terminology: Terminology) -> None:
        from openward.fhir.terminology.concepts import ExpansionTooCostly

        store.create(ANIMAL_SYSTEM)
        with pytest.raises(ExpansionTooCostly):
            terminology.below(ANIMALS, "animal", limit=2)

    def test_icd_10_cm_has_its_chapters(self, terminology: Terminology) -> None:
        assert terminology.subsumes("http://hl7.org/fhir/sid/icd-10-cm", "E11", "E11.65") == "subsumes"
        assert terminology.display("http://hl7.org/fhir/sid/icd-10-cm", "I10") == "Essential (primary) hypertension"

    def test_a_display_in_another_language(self, store: Store, terminology: Terminology) -> None:
        store.create(ANIMAL_SYSTEM)
        assert [terminology.display(ANIMALS, "dog", language) for language in (None, "de", "fr", "es")] == [
            "Domestic dog", "Haushund", "Chien", "Domestic dog",
        ]  # fmt: skip

    def test_filters_decide(self, store: Store, terminology: Terminology) -> None:
        store.create(ANIMAL_SYSTEM)
        store.create(value_set("http://example.org/vs/mammals", filtered(("concept", "is-a", "mammal"))))
        answers = [terminology.member("http://example.org/vs/mammals", ANIMALS, code) for code in ("poodle", "bird")]
        assert answers == [True, False]


class TestPartsAndSupplements:
    def test_a_part_that_a_guide_carries_never_hides_the_whole(self, house: House) -> None:
        from openward.fhir.terminology.writing import install

        connection = house.connect()
        install(connection, 0, [ANIMAL_SYSTEM], source="whole")
        install(connection, 1, [{**ANIMAL_SYSTEM, "content": "fragment", "concept": [{"code": "dog"}]}], source="part")
        install(connection, 1, [{**ANIMAL_SYSTEM, "content": "not-present", "concept": []}], source="none")
        assert Terminology(connection, 1).validate_code(ANIMALS, "cat").result is True
        assert Terminology(connection, 1).validate_code(ANIMALS, "unicorn").result is False

    def test_a_supplement_adds_names_and_no_codes(self, store: Store, terminology: Terminology) -> None:
        store.create(ANIMAL_SYSTEM)
        more = [{"code": "cat", "designation": [{"language": "eo", "value": "kato"}]}, {"code": "unicorn", "display": "Unicorn"}]
        supplement = {
            **ANIMAL_SYSTEM,
            "id": "more",
            "url": "http://example.org/more",
            "content": "supplement",
            "supplements": ANIMALS,
            "concept": more,
        }
        supplement.pop("valueSet")
        store.create(supplement)
        assert terminology.display(ANIMALS, "cat", "eo") == "kato"
        assert terminology.validate_code(ANIMALS, "unicorn").result is False
        for typed, expected in (("kat", ["cat"]), ("unic", []), ("cat", ["cat"])):
            expansion = terminology.expand({"compose": {"include": [{"system": ANIMALS}]}}, filter=typed)["expansion"]
            assert [one["code"] for one in expansion.get("contains", [])] == expected

    def test_to_ask_of_a_set_that_includes_a_large_system_does_not_read_it(self, terminology: Terminology) -> None:
        condition = "http://hl7.org/fhir/us/core/ValueSet/us-core-condition-code"
        assert terminology.member(condition, "http://snomed.info/sct", "1") is None
        assert terminology.catalogue.size("http://hl7.org/fhir/sid/icd-10-cm") == 98_466
