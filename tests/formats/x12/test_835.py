from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openward.formats.x12.adjustment_codes import Meaning, meaning, reason
from openward.formats.x12.errors import X12Error
from openward.formats.x12.read_835 import read_835, read_835s
from openward.formats.x12.remittance import Adjustment, ProviderAdjustment
from openward.formats.x12.write_835 import write_835
from tests.formats.x12 import build

D = Decimal


class TestReadingOutsideSamples:
    def test_each_balances(self, samples: Path) -> None:
        files = sorted((samples / "835_005010X221A1").iterdir())
        assert files
        for file in files:
            assert read_835(file.read_bytes()).problems == (), file

    def test_the_payment_and_its_claims_are_those_of_the_file(self, samples: Path) -> None:
        advice = read_835((samples / "835_005010X221A1" / "managed-care.835").read_bytes())
        assert (advice.amount, advice.trace, advice.payer_id, advice.payer_name) == (D("945.00"), "7170066655", "1935665544", "RUSHMORE LIFE")
        assert [(claim.claim, claim.charge, claim.paid) for claim in advice.claims] == [
            ("5554555444", D("800.00"), D("450.00")),
            ("8765432112", D("1200.00"), D("495.00")),
        ]
        assert advice.claims[0].all_adjustments == (Adjustment("CO", "A2", D("50.00")), Adjustment("PR", "1", D("300.00")))

    def test_money_outside_claims_is_read(self, samples: Path) -> None:
        advice = read_835((samples / "835_005010X221A1" / "medicare-part-a.835").read_bytes())
        [taken] = advice.provider_adjustments
        assert (taken.reason, taken.reference, taken.amount) == ("CV", "CP", D("-1.27"))

    def test_services_carry_their_own_reasons_and_allowed_amount(self, samples: Path) -> None:
        advice = read_835((samples / "835_005010X221A1" / "secondary-payment.835").read_bytes())
        first, second = advice.claims[1].services
        assert (first.code, first.modifiers, first.allowed) == ("12345", ("26",), D("150.00"))
        assert [each.amount for each in second.adjustments] == [D("150.00"), D("70.00"), D("85.00")]


class TestBalance:
    def test_a_whole_advice_has_no_problem(self) -> None:
        assert build.remittance().problems == ()

    @pytest.mark.parametrize(
        ("facts", "words"),
        [
            ({"amount": D("71.00")}, "the payment is 71.00"),
            ({"provider_adjustments": (ProviderAdjustment("1234567893", build.DAY, "WO", "X", D("5.00")),)}, "less provider adjustments"),
            ({"claims": (build.claim_payment(charge=D("121.00")),)}, "claim OW0000001: charge less adjustments"),
            ({"claims": (build.claim_payment(services=(build.service(paid=D("69.00")),)),)}, "line 1"),
        ],
    )
    def test_each_level_is_checked(self, facts: dict[str, object], words: str) -> None:
        assert any(words in problem for problem in build.remittance(**facts).problems)

    @given(st.integers(1, 100_000), st.sampled_from(["amount", "claim", "service"]))
    def test_a_cent_more_anywhere_is_noticed(self, cents: int, place: str) -> None:
        more = D(cents) / 100
        wrong = {
            "amount": {"amount": D("70.00") + more},
            "claim": {"claims": (build.claim_payment(paid=D("70.00") + more),)},
            "service": {"claims": (build.claim_payment(services=(build.service(charge=D("120.00") + more),)),)},
        }[place]
        assert build.remittance(**wrong).problems


class TestRoundTrip:
    def test_what_is_written_is_read_back(self) -> None:
        advice = build.remittance(amount=D("65.00"), provider_adjustments=(ProviderAdjustment("1234567893", build.DAY, "L6", "INT", D("5.00")),))
        assert read_835(write_835(advice, build.ENVELOPE)) == advice

    def test_an_outside_reader_finds_no_fault(self) -> None:
        assert build.faults_found_outside(write_835(build.remittance(), build.ENVELOPE)) == []

    def test_a_reversal_keeps_its_negative_amounts(self) -> None:
        back = build.claim_payment(
            status="22", charge=D("-120.00"), paid=D("-70.00"), patient_share=None, services=(), adjustments=(Adjustment("CO", "45", D("-50.00")),)
        )
        advice = build.remittance(amount=D("-70.00"), claims=(back,))
        assert read_835(write_835(advice, build.ENVELOPE)) == advice

    def test_two_remittances_in_one_file_are_read_apart(self) -> None:
        data = write_835(build.remittance(), build.ENVELOPE) * 2
        assert len(read_835s(data)) == 2
        with pytest.raises(X12Error, match="2 remittances"):
            read_835(data)


class TestAmounts:
    @pytest.mark.parametrize("text", [b"1e9", b"1,000", b"NaN", b"+5", b"10.001", b"", b"99999999999", b"9" * 300])
    def test_what_is_not_money_is_refused(self, text: bytes) -> None:
        data = write_835(build.remittance(), build.ENVELOPE).replace(b"CLP*OW0000001*1*120*", b"CLP*OW0000001*1*" + text + b"*")
        with pytest.raises(X12Error, match="CLP03"):
            read_835(data)


class TestWhatAnAdjustmentMeans:
    @pytest.mark.parametrize(
        ("group", "code", "denied", "expected"),
        [
            ("CO", "45", False, Meaning.AGREED),
            ("CO", "45", True, Meaning.REFUSED),
            ("CO", "16", False, Meaning.REFUSED),
            ("CO", "97", False, Meaning.REFUSED),
            ("PI", "45", False, Meaning.REFUSED),
            ("OA", "45", False, Meaning.REFUSED),
            ("OA", "23", False, Meaning.ELSEWHERE),
            ("CO", "253", False, Meaning.AGREED),
            ("PR", "1", False, Meaning.SHARE),
            ("PR", "2", False, Meaning.SHARE),
            ("PR", "3", True, Meaning.SHARE),
            ("PR", "204", False, Meaning.SHARE),
            ("PR", "204", True, Meaning.REFUSED),
            ("PR", "31", False, Meaning.REFUSED),
            ("CO", "NEW9", False, Meaning.REFUSED),
            ("PR", "NEW9", False, Meaning.SHARE),
        ],
    )
    def test_group_and_reason_decide_together(self, group: str, code: str, denied: bool, expected: Meaning) -> None:
        assert meaning(group, code, claim_denied=denied) is expected

    def test_a_reason_without_a_description_says_so(self) -> None:
        assert "NEW9" in reason("NEW9").words
