"""Nothing an expression says makes it run away, and nothing but FhirPathError comes out of it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openward.fhir.fhirpath import FhirPathError, FhirPathTooCostly, compile
from openward.fhir.fhirpath.functions import FUNCTIONS

WIDE: dict[str, Any] = {
    "resourceType": "Patient",
    "name": [{"family": f"F{number}", "given": ["A", "B"], "text": "x" * 50} for number in range(500)],
    "birthDate": "2000-01-01",
}


@pytest.mark.parametrize(
    "expression",
    [
        "descendants().select(%resource.descendants()).select(%resource.descendants()).count()",
        "name.select(%resource.name).select(%resource.name).count()",
        "1.repeat($this + 1).count()",
        "'a'.repeat($this & 'a').count()",
        "name.aggregate($total.combine(%resource.name).combine($total))",
        "name.where(%resource.name ~ %resource.name.skip(1))",
        "'a'" + ".replace('a', 'aaaaaaaaaa')" * 8,
        "name.select('" + "x" * 40_000 + "'.replace('x', 'yyyyyyyyyy').upper()).count()",
    ],
)
def test_what_would_run_away_is_stopped(expression: str) -> None:
    with pytest.raises(FhirPathTooCostly):
        compile(expression)(WIDE)


def test_a_regular_expression_takes_time_in_proportion_to_its_text() -> None:
    assert compile("('a' & %text).matches('^(a+)+$')")(WIDE, text="a" * 200_000 + "!") == [False]


def test_the_caller_may_allow_less() -> None:
    with pytest.raises(FhirPathTooCostly):
        compile("name.given.count()")(WIDE, budget=100)


def test_a_long_list_of_alternatives_is_no_depth() -> None:
    assert compile(" or ".join(["name.empty()"] * 300 + ["true"]))(WIDE) == [True]


def test_an_expression_nested_beyond_all_need_is_refused() -> None:
    with pytest.raises(FhirPathError):
        compile("iif(true, " * 200 + "1" + ")" * 200)


ATOMS = st.sampled_from(
    ["name", "$this", "Patient", "1", "2.5", "'a'", "'1'", "{}", "true", "@2014", "@2014-01-01T10:00:00Z", "@T10:30", "4 'mg'", "3 days", "birthDate",
     "name.given", "%resource", "$index", "$total", "9999999999.9", "2147483647", "1 '[degF]'", "2 'dB'", "7 '[pH]'", "(1 | 2)", "1 year"]
)  # fmt: skip
OPERATORS = st.sampled_from(
    ["+", "-", "*", "/", "div", "mod", "&", "=", "!=", "~", "!~", "<", ">", "<=", ">=", "|", "in", "contains", "and", "or", "xor", "implies"]
)
CALLS = st.sampled_from(sorted(FUNCTIONS))


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("({}) {} ({})".format, inner, OPERATORS, inner),
        st.builds("({}).{}()".format, inner, CALLS),
        st.builds("({}).{}({})".format, inner, CALLS, inner),
        st.builds("({}).{}({}, {})".format, inner, CALLS, inner, inner),
        st.builds("-({})[{}]".format, inner, inner),
    )


@given(st.recursive(ATOMS, _grown, max_leaves=8))
def test_any_expression_gives_something_or_is_refused(expression: str) -> None:
    with suppress(FhirPathError):
        assert isinstance(compile(expression)({"resourceType": "Patient", "name": [{"given": ["A", "B"]}], "birthDate": "2000-01"}), list)


@given(st.text(max_size=40))
def test_any_text_is_an_expression_or_is_refused(text: str) -> None:
    with suppress(FhirPathError):
        assert compile(text).expression == text
