from __future__ import annotations

import pytest

from openward.fhir.errors import BadRequest
from openward.fhir.search.query import Unknown
from tests.fhir.search.shelf import Shelf, only_patient


def _ref(target: str) -> dict[str, str]:
    return {"reference": target}


RESOURCES = [
    {"resourceType": "Organization", "id": "north", "name": "North Clinic"},
    {"resourceType": "Practitioner", "id": "osei", "name": [{"family": "Osei"}]},
    {"resourceType": "Patient", "id": "ada", "name": [{"family": "Okafor"}], "managingOrganization": _ref("Organization/north"), "birthDate": "1980-02-03"},
    {"resourceType": "Patient", "id": "ben", "name": [{"family": "Brook"}]},
    {"resourceType": "Group", "id": "ada", "type": "person", "actual": True},
    {"resourceType": "Encounter", "id": "visit", "status": "finished", "class": {"code": "AMB"}, "subject": _ref("Patient/ada"),
     "participant": [{"individual": _ref("Practitioner/osei")}]},
    {"resourceType": "Observation", "id": "of-ada", "status": "final", "code": {"coding": [{"code": "A"}]}, "subject": _ref("Patient/ada"), "encounter": _ref("Encounter/visit")},
    {"resourceType": "Observation", "id": "of-ben", "status": "final", "code": {"coding": [{"code": "B"}]}, "subject": _ref("Patient/ben/_history/3"), "performer": [_ref("Patient/ada")]},
    {"resourceType": "Observation", "id": "of-group", "status": "final", "code": {"coding": [{"code": "A"}]}, "subject": _ref("Group/ada"), "performer": [_ref("Patient/ada")]},
    {"resourceType": "Observation", "id": "outside", "status": "final", "code": {"text": "x"}, "subject": _ref("https://other.example/fhir/Patient/ada")},
    {"resourceType": "Observation", "id": "by-number", "status": "final", "code": {"text": "x"}, "subject": {"identifier": {"system": "urn:mrn", "value": "7"}}},
    {"resourceType": "Appointment", "id": "slot", "status": "booked", "start": "2026-11-03T09:00:00Z",
     "participant": [{"actor": _ref("Patient/ben"), "status": "accepted"}, {"actor": _ref("Patient/ada"), "status": "accepted"}, {"actor": _ref("Practitioner/osei"), "status": "accepted"}]},
    {"resourceType": "Questionnaire", "id": "form", "status": "active", "url": "http://forms/intake"},
    {"resourceType": "QuestionnaireResponse", "id": "filled", "status": "completed", "questionnaire": "http://forms/intake|2", "subject": _ref("Patient/ada")},
    {"resourceType": "Task", "id": "todo", "status": "requested", "intent": "order", "for": _ref("Patient/ada"), "focus": _ref("Observation/of-ada")},
]  # fmt: skip

CASES = {
    "Observation?subject=Patient/ada": {"of-ada"},
    "Observation?subject=ada": {"of-ada", "of-group"},
    "Observation?subject:Group=ada": {"of-group"},
    "Observation?subject=Group/ada": {"of-group"},
    "Observation?patient=ada": {"of-ada"},
    "Observation?patient=Patient/ada,Patient/ben": {"of-ada", "of-ben"},
    "Observation?subject=https://other.example/fhir/Patient/ada": {"outside"},
    "Observation?patient=https://other.example/fhir/Patient/ada": {"outside"},
    "Observation?subject:identifier=urn:mrn|7": {"by-number"},
    "Observation?performer=Patient/ada": {"of-ben", "of-group"},
    "Observation?encounter=visit": {"of-ada"},
    "Observation?patient:missing=true": {"of-group", "by-number", "outside"},
    "Observation?subject:missing=true": set(),
    "Encounter?practitioner=osei": {"visit"},
    "Encounter?participant=Practitioner/osei": {"visit"},
    "Appointment?patient=ada": {"slot"},
    "Appointment?patient=ben&practitioner=osei": {"slot"},
    "Appointment?actor=Patient/ada": {"slot"},
    "QuestionnaireResponse?questionnaire=http://forms/intake": {"filled"},
    "QuestionnaireResponse?questionnaire=http://forms/intake|2": {"filled"},
    "Task?patient=ada": {"todo"},
    "Task?focus=Observation/of-ada": {"todo"},
    # chains
    "Observation?patient.family=okafor": {"of-ada"},
    "Observation?subject:Patient.family=okafor": {"of-ada"},
    "Observation?subject.name=o": {"of-ada"},
    "Observation?patient.organization.name=north": {"of-ada"},
    "Observation?encounter.participant:Practitioner.name=osei": {"of-ada"},
    "Appointment?patient.family=brook": {"slot"},
    "Observation?patient.birthdate=1980-02-03&code=A": {"of-ada"},
    "Observation?patient._id=ben": {"of-ben"},
    # reverse chains
    "Patient?_has:Observation:patient:code=A": {"ada"},
    "Patient?_has:Observation:subject:code=B": {"ben"},
    "Patient?_has:Observation:performer:code=B": {"ada"},
    "Patient?_has:Encounter:patient:participant.name=osei": {"ada"},
    "Patient?_has:Appointment:patient:date=2026-11-03": {"ada", "ben"},
    "Practitioner?_has:Encounter:practitioner:status=finished": {"osei"},
    "Organization?_has:Patient:organization:_has:Observation:patient:code=A": {"north"},
    "Encounter?_has:Observation:encounter:code=A,B": {"visit"},
    "Group?_has:Observation:subject:code=A": {"ada"},
}


