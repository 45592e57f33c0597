"""Invariants as plain questions to a dictionary, as far as they only ask what is there.

Most of R4's rules ask whether elements stand or fall together (`x.exists() or y.exists()`, `a.empty() or b`), and most resources lack the
element a rule is about. So the boolean skeleton of a rule becomes closures over the keys of an object, only what is left in it is run as
FHIRPath, and a rule that holds wherever some element is missing is asked only where it is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any

from openward.fhir.definitions import Element, is_primitive, structure
from openward.fhir.fhirpath.compiler import closure
from openward.fhir.fhirpath.context import BUDGET, Context
from openward.fhir.fhirpath.model import fhir_type
from openward.fhir.fhirpath.syntax import Call, Expression, Literal, Member, Operation, Path, Special
from openward.fhir.fhirpath.values import truth

Data = dict[str, Any]
Ask = Callable[[Data], bool | None]

LOGIC = frozenset({"and", "or", "xor", "implies"})
STAYS_EMPTY = frozenset(
    [
        "where",
        "select",
        "first",
        "last",
        "tail",
        "skip",
        "take",
        "repeat",
        "trace",
        "extension",
        "resolve",
        "ofType",
        "as",
        "distinct",
        "substring",
        "lower",
        "upper",
        "trim",
        "toInteger",
        "toString",
        "toDecimal",
        "length",
        "indexOf",
        "startsWith",
        "endsWith",
        "contains",
        "matches",
        "replaceMatches",
        "children",
        "descendants",
        "not",
    ]
)


class Known(Enum):
    """What a part of a rule says once some elements are known to be missing."""

    TRUE = True
    FALSE = False
    EMPTY = None
    OPEN = "open"


def ask(tree: Expression, type: str) -> Ask:
    """Is the rule true of an object of the type? None where it is neither."""
    made = _skeleton(tree, type)
    return made if made is not None else _fhirpath(tree, type)


def needed(tree: Expression, type: str) -> tuple[Callable[[Data], bool], ...]:
    """Elements without any one of which the rule holds whatever else there is, as questions whether each is there."""
    return tuple(map(_any_of, needed_keys(tree, type)))


def needed_keys(tree: Expression, type: str) -> tuple[tuple[str, ...], ...]:
    """The same as JSON keys: of each element those it may stand under."""
    names = sorted({name for name in _heads(tree) if name in structure(type).elements})
    return tuple(_keys(structure(type).elements[name]) for name in names if known(tree, frozenset({name})) is Known.TRUE)


def _is_there(element: Element) -> Callable[[Data], bool]:
    return _any_of(_keys(element))


def _keys(element: Element) -> tuple[str, ...]:
    return tuple(spelled for key, type in element.keys.items() for spelled in ((key, "_" + key) if is_primitive(type) else (key,)))


def _any_of(keys: tuple[str, ...]) -> Callable[[Data], bool]:
    if len(keys) == 1:
        only = keys[0]
        return lambda data: only in data
    if len(keys) == 2:
        key, twin = keys
        return lambda data: key in data or twin in data
    all_keys = frozenset(keys)
    return lambda data: not all_keys.isdisjoint(data)


def _skeleton(tree: Expression, type: str) -> Ask | None:
    """None where the part is not one of the shapes that need no FHIRPath."""
    if isinstance(tree, Operation):
        if all(operator in LOGIC for operator, _ in tree.rest):
            return _logic(tree, type)
        return _comparison(tree, type) if len(tree.rest) == 1 else None
    if isinstance(tree, Path) and isinstance(tree.head, Member) and len(tree.steps) == 1:
        return _presence(tree.head.name, tree.steps[0], type)
    return _negation(tree, type)


def _logic(tree: Operation, type: str) -> Ask:
    made = ask(tree.first, type)
    for operator, right in tree.rest:
        made = CONNECTIVES[operator](made, ask(right, type))
    return made


def _presence(name: str, step: Any, type: str) -> Ask | None:
    element = structure(type).elements.get(name)
    if element is None or not isinstance(step, Call) or step.arguments or step.name not in ("exists", "empty"):
        return None
    is_there = _is_there(element)
    return is_there if step.name == "exists" else lambda data: not is_there(data)


def _negation(tree: Expression, type: str) -> Ask | None:
    if not (isinstance(tree, Path) and tree.steps[-1] == Call("not", ())):
        return None
    rest = tree.steps[:-1]
    inner = _skeleton(Path(tree.head, rest) if rest else tree.head, type)
    if inner is None:
        return None
    return lambda data: None if (value := inner(data)) is None else not value


def _comparison(tree: Operation, type: str) -> Ask | None:
    ((operator, right),) = tree.rest
    if operator not in ("=", "!="):
        return None
    made = _with_word(tree.first, right, type)
    if made is None:
        left_asked, right_asked = _skeleton(tree.first, type), _skeleton(right, type)
        if left_asked is None or right_asked is None:
            return None
        made = _both(left_asked, right_asked)
    if operator == "=":
        return made
    same = made
    return lambda data: None if (value := same(data)) is None else not value


def _both(left: Ask, right: Ask) -> Ask:
    def run(data: Data) -> bool | None:
        one, other = left(data), right(data)
        return None if one is None or other is None else one is other

    return run


def _with_word(left: Expression, right: Expression, type: str) -> Ask | None:
    """`status = 'final'` of a single code or string."""
    if not (isinstance(left, Member) and isinstance(right, Literal) and right.kind == "string"):
        return None
    element = structure(type).elements.get(left.name)
    if element is None or element.is_many or element.is_choice or element.types[0] not in ("code", "string", "uri"):
        return None
    name, word = left.name, right.value
    return lambda data: data[name] == word if name in data else None


def _fhirpath(tree: Expression, type: str) -> Ask:
    run, of = closure(tree), fhir_type(type)

    def evaluate(data: Data) -> bool | None:
        origin = [(data, of, None, None, None, None)]
        return truth(run(origin, Context(origin, origin, origin, {}, BUDGET)))

    return evaluate


def _and(left: Ask, right: Ask) -> Ask:
    def run(data: Data) -> bool | None:
        one = left(data)
        if one is False:
            return False
        other = right(data)
        return False if other is False else (True if one and other else None)

    return run


def _or(left: Ask, right: Ask) -> Ask:
    def run(data: Data) -> bool | None:
        one = left(data)
        if one:
            return True
        other = right(data)
        return True if other else (False if one is False and other is False else None)

    return run


def _xor(left: Ask, right: Ask) -> Ask:
    same = _both(left, right)
    return lambda data: None if (value := same(data)) is None else not value


def _implies(left: Ask, right: Ask) -> Ask:
    def run(data: Data) -> bool | None:
        one = left(data)
        if one is False:
            return True
        other = right(data)
        return True if other else (False if one and other is False else None)

    return run


CONNECTIVES: dict[str, Callable[[Ask, Ask], Ask]] = {"and": _and, "or": _or, "xor": _xor, "implies": _implies}


def _heads(tree: Expression) -> Iterator[str]:
    """Names that paths from the object itself start with."""
    if isinstance(tree, Member):
        yield tree.name
    elif isinstance(tree, Path):
        yield from _heads(tree.head)
    elif isinstance(tree, Operation):
        for side in (tree.first, *(right for _, right in tree.rest)):
            yield from _heads(side)
    elif isinstance(tree, Call) and tree.name == "iif":
        for argument in tree.arguments:
            yield from _heads(argument)


def known(tree: Expression, missing: frozenset[str]) -> Known:
    """What the rule says of any object without the elements `missing`."""
    if isinstance(tree, Operation):
        return _known_operation(tree, missing)
    if _is_empty(tree, missing):
        return Known.EMPTY
    if isinstance(tree, Path) and isinstance(tree.steps[-1], Call):
        rest = tree.steps[:-1]
        return _known_call(tree.steps[-1].name, Path(tree.head, rest) if rest else tree.head, missing)
    return Known.OPEN


def _known_call(name: str, before: Expression, missing: frozenset[str]) -> Known:
    if name == "not":
        return {Known.TRUE: Known.FALSE, Known.FALSE: Known.TRUE}.get(known(before, missing), Known.OPEN)
    if not _is_empty(before, missing):
        return Known.OPEN
    if name in ("empty", "all", "isDistinct", "allTrue"):
        return Known.TRUE
    return Known.FALSE if name in ("exists", "hasValue") else Known.OPEN


def _is_empty(tree: Expression, missing: frozenset[str]) -> bool:
    if isinstance(tree, Member):
        return tree.name in missing
    if not isinstance(tree, Path):
        return False
    stays = all(step.name in STAYS_EMPTY if isinstance(step, Call) else not isinstance(step, Special) for step in tree.steps)
    return stays and _is_empty(tree.head, missing)


def _known_operation(tree: Operation, missing: frozenset[str]) -> Known:
    left = known(tree.first, missing)
    for operator, right in tree.rest:
        left = _connected(operator, left, known(right, missing))
    return left


def _connected(operator: str, left: Known, right: Known) -> Known:
    if operator in ("or", "and"):
        decides = Known.TRUE if operator == "or" else Known.FALSE
        if decides in (left, right):
            return decides
        return left if left is right else Known.OPEN if Known.OPEN in (left, right) else Known.EMPTY
    if operator == "implies":
        if left is Known.FALSE or right is Known.TRUE:
            return Known.TRUE
        return right if left is Known.TRUE else Known.OPEN
    settled = {Known.TRUE, Known.FALSE}
    if operator in ("=", "!=", "xor") and left in settled and right in settled:
        return Known.TRUE if (left is right) == (operator == "=") else Known.FALSE
    if operator in ("=", "!=", "<", "<=", ">", ">=", "xor") and Known.EMPTY in (left, right):
        return Known.EMPTY
    return Known.OPEN
