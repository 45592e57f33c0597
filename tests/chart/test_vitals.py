"""Vital signs: units, what cannot be, what is unlikely, what is abnormal at an age, and how they are stored."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from openward.chart import vitals
from openward.chart.actions import record_vitals
from openward.chart.actions.vitals import strike_vitals
from openward.chart.errors import Implausible
from openward.chart.forms.vitals import VitalsForm
from openward.chart.presenters.filling import fillings
from openward.chart.presenters.vitals import VitalsCard
from openward.chart.queries.summary import read_chart
from openward.fhir.errors import NotFound
from openward.fhir.resources import Observation
from openward.record import open_store
from tests.chart.conftest import VISIT_ID

SIGNS = vitals.signs()


class TestUnits:
    @pytest.mark.parametrize(
        ("sign", "typed", "unit", "stored"),
        [
            ("temperature", "98.6", "°F", "37.0"),
            ("temperature", "37.2", "°C", "37.2"),
            ("temperature", "104", "°F", "40.0"),
            ("weight", "154", "lb", "69.9"),
            ("weight", "70.04", "kg", "70.0"),
            ("height", "70", "in", "177.8"),
            ("pulse", "72", "beats/min", "72"),
        ],
    )
    def test_are_converted_to_the_one_of_the_record(self, sign, typed, unit, stored):
        assert vitals.to_own_unit(SIGNS[sign], Decimal(typed), unit) == Decimal(stored)

    def test_body_mass_index(self):
        assert vitals.body_mass_index(Decimal("70"), Decimal("170")) == Decimal("24.2")


class TestUnitsFromElsewhere:
    @pytest.mark.parametrize(
        ("sign", "measured", "unit", "value"),
        [
            ("weight", "3400", "g", "3.40"),
            ("weight", "120", "[oz_av]", "3.40"),
            ("weight", "180", "lbs", "81.6"),
            ("height", "1.73", "m", "173.0"),
            ("temperature", "310.15", "K", "37.0"),
            ("temperature", "98.6", "degF", "37.0"),
            ("systolic", "16", "kPa", "120"),
            ("oxygen", "0.98", "1", "98"),
            ("pulse", "72", "bpm", "72"),
            ("pulse", "72", "", "72"),
        ],
    )
    def test_are_converted(self, sign, measured, unit, value):
        """FHIR's body weight profile allows g, kg and lb: 3400 g stood as 3400.0 kg. https://hl7.org/fhir/R4/bodyweight.html"""
        assert vitals.in_own_unit(SIGNS[sign], Decimal(measured), unit) == Decimal(value)

    @pytest.mark.parametrize(("sign", "unit"), [("weight", ""), ("weight", "stone-ish"), ("weight", "cm"), ("temperature", ""), ("pulse", "kg")])
    def test_that_are_none_of_the_sign_or_could_be_two_are_no_reading(self, sign, unit):
        assert vitals.in_own_unit(SIGNS[sign], Decimal(98), unit) is None

    @pytest.mark.parametrize(("typed", "unit", "stored"), [("3.45", "kg", "3.45"), ("7.6", "lb", "3.45"), ("81.65", "kg", "81.7")])
    def test_a_small_weight_keeps_what_was_read(self, typed, unit, stored):
        """3.45 kg was stored as 3.5: a newborn's gain of two days."""
        assert vitals.to_own_unit(SIGNS["weight"], Decimal(typed), unit) == Decimal(stored)


