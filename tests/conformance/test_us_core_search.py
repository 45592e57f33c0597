"""Every search the US Core 6.1.0 server CapabilityStatement says a server SHALL or SHOULD support, generated from it, over its examples and Synthea.

Asked by GET and by POST through the REST surface; what must come back is worked out in memory by FHIRPath.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest

from openward.fhir.definitions import SearchParameter, search_parameters
from openward.fhir.guards import guard
from openward.fhir.http import fhir_app
from openward.fhir.search import own
from openward.fhir.search.own import OWN
from openward.fhir.search.reindex import step
from openward.fhir.search.told import tell
from openward.fhir.store import Store
from tests.conformance.search_oracle import Oracle, Resource
from tests.conformance.search_questions import _askable
from tests.conformance.search_record import engine_address, us_core_package
from tests.fhir.house import House, Visitor
from tests.fhir.http.client import Client
from tests.fhir.search.shelf import MORNING, Shelf
from tests.fhir.search.test_oracle import synthea

BUNDLES, SAMPLES, SEED = 4, 3, 6
EXPECTATION = "http://hl7.org/fhir/StructureDefinition/capabilitystatement-expectation"
COMBINATION = "http://hl7.org/fhir/StructureDefinition/capabilitystatement-search-parameter-combination"
TYPES = (
    "AllergyIntolerance", "CarePlan", "CareTeam", "Condition", "Coverage", "Device", "DiagnosticReport", "DocumentReference", "Encounter", "Goal",
    "Immunization", "Location", "Media", "Medication", "MedicationDispense", "MedicationRequest", "Observation", "Organization", "Patient",
    "Practitioner", "PractitionerRole", "Procedure", "Provenance", "QuestionnaireResponse", "RelatedPerson", "ServiceRequest", "Specimen",
)  # fmt: skip
# FHIRPath has no `valueDateTime`; the package's expression means this.
CORRECTED = {
    "asserted-date": "Condition.extension.where(url = 'http://hl7.org/fhir/StructureDefinition/condition-assertedDate').value.ofType(dateTime)"
}
Pairs = list[tuple[str, str]]


@dataclass
class Guide:
    """What is asked of each type: parameters and combinations that SHALL or SHOULD be supported, and what must come along in reverse."""

    statement: Mapping[str, Any]

    def of(self, type: str) -> Mapping[str, Any]:
        return next((one for one in self.statement["rest"][0]["resource"] if one["type"] == type), {})

    def parameters(self, type: str) -> list[str]:
        return [p["name"] for p in self.of(type).get("searchParam", ()) if _expected(p)]

    def combinations(self, type: str) -> list[list[str]]:
        extensions = [e for e in self.of(type).get("extension", ()) if e["url"] == COMBINATION and _expected(e)]
        return [[part["valueString"] for part in e["extension"] if part["url"] in ("required", "optional")] for e in extensions]

    def revincludes(self, type: str) -> list[str]:
        return list(self.of(type).get("searchRevInclude", ()))


def _expected(element: Mapping[str, Any]) -> bool:
    return any(e["url"] == EXPECTATION and e["valueCode"] in ("SHALL", "SHOULD") for e in element.get("extension", ()))


@dataclass
class House610:
    """The REST surface over the data, the guide, and the oracle."""

    call: Client
    guide: Guide
    oracle: Oracle

    def bundles(self, type: str, params: Pairs, method: str) -> Iterator[Mapping[str, Any]]:
        if method == "POST":
            body = urlencode(params).encode()
            answer = self.call("POST", f"/{type}/_search", body, content_type="application/x-www-form-urlencoded", prefer="handling=strict")
        else:
            answer = self.call("GET", f"/{type}?{urlencode(params)}", prefer="handling=strict")
        while True:
            assert answer.status == 200, answer.body[:500]
            yield answer.json
            following = [link["url"] for link in answer.json["link"] if link["relation"] == "next"]
            if not following:
                return
            answer = self.call("GET", following[0].removeprefix("https://clinic.test/fhir"))

    def found(self, type: str, params: Pairs, method: str) -> set[str]:
        entries = [e for bundle in self.bundles(type, [*params, ("_count", "200")], method) for e in bundle.get("entry", ())]
        return {entry["resource"]["id"] for entry in entries if entry["search"]["mode"] == "match"}


@pytest.fixture(scope="module")
def house(worker_id: str) -> Iterator[House610]:
    package = us_core_package()
    server = next(r for r in package["package"] if r["resourceType"] == "CapabilityStatement" and r["id"].endswith("server"))
    named = {(r["resourceType"], r["id"]): r for r in [*synthea(BUNDLES), *package["example"]]}
    known = list(named.values())
    resources = [_stamped(resource, number) for number, resource in enumerate([*known, *_provenances(known)])]
    engine = House(engine_address(f"us_core_search_{worker_id}"))
    connection = engine.connect()
    Shelf(connection).put(*resources)
    added = _added(package["package"])
    _teach(engine, package["package"])
    connection.execute("analyze")

    @contextmanager
    def open_store(actor: Visitor) -> Iterator[Store]:
        yield engine.store(actor, connection=connection)

    yield House610(Client(fhir_app(lambda environ: Visitor(), open_store)), Guide(server), Oracle(resources, added))
    connection.execute("delete from fhir.own_parameter")
    OWN.keep_fresh(connection, now=True)
    engine.close()


def _stamped(resource: dict[str, Any], number: int) -> dict[str, Any]:
    at = (MORNING + dt.timedelta(seconds=number)).isoformat()
    return resource | {"meta": {**resource.get("meta", {}), "lastUpdated": at}}


def _provenances(resources: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Every fifth resource, and the one after it, come from somewhere."""
    for number in range(0, len(resources) - 1, 5):
        targets = [{"reference": f"{r['resourceType']}/{r['id']}"} for r in resources[number : number + 2]]
        agent = {"who": {"display": "Somebody"}}
        yield {"resourceType": "Provenance", "id": f"made{number}", "target": targets, "recorded": "2024-01-01T00:00:00Z", "agent": [agent]}


