"""Which interaction an address and a method mean. https://hl7.org/fhir/R4/http.html#summary"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlencode

from openward.fhir.bulk import following, serving
from openward.fhir.bundles.answers import history_bundle
from openward.fhir.definitions import is_resource_type
from openward.fhir.errors import BadRequest, MethodNotAllowed, NotFound, UnknownType
from openward.fhir.http.binary import native, taken
from openward.fhir.http.inside import inside
from openward.fhir.http.media import UnsupportedMediaType, sent_format
from openward.fhir.http.request import FORM, Request
from openward.fhir.http.response import Response, deleted, written
from openward.fhir.ids import is_id
from openward.fhir.interactions import batch
from openward.fhir.interactions.conditions import parameters_of
from openward.fhir.interactions.create import create
from openward.fhir.interactions.delete import conditional_delete, delete
from openward.fhir.interactions.history import history
from openward.fhir.interactions.patch import conditional_patch, patch
from openward.fhir.interactions.read import read
from openward.fhir.interactions.search import searchset
from openward.fhir.interactions.update import conditional_update, update
from openward.fhir.interactions.vread import vread
from openward.fhir.operations.parameters import Parameters
from openward.fhir.operations.registry import Answer, Call, Operation, named
from openward.fhir.search.date import span
from openward.fhir.search.places import SYSTEM, Place, within
from openward.fhir.search.query import names_resources
from openward.fhir.search.subset import SHAPES, shortened
from openward.fhir.versions import Version
from openward.fhir.virtual import VIRTUAL, VirtualType

if TYPE_CHECKING:
    from openward.fhir.store import Store

HISTORY = frozenset({"_count", "_since", "_at", "_sort", "_list", "_summary", "_elements", "_cursor"})
Handler = Callable[["Store", Request], Response]
Handlers = Mapping[str, Handler]


def handlers(segments: tuple[str, ...]) -> Handlers:
    """Method → handler for an address; empty when it is none of ours. Raises UnknownType."""
    match segments:
        case ():
            return {"GET": partial(_search, SYSTEM), "POST": _bundle}
        case ("_search",):
            return {"POST": partial(_search, SYSTEM)}
        case ("metadata",):
            return {"GET": _unreachable}
        case ("_history",):
            return {"GET": partial(_history, None, None)}
        case ("_export", id):
            return {"GET": partial(serving.status, id), "DELETE": partial(serving.cancel, id)}
        case ("_export", id, name):
            return {"GET": partial(serving.file, id, name)}
        case ("_import", id):
            return {"GET": partial(following.status, id), "DELETE": partial(following.cancel, id)}
        case ("_import", id, name):
            return {"GET": partial(following.file, id, name)}
        case (name,) if name.startswith("$"):
            return _operation(named(name[1:], "system", None), None, None)
        case (type, *_) if not is_resource_type(type):
            raise UnknownType(type=type)
        case (type, *rest) if type in VIRTUAL and "$" not in "".join(rest):
            return _of_virtual(VIRTUAL[type], rest)
        case (type,):
            return _of_type(type)
        case (type, "_search"):
            return {"POST": partial(_search, type)}
        case (type, "_history"):
            return {"GET": partial(_history, type, None)}
        case (type, name) if name.startswith("$"):
            return _operation(named(name[1:], "type", type), type, None)
        case (type, id, *_) if not is_id(id):
            raise NotFound(type=type, id=id[:64])
        case (type, id):
            return {
                "GET": partial(_read, type, id),
                "PUT": partial(_update, type, id),
                "PATCH": partial(_patch, type, id),
                "DELETE": partial(_delete, type, id),
            }
        case (type, id, name) if name.startswith("$"):
            return _operation(named(name[1:], "instance", type), type, id)
        case (type, id, "_history"):
            return {"GET": partial(_history, type, id)}
        case (type, id, "_history", version):
            return {"GET": partial(_vread, type, id, version)}
        case (type, id, other):
            return {"GET": partial(_search, within(type, id, other))}
        case (type, id, other, "_search"):
            return {"POST": partial(_search, within(type, id, other))}
    return {}


def _of_type(type: str) -> Handlers:
    return {
        "GET": partial(_search, type),
        "POST": partial(_create, type),
        "PUT": partial(_conditional_update, type),
        "PATCH": partial(_conditional_patch, type),
        "DELETE": partial(_conditional_delete, type),
    }


def _of_virtual(virtual: VirtualType, rest: list[str]) -> Handlers:
    match rest:
        case []:
            return {"GET": partial(_search_virtual, virtual)}
        case ["_search"]:
            return {"POST": partial(_search_virtual, virtual)}
        case [id] if is_id(id):
            return {"GET": partial(_read_virtual, virtual, id)}
    return {}


def _search_virtual(virtual: VirtualType, store: Store, request: Request) -> Response:
    _check_form(request)
    own = f"{request.url}/"
    parameters = [(name, value.replace(own, "")) for name, value in request.parameters]
    return _paged(virtual.searchset(store, parameters, request.url, strict=request.is_strict), request)


def _read_virtual(virtual: VirtualType, id: str, store: Store, request: Request) -> Response:
    version = virtual.read(store, id)
    return Response.not_modified(version) if request.holds(version.etag, version.at) else Response.version(version)


def _operation(operation: Operation, type: str | None, id: str | None) -> Handlers:
    return {method: partial(_operate, operation, type, id) for method in operation.methods}


def writes(segments: tuple[str, ...], method: str) -> bool:
    """Whether a request needs a store that writes. Raises UnknownType and NotFound."""
    if method not in ("GET", "HEAD"):
        return True
    handler = handlers(segments).get("GET") if segments and segments[-1].startswith("$") else None
    return isinstance(handler, partial) and handler.args[0].writes_on_get


def _operate(operation: Operation, type: str | None, id: str | None, store: Store, request: Request) -> Response:
    body = None
    if request.method == "POST" and request.has_resource:
        is_query = request.media_type == "application/graphql"
        body = {"query": request.read().decode("utf-8", "replace")} if is_query else request.body()
    parameters = Parameters.of(request.parameters, body)
    answer = operation(Call(store, operation.name, type, id, parameters, request.url, request.headers, request.method))
    return Response.answer(answer) if isinstance(answer, Answer) else Response.json(answer)


def _unreachable(store: Store, request: Request) -> Response:
    raise NotFound(f"{'/'.join(request.segments)} is not an address of this server.")


def _read(type: str, id: str, store: Store, request: Request) -> Response:
    version = read(store, type, id)
    if request.holds(version.etag, version.at):
        return Response.not_modified(version)
    return _shown(version, request)


def _shown(version: Version, request: Request) -> Response:
    if version.type == "Binary" and request.wants_native:
        return native(version)
    if not request.query:
        return Response.version(version)
    return Response.version(_in_shape([version], dict(request.parameters))[0])


def _in_shape(versions: Sequence[Version], wanted: Mapping[str, str]) -> list[Version]:
    """The versions as `_summary` and `_elements` ask for; of a deletion there is nothing to leave out. https://hl7.org/fhir/R4/http.html#parameters"""
    summary = _summary(wanted.get("_summary", "") or "false")
    elements = tuple(name for name in wanted.get("_elements", "").split(",") if name)
    if summary == "false" and not elements:
        return list(versions)
    return [version if version.deleted else shortened([version], summary, elements)[0] for version in versions]


