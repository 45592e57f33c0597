"""Finding a diagnosis by what people type: ICD-10-CM, in memory, by word beginnings and synonyms.

Codes and names come from the `simple_icd_10_cm` package (ICD-10-CM, public domain). The package takes seconds and 200 MB to load, so what is needed
of it is kept in a file of the data folder; later processes read that in well under a second.
"""

from __future__ import annotations

import heapq
import importlib.metadata
import json
import os
import re
import threading
import tomllib
import warnings
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

CONTENT = Path(__file__).parent / "content" / "diagnoses.toml"
SYSTEM = "http://hl7.org/fhir/sid/icd-10-cm"
CODE = re.compile(r"^[A-Za-z]\d[0-9A-Za-z]?\.?[0-9A-Za-z]{0,4}$")
RANKED = 600
EVERYWHERE = 4_000
LATER = re.compile(r"\.[0-9A-Z]{3}[D-S]$")
"""The seventh character of an injury's code: subsequent encounters and sequelae, after the initial ones (A, B, C)."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A code of ICD-10-CM. Only a `is_billable` one (a leaf) may go on a claim."""

    code: str
    name: str
    is_billable: bool


@dataclass(frozen=True, slots=True)
class Index:
    """`words` sorted; `postings[i]` the places in `entries` that hold `words[i]`.

    `entries` stand in the order of `_weight`, so that of many places the smallest numbers are the likeliest meant.
    """

    entries: Sequence[Diagnosis]
    words: Sequence[str]
    postings: Sequence[array[int]]
    by_code: Mapping[str, int]
    codes: Sequence[str]
    common: frozenset[int]
    synonyms: Mapping[str, str]

    def starting_with(self, beginning: str) -> set[int]:
        """Places with a word of this beginning. Two letters do not mean the words that half of all names have."""
        at, found = bisect_left(self.words, beginning), set[int]()
        while at < len(self.words) and self.words[at].startswith(beginning):
            if len(self.postings[at]) < EVERYWHERE or len(beginning) > 3 or self.words[at] == beginning:
                found.update(self.postings[at])
            at += 1
        return found


_lock = threading.Lock()
cache_folder: Path | None = None
"""Where the extract of the package is kept; set when Django starts. None: read the package itself."""


def index() -> Index:
    with _lock:
        return _index()


def warm() -> None:
    """Build the index beside whatever is going on, so that the first search does not wait for it."""
    if not _index.cache_info().currsize:
        threading.Thread(target=index, daemon=True, name="icd-10-cm index").start()


def find(text: str, limit: int = 20) -> list[Diagnosis]:
    """The best matches for a code or for words, the best first; nothing for fewer than two letters."""
    text = text.strip().lower()
    if len(text) < 2:
        return []
    known = index()
    places = _by_code(known, text) if CODE.match(text) else []
    for way in _ways_to_say(known, text):
        if len(places) >= limit:
            break
        places += _by_words(known, way)
    return [known.entries[place] for place in list(dict.fromkeys(places))[:limit]]


def named(code: str) -> Diagnosis | None:
    """The diagnosis with exactly this code, with or without its dot."""
    known = index()
    place = known.by_code.get(code.replace(".", "").upper())
    return None if place is None else known.entries[place]


def _ways_to_say(known: Index, text: str) -> list[list[str]]:
    """Synonyms first, then the words as typed."""
    ways = [known.synonyms[text]] if text in known.synonyms else []
    replaced = " ".join(known.synonyms.get(word, word) for word in text.split())
    return [_spoken(way) for way in dict.fromkeys([*ways, replaced, text])]


def _by_code(known: Index, text: str) -> list[int]:
    bare = text.replace(".", "").upper()
    at = bisect_left(known.codes, bare)
    found = [known.by_code[code] for code in known.codes[at : at + 60] if code.startswith(bare)]
    return sorted(found, key=lambda place: (len(known.entries[place].code), known.entries[place].code))


def _by_words(known: Index, spoken: list[str]) -> list[int]:
    """Entries with a word beginning with each of the spoken ones, ranked; the longest, usually the rarest, is looked up first."""
    found: set[int] | None = None
    for word in sorted(spoken, key=len, reverse=True):
        here = known.starting_with(word)
        found = here if found is None else found & here
        if not found:
            return []
    return _ranked(known, found or set(), spoken)


def _ranked(known: Index, found: set[int], spoken: list[str]) -> list[int]:
    """Everyday codes first, then those that have the very words, then billable ones, then short names."""
    exact = frozenset(spoken)

    def rank(place: int) -> tuple[bool, bool, int, bool, int]:
        entry = known.entries[place]
        missing = len(exact.difference(_spoken(entry.name)))
        return (place not in known.common, LATER.search(entry.code) is not None, missing, not entry.is_billable, place)

    few: Iterable[int] = found
    if len(found) > RANKED:
        few = (found & known.common) | set(heapq.nsmallest(RANKED, found))
    return sorted(few, key=rank)[:60]


def _spoken(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


@cache
def _index() -> Index:
    with CONTENT.open("rb") as file:
        data: dict[str, Any] = tomllib.load(file)
    entries: list[Diagnosis] = []
    places = dict[str, Any]()
    for code, name, is_billable, terms in sorted(_extract(), key=_weight):
        for word in {*_spoken(name), *_spoken(terms)}:
            places.setdefault(word, array("I")).append(len(entries))
        entries.append(Diagnosis(code, name, bool(is_billable)))
    words = sorted(places)
    by_code = {entry.code.replace(".", ""): place for place, entry in enumerate(entries)}
    common = frozenset(by_code[code.replace(".", "")] for code in data["common"])
    return Index(entries, words, [places[word] for word in words], by_code, sorted(by_code), common, data["synonyms"])


def _weight(row: tuple[str, str, int, str]) -> tuple[bool, int, str]:
    """Initial encounters before later ones, short names before long ones."""
    code, name, _is_billable, _terms = row
    return (LATER.search(code) is not None, name.count(" "), code)


def _extract() -> Iterable[tuple[str, str, int, str]]:
    """(code, name, billable, inclusion terms) of every category and below; from the kept file when it is of the installed package."""
    version = importlib.metadata.version("simple_icd_10_cm")
    kept = cache_folder / f"icd-10-cm-{version}.json" if cache_folder else None
    if kept is not None and kept.exists():
        rows: list[tuple[str, str, int, str]] = json.loads(kept.read_bytes())
        return rows
    rows = list(_from_package())
    if kept is not None:
        _keep(kept, rows)
    return rows


def _keep(path: Path, rows: list[tuple[str, str, int, str]]) -> None:
    """Written beside and moved into place: another process never reads half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}")
    unfinished.write_text(json.dumps(rows, separators=(",", ":")), encoding="utf-8")
    unfinished.replace(path)


def _from_package() -> Iterable[tuple[str, str, int, str]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package warns about notes of its own file that it skips
        import simple_icd_10_cm as icd

        for code in icd.get_all_codes():
            if not icd.is_chapter_or_block(code):
                yield code, icd.get_description(code), int(icd.is_leaf(code)), " ".join(icd.get_inclusion_term(code))
