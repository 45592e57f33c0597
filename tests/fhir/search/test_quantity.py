from __future__ import annotations

import pytest

from openward.fhir.errors import BadRequest
from tests.fhir.search.shelf import Shelf

UCUM = "http://unitsofmeasure.org"


def _observation(id: str, **value: object) -> dict[str, object]:
    return {"resourceType": "Observation", "id": id, "status": "final", "code": {"text": "x"}, **value}


def _quantity(value: float | str, code: str = "mg", **more: object) -> dict[str, object]:
    return {"valueQuantity": {"value": value, "system": UCUM, "code": code, "unit": "milligram", **more}}


RESOURCES = [
    _observation("five", **_quantity(5)),
    _observation("five-four", **_quantity(5.4)),
    _observation("five-five", **_quantity(5.5)),
    _observation("grams", **_quantity(5, "g")),
    _observation("bare", valueQuantity={"value": 5}),
    _observation("below", **_quantity(3, comparator="<")),
    _observation("above", **_quantity(9, comparator=">")),
    _observation("none"),
]

CASES = {
    f"value-quantity=5|{UCUM}|mg": {"five", "five-four"},
    f"value-quantity=5.0|{UCUM}|mg": {"five"},
    "value-quantity=5||mg": {"five", "five-four"},
    "value-quantity=5||milligram": {"five", "five-four", "grams"},
    "value-quantity=5": {"five", "five-four", "grams", "bare"},
    "value-quantity=5.4": {"five-four"},
    f"value-quantity=gt5|{UCUM}|mg": {"five-four", "five-five", "above", "grams"},
    f"value-quantity=ge5|{UCUM}|mg": {"five", "five-four", "five-five", "above", "grams"},
    f"value-quantity=lt5.4|{UCUM}|mg": {"five", "below"},
    f"value-quantity=le5.4|{UCUM}|mg": {"five", "five-four", "below"},
    f"value-quantity=ne5|{UCUM}|mg": {"five-five", "below", "above", "grams"},
    f"value-quantity=sa5|{UCUM}|mg": {"five-four", "five-five", "above", "grams"},
    f"value-quantity=5000|{UCUM}|mg": {"grams"},
    f"value-quantity=0.005|{UCUM}|g": {"five", "five-four"},
    f"value-quantity=5.0e-3|{UCUM}|g": {"five"},
    f"value-quantity=le0.005|{UCUM}|kg": {"five", "five-four", "five-five", "grams", "below", "above"},
    f"value-quantity=gt1|{UCUM}|mL": set(),
    f"value-quantity=gt1|{UCUM}|no-such-unit": set(),
    "value-quantity=5000||mg": set(),
    f"value-quantity=eb5.4|{UCUM}|mg": {"five", "below"},
    f"value-quantity=ap5|{UCUM}|mg": {"five", "five-four", "five-five"},
    "value-quantity=5.4,5.5": {"five-four", "five-five"},
    "value-quantity:missing=true": {"none"},
    "combo-value-quantity=5.4": {"five-four"},
}


@pytest.mark.parametrize(("query", "expected"), CASES.items(), ids=CASES.keys())
def test_a_quantity_matches_by_number_prefix_and_unit_whatever_unit_it_is_kept_in(full_shelf: Shelf, query: str, expected: set[str]) -> None:
    assert set(full_shelf.ids(f"Observation?{query}")) == expected


@pytest.mark.parametrize("value", ["five", "5|mg", "5|a|b|c", "|x|y", "1e9999"])
def test_what_is_no_quantity_is_refused(full_shelf: Shelf, value: str) -> None:
    with pytest.raises(BadRequest, match="value-quantity"):
        full_shelf.search(f"Observation?value-quantity={value}")


def test_numbers_take_prefixes_and_their_precision(shelf: Shelf) -> None:
    for id, probability in (("low", 0.1), ("mid", 0.52), ("high", 0.9)):
        shelf.put({"resourceType": "RiskAssessment", "id": id, "status": "final", "subject": {}, "prediction": [{"probabilityDecimal": probability}]})
    assert set(shelf.ids("RiskAssessment?probability=0.5")) == {"mid"}
    assert set(shelf.ids("RiskAssessment?probability=gt0.5")) == {"mid", "high"}
    assert set(shelf.ids("RiskAssessment?probability=lt0.5")) == {"low"}
    assert set(shelf.ids("RiskAssessment?probability=9e-1")) == {"high"}


def test_money_is_found_with_its_currency(shelf: Shelf) -> None:
    shelf.put({"resourceType": "Invoice", "id": "i", "status": "issued", "totalGross": {"value": 12.5, "currency": "USD"}})
    assert shelf.ids("Invoice?totalgross=12.5|urn:iso:std:iso:4217|USD") == ["i"]
    assert shelf.ids("Invoice?totalgross=12.5|urn:iso:std:iso:4217|EUR") == []
