"""What can be subscribed to: topics, as data. https://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition-backport-subscription.html

A topic says which changes of which resources start a notification, and by what it may be narrowed. An installation's own topics are `Basic`
resources with the code SubscriptionTopic and the elements of R5 as extensions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from openward.fhir.definitions import is_resource_type
from openward.fhir.errors import BadRequest, Invalid, Issue
from openward.fhir.search.row import IndexRow
from openward.fhir.subscriptions.criteria import compiled, refuse_blanks

HERE = "urn:openward:topic:"
R5 = "http://hl7.org/fhir/5.0/StructureDefinition/extension-SubscriptionTopic."
CREATED, UPDATED, DELETED = "C", "U", "D"
INTERACTIONS = {"create": CREATED, "update": UPDATED, "delete": DELETED}


@dataclass(frozen=True, slots=True)
class Trigger:
    """One kind of change. `on`: C, U and D. `now` and `before`: search queries the version and the one before must meet; both, if both are there.

    A resource that was not there before meets `before` when `new_counts`; one that is gone meets `now` when `gone_counts`.
    """

    type: str
    on: str = CREATED + UPDATED
    now: str = ""
    before: str = ""
    new_counts: bool = True
    gone_counts: bool = True
    both: bool = True

    def fires(self, op: str, id: str, after: IndexRow | None, previous: IndexRow | None) -> bool:
        """`after` is None for a deletion, `previous` for what was not there before."""
        if op not in self.on:
            return False
        now = compiled(self.type, self.now).hold(after, id) if after else self.gone_counts
        before = compiled(self.type, self.before).hold(previous, id) if previous else self.new_counts
        if self.now and self.before:
            return (now and before) if self.both else (now or before)
        return now if self.now else before if self.before else True


@dataclass(frozen=True, slots=True)
class Topic:
    """`filters`: the search parameters a subscription may narrow it by; None for any of the type."""

    url: str
    title: str
    triggers: tuple[Trigger, ...]
    filters: tuple[str, ...] | None = ("patient", "subject", "_id")

    @property
    def types(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(trigger.type for trigger in self.triggers))


HERE_NOW = "arrived,triaged,in-progress,onleave"
RESULT = "final,amended,corrected,appended"
INPATIENT = "class=IMP,ACUTE,NONAC"

BUILT_IN: Mapping[str, Topic] = {
    topic.url: topic
    for topic in (
        Topic(HERE + "encounter-start", "A visit began", (Trigger("Encounter", now=f"status={HERE_NOW}", before=f"status:not={HERE_NOW}"),)),
        Topic(HERE + "encounter-end", "A visit ended", (Trigger("Encounter", now="status=finished", before="status:not=finished"),)),
        Topic(
            HERE + "admission",
            "A patient was admitted",
            (Trigger("Encounter", now=f"{INPATIENT}&status=in-progress", before="status:not=in-progress"),
             Trigger("Encounter", UPDATED, now=f"{INPATIENT}&status=in-progress", before="class:not=IMP,ACUTE,NONAC")),
        ),
        Topic(
            HERE + "discharge",
            "A patient was discharged",
            (Trigger("Encounter", now=f"{INPATIENT}&status=finished", before="status:not=finished"),),
        ),
        Topic(
            HERE + "new-result",
            "A result is final, or was corrected",
            (Trigger("DiagnosticReport", now=f"status={RESULT}", before="status:not=final"),
             Trigger("DiagnosticReport", UPDATED, now="status=amended,corrected,appended"),
             Trigger("Observation", now=f"category=laboratory&status={RESULT}", before="status:not=final"),
             Trigger("Observation", UPDATED, now="category=laboratory&status=amended,corrected,appended")),
            ("patient", "subject", "code", "category", "_id"),
        ),
        Topic(
            HERE + "appointment-booked",
            "An appointment was booked",
            (Trigger("Appointment", now="status=booked", before="status:not=booked"),),
            ("patient", "practitioner", "location", "service-type", "_id"),
        ),
        Topic(
            HERE + "appointment-changed",
            "A booked appointment was changed",
            (Trigger("Appointment", UPDATED, now="status=booked", before="status=booked", new_counts=False),),
            ("patient", "practitioner", "location", "service-type", "_id"),
        ),
        Topic(
            HERE + "appointment-cancelled",
            "An appointment was cancelled",
            (Trigger("Appointment", now="status=cancelled", before="status:not=cancelled"),),
            ("patient", "practitioner", "location", "service-type", "_id"),
        ),
        Topic(HERE + "new-message", "A message was sent", (Trigger("Communication", CREATED),), ("patient", "subject", "recipient", "sender", "_id")),
        Topic(HERE + "patient-changed", "A patient was registered or changed", (Trigger("Patient", CREATED + UPDATED + DELETED),), ("_id", "gender")),
    )
}  # fmt: skip


def of_query(type: str, query: str) -> Topic:
    """What a plain R4 subscription (`Observation?code=…`) listens to: whatever is stored and then matches. Raises BadRequest."""
    compiled(type, query)
    return Topic(f"{type}?{query}", f"{type} that match a search", (Trigger(type, CREATED + UPDATED, now=query),), ())


def from_basic(basic: Mapping[str, Any]) -> Topic:
    """A topic of the installation's own. Raises Invalid where it is not one, or asks for what this server cannot watch."""
    here = {
        extension.get("url", "").removeprefix(R5): extension for extension in basic.get("extension", ()) if extension.get("url", "").startswith(R5)
    }
    url = here.get("url", {}).get("valueUri")
    triggers = [_trigger(extension) for extension in _all(basic, "resourceTrigger")]
    if not url or not triggers:
        raise _invalid("A topic has a url and at least one resourceTrigger.")
    if _all(basic, "eventTrigger"):
        raise _invalid("eventTrigger is not supported; write resourceTriggers.")
    filters = [str(_value(part)) for extension in _all(basic, "canFilterBy") for part in _parts(extension, "filterParameter")]
    return Topic(url, str(here.get("title", {}).get("valueString", url)), tuple(triggers), tuple(filters))


