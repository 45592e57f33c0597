from __future__ import annotations

import datetime as dt

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from openward.audit.queries import Period

KINDS = (
    ("", _("Everything")),
    ("opened", _("Opened")),
    ("searched", _("Looked through")),
    ("changed", _("Written or changed")),
    ("exported", _("Exports")),
    ("printed", _("Prints")),
    ("disclosed", _("Disclosures")),
    ("refused", _("Failed tries")),
    ("emergency", _("Emergency access")),
    ("signed-in", _("Signing in and out")),
)


class PeriodForm(forms.Form):
    """Which days to look at, in the time zone of the pages."""

    since = forms.DateField(label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label=_("To"), required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def clean(self) -> dict[str, dt.date | None]:
        found = super().clean() or {}
        if found.get("since") and found.get("until") and found["since"] > found["until"]:
            self.add_error("until", _("The last day is before the first."))
        return found

    def period(self) -> Period:
        """The days asked for, else the last 30."""
        found = self.cleaned_data if self.is_valid() else {}
        last = found.get("until") or timezone.localdate()
        first = found.get("since") or last - dt.timedelta(days=30)
        return Period(midnight(first), midnight(last + dt.timedelta(days=1)))


class TrailForm(PeriodForm):
    """Which days, and which kind of event."""

    kind = forms.ChoiceField(label=_("What"), choices=KINDS, required=False)

    @property
    def chosen(self) -> str:
        return str(self.cleaned_data.get("kind") or "") if self.is_valid() else ""


class FindForm(forms.Form):
    text = forms.CharField(label=_("Whose record?"), max_length=100, required=False, help_text=_("Name, birth date, number or phone"))


class DisclosureForm(forms.Form):
    """What was given out by paper, phone or fax, which no program wrote down. 45 CFR 164.528(b)(2)"""

    given_on = forms.DateField(label=_("Given on"), initial=timezone.localdate, widget=forms.DateInput(attrs={"type": "date"}))
    to = forms.CharField(label=_("Given to"), max_length=200, help_text=_("Name and, if known, address"))
    what = forms.CharField(label=_("What was given"), max_length=300)
    why = forms.CharField(label=_("Why"), max_length=300, help_text=_("Such as a court order, public health, or the patient's own wish"))

    def clean_given_on(self) -> dt.date:
        """The accounting tells the day of the disclosure, not the one it was written down on."""
        day: dt.date = self.cleaned_data["given_on"]
        if day > timezone.localdate():
            raise forms.ValidationError(_("This day is still to come."))
        return day

    @property
    def words(self) -> str:
        """What the trail keeps: to whom, what, why and when, parted by a stroke."""
        found = (self.cleaned_data[name].replace("|", "/") for name in ("to", "what", "why"))
        return " | ".join([*(" ".join(one.split()) for one in found), self.cleaned_data["given_on"].isoformat()])


def midnight(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time()))
