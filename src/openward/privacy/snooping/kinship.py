"""Whether a member of staff is, or may be related to, a patient: by what both say of themselves. No guess is certain; each is for a person to examine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DIGITS = re.compile(r"\D")


@dataclass(frozen=True, slots=True)
class Person:
    """What tells a person from another. `given` is the first name alone; phones are their last ten digits; homes are line and postal code."""

    family: str = ""
    given: str = ""
    birth: str = ""
    mails: frozenset[str] = frozenset()
    phones: frozenset[str] = frozenset()
    homes: frozenset[str] = frozenset()


def person(resource: Mapping[str, Any], *, mails: frozenset[str] = frozenset()) -> Person:
    """Of a Patient or a Practitioner; `mails` are addresses known from elsewhere."""
    names = resource.get("name") or [{}]
    points = resource.get("telecom", ())
    return Person(
        str(names[0].get("family", "")).casefold(),
        str((names[0].get("given") or [""])[0]).casefold(),
        str(resource.get("birthDate", "")),
        mails | {str(one.get("value", "")).casefold() for one in points if one.get("system") == "email" and one.get("value")},
        frozenset(digits for one in points if one.get("system") == "phone" and len(digits := DIGITS.sub("", str(one.get("value", "")))[-10:]) == 10),
        frozenset(home for one in resource.get("address", ()) if (home := _home(one))),
    )


def named(name: str, *, mails: frozenset[str] = frozenset()) -> Person:
    """Of someone of whom only the name is known, as they sign in."""
    given, _, family = name.rpartition(" ")
    return Person(family.casefold(), given.partition(" ")[0].casefold(), mails=mails)


def is_same(one: Person, other: Person) -> bool:
    """The same name and birth date, or the same name and mail address."""
    same_name = bool(one.family) and (one.family, one.given) == (other.family, other.given)
    return same_name and ((bool(one.birth) and one.birth == other.birth) or bool(one.mails & other.mails))


def may_be_family(one: Person, other: Person) -> bool:
    """The same surname or home phone at the same address, or the same surname and phone."""
    same_family = bool(one.family) and one.family == other.family
    same_phone, same_home = bool(one.phones & other.phones), bool(one.homes & other.homes)
    return (same_family and (same_phone or same_home)) or (same_phone and same_home)


def _home(address: Mapping[str, Any]) -> str:
    line = " ".join((address.get("line") or [""])[:1]).casefold().strip()
    return f"{line}|{str(address.get('postalCode', ''))[:5]}" if line and address.get("postalCode") else ""
