"""JSON in and out: digits survive, ambiguity is refused."""

from __future__ import annotations

import contextlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openward.fhir.errors import Malformed, TooCostly
from openward.fhir.json import dumps, loads

TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=4)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | DECIMALS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)
OBJECTS = st.dictionaries(TEXT, VALUES, max_size=6)


class TestRoundTrip:
    @given(OBJECTS)
    def test_gives_back_every_value(self, value):
        assert loads(dumps(value)) == value

    @pytest.mark.parametrize("number", ["1.10", "0.00", "-0.50", "1.0E-7", "100", "3.14159265358979323846"])
    def test_keeps_a_decimal_as_it_was_written(self, number):
        assert dumps(loads(f'{{"value":{number}}}')) == f'{{"value":{number}}}'.encode()

    def test_keeps_the_order_of_keys(self):
        assert dumps(loads(b'{"b":1,"a":2}')) == b'{"b":1,"a":2}'

    def test_reads_a_decimal_as_decimal(self):
        assert loads(b'{"value":1.10}')["value"].as_tuple() == Decimal("1.10").as_tuple()


REFUSED = [
    (b"", "truncated"),
    (b"[]", "not a JSON object"),
    (b'"x"', "not a JSON object"),
    (b'{"a":1} x', "trailing"),
    (b'\xef\xbb\xbf{"a":1}', "byte order mark"),
    (b'{"a":"\xff"}', "UTF-8"),
    (b'{"a":NaN}', "well-formed"),
    (b'{"a":-Infinity}', "well-formed"),
    (b'{"a":"\\u0000"}', "NUL"),
    (b'{"a":"\\\\\\u0000"}', "NUL"),
    (b'{"a":"\\ud800 "}', "well-formed"),
    (b'{"a":"\\ud800\\u0041"}', "well-formed"),
    (b'{"a":"\\udc00"}', "well-formed"),
    (b'{"a":1e999999}', "out of any range"),
    (b'{"a":1.' + b"1" * 500 + b"}", "characters"),
    (b'{"a":' + b"[" * 64 + b"]" * 64 + b"}", "levels deep"),
    (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "levels deep"),
    (b'{"a":1,"a":2}', "'a' stands twice"),
    (b'{"a":{"b":1 , "b" :2}}', "'b' stands twice"),
    (b'{"a":1,"a":2,"c" :3}', "'a' stands twice"),
    (b'{"a":1,"a":2,"c":"\\u003A"}', "'a' stands twice"),
    (b'{"a":1,"\\u0061":2}', "'a' stands twice"),
]


class TestRefusal:
    @pytest.mark.parametrize(("body", "reason"), REFUSED, ids=[body[:24].decode("latin-1") for body, _ in REFUSED])
    def test_says_what_is_wrong(self, body, reason):
        with pytest.raises(Malformed, match=reason):
            loads(body)

    def test_of_a_body_over_the_limit(self):
        with pytest.raises(TooCostly, match="at most 10 are taken"):
            loads(b'{"a":"0123456789"}', limit=10)

    def test_of_a_value_json_cannot_carry(self):
        with pytest.raises(Malformed):
            dumps({"a": "\ud800"})

    @given(st.binary(max_size=60))
    def test_is_the_only_way_to_fail(self, body):
        with contextlib.suppress(Malformed):
            loads(body)

    @given(OBJECTS.filter(bool))
    def test_meets_every_repeated_key(self, value):
        body = dumps(value)
        first = dumps(dict(list(value.items())[:1]))
        with pytest.raises(Malformed, match="stands twice"):
            loads(first[:-1] + b"," + body[1:])


class TestWhatOnlyLooksWrong:
    @pytest.mark.parametrize("body", [b'{"a":"\\\\u0000"}', b'{"a":"say \\":\\" twice"}', b'{ "a" : 1 }', b'{"a":"\\ud83d\\ude00"}'])
    def test_is_taken(self, body):
        assert loads(body)
