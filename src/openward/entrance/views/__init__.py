"""The doors, by kind. Every success and failure leaves an audit event; no answer tells who exists."""

from __future__ import annotations

from openward.entrance.sitting import enter

__all__ = ["enter"]
