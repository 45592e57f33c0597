"""Checks compiled from structures, one function per type, made when first needed.

A check takes a JSON value and gives None, or what it found. Good data costs one dictionary look-up and one call per element.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any

from openward.fhir.definitions import Element, Structure, is_primitive, structure
from openward.fhir.validation.bindings import code_test, concept_problem
from openward.fhir.validation.found import Found, under
from openward.fhir.validation.invariants import rules as invariants_of
from openward.fhir.validation.primitives import EMPTY, TESTS, Test, kind
from openward.fhir.validation.targets import CONTAINED, target_check

Check = Callable[[Any], list[Found] | None]
Handler = Callable[[Any, dict[str, Any]], list[Found] | None]
Rule = Callable[[dict[str, Any]], Iterable[Found]]

MANY = 200
"""Faults after which no more are looked for in the same place: who sends a million is told of some."""


class _Checks(dict[str, Check]):
    """Type → its check, compiled on first use; types refer to one another through this table, in circles if need be."""

    def __missing__(self, type: str) -> Check:
        check = _compile(structure(type))
        self[type] = check = _remembering(check) if type in REPEATED else check
        return check


CHECKS = _Checks()

REPEATED = frozenset({"Coding", "Reference", "Period"})
"""Small types whose values stand again and again: the codes of a practice, the patient and the visit of a bundle."""
REMEMBERED, LONGEST = 3000, 300  # values; letters of one text in them, so that what is remembered has a size


def _remembering(check: Check) -> Check:
    """The same check, which knows what it found sound a moment ago. Only texts are remembered: of them what is equal is the same."""
    sound: set[tuple[Any, ...]] = set()

    def remembering(data: Any) -> list[Found] | None:
        said = tuple(data.items()) if data.__class__ is dict else ()
        try:
            if said in sound:
                return None
        except TypeError:  # a list or an object is no text
            return check(data)
        found = check(data)
        if found is None and all(value.__class__ is str and len(value) <= LONGEST for _, value in said):
            if len(sound) >= REMEMBERED:
                sound.clear()
            sound.add(said)
        return found

    return remembering


def _compile(definition: Structure) -> Check:
    name = definition.name
    tests, handlers = _prepared(definition)
    stems = _stems(definition)
    rules = _rules(definition, stems)
    needed = frozenset(element.name for element in definition.elements.values() if element.min)
    choices, fewest = frozenset(stems), 0 if definition.kind == "resource" else 2
    invariants = invariants_of(name)

    def check(data: Any) -> list[Found] | None:
        if data.__class__ is not dict:
            return [("", "structure", f"must be an object, not {kind(data)}")]
        found: list[Found] = []
        for key, value in data.items():
            test = tests.get(key)
            if test is not None:
                problem = test(value)
                if problem is not None:
                    found.append((f".{stems.get(key) or key}", _code_of(problem), problem))
                continue
            handler = handlers.get(key)
            more = handler(value, data) if handler is not None else _unknown(key, tests, handlers, name)
            if more is not None:
                found += more
                if len(found) > MANY:
                    break
        keys = data.keys()
        # The rules are asked only where a look at the keys gives reason to; a required choice, whose stem is no key, always does.
        if not needed <= keys or len(keys) < fewest or (choices and len(keys & choices) > 1):
            for rule in rules:
                found += rule(data)
        if invariants and (not found or all(code == CONTAINED for _, code, _ in found)):
            found += [("", "invariant", sentence) for sentence, is_broken in invariants if is_broken(data)]
        return found or None

    return check


def _prepared(definition: Structure) -> tuple[dict[str, Test], dict[str, Handler]]:
    tests: dict[str, Test] = {}
    handlers: dict[str, Handler] = {}
    for element in definition.elements.values():
        _prepare(element, tests, handlers, has_twins=not _is_bare(definition, element))
    if definition.kind == "resource":
        tests["resourceType"] = lambda value: None
    return tests, handlers


def _is_bare(definition: Structure, element: Element) -> bool:
    """Whether it has neither id nor extensions: what XML writes as an attribute, and the narrative. https://hl7.org/fhir/R4/xml.html"""
    is_attribute = definition.kind != "resource" and (element.name == "id" or (definition.name, element.name) == ("Extension", "url"))
    return is_attribute or element.types == ("xhtml",)


