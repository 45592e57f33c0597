"""Typed views: FHIR's names as attributes, over one dictionary that stays the truth."""

from __future__ import annotations

import copy
import datetime as dt
import pickle
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import openward.fhir.resources as resources
from openward.fhir.definitions import RESOURCE_TYPES
from openward.fhir.errors import Malformed, UnknownType
from openward.fhir.json import dumps, loads
from openward.fhir.resources import (
    Attachment,
    Bundle,
    BundleEntry,
    CodeableConcept,
    Coding,
    DetectedIssue,
    Encounter,
    Extension,
    HumanName,
    Observation,
    Patient,
    PatientContact,
    Period,
    Quantity,
    Reference,
    Resource,
    Task,
)


@pytest.fixture
def ada() -> Patient:
    return Patient(id="1", name=[HumanName(family="Okafor", given=["Ada"])], birthDate="1980-02-03")


class TestReading:
    def test_uses_fhirs_own_names(self, ada):
        assert (ada.name[0].family, ada.name[0].given[0], ada.birthDate, ada.resourceType) == ("Okafor", "Ada", "1980-02-03", "Patient")

    def test_of_an_absent_element_gives_none_or_an_empty_list(self, ada):
        assert (ada.gender, ada.maritalStatus, list(ada.telecom)) == (None, None, [])

    def test_leaves_nothing_behind(self, ada):
        before = copy.deepcopy(ada.data)
        assert (len(ada.telecom), ada.period if hasattr(ada, "period") else None, list(ada.contact), ada.extension_value("urn:x")) == (
            0,
            None,
            [],
            None,
        )
        assert ada.data == before

    def test_of_a_misspelt_element_fails(self, ada):
        with pytest.raises(AttributeError):
            ada.nmae  # noqa: B018

    def test_of_a_choice_gives_whichever_type_is_there(self):
        assert Observation.of({"resourceType": "Observation", "valueString": "x"}).value == "x"
        assert Observation.of({"resourceType": "Observation", "valueQuantity": {"unit": "g"}}).value == Quantity(unit="g")
        assert Observation().value is None

    def test_gives_decimals_for_whole_numbers_too(self):
        value = Quantity.over({"value": 5}).value
        assert (value, type(value)) == (Decimal(5), Decimal)

    def test_of_a_contained_or_entered_resource_gives_its_own_class(self):
        bundle = Bundle.of({"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Patient", "gender": "male"}}]})
        assert bundle.entry[0].resource == Patient(gender="male")

    def test_of_words_python_keeps_takes_an_underscore(self):
        assert Encounter(class_=Coding(code="AMB")).data["class"] == {"code": "AMB"}
        assert Task(for_=Reference("Patient/1")).data["for"] == {"reference": "Patient/1"}
        assert Attachment(data_="AAAA").data == {"data": "AAAA"}
        assert DetectedIssue(reference_="urn:x").data["reference"] == "urn:x"

    def test_shows_no_values_in_its_representation(self, ada):
        assert repr(ada) == "<Patient/1: name, birthDate>"
        assert "Okafor" not in repr(ada.name)


class TestWriting:
    def test_goes_into_the_dictionary(self, ada):
        ada.gender = "female"
        ada.name[0].family = "Bell"
        ada.contact = [PatientContact(gender="male")]
        assert (ada.data["gender"], ada.data["name"][0]["family"], ada.data["contact"]) == ("female", "Bell", [{"gender": "male"}])

    def test_of_none_takes_the_element_out(self, ada):
        ada.birthDate = None
        assert "birthDate" not in ada.data

    def test_of_an_empty_list_takes_the_element_out(self, ada):
        ada.name = []
        assert "name" not in ada.data

    def test_of_a_misspelt_element_fails(self, ada):
        with pytest.raises(AttributeError):
            ada.nmae = 1
        with pytest.raises(TypeError, match="no element 'nmae'"):
            Patient(nmae=1)

    @pytest.mark.parametrize(
        ("make", "reason"),
        [
            (lambda: Patient(active="yes"), "boolean is bool"),
            (lambda: Patient(active=1), "boolean is bool"),
            (lambda: Patient(birthDate=1980), "date is str"),
            (lambda: Patient(name="Ada"), "takes a list"),
            (lambda: Patient(name=[{"family": "x"}]), "takes a HumanName"),
            (lambda: Patient(maritalStatus=Coding()), "takes a CodeableConcept"),
            (lambda: Quantity(value=1.1), "Decimal or int, not float"),
            (lambda: Quantity(value=True), "Decimal or int, not bool"),
            (lambda: Observation(effective="2020"), "effectiveDateTime or effectiveInstant"),
            (lambda: Observation(value=Coding()), "does not take a Coding"),
        ],
    )
    def test_of_the_wrong_kind_of_value_fails(self, make, reason):
        with pytest.raises(TypeError, match=reason):
            make()

    def test_of_a_choice_replaces_the_other_type(self):
        observation = Observation(valueString="high")
        observation.value = Quantity(value=3)
        assert observation.data == {"resourceType": "Observation", "valueQuantity": {"value": 3}}
        observation.valueString = "high"
        assert observation.data == {"resourceType": "Observation", "valueString": "high"}
        observation.value = None
        assert observation.data == {"resourceType": "Observation"}

    def test_takes_dates_and_aware_times(self):
        at = dt.datetime(2026, 11, 3, 9, 30, tzinfo=dt.UTC)
        assert Patient(birthDate=dt.date(1980, 2, 3)).birthDate == "1980-02-03"
        assert Period(start=at).start == "2026-11-03T09:30:00+00:00"
        with pytest.raises(ValueError, match="time zone"):
            Period(start=at.replace(tzinfo=None))


