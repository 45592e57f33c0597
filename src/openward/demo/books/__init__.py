"""The demo clinic's money, through the billing room's own actions: fees, claims of the last days, answers of payers, payments, statements."""

from __future__ import annotations

from collections.abc import Callable

from openward.access.actor import Actor
from openward.demo.books.answers import answer_claims
from openward.demo.books.claims import bill_the_uninsured, claim_recent_visits, date_submissions
from openward.demo.books.denials import work_old_denials
from openward.demo.books.fees import load_fee_schedule
from openward.demo.books.payments import send_some_statements, take_payments
from openward.demo.generation.clinic import Clinic

__all__ = ["STEPS", "load_fee_schedule"]

Step = Callable[[Actor, Clinic], None]

# In this order; each may be done again and then adds nothing.
STEPS: tuple[tuple[str, Step], ...] = (
    ("claims of the last days", claim_recent_visits),
    ("visits without insurance", bill_the_uninsured),
    ("when claims were sent", date_submissions),
    ("answers of payers", answer_claims),
    ("old refusals", work_old_denials),
    ("payments", take_payments),
    ("statements", send_some_statements),
)