class TestMarks:
    @pytest.mark.parametrize(
        ("sign", "value", "age", "expected"),
        [
            ("systolic", "118", "40", "N"),
            ("systolic", "130", "40", "H"),
            ("systolic", "180", "40", "HH"),
            ("systolic", "90", "40", "LL"),
            ("systolic", "110", "8", "H"),
            ("systolic", "110", "15", "N"),
            ("diastolic", "80", "40", "H"),
            ("pulse", "130", "0.5", "N"),
            ("pulse", "130", "30", "H"),
            ("pulse", "131", "30", "HH"),
            ("pulse", "40", "30", "LL"),
            ("respiration", "40", "0.5", "N"),
            ("respiration", "25", "30", "HH"),
            ("temperature", "38.0", "0.1", "HH"),
            ("temperature", "38.0", "30", "N"),
            ("temperature", "38.1", "30", "H"),
            ("oxygen", "96", "30", "N"),
            ("oxygen", "91", "30", "LL"),
            ("bmi", "31", "30", "H"),
            ("bmi", "31", "12", "N"),
        ],
    )
    def test_depend_on_the_age(self, sign, value, age, expected):
        assert SIGNS[sign].at(Decimal(age)).mark(Decimal(value)) == expected

    def test_every_marked_sign_names_its_source(self):
        marked = [sign for sign in SIGNS.values() if any(row.low or row.high for row in sign.ranges)]
        assert [sign.key for sign in marked if not sign.sources] == ["pain"]


def form(age: str = "40", last: dict[str, Decimal] | None = None, **typed: str) -> VitalsForm:
    filled = VitalsForm(typed, age=Decimal(age), last=last)
    filled.is_valid()
    return filled


class TestTheForm:
    def test_refuses_what_cannot_be(self):
        assert "cannot be right" in str(form(pulse="720").errors["pulse"])

    def test_says_the_limits_in_the_unit_that_was_typed(self):
        assert "113.0 °F" in str(form(temperature="370", temperature_unit="°F").errors["temperature"])

    def test_questions_what_is_unlikely(self):
        assert "Unlikely" in str(form(pulse="155").errors["pulse"])

    def test_takes_the_unlikely_when_it_is_confirmed(self):
        assert form(pulse="155", confirm="on").values == {"pulse": Decimal("155")}

    def test_questions_a_weight_typed_in_the_wrong_unit(self):
        assert "last time" in str(form(last={"weight": Decimal("70")}, weight="154", weight_unit="kg").errors["weight"])

    def test_wants_both_blood_pressures(self):
        assert "both" in str(form(systolic="120").errors["diastolic"])

    def test_refuses_a_diastolic_above_the_systolic(self):
        assert "below" in str(form(systolic="80", diastolic="120").errors["diastolic"])

    def test_refuses_to_save_nothing(self):
        assert form().errors["__all__"]

    def test_asks_the_head_of_small_children_only(self):
        assert "head" in form(age="1").fields
        assert "head" not in form(age="5").fields

    @pytest.mark.parametrize("nonsense", ["abc", "NaN", "1e9", "--5"])
    def test_refuses_what_is_no_number(self, nonsense):
        assert form(pulse=nonsense).errors["pulse"]


class TestRecording:
    def test_stores_one_observation_a_sign_with_unit_mark_and_visit(self, clinic, nurse):
        (stored,) = record_vitals(patient=clinic.patient, values={"pulse": Decimal("110")}, by=nurse)
        found = clinic.read(Observation, stored.id)
        quantity = found.valueQuantity
        assert (str(quantity.value), quantity.code, found.interpretation[0].coding[0].code, found.encounter.target_id) == (
            "110",
            "/min",
            "H",
            VISIT_ID,
        )

    def test_stores_blood_pressure_as_a_panel_of_two(self, clinic, nurse):
        (stored,) = record_vitals(patient=clinic.patient, values={"systolic": Decimal("182"), "diastolic": Decimal("95")}, by=nurse)
        assert [part.code.coding[0].code for part in stored.component] == ["8480-6", "8462-4"]

    def test_computes_the_body_mass_index(self, clinic, nurse):
        made = record_vitals(patient=clinic.patient, values={"weight": Decimal("70.0"), "height": Decimal("170.0")}, by=nurse)
        assert [one.valueQuantity.value for one in made if one.code.coding[0].code == "39156-5"] == [Decimal("24.2")]

    def test_refuses_the_impossible_whoever_asks(self, clinic, nurse):
        with pytest.raises(Implausible):
            record_vitals(patient=clinic.patient, values={"pulse": Decimal("720")}, by=nurse)
        assert clinic.all(Observation) == []


