"""A FHIR Consent as rows the policy asks. https://hl7.org/fhir/R4/consent.html

Only an active consent for privacy counts. Of the provisions that speak of an actor, a purpose and a moment the deepest decides; a consent's
own first provision, or its policy rule opt-in or opt-out, is the shallowest. Between consents a refusal wins.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from typing import Any

from openward.access.labels import LABELS

FORGET = "delete from access_directive where tenant = %(tenant)s and consent = %(consent)s"
KEEP = """insert into access_directive (tenant, consent, place, depth, patient, permits, actors, purposes, labels, types, since, until)
  values (%(tenant)s, %(consent)s, %(place)s, %(depth)s, %(patient)s, %(permits)s, %(actors)s::jsonb, %(purposes)s::jsonb, %(labels)s::jsonb,
          %(types)s::jsonb, %(since)s, %(until)s)"""
SCOPE = "patient-privacy"
OPT_OUT = frozenset({"OPTOUT", "OPTOUTE", "OPTOUT-DEMO"})
EVER = dt.datetime(1900, 1, 1, tzinfo=dt.UTC)
MOST = 200
DEPTH = 8
CLIENT = "urn:openward:client"
USER = "urn:openward:user"
_BY_CODING = {(label.system, label.code): label.code for label in LABELS.values()}


def of(consent: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of an active privacy consent, the shallowest first; none of any other."""
    if consent.get("status") != "active" or not _has_code(consent.get("scope"), SCOPE):
        return []
    root = dict(consent.get("provision") or {})
    if "type" not in root:
        root["type"] = "deny" if any(_has_code(consent.get("policyRule"), code) for code in OPT_OUT) else "permit"
    return [row for row, _ in zip(_rows(root, 0, {}), range(MOST), strict=False)]


def _rows(provision: Mapping[str, Any], depth: int, above: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """One row for the provision, then those of its exceptions. What an exception leaves open holds as its parent says."""
    own = {name: found for name, found in _asked(provision).items() if found}
    said = {**above, **own}
    since, until = _period(provision.get("period") or {})
    since, until = max(since, above.get("since", EVER)), min((one for one in (until, above.get("until")) if one), default=None)
    effect = provision.get("type") or ("deny" if above.get("permits", True) else "permit")
    lists = {name: json.dumps(sorted(said.get(name, ()))) for name in ("actors", "purposes", "labels", "types")}
    yield {"depth": depth, "permits": effect == "permit", **lists, "since": since, "until": until}
    if depth < DEPTH:
        below = {**said, "since": since, "until": until, "permits": effect == "permit"}
        for one in provision.get("provision", ()):
            yield from _rows(one, depth + 1, below)


def _asked(provision: Mapping[str, Any]) -> dict[str, set[str]]:
    labels = {known for one in provision.get("securityLabel", ()) if (known := _BY_CODING.get((one.get("system", ""), one.get("code", ""))))}
    if provision.get("securityLabel") and not labels:
        labels = {"-"}  # a label this house does not know: the provision speaks of nothing it has
    return {
        "actors": {name for one in provision.get("actor", ()) for name in _names(one.get("reference") or {})},
        "purposes": {one.get("code", "") for one in provision.get("purpose", ())},
        "labels": labels,
        "types": {one.get("code", "") for one in provision.get("class", ())},
    }


def _names(reference: Mapping[str, Any]) -> Iterator[str]:
    """How the policy calls whom a provision names: by reference, a client program by its name, or one who signs in by their id."""
    identifier = reference.get("identifier") or {}
    if reference.get("reference"):
        yield reference["reference"]
    elif identifier.get("system") == CLIENT:
        yield f"client:{identifier.get('value', '')}"
    elif identifier.get("system") == USER:
        yield f"user:{identifier.get('value', '')}"
    else:
        yield "-"  # someone this house cannot tell: the provision speaks of nobody it knows


def _period(period: Mapping[str, str]) -> tuple[dt.datetime, dt.datetime | None]:
    since = _moment(period["start"]) if period.get("start") else EVER
    return since, _moment(period["end"], last=True) if period.get("end") else None


def _moment(text: str, *, last: bool = False) -> dt.datetime:
    """The instant a FHIR dateTime begins, or with `last` the one after it: a day counts as a whole."""
    if "T" in text:
        found = dt.datetime.fromisoformat(text)
        return found if found.tzinfo else found.replace(tzinfo=dt.UTC)
    year, month, day = (int(part) for part in f"{text}-01-01".split("-")[:3])
    begun = dt.datetime(year, month, day, tzinfo=dt.UTC)
    if not last:
        return begun
    if len(text) == 4:
        return begun.replace(year=year + 1)
    return begun + dt.timedelta(days=1) if len(text) == 10 else (begun + dt.timedelta(days=31)).replace(day=1)


def _has_code(concept: Any, code: str) -> bool:
    return any(coding.get("code") == code for coding in (concept or {}).get("coding", ()))
