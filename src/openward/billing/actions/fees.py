"""Keeping the fee schedule."""

from __future__ import annotations

from collections.abc import Sequence

from openward.access.actor import Actor
from openward.billing.fees import FeeLine, read_fees
from openward.record import unit_of_work


def load_fees(*, data: bytes, by: Actor) -> int:
    """Load a CSV into the fee schedule; lines with the same code are replaced. All or nothing: raises UnreadableFees."""
    return set_fees(lines=read_fees(data), by=by)


def set_fees(*, lines: Sequence[FeeLine], by: Actor) -> int:
    """Add lines or replace those with the same code; returns how many."""
    with unit_of_work(by=by) as work, work.connection.cursor() as cursor:
        rows = [(work.tenant, line.code, line.system, line.description, line.price, list(line.charged_for), by.id) for line in lines]
        cursor.executemany(_KEEP, rows)
        return len(rows)


def retire_fee(*, code: str, by: Actor) -> None:
    """Take a line off the schedule; claims that carry it keep it."""
    with unit_of_work(by=by) as work:
        work.connection.execute(
            "update billing_fee set is_active = false, changed_by = %s where tenant = %s and code = %s", (by.id, work.tenant, code)
        )


_KEEP = """
insert into billing_fee (tenant, code, system, description, price, charged_for, changed_by) values (%s, %s, %s, %s, %s, %s, %s)
on conflict (tenant, code) do update set system = excluded.system, description = excluded.description, price = excluded.price,
  charged_for = excluded.charged_for, is_active = true, changed_at = clock_timestamp(), changed_by = excluded.changed_by
"""
