from __future__ import annotations

from openward.fhir.errors import Refused


class TooLate(Refused):
    """This visit can no longer be changed here. Call the practice, or write a message."""


class NotOnOffer(Refused):
    """This time is not offered for this visit. Choose one of the free times."""
