"""How the search parameters of a type are kept: which ones own index rows, which ones read those of others, which lead.

`combo-code` reads the rows of `code` and `component-code`, `patient` those of `subject` that point at a Patient; nothing is stored twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any
from zlib import crc32

from openward.fhir.definitions import RESOURCE_TYPES, Path, SearchParameter, compartment, is_resource_type, search_parameters
from openward.fhir.search.own import OWN, OwnParameter

# Answered from columns of the row itself.
FROM_ROW = frozenset({"_id", "_lastUpdated"})
# Two parameters of the same paths that mean different things.
BY_SOUND = "phonetic"
NEAR = "near"

LEADING_DATES = (
    "date", "birthdate", "authoredon", "authored-on", "authored", "onset-date", "sent", "created", "start", "recorded", "period",
    "collected", "performed", "start-date", "occurrence", "received", "issued", "expiration-date",
)  # fmt: skip
LEADING_CODES = ("code", "vaccine-code", "type", "service-type", "class", "category")
CONCEPTS = frozenset({"CodeableConcept", "Coding"})
INDEXED = 600  # characters of a code or a system that the dictionary keeps: an entry of PostgreSQL's indexes has at most 2,704 bytes
PERIODS = frozenset({"Period", "Timing"})


@cache
def number(code: str) -> int:
    """The number a parameter has in the index tables: the same for every type and every release, signed 32 bits."""
    value = crc32(code.encode())
    return value - (1 << 32) if value >= 1 << 31 else value


@dataclass(frozen=True)
class Plan:
    """How one resource type is indexed.

    `owners`: parameter → the parameters whose rows answer it (itself, usually). `date`, `code`: the parameters in the leading columns.
    `patient`: the reference parameter whose Patient is in `current.patient`; None when the type names no single patient.
    `compartment`: reference parameters, best first, that put the resource in a patient's compartment.
    """

    type: str
    parameters: Mapping[str, SearchParameter]
    owners: Mapping[str, tuple[str, ...]]
    date: str | None
    code: str | None
    patient: str | None
    compartment: tuple[str, ...]

    @cached_property
    def stored(self) -> tuple[SearchParameter, ...]:
        """The parameters whose values are kept, each by a path."""
        owned = {owner for owners in self.owners.values() for owner in owners}
        kept = [_of_groups(p) for code, p in self.parameters.items() if code in owned and code not in FROM_ROW]
        return tuple(p for p in kept if p.paths)

    @cached_property
    def evaluated(self) -> tuple[OwnParameter, ...]:
        """Parameters whose expression is more than a path."""
        return tuple(p for p in self.parameters.values() if isinstance(p, OwnParameter) and p.is_evaluated)

    @property
    def date_is_a_moment(self) -> bool:
        """Whether the leading date is never a period, so that it can span a year at most (`2026`)."""
        return self.date is not None and not any(path.datatype in PERIODS for path in self.parameters[self.date].paths)


@cache
def plan(type: str) -> Plan:
    """How a type is indexed; made anew when the site's own parameters have changed."""
    parameters = {code: p for code, p in search_parameters(type).items() if p.is_indexed and (p.paths or code in FROM_ROW)}
    owners = _owners(parameters)
    date = _leading(parameters, owners, LEADING_DATES, "date")
    code = _leading(parameters, owners, LEADING_CODES, "token")
    references = tuple(dict.fromkeys(o for c in _patient_codes(type) if c in parameters for o in owners[c]))
    single = references[0] if references and _is_single(parameters[references[0]]) else None
    # The site's own come last and keep their own rows, so that the rows of the others stay where they are.
    own = {code: parameter for code, parameter in OWN.of(type).items() if code not in parameters}
    return Plan(type, {**parameters, **own}, {**owners, **{code: (code,) for code in own}}, date, code, single, references)


OWN.on_change.append(plan.cache_clear)


def _patient_codes(type: str) -> list[str]:
    """R4 leaves some types with a `patient` parameter out of the compartment (Task); here they are in it."""
    codes = {*compartment("Patient").get(type, ()), "patient"}
    return sorted(codes, key=lambda code: (code != "patient", code != "subject", code))


def _owners(parameters: Mapping[str, SearchParameter]) -> dict[str, tuple[str, ...]]:
    """Fewest paths first, so that a union finds its parts already kept; parameters bound to one target type last."""
    owners: dict[str, tuple[str, ...]] = {}
    order = sorted(parameters, key=lambda c: (_is_targeted(parameters[c]), len(parameters[c].paths), c))
    for code in order:
        covering = [] if code in (BY_SOUND, NEAR) else [c for c in owners if owners[c] == (c,) and _covers(parameters[c], parameters[code])]
        covered = {path for c in covering for path in _untargeted(parameters[c])}
        owners[code] = tuple(covering) if covering and covered >= _untargeted(parameters[code]) else (code,)
    return owners


def _covers(part: SearchParameter, whole: SearchParameter) -> bool:
    if part.code == BY_SOUND or part.type != whole.type or _components(part) != _components(whole):
        return False
    return bool(_untargeted(part)) and not _is_targeted(part) and _untargeted(part) <= _untargeted(whole)


def _components(parameter: SearchParameter) -> list[tuple[str, str]]:
    return [(component.type, component.expression) for component in parameter.components]


def _untargeted(parameter: SearchParameter) -> frozenset[Path]:
    """A composite's alternative at the resource itself has no rows."""
    return frozenset(replace(path, target=None) for path in parameter.paths if path.steps or not parameter.components)


def _is_targeted(parameter: SearchParameter) -> bool:
    return any(path.target for path in parameter.paths)


def _leading(parameters: Mapping[str, SearchParameter], owners: Mapping[str, tuple[str, ...]], names: tuple[str, ...], type: str) -> str | None:
    return next((n for n in names if n in parameters and owners[n] == (n,) and parameters[n].type == type and _may_lead(parameters[n])), None)


def _may_lead(parameter: SearchParameter) -> bool:
    if parameter.type == "date":
        return _is_single(parameter)
    return all(path.datatype in CONCEPTS for path in parameter.paths)


def _is_single(parameter: SearchParameter) -> bool:
    return not any(step.many for path in parameter.paths for step in path.steps)


def _of_groups(parameter: SearchParameter) -> SearchParameter:
    """A composite without its alternative at the resource itself: that one is the conjunction of its components, and needs no rows."""
    return _Grouped(parameter) if parameter.components else parameter


class _Grouped(SearchParameter):
    def __init__(self, parameter: SearchParameter) -> None:
        super().__init__(**{name: getattr(parameter, name) for name in ("base", "code", "type", "expression", "url", "targets", "components")})
        object.__setattr__(self, "paths", tuple(path for path in parameter.paths if path.steps))


def target_types(parameter: SearchParameter) -> tuple[str, ...]:
    """The resource types a reference parameter may point at; a bound one (`patient`) only its own, one that names none any."""
    bound = {path.target for path in parameter.paths if path.target}
    if bound and all(path.target for path in parameter.paths):
        return tuple(sorted(t for t in bound if t))
    return tuple(t for t in parameter.targets if is_resource_type(t)) or RESOURCE_TYPES


def owned(type: str, code: str) -> tuple[SearchParameter, ...]:
    """The parameters whose rows answer `code`."""
    here: Plan = plan(type)
    return tuple(here.parameters[owner] for owner in here.owners[code])


def known(type: str) -> Mapping[str, Any]:
    return plan(type).parameters
