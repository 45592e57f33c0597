"""Search values out of a resource, by Python source generated once per type.

Paths that begin alike share their walk, so that an absent element costs one dictionary look-up however many parameters read it.
The resource must have passed `validation`: shapes are trusted here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

from openward.fhir.definitions.paths import Path, Step
from openward.fhir.definitions.searches import SearchParameter, search_parameters
from openward.fhir.definitions.structures import is_primitive

Found = tuple[str, str, Any]
Extractor = Callable[[Mapping[str, Any]], list[Found]]
Sink = Callable[[Any, str, Any], None]
Filler = Callable[[Mapping[str, Any], Any], list[Found]]


@cache
def extractor(type: str, without: frozenset[str] = frozenset()) -> Extractor:
    """A function from a resource of `type` to `(parameter code, data type, value)`, one entry per value found.

    A composite's value is one tuple per component, each of `(data type, value)` pairs, none of them empty; its data type is "composite".
    References in the value may be inline resources (`Bundle.entry[0].resource`, data type "Resource").
    """
    return compile_extractor([p for code, p in search_parameters(type).items() if code not in without])


def compile_extractor(parameters: Iterable[SearchParameter]) -> Extractor:
    """The same for any parameters of one type, the site's own among them."""
    source = _Source()
    source.write_extractor(list(parameters))
    return source.function("extract")


def compile_filler(parameters: Iterable[SearchParameter], sinks: Mapping[str, Sink]) -> Filler:
    """A function from a resource and a row that gives each value at once to its parameter's sink, with the row and the data type."""
    source = _Source(sinks)
    source.write_extractor(list(parameters))
    return cast(Filler, source.function("extract"))


