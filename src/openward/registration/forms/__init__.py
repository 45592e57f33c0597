"""The forms of registration."""

from __future__ import annotations

from openward.registration.forms.coverage import CoverageForm
from openward.registration.forms.patient import DifferentPersonForm, PatientForm

__all__ = ["CoverageForm", "DifferentPersonForm", "PatientForm"]
