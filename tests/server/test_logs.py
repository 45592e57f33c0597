"""A line of the log is one event, and of an exception it has the class and the place, not the words."""

from __future__ import annotations

import logging
import sys

import pytest

from openward.server.logs import LineFormatter


def line(words: str, *told: object, exc_info: object = None) -> str:
    return LineFormatter().format(logging.LogRecord("openward.test", logging.ERROR, __file__, 1, words, told, exc_info))  # type: ignore[arg-type]


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1b[2J", "\x85", "\u2028", "\x00"])
def test_what_a_client_sent_begins_no_line_of_its_own(end: str) -> None:
    told = line("the file %s is not there", f"a.css{end}2026-11-22T00:00:00.000Z INFO openward.entrance signed in")
    assert len(told.splitlines()) == 1
    assert told.isprintable()


def test_an_exceptions_words_which_may_quote_a_patient_stay_out() -> None:
    try:
        raise ValueError("Ada Example, born 1970-01-01")
    except ValueError:
        told = line("crash", exc_info=sys.exc_info())
    assert "ValueError in" in told
    assert "Ada" not in told
