"""Clients that write and read the same few resources at once while processes are killed, and what must be true of what they were told.

Each writer appends a word of its own to a list by read, If-Match and update, so that a lost update, a lost acknowledged write, a write carried out
twice and a read that goes back in time all show. https://github.com/jepsen-io/elle describes why lists tell more than counters.
"""

from __future__ import annotations

import itertools
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPException

from tests.installation import Answer, Server

LISTS = 3
PAIRS_A_SEARCH = 100
REFUSED = frozenset({404, 409, 412, 429})  # nothing was written. A 503 does not say: the database may have gone in the middle of the commit
Ask = Callable[[str, str, bytes | None, dict[str, str]], Answer]


@dataclass(frozen=True)
class Append:
    """What one writer tried. `version` when it was acknowledged; `is_open` when no answer, or none that tells, came back."""

    list: int
    word: str
    began: float
    ended: float
    version: int | None
    is_open: bool


@dataclass(frozen=True)
class Look:
    """What one reader saw."""

    client: int
    list: int
    began: float
    ended: float
    version: int
    words: tuple[str, ...]


@dataclass
class Notes:
    """Everything the clients were told. Appending to a list is safe from several threads."""

    appends: list[Append] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    pairs: list[tuple[str, bool | None]] = field(default_factory=list)
    """Of each transaction of two resources: its word, and whether it was acknowledged, refused (False) or left open (None)."""


@dataclass
class Clients:
    """A crowd that goes on until it is told to stop. `server` may be exchanged for another while they work."""

    server: Server
    token: str
    seed: int
    notes: Notes = field(default_factory=Notes)
    stopped: threading.Event = field(default_factory=threading.Event)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def prepare(self) -> None:
        for number in range(LISTS):
            answer = self._put(number, [], None)
            assert answer.status == 201, answer.text

    def start(self, crowd: int) -> list[threading.Thread]:
        threads = [threading.Thread(target=self._work, args=(client,), daemon=True) for client in range(crowd)]
        for thread in threads:
            thread.start()
        return threads

    def _work(self, client: int) -> None:
        chance = random.Random(f"{self.seed}-{client}")
        while not self.stopped.is_set():
            try:
                chance.choice((self._append, self._append, self._look, self._pair))(client, chance.randrange(LISTS))
            except (OSError, HTTPException, ValueError):
                time.sleep(0.05)

    def _append(self, client: int, number: int) -> None:
        seen = self._look(client, number)
        word, began = f"w{next(self.numbers)}", time.monotonic()
        try:
            answer = self._put(number, [*seen.words, word], seen.version)
        except (OSError, HTTPException):
            self.notes.appends.append(Append(number, word, began, time.monotonic(), None, is_open=True))
            raise
        version = int(json.loads(answer.body)["meta"]["versionId"]) if answer.status == 200 else None
        is_open = version is None and answer.status not in REFUSED
        self.notes.appends.append(Append(number, word, began, time.monotonic(), version, is_open))

    def _look(self, client: int, number: int) -> Look:
        began = time.monotonic()
        answer = self.ask("GET", f"/Basic/list-{number}")
        if answer.status != 200:
            raise ValueError(answer.status)
        found = json.loads(answer.body)
        look = Look(client, number, began, time.monotonic(), int(found["meta"]["versionId"]), tuple(found["code"].get("text", "").split()))
        self.notes.looks.append(look)
        return look

    def _pair(self, client: int, number: int) -> None:
        """Two resources in one transaction, so that half of it would show."""
        word = f"p{next(self.numbers)}"
        entry = {
            "request": {"method": "POST", "url": "Basic"},
            "resource": {"resourceType": "Basic", "code": {"text": "pair"}, "identifier": [{"system": "urn:test:pair", "value": word}]},
        }
        try:
            answer = self.ask("POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": [entry, entry]})
        except (OSError, HTTPException):
            self.notes.pairs.append((word, None))
            raise
        self.notes.pairs.append((word, True if answer.status == 200 else False if answer.status in REFUSED else None))

    def _put(self, number: int, words: list[str], version: int | None) -> Answer:
        resource = {"resourceType": "Basic", "id": f"list-{number}", "code": {"text": " ".join(words) or "-"}}
        headers = {} if version is None else {"If-Match": f'W/"{version}"'}
        return self.ask("PUT", f"/Basic/list-{number}", resource, headers)

    def ask(self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> Answer:
        sent = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/fhir+json", **(headers or {})}
        return self.server.ask(method, f"/fhir{path}", None if body is None else json.dumps(body).encode(), sent)

    def versions(self, number: int) -> list[list[str]]:
        """The words of every version of a list, the first version first."""
        answer = self.ask("GET", f"/Basic/list-{number}/_history?_count=1000")
        assert answer.status == 200, answer.text
        found = sorted((entry["resource"] for entry in json.loads(answer.body)["entry"]), key=lambda one: int(one["meta"]["versionId"]))
        assert [int(one["meta"]["versionId"]) for one in found] == list(range(1, len(found) + 1))
        return [one["code"]["text"].removeprefix("-").split() for one in found]

    def halves(self) -> Counter[str]:
        """Of each word, how many of the two resources of its transaction are there, as searches find them."""
        words = [word for word, _ in self.notes.pairs]
        found: Counter[str] = Counter()
        for some in (words[at : at + PAIRS_A_SEARCH] for at in range(0, len(words), PAIRS_A_SEARCH)):
            wanted = ",".join(f"urn:test:pair|{word}" for word in some)
            answer = self.ask("GET", f"/Basic?identifier={wanted}&_count=1000&_total=accurate")
            assert answer.status == 200, answer.text
            bundle = json.loads(answer.body)
            entries = bundle.get("entry", [])
            assert bundle["total"] == len(entries)
            found.update(entry["resource"]["identifier"][0]["value"] for entry in entries)
        return found


def lost_and_doubled(notes: Notes, number: int, versions: list[list[str]]) -> list[str]:
    """What contradicts the answers: in words, one a fault."""
    faults = [f"version {n + 2} does not add one word to version {n + 1}" for n, (a, b) in enumerate(itertools.pairwise(versions)) if b[:-1] != a]
    last = versions[-1]
    for append in (one for one in notes.appends if one.list == number):
        times = last.count(append.word)
        if append.version is not None and (times != 1 or versions[append.version - 1][-1] != append.word):
            faults.append(f"{append.word} was acknowledged as version {append.version} and is there {times} times")
        if append.version is None and not append.is_open and times:
            faults.append(f"{append.word} was refused and is there")
        if times > 1:
            faults.append(f"{append.word} is there {times} times")
    return faults


def gone_back(notes: Notes, number: int) -> list[str]:
    """Reads that began after something newer had been acknowledged or seen, by anyone."""
    known = [(one.ended, one.version) for one in notes.appends if one.list == number and one.version is not None]
    known += [(one.ended, one.version) for one in notes.looks if one.list == number]
    faults = []
    for look in (one for one in notes.looks if one.list == number):
        newest = max((version for ended, version in known if ended < look.began), default=0)
        if look.version < newest:
            faults.append(f"version {look.version} was read after version {newest} had been answered")
    return faults
