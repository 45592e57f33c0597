"""A Subscription resource, read: what it wants to be told of, by which channel, and with how much in it.

https://hl7.org/fhir/R4/subscription.html, https://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition-backport-subscription.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from openward.fhir.definitions import is_resource_type
from openward.fhir.errors import BadRequest, Invalid, Issue
from openward.fhir.outgoing import Network, Unreachable, check_form, header_fault
from openward.fhir.subscriptions.criteria import compiled, refuse_blanks
from openward.fhir.subscriptions.topics import Topic, of_query

BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/"
CHANNELS = ("rest-hook", "email", "sse")
CONTENTS = ("empty", "id-only", "full-resource")
MIME_TYPES = ("application/fhir+json", "application/json")
LONGEST_TIMEOUT, SHORTEST_HEARTBEAT, MOST_EVENTS = 60, 60, 100

T = TypeVar("T")
FindTopic = Callable[[str], Topic | None]


@dataclass(frozen=True)
class Terms:
    """`criteria`: a topic's url, or a plain search (`is_plain`). `filters`: (type, query) pairs; all of a type's must hold.

    `heartbeat` and `timeout` are seconds; a heartbeat of 0 is none. `headers` are lines, their values sealed.
    """

    criteria: str
    is_plain: bool
    filters: tuple[tuple[str, str], ...]
    channel: str
    endpoint: str
    headers: tuple[str, ...]
    payload: str
    content: str
    heartbeat: int
    timeout: int
    at_most: int

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Terms:
        return cls(**{**given, "filters": tuple((type, query) for type, query in given["filters"]), "headers": tuple(given["headers"])})

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def read(resource: Mapping[str, Any], find_topic: FindTopic, allowed: Sequence[Network]) -> tuple[Terms, Topic]:
    """What the Subscription asks for, and the topic it is about. Raises Invalid with the path of what cannot be done."""
    channel = resource.get("channel", {})
    topic = _topic(resource.get("criteria", ""), find_topic)
    is_plain = "?" in resource.get("criteria", "") or is_resource_type(resource.get("criteria", ""))
    kind = _kind(channel)
    payload = channel.get("payload", "")
    if payload and payload.partition(";")[0].strip() not in MIME_TYPES:
        raise _invalid("channel.payload", f"{payload[:64]} is not sent; application/fhir+json is.")
    terms = Terms(
        criteria=resource["criteria"],
        is_plain=is_plain,
        filters=tuple(_filter(value, topic) for value in _extensions(resource.get("_criteria", {}), "backport-filter-criteria")),
        channel=kind,
        endpoint=_endpoint(kind, channel.get("endpoint", ""), allowed),
        headers=_headers(channel.get("header", ())),
        payload=payload,
        content=_content(channel, payload, is_plain),
        heartbeat=_heartbeat(_number(channel, "backport-heartbeat-period", 0)),
        timeout=min(_number(channel, "backport-timeout", 20) or 20, LONGEST_TIMEOUT),
        at_most=min(_number(channel, "backport-max-count", 20) or 20, MOST_EVENTS),
    )
    return terms, topic


def _topic(criteria: str, find_topic: FindTopic) -> Topic:
    type, mark, query = criteria.partition("?")
    if mark or is_resource_type(criteria):
        if not is_resource_type(type):
            raise _invalid("criteria", f"{type[:64]} is no resource type.")
        _understood("criteria", lambda: refuse_blanks(query))
        return _understood("criteria", lambda: of_query(type, query))
    topic = find_topic(criteria)
    if topic is None:
        raise _invalid("criteria", f"There is no topic {criteria[:200]} here.")
    return topic


def _filter(text: str, topic: Topic) -> tuple[str, str]:
    """`Encounter?patient=Patient/1`, or without a type where the topic is about one only."""
    type, mark, query = text.partition("?")
    if not mark:
        type, query = topic.types[0] if len(topic.types) == 1 else "", text
    if type not in topic.types:
        raise _invalid("criteria.extension", f"A filter of this topic is of {', '.join(topic.types)}.")
    _understood("criteria.extension", lambda: refuse_blanks(query))
    codes = _understood("criteria.extension", lambda: compiled(type, query).codes)
    unknown = codes - set(topic.filters) if topic.filters is not None else set()
    if unknown:
        raise _invalid("criteria.extension", f"{', '.join(sorted(unknown))}: this topic is narrowed by {', '.join(topic.filters or ())} only.")
    return type, query


def _kind(channel: Mapping[str, Any]) -> str:
    own = _extensions(channel.get("_type", {}), "backport-channel-type")
    kind = str(own[0].get("code") if own and isinstance(own[0], Mapping) else channel.get("type", ""))
    if kind not in CHANNELS:
        raise _invalid("channel.type", f"{kind[:40]} is not offered: rest-hook, email and sse are.")
    return kind


def _endpoint(kind: str, endpoint: str, allowed: Sequence[Network]) -> str:
    if kind == "sse":
        return ""
    if kind == "email":
        address = endpoint.removeprefix("mailto:")
        if address.count("@") != 1 or len(address) > 254 or any(ord(c) < 33 or c in "<>,;" for c in address):
            raise _invalid("channel.endpoint", "An e-mail goes to an address such as mailto:name@clinic.example.")
        return address
    try:
        scheme = check_form(endpoint, allowed).scheme
    except Unreachable as error:
        raise _invalid("channel.endpoint", str(error)) from error
    if scheme == "http" and not allowed:  # without private networks no host of http is ever told anything
        raise _invalid("channel.endpoint", "Only https leaves the house.")
    return endpoint


def _headers(lines: Sequence[str]) -> tuple[str, ...]:
    for line in lines:
        if fault := header_fault(line):
            raise _invalid("channel.header", fault)
    return tuple(lines)


def about_header(id: str, endpoint: str, name: str) -> tuple[str, ...]:
    """What the value of a header belongs to. The endpoint too: who may change where it goes must not get what is sent along."""
    return ("Subscription", id, endpoint, name.strip().lower())


def _content(channel: Mapping[str, Any], payload: str, is_plain: bool) -> str:
    said = _extensions(channel.get("_payload", {}), "backport-payload-content")
    content = str(said[0]) if said else ("full-resource" if payload and is_plain else "id-only" if payload else "empty")
    if content not in CONTENTS:
        raise _invalid("channel.payload.extension", f"The content is one of {', '.join(CONTENTS)}.")
    return content


def _heartbeat(seconds: int) -> int:
    return max(seconds, SHORTEST_HEARTBEAT) if seconds else 0


def _number(channel: Mapping[str, Any], name: str, otherwise: int) -> int:
    values = _extensions(channel, name) or [otherwise]
    if isinstance(values[0], bool) or not isinstance(values[0], int) or values[0] < 0:
        raise _invalid("channel.extension", f"{name} is a whole number.")
    return values[0]


def _extensions(element: Mapping[str, Any], name: str) -> list[Any]:
    """The values of an extension of the guide, wherever it is repeated."""
    found = [extension for extension in element.get("extension", ()) if extension.get("url") == BACKPORT + name]
    return [value for extension in found for key, value in extension.items() if key.startswith("value")]


def _understood(path: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except BadRequest as error:
        raise _invalid(path, str(error)) from error


def _invalid(path: str, words: str) -> Invalid:
    return Invalid(issues=[Issue("invalid", words, f"Subscription.{path}")])
