"""Invariants cheap enough to state in Python, by the type they hold for. https://hl7.org/fhir/R4/conformance-rules.html#constraints

Each row: the sentence (with the specification's key) and a test that is true when the rule is broken, on data whose structure is sound.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Data = dict[str, Any]
Invariant = tuple[str, Callable[[Data], bool]]

HAS_CODE_WITHOUT_SYSTEM: Invariant = ("a unit's code needs its system (qty-3)", lambda q: "code" in q and "system" not in q)
OPEN_STATES = {"proposed", "cancelled", "waitlist"}
ABATED_STATES = {"inactive", "resolved", "remission"}


def _has_value(data: Data) -> bool:
    return any(key.lstrip("_").startswith("value") for key in data)


def _codes(concept: Data | None) -> set[str]:
    return {coding.get("code", "") for coding in (concept or {}).get("coding", ())}


def _is_backwards(period: Data) -> bool:
    """Only where both ends are written alike: `2020` may well start after `2020-01-02` begins."""
    start, end = period.get("start", ""), period.get("end", "")
    return len(start) == len(end) and start[19:] == end[19:] and start > end


def _is_abated_but_active(condition: Data) -> bool:
    states = _codes(condition.get("clinicalStatus"))
    return bool(states) and not states & ABATED_STATES and any(key.startswith("abatement") for key in condition)


def _needs_both_times(appointment: Data) -> bool:
    return ("start" not in appointment or "end" not in appointment) and appointment.get("status") not in OPEN_STATES


INVARIANTS: dict[str, tuple[Invariant, ...]] = {
    "Extension": (("an extension has either a value or extensions of its own (ext-1)", lambda e: ("extension" in e) == _has_value(e)),),
    "Period": (("the period ends before it starts (per-1)", _is_backwards),),
    **dict.fromkeys(("Quantity", "Age", "Count", "Distance", "Duration"), (HAS_CODE_WITHOUT_SYSTEM,)),
    "Attachment": (("data needs its contentType (att-1)", lambda a: "data" in a and "contentType" not in a),),
    "ContactPoint": (("a value needs its system (cpt-2)", lambda c: "value" in c and "system" not in c and "_system" not in c),),
    "Patient.contact": (
        ("a contact needs a name, telecom, address or organization (pat-1)", lambda c: not c.keys() & {"name", "telecom", "address", "organization"}),
    ),
    "Organization": (("an organization needs a name or an identifier (org-1)", lambda o: not o.keys() & {"name", "_name", "identifier"}),),
    "Observation": (("dataAbsentReason excludes a value (obs-6)", lambda o: "dataAbsentReason" in o and _has_value(o)),),
    "Condition": (
        ("an abated condition is not active (con-4)", _is_abated_but_active),
        (
            "a condition entered in error has no clinicalStatus (con-5)",
            lambda c: "clinicalStatus" in c and "entered-in-error" in _codes(c.get("verificationStatus")),
        ),
    ),
    "AllergyIntolerance": (
        (
            "an allergy entered in error has no clinicalStatus (ait-2)",
            lambda a: "clinicalStatus" in a and "entered-in-error" in _codes(a.get("verificationStatus")),
        ),
        (
            "an allergy needs clinicalStatus (ait-1)",
            lambda a: "clinicalStatus" not in a and "entered-in-error" not in _codes(a.get("verificationStatus")),
        ),
    ),
    "Appointment": (
        ("start and end come together (app-2)", lambda a: ("start" in a) != ("end" in a)),
        ("only proposed, waitlisted or cancelled appointments may lack their time (app-3)", _needs_both_times),
        (
            "only cancelled appointments and no-shows have a cancelationReason (app-4)",
            lambda a: "cancelationReason" in a and a.get("status") not in ("cancelled", "noshow"),
        ),
    ),
    "Appointment.participant": (("a participant needs a type or an actor (app-1)", lambda p: not p.keys() & {"type", "actor"}),),
    "Composition.section": (
        ("a section needs text, entries or sections (cmp-1)", lambda s: not s.keys() & {"text", "entry", "section"}),
        ("emptyReason excludes entries (cmp-2)", lambda s: "emptyReason" in s and "entry" in s),
    ),
    "List": (("emptyReason excludes entries (lst-1)", lambda s: "emptyReason" in s and "entry" in s),),
    "Bundle": (("total stands only in a searchset or history (bdl-1)", lambda b: "total" in b and b.get("type") not in ("searchset", "history")),),
    "Bundle.entry": (("an entry needs a resource, a request or a response (bdl-5)", lambda e: not e.keys() & {"resource", "request", "response"}),),
}
