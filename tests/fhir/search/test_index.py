from __future__ import annotations

import pytest

from openward.fhir.definitions import RESOURCE_TYPES, search_parameters
from openward.fhir.ids import key
from openward.fhir.search import search
from openward.fhir.search.index import extract
from openward.fhir.search.parameters import number, plan
from openward.fhir.search.reference import elsewhere_hash
from tests.fhir.search.shelf import Shelf, everything

# A value each type of parameter takes.
VALUES = {
    "number": "gt5",
    "date": "ge2020",
    "string": "a",
    "token": "x|y",
    "reference": "abc",
    "quantity": "5|x|y",
    "uri": "urn:a",
    "special": "42|-71|5|km",
}
NOT_KEPT = {"_content", "_filter", "_query", "_text", "age", "birthOrderBoolean"}


RESOURCES: list[dict[str, object]] = []


@pytest.mark.parametrize("type", RESOURCE_TYPES)
def test_every_parameter_of_every_type_can_be_asked(full_shelf: Shelf, type: str) -> None:
    for code, parameter in search_parameters(type).items():
        if code in NOT_KEPT or parameter.url.startswith("http://hl7.org/fhir/SearchParameter/valueset-extensions"):
            continue
        value = "$".join(VALUES[part.type] for part in parameter.components) if parameter.components else VALUES[parameter.type]
        search(full_shelf.connection, 1, type, [(code, value)], where=everything, strict=True)
        if code not in ("_id", "_lastUpdated"):
            search(full_shelf.connection, 1, type, [(f"{code}:missing", "true")], where=everything, strict=True)


def test_no_two_parameters_have_one_number() -> None:
    codes = {code for type in RESOURCE_TYPES for code in search_parameters(type)}
    assert len({number(code) for code in codes}) == len(codes)


def test_nothing_is_kept_twice() -> None:
    owners = plan("Observation").owners
    assert owners["combo-code"] == ("code", "component-code")
    assert owners["patient"] == ("subject",)
    assert owners["combo-code-value-quantity"] == ("component-code-value-quantity",)
    assert plan("Appointment").owners["practitioner"] == ("actor",)


class TestThePatientOfAResource:
    def _row(self, **content: object) -> object:
        return extract({"resourceType": "Observation", "id": "o", "status": "final", "code": {"text": "x"}, **content}, tenant=1)

    def test_is_its_subject(self) -> None:
        row = self._row(subject={"reference": "Patient/ada"}, performer=[{"reference": "Patient/ben"}])
        assert row.patient == key("Patient", "ada")  # type: ignore[attr-defined]

    def test_is_another_reference_of_the_compartment_when_the_subject_is_no_patient(self) -> None:
        row = self._row(subject={"reference": "Group/g"}, performer=[{"reference": "Patient/ben"}])
        assert row.patient == key("Patient", "ben")  # type: ignore[attr-defined]
        assert elsewhere_hash() in row.tok  # type: ignore[attr-defined]

    def test_is_the_patient_itself(self) -> None:
        assert extract({"resourceType": "Patient", "id": "ada"}, tenant=1).patient == key("Patient", "ada")

    def test_is_nobody_for_a_reference_outside(self) -> None:
        assert self._row(subject={"reference": "http://other/Patient/ada"}).patient is None  # type: ignore[attr-defined]


class TestWritingTheIndex:
    FIRST = {
        "resourceType": "Encounter", "id": "e", "status": "planned", "class": {"code": "AMB", "system": "urn:c"}, "length": {"value": 5, "unit": "min"},
        "serviceProvider": {"reference": "Organization/o"}, "location": [{"location": {"reference": "Location/l"}, "period": {"start": "2020"}}],
    }  # fmt: skip
    TABLES = ("edge", "date_value", "quantity_value", "string_value", "composite_value")

    def _counts(self, shelf: Shelf) -> list[int]:
        return [shelf.connection.execute(f"select count(*) from fhir.{table}").fetchone()[0] for table in self.TABLES]  # type: ignore[index]

    def test_an_update_replaces_what_it_changes(self, shelf: Shelf) -> None:
        shelf.put(self.FIRST)
        before = self._counts(shelf)
        shelf.put(self.FIRST | {"serviceProvider": {"reference": "Organization/other"}, "length": {"value": 6, "unit": "min"}})
        assert self._counts(shelf) == before
        assert shelf.ids("Encounter?service-provider=o") == []
        assert shelf.ids("Encounter?service-provider=other") == ["e"]
        assert shelf.ids("Encounter?length=6||min") == ["e"]
        assert shelf.ids("Encounter?length=5") == []

    def test_an_update_that_changes_nothing_searchable_touches_no_row(self, shelf: Shelf) -> None:
        shelf.put(self.FIRST)
        rows = shelf.connection.execute("select xmin, ctid from fhir.edge").fetchall()
        shelf.put(self.FIRST | {"language": "en"})
        assert shelf.connection.execute("select xmin, ctid from fhir.edge").fetchall() == rows

    def test_a_deletion_takes_everything_away(self, shelf: Shelf) -> None:
        shelf.put(self.FIRST)
        shelf.take("Encounter", "e")
        assert self._counts(shelf) == [0, 0, 0, 0, 0]

    def test_a_code_is_in_the_dictionary_once(self, shelf: Shelf) -> None:
        shelf.put(self.FIRST)
        shelf.put(self.FIRST | {"id": "f"})
        assert shelf.connection.execute("select count(*) from fhir.token where code = 'AMB'").fetchone() == (1,)
