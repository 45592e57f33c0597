"""What scopes mean, in words a patient understands. https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html"""

from __future__ import annotations

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


@dataclass(frozen=True, slots=True)
class Offer:
    """One line of the consent page: the scope it stands for, and the words."""

    scope: str
    words: str


def offers(asked: Scopes, role: str) -> list[Offer]:
    """What can be agreed to one by one. A patient may take a wildcard apart: one line for each kind of data they can see.

    What is asked for twice is one line: who takes it out has taken it out.
    """
    texts = [text for scope in asked.resources for text in (_apart(scope, role) if scope.type == "*" and role == "patient" else [scope.text])]
    return [Offer(text, sentence(Scopes.parse(text, ("patient", "user")).resources[0])) for text in dict.fromkeys(texts)]


def _apart(scope: Scope, role: str) -> list[str]:
    letters = "".join(letter for letter in "cruds" if letter in scope.letters)
    grants = ROLES[role].grants
    return [f"{scope.level}/{type}.{letters}" for type in WORDS if set(grants.get(type, "")) & scope.letters]


def taken(asked: Scopes, role: str, picked: set[str]) -> list[str]:
    """The resource scopes that were agreed to. A wildcard all of whose parts were left in stays the wildcard it was. Raises ValueError for one not offered."""
    if not picked <= {offer.scope for offer in offers(asked, role)}:
        raise ValueError("a scope that was not offered")
    texts: list[str] = []
    for scope in asked.resources:
        parts = _apart(scope, role) if scope.type == "*" and role == "patient" else [scope.text]
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
    if all(code in SUBSETS for code in codes):
        return ", ".join(str(SUBSETS[code]) for code in codes)
    return _("{what}, only {codes}").format(what=WORDS.get(scope.type, scope.type), codes=", ".join(codes))


def kept_words(contexts: frozenset[str]) -> str:
    """How long the app keeps what it was given, once the person has gone; nothing when it does not."""
    if "offline_access" in contexts:
        return _("Keep this access while you are away, until you take it back here or the app does not come back for months.")
    if "online_access" in contexts:
        return _("Keep this access until you sign out.")
    return ""
