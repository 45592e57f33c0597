from __future__ import annotations

from hashlib import sha256

import pytest

from openward.fhir.errors import BadRequest
from openward.fhir.search.token import token_hash
from tests.fhir.search.shelf import Shelf

LOINC, LOCAL = "http://loinc.org", "urn:example:lab"


def _observation(id: str, *codings: dict[str, str], status: str = "final", text: str | None = None) -> dict[str, object]:
    code: dict[str, object] = {"coding": list(codings)} if codings else {}
    return {"resourceType": "Observation", "id": id, "status": status, "code": code | ({"text": text} if text else {})}


RESOURCES = [
    _observation("glucose", {"system": LOINC, "code": "2345-7", "display": "Glucose in serum"}),
    _observation("both", {"system": LOINC, "code": "2345-7"}, {"system": LOCAL, "code": "GLU"}, status="amended"),
    _observation("swapped", {"system": LOCAL, "code": "GLU"}, {"system": LOINC, "code": "2345-7"}),
    _observation("local", {"system": LOCAL, "code": "2345-7"}),
    _observation("bare", {"code": "2345-7"}),
    _observation("words", text="Blood sugar by finger stick"),
    _observation("odd", {"system": "urn:a|b", "code": "x|y,z$\\"}, status="entered-in-error"),
    {"resourceType": "Patient", "id": "ada", "active": True, "gender": "female", "deceasedDateTime": "2024-01-01",
     "identifier": [{"system": "urn:mrn", "value": "OW-1", "type": {"coding": [{"system": "urn:v2", "code": "MR"}]}}, {"value": "loose"}],
     "telecom": [{"system": "phone", "value": "(555) 010-4477", "use": "home"}, {"system": "email", "value": "Ada@Example.org"}],
     "meta": {"tag": [{"system": "urn:t", "code": "vip"}], "security": [{"system": "urn:s", "code": "R"}], "profile": ["http://p/one|2"]}},
    {"resourceType": "Patient", "id": "ben", "active": False, "gender": "male", "deceasedBoolean": False, "identifier": [{"system": "urn:mrn", "value": "OW-2"}]},
    {"resourceType": "Patient", "id": "cy", "managingOrganization": {"identifier": {"system": "urn:o", "value": "a|b"}}},
]  # fmt: skip

CASES = {
    f"Observation?code={LOINC}|2345-7": {"glucose", "both", "swapped"},
    "Observation?code=2345-7": {"glucose", "both", "swapped", "local", "bare"},
    "Observation?code=|2345-7": {"bare"},
    f"Observation?code={LOCAL}|": {"both", "swapped", "local"},
    f"Observation?code={LOCAL}|GLU,{LOINC}|nothing": {"both", "swapped"},
    f"Observation?code={LOINC}|2345-7&code={LOCAL}|GLU": {"both", "swapped"},
    r"Observation?code=urn:a\|b|x\|y\,z\$\\": {"odd"},
    r"Observation?code=x\|y\,z\$\\": {"odd"},
    r"Observation?code=x|y\,z\$\\": set(),
    r"Observation?code=urn:a\|b|": {"odd"},
    f"Observation?code:not={LOINC}|2345-7": {"local", "bare", "words", "odd"},
    f"Observation?code:not={LOINC}|2345-7,{LOCAL}|2345-7": {"bare", "words", "odd"},
    "Observation?code:text=glucose": {"glucose", "both", "swapped"},
    "Observation?code:text=sugar": {"words"},
    "Observation?code:missing=true": set(),
    "Observation?combo-code=GLU": {"both", "swapped"},
    "Observation?status=amended": {"both"},
    "Observation?status=http://hl7.org/fhir/observation-status|amended": {"both"},
    "Observation?status=http://hl7.org/fhir/other|amended": set(),
    "Observation?status:not=final": {"both", "odd"},
    "Patient?active=true": {"ada"},
    "Patient?active=false": {"ben"},
    "Patient?active:missing=true": {"cy"},
    "Patient?gender=male,female": {"ada", "ben"},
    "Patient?gender:not=male": {"ada", "cy"},
    "Patient?deceased=true": {"ada"},
    "Patient?deceased=false": {"ben", "cy"},
    "Patient?identifier=urn:mrn|OW-1": {"ada"},
    "Patient?identifier=OW-2": {"ben"},
    "Patient?identifier=urn:mrn|": {"ada", "ben"},
    "Patient?identifier=|loose": {"ada"},
    "Patient?identifier:of-type=urn:v2|MR|OW-1": {"ada"},
    "Patient?identifier:of-type=urn:v2|XX|OW-1": set(),
    r"Patient?organization:identifier=urn:o|a\|b": {"cy"},
    "Patient?telecom=5550104477": {"ada"},
    "Patient?phone=555-010-4477": {"ada"},
    "Patient?email=ada@example.org": {"ada"},
    "Patient?telecom=home|555 010 4477": {"ada"},
    "Patient?_id=ada,cy": {"ada", "cy"},
    "Patient?_tag=urn:t|vip": {"ada"},
    "Patient?_security=R": {"ada"},
    "Patient?_profile=http://p/one": {"ada"},
    "Patient?_profile=http://p/one|2": {"ada"},
}


@pytest.mark.parametrize(("query", "expected"), CASES.items(), ids=CASES.keys())
def test_a_token_matches_by_system_code_and_modifier(full_shelf: Shelf, query: str, expected: set[str]) -> None:
    assert set(full_shelf.ids(query)) == expected


@pytest.mark.parametrize("modifier", ["exact", "contains", "identifier", "iterate"])
def test_a_modifier_that_is_not_supported_is_refused(full_shelf: Shelf, modifier: str) -> None:
    with pytest.raises(BadRequest, match=f"code: the modifier :{modifier} is not supported"):
        full_shelf.search(f"Observation?code:{modifier}=x")


