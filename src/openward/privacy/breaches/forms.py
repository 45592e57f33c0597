from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from openward.accounts.models import User
from openward.audit.models import AuditEvent
from openward.privacy.forms import midnight

DATE = {"type": "date"}


class BreachForm(forms.Form):
    """What is suspected: whose account and when."""

    title = forms.CharField(label=_("What happened"), max_length=200)
    discovered_on = forms.DateField(label=_("Discovered on"), widget=forms.DateInput(attrs=DATE), help_text=_("The 60 days run from this day"))
    suspect = forms.CharField(
        label=_("Suspect account"),
        max_length=200,
        required=False,
        help_text=_("Their sign-in name, or as the trail writes it, such as user:…; empty for every account"),
    )
    first = forms.DateField(label=_("First day"), widget=forms.DateInput(attrs=DATE))
    last = forms.DateField(label=_("Last day"), widget=forms.DateInput(attrs=DATE))

    def clean_discovered_on(self) -> dt.date:
        day: dt.date = self.cleaned_data["discovered_on"]
        if day > timezone.localdate():
            raise forms.ValidationError(_("This day is still to come."))
        return day

    def __init__(self, *args: Any, tenant: int, **options: Any) -> None:
        super().__init__(*args, **options)
        self.tenant = tenant

    def clean_suspect(self) -> str:
        """The account as the trail writes it: a name with a slip in it would find nobody, and nobody would be told."""
        typed = str(self.cleaned_data["suspect"])
        if not typed or AuditEvent.objects.filter(tenant=self.tenant, actor=typed).exists():
            return typed
        person = User.objects.filter(tenant=self.tenant, sign_in=User.objects.normal(typed)).first()
        if person is None:
            raise forms.ValidationError(_("The trail knows no such account."))
        return f"user:{person.id}"

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if found.get("first") and found.get("last") and found["first"] > found["last"]:
            self.add_error("last", _("The last day is before the first."))
        return found

    def told(self) -> dict[str, Any]:
        """For `open_breach`: the days as moments, in the time zone of the pages."""
        found = dict(self.cleaned_data)
        first, last = found.pop("first"), found.pop("last")
        return {**found, "since": midnight(first), "until": midnight(last + dt.timedelta(days=1))}


LETTER = _(
    "Dear {name},\n\nwe are writing because information about you may have been seen by someone who should not have seen it.\n\n"
    "What happened: …\nWhat information: …\nWhat you can do: …\nWhat we are doing: …\n\nFor questions call us at …"
)


class LetterForm(forms.Form):
    """What the law wants in it is in the first draft: 45 CFR 164.404(c)."""

    title = forms.CharField(label=_("Subject"), max_length=200, initial=_("Notice about your information"))
    body = forms.CharField(
        label=_("Letter"), max_length=8000, widget=forms.Textarea(attrs={"rows": 14}), initial=LETTER, help_text=_("{name} becomes the person's name")
    )

    def clean_body(self) -> str:
        body = str(self.cleaned_data["body"])
        if "…" in body:
            raise forms.ValidationError(_("Fill in every … first."))
        return body


class WordsForm(forms.Form):
    words = forms.CharField(label=_("What was found or done"), max_length=1000, widget=forms.Textarea(attrs={"rows": 4}))
