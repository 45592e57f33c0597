from __future__ import annotations

import datetime as dt

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from openward.audit.queries import Period


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
        return Period(_midnight(first), _midnight(last + dt.timedelta(days=1)))


class FindForm(forms.Form):
    text = forms.CharField(label=_("Whose record?"), max_length=100, required=False, help_text=_("Name, birth date, number or phone"))


def _midnight(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time()))
