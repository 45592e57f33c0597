"""What FHIR adds to FHIRPath. https://hl7.org/fhir/R4/fhirpath.html#functions"""

from __future__ import annotations

from typing import Any

from openward.fhir.fhirpath.context import LETTERS_A_STEP, Context
from openward.fhir.fhirpath.errors import FhirPathError
from openward.fhir.fhirpath.functions.registry import function, one
from openward.fhir.fhirpath.model import Items, Node, fhir_type, is_fhir_type, type_of
from openward.fhir.fhirpath.values import system, text

STRUCTURE = "http://hl7.org/fhir/StructureDefinition/"


@function("extension", 1)
def extension(items: Items, context: Context, url: Items) -> Items:
    wanted = text(url, "extension()")
    found: Items = []
    for item in items:
        walk = item[1].walks["extension"] if item.__class__ is tuple else None
        if walk is not None:
            walk(item, found)
    context.spend(len(found))
    return [one for one in found if one[0].__class__ is dict and one[0].get("url") == wanted]


@function("hasExtension", 1)
def has_extension(items: Items, context: Context, url: Items) -> Items:
    return [bool(extension(items, context, url))]


def _has_value(item: Any) -> bool:
    return item.__class__ is not tuple or (item[0] is not None and item[0].__class__ not in (dict, list))


@function("hasValue")
def has_value(items: Items, context: Context) -> Items:
    """One primitive that has a value, not extensions alone."""
    return [len(items) == 1 and _has_value(items[0])]


@function("getValue")
def get_value(items: Items, context: Context) -> Items:
    return one(system(items[0])) if len(items) == 1 and _has_value(items[0]) else []


@function("resolve")
def resolve(items: Items, context: Context) -> Items:
    """What the references stand for: contained, in the same Bundle, or as the caller finds it; those that resolve to nothing are left out."""
    context.spend(len(items))
    found: Items = []
    for item in items:
        reference = _literal(item)
        target = _resolved(reference, item, context) if reference else None
        if target is not None:
            found.append(target)
    return found


def _literal(item: Any) -> str | None:
    value = item[0] if item.__class__ is tuple else item
    literal = value.get("reference") if value.__class__ is dict else value
    return literal if literal.__class__ is str else None


def _resolved(reference: str, item: Any, context: Context) -> Node | None:
    holder = _outermost(item) or (context.root[0] if context.root else None)
    if reference.startswith("#"):
        return _contained(reference[1:], holder) or _contained(reference[1:], context.root[0] if context.root else None)
    found = _in_bundle(reference, context)
    if found is not None:
        return found
    value = context.resolve(reference) if context.resolve else None
    return (value, type_of(value), None, None, None, None) if value is not None else None


def _outermost(item: Any) -> Node | None:
    """The resource a node stands in, that is not itself contained."""
    found: Node | None = None
    while item.__class__ is tuple:
        if item[0].__class__ is dict and "Resource" in item[1].ancestors:
            found = item
            if item[4] != "contained":
                break
        item = item[3]
    return found


def _contained(id: str, holder: Node | None) -> Node | None:
    if holder is None or holder[0].__class__ is not dict:
        return None
    if not id:
        return holder
    for index, inner in enumerate(holder[0].get("contained") or ()):
        if inner.__class__ is dict and inner.get("id") == id:
            return (inner, type_of(inner), None, holder, "contained", index)
    return None


def _in_bundle(reference: str, context: Context) -> Node | None:
    root: Node | None = context.root[0] if context.root else None
    if root is None or root[0].__class__ is not dict or root[1].name != "Bundle":
        return None
    tail = "/" + reference
    context.spend(len(root[0].get("entry") or ()))
    for index, entry in enumerate(root[0].get("entry") or ()):
        url = entry.get("fullUrl", "") if entry.__class__ is dict else ""
        if url == reference or url.endswith(tail):
            value = entry.get("resource")
            return (value, type_of(value), None, (entry, fhir_type("Bundle.entry"), None, root, "entry", index), "resource", None)
    return None


