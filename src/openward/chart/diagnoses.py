"""Finding a diagnosis by what people type: ICD-10-CM, by word beginnings and synonyms.

Codes and names come from the `simple_icd_10_cm` package (ICD-10-CM, public domain). The package takes seconds and 200 MB to load, so another
process reads it, once, and leaves what is needed as a file (`diagnosis_index`), which all processes share: beside the program when it is set up
(`python -m openward.chart.diagnoses`), in the data folder where that was not done.
"""

from __future__ import annotations

import heapq
import importlib.metadata
import logging
import re
import subprocess
import sys
import threading
import tomllib
import warnings
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from openward.chart.diagnosis_index import Damaged, Diagnosis, Words, keep, mapped, opened, packed

log = logging.getLogger("openward.chart")
CONTENT = Path(__file__).parent / "content" / "diagnoses.toml"
SYSTEM = "http://hl7.org/fhir/sid/icd-10-cm"
CODE = re.compile(r"^[A-Za-z]\d[0-9A-Za-z]?\.?[0-9A-Za-z]{0,4}$")
RANKED = 600
EVERYWHERE = 4_000
LATER = re.compile(r"\.[0-9A-Z]{3}[D-S]$")
"""The seventh character of an injury's code: subsequent encounters and sequelae, after the initial ones (A, B, C)."""


MAKING_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Index:
    """Entries stand in the order of `_weight`, so that of many places the smallest numbers are the likeliest meant. `common`: everyday codes' places."""

    words: Words
    common: frozenset[int]
    synonyms: Mapping[str, str]

    def entry(self, place: int) -> Diagnosis:
        return self.words.entry(place)

    def starting_with(self, beginning: str) -> set[int]:
        """Places with a word of this beginning. Two letters do not mean the words that half of all names have."""
        known = self.words.words
        at, found = bisect_left(known, beginning), set[int]()
        while at < len(known) and (word := known[at]).startswith(beginning):
            places = self.words.where(at)
            if len(places) < EVERYWHERE or len(beginning) > 3 or word == beginning:
                found.update(places)
            at += 1
        return found


_lock = threading.Lock()
FILE = f"icd-10-cm-{importlib.metadata.version('simple_icd_10_cm')}.words"
BESIDE = CONTENT.parent
cache_folder: Path | None = None
"""Where the file is kept; set when Django starts. None: nowhere, it is made in memory."""


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
    return [known.entry(place) for place in list(dict.fromkeys(places))[:limit]]


def named(code: str) -> Diagnosis | None:
    """The diagnosis with exactly this code, with or without its dot."""
    known = index()
    place = known.words.place_of(code.replace(".", "").upper())
    return None if place is None else known.entry(place)


def _ways_to_say(known: Index, text: str) -> list[list[str]]:
    """Synonyms first, then the words as typed."""
    ways = [known.synonyms[text]] if text in known.synonyms else []
    replaced = " ".join(known.synonyms.get(word, word) for word in text.split())
    return [_spoken(way) for way in dict.fromkeys([*ways, replaced, text])]


def _by_code(known: Index, text: str) -> list[int]:
    bare, codes = text.replace(".", "").upper(), known.words.bare
    at = bisect_left(codes, bare)
    found = [known.words.places[number] for number in range(at, min(at + 60, len(codes))) if codes[number].startswith(bare)]
    return sorted(found, key=lambda place: (len(known.words.codes[place]), known.words.codes[place]))


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
    codes, names, billable = known.words.codes, known.words.names, known.words.billable

    def rank(place: int) -> tuple[bool, bool, int, bool, int]:
        missing = len(exact.difference(_spoken(names[place])))
        return (place not in known.common, LATER.search(codes[place]) is not None, missing, not billable[place], place)

    few: Iterable[int] = found
    if len(found) > RANKED:
        few = (found & known.common) | set(heapq.nsmallest(RANKED, found))
    return sorted(few, key=rank)[:60]


def _spoken(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


@cache
def _index() -> Index:
    data, words = everyday(), _words()
    places = (words.place_of(code.replace(".", "")) for code in data["common"])
    return Index(words, frozenset(place for place in places if place is not None), data["synonyms"])


def everyday() -> Mapping[str, Any]:
    """`common`: the codes of everyday; `synonyms`: what people say, and how ICD-10-CM says it."""
    with CONTENT.open("rb") as file:
        return tomllib.load(file)


def _words() -> Words:
    """From the kept file; when there is none of the installed package, or a damaged one, it is made first, by a process of its own."""
    for folder in (BESIDE, cache_folder):
        if folder is not None:
            with suppress(OSError, Damaged):
                return mapped(folder / FILE)
    if cache_folder is None:
        return opened(made())
    kept = cache_folder / FILE
    try:
        subprocess.run([sys.executable, "-m", __name__, str(kept)], check=True, timeout=MAKING_SECONDS)  # noqa: S603 - this program itself
        return mapped(kept)
    except (OSError, Damaged, subprocess.SubprocessError) as error:
        log.warning("ICD-10-CM could not be kept as a file (%s): this process holds it in its own memory", type(error).__name__)
        return opened(made())


def made() -> bytes:
    """What the package says, as `diagnosis_index.packed` keeps it."""
    entries: list[tuple[str, str, int]] = []
    words: dict[str, array[int]] = {}
    for code, name, is_billable, terms in sorted(_from_package(), key=_weight):
        for word in {*_spoken(name), *_spoken(terms)}:
            words.setdefault(word, array("I")).append(len(entries))
        entries.append((code, name, is_billable))
    return packed(entries, words)


def _weight(row: tuple[str, str, int, str]) -> tuple[bool, int, str]:
    """Initial encounters before later ones, short names before long ones."""
    code, name, _is_billable, _terms = row
    return (LATER.search(code) is not None, name.count(" "), code)


def _from_package() -> Iterable[tuple[str, str, int, str]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package warns about notes of its own file that it skips
        import simple_icd_10_cm as icd

        for code in icd.get_all_codes():
            if not icd.is_chapter_or_block(code):
                yield code, icd.get_description(code), int(icd.is_leaf(code)), " ".join(icd.get_inclusion_term(code))


if __name__ == "__main__":
    keep(Path(sys.argv[1]) if len(sys.argv) > 1 else BESIDE / FILE, made())
