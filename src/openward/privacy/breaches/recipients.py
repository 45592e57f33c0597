"""To whom the letter about a breach goes: to the person, for a minor to the parent or guardian, for the dead to the next of kin. 45 CFR 164.404(d)(1)

https://www.ecfr.gov/current/title-45/section-164.404
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from openward.access.proxies import age_and_state, rule
from openward.fhir.resources import Patient
from openward.fhir.store import Store
from openward.web.banner import replaced_by
from openward.web.display import spoken_name

KIN = frozenset({"N", "PRN", "GUARD"})
"""Next of kin, parent, guardian: of v2-0131 and of v3-RoleCode."""
TO_LONGEST = 254
MERGED_AT_MOST = 10


@dataclass(frozen=True, slots=True)
class Recipient:
    """`to` is name and address; `called` is how the letter calls them; `person` whom it is about. Without an address `to` is empty and `why_not` says why."""

    person: str
    to: str = ""
    called: str = ""
    why_not: str = ""


def recipients(store: Store, ids: Iterable[str], today: dt.date) -> Mapping[str, Recipient]:
    """By the id each was asked for. A record that was merged is answered for by the one that took its place; what may not be seen is left out."""
    found = _people(store, list(ids))
    return {id: recipient(person, today) for id, person in found.items()}


def recipient(person: Patient, today: dt.date) -> Recipient:
    id, name, home = str(person.id), spoken_name(_name(person)), _address(person.data.get("address", ()), today)
    if person.deceased:
        return _of_the_dead(person, id, name, today)
    if _is_minor(person, today):
        called = _("parent or guardian of {name}").format(name=name)
        kin = _kin(person, today)
        to = f"{kin[0]} ({called}), {kin[1] or home}" if kin else f"{_('Parent or guardian of {name}').format(name=name)}, {home}"
        return Recipient(id, to[:TO_LONGEST], called) if home or (kin and kin[1]) else Recipient(id, why_not=_("No address"))
    return Recipient(id, f"{name}, {home}"[:TO_LONGEST], name) if home else Recipient(id, why_not=_("No address"))


def _of_the_dead(person: Patient, id: str, name: str, today: dt.date) -> Recipient:
    """Only where the address of the next of kin is known: 164.404(d)(1)(ii)."""
    kin = _kin(person, today)
    if kin is None or not kin[1]:
        return Recipient(id, why_not=_("Has died; no address of the next of kin"))
    called = _("next of kin of {name}").format(name=name)
    return Recipient(id, f"{kin[0]} ({called}), {kin[1]}"[:TO_LONGEST], called)


def _people(store: Store, ids: list[str]) -> dict[str, Patient]:
    """Every record, or the one it was merged into, however often."""
    people, now = {}, {id: id for id in ids}
    for _again in range(MERGED_AT_MOST):
        read = {str(one.id): one for one in store.read_many((Patient, id) for id in dict.fromkeys(now.values())) if isinstance(one, Patient)}
        further = {}
        for id, at in now.items():
            if at not in read:
                continue
            people[id] = read[at]
            if (into := replaced_by(read[at])) is not None:
                further[id] = into
        if not further:
            break
        now = further
    return people


def _is_minor(person: Patient, today: dt.date) -> bool:
    years, state = age_and_state(person, today)
    return years is not None and years < rule(state)["adult_age"]


def _kin(person: Patient, today: dt.date) -> tuple[str, str] | None:
    """Name and address of the parent, guardian or next of kin that registration wrote down; the address may be empty."""
    for contact in person.data.get("contact", ()):
        codes = {coding.get("code") for concept in contact.get("relationship", ()) for coding in concept.get("coding", ())}
        if codes & KIN and contact.get("name"):
            return spoken_name(contact["name"]), _address([contact["address"]] if contact.get("address") else (), today)
    return None


def _name(person: Patient) -> Mapping[str, Any] | None:
    names = [name for name in person.data.get("name", ()) if name.get("use") not in ("old", "maiden")] or person.data.get("name", ())
    return next(iter(names), None)


def _address(addresses: Iterable[Mapping[str, Any]], today: dt.date) -> str:
    """`100 Lantern Way, Maple Hollow, NY 00121`; not one they have moved away from, where a stranger would open the letter. Empty for none."""
    for place in addresses:
        ended = str(place.get("period", {}).get("end", ""))
        if place.get("use") == "old" or (ended and ended < today.isoformat()[: len(ended)]):
            continue
        parts = [*place.get("line", ()), place.get("city"), " ".join(part for part in (place.get("state"), place.get("postalCode")) if part)]
        if words := ", ".join(part for part in parts if part) or place.get("text", ""):
            return str(words)
    return ""
