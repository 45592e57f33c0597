"""Does this value belong to that slice? One test per discriminator. https://hl7.org/fhir/R4/profiling.html#discriminator"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from openward.fhir.definitions import Element, is_resource_type
from openward.fhir.profiles.facts import Discriminator, Node, Slicing
from openward.fhir.profiles.findings import is_error
from openward.fhir.profiles.matching import equals, fits, inside
from openward.fhir.profiles.navigation import Step, Unreadable, follow, steps
from openward.fhir.profiles.reduction import CORE
from openward.fhir.profiles.run import Run
from openward.fhir.profiles.targets import conforms, target_types
from openward.fhir.profiles.values import Value

if TYPE_CHECKING:
    from openward.fhir.profiles.slicing import Compiler

Belongs = Callable[[Value, Run], bool]
EXTENSIONS = ("extension", "modifierExtension")


class Undecidable(Exception):
    """Nothing in the profile says what tells this slice from the others."""


def membership(slice: Node, slicing: Slicing, element: Element, compiler: Compiler) -> Belongs:
    """Raises Undecidable."""
    try:
        tests = [_test(slice, discriminator, element, compiler) for discriminator in slicing.discriminators]
    except Unreadable as error:
        raise Undecidable from error
    if not tests:
        raise Undecidable
    if len(tests) == 1:
        return tests[0]
    return lambda value, run: all(test(value, run) for test in tests)


def _test(slice: Node, discriminator: Discriminator, element: Element, compiler: Compiler) -> Belongs:
    path = steps(discriminator.path)
    match discriminator.type:
        case "value" | "pattern":
            return _by_address(slice) if element.name in EXTENSIONS and discriminator.path == "url" else _by_value(slice, path, compiler)
        case "exists":
            return _by_existence(slice, path, compiler)
        case "type":
            return _by_type(slice, path, element, compiler)
        case "profile":
            return _by_profile(slice, path, compiler)
    raise Undecidable


def addresses(slice: Node) -> tuple[str, ...]:
    """The URLs of the extensions that a slice takes: of its profiles, or the one it fixes."""
    fixed = slice.child("url")
    if fixed is not None and (fixed.fixed or fixed.pattern):
        return (str(fixed.fixed or fixed.pattern),)
    return tuple(canonical.split("|")[0] for canonical in slice.profiles.get("Extension", ()))


def _by_address(slice: Node) -> Belongs:
    urls = addresses(slice)
    if not urls:
        raise Undecidable
    return lambda value, run: value.value.get("url") in urls


# -- value and pattern ------------------------------------------------------------------------------------------------


def _by_value(slice: Node, path: tuple[Step, ...], compiler: Compiler) -> Belongs:
    tests = list(_criteria(slice, path, compiler))
    if not tests:
        raise Undecidable

    def belongs(value: Value, run: Run) -> bool:
        found = follow([value], path, run) if path else [value]
        return any(test(one, run) for one in found for test in tests)

    return belongs


def _criteria(node: Node, path: tuple[Step, ...], compiler: Compiler) -> Iterator[Belongs]:
    """What the value at the end of `path` must be, as stated there, on the way there, or by the profiles met on the way."""
    wanted = node.fixed if node.fixed is not None else node.pattern
    if wanted is not None:
        exactly = equals if node.fixed is not None else fits
        if not path:
            yield _is(exactly(wanted))
            return
        if all(step.kind == "name" for step in path):
            for part in inside(wanted, tuple(step.text for step in path)):
                yield _is(exactly(part))
            return
    if path:
        for inner in _inner(node, path[0], compiler):
            yield from _criteria(inner, path[1:], compiler)
        return
    stated = False
    for profile in _profiles_of(node, compiler):
        for test in _criteria(profile, (), compiler):
            stated = True
            yield test
    if stated:
        return
    if node.binding is not None and node.binding.strength == "required" and node.binding.value_set:
        yield _in_set(node.binding.value_set, compiler)
    elif node.children or node.slices:
        yield _passes(node, compiler)


def _is(matches: Callable[[Any], bool]) -> Belongs:
    return lambda value, run: matches(value.value)


def _in_set(value_set: str, compiler: Compiler) -> Belongs:
    from openward.fhir.profiles.bindings import codes_of

    address, guide = value_set.split("|")[0], compiler.profile.guide
    return lambda value, run: any(run.member(address, system, code, guide) for system, code in codes_of(value.value, value.type))


def _passes(node: Node, compiler: Compiler) -> Belongs:
    check = compiler.check(node)
    return lambda value, run: not any(map(is_error, check(value, run) or ()))


def _inner(node: Node, step: Step, compiler: Compiler) -> Iterator[Node]:
    """The nodes that `step` leads to from `node`: its child with its slices, and the same in the profiles it is to conform to."""
    if step.kind == "resolve":
        for canonical in node.targets:
            profile = compiler.known.find(canonical, compiler.profile.guide)
            if profile is not None:
                yield profile.root
        return
    if step.kind == "type":
        yield from (part for part in (node, *node.slices) if not part.types or step.text in part.types)
        return
    for one in (node, *_profiles_of(node, compiler)):
        child = one.child("extension" if step.kind == "extension" else step.text)
        if child is None:
            continue
        if step.kind == "extension":
            yield from (part for part in child.slices if step.text in addresses(part))
        else:
            yield from (child, *child.slices)


def _profiles_of(node: Node, compiler: Compiler) -> Iterator[Node]:
    for canonicals in node.profiles.values():
        for canonical in canonicals:
            profile = compiler.known.find(canonical, compiler.profile.guide)
            if profile is not None:
                yield profile.root


# -- exists, type, profile --------------------------------------------------------------------------------------------


def _nodes_at(slice: Node, path: tuple[Step, ...], compiler: Compiler) -> list[Node]:
    nodes = [slice]
    for step in path:
        nodes = [inner for node in nodes for inner in _inner(node, step, compiler)]
    return nodes


def _by_existence(slice: Node, path: tuple[Step, ...], compiler: Compiler) -> Belongs:
    nodes = _nodes_at(slice, path, compiler)
    if not nodes:
        raise Undecidable
    is_absent = any(node.max == 0 for node in nodes)
    return lambda value, run: bool(follow([value], path, run)) is not is_absent


def _by_type(slice: Node, path: tuple[Step, ...], element: Element, compiler: Compiler) -> Belongs:
    if path and path[-1].kind == "resolve":
        return _by_target(slice, path, compiler)
    types = {type for node in _nodes_at(slice, path, compiler) for type in node.types or tuple(node.profiles)}
    if not types and not path and slice.slice:
        # `value[x]:valueQuantity` needs no further words.
        types = {type for key, type in element.keys.items() if key == slice.slice.rsplit("/", 1)[-1]}
    if not types:
        raise Undecidable
    return lambda value, run: any(found.type in types for found in follow([value], path, run))


def _by_target(slice: Node, path: tuple[Step, ...], compiler: Compiler) -> Belongs:
    from openward.fhir.profiles.targets import referred_type

    nodes = _nodes_at(slice, path[:-1], compiler)
    canonicals = tuple(canonical for node in nodes for canonical in node.targets)
    types = target_types(canonicals, compiler.known, compiler.profile.guide) if canonicals else None
    if not types:
        raise Undecidable
    return lambda value, run: any(referred_type(found.value, run) in types for found in follow([value], path[:-1], run))


def _by_profile(slice: Node, path: tuple[Step, ...], compiler: Compiler) -> Belongs:
    resolves = bool(path) and path[-1].kind == "resolve"
    nodes = _nodes_at(slice, path[:-1] if resolves else path, compiler)
    stated = [canonical for node in nodes for canonical in (node.targets if resolves else _profiles_or_types(node))]
    tests = [test for test in (_kept(canonical, compiler) for canonical in stated) if test is not None]
    if not tests:
        raise Undecidable

    def belongs(value: Value, run: Run) -> bool:
        found = [one.value for one in follow([value], path, run) if isinstance(one.value, dict)]
        return any(test(one, run) for one in found for test in tests)

    return belongs


def _profiles_or_types(node: Node) -> list[str]:
    """What it must keep; the definition of a type that is named without a profile."""
    return [canonical for group in node.profiles.values() for canonical in group] + [
        CORE + type for type in node.types or () if type not in node.profiles
    ]


def _kept(canonical: str, compiler: Compiler) -> Callable[[dict[str, Any], Run], bool] | None:
    """Whether something keeps a profile; a type's own definition is kept by everything of the type. None: the profile is not known here."""
    profile = compiler.known.find(canonical, compiler.profile.guide)
    if profile is not None:
        return lambda value, run: conforms(value, profile, run)
    plain = canonical.split("|")[0].removeprefix(CORE)
    return (lambda value, run: value.get("resourceType") == plain) if is_resource_type(plain) else None
