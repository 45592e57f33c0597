"""What scopes mean, in words a patient understands. https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later

from openward.access.roles import ROLES
from openward.access.scopes import Scope, Scopes

WORDS: dict[str, Promise] = {
    "Patient": later("name, birth date and contact details"),
    "Observation": later("test results, vital signs and other measurements"),
    "Condition": later("health problems and diagnoses"),
    "AllergyIntolerance": later("allergies"),
    "MedicationRequest": later("prescriptions"),
    "MedicationStatement": later("medications taken"),
    "MedicationDispense": later("medications handed out"),
    "Medication": later("names of medications"),
    "Immunization": later("vaccinations"),
    "Procedure": later("procedures"),
    "DiagnosticReport": later("reports of tests and pictures"),
    "DocumentReference": later("documents and notes"),
    "Composition": later("visit notes"),
    "Binary": later("the contents of documents"),
    "Encounter": later("visits"),
    "Appointment": later("appointments"),
    "CarePlan": later("care plans"),
    "CareTeam": later("the care team"),
    "Goal": later("health goals"),
    "Coverage": later("insurance"),
    "ExplanationOfBenefit": later("insurance claims and what was paid"),
    "Invoice": later("bills"),
    "PaymentNotice": later("payments"),
    "Communication": later("messages with the practice"),
    "ServiceRequest": later("orders"),
    "Task": later("tasks"),
    "Specimen": later("samples taken"),
    "QuestionnaireResponse": later("questionnaires filled in"),
    "Consent": later("what was agreed to"),
    "HealthcareService": later("what the practice offers"),
    "List": later("reviewed lists of allergies and medications"),
    "Device": later("devices"),
    "RelatedPerson": later("relatives and contacts"),
    "Practitioner": later("names of clinicians"),
    "PractitionerRole": later("where clinicians work"),
    "Organization": later("names of practices and insurers"),
    "Location": later("places"),
    "Provenance": later("who wrote what in the record"),
}
SUBSETS: dict[str, Promise] = {
    "laboratory": later("laboratory results"),
    "vital-signs": later("vital signs"),
    "social-history": later("smoking, work and other social history"),
    "survey": later("answers to questionnaires"),
    "problem-list-item": later("the problem list"),
    "encounter-diagnosis": later("diagnoses of visits"),
    "health-concern": later("health concerns"),
    "clinical-note": later("clinical notes"),
}
MEASURED: dict[str, Promise] = {
    **SUBSETS,
    "sdoh": later("living conditions, such as housing, food and transport"),
    "clinical-test": later("tests such as an electrocardiogram or of the eyes"),
    "imaging": later("what was measured on pictures"),
    "exam": later("what was found at examinations"),
    "procedure": later("what was measured during procedures"),
    "therapy": later("what was seen of therapies"),
    "activity": later("exercise and other activity"),
}
# What a patient is offered in place of all of a type. Those of 45 CFR 170.315(g)(10), as its certification companion guide asks for them, and what else
# HL7 has of categories, so that leaving one kind out does not leave out what nobody was asked about.
CATEGORIES: Mapping[str, Sequence[str]] = {
    "Condition": (
        "http://terminology.hl7.org/CodeSystem/condition-category|problem-list-item",
        "http://terminology.hl7.org/CodeSystem/condition-category|encounter-diagnosis",
        "http://hl7.org/fhir/us/core/CodeSystem/condition-category|health-concern",
    ),
    "Observation": (
        *(f"http://terminology.hl7.org/CodeSystem/observation-category|{code}" for code in ("laboratory", "vital-signs", "social-history", "survey")),
        "http://hl7.org/fhir/us/core/CodeSystem/us-core-category|sdoh",
        "http://hl7.org/fhir/us/core/CodeSystem/us-core-observation-category|clinical-test",
        *(f"http://terminology.hl7.org/CodeSystem/observation-category|{code}" for code in ("imaging", "exam", "procedure", "therapy", "activity")),
    ),
}


@dataclass(frozen=True, slots=True)
class Offer:
    """One line of the consent page: the scope it stands for, and the words."""

    scope: str
    words: str


def offers(asked: Scopes, role: str) -> list[Offer]:
    """What can be agreed to one by one. A patient may take apart what is wide: of a wildcard each kind of data they can see, of a type its categories.

    What is asked for twice is one line: who takes it out has taken it out.
    """
    texts = [text for scope in asked.resources for text in _parts(scope, role)]
    return [Offer(text, sentence(Scopes.parse(text, ("patient", "user")).resources[0])) for text in dict.fromkeys(texts)]


def is_by_kind(asked: Scopes, role: str) -> bool:
    """Whether some of it is offered by its categories, which do not hold all there may be of the type."""
    return any("?" in part for scope in asked.resources if not scope.filters for part in _parts(scope, role))


def _parts(scope: Scope, role: str) -> list[str]:
    if role != "patient" or scope.filters:
        return [scope.text]
    letters = "".join(letter for letter in "cruds" if letter in scope.letters)
    if scope.type != "*":
        return list(_kinds(scope.type, f"{scope.level}/{scope.type}.{letters}")) if scope.type in CATEGORIES else [scope.text]
    seen = [type for type in WORDS if set(ROLES[role].grants.get(type, "")) & scope.letters]
    return [part for type in seen for part in _kinds(type, f"{scope.level}/{type}.{letters}")]


def _kinds(type: str, text: str) -> Iterator[str]:
    """https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html#finer-grained-resource-constraints-using-search-parameters"""
    yield from (f"{text}?category={token}" for token in CATEGORIES[type]) if type in CATEGORIES else (text,)


