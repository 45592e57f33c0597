"""The one resource a condition names: conditional create, update, delete and references.

https://hl7.org/fhir/R4/http.html#ccreate
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from openward.fhir.bundles.entries import ANY_VERSION
from openward.fhir.errors import BadRequest, MultipleMatches, PreconditionFailed
from openward.fhir.interactions.search import matches
from openward.fhir.interactions.seeing import may_see
from openward.fhir.versions import Version

if TYPE_CHECKING:
    from openward.fhir.store import Store

WAIT = "select pg_advisory_xact_lock(hashtextextended(%(condition)s, %(tenant)s))"


def is_matched(if_match: int | None, before: Version) -> bool:
    """Whether the live version is the one that was asked for."""
    return if_match in (None, ANY_VERSION, before.number)


def refuse_absent(type: str, id: str) -> PreconditionFailed:
    """For who names a version of what is not there, or not for them."""
    return PreconditionFailed(f"{type}/{id} is not there, and the request names a version of it.")


def refuse_standing(store: Store, type: str, id: str, before: Version | None, if_none_match: int) -> None:
    """Raises PreconditionFailed when the version that must not be there (ANY_VERSION: none at all) is, and the actor may know of it."""
    if before and not before.deleted and is_matched(if_none_match, before) and may_see(store, "update", type, id):
        raise PreconditionFailed(f"{type}/{id} is there, at version {before.number}; the request wants it not to be.")


def only_match(store: Store, type: str, query: str, *, waiting: bool = True) -> Version | None:
    """The only resource that matches `query`, or None; MultipleMatches when there are several.

    Until the transaction ends, others who ask for the same condition wait, so that two of them cannot both create what neither found.
    """
    params = parse_qsl(parameters_of(type, query), keep_blank_values=True)
    if not params:
        raise BadRequest(f"The condition {query!r} has no parameter.")
    if any("\0" in text for pair in params for text in pair):
        raise BadRequest("The condition contains the character NUL.")
    if waiting:
        condition = "&".join(f"{name}={value}" for name, value in sorted(params))
        store.execute(WAIT, {"condition": f"{type}?{condition}", "tenant": store.tenant})
    found = matches(store, type, params)
    if len(found) > 1:
        raise MultipleMatches(type=type)
    return found[0] if found else None


def parameters_of(type: str, condition: str) -> str:
    """What is asked of the type: `identifier=urn:x|7`, of `Patient?identifier=urn:x|7` as well.

    The specification wants the parameters alone; its own example of XDS and the clients of HAPI name the type before them.
    """
    path, mark, query = condition.partition("?")
    return query if mark and path.strip("/") in ("", type) else condition