@function("memberOf", 1)
def member_of(items: Items, context: Context, value_set: Items) -> Items:
    """Is a code, Coding or CodeableConcept in the value set? Empty where no terminology can tell."""
    url = text(value_set, "memberOf()")
    if not items or url is None or context.terminology is None:
        return []
    if len(items) > 1:
        raise FhirPathError(f"memberOf() takes one item, not {len(items)}.")
    answers = [context.terminology.member(url, where, code) for where, code in _codings(items[0])]
    context.spend(len(answers))
    if True in answers:
        return [True]
    return [] if None in answers else [False]


def _codings(item: Any) -> list[tuple[str | None, str]]:
    value = item[0] if item.__class__ is tuple else item
    if value.__class__ is str:
        return [(None, value)]
    listed = value.get("coding", [value]) if value.__class__ is dict else []
    return [(one.get("system"), one["code"]) for one in listed if one.__class__ is dict and one.get("code").__class__ is str]


def _subsumption(items: Items, context: Context, other: Items, wanted: tuple[str, ...]) -> Items:
    ask = getattr(context.terminology, "subsumes", None)
    if len(items) != 1 or len(other) != 1 or ask is None:
        return []
    pairs = [(a, b) for a in _codings(items[0]) for b in _codings(other[0]) if a[0] and a[0] == b[0]]
    context.spend(len(pairs))
    return [any(ask(a[0], a[1], b[1]) in wanted for a, b in pairs)]


@function("subsumes", 1)
def subsumes(items: Items, context: Context, other: Items) -> Items:
    return _subsumption(items, context, other, ("equivalent", "subsumes"))


@function("subsumedBy", 1)
def subsumed_by(items: Items, context: Context, other: Items) -> Items:
    return _subsumption(items, context, other, ("equivalent", "subsumed-by"))


@function("conformsTo", 1)
def conforms_to(items: Items, context: Context, profile: Items) -> Items:
    """A type's own definition by the type; any other profile by the function `conforms(item, url) -> bool` among the environment."""
    url = text(profile, "conformsTo()")
    if len(items) != 1 or url is None:
        return []
    item, ask = items[0], context.environment.get("conforms")
    name = url.split("|")[0].removeprefix(STRUCTURE)
    if url.startswith(STRUCTURE) and is_fhir_type(name):
        return [item.__class__ is tuple and name in item[1].ancestors]
    if ask is None:
        raise FhirPathError(f"There is no profile {url[:200]} here.")
    return [bool(ask(item[0] if item.__class__ is tuple else item, url))]


@function("htmlChecks")
def html_checks(items: Items, context: Context) -> Items:
    """Is it XHTML that a narrative may carry? https://hl7.org/fhir/R4/narrative.html#rules"""
    from openward.fhir.validation.narrative import narrative_problem  # validation itself runs on FHIRPath

    values = [system(item) for item in items]
    context.spend(sum(len(value) for value in values if value.__class__ is str) // LETTERS_A_STEP)
    return [all(value.__class__ is str and narrative_problem(value) is None for value in values)]


@function("checkModifiers", 0, 99)
def check_modifiers(items: Items, context: Context, *known: Items) -> Items:
    """The items themselves. Raises FhirPathError when one has a modifier extension that is not among the urls given."""
    allowed = {text(url, "checkModifiers()") for url in known}
    for item in items:
        value = item[0] if item.__class__ is tuple else None
        for modifier in (value.get("modifierExtension") or ()) if value.__class__ is dict else ():
            if modifier.get("url") not in allowed:
                raise FhirPathError("There is a modifier extension that the expression does not allow for.")
    return items


@function("elementDefinition")
def element_definition(items: Items, context: Context) -> Items:
    """By the function `definition(type, key) -> ElementDefinition` among the environment."""
    ask = context.environment.get("definition")
    if ask is None:
        raise FhirPathError("There are no element definitions here.")
    found = [ask(item[3][1].name if item[3] else item[1].name, item[4]) for item in items if item.__class__ is tuple]
    return [(one, type_of(one, "ElementDefinition"), None, None, None, None) for one in found if one is not None]


@function("slice", 2)
def slice_(items: Items, context: Context, structure: Items, name: Items) -> Items:
    """The items in a profile's slice, by the function `slices(item, url, name) -> bool` among the environment."""
    url, wanted, ask = text(structure, "slice()"), text(name, "slice()"), context.environment.get("slices")
    if ask is None:
        raise FhirPathError("There are no profiles here that slice.")
    return [item for item in items if item.__class__ is tuple and ask(item[0], url, wanted)]
