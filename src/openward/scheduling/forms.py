"""The forms of the schedule."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from openward.fhir.resources import Patient
from openward.registration.forms import PatientForm
from openward.scheduling.actions import Cancellation

REASONS: Final = [
    ("pat", _("The patient asked")),
    ("prov", _("The clinician cannot")),
    ("maint", _("The room or equipment is not available")),
    ("other", _("Another reason")),
]


class BookForm(forms.Form):
    """What is asked besides who and when. `submission` makes a second one of the same form harmless."""

    submission = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    start = forms.CharField(widget=forms.HiddenInput)
    room = forms.ChoiceField(label=_("Room"), required=False, help_text=_("Only if it must be a certain one; rooms are usually given at check-in"))
    comment = forms.CharField(
        label=_("Note for the front desk"),
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Not shown to the patient"),
    )

    def __init__(self, *args: Any, rooms: Iterable[tuple[str, str]] = (), **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["room"].choices = [("", _("Any room")), *rooms]  # type: ignore[attr-defined]


class MoveForm(forms.Form):
    start = forms.CharField(widget=forms.HiddenInput)


class CancelForm(forms.Form):
    """Why an appointment is given back."""

    code = forms.ChoiceField(
        label=_("Why"), choices=REASONS, widget=forms.RadioSelect, error_messages={"required": _("Choose why the appointment is cancelled.")}
    )
    text = forms.CharField(label=_("In words"), required=False, max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def clean(self) -> dict[str, Any]:
        entered = super().clean() or self.cleaned_data
        if entered.get("code") == "other" and not entered.get("text", "").strip():
            self.add_error("text", _("Say why the appointment is cancelled."))
        return entered

    def cancellation(self) -> Cancellation:
        words = {key: str(word) for key, word in REASONS}
        code = self.cleaned_data["code"]
        return Cancellation(code, self.cleaned_data["text"].strip() or words[code])


class WalkInForm(forms.Form):
    """Someone at the desk without an appointment."""

    service = forms.ChoiceField(label=_("Service"), error_messages={"required": _("Choose the service.")})
    practitioner = forms.ChoiceField(label=_("Clinician"), required=False)

    def __init__(self, *args: Any, services: Iterable[tuple[str, str]] = (), people: Iterable[tuple[str, str]] = (), **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["service"].choices = [("", _("Choose…")), *services]  # type: ignore[attr-defined]
        self.fields["practitioner"].choices = [("", _("Whoever is free")), *people]  # type: ignore[attr-defined]


class CheckInForm(PatientForm):
    """The details read out at the desk: how to reach the patient, and that the insurance is still right."""

    coverage_confirmed = forms.BooleanField(
        label=_("The insurance below is still right"), required=False, error_messages={"required": _("Ask whether the insurance is still right.")}
    )

    KEPT: Final = (
        "phone",
        "texts",
        "email",
        "line",
        "city",
        "state",
        "postal_code",
        "contact_name",
        "contact_relationship",
        "contact_phone",
        "coverage_confirmed",
    )

    def __init__(self, *args: Any, patient: Patient, has_coverage: bool, **options: Any) -> None:
        shown = PatientForm.shown(patient)
        super().__init__(*args, **{**options, "initial": shown})
        self.kept_as_it_is = {name: value for name, value in shown.items() if name not in self.KEPT}
        for name in [name for name in self.fields if name not in self.KEPT]:
            del self.fields[name]
        self.fields["coverage_confirmed"].required = has_coverage

    @property
    def changes(self) -> list[str]:
        """What was changed, in the words of the labels."""
        return [str(self.fields[name].label) for name in self.changed_data if name != "coverage_confirmed"]

    def apply_changes(self, patient: Patient) -> Patient:
        """Put what changed into the patient, the rest as it was."""
        for part in _parts(self.changed_data):
            part(patient, {**self.kept_as_it_is, **self.cleaned_data})
        return patient


def _parts(changed: list[str]) -> list[Any]:
    from openward.registration.forms import patient as demographics

    wanted = {
        demographics.apply_reach: {"phone", "email", "texts"},
        demographics.apply_address: {"line", "city", "state", "postal_code"},
        demographics.apply_contact: {"contact_name", "contact_relationship", "contact_phone"},
    }
    return [part for part, names in wanted.items() if names & set(changed)]
