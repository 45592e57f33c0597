"""Reads for billing's pages and for the portal. Scope first: the store or the tenant."""

from __future__ import annotations

from openward.billing.queries.balances import Activity, balance, ledger_lines, payments, statements

__all__ = ["Activity", "balance", "ledger_lines", "payments", "statements"]
