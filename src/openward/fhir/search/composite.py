"""Composite parameters: values that belong together, joined by $. https://hl7.org/fhir/R4/search.html#composite

Of the resource itself they are the conjunction of their components; of a repeating group (Observation.component) each group has a row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from openward.fhir.definitions import Component, SearchParameter
from openward.fhir.errors import BadRequest
from openward.fhir.ids import is_id, key
from openward.fhir.search import date, number, quantity, reference, string, token
from openward.fhir.search.escape import held, parted, split_escaped, unescaped
from openward.fhir.search.parameters import number as number_of
from openward.fhir.search.parameters import owned, plan, target_types
from openward.fhir.search.prefix import split_prefix
from openward.fhir.search.sql import Bindings, all_of, any_of, rtype


@dataclass(frozen=True, slots=True)
class Group:
    """A row of fhir.composite_value: token hashes salted with their component, and up to two numbers."""

    param: int
    tokens: tuple[int, ...]
    numbers: tuple[tuple[float, float], ...] = field(default=())


def extract(parameter: SearchParameter, value: Sequence[Sequence[tuple[str, Any]]], tenant: int) -> Group | None:
    """The row of one group; `value` holds, for each component, its (data type, value) pairs."""
    tokens: set[int] = set()
    numbers: list[tuple[float, float]] = []
    for component, pairs in zip(parameter.components, value, strict=True):
        for datatype, one in pairs:
            _add(parameter, component, datatype, one, tokens, numbers, tenant)
    return Group(number_of(parameter.code), tuple(sorted(tokens)), tuple(numbers[:2]))


def _add(
    parameter: SearchParameter, component: Component, datatype: str, value: Any, tokens: set[int], numbers: list[tuple[float, float]], tenant: int
) -> None:
    name = _salt(parameter, component)
    if component.type == "token":
        token.extract(_as_parameter(parameter, component), datatype, value, tokens, {}, tenant)
        tokens.update(token.token_hash(name, system, None) for system in _systems(value))
    elif component.type == "quantity":
        if measure := quantity.extract(datatype, value):
            numbers.append(measure[:2])
            tokens.update(measure[2])
    elif component.type == "number":
        if found := number.extract(datatype, value):
            numbers.append(found)
    elif target := reference.extract(name, datatype, value, tokens, tenant):
        tokens.add(reference.link_hash(f"{name}{target[1]}", target[0]))


def _systems(value: Any) -> set[str]:
    """The systems of a concept's codings, for `system|`."""
    codings = value.get("coding", (value,)) if isinstance(value, Mapping) else ()
    return {coding["system"] for coding in codings if coding.get("system")}


def _salt(parameter: SearchParameter, component: Component) -> str:
    """Components of one expression share their hashes: `code` of component-code-value-quantity and of combo-code-value-quantity."""
    return f"{component.group}.{component.expression}"


def _as_parameter(parameter: SearchParameter, component: Component) -> SearchParameter:
    return _Part(parameter, component)


class _Part(SearchParameter):
    """A composite's component, as if it were a parameter of its own."""

    def __init__(self, parameter: SearchParameter, component: Component) -> None:
        super().__init__(parameter.base, _salt(parameter, component), component.type, component.expression, "", (), ())
        object.__setattr__(self, "paths", component.paths)


def condition(parameter: SearchParameter, values: Sequence[str], modifier: str | None, bind: Bindings) -> str:
    return any_of([_one(parameter, _parts(parameter, value), bind) for value in values])


def _parts(parameter: SearchParameter, value: str) -> list[str]:
    parts = split_escaped(value, "$")
    if len(parts) != len(parameter.components) or not all(parts):
        wanted = "$".join(component.code for component in parameter.components)
        raise BadRequest(f"{parameter.code} takes {wanted}; got {value!r}.")
    return [held(part) if component.type == "token" else unescaped(part) for component, part in zip(parameter.components, parts, strict=True)]


def _one(parameter: SearchParameter, parts: Sequence[str], bind: Bindings) -> str:
    alternatives = []
    if any(not path.steps for path in parameter.paths):
        alternatives.append(_of_resource(parameter, parts, bind))
    alternatives += [_of_groups(owner, parts, bind) for owner in owned(parameter.base, parameter.code) if any(path.steps for path in owner.paths)]
    return any_of(alternatives)


def _of_resource(parameter: SearchParameter, parts: Sequence[str], bind: Bindings) -> str:
    pairs = zip(parameter.components, parts, strict=True)
    return all_of([CONDITIONS[component.type](at_resource(parameter, component), [part], None, bind) for component, part in pairs])


def at_resource(parameter: SearchParameter, component: Component) -> SearchParameter:
    """The parameter that reads what the component reads at the resource itself, and least besides.

    Not the one the component is defined by: the `combo-` parameters look into Observation.component too.
    """
    wanted = set(component.paths)
    known = plan(parameter.base).parameters.values()
    return min((p for p in known if p.type == component.type and wanted <= set(p.paths)), key=lambda p: len(p.paths))


CONDITIONS = {"token": token.condition, "quantity": quantity.condition, "string": string.condition, "date": date.condition}


def _of_groups(owner: SearchParameter, parts: Sequence[str], bind: Bindings) -> str:
    columns = iter((("v.lo1", "v.hi1"), ("v.lo2", "v.hi2")))
    found = [_component(owner, component, part, columns, bind) for component, part in zip(owner.components, parts, strict=True)]
    return (
        f"exists (select from fhir.composite_value v where v.tenant = %(tenant)s and v.rkey = c.rkey and v.rtype = {rtype(owner.base)}"
        f" and v.param = {bind.place(number_of(owner.code))} and {all_of(found)})"
    )


def _component(owner: SearchParameter, component: Component, part: str, columns: Any, bind: Bindings) -> str:
    if component.type == "quantity":
        return quantity.compare(owner.code, part, next(columns), "v.tok", bind)
    if component.type == "number":
        prefix, text = split_prefix(part)
        return number.compare(prefix, number.asked(owner.code, text), next(columns), bind)
    return f"v.tok && {bind.numbers(_hashes(owner, component, part))}"


def _hashes(owner: SearchParameter, component: Component, part: str) -> list[int]:
    name = _salt(owner, component)
    if component.type == "reference":
        return _pointing(owner, component, name, part)
    system, bar, code = parted(part)
    return [token.token_hash(name, system if bar else None, code or None)]


def _pointing(owner: SearchParameter, component: Component, name: str, part: str) -> list[int]:
    """A bare id may be that of any type the component points at."""
    if is_id(part):
        types = target_types(plan(owner.base).parameters[component.code])
        return [reference.link_hash(f"{name}{key(type, part)}", type) for type in types]
    found = reference.pointer(part)
    return [reference.link_hash(f"{name}{found[1]}", found[0])] if found else [token.token_hash(name, "", part)]
