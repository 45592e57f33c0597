"""A read over HTTP with token, policy and audit, against the same row by its key without them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import psycopg

from openward.fhir.definitions import type_number
from tests.bench.ground import Ground
from tests.bench.load import CONNECTIONS, Asked, Load, press
from tests.bench.processors import DISTURBED, Used
from tests.bench.table import Row, Spread

BAR = 0.6
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


def measure(ground: Ground, connection: psycopg.Connection[tuple[object, ...]], pace: Pace, say: Callable[[str], None]) -> Iterator[Row]:
    token = ground.openward("token", "--client", "bench", "--scope", "system/*.cruds").strip()
    with ExitStack() as servers:
        ports = {OURS: servers.enter_context(ground.product())}
        ports |= {name: servers.enter_context(ground.floor(name)) for name in (BARE, UNGUARDED)}
        for type in ("Patient", "Observation"):
            paths = reads(type, connection)
            if not paths:
                say(f"SKIPPED read {type}: NONE IS STORED.")
                continue
            rounds = in_turn({name: Target(port, paths) for name, port in ports.items()}, token, pace)
            yield against(BARE, f"read {type}, token + policy + audit, {CONNECTIONS} connections", BAR, rounds)
            yield price(type, rounds)


def reads(type: str, connection: psycopg.Connection[tuple[object, ...]]) -> list[Asked]:
    """Resources of this type by their ids, as many as there are up to IDS."""
    return [Asked(f"/fhir/{type}/{key}") for (key,) in connection.execute(SPREAD, (type_number(type), IDS))]


@dataclass(frozen=True)
class Target:
    """A server, and what it is asked."""

    port: int
    asked: Sequence[Asked]


def in_turn(targets: Mapping[str, Target], token: str, pace: Pace) -> list[Round]:
    """All warmed, then in turn, the order changing, so that what else the machine does falls on each."""
    for target in targets.values():
        press(target.port, target.asked, token, 1)
    found = []
    for round in range(pace.rounds):
        order = list(targets)[round % len(targets) :] + list(targets)[: round % len(targets)]
        found.append({name: press(targets[name].port, targets[name].asked, token, pace.seconds) for name in order})
    return found


@dataclass(frozen=True)
class Compared:
    """One server's pace as a part of another's: by the rates of each round, and by the processor time an answer of theirs costs."""

    ours: Spread
    other: Spread
    by_rate: Spread
    by_cost: Spread
    share_stolen: float

    @property
    def part(self) -> Spread:
        """By rate, unless others took so much of the processors that rates say what they did."""
        return self.by_cost if self.share_stolen > DISTURBED and all(self.by_cost.values) else self.by_rate

    def text(self, form: Callable[[Spread], str] = lambda spread: spread.text("{:.2f}")) -> str:
        return f"{form(self.by_rate)}; by processor time {form(self.by_cost)}, {self.share_stolen:.0%} stolen"


def compared(rounds: Sequence[Round], ours: str, other: str) -> Compared:
    stolen = sum((met[name].used for met in rounds for name in (ours, other)), Used())
    return Compared(
        _rate(ours, rounds),
        _rate(other, rounds),
        Spread(tuple(met[ours].per_second / met[other].per_second for met in rounds)),
        Spread(tuple(met[other].cost / (met[ours].cost or 1) for met in rounds)),
        stolen.share_stolen,
    )


def _rate(name: str, rounds: Sequence[Round]) -> Spread:
    return Spread(tuple(met[name].per_second for met in rounds))


def against(floor: str, operation: str, bar: float, rounds: Sequence[Round]) -> Row:
    """Our rate as a part of the floor's."""
    met = compared(rounds, OURS, floor)
    slowest = Spread(tuple(met[OURS].p99 for met in rounds))
    return Row(
        operation,
        f"{met.ours.text()}/s, p99 {slowest.middle:.1f} ms",
        f"{floor} {met.other.text()}/s",
        met.text(),
        f"≥ {bar}",
        met.part.middle >= bar,
    )


def price(what: str, rounds: Sequence[Round]) -> Row:
    """What part of a request's time goes to knowing who asks, what they may see, and putting it on record."""
    met = compared(rounds, OURS, UNGUARDED)
    return Row(
        f"  of which identity, policy and audit ({what})",
        f"{met.ours.text()}/s",
        f"unguarded {met.other.text()}/s",
        met.text(lambda spread: Spread(tuple(1 - part for part in spread.values)).text("{:.2f}")),
        f"≤ {PRICE_BAR}",
        1 - met.part.middle <= PRICE_BAR,
    )