class TestStriking:
    """A weight entered for the wrong patient stood in the chart for good: nobody at a screen could say that it was a mistake."""

    @pytest.fixture
    def taken(self, clinic, nurse) -> dict[str, Observation]:
        values = {"weight": Decimal("70.0"), "height": Decimal("170.0"), "pulse": Decimal(72)}
        return {one.code.coding[0].code: one for one in record_vitals(patient=clinic.patient, values=values, by=nurse)}

    def states(self, clinic) -> dict[str, str]:
        return {one.code.coding[0].code: one.status for one in clinic.all(Observation)}

    def test_marks_it_and_the_index_computed_from_it(self, clinic, nurse, taken):
        strike_vitals(patient=clinic.patient, observation=str(taken["29463-7"].id), by=nurse)
        wrong = "entered-in-error"
        assert self.states(clinic) == {"29463-7": wrong, "39156-5": wrong, "8302-2": "final", "8867-4": "final"}

    def test_leaves_the_index_where_a_pulse_was_wrong(self, clinic, nurse, taken):
        strike_vitals(patient=clinic.patient, observation=str(taken["8867-4"].id), by=nurse)
        assert self.states(clinic)["39156-5"] == "final"

    def test_is_for_vital_signs_of_this_patient_only(self, clinic, nurse, taken):
        other = clinic.put(resourceType="Patient", name=[{"family": "Nakamura", "given": ["Adam"]}])
        with pytest.raises(NotFound):
            strike_vitals(patient=str(other.id), observation=str(taken["8867-4"].id), by=nurse)

    def test_is_not_for_a_laboratory_result(self, full_chart, nurse):
        with pytest.raises(NotFound):
            strike_vitals(patient=full_chart.patient, observation="lab-1", by=nurse)

    def test_from_the_trend_by_its_own_panel(self, clinic, sign_in, taken):
        browser = sign_in("nurse")
        address = f"/chart/{clinic.patient}/vitals/{taken['8867-4'].id}/wrong/"
        assert address in browser.get(f"/chart/{clinic.patient}/trends/vital/pulse/").content.decode()
        assert "72 beats/min" in browser.get(address).content.decode()
        browser.post(address, {})
        assert self.states(clinic)["8867-4"] == "entered-in-error"

    def test_is_not_offered_to_who_may_not_record(self, clinic, sign_in, taken):
        browser = sign_in("biller")
        address = f"/chart/{clinic.patient}/vitals/{taken['8867-4'].id}/wrong/"
        assert browser.post(address, {}).status_code == 404
        assert self.states(clinic)["8867-4"] == "final"


