"""A write held to its profiles, inside its transaction. https://hl7.org/fhir/R4/validation.html"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from openward.fhir.errors import FhirError, Invalid
from openward.fhir.profiles.catalogue import Catalogue
from openward.fhir.profiles.findings import ERROR
from openward.fhir.profiles.installed import catalogue_of
from openward.fhir.profiles.policy import WritePolicy, current
from openward.fhir.profiles.validating import declared, validate
from openward.fhir.references import target
from openward.fhir.terminology import Terminology

if TYPE_CHECKING:
    from openward.fhir.store import Store


def hold(store: Store, type: str, content: Mapping[str, Any]) -> None:
    """Raises Invalid with every error when the content breaks a profile that the policy of writes holds it to."""
    policy = current()
    stated = declared(content) if "meta" in content and policy.mode != "off" else []
    if not stated and type not in policy.by_type:
        return
    catalogue = catalogue_of(store)
    wanted = [*wanted_of(stated, catalogue, policy), *policy.by_type.get(type, ())]
    if not wanted:
        return
    issues = validate(content, wanted, catalogue=catalogue, terminology=Lookup(store), resolve=fetching(store), base=False, errors_only=True)
    errors = [issue for issue in issues if issue.severity == ERROR]
    if errors:
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        raise Invalid(errors[0].diagnostics + more, issues=errors)


def wanted_of(stated: Iterable[str], catalogue: Catalogue, policy: WritePolicy) -> list[str]:
    """Those declared profiles that are known here and, in the mode `versioned`, whose version is beyond doubt."""
    known = [canonical for canonical in stated if catalogue.find(canonical) is not None]
    if policy.mode == "declared":
        return known
    return [canonical for canonical in known if "|" in canonical or catalogue.is_clear(canonical)]


class Lookup:
    """Terminology that is opened when a code is first asked for: most writes never ask."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.opened: Any = None

    def member(self, value_set: str, system: str | None, code: str, version: str | None = None) -> bool | None:
        if self.opened is None:
            self.opened = Terminology.of(self.store)
        found: bool | None = self.opened.member(value_set, system, code, version)
        return found

    def __getattr__(self, name: str) -> Any:
        if self.opened is None:
            self.opened = Terminology.of(self.store)
        return getattr(self.opened, name)


def fetching(store: Store) -> Callable[[str], Mapping[str, Any] | None]:
    """Finds a resource of this record as the actor may see it; each look leaves its audit event."""

    def fetch(reference: str) -> Mapping[str, Any] | None:
        named = target(reference)
        if named is None:
            return None
        try:
            found = store.find(named.type, named.id)
        except FhirError:
            return None
        return found.data if found is not None else None

    return fetch