def _added(package: list[dict[str, Any]]) -> dict[tuple[str, str], SearchParameter]:
    """The guide's own parameters: those of a code the specification has not."""
    found = {}
    for definition in package:
        for base in definition.get("base", ()) if definition["resourceType"] == "SearchParameter" else ():
            code, expression = definition["code"], CORRECTED.get(definition["code"], definition["expression"])
            if code not in search_parameters(base):
                found[base, code] = SearchParameter(base, code, definition["type"], expression, definition["url"], (), ())
    return found


def _teach(engine: House, package: list[dict[str, Any]]) -> None:
    """Store the guide's SearchParameters and index what is there by them."""
    guard("SearchParameter", registry=engine.guards)(tell)  # type: ignore[arg-type]
    store = engine.store(strict=False)
    for definition in package:
        if definition["resourceType"] == "SearchParameter":
            store.update({name: value for name, value in definition.items() if name != "text"} | {"status": "active"})
    while step(engine.connect(), settled=0.0) is not None:
        pass
    OWN.keep_fresh(store.connection, now=True)
    assert own.OWN.by_type


class Values:
    """Values to ask for, taken from the data."""

    def __init__(self, oracle: Oracle, dice: random.Random) -> None:
        self.oracle = oracle
        self.dice = dice

    def having(self, type: str, codes: list[str]) -> list[Resource]:
        """A few resources that have a value for each of the parameters."""
        all_of_them = [r for r in self.oracle.by_type.get(type, ()) if all(self.of(r, code) for code in codes)]
        return self.dice.sample(all_of_them, min(SAMPLES, len(all_of_them)))

    def of(self, resource: Resource, code: str) -> list[str]:
        """What this one parameter may be asked for to find this resource, every form the guide names."""
        parameter = self.oracle.parameter(resource["resourceType"], code)
        forms = FORMS[parameter.type]
        found = [form for one in self.oracle.values(parameter, resource) for form in forms(one[1])]
        return [value for value in dict.fromkeys(found) if _askable(value)]


def _reference(value: Any) -> list[str]:
    reference = value.get("reference", "") if isinstance(value, dict) else str(value)
    return [reference, reference.partition("/")[2]] if "/" in reference and ":" not in reference else []


def _token(value: Any) -> list[str]:
    if not isinstance(value, dict):
        return [str(value).lower() if isinstance(value, bool) else str(value)]
    codings = value.get("coding", [value])
    return [
        form
        for c in codings
        if (code := c.get("code") or c.get("value"))
        for form in (f"{c['system']}|{code}" if "system" in c else "", code)
        if form
    ]


