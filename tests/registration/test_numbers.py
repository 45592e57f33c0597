"""Medical record numbers: one each, nobody else's, for ever; whoever registers and however many at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from openward.fhir.resources import HumanName, Patient
from openward.record import open_store
from openward.registration import facts
from openward.registration.errors import NumberFixed, NumberTaken
from tests import cast

pytestmark = pytest.mark.django_db


def register(**changed: object) -> Patient:
    return open_store(cast.client()).create(Patient(name=[HumanName(family="Okafor", given=["Ada"])], **changed))


class TestGivingANumber:
    def test_a_patient_without_one_gets_one(self) -> None:
        number = facts.record_number(register())
        assert number is not None
        assert number.startswith("OW-")
        assert len(number) == 9

    def test_two_patients_get_two(self) -> None:
        assert facts.record_number(register()) != facts.record_number(register())

    def test_one_that_came_with_the_patient_is_kept(self) -> None:
        assert facts.record_number(register(identifier=[facts.number_identifier("OW-900001")])) == "OW-900001"

    def test_one_that_is_somebody_elses_is_refused(self) -> None:
        register(identifier=[facts.number_identifier("OW-900001")])
        with pytest.raises(NumberTaken, match="OW-900001 belongs to another patient"):
            register(identifier=[facts.number_identifier("OW-900001")])

    def test_a_number_that_came_from_outside_is_never_given_again(self) -> None:
        ahead = int((facts.record_number(register()) or "OW-0")[3:]) + 1
        register(identifier=[facts.number_identifier(f"OW-{ahead:06d}")])
        assert facts.record_number(register()) == f"OW-{ahead + 1:06d}"

    def test_other_identifiers_stay(self) -> None:
        from openward.fhir.resources import Identifier

        assert len(register(identifier=[Identifier(system="urn:elsewhere", value="7")]).identifier) == 2


class TestKeepingANumber:
    def test_an_update_without_it_does_not_lose_it(self) -> None:
        patient = register()
        number = facts.record_number(patient)
        patient.identifier = []
        assert facts.record_number(open_store(cast.client()).update(patient)) == number

    def test_it_cannot_be_changed(self) -> None:
        patient = register()
        patient.identifier = [facts.number_identifier("OW-999999")]
        with pytest.raises(NumberFixed):
            open_store(cast.client()).update(patient)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("committed_db")
class TestAtTheSameTime:
    def test_eight_registrations_get_eight_numbers(self) -> None:
        def one(_: int) -> str | None:
            try:
                return facts.record_number(register())
            finally:
                connection.close()

        with ThreadPoolExecutor(8) as pool:
            numbers = list(pool.map(one, range(8)))
        assert len(set(numbers)) == 8
        assert None not in numbers
