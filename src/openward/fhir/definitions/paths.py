"""Search parameter expressions, parsed into paths over JSON keys.

Not FHIRPath: the part of it that R4's search parameters use — steps, `as`/`ofType`, `where(x='y')`, `where(resolve() is T)`,
`extension('url')`, `[n]`, `|`, and `Patient.deceased.exists() and Patient.deceased != false`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from openward.fhir.definitions.structures import has_structure, structure

TOKEN = re.compile(r"\s*(?:(?P<string>'[^']*')|(?P<word>%?[A-Za-z_]\w*|\d+)|(?P<symbol>!=|[().|=\[\]]))")


@dataclass(frozen=True, slots=True)
class Step:
    """Into JSON key `key`; `many` when it holds an array. Of an array only the items whose `where[0]` equals `where[1]`, or only item
    `index`; `has_extension` keeps the items that carry an extension of that url."""

    key: str
    many: bool = False
    where: tuple[str, str] | None = None
    index: int | None = None
    has_extension: str | None = None


@dataclass(frozen=True, slots=True)
class Path:
    """One way from a resource (or, for a composite's component, from its group) to values of one data type.

    `target` keeps only references to that resource type. `truth` names keys of which one being there, and not false, makes the value true.
    `from_resource` marks a component that starts again at the resource.
    """

    steps: tuple[Step, ...]
    datatype: str
    target: str | None = None
    truth: tuple[str, ...] = ()
    from_resource: bool = False

    def __str__(self) -> str:
        return ".".join(step.key for step in self.steps)


class Unreadable(ValueError):
    """{expression} is not an expression this parser reads."""


def parse(expression: str, root: str) -> tuple[Path, ...]:
    """The paths of an expression that starts at type `root`, every choice spelled out. Raises Unreadable."""
    if not expression:
        return ()
    parser = _Parser(expression, root)
    paths = parser.union()
    if parser.position < len(parser.tokens):
        raise Unreadable(expression)
    return tuple(dict.fromkeys(paths))


class _Parser:
    def __init__(self, expression: str, root: str) -> None:
        self.expression = expression
        self.root = root
        self.tokens = list(_tokens(expression))
        self.position = 0

    def peek(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def take(self, wanted: str | None = None) -> str:
        token = self.peek()
        if not token or (wanted is not None and token != wanted):
            raise Unreadable(self.expression)
        self.position += 1
        return token

    def takes(self, token: str) -> bool:
        if self.peek() != token:
            return False
        self.position += 1
        return True

    def union(self) -> list[Path]:
        paths = self.term()
        while self.takes("|"):
            paths += self.term()
        return paths

    def term(self) -> list[Path]:
        paths = self.start()
        while True:
            if self.takes("."):
                paths = self.follow(paths)
            elif self.takes("["):
                paths = [_at_last(path, index=int(self.take())) for path in paths]
                self.take("]")
            elif self.takes("as"):
                paths = _of_type(paths, self.take())
            elif self.takes("and"):
                return self.truth(paths)
            else:
                return paths

    def start(self) -> list[Path]:
        if self.takes("("):
            paths = self.union()
            self.take(")")
            return paths
        here = Path((), self.root)
        word = self.take()
        if word in (self.root, "Resource", "DomainResource"):
            return [here]
        if word == "%resource":
            return [replace(here, datatype=self.root.split(".")[0], from_resource=True)]
        return list(_into(here, word))

    def follow(self, paths: list[Path]) -> list[Path]:
        word = self.take()
        if self.peek() != "(":
            return [deeper for path in paths for deeper in _into(path, word)]
        self.take("(")
        paths = self.function(word, paths)
        self.take(")")
        return paths

    def function(self, name: str, paths: list[Path]) -> list[Path]:
        functions: dict[str, Callable[[list[Path]], list[Path]]] = {
            "as": lambda p: _of_type(p, self.take()),
            "ofType": lambda p: _of_type(p, self.take()),
            "where": self.where,
            "extension": self.extension,
            "exists": lambda p: p,
        }
        if name not in functions:
            raise Unreadable(self.expression)
        return functions[name](paths)

    def where(self, paths: list[Path]) -> list[Path]:
        word = self.take()
        if word == "resolve":
            for token in ("(", ")", "is"):
                self.take(token)
            target = self.take()
            return [replace(path, target=target) for path in paths]
        if word == "hasExtension":
            self.take("(")
            url = self.text()
            self.take(")")
            return [_at_last(path, has_extension=url) for path in paths]
        self.take("=")
        value = self.text()
        return [_at_last(path, where=(word, value)) for path in paths]

    def extension(self, paths: list[Path]) -> list[Path]:
        url = self.text()
        return [replace(path, steps=(*path.steps, Step("extension", True, ("url", url))), datatype="Extension") for path in paths]

    def text(self) -> str:
        return self.take()[1:-1]

    def truth(self, paths: list[Path]) -> list[Path]:
        """`X.exists() and X != false`: the second half says nothing new."""
        self.term()
        for token in ("!=", "false"):
            self.take(token)
        keys = tuple(path.steps[-1].key for path in paths)
        return [Path(paths[0].steps[:-1], "boolean", truth=keys)]


def _tokens(expression: str) -> Iterator[str]:
    position = 0
    while position < len(expression.rstrip()):
        match = TOKEN.match(expression, position)
        if not match:
            raise Unreadable(expression)
        position = match.end()
        yield match.group().strip()


def _into(path: Path, name: str) -> Iterator[Path]:
    """One path per concrete key of the element, none when the type has no such element (an alternative of a choice may not)."""
    if not has_structure(path.datatype):
        return
    element = structure(path.datatype).elements.get(name)
    if element is None:
        return
    for key, datatype in element.keys.items():
        yield replace(path, steps=(*path.steps, Step(key, element.is_many)), datatype=datatype)


def _of_type(paths: list[Path], datatype: str) -> list[Path]:
    return [path for path in paths if path.datatype == datatype]


def _at_last(path: Path, *, index: int | None = None, where: tuple[str, str] | None = None, has_extension: str | None = None) -> Path:
    last = replace(path.steps[-1], index=index, where=where, has_extension=has_extension)
    return replace(path, steps=(*path.steps[:-1], last))
