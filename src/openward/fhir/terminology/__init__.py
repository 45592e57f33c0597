"""Terminology: code systems, value sets and maps, what they say about a code. https://hl7.org/fhir/R4/terminology-module.html

Other parts need `Terminology` (the implementation) or `openward.fhir.terminology.protocol.Terminology` (what it promises).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openward.fhir.terminology.service import Terminology as Terminology

__all__ = ["Terminology"]


def __getattr__(name: str) -> Any:
    """Loaded when first used: the protocol is imported by parts that this one stands on."""
    if name == "Terminology":
        from openward.fhir.terminology.service import Terminology

        return Terminology
    raise AttributeError(name)
