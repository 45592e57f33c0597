"""Finding a diagnosis by what people type."""

from __future__ import annotations

import time

import pytest

from openward.chart import diagnoses


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    diagnoses.index()


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("hypert", "I10"),
        ("htn", "I10"),
        ("I10", "I10"),
        ("e11.9", "E11.9"),
        ("e119", "E11.9"),
        ("uti", "N39.0"),
        ("high blood pressure", "I10"),
        ("strep throat", "J02.0"),
        ("copd", "J44.9"),
        ("heart failure", "I50.9"),
        ("well child", "Z00.121"),
        ("covid", "U07.1"),
        ("pain in knee", "M25.561"),
        ("type 2 diabetes kidney", "E11.22"),
    ],
)
def test_the_everyday_code_comes_first(typed, first):
    assert diagnoses.find(typed)[0].code == first


def test_a_heading_is_marked_as_not_billable():
    assert [one.is_billable for one in (diagnoses.named("E11"), diagnoses.named("E11.9")) if one] == [False, True]


@pytest.mark.parametrize("typed", ["", "x", "qqqq", "'; drop table", "%", "\\"])
def test_nothing_is_found_for_nothing(typed):
    assert diagnoses.find(typed) == []


def test_every_everyday_code_exists_and_is_billable():
    index = diagnoses.index()
    assert index.common
    assert all(index.entry(place).is_billable for place in index.common)
    assert len(index.common) == len(diagnoses.everyday()["common"])


@pytest.mark.parametrize("typed", ["co", "in", "diab", "fracture radius", "initial encounter", "unspecified"])
def test_an_answer_takes_at_most_a_fiftieth_of_a_second(typed):
    diagnoses.find(typed)
    best = min(_seconds(typed) for _n in range(5))
    assert best < 0.02


def _seconds(typed: str) -> float:
    """Of this thread's own time: what the search costs, not what else the machine is doing."""
    start = time.thread_time()
    diagnoses.find(typed)
    return time.thread_time() - start