def _summary(wanted: str) -> str:
    """What `_summary` of a read may be. https://hl7.org/fhir/R4/search.html#summary"""
    if wanted not in (*SHAPES, "false"):
        raise BadRequest(f"_summary of one resource is one of {', '.join(SHAPES)} or false.")
    return wanted


def _vread(type: str, id: str, number: str, store: Store, request: Request) -> Response:
    if not number.isdecimal() or len(number) > 9:
        raise NotFound(type=type, id=f"{id}/_history/{number[:64]}")
    version = vread(store, type, id, int(number))
    if request.holds(version.etag, version.at):
        return Response.not_modified(version)
    return _shown(version, request)


def _create(type: str, store: Store, request: Request) -> Response:
    resource, none = _named(request, type), request.header("If-None-Exist")
    return written(create(store, resource, if_none_exist=none and _condition(request, type, none)), request)


def _update(type: str, id: str, store: Store, request: Request) -> Response:
    store.keeps_labels = True
    resource = _named(request, type, id)
    if resource.get("id") != id:
        raise BadRequest(f"The body must carry the id of the address, {id}.")
    return written(update(store, resource, if_match=request.if_match, if_none_match=request.if_none_match), request)


def _conditional_update(type: str, store: Store, request: Request) -> Response:
    store.keeps_labels = True
    resource, condition = _named(request, type), _condition(request, type, request.condition)
    return written(conditional_update(store, resource, condition, if_match=request.if_match, if_none_match=request.if_none_match), request)


