"""What is done in the chart: every function is one unit of work in the name of `by`."""

from __future__ import annotations

from openward.chart.actions.allergies import confirm_no_allergies, record_allergy, resolve_allergy, review_allergies, review_medications
from openward.chart.actions.inbox import assign, complete, match_result, review_result, take_over
from openward.chart.actions.messages import close_thread, send_message
from openward.chart.actions.notes import addendum, discard_draft, open_note, save_draft, sign_note
from openward.chart.actions.orders import cancel_order, order_tests
from openward.chart.actions.prescriptions import Prescription, check_prescription, prescribe, renew, stop
from openward.chart.actions.problems import add_problem, resolve_problem, set_visit_diagnoses
from openward.chart.actions.reported import no_longer_taken, report_medication
from openward.chart.actions.vitals import record_vitals

__all__ = [
    "Prescription",
    "add_problem",
    "addendum",
    "assign",
    "cancel_order",
    "check_prescription",
    "close_thread",
    "complete",
    "confirm_no_allergies",
    "discard_draft",
    "match_result",
    "no_longer_taken",
    "open_note",
    "order_tests",
    "prescribe",
    "record_allergy",
    "record_vitals",
    "renew",
    "report_medication",
    "resolve_allergy",
    "resolve_problem",
    "review_allergies",
    "review_medications",
    "review_result",
    "save_draft",
    "send_message",
    "set_visit_diagnoses",
    "sign_note",
    "stop",
    "take_over",
]
