"""Roles as data. Each says in one sentence what the person does and, by resource type, what of the record they may touch.

Grants are letters in the order of SMART v2 scopes: `c` create, `r` read, vread and history of one resource, `u` update, `d` delete, `s` search.
https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
A patient's grants hold within the patient's own compartment only (`policy.OwnCompartment`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from openward.access.permissions import Permission as P

DIRECTORY = dict.fromkeys(
    ("Organization", "Location", "Practitioner", "PractitionerRole", "HealthcareService", "Schedule", "ValueSet", "CodeSystem"), "rs"
)
CLINICAL = ("AllergyIntolerance", "Condition", "Observation", "MedicationRequest", "MedicationStatement", "Immunization", "Procedure", "DiagnosticReport",
            "ServiceRequest", "CarePlan", "CareTeam", "Goal", "DocumentReference", "Composition", "List", "DetectedIssue", "Medication", "Device",
            "FamilyMemberHistory", "ImagingStudy", "Specimen", "Provenance", "Binary", "QuestionnaireResponse", "Questionnaire", "Flag", "Media",
            "MedicationAdministration", "MedicationDispense", "ClinicalImpression", "SupplyDelivery", "RelatedPerson", "Group")  # fmt: skip
FINANCIAL = ("Account", "ChargeItem", "Claim", "ClaimResponse", "ExplanationOfBenefit", "Invoice", "PaymentNotice", "PaymentReconciliation", "Coverage",
             "CoverageEligibilityRequest", "CoverageEligibilityResponse")  # fmt: skip


def grant(types: tuple[str, ...], letters: str) -> dict[str, str]:
    return dict.fromkeys(types, letters)


@dataclass(frozen=True)
class Role:
    """A set of permissions with a name and a sentence; `grants` maps a FHIR type to the interactions allowed on it."""

    key: str
    title: str
    sentence: str
    permissions: frozenset[P]
    grants: Mapping[str, str]

    def may(self, permission: P) -> bool:
        return permission in self.permissions


def role(key: str, title: str, sentence: str, permissions: tuple[P, ...], grants: Mapping[str, str]) -> Role:
    return Role(key, title, sentence, frozenset(permissions) | {P.REPORT_PROBLEM}, {**DIRECTORY, **grants})


CARE = (P.FIND_PATIENTS, P.SEE_SCHEDULE, P.SEE_FLOW, P.MOVE_FLOW, P.READ_CHART, P.RECORD_VITALS, P.REVIEW_LISTS, P.SEE_INBOX, P.SEE_COVERAGE)
VISIT = {"Patient": "rs", "Appointment": "crus", "Encounter": "crus", "Task": "crus", "Communication": "crus", "Coverage": "rs", "Slot": "rs"}

ROLES: dict[str, Role] = {
    entry.key: entry
    for entry in (
        role(
            "front-desk",
            "Front desk",
            "Finds and registers patients, books and checks them in, and keeps their coverage right.",
            (
                P.FIND_PATIENTS,
                P.REGISTER_PATIENTS,
                P.MERGE_PATIENTS,
                P.SEE_COVERAGE,
                P.EDIT_COVERAGE,
                P.SEE_SCHEDULE,
                P.BOOK,
                P.CHECK_IN,
                P.SEE_FLOW,
                P.MOVE_FLOW,
            ),
            VISIT | {"Patient": "crus", "Coverage": "crus", "RelatedPerson": "crus", "Organization": "crs", "AllergyIntolerance": "rs", "List": "rs"},
        ),
        role(
            "nurse",
            "Nurse",
            "Rooms patients, takes vital signs, and reviews allergies and medications.",
            CARE,
            grant(CLINICAL, "rs") | VISIT | grant(("Observation", "AllergyIntolerance", "List", "MedicationStatement", "Immunization"), "crus"),
        ),
        role(
            "clinician",
            "Clinician",
            "Sees patients: reads and writes the chart, prescribes, orders, signs, and answers results and messages.",
            (*CARE, P.BOOK, P.WRITE_NOTES, P.SIGN_NOTES, P.MANAGE_PROBLEMS, P.PRESCRIBE, P.ORDER_LABS, P.REVIEW_RESULTS, P.ANSWER_MESSAGES),
            grant(CLINICAL, "crus") | VISIT,
        ),
        role(
            "biller",
            "Biller",
            "Turns signed visits into clean claims, posts what payers pay, and sends patients statements they understand.",
            (P.FIND_PATIENTS, P.SEE_COVERAGE, P.EDIT_COVERAGE, P.SEE_BILLING, P.MANAGE_CLAIMS, P.POST_REMITTANCES, P.SEND_STATEMENTS),
            grant(FINANCIAL, "crus")
            | {
                "Patient": "rs",
                "Encounter": "rus",
                "Appointment": "rs",
                "Condition": "rs",
                "Procedure": "rs",
                "Task": "crus",
                "Organization": "crus",
                "RelatedPerson": "rs",
            }
            | grant(("Composition", "ServiceRequest", "Immunization", "MedicationRequest", "AllergyIntolerance", "List"), "rs"),
        ),
        role(
            "it-agent",
            "IT agent",
            "Works the service desk: answers tickets and keeps systems healthy. Sees no patient data.",
            (P.WORK_TICKETS, P.SEE_HEALTH),
            {},
        ),
        role(
            "manager",
            "Manager",
            "Watches how the clinic runs: waiting, bookings, money and workload, in numbers.",
            (P.SEE_SCHEDULE, P.SEE_FLOW, P.SEE_DASHBOARD, P.SEE_BILLING, P.SEE_HEALTH),
            {"Appointment": "rs", "Encounter": "rs", "Patient": "rs", "AllergyIntolerance": "rs", "List": "rs"} | grant(FINANCIAL, "rs"),
        ),
        role(
            "privacy-officer",
            "Privacy officer",
            "Sees who opened whose record, and why.",
            (P.READ_AUDIT, P.FIND_PATIENTS),
            {"Patient": "rs", "AuditEvent": "rs", "Provenance": "rs", "Consent": "rs"},
        ),
        role(
            "administrator",
            "Administrator",
            "Sets the clinic up: people, roles, places, services and settings. Sees no patient data.",
            (P.MANAGE_USERS, P.SEE_HEALTH, P.SEE_OUTBOX),
            dict.fromkeys(DIRECTORY, "crus"),
        ),
        role(
            "patient",
            "Patient",
            "Sees their own record, books, writes to the practice, and pays.",
            (P.SEE_OWN_RECORD, P.MESSAGE_PRACTICE, P.PAY_BALANCE, P.BOOK_OWN),
            {"Patient": "rs", "Appointment": "crus", "Encounter": "rs", "Communication": "crs", "Coverage": "rs", "Task": "c"}
            | grant(
                ("AllergyIntolerance", "Condition", "Observation", "MedicationRequest", "Immunization", "DiagnosticReport", "Procedure", "List"), "rs"
            )
            | grant(
                ("Composition", "DocumentReference", "Binary", "Invoice", "ExplanationOfBenefit", "PaymentNotice", "ServiceRequest", "CarePlan"), "rs"
            ),
        ),
    )
}
