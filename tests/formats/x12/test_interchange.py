from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openward.formats.x12.errors import X12Error
from openward.formats.x12.interchange import read_interchanges
from openward.formats.x12.read_835 import read_835, read_835s
from openward.formats.x12.read_837p import read_837p
from openward.formats.x12.write_835 import write_835
from openward.formats.x12.write_837p import write_837p
from tests.formats.x12 import build

WHOLE = write_837p([build.claim(1), build.claim(2)], build.ENVELOPE)
WRONG_TRAILER = "subscriber-health-benefit-check-error.271"
ADVICE = write_835(build.remittance(), build.ENVELOPE)


class TestEnvelopes:
    def test_every_outside_sample_is_read_with_its_counts_verified(self, samples: Path) -> None:
        files = [file for file in samples.rglob("*") if file.is_file() and file.name != WRONG_TRAILER]
        assert files
        for file in files:
            assert read_interchanges(file.read_bytes()), file

    def test_the_one_whose_trailer_has_another_control_number_is_refused(self, samples: Path) -> None:
        with pytest.raises(X12Error, match="control number"):
            read_interchanges((samples / "271_005010X279A1" / WRONG_TRAILER).read_bytes())

    def test_the_delimiters_are_those_the_header_declares(self) -> None:
        other = WHOLE.translate(bytes.maketrans(b"*:~^", b"|>'!"))
        assert read_interchanges(other)[0].groups[0].transactions[0].code == "837"

    def test_a_line_break_may_be_the_terminator(self) -> None:
        assert read_interchanges(WHOLE.replace(b"~\n", b"\n"))

    def test_several_interchanges_stay_apart(self) -> None:
        assert len(read_interchanges(WHOLE + WHOLE)) == 2


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ((b"SE*", b"SE*9"), "segments, but"),
            ((b"GE*1*", b"GE*2*"), "transaction sets, but"),
            ((b"IEA*1*", b"IEA*3*"), "groups, but"),
            ((b"IEA*1*000000007", b"IEA*1*000000008"), "control number"),
            ((b"*00501*", b"*00401*"), "version 00401"),
            ((b"OKAFOR", b"OKA\x00OR"), "control character"),
            ((b"~\nGE*", b"~\nXX1*1~\nGE*"), "GE was expected"),
            ((b"*^*00501", b"***00501"), "four different delimiters"),
        ],
    )
    def test_a_damaged_file_is_refused_with_the_reason(self, change: tuple[bytes, bytes], reason: str) -> None:
        with pytest.raises(X12Error, match=reason):
            read_interchanges(WHOLE.replace(*change))

    def test_an_empty_file_is_refused(self) -> None:
        with pytest.raises(X12Error, match="empty"):
            read_interchanges(b"  \n")

    def test_the_place_of_the_fault_is_named(self) -> None:
        with pytest.raises(X12Error) as caught:
            read_interchanges(WHOLE.replace(b"SE*43", b"SE*943"))
        assert caught.value.offset == WHOLE.index(b"SE*43")
        assert caught.value.segment

    @given(st.integers(0, len(ADVICE) - 3))
    def test_a_truncated_file_is_refused_wherever_it_ends(self, end: int) -> None:
        with pytest.raises(X12Error) as caught:
            read_835(ADVICE[:end])
        assert caught.value.offset is not None

    @given(st.integers(0, len(ADVICE) - 1), st.binary(min_size=0, max_size=3))
    def test_a_mutated_file_is_read_or_refused_and_never_a_crash(self, place: int, noise: bytes) -> None:
        with contextlib.suppress(X12Error):
            read_835s(ADVICE[:place] + noise + ADVICE[place + 1 :])

    @given(st.integers(0, len(WHOLE) - 1), st.binary(min_size=0, max_size=3))
    def test_a_mutated_claim_file_is_read_or_refused_and_never_a_crash(self, place: int, noise: bytes) -> None:
        with contextlib.suppress(X12Error):
            read_837p(WHOLE[:place] + noise + WHOLE[place + 1 :])
