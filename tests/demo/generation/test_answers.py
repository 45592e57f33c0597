"""What invented payers answer: always balanced to the cent, and the same every time."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from openward.demo.content.services import PAYERS
from openward.demo.generation.answers import SentClaim, SentLine, answer, remittance
from openward.demo.generation.house import npi
from openward.formats.x12.claims import Envelope, Party
from openward.formats.x12.read_835 import read_835
from openward.formats.x12.write_835 import write_835

PRACTICE = ("Openward Demo Hospital", npi(1))

lines = st.lists(st.integers(100, 60000), min_size=1, max_size=6).map(
    lambda cents: tuple(SentLine(n, "OW-V20", Decimal(c) / 100, Decimal(1)) for n, c in enumerate(cents, start=1))
)
sent = st.builds(
    SentClaim,
    id=st.just("c"),
    number=st.integers(1, 9999999).map(lambda n: f"OW{n:07}"),
    patient=st.uuids().map(str),
    payer=st.sampled_from(PAYERS),
    served_on=st.dates(dt.date(2025, 11, 1), dt.date(2026, 11, 1)),
    lines=lines,
    member=st.just(("Rivera", "Ana", "OWP0112345678")),
)


@given(claim=sent, seed=st.integers(0, 50))
def test_charge_less_adjustments_is_what_is_paid(claim: SentClaim, seed: int) -> None:
    made = answer(claim, seed)
    assert made.charge - sum(each.amount for each in made.all_adjustments) == made.paid
    assert Decimal(0) <= made.paid <= claim.total


@given(claims=st.lists(sent, min_size=1, max_size=5))
def test_a_remittance_balances_and_reads_back_from_its_file(claims: list[SentClaim]) -> None:
    advice = remittance(PAYERS[0], dt.date(2026, 10, 15), claims, PRACTICE, 7, "OWT01261015")
    party = Party(PAYERS[0].name, PAYERS[0].payer_id)
    envelope = Envelope(
        party, Party("FOLDER CLEARINGHOUSE", "OWCLEAR"), 1, dt.datetime(2026, 10, 15, 4, 30), "PROVIDER SERVICES", "2125550190", usage="T"
    )
    read = read_835(write_835(advice, envelope))
    assert read.problems == ()
    assert (read.amount, len(read.claims)) == (advice.amount, len(claims))


def test_some_claims_are_refused_and_most_are_paid() -> None:
    day = dt.date(2026, 9, 1)
    made = [
        answer(SentClaim("c", f"OW{n:07}", f"p{n}", PAYERS[n % 6], day, (SentLine(1, "OW-V20", Decimal("125.00"), Decimal(1)),), ("A", "B", "C")), 7)
        for n in range(400)
    ]
    refused = sum(each.status == "4" for each in made)
    assert 10 < refused < 60
