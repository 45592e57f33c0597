"""The rules of Subscription resources, held by the store whoever writes one.

A client asks; only the desk says that a subscription is active or in error.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from openward.fhir.errors import Forbidden, Invalid, Issue
from openward.fhir.guards import Change
from openward.fhir.subscriptions import feed, held
from openward.fhir.subscriptions.desk import Desk, desk, is_open
from openward.fhir.subscriptions.known import FHIR_TYPES, kept_topics, topic
from openward.fhir.subscriptions.terms import Terms, about_header, read
from openward.fhir.subscriptions.topics import BUILT_IN, Topic, from_basic
from openward.fhir.work import UnitOfWork


def hold_to_terms(change: Change, work: UnitOfWork) -> None:
    """A subscription asks for what can be watched, goes where this server may call, and begins as requested; raises Invalid, Forbidden."""
    if not is_open() or desk().is_own(work.actor):
        return
    here, connection = desk(), work.store.connection
    data: dict[str, Any] = change.resource.data
    data.pop("error", None)
    if data.get("status") == "off" or not here.may_own(work.actor):
        data["status"] = "off"
    else:
        data["status"] = "requested"
    terms, about = read(data, lambda url: topic(connection, work.tenant, url), here.allowed)
    _permit(work, about)
    _keep(change, work, here, _sealed(change, work, here, terms), about)


def _keep(change: Change, work: UnitOfWork, here: Desk, terms: Terms, about: Topic) -> None:
    data = change.resource.data
    owner = here.remember(work.actor)
    held.keep(work.store.connection, work.tenant, change.key, change.id, owner, terms, about, data["status"], data.get("end"))
    feed.forget_listeners()
    if data["status"] == "requested":
        here.tell_later(work.tenant, change.key, by=work.store)


def _sealed(change: Change, work: UnitOfWork, here: Desk, terms: Terms) -> Terms:
    """What is sent along to the endpoint is often a secret: in the record, its history and its copies it stands sealed."""
    if not terms.headers:
        return terms
    lines = []
    for line in terms.headers:
        name, _, value = line.partition(":")
        try:
            lines.append(f"{name}: {here.seal(work.tenant, value.strip(), about_header(change.id, terms.endpoint, name))}")
        except ValueError:
            words = f"The header {name[:40]} was sealed for another endpoint or subscription: give its value anew."
            raise Invalid(issues=[Issue("invalid", words, "Subscription.channel.header")]) from None
    change.resource.data["channel"]["header"] = lines
    return replace(terms, headers=tuple(lines))


def _permit(work: UnitOfWork, about: Topic) -> None:
    """Nobody is told of what they may not read."""
    hidden = [type for type in about.types if work.store.policy.where(work.actor, "read", type) is None]
    if hidden:
        raise Forbidden(f"You may not read {', '.join(hidden)}.")


def drop_with_it(change: Change, work: UnitOfWork) -> None:
    """With a subscription its events go, told or not."""
    if is_open():
        held.drop(work.store.connection, work.tenant, change.key)
        feed.forget_listeners()


def hold_topics(change: Change, work: UnitOfWork) -> None:
    """A Basic that is a topic says something this server can watch, under a url no other topic has; raises Invalid."""
    data = change.resource.data
    codings = data.get("code", {}).get("coding", ())
    if not any(coding.get("system") == FHIR_TYPES and coding.get("code") == "SubscriptionTopic" for coding in codings):
        return
    made = from_basic(data)
    if made.url in BUILT_IN:
        raise Invalid(issues=[Issue("duplicate", f"{made.url} is a topic of this server.", "Basic.extension")])
    kept = kept_topics(work.store.connection, work.tenant)
    other = next((id for id, one in kept.items() if one.url == made.url and id != change.id), None)
    if other is not None:
        raise Invalid(issues=[Issue("duplicate", f"{made.url} is the topic of Basic/{other}.", "Basic.extension")])
