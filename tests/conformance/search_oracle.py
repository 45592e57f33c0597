"""What a search should find, worked out in memory: each search parameter's expression is evaluated by FHIRPath on each resource, and what it gives is
compared with the value asked for, as https://hl7.org/fhir/R4/search.html says. No index, no SQL, nothing of openward.fhir.search."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from openward.fhir.definitions import SearchParameter, search_parameters
from openward.fhir.fhirpath import Compiled, FhirPathError, compile
from openward.fhir.ucum import convert, is_comparable

Resource = Mapping[str, Any]
Found = tuple[str, Any]  # data type, JSON value
PAST, FUTURE = dt.datetime.min.replace(tzinfo=dt.UTC), dt.datetime.max.replace(tzinfo=dt.UTC)
UCUM = "http://unitsofmeasure.org"
NAME_PARTS = ("text", "family", "given", "prefix", "suffix", "line", "city", "district", "state", "postalCode", "country")
BASED = {"Distance": "Quantity", "Age": "Quantity", "Duration": "Quantity", "Count": "Quantity", "SimpleQuantity": "Quantity"}


class Oracle:
    """Answers queries over some resources. `added`: parameters beside those of the specification, by type and code."""

    def __init__(self, resources: Iterable[Resource], added: Mapping[tuple[str, str], SearchParameter] | None = None) -> None:
        self.added = added or {}
        self.by_type: dict[str, list[Resource]] = {}
        self.by_reference: dict[str, Resource] = {}
        self._compiled: dict[str, Compiled] = {}
        self._values: dict[tuple[str, str, str], list[Found]] = {}
        for resource in resources:
            self.by_type.setdefault(resource["resourceType"], []).append(resource)
            self.by_reference[f"{resource['resourceType']}/{resource['id']}"] = resource

    # -- what there is ------------------------------------------------------------------------------------------

    def ids(self, type: str, params: Sequence[tuple[str, str]]) -> set[str]:
        return {r["id"] for r in self.by_type.get(type, ()) if all(self.holds(r, name, value) for name, value in params)}

    def parameter(self, type: str, code: str) -> SearchParameter:
        return search_parameters(type).get(code) or self.added[type, code]

    def values(self, parameter: SearchParameter, resource: Resource) -> list[Found]:
        """(data type, value) of all that the parameter's expression gives; an extension stands for its value."""
        name = (resource["resourceType"], parameter.code, resource["id"])
        if name not in self._values:
            self._values[name] = [found for item in self._items(parameter.expression, resource, resource) for found in _typed(item)]
        return self._values[name]

    def groups(self, parameter: SearchParameter, resource: Resource) -> list[list[list[Found]]]:
        """For each group of a composite, the values of each component."""
        found = self._items(parameter.expression, resource, resource)
        return [[[v for item in self._items(c.expression, group, resource) for v in _typed(item)] for c in parameter.components] for group in found]

    def _items(self, expression: str, data: Any, resource: Resource) -> list[Any]:
        if not expression:
            return []
        if expression not in self._compiled:
            self._compiled[expression] = compile(expression)
        try:
            return self._compiled[expression].items(data, root=resource, resolve=lambda reference: self._resolved(reference, resource))
        except FhirPathError:
            return []

    def _resolved(self, reference: str, resource: Resource) -> Resource | None:
        if reference.startswith("#"):
            return next((c for c in resource.get("contained", ()) if c.get("id") == reference[1:]), None)
        type, _, id = reference.partition("/")
        return self.by_reference.get(reference) or ({"resourceType": type, "id": id} if id and ":" not in reference else None)

    # -- what is asked ------------------------------------------------------------------------------------------

    def holds(self, resource: Resource, name: str, value: str) -> bool:
        if name.startswith("_has:"):
            return self._has(resource, name, value)
        head, dot, rest = name.partition(".")
        code, _, modifier = head.partition(":")
        parameter = self.parameter(resource["resourceType"], code)
        if dot:
            return self._chain(resource, parameter, modifier, rest, value)
        if parameter.components:
            return any(self._composite(parameter, resource, wanted) for wanted in value.split(","))
        found = self.values(parameter, resource)
        if modifier == "missing":
            return (not found) == (value == "true")
        if modifier == "not":
            return not any(matches(parameter.type, one, wanted, "") for one in found for wanted in value.split(","))
        return any(matches(parameter.type, one, wanted, modifier) for one in found for wanted in value.split(","))

    def _composite(self, parameter: SearchParameter, resource: Resource, wanted: str) -> bool:
        asked = list(zip(parameter.components, wanted.split("$"), strict=True))
        for group in self.groups(parameter, resource):
            if all(any(matches(c.type, one, part, "") for one in found) for (c, part), found in zip(asked, group, strict=True)):
                return True
        return False

    def references(self, parameter: SearchParameter, resource: Resource) -> list[str]:
        return [value.get("reference", "") for datatype, value in self.values(parameter, resource) if datatype == "Reference"]

    def _chain(self, resource: Resource, parameter: SearchParameter, type: str, rest: str, value: str) -> bool:
        targets = [self.by_reference.get(reference) for reference in self.references(parameter, resource)]
        return any(t is not None and type in ("", t["resourceType"]) and _knows(t, rest) and self.holds(t, rest, value) for t in targets)

    def _has(self, resource: Resource, name: str, value: str) -> bool:
        _, type, code, rest = name.split(":", 3)
        here, parameter = f"{resource['resourceType']}/{resource['id']}", search_parameters(type)[code]
        return any(here in self.references(parameter, source) and self.holds(source, rest, value) for source in self.by_type.get(type, ()))


