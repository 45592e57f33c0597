"""Special parameters: `near`, distance from a position. https://hl7.org/fhir/R4/location.html#search"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from openward.fhir.definitions import SearchParameter
from openward.fhir.errors import BadRequest
from openward.fhir.search.number import rows
from openward.fhir.search.sql import Bindings, any_of

KILOMETRES: Mapping[str, float] = {"km": 1.0, "m": 0.001, "[mi_us]": 1.609347, "[mi_i]": 1.609344, "mi": 1.609344}
EARTH = 6371.0088  # mean radius, km
DEFAULT_DISTANCE = 20.0  # km; the specification leaves it to the server

# The haversine formula over q.lo (latitude) and q.hi (longitude), in degrees.
WITHIN = (
    "(2 * {earth} * asin(least(1, sqrt(power(sind((q.lo - {lat}) / 2), 2) + cosd({lat}) * cosd(q.lo) * power(sind((q.hi - {lon}) / 2), 2)))) <= {km})"
)


def extract(value: Mapping[str, Any]) -> tuple[float, float] | None:
    """(latitude, longitude) of a Location.position."""
    latitude, longitude = value.get("latitude"), value.get("longitude")
    return (float(latitude), float(longitude)) if latitude is not None and longitude is not None else None


def condition(parameter: SearchParameter, values: Sequence[str], modifier: str | None, bind: Bindings) -> str:
    """`latitude|longitude|distance|units`, any of `values`."""
    return rows(parameter, any_of([_near(value, bind) for value in values]), bind)


def _near(value: str, bind: Bindings) -> str:
    parts = value.split("|")
    try:
        latitude, longitude = float(parts[0]), float(parts[1])
        distance = float(parts[2]) * KILOMETRES[(parts[3:] or ["km"])[0] or "km"] if len(parts) > 2 and parts[2] else DEFAULT_DISTANCE
    except (ValueError, IndexError, KeyError):
        raise BadRequest(f"near takes latitude|longitude|distance|units, with units km, m or mi; got {value!r}.") from None
    places = {"lat": latitude, "lon": longitude, "km": distance, "earth": EARTH}
    return WITHIN.format(**{name: bind.place(number, "::float8") for name, number in places.items()})
