"""SMART on FHIR v2 scopes, parsed once into a closed set.

https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
Only `system/` scopes are issued so far; `user/` and `patient/` are refused rather than guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from openward.fhir.definitions import RESOURCE_TYPES

SCOPE = re.compile(r"system/(\*|[A-Z][A-Za-z]+)\.(c?r?u?d?s?)")
ORDER = "cruds"


class InvalidScope(ValueError):
    """Not a scope this server issues: {scope}. Write system/<Type or *>.<letters of cruds, in that order>."""

    def __init__(self, scope: str) -> None:
        super().__init__((type(self).__doc__ or "").format(scope=scope))


@dataclass(frozen=True)
class Scopes:
    """What a client's token allows, by resource type; `*` stands for every type."""

    grants: Mapping[str, frozenset[str]]
    text: str

    @classmethod
    def parse(cls, text: str) -> Scopes:
        grants: dict[str, frozenset[str]] = {}
        for scope in text.split():
            match = SCOPE.fullmatch(scope)
            if not match or not match[2] or (match[1] != "*" and match[1] not in RESOURCE_TYPES):
                raise InvalidScope(scope)
            grants[match[1]] = grants.get(match[1], frozenset()) | frozenset(match[2])
        if not grants:
            raise InvalidScope(text or "(empty)")
        return cls(grants, " ".join(text.split()))

    def allow(self, letter: str, type: str) -> bool:
        return letter in self.grants.get(type, frozenset()) or letter in self.grants.get("*", frozenset())
