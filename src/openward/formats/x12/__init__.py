"""X12 5010: a strict reader and writer, the professional claim (837P) and the remittance advice (835)."""

from __future__ import annotations

from openward.formats.x12.claims import Address, Envelope, Party, Person, ProfessionalClaim, ServiceLine, Submission
from openward.formats.x12.errors import Unwritable, X12Error
from openward.formats.x12.read_835 import read_835, read_835s
from openward.formats.x12.read_837p import read_837p
from openward.formats.x12.remittance import Adjustment, ClaimPayment, ProviderAdjustment, Remittance, ServicePayment
from openward.formats.x12.write_835 import write_835
from openward.formats.x12.write_837p import write_837p

__all__ = [
    "Address",
    "Adjustment",
    "ClaimPayment",
    "Envelope",
    "Party",
    "Person",
    "ProfessionalClaim",
    "ProviderAdjustment",
    "Remittance",
    "ServiceLine",
    "ServicePayment",
    "Submission",
    "Unwritable",
    "X12Error",
    "read_835",
    "read_835s",
    "read_837p",
    "write_835",
    "write_837p",
]
