"""What of billing can be unwell."""

from __future__ import annotations

import datetime as dt

from django.db.models import F, Sum
from django.utils import timezone

from openward.billing.clearinghouse import clearinghouse
from openward.billing.models import LedgerEntry, Payment, Refund, Submission
from openward.record.health import health_check

LATE = dt.timedelta(minutes=10)


@health_check("ledger", title="Ledger")
def ledger_balances() -> str | None:
    """Debits and credits of the whole ledger are equal."""
    difference = LedgerEntry.objects.aggregate(total=Sum(F("debit") - F("credit")))["total"]
    return f"Debits and credits differ by {difference}." if difference else None


@health_check("clearinghouse", title="Clearinghouse folder")
def folder_moves() -> str | None:
    """Files are taken out of the folder, and claim files reach it."""
    try:
        overdue = clearinghouse().overdue()
    except OSError as error:
        return f"The clearinghouse folder cannot be read ({error.strerror}). Payments of insurers are not posted."
    if overdue:
        return f"{overdue} remittance files have been waiting for more than five minutes. Payments of insurers are not posted."
    late = Submission.objects.filter(state="writing", made_at__lt=timezone.now() - LATE).count()
    return f"{late} claim files were not handed over. The claims in them have not reached the payer." if late else None


@health_check("cards", title="Card payments")
def payments_finish() -> str | None:
    """No card payment and no refund is left half done."""
    stuck = Payment.objects.filter(state=Payment.State.STARTED, made_at__lt=timezone.now() - LATE).count()
    stuck += Refund.objects.filter(state=Refund.State.STARTED, made_at__lt=timezone.now() - LATE).count()
    return f"{stuck} card payments or refunds were started and not finished." if stuck else None
