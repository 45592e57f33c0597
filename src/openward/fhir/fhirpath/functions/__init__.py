"""FHIRPath's functions, one module per chapter of the specification; all are found by themselves."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from openward.fhir.fhirpath.functions.registry import FUNCTIONS, Function

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = ["FUNCTIONS", "Function"]
