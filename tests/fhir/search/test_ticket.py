from __future__ import annotations

import datetime as dt

import pytest

from openward.fhir.errors import TooCostly
from openward.fhir.search.cursor import BadCursor
from openward.fhir.search.ticket import GOOD_FOR, Expired, Ticket, seal, unseal

KEY, ADDRESS = b"k" * 32, [1, "Patient"]
TICKET = Ticket([("family", "Öberg"), ("_count", "5")], ["oberg", "0193"])


def test_what_was_sealed_is_what_is_read() -> None:
    assert unseal(KEY, ADDRESS, seal(KEY, ADDRESS, TICKET)) == TICKET


def test_a_long_one_is_packed_and_read_all_the_same() -> None:
    long = Ticket([("code", ",".join(f"http://loinc.org|{number}" for number in range(1000)))], ["x"])
    text = seal(KEY, ADDRESS, long)
    assert unseal(KEY, ADDRESS, text) == long
    assert len(text) < len(long.params[0][1]) / 2


@pytest.mark.parametrize("value", ["".join(map(str, range(40_000))), "x" * 300_000])
def test_one_too_long_for_an_address_is_refused_when_it_is_made(value: str) -> None:
    """And not on the page it leads to."""
    with pytest.raises(TooCostly):
        seal(KEY, ADDRESS, Ticket([("code", value)], ["x"]))


def test_nothing_of_the_search_stands_in_the_text() -> None:
    import base64

    text = seal(KEY, ADDRESS, Ticket([("family", "Oberg" * 40)], ["Oberg" * 40]))
    assert b"Oberg" not in base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.mark.parametrize("position", range(0, 60, 7))
def test_a_changed_one_is_refused(position: int) -> None:
    text = seal(KEY, ADDRESS, TICKET)
    changed = text[:position] + ("A" if text[position] != "A" else "B") + text[position + 1 :]
    with pytest.raises(BadCursor):
        unseal(KEY, ADDRESS, changed)


@pytest.mark.parametrize("address", [[2, "Patient"], [1, "Observation"], [1, ""]])
def test_it_opens_nowhere_else(address: list[object]) -> None:
    with pytest.raises(BadCursor):
        unseal(KEY, address, seal(KEY, ADDRESS, TICKET))


def test_one_of_another_key_is_refused() -> None:
    with pytest.raises(BadCursor):
        unseal(b"x" * 32, ADDRESS, seal(KEY, ADDRESS, TICKET))


def test_after_a_day_it_has_expired() -> None:
    begun = dt.datetime(2026, 11, 3, tzinfo=dt.UTC)
    text = seal(KEY, ADDRESS, TICKET, begun)
    assert unseal(KEY, ADDRESS, text, begun + GOOD_FOR) == TICKET
    with pytest.raises(Expired):
        unseal(KEY, ADDRESS, text, begun + GOOD_FOR + dt.timedelta(seconds=1))


@pytest.mark.parametrize("text", ["x", "%%%", "é" * 40, "A" * 10, "A" * 300_000])
def test_what_is_no_ticket_is_refused(text: str) -> None:
    with pytest.raises(BadCursor):
        unseal(KEY, ADDRESS, text)
