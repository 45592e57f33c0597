"""`$everything` against SELECTing the same rows, `$export` against COPY TO, checking and extracting by itself, and the memory of a web worker."""

from __future__ import annotations

import gc
import http.client
import json
import time
from collections.abc import Callable, Iterator
from statistics import median

import psycopg

from openward.fhir.interactions.sound import sound
from openward.fhir.json import loads
from openward.fhir.references import slots
from tests.bench.ground import Ground
from tests.bench.loading import unpacked
from tests.bench.table import Row, Spread

EVERYTHING_BAR, EXPORT_BAR, CHECKED_BAR, MEMORY_BAR = 0.5, 0.2, 80.0, 150
ROUNDS = 7
THOUSAND = """select patient, count(*) from fhir.current where tenant = 1 and patient is not null group by patient
  order by abs(count(*) - 1000) limit 1"""
THEIRS = """select b.body from fhir.current c join fhir.body b using (tenant, rtype, rkey, ver) where c.tenant = 1 and c.patient = %s"""
ALL = """copy (select b.body from fhir.current c join fhir.body b using (tenant, rtype, rkey, ver) where c.tenant = 1) to stdout"""

Connection = psycopg.Connection[tuple[object, ...]]


def measure(ground: Ground, connection: Connection, say: Callable[[str], None]) -> Iterator[Row]:
    token = ground.openward("token", "--client", "bench", "--scope", "system/*.cruds").strip()
    with ground.product() as port:
        yield _everything(port, token, connection)
        yield _export(port, token, connection, say)
    yield _memory(ground)
    yield from _checked()


def _everything(port: int, token: str, connection: Connection) -> Row:
    patient, resources = connection.execute(THOUSAND).fetchone() or (None, 0)
    path = f"/fhir/Patient/{patient}/$everything?_count=5000"
    ours, floor = [], []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        answer = _get(port, token, path)
        ours.append(time.perf_counter() - began)
        began = time.perf_counter()
        connection.execute(THEIRS.encode(), (patient,)).fetchall()
        floor.append(time.perf_counter() - began)
    entries = len(json.loads(answer)["entry"])
    ratio = median(floor) / median(ours)
    return Row(
        f"$everything, {entries:,} resources",
        f"{median(ours) * 1000:.1f} ms",
        f"SELECT of {resources:,} bodies {median(floor) * 1000:.1f} ms",
        f"{ratio:.2f}",
        f"≥ {EVERYTHING_BAR}",
        ratio >= EVERYTHING_BAR,
    )


def _export(port: int, token: str, connection: Connection, say: Callable[[str], None]) -> Row:
    """From the kick-off until the manifest, the files in the data folder.

    Who reads new rows first marks them as committed, page by page, for everybody: that falls on neither of the two.
    """
    _copied(connection)
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Authorization": f"Bearer {token}", "Prefer": "respond-async", "Accept": "application/fhir+json"}
    began = time.perf_counter()
    client.request("GET", "/fhir/$export", headers=headers)
    answer = client.getresponse()
    said = answer.read()
    if answer.status != 202:
        raise SystemExit(f"$export answered {answer.status}: {said[:300]!r}")
    status = "/fhir" + (answer.getheader("Content-Location") or "").partition("/fhir")[2]
    while answer.status in (202, 429):
        time.sleep(0.2)
        client.request("GET", status, headers=headers)
        answer = client.getresponse()
        said = answer.read()
    manifest = json.loads(said)
    seconds = time.perf_counter() - began
    rows = sum(file["count"] for file in manifest["output"])
    floor = Spread(tuple(_copied(connection) for _ in range(3)))
    say(f"exported {rows:,} resources in {seconds:.1f} s")
    ratio = floor.middle / seconds
    return Row(
        f"$export of {rows:,} resources, until the manifest",
        f"{rows / seconds:,.0f}/s",
        f"COPY TO {rows / floor.middle:,.0f}/s",
        f"{ratio:.2f}",
        f"≥ {EXPORT_BAR}",
        ratio >= EXPORT_BAR,
    )


def _copied(connection: Connection) -> float:
    began = time.perf_counter()
    with connection.cursor().copy(ALL) as copy:
        for _ in copy:
            pass
    return time.perf_counter() - began


def _get(port: int, token: str, path: str) -> bytes:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    client.request("GET", path, headers={"Authorization": f"Bearer {token}"})
    answer = client.getresponse()
    body = answer.read()
    client.close()
    if answer.status != 200:
        raise SystemExit(f"{path} answered {answer.status}: {body[:300]!r}")
    return body


def _memory(ground: Ground) -> Row:
    """The largest that any web worker of this whole run was when its server had done its part."""
    largest = max(ground.sizes, default=0) / 2**20
    return Row("memory of a web worker, the largest of all above", f"{largest:.0f} MB", bar=f"≤ {MEMORY_BAR} MB", is_met=0 < largest <= MEMORY_BAR)


def _checked() -> Iterator[Row]:
    """Every resource of the bundles, found sound and taken apart for the index, in this process."""
    with unpacked() as folder:
        resources = [entry["resource"] for path in sorted(folder.rglob("*.json")) for entry in loads(path.read_bytes()).get("entry", [])]
    gc.collect()  # as the server does: the collector need not walk through all that is held here, which no server holds
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)
    for resource in resources[:3000]:
        sound(resource["resourceType"], str(resource.get("id") or "x"), resource, slots(resource), tenant=1)
    began = time.process_time()
    for resource in resources:
        sound(resource["resourceType"], str(resource.get("id") or "x"), resource, slots(resource), tenant=1)
    mean = (time.process_time() - began) / len(resources) * 1e6
    yield Row("check a resource and take out every search value", f"mean {mean:.0f} µs", bar=f"≤ {CHECKED_BAR:.0f} µs", is_met=mean <= CHECKED_BAR)
