"""What the chart refuses, one class each; the docstring is the sentence."""

from __future__ import annotations

from openward.fhir.errors import Conflict, Invalid, Refused


class NoteIsSigned(Conflict):
    """This note was signed and can no longer be changed. Write an addendum instead."""


class NotSigner(Refused):
    """A note is signed by a clinician in person."""


class DraftChangedElsewhere(Conflict):
    """This draft was changed in another window or by someone else since you opened it."""


class NotYourDraft(Conflict):
    """This draft belongs to someone else. Only its author can change, sign or discard it."""


class EmptyNote(Refused):
    """An empty note cannot be signed. Write something, or discard the draft."""


class ResultIsFinal(Conflict):
    """A final result can only be amended, corrected, or marked as entered in error."""


class ResultChanged(Conflict):
    """This result changed while you read it: the laboratory or a colleague was quicker. It is shown as it is now; nothing was released."""


class ResultOfAnother(Refused):
    """This result is about another patient than the order it answers. Send it with the right patient, or without the order."""


class IllegalTransition(Refused):
    """{concept} cannot go from {before} to {after}."""


class NeedsReason(Refused):
    """The check found something severe. Say why this is right all the same, or choose something else."""


class NeedsAcknowledgement(Refused):
    """The drug check is unavailable: nothing was checked. Say that you know before you prescribe."""


class AlreadyRenewed(Conflict):
    """This prescription was renewed already, and the new one is on the list."""


class WrongFromTheStart(Refused):
    """This prescription was entered in error. Prescribe anew what the patient should take."""


class RecordMerged(Conflict):
    """This record was merged into another one. Open the record that stays: what is written here would be missed there."""


class NotBillable(Refused):
    """{code} is a heading of ICD-10-CM, not a diagnosis that can be recorded for a visit. Choose one of the codes below it."""


class DiagnosesChanged(Conflict):
    """The diagnoses of this visit were changed in another window or by someone else since you opened them. They are shown as they are now."""


class StillAllergic(Refused):
    """Active allergies are recorded. Resolve them before confirming that there are none."""


class Implausible(Invalid):
    """{sign} of {value} {unit} cannot be right: it must be between {low} and {high}."""


class NothingToOrder(Refused):
    """Choose at least one test."""


class NothingToSend(Refused):
    """Write a message first."""


class NoSuchPatient(Refused):
    """No patient has the number {number}."""
