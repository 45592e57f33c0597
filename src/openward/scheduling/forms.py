"""The forms of the schedule."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

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