def _patch(type: str, id: str, store: Store, request: Request) -> Response:
    return written(patch(store, type, id, request.patch(), if_match=request.if_match), request)


def _conditional_patch(type: str, store: Store, request: Request) -> Response:
    return written(conditional_patch(store, type, _condition(request, type, request.condition), request.patch(), if_match=request.if_match), request)


def _delete(type: str, id: str, store: Store, request: Request) -> Response:
    gone = delete(store, type, id, if_match=request.if_match)
    return deleted(request, gone.version if gone else None)


def _conditional_delete(type: str, store: Store, request: Request) -> Response:
    gone = conditional_delete(store, type, _condition(request, type, request.condition), if_match=request.if_match)
    return deleted(request, gone.version if gone else None)


def _search(place: str | Place, store: Store, request: Request) -> Response:
    _check_form(request)
    return _paged(searchset(store, place, _conditions(request), request.url, strict=request.is_strict), request)


def _paged(bundle: dict[str, Any], request: Request) -> Response:
    """Who asks for a form by parameter, because they have no say over headers, follows a link to a page of that form. https://hl7.org/fhir/R4/http.html#parameters"""
    if form := request.form:
        for link in bundle["link"]:
            link["url"] += f"{'&' if '?' in link['url'] else '?'}{urlencode(form)}"
    return Response.json(bundle)


def _check_form(request: Request) -> None:
    """What is posted to search by is a form; a body of another type would be left out, and everything be found. https://hl7.org/fhir/R4/http.html#search"""
    if request.method == "POST" and request.has_resource:
        raise UnsupportedMediaType(f"What is searched for is posted as {FORM}.")


def _conditions(request: Request) -> list[tuple[str, str]]:
    """The parameters; a reference by this server's own address is looked for as the relative one that is stored."""
    own = f"{request.url}/"
    if not any(own in value for _, value in request.parameters):
        return request.parameters
    asked = [part for name, value in request.parameters if name == "_type" for part in value.split(",")]
    type = next((name for name in [*reversed(request.segments), *asked] if is_resource_type(name)), "")
    return _relative(type, request.parameters, own)


def _relative(type: str, parameters: Iterable[tuple[str, str]], own: str) -> list[tuple[str, str]]:
    return [(name, value.replace(own, "") if own in value and names_resources(type, name) else value) for name, value in parameters]


def _condition(request: Request, type: str, query: str) -> str:
    """The condition of a write, which names resources of this server as a search does."""
    own = f"{request.url}/"
    query = parameters_of(type, query.removeprefix(own))
    return query if own not in unquote(query) else urlencode(_relative(type, parse_qsl(query, keep_blank_values=True), own))


