from __future__ import annotations

import pytest

from openward.fhir.errors import BadRequest
from tests.fhir.search.shelf import Shelf


def _place(id: str, latitude: float, longitude: float) -> dict[str, object]:
    return {"resourceType": "Location", "id": id, "status": "active", "position": {"latitude": latitude, "longitude": longitude}}


# Boston, Cambridge across the river (about 5 km), New York (about 306 km); and one without a position.
RESOURCES = [_place("boston", 42.3601, -71.0589), _place("cambridge", 42.3736, -71.1097), _place("new-york", 40.7128, -74.0060)]
RESOURCES.append({"resourceType": "Location", "id": "nowhere", "status": "active"})

CASES = {
    "42.36|-71.06|1|km": {"boston"},
    "42.36|-71.06": {"boston", "cambridge"},
    "42.36|-71.06|5000|m": {"boston", "cambridge"},
    "42.36|-71.06|305|km": {"boston", "cambridge"},
    "42.36|-71.06|200|mi": {"boston", "cambridge", "new-york"},
    "42.36|-71.06|200|[mi_i]": {"boston", "cambridge", "new-york"},
    "42.36|-71.06|20000|[ft_i]": {"boston", "cambridge"},
    "42.36|-71.06|1|": {"boston"},
}


@pytest.mark.parametrize(("near", "expected"), CASES.items(), ids=CASES.keys())
def test_near_finds_what_lies_within_the_distance(full_shelf: Shelf, near: str, expected: set[str]) -> None:
    assert set(full_shelf.ids(f"Location?near={near}")) == expected


@pytest.mark.parametrize("near", ["here", "42", "42|x", "42|-71|5|leagues"])
def test_what_is_no_position_is_refused(full_shelf: Shelf, near: str) -> None:
    with pytest.raises(BadRequest, match="near takes latitude"):
        full_shelf.search(f"Location?near={near}")


@pytest.mark.parametrize("near", ["91|0", "0|181", "0|0|-1", "nan|0", "0|0|1e400|km"])
def test_what_is_nowhere_on_earth_is_refused(full_shelf: Shelf, near: str) -> None:
    with pytest.raises(BadRequest, match="near"):
        full_shelf.search(f"Location?near={near}")
