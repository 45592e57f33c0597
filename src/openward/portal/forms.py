from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from openward.billing.cards import Card

TOPICS = [
    ("Medication or refill", _("A medication or a refill")),
    ("Test result", _("A test result")),
    ("Appointment", _("An appointment")),
    ("Bill", _("A bill")),
    ("Something else", _("Something else")),
]


class WriteForm(forms.Form):
    topic = forms.ChoiceField(label=_("What is it about?"), choices=TOPICS, widget=forms.RadioSelect)
    text = forms.CharField(label=_("Your message"), max_length=5000, widget=forms.Textarea(attrs={"rows": 6}))


class ReplyForm(forms.Form):
    text = forms.CharField(label=_("Your answer"), max_length=5000, widget=forms.Textarea(attrs={"rows": 4}))


class Unremembered(forms.TextInput):
    """An input that is never filled in again: what was typed does not come back in the page."""

    def format_value(self, value: Any) -> None:
        return None


class PayForm(forms.Form):
    """A card, typed. Nothing of it is kept, and after an error it must be typed again."""

    amount = forms.DecimalField(label=_("How much do you want to pay?"), min_value=Decimal("0.01"), max_digits=9, decimal_places=2)
    number = forms.CharField(label=_("Card number"), max_length=30, widget=Unremembered(attrs={"inputmode": "numeric", "autocomplete": "cc-number"}))
    month = forms.IntegerField(
        label=_("Expiry month"),
        min_value=1,
        max_value=12,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "cc-exp-month", "size": 2}),
    )
    year = forms.IntegerField(
        label=_("Expiry year"),
        min_value=2000,
        max_value=2100,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "cc-exp-year", "size": 4}),
    )
    code = forms.RegexField(
        label=_("Security code"), regex=r"\d{3,4}", widget=Unremembered(attrs={"inputmode": "numeric", "autocomplete": "cc-csc", "size": 4})
    )
    name = forms.CharField(label=_("Name on the card"), max_length=100, widget=forms.TextInput(attrs={"autocomplete": "cc-name"}))

    def __init__(self, *args: Any, most: Decimal, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.most = most

    def clean_amount(self) -> Decimal:
        amount: Decimal = self.cleaned_data["amount"]
        if amount > self.most:
            raise forms.ValidationError(_("You owe less than that."))
        return amount

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if not self.errors:
            card = self.card()
            if not card.is_well_formed:
                self.add_error("number", _("This is not a card number. Check the digits."))
            if card.is_expired(timezone.localdate()):
                self.add_error("year", _("This card has expired."))
        return found

    def card(self) -> Card:
        found = self.cleaned_data
        return Card(number=found["number"], month=found["month"], year=found["year"], code=found["code"], name=found["name"])


class TimeForm(forms.Form):
    """A time as `practitioner|facility|instant`, as the page offered it."""

    time = forms.CharField(max_length=300)

    def clean_time(self) -> tuple[str, str, dt.datetime]:
        parts = self.cleaned_data["time"].split("|")
        try:
            practitioner, facility, instant = parts
            start = dt.datetime.fromisoformat(instant)
        except ValueError:
            raise forms.ValidationError(_("Choose one of the times.")) from None
        if start.tzinfo is None or not 2000 <= start.year <= 2200:
            raise forms.ValidationError(_("Choose one of the times."))
        return practitioner, facility, start
