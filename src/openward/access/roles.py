"""Roles as data. Each says in one sentence what the person does and, by resource type, what of the record they may touch.

Grants are letters in the order of SMART v2 scopes: `c` create, `r` read, vread and history of one resource, `u` update, `d` delete, `s` search.
https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
A patient's grants hold within the patient's own compartment only (`policy`), a proxy's within that of the person they look after.
What a role may see of sensitive data, whose records it reaches and what for are data too; a house makes roles of its own beside these (`models.CustomRole`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from openward.access.permissions import Permission as P

if TYPE_CHECKING:
    from openward.access.actor import Actor
    from openward.access.models import CustomRole

Reach = Literal["everyone", "facility", "care-team"]
REACHES: Mapping[str, str] = {
    "everyone": "Every patient of the practice.",
    "facility": "Patients who have been seen or are booked at the person's facility.",
    "care-team": "Patients who have been in this person's own care, or are on their care team.",
}
# Labels (`labels.LABELS`) that whoever treats patients sees, and those for who cares for this very patient only.
TREATING = frozenset({"PSY", "HIV", "STD", "SEX", "SDV", "CEL"})
IN_CARE = frozenset({"ETH", "V", "PRS"})
VIP = frozenset({"CEL"})

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
    """A set of permissions with a name and a sentence; `grants` maps a FHIR type to the interactions allowed on it.

    `cleared` are the sensitivity labels it may see on anyone, `cleared_in_care` those it may see on patients in its own care.
    `purpose` is what it uses records for. https://terminology.hl7.org/ValueSet-v3-PurposeOfUse.html
    """

    key: str
    title: str
    sentence: str
    permissions: frozenset[P]
    grants: Mapping[str, str]
    cleared: frozenset[str] = VIP
    cleared_in_care: frozenset[str] = frozenset()
    reach: Reach = "everyone"
    purpose: str = "HOPERAT"

    def may(self, permission: P) -> bool:
        return permission in self.permissions


def role(
    key: str,
    title: str,
    sentence: str,
    permissions: tuple[P, ...],
    grants: Mapping[str, str],
    *,
    cleared: frozenset[str] = VIP,
    in_care: frozenset[str] = frozenset(),
    purpose: str = "HOPERAT",
) -> Role:
    return Role(key, title, sentence, frozenset(permissions) | {P.REPORT_PROBLEM}, {**DIRECTORY, **grants}, cleared, in_care, purpose=purpose)


CARE = (
    P.FIND_PATIENTS,
    P.SEE_SCHEDULE,
    P.SEE_FLOW,
    P.MOVE_FLOW,
    P.READ_CHART,
    P.RECORD_VITALS,
    P.REVIEW_LISTS,
    P.SEE_INBOX,
    P.SEE_COVERAGE,
    P.BREAK_GLASS,
    P.LAUNCH_APPS,
)
VISIT = {"Patient": "rs", "Appointment": "crus", "Encounter": "crus", "Task": "crus", "Communication": "crus", "Coverage": "rs", "Slot": "rs"}

# What USCDI has beside the lists, results, visits, notes and bills above: a patient's app may read all of it. 45 CFR 170.315(g)(10)(i)(A), 170.213.
USCDI = (
    "CareTeam",
    "Goal",
    "Device",
    "Medication",
    "MedicationStatement",
    "MedicationDispense",
    "RelatedPerson",
    "Specimen",
    "QuestionnaireResponse",
    "Provenance",
)

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
                P.GRANT_PROXIES,
                P.RECORD_CONSENTS,
            ),
            VISIT
            | {"Patient": "crus", "Coverage": "crus", "RelatedPerson": "crus", "Organization": "crs", "AllergyIntolerance": "rs", "List": "rs"}
            | {"Consent": "rs"},
        ),
        role(
            "nurse",
            "Nurse",
            "Rooms patients, takes vital signs, and reviews allergies and medications.",
            CARE,
            grant(CLINICAL, "rs") | VISIT | grant(("Observation", "AllergyIntolerance", "List", "MedicationStatement", "Immunization"), "crus"),
            cleared=TREATING,
            in_care=IN_CARE,
            purpose="TREAT",
        ),
        role(
            "clinician",
            "Clinician",
            "Sees patients: reads and writes the chart, prescribes, orders, signs, and answers results and messages.",
            (
                *CARE,
                P.BOOK,
                P.WRITE_NOTES,
                P.SIGN_NOTES,
                P.MANAGE_PROBLEMS,
                P.PRESCRIBE,
                P.ORDER_LABS,
                P.REVIEW_RESULTS,
                P.ANSWER_MESSAGES,
                P.LABEL_RECORDS,
            ),
            grant(CLINICAL, "crus") | VISIT,
            cleared=TREATING,
            in_care=IN_CARE,
            purpose="TREAT",
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
            cleared=TREATING,
            purpose="HPAYMT",
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
            (P.READ_AUDIT, P.FIND_PATIENTS, P.REVIEW_PRIVACY, P.GRANT_PROXIES, P.LABEL_RECORDS, P.RECORD_CONSENTS),
            {"Patient": "rs", "AuditEvent": "rs", "Provenance": "rs", "Consent": "rs"},
            cleared=TREATING | IN_CARE,
        ),
        role(
            "administrator",
            "Administrator",
            "Sets the clinic up: people, roles, places, services and settings. Sees no patient data.",
            (P.MANAGE_USERS, P.SEE_HEALTH, P.SEE_OUTBOX, P.MANAGE_APPS),
            dict.fromkeys(DIRECTORY, "crus"),
        ),
        role(
            "patient",
            "Patient",
            "Sees their own record, books, writes to the practice, and pays.",
            (P.SEE_OWN_RECORD, P.MESSAGE_PRACTICE, P.PAY_BALANCE, P.BOOK_OWN, P.CONNECT_APPS, P.DECIDE_SHARING),
            {"Patient": "rs", "Consent": "rs", "Appointment": "crus", "Encounter": "rs", "Communication": "crs", "Coverage": "rs", "Task": "c"}
            | grant(
                ("AllergyIntolerance", "Condition", "Observation", "MedicationRequest", "Immunization", "DiagnosticReport", "Procedure", "List"), "rs"
            )
            | grant(
                ("Composition", "DocumentReference", "Binary", "Invoice", "ExplanationOfBenefit", "PaymentNotice", "ServiceRequest", "CarePlan"), "rs"
            )
            | grant(USCDI, "rs"),
            purpose="PATRQT",
        ),
    )
}

PROXY = Role(
    "proxy",
    "Proxy",
    "Looks after someone else's record, as far and as long as they were allowed to.",
    ROLES["patient"].permissions - {P.DECIDE_SHARING},
    {type: letters for type, letters in ROLES["patient"].grants.items() if type != "Consent"},
    purpose="FAMRQT",
)
"""What a person is while they act for someone they care for (`proxies`): nobody's own role, so it is not among ROLES."""


def role_of(actor: Actor) -> Role | None:
    """The role that decides for the actor: the custom one they were given, while it holds, else the shipped one."""
    if actor.role == PROXY.key:
        from openward.access.proxies import role_for

        return role_for(actor)
    if actor.kind == "staff" and actor.user_id is not None:
        from openward.access.known import house

        assigned = house(actor).assigned.get(actor.user_id)
        if assigned is not None:
            return assigned.role if assigned.holds else None
    return ROLES.get(actor.role or "")


def of_row(row: CustomRole) -> Role:
    """A custom role as the policy knows it. What the shipped roles no longer know is left out."""
    known = {permission.value for permission in P}
    permissions = frozenset(P(name) for name in row.permissions if name in known) | {P.REPORT_PROBLEM}
    reach: Reach = row.reach if row.reach in REACHES else "care-team"  # type: ignore[assignment]
    purpose = ROLES[row.based_on].purpose if row.based_on in ROLES else "HOPERAT"
    return Role(
        row.key, row.title, row.sentence, permissions, dict(row.grants), frozenset(row.cleared), frozenset(row.cleared_in_care), reach, purpose
    )
