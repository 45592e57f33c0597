"""The language beyond the official suite: what the suite does not ask, asked here, each row an expression and what it gives."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest

from openward.fhir.fhirpath import FhirPathError, compile, evaluate

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p",
    "contained": [{"resourceType": "Organization", "id": "o", "name": "Ward"}],
    "managingOrganization": {"reference": "#o"},
    "name": [{"use": "official", "family": "Lee", "given": ["Ada", None], "_given": [None, {"extension": [{"url": "urn:x", "valueCode": "y"}]}]}],
    "birthDate": "1974-12-25",
    "_birthDate": {"extension": [{"url": "urn:time", "valueDateTime": "1974-12-25T14:35:45-05:00"}]},
    "deceasedBoolean": False,
    "contact": [{"name": {"text": "X"}, "organization": {"reference": "Organization/7"}}],
}

RESULTS: list[tuple[str, list[Any]]] = [
    # navigation
    ("Patient.name.given", ["Ada", None]),
    ("name.given.where(hasValue())", ["Ada"]),
    ("name.given[1].extension('urn:x').value", ["y"]),
    ("birthDate.extension('urn:time').value", ["1974-12-25T14:35:45-05:00"]),
    ("deceased", [False]),
    ("deceased is boolean", [True]),
    ("Resource.id | DomainResource.id", ["p"]),
    ("Observation.id", []),
    ("contact.type().name", ["BackboneElement"]),
    ("contained.name", ["Ward"]),
    ("name.children().count()", [4]),
    ("birthDate.children().url", ["urn:time"]),
    ("managingOrganization.resolve().name", ["Ward"]),
    ("contact.organization.resolve()", []),
    ("descendants().where($this is Organization).id", ["o"]),
    ("%resource.id & %context.id & %rootResource.id", ["ppp"]),
    # numbers
    ("1.0 + 1", [Decimal("2.0")]),
    ("7 div 2 * 2 + 7 mod 2", [7]),
    ("-7 div 2", [-3]),
    ("2147483647 + 1", []),
    ("2.power(31)", []),
    ("(-2.5).round()", [Decimal("-3")]),
    ("1000.log(10)", [Decimal("3")]),
    ("0.ln()", []),
    ("10.exp() > 22026", [True]),
    # text
    ("'a' + 'b' & {} & 'c'", ["abc"]),
    ("'\\u00e9\\n\\''", ["é\n'"]),
    ("'2020-01-02'.replaceMatches('(\\\\d+)-(\\\\d+)-(\\\\d+)', '$3.$2.$1')", ["02.01.2020"]),
    ("'a.b'.replaceMatches('\\\\.', '\\\\\\\\')", ["a\\b"]),
    ("'abc'.lastIndexOf('c')", [2]),
    ("'a,b,,c'.split(',')", ["a", "b", "", "c"]),
    ("'ab'.toChars().join('-')", ["a-b"]),
    ("'é'.encode('base64').decode('base64')", ["é"]),
    # dates
    ("@2012-02-29 + 1 year", ["2013-02-28"]),
    ("@2012-01-31 + 1 month", ["2012-02-29"]),
    ("@2014 + 23 months", ["2015"]),
    ("@2014-03 - 31 days", ["2014-02"]),
    ("@2014-01-01 + 25 hours", ["2014-01-02"]),
    ("@2014-12-31T23:59:59.5+01:00 + 1.5 seconds", ["2015-01-01T00:00:01.0+01:00"]),
    ("@T23:30 + 45 minutes", ["00:15"]),
    ("@9999-12-31 + 1 day", []),
    ("@2014-01-01T00:30:00+02:00 = @2013-12-31T22:30:00Z", [True]),
    ("@2014-01-05T10:00:00 > @2014-01-01T10:00:00Z", [True]),
    ("@2014-01-01T10:00:00 > @2014-01-01T09:00:00Z", []),
    ("@2014-01 < @2014-02-01", [True]),
    ("(@2014 | @2014 | @2014-01).count()", [2]),
    ("@2014-01-31T12:00:00Z.toDate()", ["2014-01-31"]),
    ("birthDate + 1 day", ["1974-12-26"]),
    # amounts
    ("1 'g' + 500 'mg' = 1.5 'g'", [True]),
    ("98.6 '[degF]' = 37 'Cel'", [True]),
    ("1 year = 12 months", [True]),
    ("1 year = 365 days", []),
    ("1 year ~ 365.25 days", [True]),
    ("1 hour = 60 'min'", [True]),
    ("1 'mg' < 1 'mL'", []),
    ("3 'm' * 2 = 6 'm'", [True]),
    ("6 'm2' / 3 'm' = 2 'm'", [True]),
    ("'5 mg'.toQuantity()", []),
    ("'5 \\'mg\\''.toQuantity('g') = 0.005 'g'", [True]),
    ("4 days", [{"value": Decimal("4"), "unit": "day", "system": "http://unitsofmeasure.org", "code": "d"}]),
    # collections
    ("(1 | 2 | 3).where($index > 0)", [2, 3]),
    ("(1 | 2 | 1.0 | 'a' | 'a')", [1, 2, "a"]),
    ("(1 | 2).combine(2 | 3).distinct()", [1, 2, 3]),
    ("(2 | 1 | 3).sort(-$this).first()", [3]),
    ("(1 | 2 | 3).aggregate($total + $this, 0)", [6]),
    ("(1 | 2).subsetOf(1 | 2 | 3)", [True]),
    ("{}.all($this)", [True]),
    ("name.select(given.count())", [2]),
    ("1.repeat(iif($this < 5, $this + 1, {}))", [2, 3, 4, 5]),
    ("defineVariable('n', name.family).select(%n & '!')", ["Lee!"]),
    ("defineVariable('a', 1).select(%a) | defineVariable('a', 2).select(%a)", [1, 2]),
    ("'aaa'.replace(defineVariable('p', 'aaa').select(%p), defineVariable('p', 'bbb').select(%p))", ["bbb"]),
    ("coalesce({}, name.suffix, name.family, 1 + 'a')", ["Lee"]),
    ("1.repeatAll(iif($this < 3, $this + 1 , {}))", [2, 3]),
    ("(1 | 2 | 4.5).sum()", [Decimal("7.5")]),
    ("(1 | 2).avg()", [Decimal("1.5")]),
    ("(3 | 1 | 2).min()", [1]),
    ("('b' | 'a' | 'c').max()", ["c"]),
    ("{}.sum()", []),
    # parts of dates
    ("@2014-01-05T10:30:01.250+02:00.yearOf()", [2014]),
    ("@2014-01-05T10:30:01.250+02:00.secondOf()", [1]),
    ("@2014-01-05T10:30:01.250+02:00.millisecondOf()", [250]),
    ("@2014-01-05T10:30:01.250+02:00.timezoneOffsetOf()", [Decimal(2)]),
    ("@2014-01-05T10:30:01.250+02:00.dateOf()", ["2014-01-05"]),
    ("@2014-01-05T10:30:01+02:00.timeOf()", ["10:30:01"]),
    ("@2014.monthOf()", []),
    ("@T10:30.minuteOf()", [30]),
    # logic
    ("true implies {}", []),
    ("{} implies true", [True]),
    ("true xor {}", []),
    ("1 in {}", [False]),
    ("{} in (1 | 2)", []),
    ("iif(false, 1)", []),
    ("`name`.`family`", ["Lee"]),
]


@pytest.mark.parametrize(("expression", "expected"), RESULTS)
def test_an_expression_gives(expression: str, expected: list[Any]) -> None:
    assert compile(expression)(PATIENT) == expected


@pytest.mark.parametrize(
    "expression",
    ["", "name.", "(1", "1)", "'open", "@2014-13-01", "@2014-02-30", "@T25:00", "nobody()", "where()", "name.where(1, 2)", "is(1)", "1 is Nothing",
     "$that", "%", "a b", "1 +", "#", "{1}", "'a'.matches('a', 'b')", "(" * 100 + "1" + ")" * 100],
)  # fmt: skip
def test_what_is_not_an_expression_is_refused_before_any_data(expression: str) -> None:
    with pytest.raises(FhirPathError):
        compile(expression)


@pytest.mark.parametrize(
    "expression",
    ["name.given.single()", "1 + 'a'", "1 < 'a'", "-'a'", "name.given.length()", "%nothing", "'a'.matches('(?=b)')", "(1 | 2) and true",
     "name.conformsTo('urn:unknown')", "@2014 + 1 'mg'", "(true | 1).allTrue()", "1.round(-1)", "'zz'.decode('hex')",
     "defineVariable('a', 1).defineVariable('a', 2)", "defineVariable('context', 1)", "defineVariable('a', 1).active | %a", "'a'.yearOf()"],
)  # fmt: skip
def test_what_makes_no_sense_for_the_data_is_an_error(expression: str) -> None:
    with pytest.raises(FhirPathError):
        evaluate(expression, PATIENT)


class TestWhatTheCallerGives:
    def test_variables_are_values_or_resources(self) -> None:
        assert evaluate("%who.name.family & %more", PATIENT, who=PATIENT, more="!") == ["Lee!"]

    def test_an_element_is_walked_as_its_type(self) -> None:
        assert evaluate("use = 'official' and given.first() = 'Ada'", PATIENT["name"][0], type="HumanName") == [True]

    def test_an_element_knows_the_resource_around_it(self) -> None:
        assert evaluate("%resource.id & %rootResource.id", PATIENT["name"][0], type="HumanName", root=PATIENT) == ["pp"]

    def test_a_contained_resource_is_its_own_resource_in_another_root(self) -> None:
        assert evaluate("%resource.id & %rootResource.id", PATIENT["contained"][0], root=PATIENT) == ["op"]

    def test_an_element_of_a_contained_resource_knows_both_around_it(self) -> None:
        said = compile("%resource.id & %rootResource.id")("Ward", type="string", resource=PATIENT["contained"][0], rootResource=PATIENT)
        assert said == ["op"]

    def test_references_are_resolved_by_the_callable(self) -> None:
        found = {"Organization/7": {"resourceType": "Organization", "id": "7"}}
        assert evaluate("contact.organization.resolve().id", PATIENT, resolve=found.get) == ["7"]

    def test_references_in_a_bundle_find_its_entries(self) -> None:
        entries = [
            {"fullUrl": "http://a/Patient/p", "resource": PATIENT},
            {"resource": {"resourceType": "Basic", "subject": {"reference": "Patient/p"}}},
        ]
        assert evaluate("entry.resource.ofType(Basic).subject.resolve().id", {"resourceType": "Bundle", "entry": entries}) == ["p"]

    def test_membership_is_asked_of_the_terminology(self) -> None:
        class Codes:
            def member(self, value_set: str, system: str | None, code: str) -> bool | None:
                return {"a": True, "b": False}.get(code)

        concept = {"coding": [{"system": "urn:s", "code": "b"}, {"system": "urn:s", "code": "a"}]}
        ask = compile("memberOf('urn:vs')")
        answers = [ask(data, type=type, terminology=Codes()) for data, type in [(concept, "CodeableConcept"), ("b", "code"), ("c", "code")]]
        assert (answers, ask("a", type="code")) == ([[True], [False], []], [])

    def test_traces_are_kept_only_for_who_asks(self) -> None:
        traces: list[Any] = []
        compile("name.trace('names', family).exists()").items(PATIENT, traces=traces)
        assert [(name, [item[0] for item in items]) for name, items in traces] == [("names", ["Lee"])]

    def test_nodes_know_their_place(self) -> None:
        (node,) = compile("name.family").items(PATIENT)
        assert (node[4], node[3][4], node[3][5], node[3][0] is PATIENT["name"][0]) == ("family", "name", 0, True)

    def test_a_condition_holds_or_not(self) -> None:
        held = [compile(one).holds(PATIENT) for one in ("name.exists()", "name.empty()", "name.family = {}", "name")]
        assert held == [True, False, False, True]

    def test_an_expression_is_compiled_once(self) -> None:
        assert compile("name.family") is compile("name.family")

    def test_json_without_a_type_is_walked_by_its_keys(self) -> None:
        assert evaluate("a.b.where(c > 1).c", {"a": {"b": [{"c": 1}, {"c": 2}]}}) == [2]


@pytest.mark.parametrize(
    "data",
    [{"resourceType": "Patient", "name": "x", "contact": [None, 1, "y", []], "_birthDate": 3, "birthDate": []}, {}, [], None, 1, "x",
     {"resourceType": "Patient", "birthDate": {"a": 1}, "_active": {"extension": 5}}],
)  # fmt: skip
def test_what_is_no_sound_resource_is_walked_as_far_as_it_goes(data: Any) -> None:
    for expression in (
        "name.family",
        "contact.name.text",
        "descendants().count()",
        "birthDate.extension('x')",
        "contact.children()",
        "birthDate < now()",
    ):
        with suppress(FhirPathError):
            assert isinstance(evaluate(expression, data), list)
