"""SMART on FHIR scopes, v1 and v2, parsed once into a closed set. What is not in the set is refused, never guessed at.

https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html

A scope only ever narrows: `narrow` takes what the policy would show and returns what is left of it, `permits` says whether a write stays inside.
Granular scopes (`patient/Observation.rs?category=…|laboratory`) take token parameters without modifiers; several are all asked for, values
separated by commas are alternatives.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl
from uuid import UUID

from openward.fhir.definitions import RESOURCE_TYPES
from openward.fhir.ids import key
from openward.fhir.protocols import Where
from openward.fhir.search.index import extract
from openward.fhir.search.parameters import owned, plan
from openward.fhir.search.token import token_hash

if TYPE_CHECKING:
    from openward.access.actor import Actor

Level = Literal["patient", "user", "system"]

SCOPE = re.compile(r"(patient|user|system)/(\*|[A-Z][A-Za-z]{1,63})\.(read|write|\*|c?r?u?d?s?)(?:\?([!-~]{1,400}))?")
TOKEN = re.compile(r"(?:(?P<system>[^\s\x00-\x1f\x7f|,\\]*)(?P<bar>\|))?(?P<code>[^\s\x00-\x1f\x7f|,\\]+)")
V1: Mapping[str, str] = {"read": "rs", "write": "cud", "*": "cruds"}
CONTEXTS = frozenset({"openid", "fhirUser", "launch", "launch/patient", "launch/encounter", "online_access", "offline_access"})
AT_MOST = 160  # of two wildcards a patient took apart, each kind of data twice
LONGEST = 12_000
FILTERS_AT_MOST = 4

# Which levels speak for whom: a program for itself, a person through an app for what they may do, or for one patient.
LEVELS: Mapping[str, frozenset[str]] = {
    "client": frozenset({"system"}),
    "staff": frozenset({"user", "patient"}),
    "patient": frozenset({"user", "patient"}),
}
# What no patient owns and an app about one patient needs all the same: read, never written.
SHARED = frozenset(
    {"Organization", "Location", "Practitioner", "PractitionerRole", "HealthcareService", "Schedule", "Medication", "ValueSet", "CodeSystem"}
)
WRITING = frozenset("cud")


class InvalidScope(ValueError):
    """Not a scope this server issues: {scope}. Write system/<Type or *>.<letters of cruds, in that order>."""

    def __init__(self, scope: str) -> None:
        super().__init__((type(self).__doc__ or "").format(scope=scope[:200]))


@dataclass(frozen=True, slots=True)
class Filter:
    """One search parameter of a granular scope; `hashes` are its alternatives as they stand in `current.tok`."""

    code: str
    hashes: frozenset[int]


@dataclass(frozen=True, slots=True)
class Scope:
    """One resource scope. `type` may be `*`; `text` is how it was written."""

    level: Level
    type: str
    letters: frozenset[str]
    filters: tuple[Filter, ...]
    text: str

    def covers(self, other: Scope, letter: str) -> bool:
        """Whether whoever has this scope has `letter` of the other one too."""
        same = self.level == other.level and self.type in ("*", other.type) and letter in self.letters
        return same and all(any(mine.code == its.code and its.hashes <= mine.hashes for its in other.filters) for mine in self.filters)


@dataclass(frozen=True, slots=True)
class Door:
    """One way in: to one patient's data or to anyone's, and only through these filters."""

    patient: UUID | None
    filters: tuple[Filter, ...]

    def where(self, type: str, number: str) -> Where:
        """`number` tells its parameters from those of the other doors of a statement."""
        parts: list[str] = []
        params: dict[str, Any] = {}
        if self.patient is not None:
            parts.append(f"{'c.rkey' if type == 'Patient' else 'c.patient'} = %(policy_scope{number})s")
            params[f"policy_scope{number}"] = self.patient
        for position, one in enumerate(self.filters):
            name = f"policy_scope{number}_{position}"
            parts.append(f"c.tok && %({name})s::bigint[]")
            params[name] = sorted(one.hashes)
        return Where(" and ".join(parts) or "true", params)

    def permits(self, tenant: int, type: str, resource: Mapping[str, Any], patient: UUID | None) -> bool:
        if self.patient is not None and self.patient != (key("Patient", resource["id"]) if type == "Patient" and "id" in resource else patient):
            return False
        tokens = extract(resource, type, tenant=tenant).tokens if self.filters else set()
        return all(one.hashes & tokens for one in self.filters)


@dataclass(frozen=True, slots=True)
class Opening:
    """Every door to one type by one letter; `where` holds for what is behind any of them."""

    doors: tuple[Door, ...]
    where: Where


@dataclass(frozen=True)
class Scopes:
    """What a token allows. `patient` is the id of the patient it was launched for, `app` the client that holds it."""

    resources: tuple[Scope, ...]
    contexts: frozenset[str]
    text: str
    patient: str | None = None
    app: str | None = None
    _openings: dict[tuple[str, str, str], Opening | None] = field(default_factory=dict, compare=False, repr=False)
    _allowed: dict[tuple[str, str], bool] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def parse(cls, text: str, levels: Iterable[str] = ("system",), contexts: frozenset[str] = frozenset()) -> Scopes:
        """The scopes of a text, of these levels and contexts only. Raises InvalidScope for anything else, and for none at all.

        They are separated by plain spaces; the same one twice counts once.
        """
        if len(text) > LONGEST:
            raise InvalidScope("(too many)")
        words = list(dict.fromkeys(word for word in text.split(" ") if word))
        if not words or len(words) > AT_MOST:
            raise InvalidScope("(empty)" if not words else "(too many)")
        resources = tuple(_parsed(word, frozenset(levels)) for word in words if word not in contexts)
        return cls(resources, frozenset(words) & contexts, " ".join(words))

    def bound_to(self, *, patient: str | None, app: str | None) -> Scopes:
        return replace(self, patient=patient, app=app, _openings={})

    def allow(self, letter: str, type: str) -> bool:
        """Whether any scope, of whatever level, has this letter for the type."""
        known = self._allowed.get((letter, type))
        if known is None:
            known = self._allowed[letter, type] = any(letter in scope.letters and scope.type in ("*", type) for scope in self.resources)
        return known

    def covers(self, other: Scopes) -> bool:
        """Whether `other` asks for nothing that is not in here."""
        each = ((theirs, letter) for theirs in other.resources for letter in theirs.letters)
        return other.contexts <= self.contexts and all(any(mine.covers(theirs, letter) for mine in self.resources) for theirs, letter in each)

    def reach(self, other: Scopes, letter: str, types: Iterable[str]) -> bool:
        """Whether, for this letter and each of these types, `other` opens nothing that is not open here. For tokens of the same client."""
        for type in types:
            theirs = [replace(scope, type=type) for scope in other.resources if letter in scope.letters and scope.type in ("*", type)]
            if not all(any(mine.covers(one, letter) for mine in self.resources) for one in theirs):
                return False
        return True

    def opening(self, kind: str, letter: str, type: str) -> Opening | None:
        """The way in for an actor of this kind; None when there is none. Worked out once."""
        asked = (kind, letter, type)
        try:
            return self._openings[asked]
        except KeyError:
            found = self._openings[asked] = self._opening(kind, letter, type)
            return found

    def _opening(self, kind: str, letter: str, type: str) -> Opening | None:
        doors: list[Door] = []
        for scope in self.resources:
            if scope.level in LEVELS.get(kind, ()) and letter in scope.letters and scope.type in ("*", type):
                door = self._door(scope, letter, type)
                doors += [door] if door else []
        if not doors:
            return None
        if any(door.patient is None and not door.filters for door in doors):
            return Opening(tuple(doors), Where())
        wheres = [door.where(type, f"_{letter}{number}") for number, door in enumerate(doors)]
        return Opening(
            tuple(doors),
            Where(" or ".join(f"({where.sql})" for where in wheres), {name: value for where in wheres for name, value in where.params.items()}),
        )

    def _door(self, scope: Scope, letter: str, type: str) -> Door | None:
        if scope.level != "patient":
            return Door(None, scope.filters)
        if type in SHARED:
            return None if letter in WRITING else Door(None, scope.filters)
        return Door(key("Patient", self.patient), scope.filters) if self.patient else None


def _parsed(text: str, levels: frozenset[str]) -> Scope:
    match = SCOPE.fullmatch(text)
    if not match or not match[3] or match[1] not in levels or (match[2] != "*" and match[2] not in RESOURCE_TYPES):
        raise InvalidScope(text)
    level: Level = match[1]  # type: ignore[assignment]
    return Scope(level, match[2], frozenset(V1.get(match[3], match[3])), _filters(text, match[2], match[4]), text)


def _filters(text: str, type: str, query: str | None) -> tuple[Filter, ...]:
    """Raises InvalidScope for what is no token parameter of the type: a filter that is not understood would open more than was meant."""
    if query is None:
        return ()
    try:
        pairs = parse_qsl(query, strict_parsing=True, max_num_fields=FILTERS_AT_MOST)
    except ValueError:
        raise InvalidScope(text) from None
    if type == "*" or not pairs:
        raise InvalidScope(text)
    return tuple(_filter(text, type, name, value) for name, value in pairs)


def _filter(text: str, type: str, name: str, value: str) -> Filter:
    parameter = plan(type).parameters.get(name)
    matches = [TOKEN.fullmatch(one) for one in value.split(",")]
    if parameter is None or parameter.type != "token" or not all(matches):
        raise InvalidScope(text)
    tokens = [((match["system"] or "") if match["bar"] else None, match["code"]) for match in matches if match]
    return Filter(name, frozenset(token_hash(owner.code, system, code) for owner in owned(type, name) for system, code in tokens))


def narrow(actor: Actor, letters: str, type: str, where: Where | None) -> Where | None:
    """What is left of the rows the policy shows (None: nothing) for an actor whose token has scopes, each of the letters asked for; the same for one
    that has none."""
    scopes = actor.scopes
    if scopes is None or where is None:
        return where
    passed: list[tuple[Door, ...]] = []
    for letter in letters:
        opening = scopes.opening(actor.kind, letter, type)
        if opening is None:
            return None
        if opening.doors not in passed:  # the letters of one scope lead through the same doors
            passed.append(opening.doors)
            where = _through(opening, where)
    return where


def _through(opening: Opening, where: Where) -> Where:
    if opening.where.everything:
        return where
    if where.everything:
        return opening.where
    return Where(f"({where.sql}) and ({opening.where.sql})", {**where.params, **opening.where.params})


def permits(actor: Actor, letter: str, type: str, resource: Mapping[str, Any], patient: UUID | None) -> bool:
    """Whether a write of this resource, of the compartment of `patient`, stays inside the actor's scopes; an actor without scopes is not held back."""
    scopes = actor.scopes
    if scopes is None:
        return True
    opening = scopes.opening(actor.kind, letter, type)
    return opening is not None and (opening.where.everything or any(door.permits(actor.tenant, type, resource, patient) for door in opening.doors))
