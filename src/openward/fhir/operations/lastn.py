"""FHIR $lastn: the latest observations of each kind. https://hl7.org/fhir/R4/observation-operation-lastn.html

Kinds are told apart by `Observation.code`: its first coding, or its text where there is none; kinds that share a further coding are one.
Of several patients each has their own latest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from urllib.parse import urlencode
from uuid import UUID

from openward.fhir.bundles.answers import links, raw
from openward.fhir.errors import BadRequest, TooCostly
from openward.fhir.operations.registry import Answer, Call, operation
from openward.fhir.search.conditions import Scope, rows
from openward.fhir.search.include import Inclusion
from openward.fhir.search.query import Query, names_resources, parse
from openward.fhir.search.rows import COLUMNS, version_in_part
from openward.fhir.search.sql import FALSE, Bindings, rtype
from openward.fhir.search.subset import shortened
from openward.fhir.versions import Version

MOST = 1000  # observations of one answer
WHOSE = frozenset({"patient", "subject", "patient:Patient", "subject:Patient"})

# Ties count as one place: of two at the very same time neither is later.
LATEST = """select {columns}, k.date_lo::text from (
    select c.rkey, c.ver, c.code, c.date_lo, t.words, rank() over (partition by c.patient, c.code, t.words order by c.date_lo desc) as place
    from fhir.current c left join lateral (
      select lower(x.body::jsonb #>> '{{code,text}}') as words from fhir.body x
      where c.code is null and x.tenant = %(tenant)s and x.rtype = c.rtype and x.rkey = c.rkey and x.ver = c.ver) t on true
    where {found}) k
  join fhir.body b on b.tenant = %(tenant)s and b.rtype = {number} and b.rkey = k.rkey and b.ver = k.ver
  where k.place <= {most} order by k.date_lo desc, k.rkey desc limit {limit}"""

Kind = frozenset[tuple[str, str]]


@operation("lastn", on=("type",), types=("Observation",), needs="search", url="http://hl7.org/fhir/OperationDefinition/Observation-lastn")
def lastn(call: Call) -> Answer:
    """The `max` latest (1 unless said) of each kind of observation among those the search parameters find, newest first."""
    most = call.parameters.number("max", at_most=MOST)
    if most == 0:
        raise BadRequest("max is 1 or more.")
    query = _query(call)
    call.store.flush()
    found = list(_of_each_kind(_latest(call, query, most or 1), most or 1))
    includes = _included(call, query, found)
    patients = tuple(dict.fromkeys(version.patient for version in [*found, *includes] if version.patient))
    return Answer(resource=_bundle(call, query, found, includes), patients=patients)


def _query(call: Call) -> Query:
    """What narrows the observations; whose they are must be said."""
    own = f"{call.url}/"
    named = [name for name in call.parameters.names if name not in ("max", "resource")]
    given = [
        (name, value.replace(own, "") if own in value and names_resources("Observation", name) else value)
        for name in named
        for value in call.parameters.searched(name)
    ]
    if any(name in ("_sort", "_cursor") for name, _ in given):
        raise BadRequest("$lastn has an order of its own, and one page.")
    query = parse("Observation", given)
    # Of what was understood: a patient without a value, or one told by an unknown parameter, would be everyone.
    if not any(name in WHOSE or name.startswith(("patient.", "subject.", "subject:Patient.")) for name, _ in query.used):
        raise BadRequest("$lastn needs to know whose observations: patient or subject.")
    return query


def _latest(call: Call, query: Query, most: int) -> list[tuple[Version, str]]:
    """Newest first, each with its moment, which the same moment written in another zone has too."""
    scope = Scope(Bindings(call.store.tenant), partial(call.store.policy.where, call.store.actor, "search"))
    found = rows(scope, "Observation", query.conditions)
    if found == FALSE:
        return []
    sql = LATEST.format(columns=COLUMNS, found=found, number=rtype("Observation"), most=scope.bind.place(most), limit=scope.bind.place(MOST + 1))
    dated = [(version_in_part(row), str(row[-1])) for row in call.store.execute(sql, scope.bind.values)]
    if len(dated) > MOST:
        raise TooCostly(f"This would be more than {MOST:,} observations; narrow it by category or code.")
    return dated


def _of_each_kind(dated: Sequence[tuple[Version, str]], most: int) -> Iterator[Version]:
    """Newest first, at most `most` times of a kind. Observations that share any coding are of one kind."""
    groups = _groups([version for version, _ in dated])
    times: dict[int, set[str]] = {}
    for (version, when), group in zip(dated, groups, strict=True):
        taken = times.setdefault(group, set())
        if when in taken or len(taken) < most:
            taken.add(when)
            yield version


def _groups(versions: Sequence[Version]) -> list[int]:
    """For each version the number of its group: the connected ones of a patient, where a shared coding connects."""
    leader = list(range(len(versions)))

    def find(number: int) -> int:
        while leader[number] != number:
            leader[number] = number = leader[leader[number]]
        return number

    first: dict[tuple[UUID | None, tuple[str, str]], int] = {}
    for number, version in enumerate(versions):
        for name in _kind(version):
            leader[find(number)] = find(first.setdefault((version.patient, name), number))
    return [find(number) for number in range(len(versions))]


def _kind(version: Version) -> Kind:
    code = version.content.get("code", {})
    codings = frozenset((coding.get("system", ""), coding["code"]) for coding in code.get("coding", ()) if coding.get("code"))
    return codings or frozenset({("text", code.get("text", "").lower())})


def _included(call: Call, query: Query, found: Sequence[Version]) -> list[Version]:
    if not found or not (query.includes or query.revincludes):
        return []
    where = partial(call.store.policy.where, call.store.actor, "search")
    return Inclusion(call.store.wire, call.store.tenant, [query], where).around(found)


def _bundle(call: Call, query: Query, found: Sequence[Version], includes: Sequence[Version]) -> dict[str, object]:
    asked = [*query.used, *(("max", str(value)) for value in call.parameters.all("max"))]
    shown = shortened(found, query.summary, query.elements)
    entries = [(version, "match") for version in shown] + [(version, "include") for version in includes]
    bundle: dict[str, object] = {"resourceType": "Bundle", "type": "searchset", "total": len(found)}
    bundle["link"] = links([("self", f"{call.url}/Observation/$lastn?{urlencode(asked)}")])
    if entries:
        bundle["entry"] = [{"fullUrl": f"{call.url}/{v.reference}", "resource": raw(v), "search": {"mode": mode}} for v, mode in entries]
    return bundle
