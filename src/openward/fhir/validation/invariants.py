"""The invariants of R4, every one the specification states as FHIRPath. https://hl7.org/fhir/R4/conformance-rules.html#constraints

They are asked of data whose structure is sound. Errors refuse; what the specification calls a warning is advice (`advice`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from openward.fhir.definitions.invariants import Invariant, invariants, own_invariants
from openward.fhir.definitions.structures import structure
from openward.fhir.fhirpath import FhirPathError, compile
from openward.fhir.validation.presence import Ask, ask, needed, needed_keys
from openward.fhir.validation.told import TOLD

Data = dict[str, Any]
IsBroken = Callable[[Data], bool]
Rule = tuple[str, IsBroken]

ELSEWHERE = {
    "ele-1": "an empty element is refused with its structure",
    "dom-2": "with the contained resources, at their place",
    "dom-3": "with the contained resources, at their place",
    "dom-4": "with the contained resources, at their place",
    "ref-1": "with the targets of references",
    "txt-1": "with the format of xhtml",
    "txt-2": "with the format of xhtml",
}
"""Invariants that other parts of validation keep."""

CORRECTED: dict[tuple[str, str], tuple[str, str]] = {
    ("Appointment", "app-4"): (
        "cancelationReason.exists() implies (status = 'noshow' or status = 'cancelled')",
        "the specification's text says `no-show`, its value set `noshow`",
    ),
    ("Bundle.entry", "bdl-8"): (
        "fullUrl.empty() or fullUrl.contains('/_history/').not()",
        "without a fullUrl, which may be left out, the expression is empty and so not true",
    ),
    ("MedicationDispense", "mdd-1"): (
        "whenHandedOver.empty() or whenPrepared.empty() or (whenHandedOver >= whenPrepared).empty() or whenHandedOver >= whenPrepared",
        "a day and an hour of it do not compare, so that sound data would be refused",
    ),
    ("Period", "per-1"): (
        "start.hasValue().not() or end.hasValue().not() or (start <= end).empty() or (start <= end)",
        "a day and an hour of it do not compare, so that sound data would be refused (later releases of FHIR corrected it)",
    ),
    ("Questionnaire.item.enableWhen", "que-7"): (
        "operator = 'exists' implies (answer is boolean)",
        "`Boolean` is a type of FHIRPath, which no element of a resource ever is",
    ),
    ("Range", "rng-2"): (
        "low.empty() or high.empty() or (low <= high).empty() or (low <= high)",
        "amounts whose units do not compare are neither in order nor out of it",
    ),
    ("RiskAssessment.prediction", "ras-2"): (
        "probability.empty() or (probability is decimal implies (probability as decimal) <= 100)",
        "without a probability, which may be left out, the expression is empty and so not true",
    ),
    ("Task", "inv-1"): (
        "lastModified.empty() or authoredOn.empty() or (lastModified >= authoredOn).empty() or lastModified >= authoredOn",
        "a day and an hour of it do not compare, so that sound data would be refused",
    ),
}
"""What the specification states wrongly: (type, key) → what is asked instead, and why. `docs/conformance.md` repeats it."""

SENTENCES = {
    "ait-1": "an allergy needs clinicalStatus",
    "ait-2": "an allergy entered in error has no clinicalStatus",
    "app-1": "a participant needs a type or an actor",
    "app-2": "start and end come together",
    "app-3": "only proposed, waitlisted or cancelled appointments may lack their time",
    "app-4": "only cancelled appointments and no-shows have a cancelationReason",
    "att-1": "data needs its contentType",
    "bdl-1": "total stands only in a searchset or history",
    "bdl-5": "an entry needs a resource, a request or a response",
    "cmp-1": "a section needs text, entries or sections",
    "cmp-2": "emptyReason excludes entries",
    "con-4": "an abated condition is not active",
    "con-5": "a condition entered in error has no clinicalStatus",
    "cpt-2": "a value needs its system",
    "ext-1": "an extension has either a value or extensions of its own",
    "lst-1": "emptyReason excludes entries",
    "obs-6": "dataAbsentReason excludes a value",
    "org-1": "an organization needs a name or an identifier",
    "pat-1": "a contact needs a name, telecom, address or organization",
    "per-1": "the period ends before it starts",
    "qty-3": "a unit's code needs its system",
}
"""Shorter words than the specification's for the rules people break most."""

CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
CONDITION_VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
ALLERGY_VERIFICATION = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
ABATED = frozenset({"inactive", "resolved", "remission"})
IN_ERROR = frozenset({"entered-in-error"})


def _has(concept: Data | None, system: str, codes: frozenset[str]) -> bool:
    return concept is not None and any(c.get("system") == system and c.get("code") in codes for c in concept.get("coding", ()))


def _is_abated_but_active(condition: Data) -> bool:
    return any(key.lstrip("_").startswith("abatement") for key in condition) and not _has(condition.get("clinicalStatus"), CLINICAL, ABATED)