def test_a_system_reaches_codes_the_dictionary_learned_later(shelf: Shelf) -> None:
    shelf.put(_observation("first", {"system": LOCAL, "code": "A"}))
    shelf.put(_observation("second", {"system": LOCAL, "code": "B"}))
    assert set(shelf.ids(f"Observation?code={LOCAL}|")) == {"first", "second"}


def test_the_policy_can_ask_for_the_hash_of_a_code_by_its_system(shelf: Shelf) -> None:
    shelf.put(_observation("a"))
    assert token_hash("status", "http://hl7.org/fhir/observation-status", "final") in shelf.rows["Observation", "a"].tok


def test_a_code_is_found_by_every_name_it_has_been_given(shelf: Shelf) -> None:
    shelf.put(_observation("first", {"system": LOCAL, "code": "A", "display": "Alpha"}))
    shelf.put(_observation("second", {"system": LOCAL, "code": "A", "display": "Erster Größenwert"}))
    assert set(shelf.ids("Observation?code:text=erster")) == {"first", "second"}
    assert set(shelf.ids("Observation?code:text=Größenwert")) == {"first", "second"}
    assert set(shelf.ids("Observation?code:text=GROSSENWERT")) == {"first", "second"}
    shelf.put(_observation("third", text="Ærøskøbing, café"))
    assert (
        shelf.ids("Observation?code:text=cafe")
        == shelf.ids("Observation?code:text=CAFÉ")
        == shelf.ids("Observation?code:text=aeroskobing")
        == ["third"]
    )
    assert set(shelf.ids("Observation?code:text=alp")) == {"first", "second"}


def test_what_is_longer_than_an_index_holds_is_written_and_found(shelf: Shelf) -> None:
    """Codes, systems, units, names, numbers: letters no packing makes shorter."""
    long = "".join(sha256(str(number).encode()).hexdigest() for number in range(60))
    quantity = {"value": 1, "system": "urn:u", "code": long, "unit": long}
    shelf.put(_observation("code", {"system": "urn:x", "code": long}) | {"valueQuantity": quantity})
    shelf.put(_observation("system", {"system": f"urn:{long}", "code": "a"}))
    person = {"name": [{"family": long}], "identifier": [{"system": "urn:mrn", "value": long}], "meta": {"tag": [{"code": long}]}}
    shelf.put({"resourceType": "Patient", "id": "p", **person, "telecom": [{"system": "phone", "value": "5" * 9000}]})
    for query in (f"code={long}", f"code=urn:x|{long}", f"value-quantity=1|urn:u|{long}"):
        assert shelf.ids(f"Observation?{query}") == ["code"]
    for query in ("code=a", f"code=urn:{long}|a", f"code=urn:{long}|", f"code:not={long}"):
        assert shelf.ids(f"Observation?{query}") == ["system"]
    letters = "".join(chr(0x4E00 + number * 7919 % 20000) for number in range(1000))
    shelf.put({"resourceType": "ValueSet", "id": "v", "status": "draft", "url": f"http://x.org/{letters}"})
    assert shelf.ids(f"ValueSet?url=http://x.org/{letters}") == shelf.ids("ValueSet?url:below=http://x.org") == ["v"]
    for query in (f"family={long}", f"identifier=urn:mrn|{long}", f"_tag={long}"):
        assert shelf.ids(f"Patient?{query}") == ["p"]


def test_of_a_string_case_does_not_count(shelf: Shelf) -> None:
    """search.html#token: if the underlying data type is string then the search is not case sensitive."""
    shelf.put({"resourceType": "Medication", "id": "m", "batch": {"lotNumber": "Lot-A7"}})
    assert shelf.ids("Medication?lot-number=LOT-a7") == shelf.ids("Medication?lot-number=Lot-A7") == ["m"]
    assert shelf.ids("Medication?lot-number:not=lot-a7") == []
    assert shelf.ids("Medication?lot-number=lot") == []


def test_a_mime_type_is_found_with_its_parameters(shelf: Shelf) -> None:
    """search.html#mimetype"""
    for id, kind in {"plain": "text/plain", "bare": "text/xml", "full": "text/xml; charset=UTF-8", "other": "text/xmlx"}.items():
        attachment = {"contentType": kind, "title": "x"}
        shelf.put({"resourceType": "DocumentReference", "id": id, "status": "current", "content": [{"attachment": attachment}]})
    assert set(shelf.ids("DocumentReference?contenttype:below=text/xml")) == {"bare", "full"}
    assert shelf.ids("DocumentReference?contenttype=text/xml") == ["bare"]
    with pytest.raises(BadRequest):
        shelf.search("DocumentReference?status:below=current")


def test_an_identifier_is_found_by_the_text_of_its_kind(shelf: Shelf) -> None:
    shelf.put({"resourceType": "Patient", "id": "p", "identifier": [{"value": "1", "type": {"text": "Library card"}}]})
    assert shelf.ids("Patient?identifier:text=card") == ["p"]
    assert shelf.ids("Patient?identifier:text=1") == []


def test_a_hash_that_two_texts_share_is_seen_through(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every code hashes alike here; what is sent is what really has the code."""
    from openward.fhir.search import token

    shelf.put(_observation("mine", {"system": LOCAL, "code": "A"}))
    same = shelf.rows["Observation", "mine"].tok
    asked: list[object] = []

    def alike(*said: object) -> int:
        asked.append(said)
        return same[0]

    monkeypatch.setattr(token, "token_hash", alike)
    assert shelf.ids("Observation?status=amended") == []
    assert ("status", None, "amended") in asked
    assert shelf.ids("Observation?status=amended,final") == ["mine"]
