"""The drug knowledge of `content/*.toml`, read once, or a named reason why it cannot be used.

A check that runs on half a file is worse than none: anything missing, damaged or past its date makes the whole of it unavailable.
"""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

CONTENT = Path(__file__).parent.parent / "content"
SEVERITIES = ("severe", "moderate")


class KnowledgeUnavailable(Exception):
    """The drug check cannot run. The message is the reason, for a person."""


@dataclass(frozen=True, slots=True)
class Frequency:
    """How often, in words and as FHIR Timing. https://hl7.org/fhir/R4/datatypes.html#Timing"""

    key: str
    text: str
    timing: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Product:
    """Something that can be picked: one form in one strength."""

    form: str
    strength: str
    route: str
    unit: str

    @property
    def text(self) -> str:
        return f"{self.form} {self.strength}"


@dataclass(frozen=True, slots=True)
class Drug:
    """A generic drug. `ingredients` are the names of what it is made of: itself, or its parts."""

    name: str
    rxcui: str | None
    classes: frozenset[str]
    ingredients: tuple[str, ...]
    products: tuple[Product, ...] = ()
    usual: str = ""
    prn: str = ""
    quantity: float | int | None = None
    days: int | None = None
    brands: tuple[str, ...] = ()
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pair:
    """An interaction: `a` and `b` are ingredients or classes."""

    a: str
    b: str
    severity: str
    effect: str
    advice: str
    source: str


@dataclass(frozen=True, slots=True)
class Cross:
    """A class that may cross-react with an allergy group."""

    classes: str
    severity: str
    why: str


@dataclass(frozen=True, slots=True)
class AllergyGroup:
    name: str
    words: frozenset[str]
    classes: frozenset[str]
    severity: str
    cross: tuple[Cross, ...]
    source: str


@dataclass(frozen=True)
class Knowledge:
    """Everything the check knows, with the date it was compiled and the date after which it must not be used."""

    drugs: Mapping[str, Drug]
    frequencies: Mapping[str, Frequency]
    pairs: tuple[Pair, ...]
    groups: tuple[AllergyGroup, ...]
    other_substances: Mapping[str, tuple[str, ...]]
    reactions: tuple[str, ...]
    duplicate_classes: frozenset[str]
    sources: tuple[str, ...]
    dated: dt.date
    expires: dt.date

    @cached_property
    def by_code(self) -> Mapping[str, Drug]:
        return {drug.rxcui: drug for drug in self.drugs.values() if drug.rxcui}

    @cached_property
    def names(self) -> Mapping[tuple[str, ...], Drug]:
        """Every name, synonym and brand as a sequence of words, to the drug."""
        return {words(name): drug for drug in self.drugs.values() for name in (*drug.brands, *drug.synonyms, drug.name)}

    @cached_property
    def longest_name(self) -> int:
        return max(len(name) for name in self.names)

    @cached_property
    def prescribable(self) -> Sequence[Drug]:
        return sorted((drug for drug in self.drugs.values() if drug.products), key=lambda drug: drug.name)

    def terms(self, ingredients: Iterable[str]) -> frozenset[str]:
        """The ingredients and every class they are in: what a rule may name."""
        found = set(ingredients)
        for ingredient in ingredients:
            if (drug := self.drugs.get(ingredient)) is not None:
                found |= drug.classes
        return frozenset(found)

    def usable_on(self, today: dt.date) -> Knowledge:
        if today > self.expires:
            raise KnowledgeUnavailable(f"The drug file is of {self.dated:%d-%b-%Y} and may not be used after {self.expires:%d-%b-%Y}.")
        return self


def words(text: str) -> tuple[str, ...]:
    """Lower-case words of a drug name: `St. John's Wort` is `st john's wort`; hyphens and commas part words."""
    return tuple(re.findall(r"[a-z0-9']+", text.lower()))


def read_knowledge(folder: Path = CONTENT) -> Knowledge:
    """Read all four files. Raises KnowledgeUnavailable with the reason."""
    try:
        drugs, pairs, allergies, duplicates = (_read(folder / f"{name}.toml") for name in ("drugs", "interactions", "allergies", "duplicates"))
        return _knowledge(drugs, pairs, allergies, duplicates)
    except FileNotFoundError as missing:
        raise KnowledgeUnavailable(f"The drug file {Path(str(missing.filename)).name} is missing.") from missing
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError, AttributeError) as damage:
        raise KnowledgeUnavailable(f"The drug file is damaged ({type(damage).__name__}: {damage}).") from damage


