"""Who is old enough for a sign-in of their own. A child's would be the parent's in truth, and on the birthday from which a young person may keep
things to themselves it would show the parent all of them."""

from __future__ import annotations

from django.utils import timezone

from openward.access.known import rows
from openward.access.proxies import PERSON, age, rule
from openward.fhir.definitions import type_number
from openward.fhir.errors import Refused
from openward.fhir.ids import key


class TooYoung(Refused):
    """A child of this age has no sign-in of their own. Invite who looks after them, and let them look after the record."""


class InPersonOnly(Refused):
    """Print a letter and give it to the young person themselves: a message may reach whoever looks after them."""


def check(*, tenant: int, reference: str, in_person: bool) -> None:
    """For the patient `reference` (`Patient/<id>`), whose birth date may be unknown. Raises TooYoung and InPersonOnly."""
    patient = key("Patient", reference.split("/", 1)[1])
    found = rows(PERSON, {"tenant": tenant, "rtype": type_number("Patient"), "patient": patient})
    birth, state = found[0] if found else (None, None)
    years, said = age(birth, timezone.localdate()), rule(state)
    if years is None or years >= said["adult_age"]:
        return
    if years < said["from_age"]:
        raise TooYoung
    if not in_person:
        raise InPersonOnly