def extract(path: Path, resource: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The `(data type, value)` pairs one path leads to."""
    return ((datatype, value) for _, datatype, value in _single(path)(resource))


@cache
def _single(path: Path) -> Extractor:
    source = _Source()
    root = Branch()
    root.plant(path, "")
    source.write_function("extract", "r", root)
    return source.function("extract")


def points_at(reference: Mapping[str, Any], type: str, resource: Mapping[str, Any]) -> bool:
    """Whether a reference that does not start with `type/` still points at that type: contained, absolute, or by its `type`."""
    literal = reference.get("reference")
    if literal is None or literal.startswith("urn:"):
        return bool(reference.get("type") == type)
    if literal.startswith("#"):
        return any(c.get("id") == literal[1:] and c.get("resourceType") == type for c in resource.get("contained", ()))
    return f"/{type}/" in literal


@dataclass
class Branch:
    """A node of the tree of shared prefixes: what ends here, and where it goes on."""

    ends: list[tuple[str, Path]] = field(default_factory=list)
    groups: list[tuple[str, SearchParameter]] = field(default_factory=list)
    steps: dict[tuple[str, bool], Branch] = field(default_factory=dict)
    filters: dict[Step, Branch] = field(default_factory=dict)

    def plant(self, path: Path, code: str) -> None:
        self.at(path.steps).ends.append((code, path))

    def at(self, steps: tuple[Step, ...]) -> Branch:
        if not steps:
            return self
        first, *rest = steps
        branch = self.steps.setdefault((first.key, first.many), Branch())
        if first.where or first.index is not None or first.has_extension:
            branch = branch.filters.setdefault(first, Branch())
        return branch.at(tuple(rest))


class _Source:
    """Python source being written, and the names it may use. With `sinks` values go there instead of into a list."""

    def __init__(self, sinks: Mapping[str, Sink] | None = None) -> None:
        self.lines: list[str] = []
        self.names = 0
        self.sinks = sinks
        self.scope: dict[str, Any] = {"points_at": points_at}

    def function(self, name: str) -> Extractor:
        exec(compile("\n".join(self.lines), "<search values>", "exec"), self.scope)  # noqa: S102 - source made here from the definitions, names by repr
        made: Extractor = self.scope[name]
        return made

    def take(self, code: str, datatype: str, value: str) -> str:
        """What to do with a value that was found; within a composite, whose code is not known yet, it is kept."""
        if self.sinks is None or not code:
            return f"add(({code!r}, {datatype!r}, {value}))"
        name = f"sink_{code.replace('-', '_')}"
        self.scope[name] = self.sinks[code]
        return f"{name}(row, {datatype!r}, {value})"

    def fresh(self, stem: str = "v") -> str:
        self.names += 1
        return f"{stem}{self.names}"

    def write_extractor(self, parameters: list[SearchParameter]) -> None:
        root = Branch()
        for parameter in parameters:
            if parameter.components:
                name = self.write_composite(parameter)
                for path in parameter.paths:
                    root.at(path.steps).groups.append((name, parameter))
            else:
                for path in parameter.paths:
                    root.plant(path, parameter.code)
        self.write_function("extract", "r" if self.sinks is None else "r, row", root)

    def write_function(self, name: str, arguments: str, root: Branch) -> None:
        self.lines += [f"def {name}({arguments}):", " out = []", " add = out.append"]
        self.write(root, arguments.split(",")[0], 1)
        self.lines.append(" return out")

    def write_composite(self, parameter: SearchParameter) -> str:
        """A function from a group to its components' values, or None when one has none; the last, rarest component is tried first."""
        name = self.fresh("group")
        self.lines += [f"def {name}(g, r):"]
        for number, component in reversed(list(enumerate(parameter.components))):
            self.lines += [f" out = c{number} = []", " add = out.append"]
            for variable, from_resource in (("g", False), ("r", True)):
                root = Branch()
                for path in component.paths:
                    if path.from_resource == from_resource:
                        root.plant(path, "")
                self.write(root, variable, 1)
            self.lines += [" if not out: return None"]
        values = ", ".join(f"tuple([x[1:] for x in c{number}])" for number in range(len(parameter.components)))
        self.lines += [f" return ({values},)"]
        return name

    def write(self, branch: Branch, variable: str, depth: int) -> None:
        indent = " " * depth
        for code, path in branch.ends:
            self.write_end(code, path, variable, indent)
        for name, parameter in branch.groups:
            self.lines += [f"{indent}c = {name}({variable}, r)", f"{indent}if c is not None: {self.take(parameter.code, 'composite', 'c')}"]
        for step, filtered in branch.filters.items():
            self.lines.append(f"{indent}if {_condition(step, variable)}:")
            self.write(filtered, variable, depth + 1)
        for (key, is_array), deeper in branch.steps.items():
            self.write_step(key, is_array, deeper, variable, depth)

    def write_step(self, key: str, is_array: bool, branch: Branch, variable: str, depth: int) -> None:
        indent, value = " " * depth, self.fresh()
        self.lines += [f"{indent}{value} = {variable}.get({key!r})", f"{indent}if {value} is not None:"]
        if not is_array:
            self.write(branch, value, depth + 1)
            return
        item = self.fresh()
        counted = any(step.index is not None for step in branch.filters)
        self.lines.append(f"{indent} for {item}_n, {item} in enumerate({value}):" if counted else f"{indent} for {item} in {value}:")
        if any(is_primitive(path.datatype) for _, path in branch.ends):
            self.lines.append(f"{indent}  if {item} is None: continue")
        self.write(branch, item, depth + 2)

    def write_end(self, code: str, path: Path, variable: str, indent: str) -> None:
        if path.truth:
            terms = " or ".join(f"{variable}.get({key!r})" for key in path.truth)
            self.lines.append(f"{indent}{self.take(code, 'boolean', f'bool({terms})')}")
            return
        line = self.take(code, path.datatype, variable)
        if path.target:
            starts = f"({variable}.get('reference') or '').startswith({path.target + '/'!r})"
            line = f"if {starts} or points_at({variable}, {path.target!r}, r): {line}"
        self.lines.append(indent + line)


def _condition(step: Step, variable: str) -> str:
    if step.where:
        return f"{variable}.get({step.where[0]!r}) == {step.where[1]!r}"
    if step.has_extension:
        return f"any(x.get('url') == {step.has_extension!r} for x in {variable}.get('extension', ()))"
    return f"{variable}_n == {step.index}"
