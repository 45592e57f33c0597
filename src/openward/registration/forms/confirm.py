"""The details read back to a patient who has come: what the desk asks every time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from openward.fhir.resources import Patient
from openward.registration.forms import patient as demographics
from openward.registration.forms.patient import PatientForm


class ConfirmDetailsForm(PatientForm):
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


def _parts(changed: list[str]) -> list[Callable[[Patient, dict[str, Any]], None]]:
    wanted = {
        demographics.apply_reach: {"phone", "email", "texts"},
        demographics.apply_address: {"line", "city", "state", "postal_code"},
        demographics.apply_contact: {"contact_name", "contact_relationship", "contact_phone"},
    }
    return [part for part, names in wanted.items() if names & set(changed)]
