"""Searches of the shapes people use most, at one size of the record and at ten times that."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from urllib.parse import quote

import psycopg

from openward.fhir.definitions import type_number
from tests.bench.ground import Ground
from tests.bench.load import Asked
from tests.bench.multiplied import grow
from tests.bench.reading import BARE, IDS, OURS, SPREAD, UNGUARDED, Pace, Target, against, in_turn, price, reads
from tests.bench.table import Row, percentile

PAGE_BAR, PAGE_GROWTH, P95_BAR, GROWTH_BAR = 0.25, 1.3, 25.0, 1.5
EACH = 60
PAGE = "patient + category + date, sorted, 50 a page"

Connection = psycopg.Connection[tuple[object, ...]]
BUSY = """select patient from fhir.current where tenant = 1 and rtype = %s group by patient having count(*) >= 60 order by count(*) desc limit %s"""
FAMILIES = "select distinct left(norm, 4) from fhir.string_value where tenant = 1 and rtype = %s and length(norm) > 4 order by 1 limit %s"
CODES = """select t.code from fhir.token t join (select code as h, count(*) from fhir.current where tenant = 1 and rtype = %s group by 1 order by 2 desc
  limit %s) c on c.h = t.h where t.system = 'http://loinc.org' limit %s"""


@dataclass(frozen=True)
class Met:
    """Milliseconds of one client's searches, by shape, with this many resources in the record, and of a bare read between any two of them.

    The two sizes are measured minutes apart: by the bare read it is told how quick the machine was then.
    """

    resources: int
    times: Mapping[str, list[float]]
    bare: Mapping[str, list[float]]


def measure(ground: Ground, connection: Connection, sizes: tuple[int, int], pace: Pace, say: Callable[[str], None]) -> Iterator[Row]:
    """`sizes`: resources at first, and then. Leaves the record grown."""
    token = ground.openward("token", "--client", "bench", "--scope", "system/*.cruds").strip()
    met = []
    for size in sizes:
        resources = grow(connection, size)
        say(f"searching {resources:,} resources")
        with ground.product() as port:
            asked = _asked(connection)
            with ground.floor(BARE) as bare_port:
                alone = _Alone(port, bare_port, token, reads("Observation", connection)[0].path)
                taken = {name: alone.ask(paths) for name, paths in asked.items()}
                met.append(Met(resources, {name: ours for name, (ours, _) in taken.items()}, {name: floor for name, (_, floor) in taken.items()}))
            if size == sizes[0]:
                pages = Target(port, [Asked(path) for path in asked[PAGE]])
                yield from _page(ground, pages, reads("Observation", connection), token, pace)
    small, large = met
    for name in small.times:
        yield _row(name, small, large)


def _page(ground: Ground, pages: Target, alone: list[Asked], token: str, pace: Pace) -> Iterator[Row]:
    """The commonest page against a bare read, and what its doors cost."""
    with ground.floor(UNGUARDED) as open_port, ground.floor(BARE) as bare_port:
        rounds = in_turn({OURS: pages, UNGUARDED: Target(open_port, pages.asked), BARE: Target(bare_port, alone)}, token, pace)
    yield against(BARE, f"search {PAGE}", PAGE_BAR, rounds)
    yield price("that search", rounds)


def _asked(connection: Connection) -> dict[str, list[str]]:
    """Shape → addresses, of values that are in the record."""
    observation, patient, encounter = (type_number(type) for type in ("Observation", "Patient", "Encounter"))
    patients = _first(connection, BUSY, (observation, 20))
    families, codes = _first(connection, FAMILIES, (patient, 20)), _first(connection, CODES, (observation, 40, 20))
    visits = _first(connection, SPREAD, (encounter, IDS))[:20]
    return {
        PAGE: [f"/fhir/Observation?patient={key}&category=laboratory,vital-signs&date=ge2000-01-01&_sort=-date&_count=50" for key in patients],
        "patients by the beginning of a name": [f"/fhir/Patient?name={quote(text)}&_count=20" for text in families],
        "observations by code across patients": [f"/fhir/Observation?code=http://loinc.org|{code}&_count=20" for code in codes],
        "chain Observation?patient.name=": [f"/fhir/Observation?patient.name={quote(text)}&_count=20" for text in families],
        "_revinclude of what points at an encounter": [f"/fhir/Encounter?_id={key}&_revinclude=Observation:encounter" for key in visits],
    }


def _first(connection: Connection, sql: str, values: tuple[object, ...]) -> list[str]:
    return [str(row[0]) for row in connection.execute(sql.encode(), values)]


class _Alone:
    """One client that asks two servers by turns: ours for searches, the bare one for a read."""

    def __init__(self, port: int, bare_port: int, token: str, read: str) -> None:
        self._ours, self._floor = (http.client.HTTPConnection("127.0.0.1", one, timeout=60) for one in (port, bare_port))
        self._headers = {"Authorization": f"Bearer {token}"}
        self._read = read

    def ask(self, paths: list[str]) -> tuple[list[float], list[float]]:
        """Milliseconds of each search and of the read after it, the first round not counted."""
        taken = [(self._took(self._ours, paths[n % len(paths)]), self._took(self._floor, self._read)) for n in range(EACH + len(paths))]
        ours, floor = zip(*taken[len(paths) :], strict=True)
        return list(ours), list(floor)

    def _took(self, client: http.client.HTTPConnection, path: str) -> float:
        began = time.perf_counter()
        client.request("GET", path, headers=self._headers)
        answer = client.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path} answered {answer.status}: {body[:300]!r}")
        return (time.perf_counter() - began) * 1000


def _row(name: str, small: Met, large: Met) -> Row:
    as_met = median(large.times[name]) / median(small.times[name])
    growth = as_met * median(small.bare[name]) / median(large.bare[name])
    slowest = percentile(large.times[name], 0.95)
    is_page = name == PAGE
    limit = PAGE_GROWTH if is_page else GROWTH_BAR
    return Row(
        f"{name}, {large.resources:,} resources",
        f"median {median(large.times[name]):.1f} ms, p95 {slowest:.1f} ms",
        f"{small.resources:,} resources: median {median(small.times[name]):.1f} ms; a bare read {median(small.bare[name]):.2f}, then {median(large.bare[name]):.2f} ms",
        f"{growth:.2f}×, by the clock {as_met:.2f}×",
        f"≤ {limit}×" + ("" if is_page else f", p95 ≤ {P95_BAR:.0f} ms"),
        growth <= limit and (is_page or slowest <= P95_BAR),
    )
