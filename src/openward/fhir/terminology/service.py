"""Terminology bound to a connection and a tenant: what openward.fhir.terminology.protocol promises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from openward.fhir.terminology.catalogue import Catalogue, Definition
from openward.fhir.terminology.compose import Composition, UnknownValueSet
from openward.fhir.terminology.concepts import ExpansionTooCostly, UnknownSystem
from openward.fhir.terminology.expansion import expanded
from openward.fhir.terminology.membership import member
from openward.fhir.terminology.options import Options
from openward.fhir.terminology.protocol import Subsumption, Validation
from openward.fhir.terminology.validation import validated

if TYPE_CHECKING:
    from psycopg import Connection

    from openward.fhir.store import Store


class Terminology:
    """Not for use by two threads at once; making one costs nothing."""

    def __init__(self, connection: Connection[Any], tenant: int, *, own: bool = True, sent: Sequence[Mapping[str, Any]] = ()) -> None:
        """`own` False: only what ships and what all tenants share. `sent`: resources that count before all others."""
        self.catalogue = Catalogue(connection, tenant, own=own, sent=sent)

    @classmethod
    def of(cls, store: Store, *, sent: Sequence[Mapping[str, Any]] = ()) -> Terminology:
        """As the store's actor may see it: the house's own definitions only for who may read all of them."""
        wheres = [store.policy.where(store.actor, "read", type) for type in ("CodeSystem", "ValueSet", "ConceptMap")]
        return cls(store.connection, store.tenant, own=all(where is not None and where.everything for where in wheres), sent=sent)

    def member(self, value_set: str, system: str | None, code: str, version: str | None = None) -> bool | None:
        return member(self.catalogue, value_set, system, code)

    def knows_value_set(self, value_set: str) -> bool:
        return self.catalogue.value_set(value_set) is not None

    def knows_system(self, system: str) -> bool:
        found = self.catalogue.system(system)
        return found is not None and found.is_whole

    def validate_code(
        self,
        system: str | None,
        code: str,
        value_set: str | None = None,
        *,
        version: str | None = None,
        display: str | None = None,
        abstract: bool = True,
    ) -> Validation:
        definition = self._definition(value_set) if value_set is not None else None
        return validated(self.catalogue, definition, system, code, version=version, display=display, abstract=abstract)

    def subsumes(self, system: str, a: str, b: str, version: str | None = None) -> Subsumption | None:
        found = self.catalogue.system(system, version)
        one, other = (found.find(a), found.find(b)) if found else (None, None)
        if found is None or one is None or other is None:
            return None
        if one.code == other.code:
            return "equivalent"
        if one.code in found.ancestors(other.code):
            return "subsumes"
        return "subsumed-by" if other.code in found.ancestors(one.code) else "not-subsumed"

    def expand(self, value_set: str | Mapping[str, Any], **options: Any) -> dict[str, Any]:
        if isinstance(value_set, str):
            return expanded(self.catalogue, self._definition(value_set), Options(**options))
        definition = Definition(str(value_set.get("url", "")), value_set.get("version"), "sent", value_set)
        return expanded(self.catalogue, definition, Options(**options))

    def codes(self, value_set: str, limit: int = 10_000) -> Sequence[tuple[str, str]] | None:
        definition = self.catalogue.value_set(value_set)
        if definition is None:
            return None
        try:
            found = [(one.system, one.code) for one in islice(Composition(self.catalogue).concepts(definition), limit + 1)]
        except UnknownSystem:
            return None
        if len(found) > limit:
            raise ExpansionTooCostly(url=value_set, limit=limit)
        return found

    def below(self, system: str, code: str, limit: int = 10_000) -> Sequence[str] | None:
        found = self.catalogue.system(system)
        concept = found.find(code) if found else None
        if found is None or concept is None:
            return None
        below = found.descendants(concept.code, limit)
        if len(below) > limit:
            raise ExpansionTooCostly(url=f"{system}#{code}", limit=limit)
        return [concept.code, *below]

    def above(self, system: str, code: str) -> Sequence[str] | None:
        found = self.catalogue.system(system)
        concept = found.find(code) if found else None
        return None if found is None or concept is None else [concept.code, *found.ancestors(concept.code)]

    def display(self, system: str, code: str, language: str | None = None) -> str | None:
        found = self.catalogue.system(system)
        concept = found.find(code) if found else None
        return concept.named(language) if concept else None

    def _definition(self, value_set: str) -> Definition:
        found = self.catalogue.value_set(value_set)
        if found is None:
            raise UnknownValueSet(url=value_set[:200])
        return found
