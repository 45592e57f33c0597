"""Forms for allergies, problems, prescriptions, orders, notes and messages."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from openward.chart import diagnoses, labs
from openward.chart.actions.messages import LONGEST
from openward.chart.actions.prescriptions import Prescription
from openward.chart.drugs.available import knowledge_or_none
from openward.chart.drugs.knowledge import Drug, Product


class Picked(forms.Form):
    """A form whose first field is picked from a list as one types; what was typed counts when nothing was picked."""

    picked = ""

    def __init__(self, data: Any = None, *arguments: Any, **named: Any) -> None:
        if data is not None and not data.get(self.picked) and data.get("q"):
            data = data.copy()
            data[self.picked] = data["q"].strip()
        super().__init__(data, *arguments, **named)


class PastDate(forms.DateField):
    """A day that has been: a problem since 2062 is a slip of the hand, and was stored as one since 2062."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"widget": forms.DateInput(attrs={"type": "date"}), **options})

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value is not None and value > timezone.localdate():
            raise forms.ValidationError(_("This day has not come yet."))


class AllergyForm(Picked):
    picked = "substance"
    substance = forms.CharField(label=_("Substance"), max_length=200, error_messages={"required": _("Enter what the patient is allergic to.")})
    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=[("allergy", _("Allergy")), ("intolerance", _("Intolerance (side effect)"))],
        widget=forms.RadioSelect,
        initial="allergy",
    )
    reaction = forms.CharField(label=_("Reaction"), required=False, max_length=200, widget=forms.TextInput(attrs={"list": "reactions"}))
    severity = forms.ChoiceField(
        label=_("How bad was it?"),
        required=False,
        choices=[("", _("Not known")), ("mild", _("Mild")), ("moderate", _("Moderate")), ("severe", _("Severe"))],
    )
    criticality = forms.ChoiceField(
        label=_("Risk if taken again"),
        required=False,
        choices=[
            ("", _("Not known")),
            ("low", _("Low")),
            ("high", _("High: may be life-threatening")),
            ("unable-to-assess", _("Cannot be assessed")),
        ],
    )


class ProblemForm(Picked):
    """`code` is a code of ICD-10-CM, or the clinician's own words where none fits."""

    picked = "code"
    code = forms.CharField(label=_("Problem"), max_length=200, error_messages={"required": _("Choose a problem or describe it in words.")})
    onset = PastDate(label=_("Since"), required=False)
    note = forms.CharField(label=_("Note"), required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 2}))

    def chosen(self) -> dict[str, str]:
        """The code, or the words."""
        value = self.cleaned_data["code"]
        return {"code": value} if diagnoses.named(value) is not None else {"text": value}


class ResolveForm(forms.Form):
    on = PastDate(label=_("Over since"))


class DrugForm(forms.Form):
    """The first step of a prescription: which drug. The value is `name|strength|form`, or free words."""

    drug = forms.CharField(label=_("Drug"), max_length=200)

    def chosen(self) -> tuple[Drug | None, Product | None, str]:
        """The drug and product of the file, or neither and the words that were typed."""
        value = self.data.get("drug", "") or self.data.get("q", "").strip()
        name, _bar, rest = value.partition("|")
        knowledge = knowledge_or_none()
        drug = knowledge.drugs.get(name) if knowledge is not None else None
        product = next((one for one in drug.products if f"{one.strength}|{one.form}" == rest), None) if drug is not None else None
        return drug, product, value if drug is None else name


class ReportedForm(Picked):
    """What the patient says they take: a drug of the file, or their words."""

    picked = "drug"
    drug = forms.CharField(label=_("Medication"), max_length=200, error_messages={"required": _("Enter what the patient takes.")})
    taken = forms.CharField(label=_("How it is taken"), required=False, max_length=200)
    since = PastDate(label=_("Since"), required=False)

    def chosen(self) -> dict[str, str]:
        drug, product, text = DrugForm(self.cleaned_data).chosen()
        name = " ".join(part for part in (text, product.strength if product else "", product.form if product else "") if part)
        return {"text": name, "drug": drug.name if drug is not None else ""}


ROUTES = [
    (route, route)
    for route in (
        "oral",
        "sublingual",
        "inhaled",
        "nasal",
        "topical",
        "transdermal",
        "ophthalmic",
        "otic",
        "subcutaneous",
        "intramuscular",
        "rectal",
        "vaginal",
    )
]


