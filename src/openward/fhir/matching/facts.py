"""What of a Patient tells people apart, normalised."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from openward.fhir.search.person import compact, words
from openward.fhir.search.string import normal
from openward.fhir.search.token import contact

# Numbers a person has one of; two different ones speak against one person.
PERSONAL_SYSTEMS = frozenset({"http://hl7.org/fhir/sid/us-ssn", "urn:oid:2.16.840.1.113883.4.1"})
PERSONAL_TYPES = frozenset({"SS", "SB", "NI", "NNxxx"})
TELEPHONES = frozenset({"phone", "sms", "fax", "pager", None})


@dataclass(frozen=True, slots=True)
class Name:
    """The words of the given names and of the family name, without case and accents."""

    given: tuple[str, ...]
    family: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Street and house, city, and the first five letters of the postal code."""

    line: str
    city: str
    postal: str


@dataclass(frozen=True, slots=True)
class Facts:
    """One patient. `birth`: YYYY-MM-DD as far as known. `numbers`: (system, value); `personal`: those a person has one of."""

    id: str
    names: tuple[Name, ...] = ()
    birth: str = ""
    sex: str = ""
    phones: frozenset[str] = frozenset()
    emails: frozenset[str] = frozenset()
    places: tuple[Place, ...] = ()
    numbers: frozenset[tuple[str, str]] = frozenset()
    personal: frozenset[tuple[str, str]] = frozenset()


def facts(patient: Mapping[str, Any]) -> Facts:
    """What a Patient resource says. Elements that are missing are unknown; nothing here needs the resource to be valid beyond its shape."""
    sex = patient.get("gender") or ""
    identifiers = [one for one in patient.get("identifier", ()) if one.get("value")]
    return Facts(
        id=str(patient.get("id", "")),
        names=tuple(dict.fromkeys(name for name in map(_name, patient.get("name", ())) if name.given or name.family)),
        birth=str(patient.get("birthDate") or "")[:10],
        sex=sex if sex in ("male", "female") else "",
        phones=frozenset(_contacts(patient, TELEPHONES, digits=True)),
        emails=frozenset(_contacts(patient, frozenset({"email"}), digits=False)),
        places=tuple(dict.fromkeys(place for place in map(_place, patient.get("address", ())) if any((place.line, place.city, place.postal)))),
        numbers=frozenset(map(_number, identifiers)),
        personal=frozenset(_number(one) for one in identifiers if _is_personal(one)),
    )


def _name(name: Mapping[str, Any]) -> Name:
    given = [part for part in name.get("given", ()) if part]
    family = name.get("family") or ""
    if not given and not family:
        *first, last = words(normal(name.get("text") or "")) or [""]
        return Name(tuple(first), (last,) if last else ())
    return Name(tuple(words(normal(" ".join(given)))), tuple(words(normal(family))))


def _contacts(patient: Mapping[str, Any], systems: frozenset[str | None], *, digits: bool) -> Iterable[str]:
    for entry in patient.get("telecom", ()):
        value = contact(entry.get("value") or "") if entry.get("system") in systems else ""
        if value and (value.isdigit() and len(value) >= 7 if digits else "@" in value):
            yield value


def _place(address: Mapping[str, Any]) -> Place:
    line = " ".join(part for part in address.get("line", ()) if part) or (address.get("text") or "")
    return Place(normal(line), normal(address.get("city") or ""), compact(address.get("postalCode") or "")[:5])


def _number(identifier: Mapping[str, Any]) -> tuple[str, str]:
    return str(identifier.get("system") or ""), compact(str(identifier["value"]))


def _is_personal(identifier: Mapping[str, Any]) -> bool:
    codes = {coding.get("code") for coding in identifier.get("type", {}).get("coding", ())}
    return identifier.get("system") in PERSONAL_SYSTEMS or bool(codes & PERSONAL_TYPES)
