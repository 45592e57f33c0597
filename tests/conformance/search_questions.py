"""Random questions about some resources: every value asked for is made from one that is there, sometimes bent a little."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from openward.fhir.definitions import SearchParameter, search_parameters
from tests.conformance.search_oracle import Found, Oracle, Resource

Pairs = list[tuple[str, str]]
# Made by the server (`_lastUpdated`), by sound, or measured on a sphere: each has tests of its own.
NOT_ASKED = frozenset({"_lastUpdated", "_content", "_text", "phonetic", "near", "_filter", "_query"})
PREFIXES = ("", "", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb")
DEEPEST = 3


class Questions:
    def __init__(self, oracle: Oracle, dice: random.Random) -> None:
        self.oracle = oracle
        self.dice = dice
        self.types = sorted(oracle.by_type)
        # The rare types are asked about as often as the common ones half of the time.
        self.weights = [len(oracle.by_type[type]) for type in self.types]

    def ask(self) -> tuple[str, Pairs]:
        """A type, and one to three parameters; the parameters are empty where nothing could be asked."""
        type = self.dice.choice(self.types) if self.dice.random() < 0.5 else self.dice.choices(self.types, self.weights)[0]
        shape = self.dice.random()
        if shape < 0.15:
            return type, [chain] if (chain := self._chain(type, DEEPEST)) else []
        if shape < 0.3:
            return self._has()
        return type, [pair for pair in (self._filter(type) for _ in range(self.dice.choice((1, 1, 2, 3)))) if pair]

    def _parameters(self, type: str, resource: Resource) -> list[SearchParameter]:
        known = [p for p in search_parameters(type).values() if p.code not in NOT_ASKED]
        return [p for p in known if (self.oracle.groups(p, resource) if p.components else self.oracle.values(p, resource))]

    def _filter(self, type: str) -> tuple[str, str] | None:
        resource = self.dice.choice(self.oracle.by_type[type])
        asked = self._parameters(type, resource)
        if not asked:
            return None
        parameter = self.dice.choice(asked)
        if self.dice.random() < 0.06 and not parameter.components and parameter.code != "_id":
            return f"{parameter.code}:missing", self.dice.choice(("true", "false"))
        modifier = self._modifier(parameter, resource)
        others = [self.dice.choice(self.oracle.by_type[type]) for _ in range(self.dice.choice((0, 0, 0, 1, 2)))]
        made = [value for one in (resource, *others) if (value := self._value(parameter, modifier, one))]
        return (f"{parameter.code}:{modifier}" if modifier else parameter.code, ",".join(made)) if made else None

    def _modifier(self, parameter: SearchParameter, resource: Resource) -> str:
        if parameter.components or self.dice.random() > 0.35:
            return ""
        if parameter.type == "reference":
            pointed_at = [type for r in self.oracle.references(parameter, resource) if (type := r.partition("/")[0]) in self.types]
            return self.dice.choice(("identifier", *pointed_at))
        if parameter.code == "identifier":
            return "of-type"
        choices = {"token": ("not", "of-type"), "string": ("exact", "contains"), "uri": ("above", "below")}
        return self.dice.choice(choices.get(parameter.type, ("",))) if parameter.code != "_id" else "not"

    def _value(self, parameter: SearchParameter, modifier: str, resource: Resource) -> str | None:
        if parameter.components:
            return self._composite(parameter, resource)
        found = self.oracle.values(parameter, resource)
        if modifier == "identifier":
            found = [("Identifier", one[1]["identifier"]) for one in found if isinstance(one[1], dict) and "identifier" in one[1]]
        if not found:
            return None
        if modifier == "of-type":
            return self._of_type(self.dice.choice(found))
        maker = MAKERS["token" if modifier == "identifier" else parameter.type]
        return _askable(maker(self.dice, *self.dice.choice(found)))

    def _of_type(self, found: Found) -> str | None:
        codings = found[1].get("type", {}).get("coding", ()) if found[0] == "Identifier" else ()
        if not codings or not found[1].get("value"):
            return None
        kind = self.dice.choice(codings)
        return f"{kind.get('system', '')}|{kind['code']}|{found[1]['value']}" if kind.get("code") else None

    def _composite(self, parameter: SearchParameter, resource: Resource) -> str | None:
        groups = [group for group in self.oracle.groups(parameter, resource) if all(group)]
        if not groups:
            return None
        group = self.dice.choice(groups)
        parts = [
            _askable(MAKERS[component.type](self.dice, *self.dice.choice(found)))
            for component, found in zip(parameter.components, group, strict=True)
        ]
        return "$".join(part for part in parts if part) if all(parts) else None

    def _chain(self, type: str, links: int) -> tuple[str, str] | None:
        """`subject:Patient.name=…`, `encounter.subject.birthdate=…`."""
        resource = self.dice.choice(self.oracle.by_type[type])
        references = [p for p in search_parameters(type).values() if p.type == "reference" and self.oracle.references(p, resource)]
        if not references:
            return None
        parameter = self.dice.choice(references)
        target = self.oracle.by_reference.get(self.dice.choice(self.oracle.references(parameter, resource)))
        if target is None:
            return None
        inner = self._chain(target["resourceType"], links - 1) if links > 1 and self.dice.random() < 0.3 else self._filter(target["resourceType"])
        named = f"{parameter.code}:{target['resourceType']}" if self.dice.random() < 0.6 or len(parameter.targets) > 1 else parameter.code
        return (f"{named}.{inner[0]}", inner[1]) if inner else None

    def _has(self) -> tuple[str, Pairs]:
        source = self.dice.choice(self.types)
        resource = self.dice.choice(self.oracle.by_type[source])
        references = [p for p in search_parameters(source).values() if p.type == "reference" and self.oracle.references(p, resource)]
        inner = self._chain(source, 1) if self.dice.random() < 0.15 else self._filter(source)
        if not references or not inner:
            return source, []
        parameter = self.dice.choice(references)
        target = self.dice.choice(self.oracle.references(parameter, resource)).partition("/")[0]
        return (target, [(f"_has:{source}:{parameter.code}:{inner[0]}", inner[1])]) if target in self.types else (source, [])


def _askable(value: str | None) -> str | None:
    return value if value and not set(value) & set(",$\\") and value.strip() else None


def _token(dice: random.Random, datatype: str, value: Any) -> str | None:
    if datatype == "ContactPoint":
        return None  # its own tests know how numbers are compared
    if not isinstance(value, dict):
        return str(value).lower() if isinstance(value, bool) else str(value)
    coding = dice.choice(value.get("coding") or [value])
    system, code = coding.get("system", ""), coding.get("value" if datatype == "Identifier" else "code", "")
    if not code:
        return None
    return dice.choice((f"{system}|{code}", code, f"{system}|" if system else code, f"|{code}", f"urn:other|{code}"))


def _string(dice: random.Random, datatype: str, value: Any) -> str | None:
    if not isinstance(value, str):
        keys = ("family", "given", "line", "city", "state", "text") if isinstance(value, dict) else ()
        parts = [part for key in keys for part in ([value[key]] if isinstance(value.get(key), str) else value.get(key) or []) if part]
        if not parts:
            return None
        value = dice.choice(parts)
    cut = value[: dice.choice((1, 2, 4, 100))].strip()
    return dice.choice((cut, cut.upper(), cut[1:].strip() or cut))


def _date(dice: random.Random, datatype: str, value: Any) -> str | None:
    text = value if isinstance(value, str) else value.get("start") or value.get("end") or next(iter(value.get("event", ())), None)
    if not isinstance(text, str) or datatype == "string" or not text[:4].isdigit():
        return None
    return dice.choice(PREFIXES) + dice.choice((text[:4], text[:7], text[:10], text))


def _number(dice: random.Random, datatype: str, value: Any) -> str | None:
    amount = value if not isinstance(value, dict) else value.get("low", {}).get("value")
    return dice.choice((*PREFIXES, "ap")) + f"{amount}" if amount is not None else None


SCALED = {"cm": ("m", "0.01"), "kg": ("g", "1000"), "mg/dL": ("g/L", "0.01"), "m": ("cm", "100"), "g": ("mg", "1000"), "g/dL": ("mg/dL", "1000")}


def _quantity(dice: random.Random, datatype: str, value: Any) -> str | None:
    number = value.get("value")
    if number is None or datatype == "Money":
        return None
    system, code = value.get("system", ""), value.get("code", "")
    if code in SCALED and dice.random() < 0.3:
        other, factor = SCALED[code]
        amount = f"{float(number) * float(factor):.4f}"
        return f"{dice.choice(('gt', 'lt', 'ap', ''))}{amount}|{system}|{other}"
    text = dice.choice((f"{number}", f"{float(number):.1f}", f"{float(number):.0f}"))
    unit = dice.choice(("", f"|{system}|{code}" if code else "", f"||{code or value.get('unit', '')}"))
    return dice.choice((*PREFIXES, "ap")) + text + unit


def _reference(dice: random.Random, datatype: str, value: Any) -> str | None:
    if datatype != "Reference":
        return value.get("url") if isinstance(value, dict) else str(value)
    reference = value.get("reference", "").partition("/_history/")[0]
    return dice.choice((reference, reference.rpartition("/")[2])) if "/" in reference and ":" not in reference else None


def _uri(dice: random.Random, datatype: str, value: Any) -> str:
    return str(dice.choice((str(value), str(value).partition("|")[0], str(value).rpartition("/")[0] or str(value), f"{value}/more")))


MAKERS: dict[str, Callable[[random.Random, str, Any], str | None]] = {
    "token": _token,
    "string": _string,
    "date": _date,
    "number": _number,
    "quantity": _quantity,
    "reference": _reference,
    "uri": _uri,
}
