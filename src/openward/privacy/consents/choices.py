"""Whom and what a consent may name, as people choose it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openward.access.actor import Actor
from openward.access.directives import CLIENT, USER
from openward.access.labels import LABELS
from openward.access.proxies import of_patient
from openward.accounts.models import ClientToken, User
from openward.fhir.resources import PractitionerRole
from openward.fhir.store import Store

EVERYONE = "everyone"
TPO = "tpo"
PURPOSES: Mapping[str, tuple[tuple[str, ...], Any]] = {
    "purpose:TREAT": (("TREAT",), gettext_lazy("whoever treats")),
    "purpose:HPAYMT": (("HPAYMT",), gettext_lazy("whoever works on payment (billing and insurance)")),
    "purpose:HOPERAT": (("HOPERAT",), gettext_lazy("whoever runs the practice (front desk, managers)")),
    TPO: (("TREAT", "HPAYMT", "HOPERAT"), gettext_lazy("whoever treats, works on payment or runs the practice")),
}
# What would lock out who could let themselves in again: of these a refusal names what it is about.
RUNS_THE_PRACTICE = (EVERYONE, TPO, "purpose:HOPERAT")
SENSITIVE = ("ETH", "PSY", "HIV", "STD", "SEX", "SDV", "PRS", "V")
INFORMATION: Mapping[str, tuple[Any, tuple[str, ...]]] = {
    "problems": (gettext_lazy("problems and diagnoses"), ("Condition",)),
    "medications": (
        gettext_lazy("medications"),
        ("MedicationRequest", "MedicationStatement", "MedicationDispense", "MedicationAdministration"),
    ),
    "allergies": (gettext_lazy("allergies"), ("AllergyIntolerance",)),
    "results": (gettext_lazy("results and vital signs"), ("Observation", "DiagnosticReport", "ImagingStudy", "Specimen")),
    "notes": (gettext_lazy("notes and documents"), ("Composition", "DocumentReference", "Binary", "Media")),
    "procedures": (gettext_lazy("procedures and orders"), ("Procedure", "ServiceRequest", "CarePlan")),
    "visits": (gettext_lazy("visits"), ("Encounter",)),
    "bills": (gettext_lazy("bills and claims"), ("Claim", "ClaimResponse", "ExplanationOfBenefit", "ChargeItem", "Invoice", "Account")),
}
MOST = 500


def capital(words: str) -> str:
    """With a capital, as what begins a sentence or stands in a list."""
    return f"{words}"[:1].upper() + f"{words}"[1:]


capitals = lazy(capital, str)


@dataclass(frozen=True, slots=True)
class Named:
    """One whom a consent names: the value of the choice, and the words for them."""

    value: str
    words: str

    @property
    def reference(self) -> dict[str, Any]:
        """The same as a FHIR Reference with their name."""
        kind, _colon, rest = self.value.partition(":")
        if kind == "client":
            return {"identifier": {"system": CLIENT, "value": rest}, "display": self.words}
        if kind == "user":
            return {"identifier": {"system": USER, "value": rest}, "display": self.words}
        return {"reference": self.value, "display": self.words}


def groups(store: Store, patient: str, *, by: Actor) -> list[tuple[str, list[Named]]]:
    """Whom a consent of this patient may name, in groups with a title. Programs are for staff to name."""
    found = [
        (_("By what they do"), [Named(value, str(words)) for value, (_codes, words) in PURPOSES.items()]),
        (_("People here"), _people(by.tenant)),
        (_("Organizations"), _organizations(store)),
        (_("Who looks after this record"), _proxies(by.tenant, patient)),
    ]
    if by.kind == "staff":
        clients = ClientToken.objects.filter(tenant=by.tenant, revoked_at__isnull=True).values_list("client", flat=True).distinct().order_by("client")
        found.append((_("Programs"), [Named(f"client:{name}", name) for name in clients[:MOST]]))
    return [(title, named) for title, named in found if named]


def _people(tenant: int) -> list[Named]:
    staff = User.objects.filter(tenant=tenant, is_active=True).exclude(role="patient").order_by("name", "id")[:MOST]
    return [Named(user.reference or f"user:{user.id}", user.name) for user in staff]


def _organizations(store: Store) -> list[Named]:
    """Those that practitioners of this record work for."""
    roles = store.search(PractitionerRole, {"_count": MOST, "_include": "PractitionerRole:organization"})
    return sorted((Named(f"Organization/{one.id}", one.data.get("name") or "") for one in roles.included), key=lambda one: one.words)


def _proxies(tenant: int, patient: str) -> list[Named]:
    grants = [grant for grant in of_patient(tenant, f"Patient/{patient}") if grant.related]
    names = dict(User.objects.filter(id__in=[grant.user_id for grant in grants]).values_list("id", "name"))
    return [Named(grant.related, names.get(grant.user_id, _("Someone"))) for grant in grants]


def label_choices() -> Sequence[tuple[str, str]]:
    return [(label, LABELS[label].title) for label in SENSITIVE]


def type_choices() -> Sequence[tuple[str, Any]]:
    return [(name, capitals(words)) for name, (words, _types) in INFORMATION.items()]
