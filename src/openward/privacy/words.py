"""The trail's own words as people say them: what was done, to what kind of thing, why it was refused."""

from __future__ import annotations

import re

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
CLASS = re.compile(r"[A-Z][A-Za-z]{3,39}")

VERBS = {
    "read": gettext_lazy("opened"),
    "vread": gettext_lazy("opened an earlier version of"),
    "history": gettext_lazy("looked through the versions of"),
    "search": gettext_lazy("looked through"),
    "create": gettext_lazy("wrote"),
    "update": gettext_lazy("changed"),
    "patch": gettext_lazy("changed"),
    "delete": gettext_lazy("deleted"),
    "export": gettext_lazy("exported"),
    "import": gettext_lazy("imported"),
    "print": gettext_lazy("printed"),
    "disclosure": gettext_lazy("gave out from"),
    "sign-in": gettext_lazy("signed in"),
    "sign-out": gettext_lazy("signed out"),
    "ask-reset": gettext_lazy("asked for a new password"),
    "change-password": gettext_lazy("changed their password"),
    "change-pin": gettext_lazy("changed their PIN"),
    "prove-again": gettext_lazy("proved again who they are"),
    "add-factor": gettext_lazy("added a way to sign in"),
    "remove-factor": gettext_lazy("removed a way to sign in"),
    "end-session": gettext_lazy("ended sessions"),
    "lock-screen": gettext_lazy("locked the screen"),
    "unlock-screen": gettext_lazy("unlocked the screen"),
    "switch-record": gettext_lazy("went over to"),
    "invite": gettext_lazy("took up an invitation"),
    "make-user": gettext_lazy("made a sign-in"),
    "end-user": gettext_lazy("ended a sign-in"),
    "restore-user": gettext_lazy("gave a sign-in back"),
    "unlock-user": gettext_lazy("unlocked a sign-in"),
    "change-role": gettext_lazy("changed someone's role"),
    "send-sign-in-link": gettext_lazy("sent a sign-in link"),
    "register-app": gettext_lazy("registered an app"),
    "approve-app": gettext_lazy("approved an app"),
    "end-app": gettext_lazy("ended an app"),
    "new-app-secret": gettext_lazy("made a new secret for an app"),
    "connect-app": gettext_lazy("let an app into"),
    "launch-app": gettext_lazy("opened an app on"),
    "end-app-connection": gettext_lazy("ended an app's connection"),
    "narrow-app-connection": gettext_lazy("let an app see less"),
    "token": gettext_lazy("asked for a token"),
    "introspect": gettext_lazy("asked about a token"),
    "revoke": gettext_lazy("gave a token back"),
    "authorize": gettext_lazy("asked to be let in"),
    "register": gettext_lazy("asked to be registered"),
    "audit-review": gettext_lazy("looked through this trail"),
    "audit-purge": gettext_lazy("removed what was past its retention from this trail"),
    "retention-set": gettext_lazy("set how long this trail is kept"),
    "hold-placed": gettext_lazy("placed a legal hold"),
    "hold-released": gettext_lazy("released a legal hold"),
    "breach-open": gettext_lazy("opened a breach"),
    "breach-letters": gettext_lazy("wrote to the people affected by a breach"),
    "breach-close": gettext_lazy("closed a breach"),
    "look-up-examined": gettext_lazy("examined a flagged look-up of"),
    "grant-proxy": gettext_lazy("let someone look after"),
    "end-proxy": gettext_lazy("ended that someone looks after"),
    "record-consent": gettext_lazy("recorded a consent:"),
    "withdraw-consent": gettext_lazy("withdrew a consent:"),
    "relabel": gettext_lazy("changed the labels of"),
    "break-glass": gettext_lazy("took emergency access to"),
    "break-glass-end": gettext_lazy("ended emergency access to"),
    "break-glass-review": gettext_lazy("reviewed emergency access to"),
    "suspend-accounting": gettext_lazy("withheld disclosures from an accounting"),
    "resume-accounting": gettext_lazy("let an accounting tell everything again"),
    "$everything": gettext_lazy("took the whole record of a patient:"),
    "transaction": gettext_lazy("sent several changes at once"),
    "batch": gettext_lazy("sent several requests at once"),
    "$export": gettext_lazy("asked for a bulk export"),
    "$import": gettext_lazy("asked for a bulk import"),
    "$graphql": gettext_lazy("asked by GraphQL"),
    "$match": gettext_lazy("looked for the same person by"),
    "$merge": gettext_lazy("merged"),
    "$undo-merge": gettext_lazy("took back a merge of"),
    "$lastn": gettext_lazy("looked through the latest"),
    "$docref": gettext_lazy("looked for"),
}
OUTCOMES = {0: "", 4: gettext_lazy("refused"), 8: gettext_lazy("failed"), 12: gettext_lazy("failed badly")}

