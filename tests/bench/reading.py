"""A read over HTTP with token, policy and audit, against the same row by its key without them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import psycopg

from openward.fhir.definitions import type_number
from tests.bench.ground import Ground
from tests.bench.load import CONNECTIONS, Asked, Load, press
from tests.bench.table import Row, Spread

BAR = 0.4
PRICE_BAR = 0.35
IDS = 500
OURS, BARE, UNGUARDED = "ours", "bare", "unguarded"

# Ids spread over all of the type, of resources in their first version.
SPREAD = """select rkey from (select rkey, row_number() over (order by hashtext(rkey::text)) as place from fhir.current
  where tenant = 1 and rtype = %s and ver = 1) c where place <= %s"""

Round = Mapping[str, Load]


@dataclass(frozen=True)
class Pace:
    """How much is measured."""

    rounds: int
    seconds: float


def measure(
    ground: Ground, connection: psycopg.Connection[tuple[object, ...]], pace: Pace, say: Callable[[str], None]
) -> Generator[Row, None, float | None]:
    """Returns the reads a second of the floor."""
    bare = None
    token = ground.openward("token", "--client", "bench", "--scope", "system/*.cruds").strip()
    with ExitStack() as servers:
        ports = {OURS: servers.enter_context(ground.product())}
        ports |= {name: servers.enter_context(ground.floor(name)) for name in (BARE, UNGUARDED)}
        for type in ("Patient", "Observation"):
            paths = [Asked(f"/fhir/{type}/{key}") for (key,) in connection.execute(SPREAD, (type_number(type), IDS))]
            if not paths:
                say(f"SKIPPED read {type}: NONE IS STORED.")
                continue
            rounds = in_turn(ports, paths, token, pace)
            yield _against_bare(type, rounds)
            yield price(type, rounds)
            bare = _rate(BARE, rounds).middle
    return bare


def in_turn(ports: Mapping[str, int], paths: Sequence[Asked], token: str, pace: Pace) -> list[Round]:
    """All warmed, then in turn, the order changing, so that what else the machine does falls on each."""
    for port in ports.values():
        press(port, paths, token, 1)
    found = []
    for round in range(pace.rounds):
        order = list(ports)[round % len(ports) :] + list(ports)[: round % len(ports)]
        found.append({name: press(ports[name], paths, token, pace.seconds) for name in order})
    return found


def _rate(name: str, rounds: Sequence[Round]) -> Spread:
    return Spread(tuple(met[name].per_second for met in rounds))


def _against_bare(type: str, rounds: Sequence[Round]) -> Row:
    ratio = Spread(tuple(met[OURS].per_second / met[BARE].per_second for met in rounds))
    slowest = Spread(tuple(met[OURS].p99 for met in rounds))
    return Row(
        f"read {type}, token + policy + audit, {CONNECTIONS} connections",
        f"{_rate(OURS, rounds).text()}/s, p99 {slowest.middle:.1f} ms",
        f"bare {_rate(BARE, rounds).text()}/s",
        ratio.text("{:.2f}"),
        f"≥ {BAR}",
        ratio.middle >= BAR,
    )


def price(what: str, rounds: Sequence[Round]) -> Row:
    """What part of a request's time goes to knowing who asks, what they may see, and putting it on record."""
    share = Spread(tuple(1 - met[OURS].per_second / met[UNGUARDED].per_second for met in rounds))
    return Row(
        f"  of which identity, policy and audit ({what})",
        f"{_rate(OURS, rounds).text()}/s",
        f"unguarded {_rate(UNGUARDED, rounds).text()}/s",
        f"{share.text('{:.2f}')} of the time",
        f"≤ {PRICE_BAR}",
        share.middle <= PRICE_BAR,
    )
