"""Whose record it is, for those who may know."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from openward.fhir.resources import Patient
from openward.fhir.store import Store
from openward.web.display import person_name


def names_by_reference(store: Store, references: Sequence[str]) -> list[str]:
    """The names of these patients, in order; of one the actor may not see, only that it is a patient."""
    ids = [reference.split("/", 1)[1] for reference in references]
    found = store.read_many((Patient, id) for id in dict.fromkeys(ids))
    names = {str(one.id): person_name(one.name[0] if one.name else None) for one in found if isinstance(one, Patient)}
    return [names.get(id, _("A patient")) for id in ids]
