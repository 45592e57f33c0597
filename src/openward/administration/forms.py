from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from openward.access.roles import ROLES

STAFF = [(key, f"{role.title}: {role.sentence}") for key, role in ROLES.items() if key != "patient"]


class PersonForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=200)
    sign_in = forms.CharField(label=_("Sign-in name or e-mail"), max_length=150)
    role = forms.ChoiceField(label=_("Role"), choices=STAFF, widget=forms.RadioSelect)
    reference = forms.RegexField(
        label=_("Their Practitioner record"),
        regex=r"Practitioner/[A-Za-z0-9\-.]{1,64}",
        required=False,
        help_text=_("Practitioner/<id>, for who sees patients."),
    )
    email = forms.EmailField(label=_("E-mail"), max_length=254, required=False, help_text=_("Links and notices about the sign-in go there."))
    password = forms.CharField(
        label=_("First password"),
        max_length=200,
        strip=False,
        required=False,
        help_text=_("Leave it empty: they get a link to choose one themselves."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class RoleForm(forms.Form):
    role = forms.ChoiceField(label=_("Role"), choices=STAFF, widget=forms.RadioSelect)
