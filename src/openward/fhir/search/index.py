"""The index of a resource: what search finds it by, out of its content on every write. https://hl7.org/fhir/R4/search.html

`extract` reads the values, `write_index` puts the difference between the old and the new ones into the index tables, many resources at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

from openward.fhir.definitions import SearchParameter, type_number
from openward.fhir.definitions.extraction import Filler, compile_filler
from openward.fhir.ids import key
from openward.fhir.references import target
from openward.fhir.sealing.rules import is_sensitive, sealed_texts
from openward.fhir.search import composite, date, number, quantity, reference, special, string, token, uri
from openward.fhir.search.own import OWN, values_of
from openward.fhir.search.parameters import INDEXED, Plan, plan
from openward.fhir.search.parameters import number as number_of
from openward.fhir.search.person import person
from openward.fhir.search.row import IndexRow
from openward.fhir.search.tables import send_index, write_index

__all__ = ["IndexRow", "extract", "send_index", "write_index"]

Sink = Callable[[IndexRow, str, Any], None]
REMEMBERED = 4000  # literals or codes of one parameter, and what they lead to


def extract(resource: Mapping[str, Any], type: str | None = None, *, tenant: int) -> IndexRow:
    """The index of a valid resource of a tenant; its `id` must be set."""
    name = type or resource["resourceType"]
    here = plan(name)
    row = IndexRow(type_number(name), key(name, resource["id"]), generation=OWN.generation, tenant=tenant)
    _filler(name)(resource, row)
    for parameter in here.evaluated:
        for datatype, value in parameter.evaluate(resource):
            _sinks(name)[parameter.code](row, datatype, value)
    _settle_patient(row, here)
    if row.strings and is_sensitive(resource):
        hidden = set(sealed_texts(resource))
        row.strings = {one for one in row.strings if one[2] not in hidden}
    if name == "Patient":
        row.person = person(resource, tenant)
    elif name == "Binary":
        row.patient = _security_context(resource)
    return row


def _security_context(binary: Mapping[str, Any]) -> UUID | None:
    """A Binary is guarded as the patient its `securityContext` names is. https://hl7.org/fhir/R4/binary.html#security"""
    named = target(str(binary.get("securityContext", {}).get("reference", "")))
    return key("Patient", named.id) if named and named.type == "Patient" else None


def extract_only(resource: Mapping[str, Any], type: str, code: str, *, tenant: int) -> IndexRow:
    """What one of the site's own parameters adds to the index of a resource."""
    row, parameter = IndexRow(type_number(type), key(type, resource["id"]), tenant=tenant), plan(type).parameters[code]
    for datatype, value in values_of(parameter, resource):
        _sinks(type)[code](row, datatype, value)
    return row


def _settle_patient(row: IndexRow, here: Plan) -> None:
    """The compartment's patient: the best of the references; a Patient's own key."""
    if here.type == "Patient":
        row.patient = row.key
        return
    best = next((code for code in here.compartment if code in row.patients), None)
    if best is None:
        return
    row.patient = row.patients[best]
    if here.patient and best != here.patient:
        row.tokens.add(reference.elsewhere_hash())


@cache
def _sinks(type: str) -> Mapping[str, Sink]:
    here = plan(type)
    owned = {owner for owners in here.owners.values() for owner in owners}
    return {code: _sink(here, here.parameters[code]) for code in owned}


@cache
def _filler(type: str) -> Filler:
    return compile_filler(plan(type).stored, _sinks(type))


OWN.on_change += [_sinks.cache_clear, _filler.cache_clear]


def _sink(here: Plan, parameter: SearchParameter) -> Sink:
    """Where the values of one parameter go."""
    if parameter.code == here.date:
        return _leading_date(parameter)
    if parameter.code == here.code:
        return _leading_token(parameter)
    if parameter.type == "reference":
        return _references(here, parameter)
    return SINKS[parameter.type](parameter)


def _token(parameter: SearchParameter) -> Sink:
    code, param = parameter.code, number_of(parameter.code)
    systems = token.implied_systems(parameter)
    codes = lru_cache(REMEMBERED)(lambda value: token.of_code(code, value, systems))

    def take(row: IndexRow, datatype: str, value: Any) -> None:
        row.parameters.add(param)
        if datatype == "code":
            row.tokens.update(codes(value))
        elif datatype == "CodeableConcept":
            token.from_concept(code, value, row.tokens, row.dictionary)
        else:
            token.extract(parameter, datatype, value, row.tokens, row.dictionary, row.tenant)

    return take


