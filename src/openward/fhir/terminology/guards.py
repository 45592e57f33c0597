"""What a write of a terminology resource does besides: its concepts go into the tables in the same transaction."""

from __future__ import annotations

from openward.fhir.errors import Invalid, Issue
from openward.fhir.guards import Change, guard
from openward.fhir.work import UnitOfWork

TYPES = ("CodeSystem", "ValueSet", "ConceptMap")


@guard(*TYPES)
def keep_the_concepts(change: Change, work: UnitOfWork) -> None:
    """Put what the resource says of its codes into the tables the terminology operations read; a code that stands twice is refused."""
    from openward.fhir.terminology.catalogue import written
    from openward.fhir.terminology.writing import put

    resource = getattr(change.resource, "data", change.resource)
    if change.type == "CodeSystem":
        _refuse_repeated_codes(resource)
    put(work.connection, work.tenant, resource, change.key)
    work.on_commit(written)


@guard(*TYPES, on=("delete",))
def forget_the_concepts(change: Change, work: UnitOfWork) -> None:
    """Take a deleted code system, value set or concept map out of the terminology tables."""
    from openward.fhir.terminology.catalogue import written
    from openward.fhir.terminology.writing import take_out

    take_out(work.connection, work.tenant, change.type, change.key)
    work.on_commit(written)


def _refuse_repeated_codes(resource: dict[str, object]) -> None:
    """https://hl7.org/fhir/R4/codesystem.html#invs (csd-1)"""
    from openward.fhir.terminology.shipping.compile_systems import walk

    seen: set[str] = set()
    for concept, _ in walk(resource.get("concept", ()), None):
        if concept["code"] in seen:
            sentence = f"The code {concept['code'][:100]} stands twice in the code system."
            raise Invalid(sentence, issues=[Issue("invariant", sentence, "CodeSystem.concept")])
        seen.add(concept["code"])
