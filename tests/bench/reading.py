"""A read over HTTP with token, policy and audit, against the same row by its key without them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import psycopg

from openward.fhir.definitions import type_number
from tests.bench.ground import Ground
from tests.bench.load import CONNECTIONS, Load, press
from tests.bench.table import Row, Spread

BAR = 0.4
IDS = 500


@dataclass(frozen=True)
class Pace:
    """How much is measured."""

    rounds: int
    seconds: float


def measure(ground: Ground, connection: psycopg.Connection[tuple[object, ...]], pace: Pace, say: Callable[[str], None]) -> Iterator[Row]:
    token = ground.openward("token", "--client", "bench", "--scope", "system/*.cruds").strip()
    with ExitStack() as servers:
        ours, bare = servers.enter_context(ground.product()), servers.enter_context(ground.bare())
        for type in ("Patient", "Observation"):
            paths = [f"/fhir/{type}/{key}" for key in _keys(connection, type)]
            if not paths:
                say(f"SKIPPED read {type}: none is stored")
                continue
            yield _compared(type, _rounds(ours, bare, paths, token, pace))


def _keys(connection: psycopg.Connection[tuple[object, ...]], type: str) -> Sequence[object]:
    """Ids spread over all of the type, of resources in their first version."""
    sql = "select rkey from (select rkey, ver, ntile(%s) over (order by rkey) as part from fhir.current where tenant = 1 and rtype = %s) c group by rkey, part, ver having ver = 1 order by hashtext(rkey::text) limit %s"
    return [row[0] for row in connection.execute(sql, (IDS, type_number(type), IDS))]


def _rounds(ours: int, bare: int, paths: Sequence[str], token: str, pace: Pace) -> list[tuple[Load, Load]]:
    """Both warmed, then in turn, the order changing, so that what else the machine does falls on both."""
    for port in (ours, bare):
        press(port, paths, token, 1)
    found = []
    for round in range(pace.rounds):
        order = (ours, bare) if round % 2 == 0 else (bare, ours)
        met = {port: press(port, paths, token, pace.seconds) for port in order}
        found.append((met[ours], met[bare]))
    return found


def _compared(type: str, found: Sequence[tuple[Load, Load]]) -> Row:
    ratio = Spread(tuple(ours.per_second / bare.per_second for ours, bare in found))
    ours = Spread(tuple(ours.per_second for ours, _ in found))
    bare = Spread(tuple(bare.per_second for _, bare in found))
    slowest = Spread(tuple(ours.p99 for ours, _ in found))
    return Row(
        f"read {type}, token + policy + audit, {CONNECTIONS} connections",
        f"{ours.text()}/s, p99 {slowest.middle:.1f} ms",
        f"bare {bare.text()}/s",
        ratio.text("{:.2f}"),
        f"≥ {BAR}",
        ratio.middle >= BAR,
    )
