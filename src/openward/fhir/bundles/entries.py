"""The entries of a batch or transaction Bundle: what each asks for.

https://hl7.org/fhir/R4/http.html#transaction
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import unquote

from openward.fhir.definitions import is_resource_type
from openward.fhir.errors import BadRequest, FhirError, Invalid, Issue
from openward.fhir.ids import is_id
from openward.fhir.references import names_of

if TYPE_CHECKING:
    from openward.fhir.interactions.sound import Sound
    from openward.fhir.references import Slot

Method = Literal["DELETE", "POST", "PUT", "PATCH", "GET", "HEAD"]
ORDER: Mapping[str, int] = {"DELETE": 0, "POST": 1, "PUT": 2, "PATCH": 2, "GET": 3, "HEAD": 3}
METHODS = tuple(ORDER)  # in which what cannot be hashed can be looked for, too
BODY_METHODS = frozenset({"POST", "PUT"})
READING = frozenset({"GET", "HEAD"})
MAX_ENTRIES = 20_000
ETAG = re.compile(r'(?:W/)?"?(\d{1,9})"?')
ANY_VERSION = -1
"""`If-Match: *`: whichever version is there, if one is. https://www.rfc-editor.org/rfc/rfc9110#field.if-match"""


@dataclass(slots=True)
class Entry:
    """One entry. `type` and `id` are from the URL (`id` of a POST: given by the server); `query` is what follows its question mark.

    `sound` is there when the resource has been examined beforehand, its references final; `slots` when only these have been looked for.
    `patch`: the Binary or Parameters of a PATCH.
    `asks`: it reads, searches or calls an operation, by its `url`, with `parameters` if it carries a resource, and changes no entry's resource.
    `names`: what a PATCH may call the other entries → what they are called from now on.
    `conditions` are its headers: `if_none_match`, `if_modified_since`. `if_none_match`: the version that must not be there for a PUT to be done.
    """

    index: int
    method: Method
    url: str
    type: str
    id: str | None
    query: str | None
    full_url: str | None
    resource: Mapping[str, Any] | None
    if_match: int | None
    if_none_exist: str | None
    sound: Sound | None = None
    slots: Sequence[Slot] | None = None
    patch: Mapping[str, Any] | None = None
    parameters: Mapping[str, Any] | None = None
    conditions: Mapping[str, str] = field(default_factory=dict)
    if_none_match: int | None = None
    names: Mapping[str, str] | None = None

    @property
    def asks(self) -> bool:
        return self.method in READING or is_question(self.url)

    @property
    def path(self) -> str:
        return f"Bundle.entry[{self.index}]"

    @property
    def reference(self) -> str:
        return f"{self.type}/{self.id}"

    @property
    def former_names(self) -> list[str]:
        """What other entries may call this one."""
        return names_of(self.full_url) if self.full_url else []


def entries(bundle: Mapping[str, Any]) -> list[Entry]:
    """The entries in their order. Raises BadRequest with every fault at once."""
    read, faults = understood(bundle)
    if faults:
        raise BadRequest(issues=[issue for fault in faults.values() for issue in fault.issues])
    return read


def understood(bundle: Mapping[str, Any]) -> tuple[list[Entry], dict[int, BadRequest]]:
    """The entries in their order, and by index what is wrong with those that cannot be understood."""
    found = bundle.get("entry", [])
    if not isinstance(found, list):
        raise BadRequest("Bundle.entry is not a list.")
    read: list[Entry] = []
    faults: dict[int, BadRequest] = {}
    for index, raw in enumerate(found):
        try:
            read.append(_entry(index, raw))
        except BadRequest as error:
            faults[index] = BadRequest(issues=[Issue("invalid", str(error), f"Bundle.entry[{index}]")])
    return read, faults


def refuse_duplicates(entries: Sequence[Entry]) -> None:
    """No two entries may change the same resource, nor carry the same full URL. https://hl7.org/fhir/R4/http.html#trules"""
    changed = [entry.reference for entry in entries if entry.id and entry.method not in READING]
    names = changed + [entry.full_url for entry in entries if entry.full_url and entry.resource]
    if len(set(names)) < len(names):  # or an entry's full URL is its address
        _refuse_duplicates(entries)


def _refuse_duplicates(entries: Sequence[Entry]) -> None:
    seen: dict[str, Entry] = {}
    for entry in entries:
        changes = entry.reference if entry.id and entry.method not in READING else None
        for name in (changes, entry.full_url if entry.resource else None):
            if name and seen.setdefault(name, entry) is not entry:
                said = f"{name} also stands in {seen[name].path}."
                raise BadRequest(said, issues=[Issue("invalid", said, entry.path)])


@contextmanager
def located(entry: Entry) -> Iterator[None]:
    """Errors raised inside name the entry."""
    try:
        yield
    except FhirError as error:
        _name_place(error, entry)
        raise


