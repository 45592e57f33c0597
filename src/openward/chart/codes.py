"""The code systems and codes the chart writes and looks for. See docs/conventions.md."""

from __future__ import annotations

from typing import Final

LOINC: Final = "http://loinc.org"
UCUM: Final = "http://unitsofmeasure.org"
RXNORM: Final = "http://www.nlm.nih.gov/research/umls/rxnorm"
ICD10: Final = "http://hl7.org/fhir/sid/icd-10-cm"
CVX: Final = "http://hl7.org/fhir/sid/cvx"

CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
INTERPRETATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
CRITICAL = ("HH", "LL", "AA", "HU", "LU")  # of those interpretations, what a clinician is told at once
CONDITION_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/condition-category"
CONDITION_CLINICAL: Final = "http://terminology.hl7.org/CodeSystem/condition-clinical"
CONDITION_VERIFICATION: Final = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
ALLERGY_CLINICAL: Final = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
ALLERGY_VERIFICATION: Final = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
DIAGNOSIS_ROLE: Final = "http://terminology.hl7.org/CodeSystem/diagnosis-role"
EMPTY_REASON: Final = "http://terminology.hl7.org/CodeSystem/list-empty-reason"
ACT_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"

VITAL_SIGNS: Final = "vital-signs"
LABORATORY: Final = "laboratory"

ALLERGY_LIST: Final = "48765-2"
MEDICATION_LIST: Final = "10160-0"
PROGRESS_NOTE: Final = "11506-3"

ORDER: Final = "urn:openward:order"
TASK: Final = "urn:openward:task"
REVIEW_RESULT: Final = "review-result"
ANSWER_MESSAGE: Final = "answer-message"
TAG: Final = "urn:openward:tag"
RELEASED: Final = "released"
FLOW_STATE: Final = "urn:openward:flow-state"
FLOW_SINCE: Final = "urn:openward:flow-since"

OPEN_VISIT: Final = ("arrived", "triaged", "in-progress", "onleave")
OPEN_TASK: Final = ("requested", "received", "accepted", "ready", "in-progress", "on-hold")
TAKEN_BACK: Final = ("entered-in-error", "cancelled")
"""States of a result that say: it does not hold."""
