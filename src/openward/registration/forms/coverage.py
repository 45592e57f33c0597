"""One insurance of one patient."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from openward.fhir.resources import CodeableConcept, Coding, Coverage, CoverageClass, Period, Reference
from openward.registration import facts
from openward.registration.forms.fields import PlanDate, short_text

RELATIONSHIPS: Final = [
    ("self", _("Self")),
    ("spouse", _("Spouse")),
    ("child", _("Child")),
    ("parent", _("Parent")),
    ("common", _("Common law spouse")),
    ("other", _("Other")),
]
ORDERS: Final = [(1, _("Primary")), (2, _("Secondary")), (3, _("Tertiary"))]


class CoverageForm(forms.Form):
    """One insurance of one patient."""

    payer = forms.ChoiceField(label=_("Insurer"), error_messages={"required": _("Choose the insurer.")})
    subscriber_id = short_text(_("Member number"), required=True, longest=50, error=_("Enter the member number on the card."))
    relationship = forms.ChoiceField(
        label=_("Patient is the subscriber's"), choices=RELATIONSHIPS, initial="self", help_text=_("Self, when the card is the patient's own")
    )
    subscriber = short_text(_("Subscriber's name"), longest=150, hint=_("As on the card, when it is not the patient's own"))
    group = short_text(_("Group number"), longest=50)
    plan = short_text(_("Plan"))
    start = PlanDate(label=_("Valid from"), required=False)
    end = PlanDate(label=_("Valid to"), required=False)
    order = forms.TypedChoiceField(label=_("Order"), choices=ORDERS, coerce=int, initial=1, help_text=_("Which insurer is billed first"))

    def __init__(self, *args: Any, payers: Iterable[tuple[str, str]] = (), **options: Any) -> None:
        super().__init__(*args, **options)
        self.payers = dict(payers)
        self.fields["payer"].choices = [("", _("Choose…")), *self.payers.items()]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        entered = super().clean() or self.cleaned_data
        start, end = entered.get("start"), entered.get("end")
        if start and end and end < start:
            self.add_error("end", _("The end is before the start."))
        if entered.get("relationship") not in (None, "self") and not entered.get("subscriber", "").strip():
            self.add_error("subscriber", _("Enter the name of the subscriber."))
        return entered

    @classmethod
    def shown(cls, coverage: Coverage) -> dict[str, Any]:
        group, plan, period = facts.plan_class(coverage, "group"), facts.plan_class(coverage, "plan"), coverage.period
        return {
            "payer": coverage.payor[0].target_id if coverage.payor else "",
            "subscriber_id": coverage.subscriberId or "",
            "relationship": facts.relationship_of(coverage),
            "subscriber": (coverage.subscriber.display or "") if coverage.subscriber else "",
            "group": group.value if group else "",
            "plan": (plan.name or plan.value) if plan else "",
            "start": _date(period.start) if period else None,
            "end": _date(period.end) if period else None,
            "order": coverage.order or 1,
        }

    def apply(self, coverage: Coverage) -> Coverage:
        entered = self.cleaned_data
        coverage.payor = [Reference(f"Organization/{entered['payer']}", display=self.payers[entered["payer"]])]
        coverage.subscriberId = entered["subscriber_id"].strip()
        words = {key: str(word) for key, word in RELATIONSHIPS}
        coverage.relationship = CodeableConcept(
            coding=[Coding(system=facts.SUBSCRIBER, code=entered["relationship"], display=words[entered["relationship"]])]
        )
        own = entered["relationship"] == "self"
        coverage.subscriber = coverage.beneficiary if own else Reference(display=entered["subscriber"].strip())
        coverage.class_ = [
            *(one for one in coverage.class_ if one not in (facts.plan_class(coverage, "group"), facts.plan_class(coverage, "plan"))),
            *_classes(entered),
        ]
        coverage.period = _period(entered["start"], entered["end"])
        coverage.order = entered["order"]
        return coverage


def _classes(entered: dict[str, Any]) -> list[CoverageClass]:
    def entry(code: str, value: str) -> CoverageClass:
        return CoverageClass(type=CodeableConcept(coding=[Coding(system=facts.COVERAGE_CLASS, code=code)]), value=value)

    return [entry(code, entered[code].strip()) for code in ("group", "plan") if entered[code].strip()]


def _period(start: dt.date | None, end: dt.date | None) -> Period | None:
    if not (start or end):
        return None
    return Period(start=start.isoformat() if start else None, end=end.isoformat() if end else None)


def _date(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text[:10]) if text and len(text) >= 10 else None