def _knows(resource: Resource, name: str) -> bool:
    return name.startswith("_has:") or name.partition(".")[0].partition(":")[0] in search_parameters(resource["resourceType"])


def _typed(item: Any) -> Iterator[Found]:
    if not isinstance(item, tuple):
        yield ("boolean" if isinstance(item, bool) else "string"), item
        return
    value, datatype = item[0], item[1].name
    if datatype == "Extension":
        yield from ((key[5:], inner) for key, inner in value.items() if key.startswith("value"))
    elif value is not None:
        yield BASED.get(datatype, datatype), value


# -- one value against another ------------------------------------------------------------------------------------


def matches(type: str, found: Found, wanted: str, modifier: str) -> bool:
    if type == "string":
        return any(_string(text, wanted, modifier) for text in _texts(found[1]))
    if type == "token":
        return _of_type(found[1], wanted) if modifier == "of-type" else _token(found, wanted)
    if type == "reference":
        return _reference(found, wanted, modifier)
    if type == "uri":
        return _uri(str(found[1]), wanted, modifier)
    return {"date": _date, "quantity": _quantity, "number": _number}[type](found, wanted)


def _plain(text: str) -> str:
    folded = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return " ".join(folded.split())


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key in NAME_PARTS:
            part = value.get(key, [])
            yield from [part] if isinstance(part, str) else [text for text in part if text]
        yield from (coding["display"] for coding in value.get("coding", ()) if "display" in coding)


def _string(text: str, wanted: str, modifier: str) -> bool:
    if modifier == "exact":
        return text == wanted
    return _plain(wanted) in _plain(text) if modifier == "contains" else _plain(text).startswith(_plain(wanted))


def _token(found: Found, wanted: str) -> bool:
    system, bar, code = wanted.rpartition("|")
    return any(_is(one, system if bar else None, code) for one in _codings(found))


def _codings(found: Found) -> list[tuple[str | None, str]]:
    """(system, code); the system None where the value set of the element implies it."""
    datatype, value = found
    if isinstance(value, Mapping):
        if datatype == "Identifier":
            return [(value.get("system", ""), value.get("value", ""))]
        return [(c.get("system", ""), c.get("code", "")) for c in value.get("coding", [value])]
    return [(None if datatype == "code" else "", str(value).lower() if isinstance(value, bool) else str(value))]


def _is(one: tuple[str | None, str], system: str | None, code: str) -> bool:
    return (system is None or one[0] == system) and (not code or one[1] == code)


def _of_type(identifier: Any, wanted: str) -> bool:
    system, code, value = wanted.split("|")
    kinds = [(c.get("system", ""), c.get("code", "")) for c in identifier.get("type", {}).get("coding", ())]
    return (system, code) in kinds and identifier.get("value") == value


def _reference(found: Found, wanted: str, modifier: str) -> bool:
    if found[0] != "Reference":
        literal = found[1].get("url", "") if isinstance(found[1], Mapping) else str(found[1])
        return wanted in (literal, literal.partition("|")[0])
    if modifier == "identifier":
        identifier = found[1].get("identifier")
        return bool(identifier) and _token(("Identifier", identifier), wanted)
    reference = found[1].get("reference", "").partition("/_history/")[0]
    if modifier and not reference.startswith(f"{modifier}/"):
        return False
    return bool(reference == wanted or ("/" not in wanted and ":" not in reference and reference.endswith(f"/{wanted}")))


def _uri(text: str, wanted: str, modifier: str) -> bool:
    def below(base: str, deeper: str) -> bool:
        return deeper == base or deeper.startswith(base if base.endswith(("/", ":")) else (base + "/", base + ":"))  # type: ignore[arg-type]

    if modifier == "below":
        return below(wanted, text)
    return below(text, wanted) if modifier == "above" else wanted in (text, text.partition("|")[0])


def split(wanted: str) -> tuple[str, str]:
    return (wanted[:2], wanted[2:]) if wanted[:2].isalpha() else ("eq", wanted)