def _is_backwards(period: Data) -> bool:
    """Ends written alike compare as text; else FHIRPath decides."""
    start, end = period.get("start"), period.get("end")
    if start is None or end is None:
        return False
    if len(start) == len(end) and start[19:] == end[19:]:
        return bool(start > end)
    return not SLOW_PERIOD.holds(period, type="Period")


SLOW_PERIOD = compile(CORRECTED["Period", "per-1"][0])

BY_HAND: dict[tuple[str, str], IsBroken] = {
    ("AllergyIntolerance", "ait-1"): lambda a: "clinicalStatus" not in a and not _has(a.get("verificationStatus"), ALLERGY_VERIFICATION, IN_ERROR),
    ("AllergyIntolerance", "ait-2"): lambda a: "clinicalStatus" in a and _has(a.get("verificationStatus"), ALLERGY_VERIFICATION, IN_ERROR),
    ("Condition", "con-4"): _is_abated_but_active,
    ("Condition", "con-5"): lambda c: "clinicalStatus" in c and _has(c.get("verificationStatus"), CONDITION_VERIFICATION, IN_ERROR),
    ("Organization", "org-1"): lambda o: "identifier" not in o and "name" not in o and "_name" not in o,
    ("Period", "per-1"): _is_backwards,
}
"""Rules every other resource meets, in Python; a test holds each to its FHIRPath."""


def rules(type: str) -> tuple[Rule, ...]:
    """The sentence and the test (true when broken) of every invariant of a type whose breach refuses."""
    stated = tuple((_sentence(one), _is_broken(type, one)) for one in _stated(type) if one.is_error)
    return stated + tuple((one.sentence, one.is_broken) for one in TOLD.get(type, ()) if one.is_error)


def guarded_rules(type: str) -> tuple[tuple[tuple[tuple[str, ...], ...], IsBroken], ...]:
    """As `rules`, each with the elements it speaks of: where of any of these groups of JSON keys none is there, the rule holds."""
    stated = tuple((_needs(type, one), _is_broken(type, one)) for one in _stated(type) if one.is_error)
    return stated + tuple((tuple((key,) for key in one.keys), one.is_broken) for one in TOLD.get(type, ()) if one.is_error)


def _needs(type: str, one: Invariant) -> tuple[tuple[str, ...], ...]:
    return needed_keys(compile(expression(type, one)).tree, type)


def advice(type: str) -> tuple[Rule, ...]:
    """As `rules`, of what the specification only warns of."""
    known = structure(type).elements
    # cid-0 speaks of a name, which ChargeItemDefinition does not have.
    stated = tuple((_sentence(one), _is_broken(type, one)) for one in _stated(type) if not one.is_error and (one.key != "cid-0" or "name" in known))
    return stated + tuple((one.sentence, one.is_broken) for one in TOLD.get(type, ()) if not one.is_error)


def _stated(type: str) -> list[Invariant]:
    """Those of the type and its ancestors, and those of its backbone children that look at the whole resource."""
    found = [one for one in invariants(type) if not _is_elsewhere(one) and not ("." in type and "%resource" in one.expression)]
    for name in structure(type).elements:
        nested = f"{type}.{name}"
        found += [_lifted(one, name) for one in own_invariants(nested) if "%resource" in one.expression]
    return found


def _is_elsewhere(one: Invariant) -> bool:
    return one.key in ELSEWHERE or (one.key == "ext-1" and one.element is not None)


def _lifted(one: Invariant, element: str) -> Invariant:
    return Invariant(one.key, one.is_error, one.sentence, one.expression, element)


def expression(type: str, one: Invariant) -> str:
    """What is asked of an object of the type."""
    said = CORRECTED.get((type, one.key), (one.expression, ""))[0]
    return f"{one.element}.all({said})" if one.element else said


def _sentence(one: Invariant) -> str:
    return f"{SENTENCES.get(one.key) or one.sentence.rstrip('.')} ({one.key})"


def _is_broken(type: str, one: Invariant) -> IsBroken:
    by_hand = next((BY_HAND[name, one.key] for name in (type, structure(type).base or "") if (name, one.key) in BY_HAND), None)
    return by_hand or _compiled(type, expression(type, one))


def _compiled(type: str, said: str) -> IsBroken:
    tree = compile(said).tree
    holds, there = ask(tree, type), needed(tree, type)
    if len(there) == 1:
        only = there[0]
        return lambda data: only(data) and not _holds(holds, data)
    if there:
        return lambda data: all(one(data) for one in there) and not _holds(holds, data)
    return lambda data: not _holds(holds, data)


def _holds(holds: Ask, data: Data) -> bool:
    """A rule that cannot be evaluated does not hold."""
    try:
        return holds(data) is True
    except FhirPathError:
        return False
