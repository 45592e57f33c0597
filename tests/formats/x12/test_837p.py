from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openward.formats.x12.claims import Party, ProfessionalClaim, ServiceLine
from openward.formats.x12.errors import Unwritable
from openward.formats.x12.read_837p import read_837p
from openward.formats.x12.write_837p import write_837p
from tests.formats.x12 import build


def _claims() -> st.SearchStrategy[ProfessionalClaim]:
    lines = st.builds(
        ServiceLine,
        code=st.sampled_from(["G0402", "J3420", "A4216"]),
        charge=st.decimals(Decimal("0.01"), Decimal("99999.99"), places=2),
        date=st.dates(dt.date(2020, 1, 1), dt.date(2030, 1, 1)),
        pointers=st.lists(st.integers(1, 2), min_size=1, max_size=2, unique=True).map(tuple),
        units=st.integers(1, 99).map(Decimal),
        modifiers=st.lists(st.sampled_from(["25", "59", "RT"]), max_size=2).map(tuple),
        control=st.integers(1, 99).map(str),
    )
    return st.builds(
        build.claim,
        st.integers(1, 9_999_999),
        lines=st.lists(lines, min_size=1, max_size=4).map(tuple),
        patient=st.sampled_from([None, None, build.BEN]),
        group_number=st.sampled_from(["", "GRP1"]),
        authorization=st.sampled_from(["", "AUTH9"]),
    ).map(lambda claim: build.replace(claim, relationship="19" if claim.patient else ""))


def _as_sent(claim: ProfessionalClaim) -> ProfessionalClaim:
    """A subscriber who is not the patient is only named: X12 wants birth date and address of the patient alone."""
    return build.replace(claim, subscriber=build.Person("OKAFOR", "ADA", "N")) if claim.patient else claim


class TestWriting:
    def test_an_outside_reader_finds_no_fault(self) -> None:
        claims = [
            build.claim(1),
            build.claim(2, patient=build.BEN, relationship="19"),
            build.claim(3, frequency="7", payer_control="PCN1", authorization="A1"),
        ]
        assert build.faults_found_outside(write_837p(claims, build.ENVELOPE)) == []

    @settings(max_examples=25, deadline=None)
    @given(st.lists(_claims(), min_size=1, max_size=4))
    def test_an_outside_reader_finds_no_fault_in_any_claims(self, claims: list[ProfessionalClaim]) -> None:
        assert build.faults_found_outside(write_837p(claims, build.ENVELOPE)) == []

    @given(st.lists(_claims(), min_size=1, max_size=5))
    def test_what_is_written_is_read_back(self, claims: list[ProfessionalClaim]) -> None:
        [submission] = read_837p(write_837p(claims, build.ENVELOPE))
        assert sorted(submission.claims, key=repr) == sorted(map(_as_sent, claims), key=repr)

    def test_a_place_of_visit_elsewhere_is_named(self) -> None:
        elsewhere = Party("NORTH HOUSE", "1679576722", address=build.CLINIC.address)
        data = write_837p([build.claim(facility=elsewhere)], build.ENVELOPE)
        assert read_837p(data)[0].claims[0].facility == elsewhere
        assert build.faults_found_outside(data) == []

    def test_the_practice_has_nine_digits_in_its_zip_code_and_a_patient_as_many_as_are_known(self) -> None:
        """005010X222A1 wants the whole ZIP code of the billing provider and of the place of the visit."""
        data = write_837p([build.claim(billing=build.replace(build.CLINIC, address=build.HOME))], build.ENVELOPE)
        [claim] = read_837p(data)[0].claims
        assert (claim.billing.address.postal_code, claim.subscriber.address.postal_code) == ("627019998", "62701")  # type: ignore[union-attr]

    def test_accents_and_delimiters_in_names_are_brought_into_the_character_set(self) -> None:
        person = build.replace(build.ADA, family="Núñez~O’Brien*", given="Zoë:\n")
        [submission] = read_837p(write_837p([build.claim(subscriber=person)], build.ENVELOPE))
        assert (submission.claims[0].subscriber.family, submission.claims[0].subscriber.given) == ("NUNEZ O'BRIEN", "ZOE")


class TestWhatCannotBeWritten:
    @pytest.mark.parametrize(
        ("facts", "fact"),
        [
            ({"member_id": ""}, "member id"),
            ({"diagnoses": ()}, "diagnoses"),
            ({"lines": ()}, "service lines"),
            ({"control": "X" * 21}, "claim number"),
            ({"subscriber": build.replace(build.ADA, birth_date=None)}, "subscriber birth date"),
            ({"subscriber": build.replace(build.ADA, address=None)}, "subscriber address"),
            ({"subscriber": build.replace(build.ADA, family="王")}, "subscriber family name"),
            ({"billing": build.replace(build.CLINIC, number="")}, "billing provider NPI"),
            ({"billing": build.replace(build.CLINIC, tax_id="")}, "billing provider tax id"),
            ({"member_id": "A*B"}, "member id"),
            ({"lines": (build.replace(build.LINES[0], pointers=(3,)),)}, "line 1 diagnosis pointers"),
            ({"frequency": "7"}, "payer's number of the earlier claim"),
        ],
    )
    def test_the_missing_fact_is_named(self, facts: dict[str, object], fact: str) -> None:
        with pytest.raises(Unwritable) as caught:
            write_837p([build.claim(**facts)], build.ENVELOPE)
        assert caught.value.fact == fact

    def test_a_file_without_claims_is_not_written(self) -> None:
        with pytest.raises(Unwritable, match="none to send"):
            write_837p([], build.ENVELOPE)


class TestReading:
    def test_every_outside_sample_is_read(self, samples: Path) -> None:
        files = sorted((samples / "837_005010X222A2").iterdir())
        assert files
        for file in files:
            for submission in read_837p(file.read_bytes()):
                assert submission.claims, file
                assert all(claim.diagnoses and claim.lines and claim.billing.name for claim in submission.claims), file

    def test_a_dependent_of_an_outside_sample_is_the_patient(self, samples: Path) -> None:
        [submission] = read_837p((samples / "837_005010X222A2" / "demo.example1.837").read_bytes())
        [claim] = submission.claims
        assert claim.patient is not None
        assert (claim.subscriber.given, claim.patient.given, claim.total) == ("JANE", "TED", Decimal("100.00"))
