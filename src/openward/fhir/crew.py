"""Several processes that import at once, each on a connection of its own, with the outcome of one that takes everything in its order.

A process reads its piece and says what it touches; it is told to write only when no earlier piece that is still under way touches the same.
So pieces that have nothing to do with one another, as the bundles of two patients, go in side by side.
"""

from __future__ import annotations

import gc
import multiprocessing
import signal
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Any

from openward.fhir.reading import Item, Piece, Refusal

GO = b"go"
PATIENCE = 5.0  # seconds for a process to end by itself


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a piece touches, by names such as `Patient/1`.

    `gives`: stores it unless it is there; `sets`: stores it whatever is there; `needs`: points at it. `alone`: only the record can tell, for there
    are conditions in it, or deletions.
    """

    gives: frozenset[str] = frozenset()
    sets: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    alone: bool = False

    def follows(self, earlier: Footprint, there: set[str]) -> bool:
        """Whether this must wait for `earlier`. `there`: names known to be in the record, which giving them again does not change."""
        if self.alone or earlier.alone or self._touches(earlier.sets) or earlier._touches(self.sets):
            return True
        return not (earlier.gives & (self.gives | self.needs) | earlier.needs & self.gives) <= there

    def _touches(self, names: frozenset[str]) -> bool:
        return not (names.isdisjoint(self.gives) and names.isdisjoint(self.sets) and names.isdisjoint(self.needs))


@dataclass(slots=True)
class Outcome:
    """What came of a piece. `counts`: of resources, by what happened to them. `found`: names that were in the record already.

    `digest`: of a document that is now in.
    """

    digest: bytes | None
    counts: Counter[str] = field(default_factory=Counter)
    found: set[str] = field(default_factory=set)
    refused: list[Refusal] = field(default_factory=list)


Said = Footprint | Outcome
Take = Callable[[Piece], Iterator[Said]]


class ProcessEnded(RuntimeError):
    """One of the importing processes ended in the midst of its work. Import the same again: nothing goes in twice."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


@dataclass(slots=True)
class _Job:
    """A piece under way: who has it, and what it touches once that is known. `is_writing`: it was told to."""

    pipe: Connection[Any, Any]
    footprint: Footprint | None = None
    is_writing: bool = False


class Crew:
    """The processes, forked when the block is entered and gone when it is left, whatever they were doing.

    `start` is called in each of them, and gives what takes a piece: first its Footprint, then, asked again, it writes and gives the Outcome.
    """

    def __init__(self, size: int, start: Callable[[], Take]) -> None:
        self._size = size
        self._start = start
        self._processes: list[BaseProcess] = []
        self._idle: deque[Connection[Any, Any]] = deque()
        self._jobs: dict[int, _Job] = {}
        self._there: set[str] = set()
        self._is_read = False

    def __enter__(self) -> Crew:
        context = multiprocessing.get_context("fork")
        for _ in range(self._size):
            here, there = context.Pipe()
            process = context.Process(target=_work, args=(there, [*self._idle, here], self._start), daemon=True)
            process.start()
            there.close()
            self._processes.append(process)
            self._idle.append(here)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for pipe in (*self._idle, *(job.pipe for job in self._jobs.values())):
            pipe.close()
        for process in self._processes:
            if kind is not None:
                process.terminate()
            process.join(PATIENCE)
            if process.is_alive():
                process.kill()
                process.join()

    def take(self, items: Iterator[Item]) -> Iterator[Item | Outcome]:
        """The items in their order, each piece as its outcome. Raises ProcessEnded."""
        done: dict[int, Item | Outcome] = {}
        following = 0
        numbered = enumerate(items)
        while True:
            for number, item in chain(self._handed_out(numbered), self._heard()):
                done[number] = item
                while following in done:
                    yield done.pop(following)
                    following += 1
            if self._is_read and not self._jobs:
                return

    def _handed_out(self, numbered: Iterator[tuple[int, Item]]) -> Iterator[tuple[int, Item]]:
        """Give every idle process a piece; what is no piece comes back at once."""
        while self._idle:
            found = next(numbered, None)
            if found is None:
                self._is_read = True
                return
            number, item = found
            if isinstance(item, Piece):
                pipe = self._idle.popleft()
                self._jobs[number] = _Job(pipe)
                _say(pipe, item)
            else:
                yield number, item

    def _heard(self) -> Iterator[tuple[int, Outcome]]:
        """Wait until a process says something, and let those write that now may."""
        if not self._jobs:
            return
        numbers = {job.pipe: number for number, job in self._jobs.items()}
        for pipe in wait(list(numbers)):
            number = numbers[pipe]  # type: ignore[index]
            try:
                said = self._jobs[number].pipe.recv()
            except (EOFError, ConnectionResetError):
                raise ProcessEnded from None
            if isinstance(said, Footprint):
                self._jobs[number].footprint = said
                continue
            self._there |= said.found
            self._idle.append(self._jobs.pop(number).pipe)
            yield number, said
        self._let_write()

    def _let_write(self) -> None:
        for number, job in self._jobs.items():
            if job.footprint and not job.is_writing and self._may_write(number, job.footprint):
                job.is_writing = True
                _say(job.pipe, GO)

    def _may_write(self, number: int, footprint: Footprint) -> bool:
        earlier = [job.footprint for other, job in self._jobs.items() if other < number]
        return all(one is not None and not footprint.follows(one, self._there) for one in earlier)


def _say(pipe: Connection[Any, Any], what: Piece | bytes) -> None:
    try:
        pipe.send(what)
    except BrokenPipeError:
        raise ProcessEnded from None


def _work(pipe: Connection[Any, Any], of_others: list[Connection[Any, Any]], start: Callable[[], Take]) -> None:
    """A process of the crew, until its pipe closes. Ctrl-C is the parent's to act on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for other in of_others:
        other.close()
    # What a piece leaves behind goes by its reference counts; the collector would only walk its thousands of dictionaries again and again.
    gc.freeze()
    gc.disable()
    take = start()
    try:
        while True:
            for said in take(pipe.recv()):
                pipe.send(said)
                if isinstance(said, Footprint):
                    pipe.recv()
            gc.collect(0)
    except (EOFError, BrokenPipeError):
        return