TYPES = {
    "Patient": gettext_lazy("name and contact details"),
    "Observation": gettext_lazy("results and vital signs"),
    "DiagnosticReport": gettext_lazy("reports"),
    "Condition": gettext_lazy("problems and diagnoses"),
    "AllergyIntolerance": gettext_lazy("allergies"),
    "MedicationRequest": gettext_lazy("prescriptions"),
    "MedicationStatement": gettext_lazy("medications"),
    "MedicationAdministration": gettext_lazy("medications given"),
    "MedicationDispense": gettext_lazy("medications dispensed"),
    "Immunization": gettext_lazy("immunizations"),
    "Procedure": gettext_lazy("procedures"),
    "Encounter": gettext_lazy("visits"),
    "Appointment": gettext_lazy("appointments"),
    "AppointmentResponse": gettext_lazy("answers to appointments"),
    "Schedule": gettext_lazy("schedules"),
    "Slot": gettext_lazy("times to book"),
    "Composition": gettext_lazy("notes"),
    "DocumentReference": gettext_lazy("documents"),
    "Binary": gettext_lazy("files"),
    "Media": gettext_lazy("pictures"),
    "ImagingStudy": gettext_lazy("images"),
    "Communication": gettext_lazy("messages"),
    "Task": gettext_lazy("tasks"),
    "List": gettext_lazy("lists"),
    "Flag": gettext_lazy("warnings"),
    "Goal": gettext_lazy("goals"),
    "CarePlan": gettext_lazy("care plans"),
    "CareTeam": gettext_lazy("care teams"),
    "Device": gettext_lazy("devices"),
    "Specimen": gettext_lazy("samples"),
    "FamilyMemberHistory": gettext_lazy("family history"),
    "QuestionnaireResponse": gettext_lazy("filled-in forms"),
    "Questionnaire": gettext_lazy("forms"),
    "ServiceRequest": gettext_lazy("orders"),
    "Coverage": gettext_lazy("insurance"),
    "Claim": gettext_lazy("claims"),
    "ClaimResponse": gettext_lazy("answers to claims"),
    "ChargeItem": gettext_lazy("charges"),
    "ChargeItemDefinition": gettext_lazy("fees"),
    "Account": gettext_lazy("accounts"),
    "Invoice": gettext_lazy("bills"),
    "ExplanationOfBenefit": gettext_lazy("what insurance paid"),
    "PaymentReconciliation": gettext_lazy("payments of insurers"),
    "PaymentNotice": gettext_lazy("payments"),
    "Consent": gettext_lazy("consents"),
    "Provenance": gettext_lazy("where entries come from"),
    "AuditEvent": gettext_lazy("this trail"),
    "RelatedPerson": gettext_lazy("relatives and carers"),
    "Practitioner": gettext_lazy("staff"),
    "PractitionerRole": gettext_lazy("what staff do"),
    "Organization": gettext_lazy("organizations"),
    "Location": gettext_lazy("places"),
    "HealthcareService": gettext_lazy("services"),
    "Group": gettext_lazy("groups of patients"),
    "Subscription": gettext_lazy("subscriptions"),
    "Basic": gettext_lazy("house entries"),
}

