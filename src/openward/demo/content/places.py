"""The invented hospital: two facilities in two time zones, rooms, and streets that do not exist.

ZIP codes start with 001 to 004, which the postal service has never assigned; telephone numbers are 555-0100 to 555-0199,
which are kept for fiction; the tax number starts with 00; NPIs start with 2, which is reserved.
"""

from __future__ import annotations

from dataclasses import dataclass

ORGANISATION = "Openward Demo Hospital"
TAX_NUMBER = "00-1234567"


@dataclass(frozen=True, slots=True)
class Facility:
    """A clinic of the demo hospital. `zone` is an IANA name; `towns` are (town, ZIP) its patients live in."""

    key: str
    name: str
    zone: str
    street: str
    town: str
    state: str
    zip: str
    area_codes: tuple[str, ...]
    towns: tuple[tuple[str, str], ...]
    rooms: tuple[str, ...]


FACILITIES = (
    Facility(
        "maple",
        "Maple Hollow Clinic (demo)",
        "America/New_York",
        "100 Lantern Way",
        "Maple Hollow",
        "NY",
        "00121",
        ("212", "315", "518", "607", "716", "845", "914"),
        (("Maple Hollow", "00121"), ("Quillbrook", "00124"), ("Fennel Ridge", "00127"), ("East Tamsin", "00131"), ("Oldmill Landing", "00136")),
        ("Room 1", "Room 2", "Room 3", "Room 4", "Room 5", "Room 6", "Procedure Room", "Lab Draw"),
    ),
    Facility(
        "cedar",
        "Cedar Flats Clinic (demo)",
        "America/Los_Angeles",
        "42 Tidewater Loop",
        "Cedar Flats",
        "WA",
        "00342",
        ("206", "253", "360", "425", "509"),
        (("Cedar Flats", "00342"), ("Marrow Bay", "00345"), ("Saltgrass", "00349"), ("Upper Wrenfield", "00353")),
        ("Room A", "Room B", "Room C", "Room D", "Procedure Room"),
    ),
)

STREETS = (
    "Lantern Way",
    "Juniper Bend",
    "Thimble Street",
    "Old Ferry Lane",
    "Copperkettle Road",
    "Winterberry Court",
    "Foxglove Avenue",
    "Larkspur Terrace",
    "Millrace Drive",
    "Pebble Run",
    "Candlewood Circle",
    "Sparrow Hill Road",
    "Bluestem Street",
    "Harrow Lane",
    "Dovetail Place",
    "Saddler's Row",
    "Gooseberry Lane",
    "Tollgate Road",
    "Heron Walk",
    "Marigold Street",
)
