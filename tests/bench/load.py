"""A load on loopback, bounded in time: `wrk` where it is installed, else a small generator of our own.

Either way the connections are kept, each sends its next request when the last is answered, and the ids go round.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tests.bench.processors import Used, used

CONNECTIONS = 8
FAILURES = ("an answer that is no success", "no answer in time", "connecting", "reading", "writing")  # as the script below tells them

SCRIPT = """
local asked = {%s}
local at = 0
request = function()
  at = at %% #asked + 1
  return wrk.format(asked[at][1], asked[at][2], nil, asked[at][3])
end
done = function(summary, latency, requests)
  local failed = summary.errors
  io.write(string.format("RESULT %%d %%d %%d %%d %%d %%d %%d %%d %%d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), failed.status, failed.timeout, failed.connect, failed.read, failed.write))
end
"""


@dataclass(frozen=True)
class Asked:
    """One request that a load sends: FHIR JSON when it has a body."""

    path: str
    method: str = "GET"
    body: bytes = b""


class Disturbed(Exception):
    """Requests failed: what was measured is not what was meant."""


@dataclass(frozen=True)
class Load:
    """What a stretch of load met: answers per second, milliseconds an answer took, and what the processors did meanwhile."""

    answers: int
    seconds: float
    p50: float
    p99: float
    used: Used = Used()

    @property
    def per_second(self) -> float:
        return self.answers / self.seconds

    @property
    def cost(self) -> float:
        """Seconds of processor time, the load generator's with it, for one answer."""
        return self.used.busy / self.answers


def press(port: int, asked: Sequence[Asked], token: str, seconds: float, connections: int = CONNECTIONS) -> Load:
    """Send `asked` in turn for `seconds`. Raises Disturbed when any answer is not 2xx."""
    before = used()
    load = _wrk(port, asked, token, seconds, connections) if generator() == "wrk" else asyncio.run(_own(port, asked, token, seconds, connections))
    return replace(load, used=used() - before)


def generator() -> str:
    return "wrk" if shutil.which("wrk") else "own load generator (wrk is not installed)"


def _wrk(port: int, asked: Sequence[Asked], token: str, seconds: float, connections: int) -> Load:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(
            SCRIPT % ",\n".join(f"{{{_lua(one.method)}, {_lua(one.path)}, {_lua(one.body.decode()) if one.body else 'nil'}}}" for one in asked)
        )
        script.flush()
        # Beside a stretch this long wait counts nothing as lost that is only late: lateness shows in the percentiles.
        command = ["wrk", "--timeout", "30s", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "-s", script.name]
        command += ["-H", f"Authorization: Bearer {token}", "-H", "Content-Type: application/fhir+json", f"http://127.0.0.1:{port}"]
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = re.search(r"RESULT ([\d ]+)", text)
    if not found:
        raise Disturbed(text)
    answers, microseconds, p50, p99, *errors = map(int, found[1].split())
    if any(errors):
        told = ", ".join(f"{number} by {kind}" for number, kind in zip(errors, FAILURES, strict=True) if number)
        raise Disturbed(f"of {answers} requests failed: {told}")
    return Load(answers, microseconds / 1e6, p50 / 1000, p99 / 1000)


def _lua(text: str) -> str:
    """A Lua string: JSON's escapes are Lua's but for `\\u` and `\\/`, which are never written here."""
    return json.dumps(text, ensure_ascii=False)


async def _own(port: int, asked: Sequence[Asked], token: str, seconds: float, connections: int) -> Load:
    taken: list[float] = []
    started = time.perf_counter()
    await asyncio.gather(*(_connection(port, [*asked[n:], *asked[:n]], token, started + seconds, taken) for n in range(connections)))
    elapsed = time.perf_counter() - started
    taken.sort()
    return Load(len(taken), elapsed, taken[len(taken) // 2] * 1000, taken[len(taken) * 99 // 100] * 1000)


async def _connection(port: int, asked: Sequence[Asked], token: str, until: float, taken: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    sent = [_request(one, token) for one in asked]
    turn = 0
    while time.perf_counter() < until:
        began = time.perf_counter()
        writer.write(sent[turn % len(sent)])
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.I)
        if not head.startswith(b"HTTP/1.1 2"):
            raise Disturbed(head.decode("latin-1"))
        await reader.readexactly(int(length[1]) if length else 0)
        taken.append(time.perf_counter() - began)
        turn += 1
    writer.close()


def _request(one: Asked, token: str) -> bytes:
    head = f"{one.method} {one.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
    if one.body:
        head += f"Content-Type: application/fhir+json\r\nContent-Length: {len(one.body)}\r\n"
    return f"{head}\r\n".encode() + one.body