def _all(basic: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    return [extension for extension in basic.get("extension", ()) if extension.get("url") == R5 + name]


def _parts(extension: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    return (part for part in extension.get("extension", ()) if part.get("url") == name)


def _value(part: Mapping[str, Any] | None) -> Any:
    return next((value for name, value in (part or {}).items() if name.startswith("value")), None)


def _one(extension: Mapping[str, Any], name: str) -> Any:
    return _value(next(_parts(extension, name), None))


def _trigger(extension: Mapping[str, Any]) -> Trigger:
    type = str(_one(extension, "resource") or "").removeprefix("http://hl7.org/fhir/StructureDefinition/")
    if not is_resource_type(type):
        raise _invalid("A resourceTrigger names a resource type.")
    if _one(extension, "fhirPathCriteria"):
        raise _invalid("fhirPathCriteria is not supported; write queryCriteria.")
    said = [str(_value(part)) for part in _parts(extension, "supportedInteraction")]
    unknown = [one for one in said if one not in INTERACTIONS]
    if unknown:
        raise _invalid(f"supportedInteraction is one of {', '.join(INTERACTIONS)}; {unknown[0][:40]} is none.")
    on = "".join(INTERACTIONS[one] for one in said)
    query = next(_parts(extension, "queryCriteria"), {})
    made = Trigger(
        type,
        on or CREATED + UPDATED,
        _query(type, _one(query, "current")),
        _query(type, _one(query, "previous")),
        _one(query, "resultForCreate") != "test-fails",
        _one(query, "resultForDelete") != "test-fails",
        _one(query, "requireBoth") is True,
    )
    try:
        for text in (made.now, made.before):
            refuse_blanks(text)
            compiled(type, text)
    except BadRequest as error:
        raise _invalid(str(error)) from error
    return made


def _query(type: str, text: Any) -> str:
    return str(text or "").removeprefix(f"{type}?").removeprefix("?")


def _invalid(words: str) -> Invalid:
    return Invalid(issues=[Issue("invalid", words, "Basic.extension")])


def triggers_of(topic: Topic, type: str) -> Sequence[Trigger]:
    return [trigger for trigger in topic.triggers if trigger.type == type]
