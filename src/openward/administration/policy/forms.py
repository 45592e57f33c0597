from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from openward.access.labels import LABELS, RELABEL
from openward.access.roles import REACHES, ROLES

BASES = [(key, role.title) for key, role in ROLES.items() if key != "patient"]


class UntilForm(forms.Form):
    until = forms.DateField(label=_("Until"), required=False, widget=forms.DateInput(attrs={"type": "date"}), help_text=_("Empty: no end."))

    def clean_until(self) -> dt.date | None:
        until: dt.date | None = self.cleaned_data["until"]
        if until is not None and until < timezone.localdate():
            raise forms.ValidationError(_("That day is over."))
        return until


class RoleForm(forms.Form):
    """A part of the shipped role `based_on`."""

    title = forms.CharField(label=_("Name of the role"), max_length=80)
    sentence = forms.CharField(label=_("What the person does, in one sentence"), max_length=300)
    reach = forms.ChoiceField(label=_("Whose records"), choices=[(key, words) for key, words in REACHES.items()], widget=forms.RadioSelect)
    permissions = forms.MultipleChoiceField(label=_("Pages and acts"), required=False, widget=forms.CheckboxSelectMultiple)
    cleared = forms.MultipleChoiceField(label=_("Sensitive data"), required=False, widget=forms.CheckboxSelectMultiple)
    left_out = forms.MultipleChoiceField(label=_("Parts of the record to leave out"), required=False, widget=forms.CheckboxSelectMultiple)
    reads_only = forms.BooleanField(label=_("Only reads, writes nothing"), required=False)

    def __init__(self, *args: Any, based_on: str, **more: Any) -> None:
        super().__init__(*args, **more)
        base = ROLES[based_on]
        self.fields["permissions"].choices = [(one.value, one.value.replace("-", " ")) for one in sorted(base.permissions)]  # type: ignore[attr-defined]
        self.fields["cleared"].choices = [(key, LABELS[key].title) for key in sorted(base.cleared | base.cleared_in_care)]  # type: ignore[attr-defined]
        self.fields["left_out"].choices = [(type, type) for type in sorted(base.grants)]  # type: ignore[attr-defined]


class AssignForm(UntilForm):
    sign_in = forms.CharField(label=_("Whom"), max_length=150, help_text=_("Their sign-in name or e-mail."))
    facility = forms.ChoiceField(label=_("At"), required=False)

    def __init__(self, *args: Any, places: list[tuple[str, str]], **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["facility"].choices = [("", _("Wherever they work")), *places]  # type: ignore[attr-defined]


class ClearanceForm(UntilForm):
    actor = forms.CharField(label=_("Whom"), max_length=150, help_text=_("A sign-in name, or client: and the name of a program."))
    label = forms.ChoiceField(
        label=_("For"), choices=[*((key, label.title) for key, label in LABELS.items()), (RELABEL, _("Changing sensitivity labels"))]
    )
    reason = forms.CharField(label=_("Why"), min_length=5, max_length=300)