def _stems(definition: Structure) -> dict[str, str]:
    """JSON key of a choice (and its `_` twin) → its stem."""
    keys = [(key, element.name) for element in definition.elements.values() if element.is_choice for key in element.keys]
    return {spelled: stem for key, stem in keys for spelled in (key, "_" + key)}


def _rules(definition: Structure, stems: dict[str, str]) -> list[Rule]:
    """What to ask of the object as a whole; only what its type gives reason to ask."""
    required = [element for element in definition.elements.values() if element.min]
    rules: list[Rule] = []
    if plain := tuple(element.name for element in required if not element.is_choice):
        rules.append(_needs(plain, definition.name))
    rules += [_needs_one_of(element, definition.name) for element in required if element.is_choice]
    if stems:
        rules.append(_only_one_of_each(stems))
    if definition.kind != "resource":
        rules.append(_something)
    return rules


def _needs(names: tuple[str, ...], type: str) -> Rule:
    def rule(data: dict[str, Any]) -> Iterable[Found]:
        for name in names:
            if name not in data and "_" + name not in data:
                return [("." + n, "required", f"{type} needs {n}") for n in names if n not in data and "_" + n not in data]
        return ()

    return rule


def _needs_one_of(element: Element, type: str) -> Rule:
    keys = tuple(key for name in element.keys for key in (name, "_" + name))
    sentence = f"{type} needs {element.name}[x]: {' or '.join(element.keys)}"

    def rule(data: dict[str, Any]) -> Iterable[Found]:
        return () if any(key in data for key in keys) else [("." + element.name, "required", sentence)]

    return rule


def _only_one_of_each(stems: dict[str, str]) -> Rule:
    def rule(data: dict[str, Any]) -> Iterable[Found]:
        present = {key.lstrip("_") for key in data if key in stems}
        if len(present) < 2:
            return ()
        by_stem = {stem: sorted(key for key in present if stems[key] == stem) for stem in sorted(map(stems.__getitem__, present))}
        return [("." + stem, "structure", f"{' and '.join(keys)} exclude one another") for stem, keys in by_stem.items() if len(keys) > 1]

    return rule


def _something(data: dict[str, Any]) -> Iterable[Found]:
    is_empty = not data or (len(data) == 1 and "id" in data)
    return [("", "invariant", EMPTY)] if is_empty else ()


def _code_of(problem: str) -> str:
    if problem.startswith("must be"):
        return "structure"
    return "code-invalid" if problem.startswith(("is not one of ", "is not in ")) else "value"


