"""What a query should find, worked out in memory by the plainest reading of the specification: no index, no SQL, none of search's own code
but the paths of the parameters."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from openward.fhir.definitions import SearchParameter, extract, search_parameters
from openward.fhir.ucum import convert, is_comparable

Resource = Mapping[str, Any]
FAR_PAST, FAR_FUTURE = dt.datetime.min.replace(tzinfo=dt.UTC), dt.datetime.max.replace(tzinfo=dt.UTC)


def values(parameter: SearchParameter, resource: Resource) -> list[tuple[str, Any]]:
    return [found for path in parameter.paths for found in extract(path, resource) if not path.target or _points(found[1], path.target)]


def _points(value: Any, type: str) -> bool:
    return str(value.get("reference", "")).startswith(f"{type}/")


class Oracle:
    """Answers queries over some resources of one tenant."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self.by_type: dict[str, list[Resource]] = {}
        self.by_reference: dict[str, Resource] = {}
        for resource in resources:
            self.by_type.setdefault(resource["resourceType"], []).append(resource)
            self.by_reference[f"{resource['resourceType']}/{resource['id']}"] = resource

    def ids(self, type: str, params: Sequence[tuple[str, str]]) -> set[str]:
        return {r["id"] for r in self.by_type.get(type, ()) if all(self.holds(r, name, value) for name, value in params)}

    def holds(self, resource: Resource, name: str, value: str) -> bool:
        if name.startswith("_has:"):
            return self._has(resource, name, value)
        head, dot, rest = name.partition(".")
        code, _, modifier = head.partition(":")
        parameter = search_parameters(resource["resourceType"])[code]
        if dot:
            return self._chain(resource, parameter, modifier, rest, value)
        return satisfies(parameter, resource, modifier, value)

    def _chain(self, resource: Resource, parameter: SearchParameter, type: str, rest: str, value: str) -> bool:
        for reference in local_references(parameter, resource):
            target = self.by_reference.get(reference)
            if target and type in ("", target["resourceType"]) and _knows(target, rest) and self.holds(target, rest, value):
                return True
        return False

    def _has(self, resource: Resource, name: str, value: str) -> bool:
        _, type, code, rest = name.split(":", 3)
        here = f"{resource['resourceType']}/{resource['id']}"
        parameter = search_parameters(type)[code]
        sources = (r for r in self.by_type.get(type, ()) if here in local_references(parameter, r))
        return any(self.holds(source, rest, value) for source in sources)


def _knows(resource: Resource, name: str) -> bool:
    return name.partition(".")[0].partition(":")[0] in search_parameters(resource["resourceType"])


def local_references(parameter: SearchParameter, resource: Resource) -> list[str]:
    return [value.get("reference", "") for datatype, value in values(parameter, resource) if datatype == "Reference"]


def satisfies(parameter: SearchParameter, resource: Resource, modifier: str, value: str) -> bool:
    found = values(parameter, resource)
    if modifier == "missing":
        return (not found) == (value == "true")
    if modifier == "not":
        return not any(_token(one, wanted) for one in found for wanted in value.split(","))
    if parameter.components:
        return any(_composite(parameter, resource, wanted) for wanted in value.split(","))
    match = {"token": _token, "date": _date, "quantity": _quantity, "reference": _reference}.get(parameter.type)
    if match:
        return any(match(one, wanted) for one in found for wanted in value.split(","))
    return any(_string(one, wanted, modifier) for one in found for wanted in value.split(","))


# -- token --------------------------------------------------------------------------------------------------------


def tokens(found: tuple[str, Any]) -> Iterator[tuple[str | None, str]]:
    datatype, value = found
    if datatype == "CodeableConcept":
        for coding in value.get("coding", ()):
            yield coding.get("system", ""), coding.get("code", "")
    elif datatype == "Coding":
        yield value.get("system", ""), value.get("code", "")
    elif datatype == "Identifier":
        yield value.get("system", ""), value.get("value", "")
    elif datatype == "code":
        yield None, value  # its system is implied
    else:
        yield "", str(value).lower() if isinstance(value, bool) else value


def _token(found: tuple[str, Any], wanted: str) -> bool:
    system, bar, code = wanted.rpartition("|")
    return any((not bar or system == its_system) and (not code or code == its_code) for its_system, its_code in tokens(found))


# -- string -------------------------------------------------------------------------------------------------------


