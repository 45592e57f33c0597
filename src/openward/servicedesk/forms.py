from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from openward.servicedesk.models import TRANSITIONS, Ticket


class ReportForm(forms.Form):
    title = forms.CharField(
        label=_("What went wrong?"),
        max_length=140,
        help_text=_("In a few words. Please write nothing about a patient: the service desk must not see it."),
    )
    words = forms.CharField(
        label=_("What did you do, and what did you expect?"), max_length=4000, required=False, widget=forms.Textarea(attrs={"rows": 4})
    )
    impact = forms.TypedChoiceField(
        label=_("How much does it hold you up?"), choices=Ticket.Impact.choices, coerce=int, initial=2, widget=forms.RadioSelect
    )
    contact = forms.CharField(label=_("How can we reach you?"), max_length=200, required=False)
    page = forms.CharField(max_length=500, required=False, widget=forms.HiddenInput)
    error = forms.CharField(max_length=40, required=False, widget=forms.HiddenInput)


class AnswerForm(forms.Form):
    words = forms.CharField(label=_("Answer"), max_length=4000, required=False, widget=forms.Textarea(attrs={"rows": 3}))
    internal = forms.BooleanField(label=_("A note for agents only"), required=False)
    state = forms.ChoiceField(label=_("And then"), required=False)

    def __init__(self, *args: Any, ticket: Ticket, agent: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["state"].choices = [("", _("leave it {state}").format(state=ticket.get_state_display().lower()))] + [  # type: ignore[attr-defined]
            (state, Ticket.State(state).label) for state in Ticket.State.values if state in TRANSITIONS[ticket.state]
        ]
        if not agent:
            del self.fields["internal"], self.fields["state"]

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if not found.get("words") and not found.get("state"):
            self.add_error("words", _("Write an answer, or choose what happens next."))
        return found