def _sent_bundle(request: Request) -> dict[str, Any]:
    """The bundle; its entries' addresses relative to this server, whose own address some clients put before them, and conditions as `_condition` has them."""
    bundle, own = request.body(), request.url
    entries = bundle.get("entry")
    for entry in entries if isinstance(entries, list) else ():
        asked = entry.get("request") if isinstance(entry, dict) else None
        url = asked.get("url") if isinstance(asked, dict) else None
        if not isinstance(asked, dict) or not isinstance(url, str):
            continue
        if url.startswith(own) and url[len(own) :][:1] in ("/", "?"):
            url = asked["url"] = url[len(own) :]
        if "?" in url and asked.get("method") not in ("GET", "HEAD"):
            path, _, query = url.partition("?")
            asked["url"] = f"{path}?{_condition(request, path.strip('/'), query)}"
        if isinstance(none := asked.get("ifNoneExist"), str):
            asked["ifNoneExist"] = _condition(request, url.strip("/"), none)
    return bundle


def _bundle(store: Store, request: Request) -> Response:
    store.keeps_labels = True
    preference = request.preferences.get("return", "minimal")
    return Response.json(batch.bundle(store, _sent_bundle(request), partial(inside, _inner, request), preference))


def _inner(store: Store, request: Request) -> Response:
    """A request that stands in a bundle's entry. Raises NotFound, MethodNotAllowed, and what its interaction raises."""
    store.keeps_labels = False
    return handler_of(request)(store, request)


def handler_of(request: Request) -> Handler:
    """Raises NotFound, UnknownType, MethodNotAllowed."""
    allowed = handlers(request.segments)
    if not allowed:
        raise NotFound(f"{'/'.join(request.segments)} is not an address of this server.")
    method = "GET" if request.method == "HEAD" else request.method
    if method not in allowed:
        raise MethodNotAllowed(method=request.method, allow=", ".join(sorted(allowed)))
    return allowed[method]


def _list(named: str | None) -> str | None:
    """The id of the List. Raises BadRequest for lists by name, which are not kept here."""
    id = named.removeprefix("List/") if named else None
    if id and not is_id(id):
        raise BadRequest("_list is the id of a List, such as _list=42.")
    return id or None


def _history(type: str | None, id: str | None, store: Store, request: Request) -> Response:
    given = dict(request.parameters)
    unknown = sorted(given.keys() - HISTORY)
    if unknown and request.is_strict:
        raise BadRequest(f"History has no parameter {unknown[0][:80]}.")
    used = {name: value for name, value in given.items() if name in HISTORY}
    count, order = used.get("_count", "50"), used.get("_sort", "-_lastUpdated")
    if not count.isdecimal() or order not in ("_lastUpdated", "-_lastUpdated"):
        raise BadRequest("_count is a number and _sort is _lastUpdated or -_lastUpdated.")
    page = history(
        store, type, id, count=int(count), cursor=used.get("_cursor"), since=_instant(used.get("_since")), at=_at(used.get("_at")),
        oldest_first=order == "_lastUpdated", listed=_list(used.get("_list")),
    )  # fmt: skip
    address = f"{request.url}/{'/'.join(request.segments)}"
    links = [("self", _link(address, used))]
    if page.next:
        links.append(("next", _link(address, {**used, "_cursor": page.next})))
    return _paged(history_bundle(_in_shape(page.versions, used), request.url, links), request)


def _at(text: str | None) -> tuple[str, str] | None:
    """The time a date of any precision means. A space is a '+' that the client did not encode."""
    if text is None:
        return None
    found = span(text.replace(" ", "+"))
    if found is None:
        raise BadRequest("_at is not a date or time such as 2026-11 or 2026-11-03T09:30:00Z.")
    return found


def _link(address: str, parameters: Mapping[str, str]) -> str:
    return f"{address}?{urlencode(parameters)}" if parameters else address


def _instant(text: str | None) -> dt.datetime | None:
    if text is None:
        return None
    try:
        # A space is a '+' that the client did not encode.
        moment = dt.datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError as error:
        raise BadRequest("_since is not a date and time such as 2026-11-03T09:30:00Z.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _named(request: Request, type: str, id: str | None = None) -> dict[str, object]:
    """The resource sent. A raw body is the Binary of the address."""
    if type == "Binary" and sent_format(request.content_type) is None:
        return {**taken(request), "id": id} if id else taken(request)
    resource = request.body()
    if resource.get("resourceType") != type:
        raise BadRequest(f"The body is not a {type}.")
    return resource
