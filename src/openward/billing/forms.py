"""Billing's forms."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from openward.billing.cards import Card
from openward.billing.clearinghouse import MAX_BYTES
from openward.billing.places import PLACES

_MODIFIER = re.compile(r"[A-Z0-9]{2}\Z")


def money_field(label: Any, **options: Any) -> forms.DecimalField:
    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    messages = {"invalid": _("Enter an amount such as 25.00."), "required": _("Enter an amount.")}
    return forms.DecimalField(
        label=label, min_value=Decimal("0.01"), max_digits=10, decimal_places=2, widget=widget, error_messages=messages, **options
    )


class LineForm(forms.Form):
    """One line of a claim."""

    units = forms.DecimalField(
        label=_("Units"), min_value=Decimal("0.01"), max_digits=8, decimal_places=2, widget=forms.TextInput(attrs={"inputmode": "decimal"})
    )
    price = money_field(_("Price of one unit"))
    pointers = forms.MultipleChoiceField(label=_("Done because of"), widget=forms.CheckboxSelectMultiple, help_text=_("At most four"), required=False)
    modifiers = forms.CharField(label=_("Modifiers"), required=False, max_length=11, help_text=_("Two characters each, at most four, such as 25 59"))
    place = forms.ChoiceField(label=_("Place of service"), choices=[(code, f"{code} {words}") for code, words in PLACES.items()])
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, diagnoses: list[tuple[str, str]], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["pointers"].choices = diagnoses  # type: ignore[attr-defined]

    def clean_pointers(self) -> list[int]:
        chosen = [int(each) for each in self.cleaned_data["pointers"]]
        if len(chosen) > 4:
            raise forms.ValidationError(_("Choose at most four."))
        return chosen

    def clean_modifiers(self) -> list[str]:
        found = self.cleaned_data["modifiers"].upper().replace(",", " ").split()
        if len(found) > 4 or any(not _MODIFIER.match(each) for each in found):
            raise forms.ValidationError(_("Enter at most four modifiers of two characters."))
        return found


class AddLineForm(forms.Form):
    """A service of the fee schedule."""

    code = forms.CharField(label=_("Service"), error_messages={"required": _("Choose a service.")})
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)


class DiagnosesForm(forms.Form):
    """The diagnoses in their order, one code to a line: the first is the main one."""

    codes = forms.CharField(
        label=_("ICD-10-CM codes"),
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "class": "num"}),
        help_text=_("One to a line, the main one first"),
        required=False,
    )
    add = forms.CharField(label=_("Add a diagnosis"), required=False)
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def clean(self) -> dict[str, Any]:
        from openward.chart.diagnoses import named

        entered = super().clean() or self.cleaned_data
        codes = [*entered.get("codes", "").upper().replace(",", " ").split(), *entered.get("add", "").upper().split()]
        found = [named(code) for code in codes]
        if unknown := [code for code, known in zip(codes, found, strict=True) if known is None]:
            self.add_error("codes", _("There is no ICD-10-CM code {code}.").format(code=unknown[0]))
        entered["diagnoses"] = list({known.code: known for known in found if known}.values())
        return entered


class CoverageChoiceForm(forms.Form):
    coverage = forms.ChoiceField(label=_("Send the claim to"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, coverages: list[tuple[str, str]], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["coverage"].choices = coverages  # type: ignore[attr-defined]


class ReasonForm(forms.Form):
    """Why a person decided so. It stays with the decision."""

    why = forms.CharField(
        label=_("Why"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "off"}), error_messages={"required": _("Say why.")}
    )


class DenialForm(ReasonForm):
    who = forms.ChoiceField(
        label=_("What becomes of the refused amount"),
        choices=[("patient", _("The patient pays it")), ("write-off", _("We give it up"))],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what becomes of it.")},
    )


class UploadForm(forms.Form):
    """A remittance file. What is wrong with it is said beside the field."""

    file = forms.FileField(label=_("Remittance file (835)"), error_messages={"required": _("Choose a file."), "empty": _("The file is empty.")})

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MAX_BYTES:
            raise forms.ValidationError(_("The file is larger than 50 MB."))
        return file


class FeesForm(forms.Form):
    file = forms.FileField(label=_("Fee schedule (CSV)"), error_messages={"required": _("Choose a file."), "empty": _("The file is empty.")})


class FeeForm(forms.Form):
    code = forms.CharField(label=_("Code"), max_length=20, error_messages={"required": _("Enter a code.")})
    description = forms.CharField(label=_("Description"), max_length=200, error_messages={"required": _("Enter a description.")})
    price = forms.CharField(
        label=_("Price"), max_length=14, widget=forms.TextInput(attrs={"inputmode": "decimal"}), error_messages={"required": _("Enter a price.")}
    )
    charged_for = forms.CharField(
        label=_("Charged automatically for"),
        max_length=300,
        required=False,
        help_text=_("Such as visit:follow-up, order:laboratory, immunization:140"),
    )


class MatchForm(forms.Form):
    number = forms.CharField(label=_("Our claim number"), max_length=20, error_messages={"required": _("Enter the claim's number.")})


class CardForm(forms.Form):
    """A card, typed by its holder. Nothing of it is kept but the last four digits."""

    amount = money_field(_("Amount"))
    number = forms.CharField(
        label=_("Card number"),
        max_length=30,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "cc-number"}),
        error_messages={"required": _("Enter the number of the card.")},
    )
    expiry = forms.CharField(
        label=_("Expires"),
        max_length=7,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "cc-exp", "placeholder": "MM/YY"}),
        error_messages={"required": _("Enter the month and year, such as 09/28.")},
    )
    code = forms.CharField(
        label=_("Security code"),
        max_length=4,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "cc-csc"}),
        error_messages={"required": _("Enter the three or four digits beside the signature.")},
    )
    key = forms.CharField(widget=forms.HiddenInput, max_length=40)

    def clean_expiry(self) -> tuple[int, int]:
        found = re.fullmatch(r"\s*(\d{1,2})\s*[/-]?\s*(\d{2}|\d{4})\s*", self.cleaned_data["expiry"])
        month, year = (int(found[1]), int(found[2])) if found else (0, 0)
        if not 1 <= month <= 12:
            raise forms.ValidationError(_("Enter the month and year, such as 09/28."))
        return month, year + 2000 if year < 100 else year

    def clean(self) -> dict[str, Any]:
        entered = super().clean() or self.cleaned_data
        if "number" in entered and "expiry" in entered:
            month, year = entered["expiry"]
            card = Card(entered["number"], month, year, entered.get("code", ""))
            if not card.is_well_formed:
                self.add_error("number", _("Check the number: it is not that of a card."))
            if card.is_expired(timezone.localdate()):
                self.add_error("expiry", _("The card has expired."))
            entered["card"] = card
        return entered


class DeskPaymentForm(forms.Form):
    """Cash or a check at the desk."""

    method = forms.ChoiceField(label=_("Paid with"), choices=[("cash", _("Cash")), ("check", _("Check"))], widget=forms.RadioSelect, initial="cash")
    amount = money_field(_("Amount"))
    key = forms.CharField(widget=forms.HiddenInput, max_length=40)


class AmountForm(ReasonForm):
    """An amount with a reason: a refund, or what is forgiven."""

    amount = money_field(_("Amount"))
    key = forms.CharField(widget=forms.HiddenInput, max_length=40)
    field_order = ("amount", "why")