class TestTheCard:
    def observation(self, value: str, at: str, **more):
        data = {
            "resourceType": "Observation",
            "id": at,
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
            "effectiveDateTime": at,
            "valueQuantity": {"value": Decimal(value), "code": "/min"},
            **more,
        }
        return Observation.of(data)

    def test_shows_the_latest_with_its_trend(self):
        card = VitalsCard([self.observation("90", "2026-11-02T09:00:00Z"), self.observation("72", "2026-11-01T09:00:00Z")], "1970-01-01", Decimal(56))
        row = card.rows[0]
        assert (row.value, row.trend, row.history) == ("90", "up", (72.0, 90.0))

    def test_the_latest_is_the_latest_whatever_zone_it_was_written_in(self):
        """A device writes 20:00-05:00, which is 01:00Z of the next day: compared as texts the older value of 23:00Z stood as the latest."""
        card = VitalsCard([self.observation("60", "2026-11-20T23:00:00Z"), self.observation("140", "2026-11-20T20:00:00-05:00")], None, None)
        assert card.rows[0].value == "140"

    def test_what_was_not_taken_with_the_latest_says_when(self):
        """A height of last year and a pressure of Thursday stood below "Latest" and today's date."""
        codes = {"8302-2": "2025-11-20T15:00:00Z", "9279-1": "2026-11-20T14:00:00Z", "8867-4": "2026-11-20T15:00:00Z"}
        taken = [self.observation("60", at, code={"coding": [{"system": "http://loinc.org", "code": code}]}) for code, at in codes.items()]
        taken[0].valueQuantity.code = "cm"
        card = VitalsCard(taken, None, None)
        assert {row.key: card.earlier(row) for row in card.rows} == {"height": "20-Nov-2025", "respiration": "09:00", "pulse": ""}

    def test_what_is_in_a_unit_of_something_else_is_no_row(self):
        assert VitalsCard([self.observation("60", "2026-11-20T23:00:00Z", valueQuantity={"value": Decimal(60), "code": "kg"})], None, None).is_empty

    def pressure(self, at: str, **halves: int) -> Observation:
        codes = {"upper": "8480-6", "lower": "8462-4"}
        parts = [
            {"code": {"coding": [{"system": "http://loinc.org", "code": codes[name]}]}, "valueQuantity": {"value": Decimal(value), "code": "mm[Hg]"}}
            for name, value in halves.items()
        ]
        code = {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]}
        return Observation.of({"resourceType": "Observation", "id": at, "status": "final", "code": code, "effectiveDateTime": at, "component": parts})

    def test_half_a_blood_pressure_is_not_made_whole_with_the_half_of_another_day(self):
        """It stood as 190/70, which nobody measured."""
        taken = [self.pressure("2026-11-20T09:00:00Z", upper=118, lower=70), self.pressure("2026-11-21T09:00:00Z", upper=190)]
        assert VitalsCard(taken, None, None).rows[0].value == "190/–"

    def test_half_a_blood_pressure_alone_is_shown(self):
        assert VitalsCard([self.pressure("2026-11-21T09:00:00Z", lower=130)], None, None).rows[0].value == "–/130"

    def test_halves_that_came_as_two_observations_of_one_moment_are_one(self):
        taken = [self.pressure("2026-11-21T09:00:00Z", upper=118), self.pressure("2026-11-21T04:00:00-05:00", lower=70)]
        assert VitalsCard(taken, None, None).rows[0].value == "118/70"

    def test_says_when_nobody_measured(self):
        card = VitalsCard([], "1970-01-01", Decimal(56))
        assert (card.is_empty, card.taken) == (True, "Never measured here")

    def test_leaves_out_what_was_entered_in_error(self):
        assert VitalsCard([self.observation("9", "2026-11-02T09:00:00Z", status="entered-in-error")], None, None).is_empty

    def test_believes_the_mark_that_came_with_the_value(self):
        stated = {"interpretation": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "code": "HH"}]}]}
        assert VitalsCard([self.observation("72", "2026-11-02T09:00:00Z", **stated)], "1970-01-01", Decimal(56)).rows[0].mark == "HH"


def test_a_note_says_of_each_vital_sign_when_it_was_taken(clinic, nurse):
    """A pulse of 12:11 was written into the note as one of 11:17, the time of the first line."""
    category = [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}]}]
    for code, value, unit, at in (("8867-4", 73, "/min", "2026-11-20T17:11:00Z"), ("9279-1", 16, "/min", "2026-11-20T16:17:00Z")):
        clinic.put(
            resourceType="Observation",
            status="final",
            category=category,
            code={"coding": [{"system": "http://loinc.org", "code": code}]},
            subject={"reference": f"Patient/{clinic.patient}"},
            effectiveDateTime=at,
            valueQuantity={"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
        )
    told = fillings(["vitals"], read_chart(open_store(nurse), clinic.patient), dt.date(2026, 11, 20))
    assert told == "Vital signs 11:17: Breathing 16 breaths/min.\nVital signs 12:11: Pulse 73 beats/min."
