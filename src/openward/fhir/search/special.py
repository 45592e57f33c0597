"""Special parameters: `near`, distance from a position. https://hl7.org/fhir/R4/location.html#search"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from openward.fhir.definitions import SearchParameter
from openward.fhir.errors import BadRequest
from openward.fhir.search.number import INFINITY, rows
from openward.fhir.search.sql import Bindings, any_of
from openward.fhir.ucum import convert

SPELT: Mapping[str, str] = {"": "km", "mi": "[mi_i]", "miles": "[mi_i]"}  # units that UCUM spells otherwise
ROUNDING = 1e-6  # degrees
EARTH = 6371.0088  # mean radius, km
DEFAULT_DISTANCE = 20.0  # km; the specification leaves it to the server

# The haversine formula over q.lo (latitude) and q.hi (longitude), in degrees; the latitudes it may reach are for the index.
WITHIN = "(q.lo between {south} and {north} and 2 * {earth} * asin(least(1, sqrt(power(sind((q.lo - {lat}) / 2), 2) + cosd({lat}) * cosd(q.lo) * power(sind((q.hi - {lon}) / 2), 2)))) <= {km})"


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
        distance = _kilometres(parts[2], (parts[3:] or [""])[0]) if len(parts) > 2 and parts[2] else DEFAULT_DISTANCE
    except (ValueError, IndexError, ArithmeticError):
        raise BadRequest(f"near takes latitude|longitude|distance|units, with a unit of length such as km, m or [mi_i]; got {value!r}.") from None
    if not (abs(latitude) <= 90 and abs(longitude) <= 180 and 0 <= distance < INFINITY):
        raise BadRequest(f"near: {value!r} is not a place on earth and a distance from it.")
    away = math.degrees(distance / EARTH) + ROUNDING
    places = {"lat": latitude, "lon": longitude, "km": distance, "earth": EARTH, "south": latitude - away, "north": latitude + away}
    return WITHIN.format(**{name: bind.place(number, "::float8") for name, number in places.items()})


def _kilometres(distance: str, unit: str) -> float:
    """Raises ValueError for what is no number or no unit of length."""
    return float(convert(Decimal(distance), SPELT.get(unit, unit), "km"))