def _unknown(key: object, tests: dict[str, Test], handlers: dict[str, Handler], name: str) -> list[Found]:
    near = get_close_matches(str(key), [known for known in (*tests, *handlers) if known[0] != "_"], 1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return [("." + str(key)[:80], "structure", f"{str(key)[:80]} is not an element of {name}{hint}")]


def _prepare(element: Element, tests: dict[str, Test], handlers: dict[str, Handler], *, has_twins: bool) -> None:
    for key, stated in element.keys.items():
        where = "." + element.name
        type = "contained" if element.name == "contained" else stated
        if is_primitive(type):
            test = (code_test(element.binding) if element.binding and type in ("code", "string", "uri") else None) or TESTS[type]
            if has_twins:
                handlers["_" + key] = _twins(key, where, element.max) if element.is_many else _twin(key, where)
            if element.is_many:
                handlers[key] = _primitives(key, where, test)
            else:
                tests[key] = test
        else:
            check = _element_check(element, type)
            handlers[key] = _objects(where, type, check, element.max) if element.is_many else _object(where, type, check)


def _element_check(element: Element, type: str) -> Check | None:
    """What this element asks of its values besides their type's own structure."""
    if type == "Reference":
        return target_check(element.targets)
    problem = concept_problem(element.binding) if element.binding and type in ("Coding", "CodeableConcept", "Quantity") else None
    if problem is None:
        return None
    return lambda value: [("", "code-invalid", said)] if (said := problem(value, type)) is not None else None


def _object(where: str, type: str, also: Check | None) -> Handler:
    def handle(value: Any, parent: dict[str, Any]) -> list[Found] | None:
        found = CHECKS[type](value)
        if found is None and also is not None:
            found = also(value)
        return None if found is None else under(where, found)

    return handle


def _objects(where: str, type: str, also: Check | None, most: int | None) -> Handler:
    def handle(values: Any, parent: dict[str, Any]) -> list[Found] | None:
        if values.__class__ is not list or not values:
            return _not_a_list(where, values)
        all_found: list[Found] = [] if most is None or len(values) <= most else [(where, "structure", f"stands at most {most} times")]
        check = CHECKS[type]
        for index, value in enumerate(values):
            found = check(value)
            if found is None:
                if also is None:
                    continue
                found = also(value)
            if found is not None:
                all_found += under(f"{where}[{index}]", found)
                if len(all_found) > MANY:
                    break
        return all_found or None

    return handle


def _not_a_list(where: str, value: Any) -> list[Found]:
    if value == []:
        return [(where, "structure", "is an empty array; leave the element out instead")]
    return [(where, "structure", f"must be an array, not {kind(value)}")]


def _primitives(key: str, where: str, test: Test) -> Handler:
    twin = "_" + key

    def handle(values: Any, parent: dict[str, Any]) -> list[Found] | None:
        if values.__class__ is not list or not values:
            return _not_a_list(where, values)
        found: list[Found] = []
        for index, value in enumerate(values):
            if value is None and _nth(parent.get(twin), index):
                continue
            problem = test(value)
            if problem is not None:
                found.append((f"{where}[{index}]", _code_of(problem), problem))
                if len(found) > MANY:
                    break
        return found or None

    return handle


def _nth(values: Any, index: int) -> Any:
    return values[index] if isinstance(values, list) and index < len(values) else None


def _only_names(twin: Any, value: Any) -> bool:
    """Whether what stands beside a value is its id alone, which without a value would be nothing (ele-1)."""
    return value is not None and twin.__class__ is dict and len(twin) == 1 and twin.get("id").__class__ is str and TESTS["string"](twin["id"]) is None


def _twin(key: str, where: str) -> Handler:
    """`_birthDate` beside `birthDate`."""
    handle_element = _object(where, "Element", None)

    def handle(value: Any, parent: dict[str, Any]) -> list[Found] | None:
        return None if _only_names(value, parent.get(key)) else handle_element(value, parent)

    return handle


def _twins(key: str, where: str, most: int | None) -> Handler:
    """`_given` beside `given`: as long, null where there is nothing to say, never null where the value is null too."""

    def handle(values: Any, parent: dict[str, Any]) -> list[Found] | None:
        if values.__class__ is not list or not values:
            return _not_a_list(where, values)
        beside = parent.get(key)
        found: list[Found] = []
        if isinstance(beside, list) and len(beside) != len(values):
            found.append((where, "structure", f"_{key} must be as long as {key}"))
        for index, value in enumerate(values):
            if len(found) > MANY:
                break
            if value is not None:
                found += [] if _only_names(value, _nth(beside, index)) else under(f"{where}[{index}]", CHECKS["Element"](value) or [])
            elif beside is None:
                found.append((f"{where}[{index}]", "structure", "has neither a value nor an extension"))
        return found or None

    return handle