def _read(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return tomllib.load(file)


def _knowledge(drugs: dict[str, Any], pairs: dict[str, Any], allergies: dict[str, Any], duplicates: dict[str, Any]) -> Knowledge:
    known = {entry["name"]: _drug(entry, drugs["form"]) for entry in drugs["drug"]}
    knowledge = Knowledge(
        drugs=known,
        frequencies={key: _frequency(key, entry) for key, entry in drugs["frequency"].items()},
        pairs=tuple(_pair(entry, pairs["source"]) for entry in pairs["pair"]),
        groups=tuple(_group(entry, allergies["source"]) for entry in allergies["group"]),
        other_substances={kind: tuple(names) for kind, names in allergies["substances"].items()},
        reactions=tuple(allergies["reactions"]["common"]),
        duplicate_classes=frozenset(duplicates["classes"]),
        sources=tuple(entry["title"] for file in (pairs, allergies) for entry in file["source"].values()),
        dated=min(file["dated"] for file in (pairs, allergies, duplicates)),
        expires=min(file["expires"] for file in (pairs, allergies, duplicates)),
    )
    _refuse_unknown_terms(knowledge)
    return knowledge


def _refuse_unknown_terms(knowledge: Knowledge) -> None:
    """A rule about a drug or class that does not exist would never fire, silently."""
    known = set(knowledge.drugs) | {name for drug in knowledge.drugs.values() for name in drug.classes}
    named = {term for pair in knowledge.pairs for term in (pair.a, pair.b)} | set(knowledge.duplicate_classes)
    named |= {term for group in knowledge.groups for term in (*group.classes, *(cross.classes for cross in group.cross))}
    named |= {part for drug in knowledge.drugs.values() for part in drug.ingredients}
    if unknown := sorted(named - known):
        raise ValueError(f"rules name what no drug is: {', '.join(unknown)}")


def _drug(entry: dict[str, Any], forms: dict[str, Any]) -> Drug:
    return Drug(
        name=entry["name"],
        rxcui=entry.get("rxcui"),
        classes=frozenset(entry["classes"]),
        ingredients=tuple(entry.get("ingredients", [entry["name"]])),
        products=tuple(product for line in entry.get("products", []) for product in _products(line, forms)),
        usual=entry.get("usual", ""),
        prn=entry.get("prn", ""),
        quantity=entry.get("quantity"),
        days=entry.get("days"),
        brands=tuple(entry.get("brands", [])),
        synonyms=tuple(entry.get("synonyms", [])),
    )


def _products(line: str, forms: dict[str, Any]) -> Iterable[Product]:
    """`tablet 5 mg, 10 mg` → two products."""
    form, strengths = re.split(r" (?=\d)", line, maxsplit=1)
    facts = forms[form]
    for strength in re.split(r",(?= )", strengths):
        yield Product(form, strength.strip(), facts["route"], facts["unit"])


def _frequency(key: str, entry: dict[str, Any]) -> Frequency:
    if "count" in entry:
        return Frequency(key, entry["text"], {"repeat": {"count": entry["count"]}, "code": {"text": entry["text"]}})
    code: dict[str, Any] = {"text": entry["text"]}
    if "code" in entry:
        code["coding"] = [{"system": "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation", "code": entry["code"]}]
    repeat = {"frequency": entry["times"], "period": entry["period"], "periodUnit": entry["unit"]}
    return Frequency(key, entry["text"], {"repeat": repeat, "code": code})


def _pair(entry: dict[str, Any], sources: dict[str, Any]) -> Pair:
    title = sources[entry["source"]]["title"]
    source = f"FDA-approved label of {entry['label']}" if "label" in entry else title
    return Pair(entry["a"], entry["b"], _severity(entry["severity"]), entry["effect"], entry["advice"], source)


def _group(entry: dict[str, Any], sources: dict[str, Any]) -> AllergyGroup:
    cross = tuple(Cross(one["class"], _severity(one["severity"]), one["why"]) for one in entry.get("cross", []))
    return AllergyGroup(
        name=entry["name"],
        words=frozenset(" ".join(words(word)) for word in (*entry.get("words", []), entry["name"])),
        classes=frozenset(entry["classes"]),
        severity=_severity(entry.get("severity", "severe")),
        cross=cross,
        source=sources[entry["source"]]["title"],
    )


def _severity(text: str) -> str:
    if text not in SEVERITIES:
        raise ValueError(f"severity {text!r} is neither severe nor moderate")
    return text
