"""What the front desk's finder knows of a Patient: the keys that find one, and the few facts that rank and compare."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol
from uuid import UUID

from openward.fhir import packed
from openward.fhir.ids import key
from openward.fhir.sealing.rules import BLIND, found_by
from openward.fhir.search.phonetics import sounds
from openward.fhir.search.string import normal
from openward.fhir.search.token import contact

NAME, SOUND, BACKWARDS, BIRTH, IDENTIFIER, TELEPHONE = "n", "p", "r", "b", "i", "t"
LONGEST = 500  # characters of a key: an entry of PostgreSQL's indexes has at most 2,704 bytes


@dataclass
class Person:
    """One patient as the finder keeps them, everything normalised. Nobody changes one; that nothing keeps them from it makes one in half the time.

    `names`: one entry per name, given names, a tab, the family name (`ada\tokafor`). `birth`: YYYY-MM-DD, as far as known. `phones`: digits.
    """

    key: UUID
    id: str
    names: tuple[str, ...] = ()
    birth: str = ""
    sex: str = ""
    phones: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    address: str = ""
    keys: frozenset[tuple[str, str]] = field(default=frozenset())

    @cached_property
    def words(self) -> frozenset[str]:
        """The words of all names."""
        return frozenset(word for name in self.names for word in words(name))


def person(patient: Mapping[str, Any], tenant: int) -> Person:
    """The finder's view of a Patient of a tenant."""
    names = tuple(dict.fromkeys(name for name in map(_name, patient.get("name", ())) if name.strip()))
    telecom = [entry for entry in patient.get("telecom", ()) if entry.get("system") in ("phone", "sms", "fax", None)]
    phones = tuple(dict.fromkeys(digits for entry in telecom if (digits := contact(entry.get("value") or "")).isdigit()))
    identifiers = tuple(dict.fromkeys(_identifier(entry, tenant) for entry in patient.get("identifier", ()) if entry.get("value")))
    birth = patient.get("birthDate", "")
    found = (*_name_keys(names), *_number_keys(identifiers, phones), *([(BIRTH, birth.replace("-", ""))] if birth else ()))
    keys = frozenset((kind, text[:LONGEST]) for kind, text in found)
    address = normal(_address(patient.get("address", ())))
    return Person(key("Patient", patient["id"]), patient["id"], names, birth, patient.get("gender", ""), phones, identifiers, address, keys)


def _name(name: Mapping[str, Any]) -> str:
    given, family = name.get("given", ()), name.get("family", "")
    if not given and not family:
        *first, last = normal(name.get("text", "")).split() or [""]
        return f"{' '.join(first)}\t{last}"
    return f"{normal(' '.join(part for part in given if part))}\t{normal(family)}"


APOSTROPHES = re.compile(r"['`´]")
WORDS = re.compile(r"\w+")


def words(text: str) -> list[str]:
    """The words of a normalised name: `mary-jane o'brien` → mary, jane, obrien."""
    return WORDS.findall(APOSTROPHES.sub("", text))


def compact(identifier: str) -> str:
    """Letters and digits only, without case."""
    return re.sub(r"[^0-9a-z]", "", normal(identifier))


def _identifier(entry: Mapping[str, Any], tenant: int) -> str:
    """A social security number is found when it is typed whole, and stands in no index."""
    text = compact(entry["value"])
    return found_by(entry, text, tenant)


