"""What the living page shows: one made-up example of everything. Not clinical content."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from openward.fhir.resources import Patient, Resource
from openward.web.banner import Allergy, Banner, Review
from openward.web.charts import Point, Series, Trend

START = dt.datetime(2026, 3, 2, 9, 10, tzinfo=dt.UTC)


class VitalsForm(forms.Form):
    systolic = forms.IntegerField(label="Systolic", min_value=40, max_value=300)
    diastolic = forms.IntegerField(label="Diastolic", min_value=20, max_value=200)
    weight = forms.DecimalField(label="Weight", required=False, help_text="Without shoes and coat")
    position = forms.ChoiceField(
        label="Position", choices=[("sitting", "Sitting"), ("lying", "Lying"), ("standing", "Standing")], widget=forms.RadioSelect, initial="sitting"
    )
    note = forms.CharField(label="Note", required=False, widget=forms.Textarea)


class ExampleForm(forms.Form):
    family = forms.CharField(label="Family name", help_text="As on the insurance card")
    born = forms.DateField(label="Birth date", widget=forms.DateInput(attrs={"type": "date"}))
    sex = forms.ChoiceField(label="Sex", choices=[("", "Choose…"), ("female", "Female"), ("male", "Male"), ("other", "Other")])
    weight = forms.DecimalField(label="Weight", required=False)
    copay = forms.DecimalField(label="Copay", required=False)
    problem = forms.CharField(label="Problem", required=False)
    reminders = forms.MultipleChoiceField(
        label="Reminders by", required=False, choices=[("sms", "Text message"), ("email", "E-mail")], widget=forms.CheckboxSelectMultiple
    )
    consent = forms.BooleanField(label="The patient agrees to be reminded", required=False)
    note = forms.CharField(label="Note", required=False, widget=forms.Textarea)


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: str
    detail: str = ""


PROBLEMS = (("I10", "Essential (primary) hypertension"), ("E11.9", "Type 2 diabetes mellitus without complications"), ("J45.909", "Unspecified asthma, uncomplicated"),
            ("M54.50", "Low back pain, unspecified"), ("E78.5", "Hyperlipidemia, unspecified"), ("F32.A", "Depression, unspecified"))  # fmt: skip


def options(text: str) -> list[Option]:
    words = text.casefold().split()
    return [Option(code, label, code) for code, label in PROBLEMS if all(word in f"{code} {label}".casefold() for word in words)]


def patient(**changes: Any) -> Patient:
    facts: dict[str, Any] = {
        "resourceType": "Patient", "id": "example", "gender": "female", "birthDate": "1964-07-14", "name": [{"use": "official", "family": "Example", "given": ["Ada", "Maria"], "prefix": ["Mrs"]}],
        "identifier": [{"system": "urn:openward:mrn", "value": "OW-000123"}], "telecom": [{"system": "phone", "value": "555-0142"}],
        "address": [{"line": ["12 Sample Street"], "city": "Springfield", "state": "MA", "postalCode": "01101"}],
    }  # fmt: skip
    made = Resource.of({**facts, **changes})
    assert isinstance(made, Patient)
    return made


def banners() -> list[Banner]:
    """Allergies present; none known; not asked; deceased."""
    return [
        Banner(patient(), [Allergy("Penicillin", severe=True), Allergy("Latex")], flags=["Interpreter: Spanish"], url="#banner"),
        Banner(
            patient(name=[{"family": "Example", "given": ["Noa"]}], birthDate="2026-09-20", gender="male"),
            review=Review(dt.date(2026, 11, 3), "A. Sample RN", none_known=True),
        ),
        Banner(
            patient(name=[{"family": "Example", "given": ["Sam"]}, {"use": "nickname", "given": ["Sammy"]}], birthDate="2001-02-03", gender="other")
        ),
        Banner(
            patient(
                name=[{"family": "Example", "given": ["Ira"], "prefix": ["Mr"]}], birthDate="1931-05-02", gender="male", deceasedDateTime="2026-10-12"
            ),
            [Allergy("Codeine")],
        ),
    ]


def _pressure() -> Trend:
    upper = [138, 142, 135, 148, 151, 144, 139, 132, 128]
    lower = [84, 88, 82, 91, 94, 90, 86, 82, 79]
    days = [START + dt.timedelta(days=28 * n) for n in range(len(upper))]
    return Trend("Blood pressure", "mmHg", [
        Series("Systolic", [Point(at, value, "H" if value > 140 else "") for at, value in zip(days, upper, strict=True)]),
        Series("Diastolic", [Point(at, value, "H" if value > 90 else "") for at, value in zip(days, lower, strict=True)]),
    ], low=60, high=130)  # fmt: skip


def examples() -> dict[str, Any]:
    wrong = ExampleForm({"family": "", "born": "tomorrow", "sex": "", "weight": "72.5"})
    wrong.full_clean()
    return {
        "form": ExampleForm(auto_id="ok_%s"), "samples": {"wrong": wrong}, "banners": banners(), "pressure": _pressure(), "now": START,
        "a1c": [(START + dt.timedelta(days=90 * n), value, flag) for n, (value, flag) in enumerate([(6.1, ""), (6.6, "H"), (7.2, "H"), (8.1, "H")])],
        "spark": [72, 75, 71, 78, 82, 80, 84], "amount": Decimal("1234.5"), "credit": Decimal("-20"), "waiting_since": dt.datetime.now(dt.UTC) - dt.timedelta(minutes=17),
        "visits": [("Annual wellness visit", 128), ("Follow-up", 97), ("Sick visit", 64), ("Telehealth", 22)],
        "claims": [("Paid", 212), ("Submitted", 48), ("Ready", 19), ("Denied", 7)],
        "tabs": [(_("Summary"), "#tabs", True), (_("Results"), "#tabs", False, 3), (_("Medications"), "#tabs", False), (_("Visits"), "#tabs", False)],
        "steps": [_("Find"), _("Choose a time"), _("Confirm")],
        "rows": [("Example, Ada", "OW-000123", "Dr Sample", "ok", "Arrived", Decimal("25")), ("Example, Noa", "OW-000124", "Dr Sample", "info", "Booked", Decimal("0")),
                 ("Example, Sam", "OW-000125", "Dr Model", "warning", "Late", Decimal("140.5")), ("Example, Ira", "OW-000126", "Dr Model", "danger", "No-show", Decimal("1200"))],
    }  # fmt: skip
