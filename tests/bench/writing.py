"""Creates against one durable INSERT a request, transaction bundles against COPY, and everything at once from 32 clients."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import psycopg

from openward.fhir.definitions import type_number
from tests.bench.ground import Ground
from tests.bench.load import CONNECTIONS, Asked, press
from tests.bench.loading import unpacked
from tests.bench.reading import OURS, Pace, Target, against, in_turn
from tests.bench.table import Row, Spread

CREATE_BAR, BUNDLES_BAR, MIXED_BAR = 0.5, 0.03, 20
CLIENTS, CROWD = 2, 32
INSERT = "insert"
PROFILE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-observation-lab|6.1.0"
SOMEONE = "select rkey from fhir.current where tenant = 1 and rtype = %s limit 1"

Connection = psycopg.Connection[tuple[object, ...]]


def measure(ground: Ground, connection: Connection, pace: Pace, copies: float | None, say: Callable[[str], None]) -> Iterator[Row]:
    """`copies`: resources a second by COPY, measured in this run; None when it was not."""
    token = ground.openward("token", "--client", "bench", "--scope", "system/*.cruds").strip()
    patient = connection.execute(SOMEONE, (type_number("Patient"),)).fetchone()
    assert patient
    with ExitStack() as servers:
        ports = {OURS: servers.enter_context(ground.product()), INSERT: servers.enter_context(ground.floor("inserting"))}
        asked = [Asked("/fhir/Observation", "POST", _observation(str(patient[0])))]
        rounds = in_turn({name: Target(port, asked) for name, port in ports.items()}, token, pace)
        yield against(INSERT, f"create Observation, profile + index + audit, {CONNECTIONS} connections", CREATE_BAR, rounds)
        yield _mixed(ports[OURS], str(patient[0]), token, pace)
        if copies is not None:
            yield _bundles(ports[OURS], token, copies, say)


def _observation(patient: str) -> bytes:
    """A laboratory result as US Core wants it."""
    category = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}
    resource = {
        "resourceType": "Observation",
        "meta": {"profile": [PROFILE]},
        "status": "final",
        "category": [category],
        "code": {"coding": [{"system": "http://loinc.org", "code": "2339-0", "display": "Glucose [Mass/volume] in Blood"}], "text": "Glucose"},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": "2026-11-03T09:30:00Z",
        "valueQuantity": {"value": 97.5, "unit": "mg/dL", "system": "http://unitsofmeasure.org", "code": "mg/dL"},
    }
    return json.dumps(resource).encode()


def _mixed(port: int, patient: str, token: str, pace: Pace) -> Row:
    """Reads, searches, creates, updates and deletes in turn; the ids that are written are the load's own."""
    flags = [{"resourceType": "Basic", "id": f"bench-{number}", "code": {"text": f"{number}"}} for number in range(40)]
    puts = [Asked(f"/fhir/Basic/{flag['id']}", "PUT", json.dumps(flag).encode()) for flag in flags]
    press(port, puts, token, 1)
    asked = []
    for number, put in enumerate(puts):
        asked += [put, Asked("/fhir/Observation", "POST", _observation(patient)), Asked(f"/fhir/Patient/{patient}")]
        asked += [Asked(f"/fhir/Observation?patient={patient}&_sort=-date&_count=10"), Asked(puts[number - 20].path, "DELETE")]
    met = [(press(port, asked, token, pace.seconds, 1), press(port, asked, token, pace.seconds * 2, CROWD)) for _ in range(pace.rounds // 3)]
    times = Spread(tuple(crowd.p99 / alone.p50 for alone, crowd in met))
    return Row(
        f"read, search, create, update, delete in turn, {CROWD} clients",
        f"{median(crowd.per_second for _, crowd in met):,.0f}/s, p99 {median(crowd.p99 for _, crowd in met):.0f} ms, no error",
        f"one client: median {median(alone.p50 for alone, _ in met):.1f} ms",
        times.text("{:.1f}") + "×",
        f"≤ {MIXED_BAR}×",
        times.middle <= MIXED_BAR,
    )


def _bundles(port: int, token: str, copies: float, say: Callable[[str], None]) -> Row:
    """Patients' bundles once more, as transactions over HTTP."""
    with unpacked() as folder:
        files = sorted(path for path in folder.rglob("*.json") if not path.name.startswith(("hospital", "practitioner")))[:20]
        counts = [len(json.loads(path.read_bytes())["entry"]) for path in files]
        began = time.perf_counter()
        with ThreadPoolExecutor(CLIENTS) as clients:
            answers = list(clients.map(lambda path: _post(port, token, path), files))
        seconds = time.perf_counter() - began
    say(f"transactions: {sum(counts):,} resources in {len(files)} bundles, {seconds:.1f} s; answers {sorted(set(answers))}")
    ours = sum(counts) / seconds
    return Row(
        f"POST of {len(files)} Synthea transactions, {CLIENTS} clients, 2 workers",
        f"{ours:,.0f} resources/s",
        f"copy {copies:,.0f}/s",
        f"{ours / copies:.3f}",
        f"≥ {BUNDLES_BAR}",
        ours / copies >= BUNDLES_BAR and set(answers) == {200},
    )


def _post(port: int, token: str, path: Path) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json", "Prefer": "return=minimal"}
    connection.request("POST", "/fhir", path.read_bytes(), headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status
