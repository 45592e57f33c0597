"""The words of a code system as one file, mapped into memory: every process shares it, and only what is looked at is read.

The file: a line of JSON that says where each part lies, then the parts. Texts are UTF-8, one after the other, with a list of where each ends;
numbers are unsigned, 32 bits, of the machine's own byte order (the file never leaves it).
"""

from __future__ import annotations

import json
import mmap
import os
import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

FORM = f"openward words 1 {sys.byteorder}"
ALIGNED = 8


class Damaged(ValueError):
    """The file is not one this program wrote whole."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A code of ICD-10-CM. Only a `is_billable` one (a leaf) may go on a claim."""

    code: str
    name: str
    is_billable: bool


class Texts(Sequence[str]):
    """Texts of a file, each decoded when it is asked for."""

    def __init__(self, data: bytes | mmap.mmap, start: int, ends: memoryview) -> None:
        """`start`: where the first text begins; `ends`: where each ends, counted from there."""
        self._data = data
        self._start = start
        self._ends = ends

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: Any) -> Any:
        if place.__class__ is slice:
            return [self[number] for number in range(*place.indices(len(self)))]
        if place < 0:
            raise IndexError(place)
        ends, start = self._ends, self._start
        return self._data[start + (ends[place - 1] if place else 0) : start + ends[place]].decode()


@dataclass(frozen=True, slots=True)
class Words:
    """`words` sorted; the places in `names` and `codes` where a word stands are told by `where`.

    `bare` are the codes without their dots, sorted, and `places` where each of them stands. What is placed first is likeliest meant.
    """

    codes: Texts
    names: Texts
    billable: memoryview
    words: Texts
    bare: Texts
    places: memoryview
    _found: memoryview
    _ends: memoryview

    def entry(self, place: int) -> Diagnosis:
        return Diagnosis(self.codes[place], self.names[place], bool(self.billable[place]))

    def where(self, word: int) -> memoryview:
        """The places that hold the word of this number."""
        return self._found[self._ends[word - 1] if word else 0 : self._ends[word]]

    def place_of(self, bare: str) -> int | None:
        """Where the code stands, which is given without its dot."""
        at = bisect_left(self.bare, bare)
        return self.places[at] if at < len(self.bare) and self.bare[at] == bare else None


def packed(entries: Sequence[tuple[str, str, int]], words: Mapping[str, array[int]]) -> bytes:
    """`entries`: code, name and whether it is billable, the likeliest first. `words`: the places of the entries each word stands in."""
    bare = sorted((code.replace(".", ""), place) for place, (code, _, _) in enumerate(entries))
    known = sorted(words)
    found, ends = array("I"), array("I")
    for word in known:
        found.extend(words[word])
        ends.append(len(found))
    parts = {
        **_texts("codes", [code for code, _, _ in entries]),
        **_texts("names", [name for _, name, _ in entries]),
        "billable": bytes(is_billable for _, _, is_billable in entries),
        **_texts("words", known),
        **_texts("bare", [code for code, _ in bare]),
        "places": array("I", [place for _, place in bare]).tobytes(),
        "found": found.tobytes(),
        "ends": ends.tobytes(),
    }
    return _joined(parts)


def _texts(name: str, texts: Iterable[str]) -> dict[str, bytes]:
    letters, ends = bytearray(), array("I")
    for text in texts:
        letters += text.encode()
        ends.append(len(letters))
    return {name: bytes(letters), f"{name}_ends": ends.tobytes()}


def _joined(parts: Mapping[str, bytes]) -> bytes:
    """The lengths of the parts first; each begins at a multiple of eight after that line."""
    body = b"".join(part + bytes(-len(part) % ALIGNED) for part in parts.values())
    head = json.dumps({"form": FORM, "parts": {name: len(part) for name, part in parts.items()}, "length": len(body)}).encode()
    head += b" " * (-(len(head) + 1) % ALIGNED) + b"\n"
    return head + body


def opened(data: bytes | mmap.mmap) -> Words:
    """What `packed` made. Raises Damaged."""
    end = data.find(b"\n") + 1
    try:
        head = json.loads(data[:end])
    except ValueError as error:
        raise Damaged("no head") from error
    if not isinstance(head, dict) or head.get("form") != FORM or len(data) != end + head["length"]:
        raise Damaged("another form, or cut short")
    view, at, parts, starts = memoryview(data), end, dict[str, memoryview](), dict[str, int]()
    for name, length in head["parts"].items():
        parts[name], starts[name] = view[at : at + length], at
        at += length + -length % ALIGNED
    texts = {name: Texts(data, starts[name], _numbers(parts[f"{name}_ends"])) for name in ("codes", "names", "words", "bare")}
    return Words(
        **texts, billable=parts["billable"], places=_numbers(parts["places"]), _found=_numbers(parts["found"]), _ends=_numbers(parts["ends"])
    )


def _numbers(part: memoryview) -> memoryview:
    return part.cast("I")


def mapped(path: Path) -> Words:
    """The file at `path`. Raises OSError and Damaged."""
    with path.open("rb") as file:
        try:
            return opened(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except ValueError as error:
            raise error if isinstance(error, Damaged) else Damaged("empty") from error


def keep(path: Path, data: bytes) -> None:
    """Written beside and moved into place: another process never reads half a file, and one that has the old one open keeps it. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}")
    unfinished.write_bytes(data)
    unfinished.replace(path)
