"""The Unified Code for Units of Measure: what a unit measures, whether two compare, amounts from one to another. https://ucum.org/ucum"""

from __future__ import annotations

from openward.fhir.ucum.convert import NotComparable, canonical, canonical_code, convert, exact, is_comparable
from openward.fhir.ucum.units import Unit, UnitUnknown, is_unit, unit

__all__ = ["NotComparable", "Unit", "UnitUnknown", "canonical", "canonical_code", "convert", "exact", "is_comparable", "is_unit", "unit"]
