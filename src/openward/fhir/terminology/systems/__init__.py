"""Code systems by how their codes are known: from memory, from tables, by a grammar."""

from __future__ import annotations

from openward.fhir.terminology.systems.system import CodeSystem, Property

__all__ = ["CodeSystem", "Property"]