class TestLists:
    def test_write_through(self, ada):
        ada.name[0].given.append("Mae")
        ada.telecom.extend([])
        assert ada.data["name"] == [{"family": "Okafor", "given": ["Ada", "Mae"]}]
        assert "telecom" not in ada.data

    def test_take_their_key_away_with_the_last_item(self, ada):
        ada.name[0].given.remove("Ada")
        assert ada.data["name"] == [{"family": "Okafor"}]
        ada.name.clear()
        assert "name" not in ada.data

    def test_slice_reverse_and_compare(self, ada):
        given_names = ada.name[0].given
        given_names[:] = ["A", "B", "C"]
        given_names.reverse()
        assert given_names[:2] == ["C", "B"]
        assert given_names == ["C", "B", "A"]

    def test_add_in_place(self, ada):
        ada.name += [HumanName(text="Ada")]
        assert len(ada.data["name"]) == 2

    def test_keep_primitive_extensions_in_step(self):
        note = {"extension": [{"url": "urn:x", "valueString": "y"}]}
        name = HumanName.over({"given": ["A", "B"], "_given": [None, note]})
        name.given.insert(0, "Z")
        assert name.data == {"given": ["Z", "A", "B"], "_given": [None, None, note]}
        del name.given[2]
        assert name.data == {"given": ["Z", "A"]}


class TestReferences:
    def test_are_made_from_resources(self, ada):
        assert ada.reference == Reference.to(ada) == Reference("Patient/1")

    def test_need_an_id(self):
        with pytest.raises(ValueError, match="no id"):
            Reference.to(Patient())

    @pytest.mark.parametrize(
        ("literal", "type", "id"),
        [
            ("Patient/1", "Patient", "1"),
            ("https://x/fhir/Patient/1/_history/2", "Patient", "1"),
            ("#p", None, None),
            ("urn:uuid:0b1", None, None),
            (None, None, None),
        ],
    )
    def test_know_what_they_point_at(self, literal, type, id):
        reference = Reference(literal)
        assert (reference.type, reference.target_id) == (type, id)

    def test_state_their_type_when_it_is_there(self):
        assert Reference("urn:uuid:1", type="Patient").type == "Patient"


class TestExtensions:
    URL = "urn:openward:duration-minutes"

    def test_are_set_read_and_taken_out(self, ada):
        ada.set_extension(self.URL, valueInteger=20)
        ada.set_extension(self.URL, valueInteger=30)
        assert (ada.extension_value(self.URL), ada.data["extension"]) == (30, [{"url": self.URL, "valueInteger": 30}])
        ada.set_extension(self.URL)
        assert "extension" not in ada.data

    def test_give_elements_as_views(self, ada):
        ada.extension.append(Extension(url=self.URL, value=Period(start="2020")))
        assert ada.extension_value(self.URL).start == "2020"


class TestResources:
    def test_of_gives_the_class_that_the_resource_names(self):
        assert type(Resource.of({"resourceType": "Patient"})) is Patient

    def test_of_another_type_is_refused(self):
        with pytest.raises(Malformed, match="This is Observation, not Patient"):
            Patient.of({"resourceType": "Observation"})

    @pytest.mark.parametrize("name", ["Nothing", "HumanName.x", None, 3])
    def test_of_no_type_is_refused(self, name):
        with pytest.raises(UnknownType):
            Resource.of({"resourceType": name})

    def test_are_equal_by_data(self, ada):
        assert ada == Patient.of(copy.deepcopy(ada.data))
        assert ada != Patient(id="1")

    def test_copy_and_pickle_share_nothing(self, ada):
        for twin in (ada.copy(), copy.deepcopy(ada), pickle.loads(pickle.dumps(ada))):
            twin.name[0].family = "Bell"
            assert ada.name[0].family == "Okafor"

    @pytest.mark.parametrize("type", RESOURCE_TYPES)
    def test_exist_for_every_type(self, type):
        assert getattr(resources, type)().data == {"resourceType": type}

    def test_unknown_names_cannot_be_imported(self):
        with pytest.raises(AttributeError, match="no type 'Pateint'"):
            resources.Pateint  # noqa: B018


TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1)
AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=3)


class TestRoundTrip:
    @given(AMOUNTS, TEXT, TEXT)
    def test_keeps_digits_and_unknown_extensions(self, amount, unit, url):
        observation = Observation(code=CodeableConcept(text=unit), value=Quantity(value=amount, unit=unit))
        observation.extension.append(Extension(url=url, valueDecimal=amount))
        again = Observation.of(loads(dumps(observation.data)))
        assert again == observation
        assert str(again.value.value) == str(amount)
        assert str(again.extension_value(url)) == str(amount)

    @given(st.lists(TEXT, max_size=5))
    def test_keeps_lists(self, given_names):
        entry = BundleEntry(resource=Patient(name=[HumanName(family="x", given=given_names)]))
        assert list(BundleEntry.over(loads(dumps(entry.data))).resource.name[0].given) == given_names
