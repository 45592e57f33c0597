"""Is a value sound? Told at a glance, by Python source generated once per type; what is wrong, and where, is for `compiled` to say.

A function takes a JSON value and what its resource contains, and gives True only for what `compiled` would find nothing wrong with. False means no
more than: look closely. So everything unusual (an extension beside a primitive, a local reference to nothing) may simply be False.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from openward.fhir.definitions import Element, codes, is_primitive, structure
from openward.fhir.validation.bindings import code_test, concept_problem
from openward.fhir.validation.invariants import guarded_rules
from openward.fhir.validation.primitives import MAX_STRING, TESTS, string
from openward.fhir.validation.primitives import code as code_of
from openward.fhir.validation.primitives import uri as uri_of
from openward.fhir.validation.targets import TYPES, pointed_at, target_check

Held = dict[str | None, Any]
"""The ids a resource contains and the type of each; under None the ids that references have named so far."""
Glance = Callable[[Any, Held], bool]

WIDE = 12  # types of a choice beyond which the keys that are there are looked at, instead of every key that could be
REMEMBERED, LONGEST = 3000, 300

PLAIN = f"({{v}}.__class__ is not str or not 0 < len({{v}}) <= {MAX_STRING} or not {{v}}.isprintable())"
DENSE = f"({{v}}.__class__ is not str or not 0 < len({{v}}) <= {MAX_STRING} or ' ' in {{v}} or not {{v}}.isprintable())"
INLINE = {
    "boolean": "{v} is not True and {v} is not False",
    "decimal": "{v}.__class__ is not int and t_decimal({v}) is not None",
    "string": f"{PLAIN} and t_string({{v}}) is not None",
    "markdown": f"{PLAIN} and t_string({{v}}) is not None",
    "code": f"{DENSE} and t_code({{v}}) is not None",
    **dict.fromkeys(("uri", "url", "canonical"), f"{DENSE} and t_uri({{v}}) is not None"),
}
"""What is amiss with a primitive, for the types that stand most; the exact test is asked where the quick one hesitates."""


class _Glances(dict[str, Glance]):
    """Type → its function, generated on first use."""

    def __missing__(self, type: str) -> Glance:
        made = _Source(type).function()
        self[type] = made = _remembering(made, ("system", "code", "display")) if type == "Coding" else made
        return made


GLANCES = _Glances()


def held_by(contained: Any) -> Held:
    """What a resource with this `contained` holds; of two of one id the first counts."""
    ones = [one for one in contained if one.__class__ is dict] if contained.__class__ is list else []
    return {None: set(), **{one["id"]: one.get("resourceType") for one in reversed(ones) if one.get("id").__class__ is str}}


def by_type(data: Any, held: Held) -> bool:
    """Whether nothing is wrong with a resource but what only its container tells."""
    if data.__class__ is not dict:
        return False
    type = data.get("resourceType")
    return type.__class__ is str and type in TYPES and GLANCES[type](data, held)


GLANCES["contained"] = by_type


def _remembering(glance: Glance, names: tuple[str, ...]) -> Glance:
    """The same for what consists of just these texts, of which those found sound a moment ago are remembered: the codes of a practice."""
    first, second, third = names
    sound: set[tuple[Any, Any, Any]] = set()

    def remembering(data: Any, held: Held) -> bool:
        if data.__class__ is not dict or len(data) != len(names):
            return glance(data, held)
        said = data.get(first), data.get(second), data.get(third)
        try:
            if said in sound:
                return True
        except TypeError:  # a list or an object is no text
            return False
        if not glance(data, held):
            return False
        if all(one is not None and len(one) <= LONGEST for one in said):
            if len(sound) >= REMEMBERED:
                sound.clear()
            sound.add(said)
        return True

    return remembering


class _Source:
    """The function of one type being written."""

    def __init__(self, type: str) -> None:
        self.type = type
        self.definition = structure(type)
        self.is_resource = self.definition.kind == "resource"
        self.scope: dict[str, Any] = {"S": GLANCES, "t_string": string, "t_code": code_of, "t_uri": uri_of, "t_decimal": TESTS["decimal"]}
        self.names: dict[str, str] = {}  # JSON key → the variable that holds its value
        self.lines: list[str] = ["def glance(d, held):", " if d.__class__ is not dict: return False", " get = d.get"]

    def function(self) -> Glance:
        self.write()
        exec(compile("\n".join(self.lines), f"<soundness of {self.type}>", "exec"), self.scope)  # noqa: S102 - source made here from the definitions
        made: Glance = self.scope["glance"]
        return made

    def write(self) -> None:
        """`n` counts the keys that are known; at the end it must be all of them."""
        self.lines.append(f" n = {int(self.is_resource)}")
        elements = self.definition.elements.values()
        for element in elements:
            if not element.is_choice:
                self.write_element(element)
            elif len(element.keys) <= WIDE:
                self.write_choice(element)
        self.write_wide([element for element in elements if element.is_choice and len(element.keys) > WIDE])
        self.lines.append(" if n != len(d): return False")
        if not self.is_resource:
            self.lines.append(f" if n < 2 and (n == 0 or {self.names.get('id', 'None')} is not None): return False")
        self.write_rules()
        self.lines.append(" return True")

    def bound(self, value: object, stem: str) -> str:
        """A name for something the source refers to."""
        name = f"{stem}{len(self.scope)}"
        self.scope[name] = value
        return name

    def write_element(self, element: Element) -> None:
        ((key, type),) = element.keys.items()
        name = self.names[key] = f"v{len(self.names)}"
        absent = "return False" if element.min else "pass"
        self.lines += [f" {name} = get({key!r})", f" if {name} is None: {absent}", " else:", "  n += 1"]
        self.lines += [f"  {line}" for line in self.value(element, type, name)]

    def write_choice(self, element: Element) -> None:
        self.lines.append(" m = n")
        for key, type in element.keys.items():
            name = self.names[key] = f"v{len(self.names)}"
            self.lines += [f" {name} = get({key!r})", f" if {name} is not None:", "  n += 1"]
            self.lines += [f"  {line}" for line in self.value(element, type, name)]
        self.lines.append(" if n != m + 1: return False" if element.min else " if n > m + 1: return False")

    def write_wide(self, elements: list[Element]) -> None:
        """Choices of many types: each value that is there by a function of its own."""
        for element in elements:
            table = self.bound(_by_key(element), "w")
            self.lines += [" m = n", " if n != len(d):", "  for k, v in d.items():", f"   f = {table}.get(k)", "   if f is not None:"]
            self.lines += ["    n += 1", "    if not f(v, held): return False"]
            self.lines.append(" if n != m + 1: return False" if element.min else " if n > m + 1: return False")

    def value(self, element: Element, type: str, name: str) -> Iterator[str]:
        """The lines that look at one value, or at each of a list."""
        if not element.is_many:
            yield from self.one(element, type, name)
            return
        most = f" or len({name}) > {element.max}" if element.max else ""
        yield f"if {name}.__class__ is not list or not {name}{most}: return False"
        yield f"for x in {name}:"
        yield from (f" {line}" for line in self.one(element, type, "x"))

    def one(self, element: Element, type: str, name: str) -> Iterator[str]:
        if is_primitive(type):
            yield f"if {self.amiss(element, type).format(v=name)}: return False"
            return
        kind = "contained" if element.name == "contained" else type
        if type == "Reference":
            seen: set[str | None] = set()
            points, known = self.bound(_pointing(element.targets, seen), "points"), self.bound(seen, "seen")
            yield f"if {name}.__class__ is not dict: return False"
            yield f"if len({name}) > 1 or {name}.get('reference').__class__ is not str or {name}['reference'] not in {known}:"
            yield f" if not S['Reference']({name}, held): return False"
            yield f" if {name}.get('reference') not in {known} and not {points}({name}, held): return False"
            return
        yield f"if not S[{kind!r}]({name}, held): return False"
        if element.binding and (problem := concept_problem(element.binding)) and type in ("Coding", "CodeableConcept", "Quantity"):
            yield f"if {self.bound(problem, 'problem')}({name}, {type!r}) is not None: return False"

    def amiss(self, element: Element, type: str) -> str:
        """A condition that is true of what may be wrong with a primitive."""
        if element.binding and type in ("code", "string", "uri") and (test := code_test(element.binding)):
            allowed = codes(element.binding)
            if allowed is None:
                return f"{self.bound(test, 't')}({{v}}) is not None"
            return f"{{v}}.__class__ is not str or {{v}} not in {self.bound(allowed, 'codes')}"
        return INLINE.get(type) or f"{self.bound(TESTS[type], 't')}({{v}}) is not None"

    def write_rules(self) -> None:
        """The invariants, each only where the elements are there without which it holds."""
        for groups, is_broken in guarded_rules(self.type):
            plain = [[key for key in keys if key[0] != "_"] for keys in groups]
            known = [keys for keys in plain if all(key in self.names for key in keys)]
            asked = [f"({' or '.join(f'{self.names[key]} is not None' for key in keys)})" for keys in known]
            asked.append(f"{self.bound(is_broken, 'broken')}(d)")
            self.lines.append(f" if {' and '.join(asked)}: return False")


def _by_key(element: Element) -> dict[str, Glance]:
    return {key: _alone(element, type) for key, type in element.keys.items()}


def _alone(element: Element, type: str) -> Glance:
    """The look at a value of one type of a wide choice."""
    if is_primitive(type):
        test = TESTS[type]
        return lambda value, held: test(value) is None
    if type == "Reference":
        points = _pointing(element.targets, set())
        return lambda value, held: GLANCES["Reference"](value, held) and points(value, held)
    return lambda value, held: GLANCES[type](value, held)


def _pointing(targets: tuple[str, ...], seen: set[str | None]) -> Glance:
    """Whether a sound Reference points at what it may. `seen`: literals that do, whatever else the reference says."""
    allowed, check = frozenset(targets) or TYPES, target_check(targets)

    def points(reference: dict[str, Any], held: Held) -> bool:
        literal = reference.get("reference")
        if literal is not None and literal[0] == "#":
            if held.get(literal[1:]) not in allowed:
                return False
            held[None].add(literal[1:])
            return True
        if check(reference) is not None:
            return False
        if literal is not None and len(literal) <= LONGEST and pointed_at(literal):  # of any other its `type` may say more
            if len(seen) >= REMEMBERED:
                seen.clear()
            seen.add(literal)
        return True

    return points
