from __future__ import annotations

import datetime as dt

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from openward.access.models import ProxyGrant
from openward.access.proxies import AREAS


class GrantForm(forms.Form):
    sign_in = forms.CharField(label=_("Their portal sign-in"), max_length=150, help_text=_("Check who they are before you give them leave."))
    kind = forms.ChoiceField(label=_("Who they are"), choices=ProxyGrant.Kind.choices, widget=forms.RadioSelect)
    areas = forms.MultipleChoiceField(
        label=_("What they may do"), choices=[(name, words) for name, (words, _types) in AREAS.items()], widget=forms.CheckboxSelectMultiple
    )
    until = forms.DateField(
        label=_("Until"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("A parent's leave ends by itself when the child is of age."),
    )

    def clean_until(self) -> dt.date | None:
        until: dt.date | None = self.cleaned_data["until"]
        if until is not None and until < timezone.localdate():
            raise forms.ValidationError(_("That day is over."))
        return until
