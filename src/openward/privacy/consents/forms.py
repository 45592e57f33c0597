from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from openward.privacy.consents.choices import EVERYONE, RUNS_THE_PRACTICE, Named, capital, label_choices, type_choices

EFFECTS = (
    ("deny", _("They may not see it")),
    ("only", _("Only they may see it, nobody else")),
    ("permit", _("They may see it although it is specially protected")),
)


class ConsentForm(forms.Form):
    """What the patient says. `people` are the groups of whom may be named; who signs differs between the practice and the portal."""

    effect = forms.ChoiceField(label=_("What the patient wants"), choices=EFFECTS, widget=forms.RadioSelect)
    who = forms.ChoiceField(label=_("Who"))
    labels = forms.MultipleChoiceField(
        label=_("Protected information"), required=False, choices=label_choices(), widget=forms.CheckboxSelectMultiple,
        help_text=_("None chosen: whatever it is."),
    )  # fmt: skip
    types = forms.MultipleChoiceField(
        label=_("Part of the record"), required=False, choices=type_choices(), widget=forms.CheckboxSelectMultiple,
        help_text=_("None chosen: the whole record."),
    )  # fmt: skip
    since = forms.DateField(label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}), help_text=_("Empty: from now on"))
    until = forms.DateField(label=_("Until"), required=False, widget=forms.DateInput(attrs={"type": "date"}), help_text=_("Empty: until withdrawn"))
    words = forms.CharField(label=_("In the patient's own words"), required=False, max_length=300)
    signed = forms.BooleanField(required=False)

    def __init__(self, *args: Any, people: Sequence[tuple[str, Sequence[Named]]], own: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.named = {one.value: one for _title, group in people for one in group} | {EVERYONE: Named(EVERYONE, str(_("everyone at the practice")))}
        choices: list[Any] = [("", "—"), (EVERYONE, _("Everyone at the practice"))]
        choices += [(title, [(one.value, capital(one.words)) for one in group]) for title, group in people]
        self.fields["who"].choices = choices  # type: ignore[attr-defined]
        if own:
            self.fields["effect"].label, self.fields["words"].label = _("What you want"), _("In your own words")
        self.fields["signed"].label = _("I sign this, as if by hand") if own else _("The patient has signed this on paper")

    def clean_until(self) -> dt.date | None:
        until: dt.date | None = self.cleaned_data["until"]
        if until is not None and until < timezone.localdate():
            raise forms.ValidationError(_("That day is over."))
        return until

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        effect, who = found.get("effect"), found.get("who")
        if found.get("since") and found.get("until") and found["since"] > found["until"]:
            self.add_error("until", _("The last day is before the first."))
        if effect == "permit":
            self._of_a_permission(found)
        if effect == "only" and who == EVERYONE:
            self.add_error("who", _("Name who may see it."))
        narrow = found.get("labels") or found.get("types")
        if not narrow and (effect == "only" or (effect == "deny" and who in RUNS_THE_PRACTICE)):
            self.add_error(None, _("Choose what it is about: otherwise nobody at the practice could open the record, not even to change this."))
        return found

    def _of_a_permission(self, found: dict[str, Any]) -> None:
        if not found.get("labels"):
            self.add_error("labels", _("Choose what is protected: a permission opens nothing else."))
        if not found.get("signed"):
            self.add_error("signed", _("A permission counts once it is signed (42 CFR 2.31)."))
