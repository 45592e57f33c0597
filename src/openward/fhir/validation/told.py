"""Rules that the specification tells in words and states in no invariant.

Those its own published examples break (addresses of entries, units of ages) are advice; the others refuse.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from openward.fhir.ucum import UnitUnknown, is_comparable
from openward.fhir.validation.targets import ABSOLUTE, TYPES, pointed_at

Data = dict[str, Any]
UCUM = "http://unitsofmeasure.org"
VERSIONED = re.compile(r"/_history/[^/]*$")


class Told(NamedTuple):
    """`keys`: where one of these is missing, the rule holds."""

    sentence: str
    is_broken: Callable[[Data], bool]
    keys: Sequence[str]
    is_error: bool


def _disagrees(reference: Data) -> bool:
    """https://hl7.org/fhir/R4/references.html#Reference: type and a reference that is a FHIR URL are consistent."""
    stated, said = reference.get("type"), reference.get("reference")
    named = pointed_at(said) if said is not None else None
    return named is not None and stated in TYPES and named != stated


def _is_misplaced(entry: Data) -> bool:
    """https://hl7.org/fhir/R4/bundle-definitions.html#Bundle.entry.fullUrl. What a request asks for is judged with the request."""
    url, resource = entry.get("fullUrl"), entry.get("resource")
    if url is None or resource is None or "request" in entry:
        return False
    if not ABSOLUTE.match(url):
        return True
    plain = VERSIONED.sub("", url)
    return pointed_at(url) is not None and "id" in resource and plain.rsplit("/", 2)[-2:] != [resource.get("resourceType"), resource["id"]]


def _measures_another(base: str) -> Callable[[Data], bool]:
    def is_broken(amount: Data) -> bool:
        code = amount.get("code")
        if code is None or amount.get("system") != UCUM:
            return False
        try:
            return not is_comparable(code, base)
        except UnitUnknown:
            return True

    return is_broken


# The most the bindings of these types allow: http://hl7.org/fhir/ValueSet/all-time-units and all-distance-units.
IN_TIME = Told("the code is not a UCUM unit of time", _measures_another("s"), ("code",), False)
IN_LENGTH = Told("the code is not a UCUM unit of length", _measures_another("m"), ("code",), False)


def _compares(key: str) -> Callable[[Data], bool]:
    def is_broken(data: Data) -> bool:
        amounts = data.get(key)
        return any(one.__class__ is dict and "comparator" in one for one in (amounts if amounts.__class__ is list else (amounts,)))

    return is_broken


# The elements of R4 that are a SimpleQuantity: https://hl7.org/fhir/R4/datatypes.html#SimpleQuantity
SIMPLE: Mapping[str, str] = {
    "ActivityDefinition": "quantity",
    "CarePlan.activity.detail": "dailyAmount quantity",
    "Claim.item": "quantity",
    "Claim.item.detail": "quantity",
    "Claim.item.detail.subDetail": "quantity",
    "ClaimResponse.addItem": "quantity",
    "ClaimResponse.addItem.detail": "quantity",
    "ClaimResponse.addItem.detail.subDetail": "quantity",
    "Contract.term.asset.valuedItem": "quantity",
    "Coverage.costToBeneficiary": "valueQuantity",
    "CoverageEligibilityRequest.item": "quantity",
    "Dosage": "maxDosePerAdministration maxDosePerLifetime",
    "Dosage.doseAndRate": "doseQuantity rateQuantity",
    "ExplanationOfBenefit.addItem": "quantity",
    "ExplanationOfBenefit.addItem.detail": "quantity",
    "ExplanationOfBenefit.addItem.detail.subDetail": "quantity",
    "ExplanationOfBenefit.item": "quantity",
    "ExplanationOfBenefit.item.detail": "quantity",
    "ExplanationOfBenefit.item.detail.subDetail": "quantity",
    "Immunization": "doseQuantity",
    "MedicationAdministration.dosage": "dose rateQuantity",
    "MedicationDispense": "daysSupply quantity",
    "MedicationKnowledge": "amount",
    "MedicationKnowledge.administrationGuidelines.patientCharacteristics": "characteristicQuantity",
    "MedicationKnowledge.drugCharacteristic": "valueQuantity",
    "MedicationKnowledge.kinetics": "areaUnderCurve lethalDose50",
    "MedicationKnowledge.packaging": "quantity",
    "MedicationKnowledge.regulatory.maxDispense": "quantity",
    "MedicationRequest.dispenseRequest": "quantity",
    "MedicationRequest.dispenseRequest.initialFill": "quantity",
    "NutritionOrder.enteralFormula": "caloricDensity maxVolumeToDeliver",
    "NutritionOrder.enteralFormula.administration": "quantity rateQuantity",
    "NutritionOrder.oralDiet.nutrient": "amount",
    "NutritionOrder.supplement": "quantity",
    "Observation.referenceRange": "high low",
    "Range": "high low",
    "SampledData": "origin",
    "Specimen.collection": "quantity",
    "Specimen.container": "capacity specimenQuantity",
    "SpecimenDefinition.typeTested.container": "capacity minimumVolumeQuantity",
    "Substance.instance": "quantity",
    "SupplyDelivery.suppliedItem": "quantity",
    "VisionPrescription.lensSpecification": "duration",
}


def _simple(keys: str) -> list[Told]:
    return [Told(f"{key} has a comparator, which a SimpleQuantity has not (sqty-1)", _compares(key), (key,), True) for key in keys.split()]


TOLD: Mapping[str, Sequence[Told]] = {
    **{type: _simple(keys) for type, keys in SIMPLE.items()},
    "Reference": [Told("type is not the type that reference points at", _disagrees, ("type", "reference"), True)],
    "Bundle.entry": [Told("fullUrl is not the absolute address of the resource with its type and id", _is_misplaced, ("fullUrl", "resource"), False)],
    "Age": [IN_TIME],
    "Duration": [IN_TIME],
    "Distance": [IN_LENGTH],
}
