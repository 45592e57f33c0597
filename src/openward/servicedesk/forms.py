from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from openward.access.actor import Actor
from openward.access.permissions import Permission
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
    """`seen`: how many entries the agent had before them, so that two who answer at once hear of each other."""

    words = forms.CharField(label=_("Answer"), max_length=4000, required=False, widget=forms.Textarea(attrs={"rows": 3}))
    internal = forms.BooleanField(label=_("A note for agents only"), required=False)
    state = forms.CharField(label=_("And then"), required=False, widget=forms.Select)
    take = forms.BooleanField(label=_("I take it over"), required=False)
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, ticket: Ticket, by: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["state"].widget.choices = [("", _("leave it {state}").format(state=ticket.get_state_display().lower()))] + [
            (state, Ticket.State(state).label) for state in Ticket.State.values if state in TRANSITIONS[ticket.state]
        ]
        if not by.may(Permission.WORK_TICKETS):
            del self.fields["internal"], self.fields["state"], self.fields["take"], self.fields["seen"]
        elif ticket.agent in ("", by.id):
            del self.fields["take"]

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if not any(found.get(name) for name in ("words", "state", "take")):
            self.add_error("words", _("Write an answer, or choose what happens next."))
        return found
