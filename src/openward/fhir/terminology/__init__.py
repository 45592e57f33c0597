"""Terminology: code systems, value sets and maps, what they say about a code. https://hl7.org/fhir/R4/terminology-module.html

Other parts need `Terminology` (the implementation) or `openward.fhir.terminology.protocol.Terminology` (what it promises).
"""

from __future__ import annotations