def taken(asked: Scopes, role: str, picked: set[str]) -> list[str]:
    """The resource scopes that were agreed to. One all of whose parts were left in stays what it was. Raises ValueError for one not offered."""
    if not picked <= {offer.scope for offer in offers(asked, role)}:
        raise ValueError("a scope that was not offered")
    texts: list[str] = []
    for scope in asked.resources:
        parts = _parts(scope, role)
        texts += [scope.text] if set(parts) <= picked else [part for part in parts if part in picked]
    return list(dict.fromkeys(texts))


def sentence(scope: Scope) -> str:
    """Such as "See and change allergies"."""
    verbs = _verbs(scope.letters)
    whose = "" if scope.level == "patient" else _(" (of every patient you can see)")
    return _("{verbs} {what}{whose}").format(verbs=verbs, what=_what(scope), whose=whose)


def _verbs(letters: frozenset[str]) -> str:
    said = [word for word, wanted in ((_("see"), "rs"), (_("add"), "c"), (_("change"), "u"), (_("delete"), "d")) if letters & frozenset(wanted)]
    text = _(" and ").join([", ".join(said[:-1]), said[-1]] if len(said) > 1 else said)
    return text[:1].upper() + text[1:]


def _what(scope: Scope) -> str:
    if scope.type == "*":
        return _("everything in the record")
    if not scope.filters:
        return str(WORDS.get(scope.type, scope.type))
    values = [value for _name, value in parse_qsl(scope.text.partition("?")[2])]
    codes = [part.rpartition("|")[2] for value in values for part in value.split(",")]
    known = MEASURED if scope.type == "Observation" else SUBSETS
    if all(code in known for code in codes):
        return ", ".join(str(known[code]) for code in codes)
    return _("{what}, only {codes}").format(what=WORDS.get(scope.type, scope.type), codes=", ".join(codes))


def kept_words(contexts: frozenset[str]) -> str:
    """How long the app keeps what it was given, once the person has gone; nothing when it does not."""
    if "offline_access" in contexts:
        return _("Keep this access while you are away, until you take it back here or the app does not come back for months.")
    if "online_access" in contexts:
        return _("Keep this access until you sign out.")
    return ""
