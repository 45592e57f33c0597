"""Sending claims: the 837P file and the state, recorded together (and by the guard on Claim, the books); the file leaves after the commit."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from openward.access.actor import Actor
from openward.billing import facts, rows, transitions
from openward.billing.envelopes import envelope, usage
from openward.billing.errors import ClaimIsSent, NothingToBill, NotScrubbed
from openward.billing.models import Submission
from openward.billing.queries.claim_file import ClaimFile, claim_file
from openward.billing.queries.readiness import findings
from openward.fhir.errors import Issue
from openward.fhir.ids import new_id
from openward.fhir.resources import Claim
from openward.formats.x12.write_837p import write_837p
from openward.record import UnitOfWork, unit_of_work


def submit(*, claims: Sequence[str], by: Actor) -> Submission:
    """Send claims in one file. All or nothing: raises NotScrubbed naming the first claim that is not ready.

    The file is written by a job that runs after the commit, so that no file ever leaves for a claim that was not recorded as sent.
    """
    from openward.billing.jobs import send_submission

    if not claims:
        raise NothingToBill
    with unit_of_work(by=by) as work:
        files = [_ready_file(work, claim) for claim in dict.fromkeys(claims)]
        submission = _write(work, files)
        for file in files:
            facts.set_state(file.claim, transitions.SUBMITTED)
            work.store.update(file.claim)
        work.later(send_submission, tenant=work.tenant, submission=str(submission.id))
        return submission


def _ready_file(work: UnitOfWork, id: str) -> ClaimFile:
    claim = work.store.read(Claim, id)
    if facts.state_of(claim) not in transitions.OPEN:
        raise ClaimIsSent
    found = findings(work.store, claim)
    if found or facts.state_of(claim) != transitions.READY:
        raise NotScrubbed(issues=[Issue("business-rule", f"{facts.number_of(claim)}: {each.what}") for each in found])
    return claim_file(work.store, claim)


def _write(work: UnitOfWork, files: Sequence[ClaimFile]) -> Submission:
    control = rows.next_number(work, "interchange")
    body = write_837p([file.professional() for file in files], envelope(files[0].billing, control, usage(work)))
    return Submission.objects.create(
        tenant=work.tenant,
        id=UUID(new_id()),
        control=control,
        file_name=f"OW-{work.tenant:03}-{control:09}.837",
        sha256=hashlib.sha256(body).digest(),
        claims=[str(file.claim.id) for file in files],
        total=sum((facts.total_of(file.claim) for file in files), Decimal("0.00")),
        made_by=work.actor.id,
        state="writing",
        body=body,
    )
