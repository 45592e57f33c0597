"""Billing's work that runs later. A job that fails is shown by `/health` and on the billing pages."""

from __future__ import annotations

from django.db import transaction

from openward.access.actor import Actor
from openward.billing.models import Submission
from openward.record.jobs import every, job


@job("billing.bill_visit")
def bill_visit(*, tenant: int, visit: str) -> None:
    """Charge a signed visit and draft its claim. Without insurance or without a fee there is no claim: the visit waits on the worklist."""
    from openward.billing.actions.claims import claim_signed_visit

    claim_signed_visit(visit=visit, by=Actor.system("bill signed visits", tenant=tenant))


@job("billing.check_claim")
def check_claim(*, tenant: int, claim: str) -> None:
    """Look again whether a draft is ready."""
    from openward.billing.actions.claims import check_again
    from openward.fhir.errors import Gone, NotFound

    try:
        check_again(claim=claim, by=Actor.system("check claims", tenant=tenant))
    except (NotFound, Gone):
        return  # the draft was thrown away in the meantime


@job("billing.send_submission", retries=8)
def send_submission(*, tenant: int, submission: str) -> None:
    """Hand a claim file to the clearinghouse. Running twice writes the same file again."""
    from openward.billing.clearinghouse import clearinghouse

    with transaction.atomic():
        row = Submission.objects.select_for_update().get(tenant=tenant, id=submission)
        clearinghouse().send(row.file_name, bytes(row.body))
        Submission.objects.filter(tenant=tenant, id=submission).update(state="sent")


@every("* * * * * */20", "billing.collect_remittances")
def collect_remittances() -> None:
    """Post the remittances that were dropped into the folder."""
    from openward.billing.actions.remittances import collect_folder

    collect_folder(by=Actor.system("post remittances", tenant=1))


@every("*/5 * * * *", "billing.finish_payments")
def finish_payments() -> None:
    """Finish card payments and refunds whose server stopped between the processor's yes and our books."""
    from openward.billing.actions.payments import finish_started
    from openward.billing.actions.refunds import finish_refunds

    by = Actor.system("finish card payments", tenant=1)
    finish_started(by=by)
    finish_refunds(by=by)
