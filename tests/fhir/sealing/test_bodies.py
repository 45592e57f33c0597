"""A resource as it is stored and back: whatever goes in comes out letter by letter."""

from __future__ import annotations

import base64
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openward.fhir.json import dumps, loads
from openward.fhir.sealing.bodies import bytes_in_clear, in_clear, opened_lines, sealed, stored
from openward.fhir.sealing.port import Locked

TRICKY = ["\\/", '"\\/ow1.AAAA"', "/ow1.AAAA", '"', "\\", "\\\\/", " ", "", "🔒", "\u2028", 'a":"\\/b', "MTIz", "MTI=", "MT==", "TQ", "M\nTI="]
texts = st.one_of(st.sampled_from(TRICKY), st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20))
numbers = st.one_of(
    st.integers(-(10**30), 10**30),
    st.sampled_from([Decimal("1.00"), Decimal("1E+2"), Decimal("0.000"), Decimal("-1.50E-7"), Decimal("12345678901234567890.10")]),
)
names = st.sampled_from(
    ["data", "value", "system", "note", "text", "div", "valueString", "url", "type", "contentString", "_value", "x", "origin", "resourceType"]
)
values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(texts, numbers, st.booleans(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(names, inner, max_size=5)),
    max_leaves=25,
)
identifiers = st.fixed_dictionaries({"system": st.sampled_from(["http://hl7.org/fhir/sid/us-ssn", "urn:x"]), "value": texts})
attachments = st.fixed_dictionaries(
    {"contentType": st.just("x/y"), "data": st.one_of(texts, st.binary(max_size=200).map(lambda b: base64.b64encode(b).decode()))}
)
labels = st.lists(
    st.fixed_dictionaries({"system": st.just("http://terminology.hl7.org/CodeSystem/v3-Confidentiality"), "code": st.sampled_from("RVN")}), max_size=2
)
resources = st.builds(
    lambda security, identifier, photo, note, rest: {
        "resourceType": "Patient",
        "id": "a-1.b",
        "meta": {"versionId": "1", "security": security},
        "identifier": identifier,
        "photo": photo,
        "note": note,
        "extension": rest,
    },
    labels,
    st.lists(identifiers, max_size=3),
    st.lists(attachments, max_size=2),
    st.lists(st.fixed_dictionaries({"text": texts}), max_size=2),
    st.lists(values, max_size=3),
)


@given(resources)
def test_what_goes_in_comes_out(resource: dict[str, Any]) -> None:
    text = dumps(resource).decode()
    kept = stored(1, resource, text)
    assert in_clear(kept) == text
    assert bytes_in_clear(kept.encode()) == text.encode()


@given(resources)
def test_what_is_stored_means_the_same_to_every_reader_of_json_but_for_what_is_sealed(resource: dict[str, Any]) -> None:
    kept = loads(stored(1, resource, dumps(resource).decode()))
    assert kept.keys() == resource.keys()
    assert [one["system"] for one in kept["identifier"]] == [one["system"] for one in resource["identifier"]]


@given(resources)
def test_a_number_in_clear_is_not_in_it(resource: dict[str, Any]) -> None:
    resource["identifier"].append({"system": "http://hl7.org/fhir/sid/us-ssn", "value": "987-65-4320"})
    assert "987-65-4320" not in stored(1, resource, dumps(resource).decode())


@given(st.lists(resources, max_size=4))
def test_many_lines_come_out_as_they_went_in(found: list[dict[str, Any]]) -> None:
    lines = [dumps(one).decode() for one in found]
    kept = "\n".join(stored(1, one, line) for one, line in zip(found, lines, strict=True))
    assert opened_lines(kept.encode()) == ("\n".join(lines).encode(), [])


@pytest.mark.parametrize("tampered", [' {"resourceType":"Patient","id":"1","x":"\\/"}', ' {"resourceType":"Patient","id":"1","x":"\\/test.AAAA"}'])
def test_a_value_that_does_not_open_is_said_with_its_resource(tampered: str) -> None:
    with pytest.raises(Locked, match=r"Patient/1 holds sealed values"):
        in_clear(tampered)


def test_of_another_resource_it_does_not_open() -> None:
    kept = sealed(1, '{"resourceType":"Binary","id":"1","data":"MTIz"}')
    with pytest.raises(Locked):
        in_clear(kept.replace('"id":"1"', '"id":"2"'))


def test_what_has_nothing_to_seal_is_the_same_text() -> None:
    resource = {"resourceType": "Patient", "id": "1", "identifier": [{"system": "urn:x", "value": "987-65-4320"}]}
    text = dumps(resource).decode()
    assert stored(1, resource, text) is text


SSN_TYPE = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "SS"}]}
RESTRICTED = {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}]}


@pytest.mark.parametrize(
    "held",
    [
        {"identifier": [{"type": SSN_TYPE, "value": "987-65-4320"}]},
        {"contact": {"identifier": {"system": "urn:oid:2.16.840.1.113883.4.1", "value": "987-65-4320"}}},
        {"meta": RESTRICTED, "note": [{"text": "987-65-4320"}]},
    ],
)
def test_what_a_contained_resource_has_to_seal_is_not_in_clear(held: dict[str, Any]) -> None:
    resource = {"resourceType": "Coverage", "id": "1", "contained": [{"resourceType": "Patient", "id": "p", **held}]}
    assert "987-65-4320" not in stored(1, resource, dumps(resource).decode())


def test_contained_resources_with_nothing_to_seal_leave_the_same_text() -> None:
    resource = {"resourceType": "Coverage", "id": "1", "contained": [{"resourceType": "Patient", "id": "p", "note": [{"text": "987-65-4320"}]}]}
    text = dumps(resource).decode()
    assert stored(1, resource, text) is text
