"""Numbers that must not repeat, and the claim as the worklist counts it. Written in the unit of work, by SQL.

On the store's own connection, which holds back resources it has not written yet: these rows do not look at them.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from openward.access.labels import labels_of
from openward.billing import facts
from openward.fhir.resources import Claim
from openward.record import UnitOfWork


def next_number(work: UnitOfWork, name: str) -> int:
    """The next number of a series of this tenant, from 1. A number is lost when the unit of work is not kept; it is never given twice."""
    row = work.store.connection.execute(
        "insert into billing_counter (tenant, name, last) values (%s, %s, 1)"
        " on conflict (tenant, name) do update set last = billing_counter.last + 1 returning last",
        (work.tenant, name),
    ).fetchone()
    assert row
    return int(row[0])


def wait_for_claim(work: UnitOfWork, visit: str, patient: str, day: str) -> None:
    """Put a signed visit on the list of those without a claim; one that is claimed already is not put there."""
    work.store.connection.execute(
        "insert into billing_visit (tenant, visit, patient, served_on, reason) select %(tenant)s, %(visit)s, %(patient)s, %(day)s, 'queued'"
        " where not exists (select from billing_claim where tenant = %(tenant)s and visit = %(visit)s) on conflict do nothing",
        {"tenant": work.tenant, "visit": visit, "patient": patient, "day": day},
    )


def wait_because(work: UnitOfWork, visit: str, reason: str) -> None:
    """Say what a visit on the list waits for."""
    work.store.connection.execute("update billing_visit set reason = %s where tenant = %s and visit = %s", (reason, work.tenant, visit))


def billed(work: UnitOfWork, visit: str) -> None:
    """Take a visit off the list."""
    work.store.connection.execute("delete from billing_visit where tenant = %s and visit = %s", (work.tenant, visit))


def keep_claim(work: UnitOfWork, claim: Claim) -> None:
    """Let the worklist row say what the claim says; its visit waits for a claim no more."""
    if visit := facts.visit_of(claim):
        billed(work, visit)
    work.store.connection.execute(_KEEP, (*_claim_row(work.tenant, claim), facts.state_of(claim), sorted(labels_of(claim.data))))


def _claim_row(tenant: int, claim: Claim) -> tuple[int, str, str, str | None, str | None, str | None, str | None, Decimal, date | None]:
    patient, payer = facts.target(claim.patient), facts.target(claim.insurer)
    return (
        tenant,
        str(claim.id),
        facts.number_of(claim),
        patient,
        facts.visit_of(claim),
        payer,
        facts.state_of(claim),
        facts.total_of(claim),
        facts.served_on(claim),
    )


_KEEP = """
insert into billing_claim (tenant, claim, number, patient, visit, payer, state, total, served_on, submitted_at, labels)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, case when %s = 'submitted' then now() end, %s::text[])
on conflict (tenant, claim) do update set number = excluded.number, patient = excluded.patient, visit = excluded.visit, payer = excluded.payer,
  state = excluded.state, total = excluded.total, served_on = excluded.served_on, labels = excluded.labels, changed_at = clock_timestamp(),
  submitted_at = case when excluded.state = 'submitted' and billing_claim.state = 'ready' then now() else billing_claim.submitted_at end
"""
