"""The tables of what may follow what."""

from __future__ import annotations

import pytest

from openward.scheduling.errors import IllegalTransition
from openward.scheduling.transitions import APPOINTMENT, ENCOUNTER, FLOW, FLOW_STATES, STATUS_OF_FLOW, Table, next_flow, previous_flow
from openward.scheduling.waiting import level

# table         before            after             legal
STEPS = """
appointment     booked            arrived           yes
appointment     booked            noshow            yes
appointment     booked            cancelled         yes
appointment     noshow            arrived           yes
appointment     cancelled         booked            yes
appointment     cancelled         arrived           no
appointment     fulfilled         cancelled         no
appointment     entered-in-error  booked            no
visit           arrived           triaged           yes
visit           triaged           arrived           yes
visit           in-progress       finished          yes
visit           finished          in-progress       yes
visit           finished          arrived           no
visit           finished          cancelled         no
visit           entered-in-error  arrived           no
flow            waiting           roomed            yes
flow            waiting           with-clinician    yes
flow            with-clinician    roomed            yes
flow            leaving           waiting           no
"""
TABLES = {"appointment": APPOINTMENT, "visit": ENCOUNTER, "flow": FLOW}


@pytest.mark.parametrize(("table", "before", "after", "legal"), [line.split() for line in STEPS.strip().splitlines()])
def test_a_step_is_legal_when_the_table_says_so(table: str, before: str, after: str, legal: str) -> None:
    assert TABLES[table].may(before, after) == (legal == "yes")


def test_an_illegal_step_says_which() -> None:
    with pytest.raises(IllegalTransition, match="A visit cannot go from finished to arrived"):
        ENCOUNTER.check("finished", "arrived")


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_state_a_table_leads_to_is_one_of_its_states(table: Table) -> None:
    assert {after for follow in table.legal.values() for after in follow} <= set(table.legal)


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_staying_is_legal_and_so_is_any_beginning(table: Table) -> None:
    for state in table.legal:
        table.check(state, state)
        table.check(None, state)


def test_the_flow_goes_forward_and_back_through_every_state() -> None:
    assert [next_flow(state) for state in FLOW_STATES] == [*FLOW_STATES[1:], None]
    assert [previous_flow(state) for state in FLOW_STATES] == [None, *FLOW_STATES[:-1]]


def test_each_step_of_the_flow_is_a_legal_step_of_the_visit() -> None:
    for before, follow in FLOW.legal.items():
        for after in follow:
            ENCOUNTER.check(STATUS_OF_FLOW[before], STATUS_OF_FLOW[after])


@pytest.mark.parametrize(("minutes", "expected"), [(0, ""), (14, ""), (15, "long"), (29, "long"), (30, "too-long")])
def test_a_wait_is_long_from_its_limit_on(minutes: int, expected: str) -> None:
    assert level("waiting", minutes) == expected