class PrescriptionForm(forms.Form):
    """The second step: dose, route, how often, how much. `drug` carries the first step's choice."""

    drug = forms.CharField(widget=forms.HiddenInput)
    dose = forms.CharField(label=_("Dose"), max_length=60, widget=forms.TextInput(attrs={"size": 12}))
    route = forms.ChoiceField(label=_("Route"), choices=ROUTES)
    frequency = forms.ChoiceField(label=_("How often"))
    as_needed = forms.CharField(label=_("Only when needed for"), required=False, max_length=100)
    quantity = forms.DecimalField(label=_("Quantity"), min_value=Decimal("0.01"), max_digits=8, decimal_places=2)
    refills = forms.IntegerField(label=_("Refills"), min_value=0, max_value=11, initial=0)
    days = forms.IntegerField(label=_("For days"), required=False, min_value=1, max_value=365)
    note = forms.CharField(label=_("Note to the pharmacy"), required=False, max_length=300)
    reason = forms.CharField(label=_("Why it is right all the same"), required=False, max_length=300, widget=forms.Textarea(attrs={"rows": 2}))
    acknowledged = forms.BooleanField(label=_("I know that this prescription was not checked"), required=False)

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        knowledge = knowledge_or_none()
        known = knowledge.frequencies.values() if knowledge is not None else ()
        field = self.fields["frequency"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the type checker
        field.choices = [(one.key, one.text) for one in known] or [("as directed", "as directed")]

    def prescription(self) -> Prescription:
        drug, product, text = DrugForm(self.cleaned_data).chosen()
        data = self.cleaned_data
        return Prescription(
            drug=drug.name if drug is not None else text,
            strength=product.strength if product is not None else "",
            form=product.form if product is not None else "",
            dose=data["dose"],
            route=data["route"],
            frequency=data["frequency"],
            as_needed=data["as_needed"],
            quantity=data["quantity"],
            unit=product.unit if product is not None else "",
            refills=data["refills"],
            days=data["days"],
            note=data["note"],
        )


def starting_values(drug: Drug | None, product: Product | None) -> dict[str, Any]:
    """What the form starts with: the usual prescription of the drug in the strength chosen."""
    if drug is None:
        return {"route": "oral", "frequency": "daily", "quantity": 30}
    dose, _space, frequency = drug.usual.rpartition(" ")
    strength = product.strength if product is not None else ""
    own = (
        dose
        if product is None or product == drug.products[0] or "application" in dose or "puff" in dose or "spray" in dose or "units" in dose
        else strength
    )
    return {
        "dose": own or strength,
        "frequency": frequency,
        "route": product.route if product is not None else "oral",
        "quantity": drug.quantity,
        "as_needed": drug.prn,
        "days": drug.days,
    }


class StopForm(forms.Form):
    reason = forms.ChoiceField(
        label=_("Why"),
        choices=[
            (text, text)
            for text in (
                _("No longer needed"),
                _("Side effect"),
                _("Allergic reaction"),
                _("Not effective"),
                _("Replaced by another drug"),
                _("Patient's wish"),
                _("Cost"),
                _("Other"),
            )
        ],
    )
    detail = forms.CharField(label=_("More"), required=False, max_length=200)

    def text(self) -> str:
        parts = [str(self.cleaned_data["reason"]), self.cleaned_data["detail"]]
        return ": ".join(part for part in parts if part)


class OrderForm(forms.Form):
    """The basket: panels and tests of the catalog, signed once."""

    tests = forms.MultipleChoiceField(
        label=_("Tests"), widget=forms.CheckboxSelectMultiple, error_messages={"required": _("Choose at least one test.")}
    )
    urgent = forms.BooleanField(label=_("Urgent"), required=False)
    reasons = forms.MultipleChoiceField(label=_("Because of"), required=False, widget=forms.CheckboxSelectMultiple)
    note = forms.CharField(label=_("Note to the laboratory"), required=False, max_length=300)

    def __init__(self, *arguments: Any, problems: Iterable[tuple[str, str]] = (), **named: Any) -> None:
        super().__init__(*arguments, **named)
        tests, reasons = self.fields["tests"], self.fields["reasons"]
        assert isinstance(tests, forms.MultipleChoiceField) and isinstance(reasons, forms.MultipleChoiceField)  # noqa: S101, PT018 - for the type checker
        tests.choices = [(key, test.name) for key, test in labs.catalog().items()]
        reasons.choices = list(problems)


class CancelOrderForm(forms.Form):
    reason = forms.CharField(label=_("Why"), required=False, max_length=200)


class ReviewForm(forms.Form):
    comment = forms.CharField(
        label=_("Your words to the patient"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Shown with the result when you release it."),
    )


class MatchForm(forms.Form):
    number = forms.CharField(label=_("Medical record number"), max_length=40, help_text=_("Such as OW-000123"))


class ReplyForm(forms.Form):
    text = forms.CharField(label=_("Answer"), max_length=LONGEST, widget=forms.Textarea(attrs={"rows": 5}))


class MessageForm(ReplyForm):
    topic = forms.CharField(label=_("Subject"), max_length=100)
    field_order = ("topic", "text")


class AddendumForm(forms.Form):
    text = forms.CharField(label=_("What is added or corrected, and why"), max_length=LONGEST, widget=forms.Textarea(attrs={"rows": 6}))