def _name_keys(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    for name in names:
        for word in words(name):
            yield NAME, word
            yield BACKWARDS, word[::-1]
            yield from ((SOUND, sound) for sound in sounds(word))


def _number_keys(identifiers: Sequence[str], phones: Sequence[str]) -> Iterator[tuple[str, str]]:
    """A number is found from its start, a record number also without its letters and zeros, a telephone also from its last seven or four."""
    for identifier in identifiers:
        yield IDENTIFIER, identifier
        if identifier.startswith(BLIND):
            continue
        if bare := re.sub(r"^\D+", "", identifier).lstrip("0"):
            yield IDENTIFIER, bare
    for phone in phones:
        yield from ((TELEPHONE, part) for part in {phone, phone[-7:], phone[-4:]})


def _address(addresses: Sequence[Mapping[str, Any]]) -> str:
    if not addresses:
        return ""
    first = addresses[0]
    parts = [*first.get("line", ()), first.get("city"), first.get("state"), first.get("postalCode")]
    return " ".join(part for part in parts if part) or first.get("text", "")


DROP_KEYS = b"""delete from fhir.person_key x using unnest(%(rkey)s::uuid[], %(kind)s::text[], %(key)s::text[]) o(r, k, v)
  where x.tenant = %(tenant)s and x.kind = o.k::"char" and x.key = o.v and x.rkey = o.r"""
ADD_KEYS = b"""insert into fhir.person_key (tenant, rkey, kind, key)
  select %(tenant)s, r, k::"char", v from unnest(%(rkey)s::uuid[], %(kind)s::text[], %(key)s::text[]) n(r, k, v) on conflict do nothing"""
DROP_PEOPLE = b"delete from fhir.person where tenant = %(tenant)s and rkey = any(%(rkey)s::uuid[])"
PUT_PEOPLE = b"""insert into fhir.person (tenant, rkey, id, names, birth, sex, phones, identifiers, address)
  select %(tenant)s, r, d, string_to_array(n, E'\\n'), b, s, string_to_array(p, ' '), string_to_array(i, ' '), a
  from unnest(%(rkey)s::uuid[], %(id)s::text[], %(names)s::text[], %(birth)s::text[], %(sex)s::text[], %(phones)s::text[],
    %(identifiers)s::text[], %(address)s::text[]) v(r, d, n, b, s, p, i, a)
  on conflict (tenant, rkey) do update set names = excluded.names, birth = excluded.birth, sex = excluded.sex, phones = excluded.phones,
    identifiers = excluded.identifiers, address = excluded.address"""


class Executes(Protocol):
    """What statements are given to, one by one."""

    def execute(self, sql: bytes, params: Mapping[str, Any], *, prepare: bool) -> Any: ...


def write_people(cursor: Executes, tenant: int, pairs: Sequence[tuple[Person | None, Person | None]]) -> None:
    """Bring the finder from each pair's old person to the new one; in the transaction that writes the Patient."""
    changed = [(old, new) for old, new in pairs if old != new]
    if not changed:
        return
    _keys(cursor, tenant, DROP_KEYS, [(old.key, k) for old, new in changed if old for k in old.keys - (new.keys if new else frozenset())])
    _keys(cursor, tenant, ADD_KEYS, [(new.key, k) for old, new in changed if new for k in new.keys - (old.keys if old else frozenset())])
    gone = [old.key for old, new in changed if old and not new]
    if gone:
        cursor.execute(DROP_PEOPLE, {"tenant": tenant, "rkey": packed.uuids(gone)}, prepare=True)
    _put(cursor, tenant, [new for _, new in changed if new])


def _keys(cursor: Executes, tenant: int, sql: bytes, rows: Sequence[tuple[UUID, tuple[str, str]]]) -> None:
    if not rows:
        return
    ordered = sorted(rows)
    params = {"rkey": packed.uuids([r for r, _ in ordered]), "kind": packed.texts([k for _, (k, _) in ordered])}
    cursor.execute(sql, {"tenant": tenant, **params, "key": packed.texts([v for _, (_, v) in ordered])}, prepare=True)


def _put(cursor: Executes, tenant: int, people: Sequence[Person]) -> None:
    if not people:
        return
    columns: dict[str, list[str]] = {"id": [p.id for p in people], "names": ["\n".join(p.names) for p in people]}
    columns |= {"birth": [p.birth for p in people], "sex": [p.sex for p in people], "address": [p.address for p in people]}
    columns |= {"phones": [" ".join(p.phones) for p in people], "identifiers": [" ".join(p.identifiers) for p in people]}
    params = {name: packed.texts(values) for name, values in columns.items()}
    cursor.execute(PUT_PEOPLE, {"tenant": tenant, "rkey": packed.uuids([p.key for p in people]), **params}, prepare=True)
