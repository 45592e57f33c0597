"""The changes a PATCH may carry: JSON Patch, XML Patch, FHIRPath Patch. https://hl7.org/fhir/R4/http.html#patch"""

from __future__ import annotations

from openward.fhir.patch.documents import MEDIA_TYPES, Patch, patch_by_fhirpath, patch_in_entry, patch_of
from openward.fhir.patch.failure import PatchFailed

__all__ = ["MEDIA_TYPES", "Patch", "PatchFailed", "patch_by_fhirpath", "patch_in_entry", "patch_of"]
