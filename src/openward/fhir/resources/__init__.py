"""Typed views over FHIR resources: attributes in FHIR's own names, over the resource's own dictionary.

    patient = Patient(name=[HumanName(family="Okafor", given=["Ada"])], birthDate="1980-02-03")
    patient.name[0].family      # "Okafor"
    patient.telecom             # [] — lists are never None
    patient.data                # {"resourceType": "Patient", "name": [...], "birthDate": "1980-02-03"}

Every resource type, data type and backbone element (`PatientContact` for `Patient.contact`) can be imported from here; a class is made
when it is first asked for. `__init__.pyi`, generated with the definitions, tells the type checker what each one has.
Words Python or this package keeps for itself take an underscore: `encounter.class_`, `task.for_`, `attachment.data_`.
"""

from __future__ import annotations

from typing import Any

from openward.fhir.resources.making import class_names, view_class


def __getattr__(name: str) -> Any:
    try:
        return view_class(name)
    except KeyError:
        raise AttributeError(f"FHIR R4 has no type {name!r}") from None


def __dir__() -> list[str]:
    return sorted(class_names())
