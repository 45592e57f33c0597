"""The outside of a claim file: who sends it to whom, and the file one claim alone would make."""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone

from openward.billing import facts
from openward.billing.queries.claim_file import ClaimFile
from openward.fhir.resources import Organization
from openward.formats.x12.claims import Envelope, Party
from openward.formats.x12.from_fhir import NPI, TAX_ID
from openward.formats.x12.write_837p import write_837p
from openward.record import UnitOfWork

RECEIVER = Party("FOLDER CLEARINGHOUSE", "OWCLEAR")


def preview(file: ClaimFile) -> bytes:
    """The file this claim alone would make; nothing is kept. Raises Unwritable."""
    return write_837p([file.professional()], envelope(file.billing, 1, "T" if settings.OPENWARD_DEMO else "P"))


def envelope(billing: Organization | None, control: int, usage: str) -> Envelope:
    """Sender is the practice. `usage` is T for a trial, P for a file that is meant."""
    assert billing
    phone = next((point.value for point in billing.telecom if point.system == "phone" and point.value), "")
    tax_id = "".join(mark for mark in facts.identifier(billing, TAX_ID) if mark.isdigit())
    sender = Party(billing.name or "", tax_id or facts.identifier(billing, NPI))
    at = timezone.localtime()
    return Envelope(sender, RECEIVER, control, at.replace(tzinfo=None), "BILLING OFFICE", phone, usage=usage)


def usage(work: UnitOfWork) -> str:
    """T where the clinic was made by `openward demo`, so that no demo claim is ever taken for a real one. What was made says so, not how the
    process was started: a command or a restored copy knows it too."""
    return "T" if settings.OPENWARD_DEMO or _is_demo(work) else "P"


def _is_demo(work: UnitOfWork) -> bool:
    there = work.connection.execute("select to_regclass('demo_instance') is not null").fetchone()
    if not there or not there[0]:
        return False
    return work.connection.execute("select from demo_instance where tenant = %s limit 1", (work.tenant,)).fetchone() is not None
