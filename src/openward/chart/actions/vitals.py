"""Recording vital signs: one Observation each, blood pressure as a panel of two, the BMI computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from openward.access.actor import Actor
from openward.chart import vitals
from openward.chart.actions.writing import coded, must_exist, now_text, patient_reference, practitioner, visit_reference, without_empty
from openward.chart.codes import CATEGORY, INTERPRETATION, LOINC, TAKEN_BACK, UCUM, VITAL_SIGNS
from openward.chart.errors import Implausible
from openward.chart.presenters.wording import has_code
from openward.chart.queries.patients import age_of, current_visit
from openward.chart.vitals import BLOOD_PRESSURE, Sign
from openward.fhir.errors import NotFound
from openward.fhir.resources import CodeableConcept, Coding, Observation, ObservationComponent, Quantity
from openward.fhir.store import Store
from openward.record import unit_of_work

COMPUTED_FROM = {"29463-7", "8302-2"}
"""LOINC of weight and height: what the body mass index was computed from."""


def record_vitals(*, patient: str, values: Mapping[str, Decimal], by: Actor, visit: str | None = None) -> list[Observation]:
    """Store the values (sign key → value in the sign's own unit) as measured now. Raises Implausible for what cannot be."""
    with unit_of_work(by=by) as work:
        person = must_exist(work.store, patient)
        for key, value in values.items():
            _refuse_impossible(vitals.signs()[key], value)
        visit = visit or getattr(current_visit(work.store, patient), "id", None)
        whole = dict(values)
        if "weight" in whole and "height" in whole:
            whole["bmi"] = vitals.body_mass_index(whole["weight"], whole["height"])
        taking = Taking(patient, visit, now_text(), by, age_of(person))
        made = [_observation(sign, whole[key], taking) for key, sign in vitals.signs().items() if key in whole and not sign.panel]
        if pressure := _blood_pressure(whole, taking):
            made.insert(0, pressure)
        return [work.store.create(one) for one in made]


def strike_vitals(*, patient: str, observation: str, by: Actor) -> list[Observation]:
    """The measurement was a mistake (another patient's, a slip of the hand): it stays in the record as entered in error and counts nowhere.

    The body mass index that was computed from it goes with it. Raises NotFound for what is no vital sign of this patient.
    """
    with unit_of_work(by=by) as work:
        wrong = measurement(work.store, patient, observation)
        struck = [wrong, *(_computed_with(work.store, wrong) if _codes(wrong) & COMPUTED_FROM else [])]
        for one in struck:
            one.status = "entered-in-error"
            work.store.update(one)
        return struck


def measurement(store: Store, patient: str, observation: str) -> Observation:
    """A vital sign of this patient that still holds. Raises NotFound."""
    found = store.read(Observation, observation)
    whose = found.subject.target_id if found.subject is not None else None
    if whose != patient or not has_code(found.category, VITAL_SIGNS) or found.status in TAKEN_BACK:
        raise NotFound(type="Observation", id=observation)
    return found


def _computed_with(store: Store, wrong: Observation) -> list[Observation]:
    """The index of the same taking, which nobody measured."""
    if wrong.subject is None or not wrong.effectiveDateTime:
        return []
    index = f"{LOINC}|{vitals.signs()['bmi'].loinc}"
    asked = {"patient": str(wrong.subject.target_id), "code": index, "date": str(wrong.effectiveDateTime), "_count": 10}
    return [one for one in store.search(Observation, asked).resources if one.status not in TAKEN_BACK]


def _codes(observation: Observation) -> set[str | None]:
    return {coding.code for coding in observation.code.coding} if observation.code is not None else set()


def _refuse_impossible(sign: Sign, value: Decimal) -> None:
    if not vitals.is_possible(sign, value):
        low, high = sign.possible
        raise Implausible(sign=sign.title, value=value, unit=sign.unit, low=low, high=high)


@dataclass(frozen=True, slots=True)
class Taking:
    """One taking of vital signs: whose, in which visit, when (UTC), by whom, at what age."""

    patient: str
    visit: str | None
    at: str
    by: Actor
    age: Decimal | None

    def observation(self) -> Observation:
        performer = practitioner(self.by)
        return Observation(
            **without_empty(
                status="final",
                category=[coded(CATEGORY, VITAL_SIGNS, display="Vital Signs")],
                subject=patient_reference(self.patient),
                encounter=visit_reference(self.visit),
                effectiveDateTime=self.at,
                performer=[performer] if performer else [],
            )
        )


def _observation(sign: Sign, value: Decimal, taking: Taking) -> Observation:
    made = taking.observation()
    made.code = _code(sign)
    made.valueQuantity = _quantity(sign, value)
    made.interpretation = [_mark(sign, value, taking.age)]
    return made


def _blood_pressure(values: Mapping[str, Decimal], taking: Taking) -> Observation | None:
    upper_and_lower = [vitals.signs()[key] for key in ("systolic", "diastolic") if key in values]
    if not upper_and_lower:
        return None
    made = taking.observation()
    made.code = CodeableConcept(
        coding=[Coding(system=LOINC, code=BLOOD_PRESSURE, display="Blood pressure panel with all children optional")], text="Blood pressure"
    )
    for sign in upper_and_lower:
        part = ObservationComponent(code=_code(sign), valueQuantity=_quantity(sign, values[sign.key]))
        part.interpretation = [_mark(sign, values[sign.key], taking.age)]
        made.component.append(part)
    return made


def _code(sign: Sign) -> CodeableConcept:
    codings = [Coding(system=LOINC, code=sign.loinc, display=sign.display)]
    if sign.also:
        codings.append(Coding(system=LOINC, code=sign.also))
    return CodeableConcept(coding=codings, text=sign.title)


def _quantity(sign: Sign, value: Decimal) -> Quantity:
    return Quantity(value=value, unit=sign.unit, system=UCUM, code=sign.ucum)


def _mark(sign: Sign, value: Decimal, age: Decimal | None) -> CodeableConcept:
    return coded(INTERPRETATION, sign.at(age).mark(value))
