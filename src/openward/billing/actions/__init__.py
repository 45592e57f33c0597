"""Billing's writes. Every one is a unit of work in the name of `by`."""

from __future__ import annotations

from openward.billing.actions.claims import (
    add_line,
    build_claim,
    change_coverage,
    change_diagnoses,
    change_line,
    check_again,
    claim_signed_visit,
    correct,
    drop_line,
    propose_charges,
    throw_away,
)
from openward.billing.actions.decisions import bill_patient, give_up_balance, settle_denial
from openward.billing.actions.fees import load_fees, retire_fee, set_fees
from openward.billing.actions.payments import finish_started, pay_balance, pay_by_link, take_payment, text_to_pay
from openward.billing.actions.refunds import finish_refunds, refund
from openward.billing.actions.remittances import close_quarantined, collect_folder, match_item, see_refused, set_aside, take_file
from openward.billing.actions.statements import go_paperless, send_statement
from openward.billing.actions.submission import submit

__all__ = [
    "add_line",
    "bill_patient",
    "build_claim",
    "change_coverage",
    "change_diagnoses",
    "change_line",
    "check_again",
    "claim_signed_visit",
    "close_quarantined",
    "collect_folder",
    "correct",
    "drop_line",
    "finish_refunds",
    "finish_started",
    "give_up_balance",
    "go_paperless",
    "load_fees",
    "match_item",
    "pay_balance",
    "pay_by_link",
    "propose_charges",
    "refund",
    "retire_fee",
    "see_refused",
    "send_statement",
    "set_aside",
    "set_fees",
    "settle_denial",
    "submit",
    "take_file",
    "take_payment",
    "text_to_pay",
    "throw_away",
]
