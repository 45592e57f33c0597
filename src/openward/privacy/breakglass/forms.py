from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from openward.access.models import Opening
from openward.privacy.breakglass.actions import REASONS


class OpenForm(forms.Form):
    number = forms.CharField(label=_("Medical record number"), max_length=40, help_text=_("As on the wristband or the referral, such as OW-000123"))
    birth_date = forms.DateField(label=_("Birth date"), widget=forms.DateInput(attrs={"type": "date"}))
    reason = forms.ChoiceField(label=_("Why"), choices=list(REASONS.items()), widget=forms.RadioSelect)
    words = forms.CharField(
        label=_("In your own words"),
        max_length=500,
        min_length=10,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The privacy officer reads this."),
    )


class ReviewForm(forms.Form):
    verdict = forms.ChoiceField(label=_("Was it in order?"), choices=Opening.Verdict.choices, widget=forms.RadioSelect)
    finding = forms.CharField(label=_("What you found"), max_length=500, min_length=5, widget=forms.Textarea(attrs={"rows": 3}))
