from __future__ import annotations

import json
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from openward.smart.models import App
from openward.smart.registration import Draft


class AppForm(forms.Form):
    """An app as an administrator registers it. What stands in `scope` is all it may ever ask for."""

    name = forms.CharField(label=_("Name"), max_length=100)
    publisher = forms.CharField(label=_("Who makes it"), max_length=100, required=False)
    about = forms.CharField(label=_("What it does, in a sentence for who uses it"), max_length=400, required=False)
    kind = forms.ChoiceField(label=_("How it proves itself"), choices=App.Kind.choices, widget=forms.RadioSelect, initial=App.Kind.PUBLIC)
    redirect_uris = forms.CharField(
        label=_("Addresses it comes back to"),
        max_length=5000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("One on each line, letter for letter. None for a program without people."),
    )
    launch_url = forms.CharField(
        label=_("Address that starts it from here"), max_length=500, required=False, help_text=_("Without one it can only be started outside.")
    )
    scope = forms.CharField(
        label=_("Scopes it may ask for"),
        max_length=6000,
        widget=forms.Textarea(attrs={"rows": 3}),
        initial="openid fhirUser launch launch/patient offline_access patient/*.rs",
        help_text=_("Such as openid fhirUser launch patient/Observation.rs; system/… for a program without people."),
    )
    jwks = forms.CharField(
        label=_("Its public keys (a JWK Set)"), max_length=20_000, required=False, widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"})
    )
    jwks_uri = forms.CharField(label=_("Or the address where its keys are"), max_length=500, required=False)
    for_staff = forms.BooleanField(label=_("Staff may use it"), required=False)
    for_patients = forms.BooleanField(label=_("Patients may use it"), required=False)

    def clean_jwks(self) -> Any:
        text = self.cleaned_data["jwks"].strip()
        if not text:
            return None
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise forms.ValidationError(_("This is no JSON.")) from None

    def draft(self) -> Draft:
        facts = self.cleaned_data
        addresses = [line.strip() for line in facts["redirect_uris"].splitlines() if line.strip()]
        return Draft(**{**facts, "redirect_uris": addresses})


class ApproveForm(forms.Form):
    for_staff = forms.BooleanField(label=_("Staff may use it"), required=False)
    for_patients = forms.BooleanField(label=_("Patients may use it"), required=False)