@pytest.mark.parametrize(("query", "expected"), CASES.items(), ids=CASES.keys())
def test_a_reference_is_followed_forwards_and_backwards(full_shelf: Shelf, query: str, expected: set[str]) -> None:
    assert set(full_shelf.ids(query)) == expected


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("Observation?subject:Encounter=1", "never points at a Encounter"),
        ("Observation?code.name=x", "is not a reference"),
        ("Patient?_has:Observation:code=x", "write _has:Type:reference:parameter"),
        ("Practitioner?_has:Observation:patient:code=x", "never points at a Practitioner"),
        (f"Encounter?{'part-of.' * 9}status=finished", "at most 8 links"),
    ],
)
def test_a_chain_that_leads_nowhere_is_refused_with_the_reason(full_shelf: Shelf, query: str, why: str) -> None:
    with pytest.raises(Exception, match=why):
        full_shelf.search(query)


def test_an_unknown_parameter_at_the_end_of_a_chain_is_unknown(full_shelf: Shelf) -> None:
    with pytest.raises(Unknown):
        full_shelf.search("Observation?patient.shoe-size=9")
    page = full_shelf.search("Observation?patient.shoe-size=9", strict=False)
    assert page.ignored == ["patient.shoe-size"]
    assert len(page) == 5


INCLUDES = {
    "Observation?_id=of-ada&_include=Observation:subject": {"ada"},
    "Observation?_id=of-ada&_include=Observation:encounter&_include=Observation:patient": {"ada", "visit"},
    "Observation?_id=of-ben&_include=Observation:subject&_include=Observation:performer": {"ada", "ben"},
    "Observation?_id=of-ben&_include=Observation:*": {"ada", "ben"},
    "Observation?_id=of-ada&_include=*": {"ada", "visit"},
    "Appointment?_include=Appointment:actor:Practitioner": {"osei"},
    "Observation?_id=of-ada&_include=Observation:encounter&_include:iterate=Encounter:participant": {"visit", "osei"},
    "Patient?_id=ada&_revinclude=Observation:patient": {"of-ada"},
    "Patient?_id=ada&_revinclude=Observation:performer": {"of-ben", "of-group"},
    "Patient?_id=ada&_revinclude=Observation:*": {"of-ada", "of-ben", "of-group"},
    "Patient?_id=ada&_revinclude=Task:patient&_revinclude=Encounter:subject&_include=Patient:organization": {"todo", "visit", "north"},
    "Encounter?_revinclude=Observation:encounter&_include=Encounter:patient": {"of-ada", "ada"},
}


@pytest.mark.parametrize(("query", "expected"), INCLUDES.items(), ids=INCLUDES.keys())
def test_an_include_brings_what_is_pointed_at_each_once(full_shelf: Shelf, query: str, expected: set[str]) -> None:
    included = [version.id for version in full_shelf.search(query).includes]
    assert sorted(included) == sorted(expected)


def test_an_include_must_name_a_reference(full_shelf: Shelf) -> None:
    with pytest.raises(BadRequest, match="is not a reference"):
        full_shelf.search("Observation?_include=Observation:code")