def fault_at(error: FhirError, entry: Entry) -> Invalid:
    """What validation found, with its place, to be collected over all entries; any other error is raised, with its place, too.

    For loops over thousands of entries, of which none should open a context.
    """
    _name_place(error, entry)
    if not isinstance(error, Invalid):
        raise error
    return error


def _name_place(error: FhirError, entry: Entry) -> None:
    error.issues = [at_entry(issue, entry) for issue in error.issues]


def at_entry(issue: Issue, entry: Entry) -> Issue:
    if issue.expression and issue.expression.startswith("Bundle."):
        return issue
    below = f".resource{issue.expression[len(entry.type) :]}" if issue.expression and issue.expression.startswith(entry.type) else ""
    return Issue(issue.code, issue.diagnostics, entry.path + below, issue.severity)


def raise_all(faults: Sequence[Invalid]) -> None:
    if faults:
        raise Invalid(issues=[issue for fault in faults for issue in fault.issues])


def _entry(index: int, raw: Any) -> Entry:
    request = raw.get("request") if isinstance(raw, dict) else None
    if not isinstance(request, dict):
        raise BadRequest("The entry has no request.")
    method: Any = request.get("method")
    url = request.get("url")
    if method not in METHODS or not isinstance(url, str):
        raise BadRequest("The request has no method this server knows, or no url.")
    type, id, query = _addressed(method, url)
    if method in READING or is_question(url):
        return _question(index, raw, method, url, type, query)
    if_match, if_none_exist = version_named(_text(request, "ifMatch")), _text(request, "ifNoneExist")
    entry = Entry(index, method, url, type, id, query, _text(raw, "fullUrl"), _body(raw, method, type), if_match, if_none_exist)
    entry.patch = _patch(raw) if method == "PATCH" else None
    if method == "PUT" and "ifNoneMatch" in request:
        entry.if_none_match = version_named(_text(request, "ifNoneMatch"), "If-None-Match")
    return entry


def rank(entry: Entry) -> int:
    """Its place in the specification's order: what asks comes last, whatever its method."""
    return ORDER["GET"] if entry.asks else ORDER[entry.method]


def is_question(url: str) -> bool:
    """Whether what is posted there asks: a search or an operation."""
    if "$" not in url and "_search" not in url:
        return False
    last = url.partition("?")[0].rpartition("/")[2]
    return last == "_search" or last.startswith("$")


def _question(index: int, raw: Mapping[str, Any], method: Method, url: str, type: str, query: str | None) -> Entry:
    resource = raw.get("resource") if method == "POST" else None
    if resource is not None and not isinstance(resource, dict):
        raise BadRequest("The resource is not an object.")
    names = (("if_none_match", "ifNoneMatch"), ("if_modified_since", "ifModifiedSince"))
    conditions = {name: text for name, spelled in names if (text := _text(raw["request"], spelled)) is not None}
    return Entry(index, method, url, type, None, query, _text(raw, "fullUrl"), None, None, None, parameters=resource, conditions=conditions)


def _addressed(method: str, url: str) -> tuple[str, str | None, str | None]:
    path, _, query = url.partition("?")
    parts = [unquote(part) for part in path.strip("/").split("/")]
    if method in READING or (method == "POST" and is_question(url)):
        return parts[0], None, query or None
    if not is_resource_type(parts[0]):
        raise BadRequest(f"{parts[0] or 'The url'} is not a FHIR R4 resource type.")
    if method == "POST" and len(parts) == 1:
        return parts[0], None, None
    if len(parts) == 2 and is_id(parts[1]) and method != "POST":
        return parts[0], parts[1], None
    if len(parts) == 1 and query and method != "POST":
        return parts[0], None, query
    raise BadRequest(f"{method} {path} is not an address this server knows.")


def _body(raw: Mapping[str, Any], method: str, type: str) -> Mapping[str, Any] | None:
    if method not in BODY_METHODS:
        return None
    resource = raw.get("resource")
    if not isinstance(resource, dict) or resource.get("resourceType") != type:
        raise BadRequest(f"A {method} of {type} carries a {type}.")
    return resource


def _patch(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """https://hl7.org/fhir/R4/http.html#patch: a Binary with a JSON or XML Patch, or the Parameters of a FHIRPath Patch."""
    resource = raw.get("resource")
    if not isinstance(resource, dict) or resource.get("resourceType") not in ("Binary", "Parameters"):
        raise BadRequest("A PATCH carries a Binary or Parameters.")
    return resource


def version_named(etag: str | None, header: str = "If-Match") -> int | None:
    """The version an ETag names: `W/"3"` → 3, `*` → ANY_VERSION, whichever is there."""
    if etag is None:
        return None
    if etag.strip() == "*":
        return ANY_VERSION
    match = ETAG.fullmatch(etag.strip())
    if match is None:
        raise BadRequest(f'{header} is not an ETag of a version, such as W/"3".')
    return int(match[1])


def _text(node: Mapping[str, Any], name: str) -> str | None:
    value = node.get(name)
    if value is not None and not isinstance(value, str):
        raise BadRequest(f"{name} is not text.")
    return value
