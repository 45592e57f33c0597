"""A telephone number of this country is written without asking the library, and as the library writes it."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat

from openward.registration.facts import OWN_NUMBER, phone_words

WRITTEN = ["{0}{1}{2}", "({0}) {1}-{2}", "{0}-{1}-{2}", "{0} {1}-{2}", "+1{0}{1}{2}", "+1 ({0}) {1}-{2}", "1-{0}-{1}-{2}"]


@given(st.sampled_from(WRITTEN), st.integers(200, 999), st.integers(0, 999), st.integers(0, 9999))
def test_a_number_of_this_country_is_written_as_the_library_writes_it(written, area, exchange, line):
    text = written.format(area, f"{exchange:03}", f"{line:04}")
    assert OWN_NUMBER.fullmatch(text)
    assert phone_words(text) == phonenumbers.format_number(phonenumbers.parse(text, "US"), PhoneNumberFormat.NATIONAL)


@pytest.mark.parametrize(
    ("text", "words"),
    [("+442079460958", "+44 20 7946 0958"), ("extension 12 at the desk", "extension 12 at the desk"), ("555-0123", "555-0123"), ("", ""), (None, "")],
)
def test_any_other_number_is_written_as_before(text, words):
    assert phone_words(text) == words