class TestWhatMayNotBeSeen:
    """Ada sees her compartment; nothing else is matched, reached, counted or included."""

    sight = staticmethod(only_patient("ada"))

    @pytest.mark.parametrize(
        ("query", "expected"),
        {
            "Observation?": {"of-ada", "of-group"},
            "Observation?patient=ben": set(),
            "Observation?patient.family=brook": set(),
            "Observation?patient.family=okafor": {"of-ada"},
            "Observation?encounter.participant.name=osei": set(),
            "Patient?_has:Observation:patient:code=A": {"ada"},
            "Patient?_has:Observation:performer:code=B": set(),
            "Patient?_has:Appointment:patient:date=2026-11-03": set(),
        }.items(),
    )
    def test_it_is_not_matched_or_reached(self, full_shelf: Shelf, query: str, expected: set[str]) -> None:
        assert set(full_shelf.ids(query, where=self.sight)) == expected

    def test_it_is_not_counted(self, full_shelf: Shelf) -> None:
        assert full_shelf.search("Observation?_summary=count", where=self.sight).total == 2
        assert full_shelf.search("Observation?_total=accurate&_count=1", where=self.sight).total == 2
        assert full_shelf.search("Observation?_total=estimate&_count=1", where=self.sight).total == 2

    def test_it_is_not_included(self, full_shelf: Shelf) -> None:
        query = "Patient?_id=ada&_revinclude=Observation:*&_revinclude=Appointment:patient&_include=Patient:organization"
        included = {version.id for version in full_shelf.search(query, where=self.sight).includes}
        assert included == {"of-ada", "of-group"}

    def test_a_type_without_access_is_empty_in_every_role(self, full_shelf: Shelf) -> None:
        def sight(type: str) -> object:
            return None if type in ("Patient", "Encounter") else only_patient("ada")(type)

        assert full_shelf.ids("Patient?", where=sight) == []
        assert full_shelf.search("Patient?_summary=count", where=sight).total == 0
        assert full_shelf.ids("Observation?patient.family=okafor", where=sight) == []
        assert full_shelf.ids("Observation?encounter.status=finished", where=sight) == []
        assert full_shelf.search("Observation?_include=Observation:*", where=sight).includes == []


def test_a_uuid_without_its_type_is_any_of_the_types(shelf: Shelf) -> None:
    id = "0190f7a0-0000-7000-8000-000000000001"
    for number, type in enumerate(("Patient", "Group", "Device")):
        shelf.put({"resourceType": "Observation", "id": f"o{number}", "status": "final", "code": {}, "subject": _ref(f"{type}/{id}")})
    assert sorted(shelf.ids(f"Observation?subject={id}")) == ["o0", "o1", "o2"]
    assert shelf.ids(f"Observation?subject=Group/{id}") == ["o1"]
    assert shelf.ids(f"Observation?subject=Patient/{id},Device/{id}") == ["o2", "o0"]


def test_a_parameter_that_names_no_target_points_at_any_type(shelf: Shelf) -> None:
    """searchparameter-definitions.html#SearchParameter.target is 0..*; of two R4 parameters it is left out."""
    is_subject = {"url": "http://hl7.org/fhir/StructureDefinition/questionnaireresponse-isSubject", "valueBoolean": True}
    item = {"linkId": "1", "extension": [is_subject], "answer": [{"valueReference": _ref("Patient/ada")}]}
    shelf.put({"resourceType": "Patient", "id": "ada", "gender": "female"})
    shelf.put({"resourceType": "QuestionnaireResponse", "id": "r", "status": "completed", "item": [item]})
    for query in ("item-subject=Patient/ada", "item-subject=ada", "item-subject:Patient=ada", "item-subject:Patient.gender=female"):
        assert shelf.ids(f"QuestionnaireResponse?{query}") == ["r"]
    assert shelf.ids("Patient?_has:QuestionnaireResponse:item-subject:status=completed") == ["ada"]
    assert [version.id for version in shelf.search("Patient?_revinclude=QuestionnaireResponse:item-subject").includes] == ["r"]


@pytest.mark.parametrize(
    ("query", "found"),
    {
        "questionnaire:below=urn:q": "none one oneten ten two",
        "questionnaire:below=urn:q|1": "one oneten",
        "questionnaire:below=urn:q|1.10": "oneten",
        "questionnaire=urn:q": "none one oneten ten two",
        "questionnaire=urn:q|1": "one",
        "questionnaire:below=urn:none": "",
    }.items(),
)
def test_a_canonical_is_found_in_any_version_or_in_some(shelf: Shelf, query: str, found: str) -> None:
    """search.html#versions"""
    for id, version in {"none": "", "one": "|1", "oneten": "|1.10", "two": "|2.0", "ten": "|10"}.items():
        shelf.put({"resourceType": "QuestionnaireResponse", "id": id, "status": "completed", "questionnaire": f"urn:q{version}"})
    assert sorted(shelf.ids(f"QuestionnaireResponse?{query}")) == found.split()


def test_the_version_in_a_canonical_is_that_of_the_resource(shelf: Shelf) -> None:
    """search.html#uri"""
    for version in ("1", "2"):
        shelf.put({"resourceType": "ValueSet", "id": f"v{version}", "status": "draft", "url": "http://x.org/v", "version": version})
    assert shelf.ids("ValueSet?url=http://x.org/v|2") == ["v2"]
    assert set(shelf.ids("ValueSet?url=http://x.org/v|2,http://x.org/v|1")) == {"v1", "v2"}
    assert shelf.ids("ValueSet?url=http://x.org/v|3") == []


def test_another_tenant_sees_nothing(full_shelf: Shelf) -> None:
    other = Shelf(full_shelf.connection, tenant=2)
    assert other.ids("Observation?") == []
    assert other.ids("Observation?patient.family=okafor") == []
    assert other.ids("Observation?subject=Patient/ada") == []
    assert other.ids("Appointment?patient=ada") == []
