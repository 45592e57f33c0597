"""Fields that read what people type: dates, telephone numbers, short texts."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from openward.registration import facts
from openward.registration.dates import UnreadableDate, read_date
from openward.web.display import day


class TypedDate(forms.CharField):
    """A past date in any sensible form, shown again as `03-Nov-2026`."""

    example = _("e.g. 3 Feb 1980")

    def __init__(self, **options: Any) -> None:
        options.setdefault("widget", forms.TextInput(attrs={"autocomplete": "off", "inputmode": "text", "placeholder": self.example}))
        super().__init__(**options)

    def prepare_value(self, value: Any) -> Any:
        return day(value) if isinstance(value, dt.date) else value

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values or isinstance(value, dt.date):
            return value or None
        try:
            return read_date(str(value), today=self.latest())
        except UnreadableDate as unreadable:
            raise forms.ValidationError(str(unreadable)) from None

    def latest(self) -> dt.date:
        return timezone.localdate()


class PlanDate(TypedDate):
    """A date of a plan, which may lie some years ahead."""

    example = _("e.g. 1 Jan 2026")

    def latest(self) -> dt.date:
        return timezone.localdate() + dt.timedelta(days=3653)


class Phone(forms.CharField):
    """A telephone number as people type it; kept as `+12125550123`, shown as `(212) 555-0123`."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("widget", forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}))
        super().__init__(**options)

    def prepare_value(self, value: Any) -> Any:
        return facts.phone_words(value) if value else value

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text:
            return ""
        try:
            return facts.read_phone(text)
        except facts.UnreadablePhone as unreadable:
            raise forms.ValidationError(str(unreadable)) from None


def short_text(label: Any, *, required: bool = False, longest: int = 100, hint: Any = "", error: Any = "", complete: str = "off") -> forms.CharField:
    messages = {"required": error} if error else None
    widget = forms.TextInput(attrs={"autocomplete": complete, "spellcheck": "false"})
    return forms.CharField(label=label, required=required, max_length=longest, help_text=hint, error_messages=messages, widget=widget)