def _plain(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", text.casefold()) if not unicodedata.combining(c))


def _texts(found: tuple[str, Any]) -> Iterator[str]:
    value = found[1]
    if isinstance(value, str):
        yield value
        return
    for key in ("text", "family", "given", "prefix", "suffix", "line", "city", "district", "state", "postalCode", "country"):
        part = value.get(key, [])
        yield from [part] if isinstance(part, str) else part


def _string(found: tuple[str, Any], wanted: str, modifier: str) -> bool:
    for text in _texts(found):
        if modifier == "exact" and text == wanted:
            return True
        if modifier == "contains" and _plain(wanted) in _plain(text):
            return True
        if modifier == "" and _plain(text).startswith(_plain(wanted)):
            return True
    return False


# -- date ---------------------------------------------------------------------------------------------------------


def _moment(text: str) -> tuple[dt.datetime, dt.datetime]:
    """[from, to)"""
    if len(text) > 10:
        start = dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
        start = start if start.tzinfo else start.replace(tzinfo=dt.UTC)
        return start, start + (dt.timedelta(milliseconds=1) if "." in text else dt.timedelta(seconds=1))
    numbers = [int(part) for part in text.split("-")]
    first = dt.datetime(*(numbers + [1, 1])[:3], tzinfo=dt.UTC)  # type: ignore[misc,arg-type]
    if len(numbers) == 3:
        return first, first + dt.timedelta(days=1)
    if len(numbers) == 2:
        return first, dt.datetime(first.year + first.month // 12, first.month % 12 + 1, 1, tzinfo=dt.UTC)
    return first, dt.datetime(first.year + 1, 1, 1, tzinfo=dt.UTC)


def _date(found: tuple[str, Any], wanted: str) -> bool:
    datatype, value = found
    prefix, text = (wanted[:2], wanted[2:]) if wanted[:2].isalpha() else ("eq", wanted)
    low, high = _moment(text)
    if datatype == "Period":
        start = _moment(value["start"])[0] if "start" in value else FAR_PAST
        end = _moment(value["end"])[1] if "end" in value else FAR_FUTURE
    else:
        start, end = _moment(value)
    inside = low <= start and end <= high
    return {
        "eq": inside, "ne": not inside, "gt": end > high, "lt": start < low, "ge": end > high or inside, "le": start < low or inside,
        "sa": start >= high, "eb": end <= low,
    }[prefix]  # fmt: skip


# -- quantity -----------------------------------------------------------------------------------------------------


def _quantity(found: tuple[str, Any], wanted: str) -> bool:
    value = found[1]
    if "value" not in value:
        return False
    amount, *unit = wanted.split("|")
    prefix, text = (amount[:2], amount[2:]) if amount[:2].isalpha() else ("eq", amount)
    its = float(value["value"])
    if unit and unit[1]:
        if not unit[0] and unit[1] not in (value.get("code"), value.get("unit")):
            return False
        if unit[0] and unit[0] != value.get("system"):
            return False
        if unit[0] and unit[1] != value.get("code"):
            if not comparable(value.get("code"), unit[1]):
                return False
            its = float(convert(Decimal(str(value["value"])), value["code"], unit[1]))
    number = float(text)
    half = 0.5 * 10 ** -len(text.partition(".")[2])
    near = number - half <= its < number + half
    return {"eq": near, "ne": not near, "gt": its > number, "lt": its < number, "ge": its >= number, "le": its <= number}[prefix]


def comparable(one: str | None, other: str) -> bool:
    try:
        return one is not None and is_comparable(one, other)
    except ValueError:
        return False


def _reference(found: tuple[str, Any], wanted: str) -> bool:
    reference = found[1].get("reference", "")
    return bool(reference == wanted or ("/" not in wanted and reference.endswith(f"/{wanted}")))


def _composite(parameter: SearchParameter, resource: Resource, wanted: str) -> bool:
    parts = wanted.split("$")
    groups = [
        resource if not path.steps else group
        for path in parameter.paths
        for _, group in (extract(path, resource) if path.steps else [("", resource)])
    ]
    return any(all(_part(component, group, part) for component, part in zip(parameter.components, parts, strict=True)) for group in groups)


def _part(component: Any, group: Resource, wanted: str) -> bool:
    found = [one for path in component.paths for one in extract(path, group)]
    return any({"token": _token, "quantity": _quantity}[component.type](one, wanted) for one in found)
