"""Patients with thousands of resources of one type, for whom a walk along all of them is not always the best way.

A walk costs a look at each row until the page is full: soon for what is common, never for a code the patient has not. The planner's own
statistics name such patients, and the codes that are common; they are read now and then, and cost a search nothing.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from psycopg import Connection, Cursor
from psycopg.rows import tuple_row

from openward.fhir.search.query import Condition, Filter
from openward.fhir.search.reference import keys_by_type
from openward.fhir.search.sql import Bindings
from openward.fhir.search.token import asked

CROWD = 3000  # rows of one type that a patient may have before anything is thought of
COMMON = 0.02  # the share of rows at which a code is soon met
LOOK_EVERY = 300.0  # seconds

STATISTICS = """select s.attname = 'patient', v.value
  from pg_catalog.pg_inherits i join pg_catalog.pg_class t on t.oid = i.inhrelid join pg_catalog.pg_stats s on s.schemaname = 'fhir' and s.tablename = t.relname
  cross join lateral (
    select * from unnest(s.most_common_vals::text::text[], s.most_common_freqs) p(value, freq) where s.attname = 'patient' and p.freq * t.reltuples >= %(crowd)s
    union all
    select * from unnest(s.most_common_elems::text::text[], s.most_common_elem_freqs) e(value, freq) where s.attname = 'tok' and e.freq >= %(common)s
  ) v where i.inhparent = 'fhir.current'::regclass and t.reltuples >= %(crowd)s and s.attname in ('patient', 'tok') and v.value is not null"""


@dataclass(frozen=True, slots=True)
class Crowds:
    """Keys of patients who have many rows, and hashes of codes that are met soon."""

    patients: frozenset[UUID] = frozenset()
    common: frozenset[int] = frozenset()
    looked: float = float("-inf")


_known: WeakKeyDictionary[Connection[Any], Crowds] = WeakKeyDictionary()


def is_better_planned(connection: Connection[Any], conditions: Sequence[Condition]) -> bool:
    """Whether the search of a few patients' resources should be planned for its values rather than walked: only of one patient the index has the order."""
    crowds = _crowds(connection)
    if not crowds.patients:
        return False
    filters = [condition for condition in conditions if isinstance(condition, Filter)]
    naming = [one for one in filters if _is_of(crowds.patients, one)]
    return any(len(one.values) > 1 for one in naming) or bool(naming) and any(_is_seldom_met(crowds, one) for one in filters)


def _crowds(connection: Connection[Any]) -> Crowds:
    known, now = _known.get(connection), time.monotonic()
    if known is None or now - known.looked > LOOK_EVERY:
        cursor = Cursor(connection, row_factory=tuple_row)
        found = cursor.execute(STATISTICS, {"crowd": CROWD, "common": COMMON}).fetchall()
        patients = frozenset(UUID(value) for is_patient, value in found if is_patient)
        common = frozenset(int(value) for is_patient, value in found if not is_patient)
        known = _known[connection] = Crowds(patients, common, now)
    return known


def _is_of(patients: frozenset[UUID], condition: Filter) -> bool:
    if condition.parameter.type != "reference" or condition.modifier not in (None, "Patient"):
        return False
    return not patients.isdisjoint(keys_by_type(condition.parameter, condition.values).get("Patient", ()))


def _is_seldom_met(crowds: Crowds, condition: Filter) -> bool:
    if condition.modifier in ("missing", "not"):
        return True
    if condition.parameter.type != "token" or condition.modifier is not None or condition.parameter.code == "_id":
        return False
    _, hashes = asked(condition.parameter, condition.values, None, Bindings(0))
    return hashes is not None and crowds.common.isdisjoint(hashes)
