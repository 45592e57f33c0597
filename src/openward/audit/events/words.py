"""What an interaction of the trail is called in FHIR and in DICOM's audit vocabulary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

REST = frozenset({"read", "vread", "create", "update", "patch", "delete", "history", "search"})
"""Interactions under FHIR's own names."""

ACTIONS: Mapping[str, str] = {"read": "R", "vread": "R", "history": "R", "create": "C", "update": "U", "patch": "U", "delete": "D"}
"""Interaction → https://hl7.org/fhir/R4/valueset-audit-event-action.html; whatever is not here is E, execute."""

DCM = "http://dicom.nema.org/resources/ontology/DCM"
# By how the interaction's name begins. https://dicom.nema.org/medical/dicom/current/output/chtml/part16/sect_CID_400.html
KINDS: Mapping[str, tuple[str, str]] = {
    "sign-": ("110114", "User Authentication"),
    "export": ("110106", "Export"),
    "print": ("110106", "Export"),
    "audit-": ("110101", "Audit Log Used"),
    "break-glass": ("110127", "Emergency Override Started"),
    "make-user": ("110137", "User Security Attributes Changed"),
    "change-": ("110137", "User Security Attributes Changed"),
    "end-user": ("110137", "User Security Attributes Changed"),
    "restore-user": ("110137", "User Security Attributes Changed"),
}


def event_type(interaction: str) -> dict[str, Any]:
    """`type` and `subtype` of an AuditEvent."""
    if interaction in REST:
        rest = {"system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest", "display": "Restful Operation"}
        return {"type": rest, "subtype": [{"system": "http://hl7.org/fhir/restful-interaction", "code": interaction, "display": interaction}]}
    own = {"system": "urn:openward:interaction", "code": interaction}
    kind = next((found for start, found in KINDS.items() if interaction.startswith(start)), None)
    return {"type": {"system": DCM, "code": kind[0], "display": kind[1]} if kind else own, "subtype": [own]}


def interactions_of(actions: frozenset[str]) -> tuple[bool, list[str]]:
    """Which interactions these actions are: (True, those) or, when E is among them, (False, all that they are not)."""
    others = [interaction for interaction, letter in ACTIONS.items() if letter not in actions]
    return (False, others) if "E" in actions else (True, [interaction for interaction, letter in ACTIONS.items() if letter in actions])
