"""Where a search looks: in one type, in several, in a compartment. https://hl7.org/fhir/R4/http.html#search"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from openward.fhir.definitions import RESOURCE_TYPES, compartment, is_resource_type, type_name, type_number
from openward.fhir.errors import BadRequest, NotFound
from openward.fhir.search.facts import Facts
from openward.fhir.search.parameters import plan
from openward.fhir.search.query import Condition, Member, Pairs

COMPARTMENTS = ("Patient", "Encounter", "Practitioner", "RelatedPerson", "Device")

PRESENT = """select t from unnest(%(rtypes)s::smallint[]) t
  where exists (select from fhir.current c where c.tenant = %(tenant)s and c.rtype = t)"""


@dataclass(frozen=True, slots=True)
class Place:
    """`name` is the path from the base, which page addresses are good for. `types` None: `_type` says which, or else all there are.

    `within` is what holds of each of a type's resources besides.
    """

    name: str
    types: Sequence[str] | None
    offered: Sequence[str] = RESOURCE_TYPES
    within: Callable[[str], Condition] | None = None

    def together(self, params: Pairs) -> Pairs:
        """With the types that several `_type` name in one, as which every page of the search knows them."""
        named = [value for name, value in params if name == "_type" and value]
        if self.types is not None or len(named) < 2:
            return params
        return Pairs([("_type", ",".join(named)), *(pair for pair in params if pair[0] != "_type")])

    def searched(self, params: Sequence[tuple[str, str]], facts: Facts) -> Sequence[str]:
        """The types this search looks at. Raises BadRequest for a type there is not here."""
        if self.types is not None:
            return self.types
        asked = [part for name, value in params if name == "_type" for part in value.split(",") if part]
        for type in asked:
            if type not in self.offered:
                raise BadRequest(f"_type: {type[:64]} is not a resource type that can be searched here.")
        return list(dict.fromkeys(asked)) or present(facts, self.offered)


def of_type(type: str) -> Place:
    return Place(type, (type,))


SYSTEM = Place("", None)


def within(owner: str, id: str, type: str) -> Place:
    """`Patient/1/Observation`, or `Patient/1/*`. Raises NotFound for what is no compartment or not in it."""
    if owner not in COMPARTMENTS:
        raise NotFound(f"{owner} is not a compartment: {', '.join(COMPARTMENTS)} are.")
    offered = tuple(name for name in RESOURCE_TYPES if name in compartment(owner) or name == owner)
    if type != "*" and type not in offered:
        what = f"{type} is never in a compartment of {owner}" if is_resource_type(type) else f"{type[:64]} is not a resource type"
        raise NotFound(f"{what}.")
    return Place(f"{owner}/{id}/{type}", None if type == "*" else (type,), offered, partial(_member, owner, id))


def _member(owner: str, id: str, type: str) -> Member:
    known = plan(type).parameters
    codes = [code for code in compartment(owner).get(type, ()) if code in known and known[code].type == "reference"]
    return Member(f"{owner}/{id}", tuple(known[code] for code in codes), type == owner)


def present(facts: Facts, types: Sequence[str]) -> list[str]:
    """Those of the types there is any resource of."""
    params: dict[str, Any] = {"tenant": facts.tenant, "rtypes": [type_number(type) for type in types]}
    return [type_name(row[0]) for row in facts.look(PRESENT, params)]
