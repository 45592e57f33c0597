"""Bindings to value sets. https://hl7.org/fhir/R4/terminologies.html#strength

A code is refused when the set is known not to hold it; where that cannot be told, it is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from openward.fhir.profiles.facts import Binding
from openward.fhir.profiles.findings import ERROR, WARNING, Finding, Findings
from openward.fhir.profiles.run import Run

Rule = Callable[[Any, str, Run], Findings | None]
TEXTUAL = frozenset({"code", "string", "uri", "url", "canonical", "oid", "uuid", "id", "markdown"})


def binding_rule(binding: Binding, guide: str) -> Rule:
    rules = []
    if binding.value_set and binding.strength:
        is_required = binding.strength == "required"
        rules.append(_rule(binding.value_set, guide, ERROR if is_required else WARNING, must_be_coded=is_required))
    if binding.most:
        rules.append(_rule(binding.most, guide, ERROR, must_be_coded=False))
    if len(rules) == 1:
        return rules[0]

    def both(value: Any, type: str, run: Run) -> Findings | None:
        return [found for rule in rules for found in rule(value, type, run) or ()] or None

    return both


def _rule(value_set: str, guide: str, severity: str, *, must_be_coded: bool) -> Rule:
    address = value_set.split("|")[0]
    lacking = f"has no code from {address}"

    def rule(value: Any, type: str, run: Run) -> Findings | None:
        if run.errors_only and severity == WARNING:
            return None
        seen = False
        for system, code in codes_of(value, type):
            seen = True
            if run.member(address, system, code, guide) is not False:
                return None
        if seen or (must_be_coded and type == "CodeableConcept" and isinstance(value, dict)):
            return [Finding("", "code-invalid", lacking if seen else f"needs a code from {address}", severity)]
        return None

    return rule


def codes_of(value: Any, type: str) -> Iterator[tuple[str | None, str]]:
    """The (system, code) pairs in a coded value; a plain code has no system, a code without its own system the system ""."""
    if isinstance(value, str):
        if type in TEXTUAL:
            yield None, value
    elif isinstance(value, dict):
        codings = value.get("coding", ()) if type == "CodeableConcept" else (value,)
        for coding in codings if isinstance(codings, list | tuple) else ():
            if isinstance(coding, dict) and isinstance(coding.get("code"), str):
                yield str(coding.get("system", "")), coding["code"]