REFUSALS = {
    "NotFound": gettext_lazy("not there, or not theirs to see"),
    "Gone": gettext_lazy("it was deleted before"),
    "Forbidden": gettext_lazy("they may not do this"),
    "Unauthenticated": gettext_lazy("not signed in"),
    "InvalidToken": gettext_lazy("the token is not valid"),
    "Invalid": gettext_lazy("it breaks the rules of its kind"),
    "Refused": gettext_lazy("a rule of the record refuses it"),
    "BadRequest": gettext_lazy("it was asked for wrongly"),
    "Conflict": gettext_lazy("it was changed at the same time"),
    "PreconditionFailed": gettext_lazy("it was changed at the same time"),
    "ChangedMeanwhile": gettext_lazy("it was changed at the same time"),
    "MultipleMatches": gettext_lazy("more than one fits"),
    "SlotTaken": gettext_lazy("the time was booked already"),
    "RoomOccupied": gettext_lazy("the room was occupied"),
    "MovedAlready": gettext_lazy("somebody else had moved them"),
    "AlreadyHere": gettext_lazy("they were checked in already"),
    "IllegalTransition": gettext_lazy("that step does not follow the one before"),
    "NoteIsSigned": gettext_lazy("the note is signed"),
    "NumberTaken": gettext_lazy("the record number belongs to another"),
    "ProbableDuplicate": gettext_lazy("someone very like them is registered already"),
    "LabelsStay": gettext_lazy("labels are not theirs to change"),
    "NeedsReason": gettext_lazy("a severe warning needs a reason"),
    "NeedsAcknowledgement": gettext_lazy("the drug check was unavailable"),
    "Locked": gettext_lazy("sealed values do not open"),
    "Unavailable": gettext_lazy("the record could not be reached"),
    "TooCostly": gettext_lazy("it was too large"),
    "TooSlow": gettext_lazy("it took too long"),
    "Unexpected": gettext_lazy("a fault of the program"),
}

# https://terminology.hl7.org/ValueSet-v3-PurposeOfUse.html
PURPOSES = {
    "TREAT": gettext_lazy("treatment"),
    "ETREAT": gettext_lazy("emergency treatment"),
    "BTG": gettext_lazy("emergency access"),
    "HPAYMT": gettext_lazy("payment"),
    "HOPERAT": gettext_lazy("running the practice"),
    "HSYSADMIN": gettext_lazy("keeping the system"),
    "SYSADMIN": gettext_lazy("keeping the system"),
    "RECORDMGT": gettext_lazy("keeping records"),
    "PATRQT": gettext_lazy("the patient's own wish"),
    "FAMRQT": gettext_lazy("the family's wish"),
    "HRESCH": gettext_lazy("research"),
    "PUBHLTH": gettext_lazy("public health"),
    "HLEGAL": gettext_lazy("law"),
    "SECURITY": gettext_lazy("security"),
}


def purpose_words(purpose: str) -> str:
    """What for; a code without words of its own as it stands."""
    return str(PURPOSES.get(purpose, purpose))


def verb_words(interaction: str) -> str:
    """What was done; of an operation without words of its own its name."""
    if interaction in VERBS:
        return str(VERBS[interaction])
    if interaction.startswith("$"):
        return _("used “{name}” on").format(name=interaction[1:].replace("-", " "))
    return interaction.replace("-", " ")


def type_words(type: str) -> str:
    """A resource type as people call it."""
    return str(TYPES.get(type) or CAPITAL.sub(" ", type).lower())


def detail_words(detail: str | None, outcome: int) -> str:
    """What the trail adds; the name of a refusal as a reason."""
    if not detail or outcome == 0 or not CLASS.fullmatch(detail):
        return detail or ""
    return str(REFUSALS.get(detail) or CAPITAL.sub(" ", detail).lower())
