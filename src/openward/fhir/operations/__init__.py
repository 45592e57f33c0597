"""FHIR operations, one file each; a module put here is found by itself. https://hl7.org/fhir/R4/operations.html"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

for _module in iter_modules(__path__, f"{__name__}."):
    import_module(_module.name)
