"""The words for states, accounts, kinds and codes."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from openward.billing import facts
from openward.formats.x12.adjustment_codes import GROUPS, reason


def state_badge(state: str) -> tuple[str, str]:
    """The state of a claim as a word and a tone."""
    return {
        "draft": (_("Draft"), "warning"),
        "ready": (_("Ready"), "accent"),
        "submitted": (_("Sent"), "info"),
        "accepted": (_("Accepted"), "info"),
        "denied": (_("Denied"), "danger"),
        "paid": (_("Answered"), "ok"),
    }.get(state, (state, "neutral"))


def state_words(state: str) -> str:
    """What the state means, in a phrase."""
    return {
        "draft": _("something is missing"),
        "ready": _("may be sent"),
        "submitted": _("with the payer"),
        "accepted": _("taken in by the payer"),
        "denied": _("refused, to be worked"),
        "paid": _("answered by the payer"),
    }.get(state, "")


def payment_badge(state: str) -> tuple[str, str]:
    return {"paid": (_("Paid"), "ok"), "declined": (_("Declined"), "danger"), "started": (_("Under way"), "info")}.get(state, (state, "neutral"))


def remittance_badge(state: str) -> tuple[str, str]:
    return {"posted": (_("Posted"), "ok"), "quarantined": (_("Quarantined"), "danger"), "closed": (_("Closed"), "neutral")}.get(
        state, (state, "neutral")
    )


def item_badge(state: str) -> tuple[str, str]:
    words = {"posted": (_("Posted"), "ok"), "unmatched": (_("Not found"), "warning"), "matched": (_("Matched by hand"), "ok")}
    return {**words, "set-aside": (_("Set aside"), "neutral")}.get(state, (state, "neutral"))


def answer_words(status: str) -> str:
    """CLP02, the payer's word for what it did."""
    return {
        "1": _("Processed"),
        "2": _("Processed as secondary"),
        "3": _("Processed as tertiary"),
        "4": _("Denied"),
        "19": _("Processed, sent on"),
        "20": _("Processed as secondary, sent on"),
        "22": _("Taken back"),
        "23": _("Not theirs, sent on"),
        "25": _("Estimate only"),
    }.get(status, status)


def waiting_words(why: str, since: dt.datetime) -> str:
    """What a signed visit waits for. A claim not made within minutes is not being made: somebody must."""
    late = timezone.now() - since > dt.timedelta(minutes=5)
    return {
        "queued": _("Its claim was not made yet") if late else _("Its claim is being made"),
        "no-coverage": _("No insurance on that day"),
        "no-charges": _("Nothing on the fee schedule for it"),
    }.get(why, why)


def kind_words(kind: str) -> str:
    return {
        "answer": _("Insurance"),
        "claim": _("Claim"),
        "payment": _("Payment"),
        "refund": _("Refund"),
        "decision": _("Decision"),
        "visit": _("Visit"),
        "unmatched": _("Payer"),
        "payer-adjustment": _("Payer"),
    }.get(kind, kind)


def adjustment_words(group: str, code: str) -> str:
    return f"{group}-{code}: {reason(code).words}"


def group_words(group: str) -> str:
    return GROUPS.get(group, group)


def service_words(concept: Any) -> str:
    text = concept.text if concept else None
    display = next((coding.display for coding in (concept.coding if concept else []) if coding.display), None)
    return str(text or display or facts.code_of(concept))


def letter(sequence: int) -> str:
    """Diagnosis pointers as claim forms letter them: 1 is A."""
    return chr(ord("A") + sequence - 1) if 1 <= sequence <= 26 else str(sequence)
