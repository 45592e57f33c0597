from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from openward.accounts import actions
from openward.accounts.models import User


class SignInForm(forms.Form):
    sign_in = forms.CharField(
        label=_("Sign-in name or e-mail"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "username", "autofocus": True})
    )
    password = forms.CharField(
        label=_("Password"), max_length=200, strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )


class NewPassword(forms.Form):
    """A password typed twice, judged by Django's validators against the person it is for."""

    password = forms.CharField(
        label=_("New password"), max_length=200, strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )
    again = forms.CharField(
        label=_("The same password again"), max_length=200, strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person
        self.fields["password"].help_text = " ".join(str(text) for text in password_validators_help_texts())

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if found.get("password") and found.get("again") and found["password"] != found["again"]:
            self.add_error("again", _("The two passwords are not the same."))
        if found.get("password"):
            try:
                validate_password(found["password"], self.person)
            except ValidationError as weak:
                self.add_error("password", weak)
        return found


class ChangePasswordForm(NewPassword):
    current = forms.CharField(
        label=_("Your password now"), max_length=200, strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )
    field_order = ("current", "password", "again")

    def clean_current(self) -> str:
        """A wrong one counts as at every door: a browser that was left open is no place to guess."""
        current: str = self.cleaned_data["current"]
        try:
            is_right = actions.check_again(self.person, current)
        except actions.Locked:
            is_right = False
        if not is_right:
            raise ValidationError(_("This is not your password."), code="wrong")
        return current


def code_field(label: Any, **more: Any) -> forms.CharField:
    attrs = {"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false", "autofocus": True}
    return forms.CharField(label=label, max_length=40, widget=forms.TextInput(attrs=attrs), **more)


class OneProof(forms.Form):
    """One of several proofs: what was left empty is no error when another was given. A passkey's answer is put there by the browser."""

    credential = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if any(found.values()):
            for name in [name for name in self.errors if not self.data.get(name)]:
                del self.errors[name]
        return {name: found.get(name, "") for name in self.fields}


class CodeForm(OneProof):
    code = code_field(_("Code"), help_text=_("Six digits of the app, or one of your recovery codes."))


class AgainForm(CodeForm):
    password = forms.CharField(
        label=_("Password"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )
    field_order = ("password", "code", "credential")


class AppForm(forms.Form):
    code = code_field(_("The code the app shows"), help_text=_("Six digits. They change every half minute."))


class PasskeyForm(forms.Form):
    name = forms.CharField(
        label=_("Name of the passkey"), max_length=80, required=False, help_text=_("To tell it from others: my phone, key at the front desk.")
    )
    credential = forms.CharField(widget=forms.HiddenInput)


class PinForm(forms.Form):
    pin = forms.CharField(
        label=_("PIN"),
        max_length=12,
        required=False,
        help_text=_("4 to 12 digits. Empty: no PIN."),
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
    )
    is_station = forms.BooleanField(label=_("This is a shared workstation"), required=False)


class ComeBackForm(forms.Form):
    person = forms.UUIDField(widget=forms.HiddenInput)
    pin = forms.CharField(label=_("PIN"), max_length=12, widget=forms.PasswordInput(attrs={"autocomplete": "off", "inputmode": "numeric"}))


class UnlockForm(OneProof):
    secret = forms.CharField(
        label=_("PIN or password"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )


class ForgotForm(forms.Form):
    sign_in = forms.CharField(
        label=_("Sign-in name or e-mail"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "username", "autofocus": True})
    )


class InvitationCodeForm(forms.Form):
    code = forms.CharField(
        label=_("The code of your letter"),
        max_length=20,
        help_text=_("Ten letters and digits, such as 7KQ2M-XW3PD."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false", "autofocus": True}),
    )


class InviteForm(forms.Form):
    """Whom the desk invites, and how it made sure who stands before it."""

    who = forms.ChoiceField(
        label=_("Who gets the letter"),
        choices=[("patient", _("The patient")), ("carer", _("Someone who looks after them"))],
        initial="patient",
        widget=forms.RadioSelect,
    )
    name = forms.CharField(label=_("Name of who looks after them"), max_length=200, required=False)
    birth_date = forms.DateField(label=_("Their birth date"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    proofed_by = forms.ChoiceField(
        label=_("How you made sure who they are"),
        choices=[
            ("photo-id", _("Photo ID")),
            ("known", _("Known to us in person")),
            ("questions", _("Insurance card and questions only they can answer")),
        ],
        widget=forms.RadioSelect,
    )

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if found.get("who") == "carer":
            for name in ("name", "birth_date"):
                if not found.get(name) and name not in self.errors:
                    self.add_error(name, _("This is needed for someone who looks after the patient."))
            if found.get("birth_date") and not dt.date(1890, 1, 1) <= found["birth_date"] <= timezone.localdate():
                self.add_error("birth_date", _("This cannot be a birth date."))
        return found


class InvitationForm(NewPassword):
    """The birth date shows that the person holding the letter is the person it was written to."""

    sign_in = forms.EmailField(
        label=_("Your e-mail address"),
        max_length=150,
        help_text=_("You will sign in with it."),
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )
    birth_month = forms.IntegerField(
        label=_("Month"), min_value=1, max_value=12, widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "bday-month"})
    )
    birth_day = forms.IntegerField(
        label=_("Day"), min_value=1, max_value=31, widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "bday-day"})
    )
    birth_year = forms.IntegerField(
        label=_("Year"), min_value=1890, max_value=2200, widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "bday-year"})
    )
    field_order = ("birth_month", "birth_day", "birth_year", "sign_in", "password", "again")

    def clean(self) -> dict[str, Any]:
        found = super().clean()
        parts = [found.get(name) for name in ("birth_year", "birth_month", "birth_day")]
        if all(parts):
            try:
                found["birth_date"] = dt.date(*parts).isoformat()  # type: ignore[arg-type]
            except ValueError:
                self.add_error("birth_day", _("This date does not exist."))
        return found
