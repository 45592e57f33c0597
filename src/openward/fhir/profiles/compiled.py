"""A profile compiled into closures, once, when first needed. https://hl7.org/fhir/R4/profiling.html

A check takes a value and gives None, or what it found. Shapes are the business of the base validation: what has the wrong one is passed over here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from openward.fhir.definitions import Element, has_structure, structure
from openward.fhir.profiles.bindings import binding_rule
from openward.fhir.profiles.constraints import constraint_rule
from openward.fhir.profiles.facts import Node, Profile
from openward.fhir.profiles.findings import Finding, Findings, by_profile, place, under
from openward.fhir.profiles.limits import limit_rules
from openward.fhir.profiles.matching import equals, fits
from openward.fhir.profiles.run import MAX_DEPTH, Definitions, Run
from openward.fhir.profiles.slicing import Slices
from openward.fhir.profiles.targets import target_rule
from openward.fhir.profiles.values import Value, collector

Check = Callable[[Value, Run], Findings | None]
Group = Callable[[dict[str, Any], Run], Findings | None]


def compile_profile(profile: Profile, known: Definitions) -> Callable[[Any, str, Run], Findings]:
    """A function from a value, its type and the run to everything this profile finds wrong."""
    check = Compiler(profile, known).check(profile.root)

    def validate(value: Any, type: str, run: Run) -> Findings:
        if profile.type not in (type, "Element", "Resource", "DomainResource"):
            return [Finding("", "structure", f"is a {type}; the profile is one of {profile.type}", profile=profile.canonical)]
        return by_profile(profile.canonical, check(Value(None, value, None, type), run) or ())

    return validate


class Compiler:
    """Compiles the nodes of one profile; a node is compiled for each type it meets, when it first meets it."""

    def __init__(self, profile: Profile, known: Definitions) -> None:
        self.profile = profile
        self.known = known
        self.referred: dict[str, Check] = {}

    def check(self, node: Node) -> Check:
        parts = self._parts(node)
        if len(parts) == 1:
            return parts[0]

        def every(value: Value, run: Run) -> Findings | None:
            found: Findings = []
            for part in parts:
                more = part(value, run)
                if more is not None:
                    found += more
            return found or None

        return every

    def _parts(self, node: Node) -> list[Check]:
        parts: list[Check] = []
        if node.types:
            parts.append(_types_rule(node.types))
        if node.fixed is not None:
            parts.append(_value_rule(equals(node.fixed), f"must be exactly {_told(node.fixed)}"))
        if node.pattern is not None:
            parts.append(_value_rule(fits(node.pattern), f"must have {_told(node.pattern)}"))
        parts += [_of_value(binding_rule(node.binding, self.profile.guide))] if node.binding else []
        parts += [_plain(rule) for rule in limit_rules(node)]
        parts += self._references(node)
        parts += [self._conforming(type, canonicals) for type, canonicals in node.profiles.items() if type != "Extension"]
        if node.children:
            parts.append(self._children(node))
        if node.content:
            parts.append(self._content(node.content))
        parts += [_of_whole(constraint_rule(constraint)) for constraint in node.constraints]
        return parts

    def _references(self, node: Node) -> list[Check]:
        rule = target_rule(node.targets, self.known, self.profile.guide) if node.targets else None
        if rule is None:
            return []
        return [lambda value, run: rule(value.value, run) if value.type == "Reference" else None]

    def _conforming(self, type: str, canonicals: tuple[str, ...]) -> Check:
        """The value conforms to one of these profiles of its type. Those that are not known here cannot be asked."""

        def check(value: Value, run: Run) -> Findings | None:
            if value.type != type or run.depth >= MAX_DEPTH:
                return None
            candidates = [self.known.find(canonical, self.profile.guide) for canonical in canonicals]
            inner = run.within(value.value) if "resourceType" in value.data else run
            best: Findings | None = None
            for profile in candidates:
                found = self.known.check(profile)(value.value, type, inner) if profile is not None else []
                if not any(one.severity == "error" for one in found):
                    return found or None
                best = found if best is None or len(found) < len(best) else best
            return best

        return check

    def _content(self, path: str) -> Check:
        def check(value: Value, run: Run) -> Findings | None:
            if path not in self.referred:
                self.referred[path] = self.check(_rules_at(self.profile.root, path))
            return self.referred[path](value, run)

        return check

    def _children(self, node: Node) -> Check:
        by_type: dict[str, list[Group]] = {}

        def check(value: Value, run: Run) -> Findings | None:
            groups = by_type.get(value.type)
            if groups is None:
                groups = by_type[value.type] = list(self._groups(node, value.type))
            found: Findings | None = None
            data = value.data
            for group in groups:
                more = group(data, run)
                if more is not None:
                    found = more if found is None else found + more
            return found

        return check

    def _groups(self, node: Node, type: str) -> list[Group]:
        elements = structure(type if has_structure(type) else "Element").elements
        return [self._group(child, elements[child.name], type) for child in node.children if child.name in elements]

    def _group(self, node: Node, element: Element, parent: str) -> Group:
        collect, check, slices = collector(element), self.check(node), Slices.of(node, self, element)
        least, most, name = node.min, node.max, node.name
        may_lack = least == 0 and not any(part.min for part in node.slices)
        lacking = f"{parent} needs {name}" if least == 1 else f"{parent} needs at least {least} {name}"
        surplus = "is not allowed by the profile" if most == 0 else f"stands at most {most} times"

        def group(data: dict[str, Any], run: Run) -> Findings | None:
            values = collect(data)
            if not values and may_lack:
                return None
            found: Findings = []
            if len(values) < least:
                found.append(Finding(f".{name}", "required", lacking))
            if most is not None and len(values) > most:
                found.append(Finding(f".{name}", "structure", surplus))
            for value in values:
                more = check(value, run)
                if more is not None:
                    found += under(place(name, value.nth), more)
            if slices is not None:
                found += slices(values, run)
            return found or None

        return group


def _rules_at(root: Node, path: str) -> Node:
    """What holds for every value of the element at `path`, without how often it may stand."""
    node: Node | None = root
    for name in path.split(".")[1:]:
        node = node.child(name.removesuffix("[x]")) if node else None
    return node or Node(root.name)


def _types_rule(types: tuple[str, ...]) -> Check:
    allowed = frozenset(types)
    sentence = f"must be {' or '.join(types)}"

    def rule(value: Value, run: Run) -> Findings | None:
        return None if value.type in allowed else [Finding("", "structure", f"{sentence}, not {value.type}")]

    return rule


def _value_rule(matches: Callable[[Any], bool], sentence: str) -> Check:
    def rule(value: Value, run: Run) -> Findings | None:
        return None if value.value is not None and matches(value.value) else [Finding("", "value", sentence)]

    return rule


def _told(wanted: Any) -> str:
    """A value that a profile states, in a few words."""
    if isinstance(wanted, dict):
        coding = wanted.get("coding")
        if isinstance(coding, list):
            return " and ".join(map(_told, coding))
        if "code" in wanted:
            return f"{wanted.get('system', '')}|{wanted['code']}"
    return str(wanted)[:200]


def _of_value(rule: Callable[[Any, str, Run], Findings | None]) -> Check:
    return lambda value, run: rule(value.value, value.type, run)


def _plain(rule: Callable[[Any], Findings | None]) -> Check:
    return lambda value, run: rule(value.value)


def _of_whole(rule: Callable[[Any, str, Run], Findings | None]) -> Check:
    """A constraint on a primitive that has only extensions is asked of those."""
    return lambda value, run: rule(value.twin if value.value is None else value.value, value.type, run)