def _string(value: Any) -> list[str]:
    names = (
        [value] if isinstance(value, str) else [value.get("family", ""), *value.get("given", ()), value.get("city", ""), value.get("postalCode", "")]
    )
    return [form for name in names if name for form in (name, name[:3].lower())]


def _date(value: Any) -> list[str]:
    text = value if isinstance(value, str) else value.get("start", "")
    moments = dict.fromkeys((text[:10], text)) if text[:4].isdigit() else ()
    return [prefix + moment for moment in moments for prefix in ("", "ge", "le", "gt", "lt")]


FORMS = {"reference": _reference, "token": _token, "string": _string, "date": _date, "uri": lambda value: [str(value)]}


def questions(house: House610, type: str) -> Iterator[Pairs]:
    """Single parameters in all forms, two values joined by a comma, and every combination; a combination's values one form after the other."""
    values = Values(house.oracle, random.Random(SEED))
    for code in house.guide.parameters(type):
        samples = [values.of(resource, code) for resource in values.having(type, [code])]
        yield from ([(code, value)] for forms in samples for value in forms)
        if len(samples) > 1:
            yield [(code, f"{samples[0][0]},{samples[1][0]}")]
    for codes in house.guide.combinations(type):
        for resource in values.having(type, codes):
            forms = [values.of(resource, code) for code in codes]
            yield from ([(code, form[n % len(form)]) for code, form in zip(codes, forms, strict=True)] for n in range(max(map(len, forms))))


@pytest.mark.parametrize("type", TYPES)
def test_each_search_of_the_guide_finds_what_it_should(house: House610, type: str) -> None:
    wrong: list[str] = []
    for params in questions(house, type):
        expected = house.oracle.ids(type, params)
        for method in ("GET", "POST"):
            if (got := house.found(type, params, method)) != expected:
                wrong.append(f"{method} {type}?{urlencode(params)}: lacks {sorted(expected - got)[:3]}, has {sorted(got - expected)[:3]}")
        dated = any(house.oracle.parameter(type, code).type == "date" for code, _ in params)  # a period lies within no day of it
        if not expected and not dated:
            wrong.append(f"{type}?{urlencode(params)} was made from a resource, and yet nothing should be found?")
    assert wrong == []


def test_the_data_has_something_for_nearly_every_search_of_the_guide(house: House610) -> None:
    """A floor under how much the test above proves."""
    values = Values(house.oracle, random.Random(SEED))
    asked = [(type, codes) for type in TYPES for codes in ([[p] for p in house.guide.parameters(type)] + house.guide.combinations(type))]
    without = [f"{type}: {'+'.join(codes)}" for type, codes in asked if not values.having(type, codes)]
    assert len(asked) >= 106
    assert len(without) <= 12, without


def test_every_type_the_guide_asks_for_is_tested(house: House610) -> None:
    stated = {one["type"] for one in house.guide.statement["rest"][0]["resource"]}
    assert [type for type in sorted(stated - set(TYPES)) if house.guide.parameters(type) and house.oracle.by_type.get(type)] == []


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_provenance_comes_along_in_reverse(house: House610, method: str) -> None:
    targets = {v["reference"] for p in house.oracle.by_type["Provenance"] for v in p["target"] if "reference" in v}
    asked = [type for type in TYPES if "Provenance:target" in house.guide.revincludes(type)]
    found = set()
    for type in asked:
        for bundle in house.bundles(type, [("_revinclude", "Provenance:target"), ("_count", "200")], method):
            matched = {f"{type}/{e['resource']['id']}" for e in bundle.get("entry", ()) if e["search"]["mode"] == "match"}
            included = [e["resource"] for e in bundle.get("entry", ()) if e["search"]["mode"] == "include"]
            expected = {p["id"] for p in house.oracle.by_type["Provenance"] if {v.get("reference") for v in p["target"]} & matched}
            assert {resource["id"] for resource in included} == expected
            found |= {f"{type}/{e['resource']['id']}" for e in bundle.get("entry", ())} & targets
    assert len(asked) > 15
    assert len({reference.partition("/")[0] for reference in found}) > 10
