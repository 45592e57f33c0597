"""What is wrong with a resource, all at once, each fault at its place."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openward.fhir.definitions import RESOURCE_TYPES, is_primitive, structure
from openward.fhir.errors import Invalid
from openward.fhir.validation import check, validate
from openward.fhir.validation.advice import advise
from openward.fhir.validation.told import SIMPLE

CODED = {"coding": [{"system": "urn:x", "code": "y"}]}
OBSERVATION = {"resourceType": "Observation", "status": "final", "code": CODED}
PATIENT = {"resourceType": "Patient"}
DIV = '<div xmlns="http://www.w3.org/1999/xhtml">{}</div>'


def places(resource: dict) -> list[tuple[str | None, str]]:
    return [(issue.expression, issue.code) for issue in validate(resource)]


def narrated(inner: str) -> dict:
    return PATIENT | {"text": {"status": "generated", "div": DIV.format(inner)}}


SOUND = {
    "the least there is": PATIENT,
    "dates of every precision": PATIENT | {"birthDate": "1980", "deceasedDateTime": "2020-02-29T23:59:60.5+14:00"},
    "an extension nobody knows": PATIENT | {"extension": [{"url": "urn:mine", "valueDecimal": Decimal("1.10")}]},
    "extensions within extensions": PATIENT | {"extension": [{"url": "urn:mine", "extension": [{"url": "a", "valueCode": "b"}]}]},
    "a primitive that is only an extension": OBSERVATION | {"status": "final", "_issued": {"extension": [{"url": "urn:x", "valueCode": "unknown"}]}},
    "values that are named": PATIENT
    | {"birthDate": "1980", "_birthDate": {"id": "b"}, "name": [{"given": ["Ada", "Bo"], "_given": [None, {"id": "g"}]}]},
    "nulls beside extensions": PATIENT
    | {"name": [{"given": ["Ada", None], "_given": [None, {"extension": [{"url": "urn:x", "valueString": "y"}]}]}]},
    "a required code held back": {
        "resourceType": "Observation",
        "_status": {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]},
        "code": CODED,
    },
    "references of every kind": OBSERVATION
    | {
        "subject": {"reference": "Patient/1"},
        "encounter": {"reference": "urn:uuid:1b6d4a52-2a1f-4d7b-9f57-9d6a6f2f3b11"},
        "performer": [
            {"reference": "https://example.org/fhir/Practitioner/2"},
            {"reference": "Practitioner?identifier=urn:x|1"},
            {"reference": "Organization/3/_history/2"},
            {"display": "someone"},
            {"identifier": {"value": "4"}, "type": "Patient"},
        ],
    },
    "contained resources": OBSERVATION | {"contained": [{"resourceType": "Patient", "id": "p"}], "subject": {"reference": "#p"}},
    "languages in tags and in words": PATIENT
    | {
        "language": "sr-Latn-RS",
        "communication": [
            {"language": {"text": "the old dialect"}},
            {"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "zh-cmn-Hans-CN"}]}},
        ],
    },
    "ages and durations in units of time": {"resourceType": "Condition", "subject": {"reference": "Patient/1"}}
    | {"onsetAge": {"value": 3, "system": "http://unitsofmeasure.org", "code": "mo"}},
    "types beside references": OBSERVATION
    | {
        "subject": {"reference": "Patient/1", "type": "Patient"},
        "performer": [
            {"reference": "https://example.org/fhir/Practitioner/2/_history/1", "type": "Practitioner"},
            {"reference": "https://example.org/people?nr=3", "type": "Organization"},
        ],
    },
    "entries at their addresses": {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {"fullUrl": "urn:uuid:1b6d4a52-2a1f-4d7b-9f57-9d6a6f2f3b11", "resource": PATIENT | {"id": "a"}},
            {"fullUrl": "https://example.org/fhir/Patient/b", "resource": PATIENT | {"id": "b"}},
            {"fullUrl": "https://example.org/people?nr=3", "resource": PATIENT | {"id": "c"}},
        ],
    },
    "text in any script": PATIENT | {"name": [{"family": "Öyvind 李\u200d🩺", "text": "a\tb\r\nc"}]},
    "formatted narrative": narrated('<p style="color: red">fine&nbsp;<b>words</b> <a href="https://example.org">link</a><img src="#i" alt="x"/></p>'),
}

# what is wrong, the resource, and every place at which it must be said
FAULTY = [
    ("no type", {}, [("Resource.resourceType", "structure")]),
    ("unknown type", {"resourceType": "Pateint"}, [("Pateint.resourceType", "structure")]),
    ("misspelt element", PATIENT | {"brithDate": "1980"}, [("Patient.brithDate", "structure")]),
    ("misspelt deep down", PATIENT | {"contact": [{"name": {"famly": "x"}}]}, [("Patient.contact[0].name.famly", "structure")]),
    ("nothing required", {"resourceType": "Observation"}, [("Observation.status", "required"), ("Observation.code", "required")]),
    ("a name for nothing", PATIENT | {"_birthDate": {"id": "b"}}, [("Patient.birthDate", "invariant")]),
    ("null", PATIENT | {"active": None}, [("Patient.active", "structure")]),
    ("text for boolean", PATIENT | {"active": "true"}, [("Patient.active", "structure")]),
    ("number for text", PATIENT | {"name": [{"family": 3}]}, [("Patient.name[0].family", "structure")]),
    ("one for many", PATIENT | {"name": {"family": "x"}}, [("Patient.name", "structure")]),
    ("many for one", PATIENT | {"maritalStatus": [CODED]}, [("Patient.maritalStatus", "structure")]),
    ("empty array", PATIENT | {"name": []}, [("Patient.name", "structure")]),
    ("empty object", PATIENT | {"name": [{}]}, [("Patient.name[0]", "invariant")]),
    ("only an id", PATIENT | {"name": [{"id": "x"}]}, [("Patient.name[0]", "invariant")]),
    ("empty string", PATIENT | {"name": [{"family": ""}]}, [("Patient.name[0].family", "value")]),
    ("control character", PATIENT | {"name": [{"family": "a\x07"}]}, [("Patient.name[0].family", "value")]),
    ("something beside an id", PATIENT | {"name": [{"id": "a", "_id": {"id": "b"}}]}, [("Patient.name[0]._id", "structure")]),
    ("something beside the url", PATIENT | {"extension": [{"url": "http://a.b", "_url": {"id": "b"}, "valueCode": "c"}]}, [("Patient.extension[0]._url", "structure")]),
    ("something beside a narrative", PATIENT | {"text": {"status": "empty", "_div": {"id": "b"}}}, [("Patient.text._div", "structure")]),
    (
        "a comparator where only an amount may stand",
        OBSERVATION | {"valueRange": {"low": {"value": 5, "comparator": "<"}}, "referenceRange": [{"high": {"value": 5, "comparator": "<"}}]},
        [("Observation.value", "invariant"), ("Observation.referenceRange[0]", "invariant")],
    ),
    ("a character XML has not", PATIENT | {"name": [{"family": "a\ufffe"}]}, [("Patient.name[0].family", "value")]),
    ("two faults", PATIENT | {"birthDate": "x", "name": [{"given": ["a", 3]}]}, [("Patient.birthDate", "value"), ("Patient.name[0].given[1]", "structure")]),
    ("two choices", OBSERVATION | {"valueString": "x", "valueInteger": 3}, [("Observation.value", "structure")]),
    ("choice and the other's extension", OBSERVATION | {"valueString": "x", "_valueInteger": {"id": "i", "extension": [{"url": "u", "valueCode": "c"}]}}, [("Observation.value", "structure")]),
    ("choice of a type not offered", OBSERVATION | {"valueAddress": {"city": "x"}}, [("Observation.valueAddress", "structure")]),
    ("required choice absent", {"resourceType": "MedicationRequest", "status": "active", "intent": "order", "subject": {"reference": "Patient/1"}}, [("MedicationRequest.medication", "required")]),
    ("month 13", PATIENT | {"birthDate": "1980-13"}, [("Patient.birthDate", "value")]),
    ("29 February of a common year", PATIENT | {"birthDate": "2023-02-29"}, [("Patient.birthDate", "value")]),
    ("time without seconds", PATIENT | {"deceasedDateTime": "2023-02-01T10:00Z"}, [("Patient.deceased", "value")]),
    ("time without zone", PATIENT | {"deceasedDateTime": "2023-02-01T10:00:00"}, [("Patient.deceased", "value")]),
    ("instant without zone", OBSERVATION | {"issued": "2023-02-01T10:00:00"}, [("Observation.issued", "value")]),
    ("a date for an instant", OBSERVATION | {"issued": "2023-02-01"}, [("Observation.issued", "value")]),
    ("a number in quotes", OBSERVATION | {"valueQuantity": {"value": "3"}}, [("Observation.value.value", "structure")]),
    ("not a number", OBSERVATION | {"valueQuantity": {"value": Decimal("NaN")}}, [("Observation.value.value", "value")]),
    ("a binary float", OBSERVATION | {"valueQuantity": {"value": 1.1}}, [("Observation.value.value", "structure")]),
    ("true for a number", OBSERVATION | {"valueInteger": True}, [("Observation.value", "structure")]),
    ("beyond 32 bits", OBSERVATION | {"valueInteger": 2**31}, [("Observation.value", "value")]),
    ("zero for a positive number", PATIENT | {"telecom": [{"rank": 0}]}, [("Patient.telecom[0].rank", "value")]),
    ("bad id", PATIENT | {"id": "a_b"}, [("Patient.id", "value")]),
    ("long id", PATIENT | {"id": "a" * 65}, [("Patient.id", "value")]),
    ("code with a space at its end", PATIENT | {"language": "en "}, [("Patient.language", "value")]),
    ("uri with a space", PATIENT | {"implicitRules": "urn: x"}, [("Patient.implicitRules", "value")]),
    ("base64 with a space XML has not", {"resourceType": "Binary", "contentType": "text/plain", "data": "AA\x0bAA"}, [("Binary.data", "value")]),
    ("bad base64", {"resourceType": "Binary", "contentType": "text/plain", "data": "A"}, [("Binary.data", "value")]),
    ("code outside its set", PATIENT | {"gender": "m"}, [("Patient.gender", "code-invalid")]),
    ("coding outside its set", {"resourceType": "Condition", "subject": {"reference": "Patient/1"}, "clinicalStatus": CODED}, [("Condition.clinicalStatus", "code-invalid")]),
    ("null without extension", PATIENT | {"name": [{"given": [None, "x"]}]}, [("Patient.name[0].given[0]", "structure")]),
    ("twin of another length", PATIENT | {"name": [{"given": ["x", "y"], "_given": [None]}]}, [("Patient.name[0].given", "structure")]),
    ("twin with nothing", PATIENT | {"name": [{"_given": [None]}]}, [("Patient.name[0].given[0]", "structure")]),
    ("value in a primitive's extension", PATIENT | {"_birthDate": {"value": "x"}}, [("Patient.birthDate.value", "structure")]),
    ("extension without url", PATIENT | {"extension": [{"valueCode": "x"}]}, [("Patient.extension[0].url", "required")]),
    ("extension without value", PATIENT | {"extension": [{"url": "urn:x"}]}, [("Patient.extension[0]", "invariant")]),
    ("extension with value and extensions", PATIENT | {"extension": [{"url": "urn:x", "valueCode": "x", "extension": [{"url": "y", "valueCode": "z"}]}]}, [("Patient.extension[0]", "invariant")]),
    ("extension with two values", PATIENT | {"extension": [{"url": "urn:x", "valueCode": "x", "valueString": "y"}]}, [("Patient.extension[0].value", "structure")]),
    ("subject of a wrong type", OBSERVATION | {"subject": {"reference": "Practitioner/1"}}, [("Observation.subject", "invalid")]),
    ("subject said to be of a wrong type", OBSERVATION | {"subject": {"type": "Practitioner", "display": "x"}}, [("Observation.subject", "invalid")]),
    ("elsewhere, of a wrong type", OBSERVATION | {"subject": {"reference": "https://example.org/fhir/Practitioner/1/_history/2"}}, [("Observation.subject", "invalid")]),
    ("elsewhere, said to be of a wrong type", OBSERVATION | {"subject": {"reference": "urn:uuid:1b6d4a52-2a1f-4d7b-9f57-9d6a6f2f3b11", "type": "Practitioner"}}, [("Observation.subject", "invalid")]),
    ("type unlike the reference", OBSERVATION | {"subject": {"reference": "Patient/1", "type": "Group"}}, [("Observation.subject", "invariant")]),
    ("type unlike the reference elsewhere", OBSERVATION | {"subject": {"reference": "https://example.org/fhir/Patient/1", "type": "Group"}}, [("Observation.subject", "invariant")]),
    ("no language", PATIENT | {"language": "en_US"}, [("Patient.language", "code-invalid")]),
    ("a language in words for its code", PATIENT | {"communication": [{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "English"}]}}]}, [("Patient.communication[0].language", "code-invalid")]),
    ("an expression in no language", {"resourceType": "Library", "status": "active", "type": CODED, "dataRequirement": [{"type": "Patient"}], "extension": [{"url": "urn:x", "valueExpression": {"language": "cql", "expression": "x"}}]}, [("Library.extension[0].value.language", "code-invalid")]),
    ("an estimate in no unit", {"resourceType": "RiskEvidenceSynthesis", "status": "active", "population": {"display": "x"}, "outcome": {"display": "x"}, "riskEstimate": {"unitOfMeasure": {"coding": [{"system": "http://unitsofmeasure.org", "code": "mgg"}]}}}, [("RiskEvidenceSynthesis.riskEstimate.unitOfMeasure", "code-invalid")]),
    ("reference to no type", OBSERVATION | {"subject": {"reference": "Nothing/1"}}, [("Observation.subject.reference", "value")]),
    ("reference that is no reference", OBSERVATION | {"subject": {"reference": "Patient"}}, [("Observation.subject.reference", "value")]),
    ("dangling reference inside", OBSERVATION | {"subject": {"reference": "#p"}}, [("Observation.subject.reference", "not-found")]),
    ("contained subject of a wrong type", OBSERVATION | {"contained": [{"resourceType": "Practitioner", "id": "p"}], "subject": {"reference": "#p"}}, [("Observation.subject.reference", "invalid")]),
    ("contained without id", OBSERVATION | {"contained": [PATIENT]}, [("Observation.contained[0].id", "required")]),
    ("contained in contained", OBSERVATION | {"contained": [PATIENT | {"id": "p", "contained": [PATIENT | {"id": "q"}]}], "subject": {"reference": "#p"}}, [("Observation.contained[0]", "invariant")]),
    ("contained for nothing", OBSERVATION | {"contained": [PATIENT | {"id": "p"}]}, [("Observation.contained[0]", "invariant")]),
    ("one id contained twice", OBSERVATION | {"contained": [PATIENT | {"id": "p"}, PATIENT | {"id": "p"}], "subject": {"reference": "#p"}}, [("Observation.contained[1].id", "duplicate")]),
    ("fault in a bundled resource", {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": PATIENT | {"gender": "m"}}]}, [("Bundle.entry[0].resource.gender", "code-invalid")]),
    ("fault in a parameter", {"resourceType": "Parameters", "parameter": [{"name": "r", "resource": {"resourceType": "X"}}]}, [("Parameters.parameter[0].resource.resourceType", "structure")]),
    ("period backwards", PATIENT | {"name": [{"period": {"start": "2020-02-01", "end": "2020-01-01"}}]}, [("Patient.name[0].period", "invariant")]),
    ("unit code without system", OBSERVATION | {"valueQuantity": {"value": 1, "code": "g"}}, [("Observation.value", "invariant")]),
    ("absent and present", OBSERVATION | {"valueString": "x", "dataAbsentReason": CODED}, [("Observation", "invariant")]),
    ("booked for no time", {"resourceType": "Appointment", "status": "booked", "participant": [{"status": "accepted", "type": [CODED]}]}, [("Appointment", "invariant")]),
]  # fmt: skip

ACTIVE = [
    "<script>x</script>",
    '<p onclick="x()">a</p>',
    '<a href="javascript:x()">a</a>',
    '<a href=" JavaScript:x()">a</a>',
    '<a href="vbscript:x">a</a>',
    '<a href="data:text/html;base64,AA==">a</a>',
    '<iframe src="https://example.org">a</iframe>',
    "<form>a</form>",
    "<object>a</object>",
    '<link href="x"/>a',
    "<svg><script>x</script></svg>",
    '<p style="background: url(https://example.org/x.png)">a</p>',
    '<p style="background: url(//example.org/x.png)">a</p>',
    '<p style="width: expression(x)">a</p>',
    '<p xmlns="urn:other"><x/></p>',
    "<?php x ?>a",
    "&unknown;",
    "<p>open",
    "a<!-- c --></div><div>",
    "   ",
]


class TestSoundResources:
    @pytest.mark.parametrize("resource", SOUND.values(), ids=SOUND.keys())
    def test_have_no_issues(self, resource):
        assert validate(resource) == []

    def test_pass_check(self):
        check(OBSERVATION)


class TestFaultyResources:
    @pytest.mark.parametrize(("resource", "expected"), [row[1:] for row in FAULTY], ids=[row[0] for row in FAULTY])
    def test_are_told_every_fault_and_its_place(self, resource, expected):
        assert sorted(places(resource), key=str) == sorted(expected, key=str)

    @pytest.mark.parametrize("inner", ACTIVE)
    def test_have_no_active_narrative(self, inner):
        assert places(narrated(inner)) == [("Patient.text.div", "value")]

    @pytest.mark.parametrize("div", ["words", "<p>words</p>", '<div xmlns="urn:x">a</div>', '<!DOCTYPE x [<!ENTITY a "b">]>' + DIV.format("&a;")])
    def test_have_a_div_for_narrative(self, div):
        assert places(PATIENT | {"text": {"status": "generated", "div": div}}) == [("Patient.text.div", "value")]

    @pytest.mark.parametrize("data", [None, [], "x", 3])
    def test_may_not_even_be_objects(self, data):
        assert places(data) == [("Resource", "structure")]

    def test_are_refused_with_all_issues(self):
        with pytest.raises(Invalid, match="and 1 more") as refusal:
            check({"resourceType": "Observation"})
        assert refusal.value.outcome()["issue"][0]["expression"] == ["Observation.status"]

    def test_hear_what_was_meant(self):
        assert "did you mean birthDate?" in validate(PATIENT | {"brithDate": "1980"})[0].diagnostics

    def test_are_not_quoted_back(self):
        assert "secret" not in str(validate(PATIENT | {"birthDate": "secret", "gender": "secret", "id": "secret secret"}))


def entries(*said: dict) -> dict:
    return {"resourceType": "Bundle", "type": "collection", "entry": list(said)}


ADVISED = [
    ("an age in kilograms", {"resourceType": "Condition", "subject": {"reference": "Patient/1"}, "onsetAge": {"value": 3, "system": "http://unitsofmeasure.org", "code": "kg"}}, "Condition.onset"),
    ("a duration in metres", PATIENT | {"extension": [{"url": "urn:x", "valueDuration": {"value": 3, "system": "http://unitsofmeasure.org", "code": "m"}}]}, "Patient.extension[0].value"),
    ("an entry at another's address", entries({"fullUrl": "https://example.org/fhir/Patient/b", "resource": PATIENT | {"id": "a"}}), "Bundle.entry[0]"),
    ("an entry at a relative address", entries({"fullUrl": "Patient/a", "resource": PATIENT | {"id": "a"}}), "Bundle.entry[0]"),
]  # fmt: skip


class TestAdvice:
    @pytest.mark.parametrize(("resource", "place"), [row[1:] for row in ADVISED], ids=[row[0] for row in ADVISED])
    def test_refuses_nothing_and_names_the_place(self, resource, place):
        assert validate(resource) == []
        assert place in [one.expression for one in advise(resource) if "dom-6" not in one.diagnostics]

    @pytest.mark.parametrize("kind", ["entries at their addresses", "ages and durations in units of time"])
    def test_is_not_given_of_what_is_right(self, kind):
        assert [one.diagnostics for one in advise(SOUND[kind]) if "dom-6" not in one.diagnostics] == []


@pytest.mark.parametrize("type", RESOURCE_TYPES)
class TestEveryElementOfEveryType:
    def test_refuses_a_value_of_the_wrong_kind(self, type):
        for key, (element, datatype) in structure(type).by_key.items():
            wrong = {"x": 1} if is_primitive(datatype) else "x"
            found = [issue.expression for issue in validate({"resourceType": type, key: [wrong] if element.is_many else wrong})]
            place = f"{type}.{element.name}" + ("[0]" if element.is_many else "")
            assert any(where.startswith(place) for where in found if where), key

    def test_refuses_an_array_where_one_belongs_and_one_where_an_array_belongs(self, type):
        for key, (element, _) in structure(type).by_key.items():
            found = [issue.expression for issue in validate({"resourceType": type, key: 3 if element.is_many else [3]})]
            assert f"{type}.{element.name}" in found, key


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "given", "_given", "contained", "id", "x", "extension", "url"]), inner)
    ),
    max_leaves=12,
)


class TestAnything:
    @given(
        st.sampled_from(["Patient", "Bundle", "Questionnaire"]),
        st.dictionaries(st.sampled_from(sorted(structure("Patient").by_key)), JSON, max_size=5),
    )
    def test_gets_an_answer(self, type, body):
        assert all(issue.expression for issue in validate({"resourceType": type} | body))


def test_what_takes_no_comparator_is_a_quantity() -> None:
    stated = [structure(type).by_key[key][1] for type, keys in SIMPLE.items() for key in keys.split()]
    assert set(stated) == {"Quantity"}
