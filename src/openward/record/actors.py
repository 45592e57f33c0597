"""Who asked, kept for the job that answers later: an actor as plain JSON, and made again only while their credentials stand."""

from __future__ import annotations

import datetime as dt
from dataclasses import fields, replace
from typing import Any

from openward.access.actor import Actor
from openward.access.scopes import CONTEXTS, Scopes
from openward.fhir.errors import Forbidden


def remember(actor: Actor) -> dict[str, Any]:
    """The actor as plain JSON; scopes as their text, and beside it what they are bound to."""
    kept = {field.name: getattr(actor, field.name) for field in fields(actor)}
    bound = {"bound": {"patient": actor.scopes.patient, "app": actor.scopes.app}} if actor.scopes and actor.scopes.app else {}
    return {**kept, "scopes": actor.scopes.text if actor.scopes else None, **bound}


def recall(remembered: dict[str, Any]) -> Actor:
    """The actor again. Raises Forbidden when a client has no valid token of the same scope any more, or a person may not sign in."""
    from openward.accounts.tokens import stands

    actor = _made_again(remembered)
    if (stood := stands(actor)) is not None:
        if not stood:
            raise Forbidden("The app's token has expired or been revoked.")
        return actor
    if actor.kind == "client" and not _client_stands(actor):
        raise Forbidden("The client's token has expired or been revoked.")
    if actor.kind in ("staff", "patient") and not _person_stands(actor):
        raise Forbidden("The person may not sign in any more.")
    return actor


def is_withdrawn(remembered: dict[str, Any], since: dt.datetime) -> bool:
    """Whether a client's authorisation was withdrawn after `since`. That a token ran out by itself is no withdrawal, another may be had;
    a new token after a withdrawal does not bring back what was made before it."""
    from openward.accounts.models import ClientToken
    from openward.accounts.tokens import stands

    actor = _made_again(remembered)
    if (stood := stands(actor)) is not None:
        return not stood
    given = ClientToken.objects.filter(tenant=actor.tenant, client=actor.name, made_at__lte=since, revoked_at__gt=since)
    return actor.kind == "client" and given.exists()


def scopes_of(remembered: dict[str, Any]) -> Scopes | None:
    return _made_again(remembered).scopes


def _made_again(remembered: dict[str, Any]) -> Actor:
    facts = {name: value for name, value in remembered.items() if name not in ("scopes", "bound")}
    bound = remembered.get("bound")
    text = remembered["scopes"]
    if bound:
        return Actor(**facts, scopes=Scopes.parse(text, ("patient", "user", "system"), CONTEXTS).bound_to(**bound))
    return Actor(**facts, scopes=Scopes.parse(text) if text else None)


def in_job(actor: Actor) -> Actor:
    """The same actor outside the request that asked."""
    return replace(actor, request_id=None, address=None)


def _client_stands(actor: Actor) -> bool:
    from django.db.models import Q
    from django.utils import timezone

    from openward.accounts.models import ClientToken

    alive = Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now())
    tokens = ClientToken.objects.filter(alive, tenant=actor.tenant, client=actor.name, revoked_at__isnull=True)
    # The same words, perhaps with other spaces between.
    return actor.scopes is not None and any(" ".join(text.split()) == actor.scopes.text for text in tokens.values_list("scope", flat=True))


def _person_stands(actor: Actor) -> bool:
    from openward.accounts.models import User

    return actor.user_id is None or User.objects.filter(id=actor.user_id, is_active=True).exists()