def _moment(text: str) -> tuple[dt.datetime, dt.datetime]:
    """[from, to) of a date as precise as it is written; without a zone in UTC."""
    if len(text) > 10:
        start = dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
        start = start if start.tzinfo else start.replace(tzinfo=dt.UTC)
        digits = len(text.partition(".")[2].rstrip("Z").partition("+")[0].partition("-")[0])
        return start, start + (dt.timedelta(seconds=10.0**-digits) if digits else dt.timedelta(seconds=1))
    numbers = [int(part) for part in text.split("-")]
    first = dt.datetime(*(numbers + [1, 1])[:3], tzinfo=dt.UTC)  # type: ignore[misc,arg-type]
    if len(numbers) == 3:
        return first, first + dt.timedelta(days=1)
    following = (first.year + first.month // 12, first.month % 12 + 1) if len(numbers) == 2 else (first.year + 1, 1)
    return first, dt.datetime(*following, 1, tzinfo=dt.UTC)


def _range(value: Any) -> tuple[dt.datetime, dt.datetime] | None:
    if isinstance(value, str):
        return _moment(value)
    if "start" in value or "end" in value:
        return (_moment(value["start"])[0] if "start" in value else PAST), (_moment(value["end"])[1] if "end" in value else FUTURE)
    parts = [_moment(event) for event in value.get("event", ())]
    bounds = value.get("repeat", {}).get("boundsPeriod")
    parts += [found] if bounds and (found := _range(bounds)) else []
    return (min(p[0] for p in parts), max(p[1] for p in parts)) if parts else None


def _date(found: Found, wanted: str) -> bool:
    prefix, text = split(wanted)
    (low, high), its = _moment(text), None if found[0] == "string" or isinstance(found[1], Mapping) and "value" in found[1] else _range(found[1])
    if its is None:
        return False
    start, end = its
    inside = low <= start and end <= high
    return {
        "eq": inside, "ne": not inside, "gt": end > high, "lt": start < low, "ge": end > high or inside, "le": start < low or inside,
        "sa": start >= high, "eb": end <= low,
    }[prefix]  # fmt: skip


def _compared(prefix: str, text: str, low: Decimal, high: Decimal) -> bool:
    number = Decimal(text)
    half = Decimal(5).scaleb(int(number.as_tuple().exponent) - 1)
    tenth = abs(number) / 10
    near = number - half <= low < number + half and high < number + half
    return {
        "eq": near, "ne": not near, "gt": high > number, "lt": low < number, "ge": high >= number, "le": low <= number,
        "sa": low > number, "eb": high < number, "ap": low <= number + tenth and high >= number - tenth,
    }[prefix]  # fmt: skip


INFINITE = Decimal("Infinity")


def _number(found: Found, wanted: str) -> bool:
    prefix, text = split(wanted)
    if isinstance(found[1], Mapping):
        low, high = (Decimal(str(found[1].get(end, {}).get("value", other))) for end, other in (("low", -INFINITE), ("high", INFINITE)))
        return _compared(prefix, text, low, high)
    return _compared(prefix, text, Decimal(str(found[1])), Decimal(str(found[1])))


def _quantity(found: Found, wanted: str) -> bool:
    datatype, value = found
    amount, *unit = wanted.split("|")
    if datatype == "Range":
        return _range_of_quantity(value, amount, unit)
    if "value" not in value:
        return False
    factor = _factor(value, unit)
    if factor is None:
        return False
    number = Decimal(str(value["value"])) if factor == "" else convert(Decimal(str(value["value"])), value["code"], factor)
    low = -INFINITE if value.get("comparator") in ("<", "<=") else number
    high = INFINITE if value.get("comparator") in (">", ">=") else number
    return _compared(*split(amount), low, high)


def _factor(value: Mapping[str, Any], unit: Sequence[str]) -> str | None:
    """The unit to convert into, "" when the number stands as it is, None when the units have nothing to do with each other."""
    if not unit or not unit[1]:
        return ""
    if not unit[0]:
        return "" if unit[1] in (value.get("code"), value.get("unit")) else None
    if unit[0] != value.get("system"):
        return None
    if unit[1] == value.get("code"):
        return ""
    return unit[1] if unit[0] == UCUM and _comparable(value.get("code"), unit[1]) else None


def _comparable(one: str | None, other: str) -> bool:
    try:
        return one is not None and is_comparable(one, other)
    except ValueError:
        return False


def _range_of_quantity(value: Mapping[str, Any], amount: str, unit: Sequence[str]) -> bool:
    ends = [value[end] for end in ("low", "high") if end in value]
    if not ends or _factor(ends[0], unit) != "":
        return False
    return _number(("Range", value), amount)