def _leading_token(parameter: SearchParameter) -> Sink:
    """The first coding leads; every other one leaves a second hash, by which `current.code` knows what it does not say.

    That hash is in the dictionary too, so that a search knows at no cost whether any resource has the code later than first.
    """
    plain, code = _token(parameter), parameter.code

    def take(row: IndexRow, datatype: str, value: Any) -> None:
        plain(row, datatype, value)
        codings = value.get("coding", ()) if datatype == "CodeableConcept" else (value,)
        for coding in codings:
            system, text = coding.get("system", ""), coding.get("code", "")
            if row.code is None:
                row.code = token.token_hash(code, system, text)
            else:
                later = token.secondary_hash(code, system, text)
                row.tokens.add(later)
                row.dictionary[later] = (later, 0, system[:INDEXED], text[:INDEXED], "")

    return take


def _uri(parameter: SearchParameter) -> Sink:
    code, param = parameter.code, number_of(parameter.code)

    def take(row: IndexRow, datatype: str, value: Any) -> None:
        row.parameters.add(param)
        row.tokens.update(uri.extract(code, value))
        entry = uri.entry(code, value)
        row.dictionary[entry[0]] = entry

    return take


def _references(here: Plan, parameter: SearchParameter) -> Sink:
    """What a literal leads to is remembered: the patient and the visit are pointed at from everywhere."""
    code, param = parameter.code, number_of(parameter.code)
    names_patient, is_column = code in here.compartment, code == here.patient
    known: dict[str, tuple[int, UUID, tuple[UUID, int] | None]] = {}

    def take(row: IndexRow, datatype: str, value: Any) -> None:
        row.parameters.add(param)
        plain = datatype == "Reference" and "identifier" not in value
        found = known.get(value.get("reference")) if plain else None
        if found is None:
            target = reference.extract(code, datatype, value, row.tokens, row.tenant) if datatype != "Resource" else None
            if target is None:
                return
            found = meant(target)
            if plain:
                if len(known) >= REMEMBERED:
                    known.clear()
                known[value["reference"]] = found
        number, key, edge = found
        row.parameters.add(number)
        if names_patient and number == of_patient:
            row.patients.setdefault(code, key)
        if edge is not None:
            row.edges.add(edge)

    of_patient = number_of(f"{code}:Patient")

    def meant(target: reference.Pointer) -> tuple[int, UUID, tuple[UUID, int] | None]:
        """The number of the parameter with its target's type, the target, and the edge; none where the row's patient says it."""
        is_patients = target[0] == "Patient" and names_patient and is_column
        edge = None if is_patients else (target[1], reference.link_hash(code, target[0]))
        return number_of(f"{code}:{target[0]}"), target[1], edge

    return take


def _date(parameter: SearchParameter) -> Sink:
    param = number_of(parameter.code)

    def take(row: IndexRow, datatype: str, value: Any) -> None:
        if found := date.extract(datatype, value):
            row.parameters.add(param)
            row.dates.add((param, *found))

    return take


def _leading_date(parameter: SearchParameter) -> Sink:
    param = number_of(parameter.code)

    def take(row: IndexRow, datatype: str, value: Any) -> None:
        if found := date.extract(datatype, value):
            row.parameters.add(param)
            row.date_lo, row.date_hi = found

    return take


def _string(parameter: SearchParameter) -> Sink:
    param = number_of(parameter.code)

    def take(row: IndexRow, datatype: str, value: Any) -> None:
        row.parameters.add(param)
        row.strings.update(string.extract(parameter, datatype, value))

    return take


def _number(parameter: SearchParameter) -> Sink:
    param = number_of(parameter.code)

    def take(row: IndexRow, datatype: str, value: Any) -> None:
        if found := number.extract(datatype, value):
            row.parameters.add(param)
            row.quantities.add((param, *found, frozenset()))

    return take


def _quantity(parameter: SearchParameter) -> Sink:
    param = number_of(parameter.code)

    def take(row: IndexRow, datatype: str, value: Any) -> None:
        if found := quantity.extract(datatype, value):
            row.parameters.add(param)
            row.quantities.add((param, *found))
            if entry := quantity.entry(value):
                row.dictionary[entry[0]] = entry

    return take


def _near(parameter: SearchParameter) -> Sink:
    param = number_of(parameter.code)

    def take(row: IndexRow, datatype: str, value: Any) -> None:
        if found := special.extract(value):
            row.parameters.add(param)
            row.quantities.add((param, *found, frozenset()))

    return take


def _composite(parameter: SearchParameter) -> Sink:
    def take(row: IndexRow, datatype: str, value: Any) -> None:
        if found := composite.extract(parameter, value, row.tenant):
            row.parameters.add(found.param)
            row.groups.append(found)

    return take


SINKS: Mapping[str, Callable[[SearchParameter], Sink]] = {
    "token": _token,
    "uri": _uri,
    "date": _date,
    "string": _string,
    "number": _number,
    "quantity": _quantity,
    "special": _near,
    "composite": _composite,
}
