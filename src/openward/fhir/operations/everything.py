"""FHIR $everything: all that is on record about a patient, or of one encounter, and what that refers to.

https://hl7.org/fhir/R4/patient-operation-everything.html
https://hl7.org/fhir/R4/encounter-operation-everything.html
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from uuid import UUID

from openward.fhir.definitions import is_resource_type
from openward.fhir.errors import BadRequest, Refused
from openward.fhir.ids import key as key_of
from openward.fhir.interactions.seeing import address, refuse_missing, visible
from openward.fhir.json import dumps
from openward.fhir.operations.members import FIRST, Focus, Row, Wanted, page, referred, types_of
from openward.fhir.operations.registry import Answer, Call, operation
from openward.fhir.search import cursor as cursors
from openward.fhir.search.date import span

if TYPE_CHECKING:
    from openward.fhir.store import Store

MOST = 5000  # resources of the compartment on one page, whatever `_count` says
AT_ONCE = 2000  # rows of one statement
MOST_BYTES = 16 * 2**20  # after which a page ends early, so that no patient is too large for a worker


@operation("everything", on=("instance", "type"), types=("Patient",), url="http://hl7.org/fhir/OperationDefinition/Patient-everything")
@operation("everything", on=("instance",), types=("Encounter",), url="http://hl7.org/fhir/OperationDefinition/Encounter-everything")
def everything(call: Call) -> Answer:
    """A searchset of the compartment (search mode match) and of what its resources refer to (include), paged by `_count`."""
    if call.type is None or call.id is None:
        raise Refused("$everything is answered for one patient: name them. For all patients there is $export.")
    store, wanted = call.store, _wanted(call)
    store.flush()
    after = _after(call, wanted) if "_cursor" in call.parameters else None
    focus = _patient(call.id) if call.type == "Patient" else _focus(store, call.type, call.id)
    rows, more = _rows(store, focus, _walked(focus, wanted), _count(call), after)
    if focus.type == "Patient" and (not rows or rows[0].rank != FIRST):
        _focus(store, call.type, call.id)  # the patient was not asked for: that they may be seen is not shown by their being there
    # Of the patient's own nothing is included: it is a member, and comes as one on its page or was not asked for.
    others = referred(store, rows, None if focus.type == "Patient" else focus.patient)
    entries = [_entry(row, call.url, "match") for row in rows if wanted.takes(row.type)]
    entries += [_entry(row, call.url, "include") for row in others if wanted.takes(row.type)]
    head = dumps({"resourceType": "Bundle", "type": "searchset", "link": _links(call, wanted, rows[-1] if more else None)})
    body = b"".join((head[:-1], b',"entry":[', b",".join(entries), b"]}")) if entries else head
    return Answer(body=body, patients=(focus.patient,) if focus.patient else ())


def _patient(id: str) -> Focus:
    """Whether they are there and may be seen, the page says: it begins with them."""
    key = key_of("Patient", id)
    return Focus("Patient", id, key, key)


def _focus(store: Store, type: str, id: str) -> Focus:
    """Raises NotFound, also for what the actor may not see, and Gone."""
    store.flush()
    where = visible(store, "read", type, id)
    params = address(store, type, id)
    select = f"""select c.patient from fhir.current c
      where c.tenant = %(tenant)s and c.rtype = %(rtype)s and c.rkey = %(rkey)s and ({where.sql})"""  # noqa: S608
    found = store.execute(select, {**params, **where.params}).fetchone()
    if found is None:
        raise refuse_missing(store, "read", type, id, where)
    return Focus(type, id, params["rkey"], found[0])


def _walked(focus: Focus, wanted: Wanted) -> Wanted:
    """What is gone through: a type that is in no compartment is only referred to, by members of any type."""
    return wanted if wanted.types is None or wanted.types.issubset(types_of(focus.type)) else replace(wanted, types=None)


def _rows(store: Store, focus: Focus, wanted: Wanted, count: int, after: tuple[int, UUID] | None) -> tuple[list[Row], bool]:
    """The compartment's part of the page, and whether more follows."""
    rows: list[Row] = []
    size = 0
    while size < MOST_BYTES:
        asked = min(AT_ONCE, count - len(rows)) + 1
        found, reached = page(store, focus, wanted, limit=asked, most=MOST_BYTES - size, after=after)
        rows += found[: asked - 1]
        size += reached
        if len(found) < asked and size < MOST_BYTES:
            return rows, False
        if len(rows) >= count:
            break
        after = rows[-1].place
    return rows, True


def _entry(row: Row, base: str, mode: str) -> bytes:
    """The stored text with its address around it, never parsed."""
    mode = "outcome" if row.locked else mode
    return f'{{"fullUrl":"{base}/{row.reference}","resource":{row.body},"search":{{"mode":"{mode}"}}}}'.encode()


def _wanted(call: Call) -> Wanted:
    given = [type for value in call.parameters.all("_type") for type in str(value).split(",") if type]
    unknown = [type for type in given if not is_resource_type(type)]
    if unknown:
        raise BadRequest(f"_type: {unknown[0][:64]} is not a FHIR R4 resource type.")
    return Wanted(frozenset(given) or None, call.parameters.instant("_since"), _bound(call, "start", 0), _bound(call, "end", 1))


def _bound(call: Call, name: str, end: int) -> str | None:
    """The first moment of `start`, the last of `end`, as precise as they are written."""
    text = call.parameters.text(name)
    found = span(text) if text else None
    if text and found is None:
        raise BadRequest(f"{name} is not a date such as 2026-11-03.")
    return found[end] if found else None


def _count(call: Call) -> int:
    count = call.parameters.number("_count")
    if count == 0:
        raise BadRequest("_count is 1 or more.")
    return min(count or MOST, MOST)


def _identity(call: Call, wanted: Wanted) -> list[object]:
    """What a cursor is good for: this question, whatever the size of its pages."""
    since = wanted.since.isoformat() if wanted.since else None
    return [call.store.tenant, "$everything", call.type, call.id, sorted(wanted.types or ()), since, wanted.start, wanted.end]


def _after(call: Call, wanted: Wanted) -> tuple[int, UUID]:
    given = call.parameters.text("_cursor") or ""
    rank, key = cursors.read(cursors.key_of(call.store.connection), _identity(call, wanted), given, 2)
    return int(rank), UUID(key)


def _links(call: Call, wanted: Wanted, last: Row | None) -> list[dict[str, str]]:
    address = f"{call.url}/{call.type}/{call.id}/$everything"
    asked = [(name, str(value)) for name in call.parameters.names if name not in ("_cursor", "resource") for value in call.parameters.all(name)]
    links = [{"relation": "self", "url": f"{address}?{urlencode(asked)}" if asked else address}]
    if last:
        cursor = cursors.sign(cursors.key_of(call.store.connection), _identity(call, wanted), [str(last.place[0]), str(last.place[1])])
        links.append({"relation": "next", "url": f"{address}?{urlencode([*asked, ('_cursor', cursor)])}"})
    return links
