"""`python -m tests.bench`: how fast Openward is, each number beside a floor measured in the same run on the same machine."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psycopg

from tests.bench import answering, loading, pages, people, reading, searching, writing
from tests.bench.ground import ROOT, Ground, scratch_ground
from tests.bench.load import generator
from tests.bench.processors import DISTURBED
from tests.bench.table import Row, machine, percentile, render

Connection = psycopg.Connection[tuple[object, ...]]
CHART_MS, CHART_STATEMENTS, FINDER_MS = 60, 12, 20


@dataclass(frozen=True)
class Size:
    """How much is measured, and on how much."""

    pace: reading.Pace
    bundles: int | None
    people: int
    pages: int
    resources: tuple[int, int]


WHOLE = Size(reading.Pace(21, 1), None, 10_000, 200, (100_000, 1_000_000))
QUICK = Size(reading.Pace(3, 1), 25, 10_000, 60, (20_000, 100_000))


def main() -> int:
    """Exit status 0 when everything could be measured, met or missed; 1 with `--strict` when a bar is missed."""
    options = _options()
    with scratch_ground() as ground, psycopg.connect(**_parameters(ground), autocommit=True) as connection:  # type: ignore[arg-type]
        say("\n".join([*machine(connection), f"generator   {generator()}", ""]))
        rows = list(_rows(ground, connection, QUICK if options.quick else WHOLE, options.first))
    print(render(rows))
    return int(options.strict and any(row.is_met is False for row in rows))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds: to see that it runs, not to compare")
    parser.add_argument("--first", action="store_true", help="only import, reads and pages, what the rest stands on")
    parser.add_argument("--strict", action="store_true", help="exit status 1 when a bar is missed")
    return parser.parse_args()


def _parameters(ground: Ground) -> dict[str, str]:
    from openward.cluster import EmbeddedCluster

    return EmbeddedCluster(ground.data).parameters()


def _rows(ground: Ground, connection: Connection, size: Size, first: bool) -> Iterator[Row]:
    ground.openward("check")
    copies = yield from loading.measure(ground, connection, size.bundles, say)
    _make_people(ground, size.people)
    connection.execute("vacuum analyze")
    yield from reading.measure(ground, connection, size.pace, say)
    yield from _pages(ground, size)
    if first:
        return
    yield from writing.measure(ground, connection, size.pace, copies, say)
    yield from searching.measure(ground, connection, size.resources, size.pace, say)
    yield from answering.measure(ground, connection, say)


def _make_people(ground: Ground, number: int) -> None:
    """Put them into the record by the product's own import."""
    with tempfile.TemporaryDirectory(prefix="openward-people-") as folder:
        for count, bundle in enumerate(people.bundles(number)):
            (Path(folder) / f"{count:04}.json").write_text(json.dumps(bundle))
        say(ground.openward("import", folder).strip())


def _pages(ground: Ground, size: Size) -> Iterator[Row]:
    command = [sys.executable, "-m", "tests.bench.pages", str(size.pages)]
    done = subprocess.run(command, cwd=ROOT, env=ground.environment, check=True, stdout=subprocess.PIPE, text=True)
    found = dict(pages.results(done.stdout))
    empty = found.pop("empty")
    for name, timed in found.items():
        yield _page(name, timed, empty, size)


def _page(name: str, timed: pages.Timed, empty: pages.Timed, size: Size) -> Row:
    chart = name.startswith("chart")
    p95, half, floor = percentile(timed.milliseconds, 0.95), median(timed.milliseconds), median(empty.milliseconds)
    told = f"p95 {p95:.1f} ms, median {half:.1f} ms"
    if timed.share_stolen > DISTURBED and timed.undisturbed:
        p95 = percentile(timed.undisturbed, 0.95)
        told += f"; {len(timed.undisturbed)} of {len(timed.milliseconds)} from which nothing was stolen p95 {p95:.1f} ms ({timed.share_stolen:.0%} stolen of all)"
    limit = CHART_MS if chart else FINDER_MS
    operation = f"chart of {name.split()[1]} resources" if chart else f"find as you type among {size.people:,} patients"
    return Row(
        operation,
        f"{told}, {timed.statements} statements",
        f"empty page {floor:.1f} ms, {empty.statements} statements",
        f"{half / floor:.1f}×",
        f"p95 ≤ {limit} ms" + (f", ≤ {CHART_STATEMENTS} statements" if chart else ""),
        p95 <= limit and (not chart or timed.statements <= CHART_STATEMENTS),
    )


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
