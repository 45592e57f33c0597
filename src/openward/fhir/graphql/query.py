"""A GraphQL request, read: the operation it names, its fragments, its variables; and what of a selection applies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLSyntaxError,
    InlineFragmentNode,
    ListValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    parse,
)
from graphql.utilities import value_from_ast_untyped

from openward.fhir.errors import BadRequest, TooCostly

MOST_TOKENS = 4000
MOST_STEPS = 200_000  # fields looked at in one run
DEEPEST = 16
OWN_DIRECTIVES = frozenset({"flatten", "first", "singleton", "slice", "skip", "include"})


class QueryError(BadRequest):
    """The GraphQL query is not one this server answers."""


@dataclass(slots=True)
class Asked:
    """One field of the output: its response key, its name, and all that is selected below it under that key."""

    key: str
    name: str
    node: FieldNode
    below: list[SelectionNode]
    arguments: Mapping[str, Any]
    directives: Mapping[str, DirectiveNode]

    def has(self, directive: str) -> bool:
        return directive in self.directives


@dataclass(slots=True)
class Query:
    """One operation with its variables. `steps` counts what has been looked at, against fragments that multiply."""

    selections: Sequence[SelectionNode]
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]
    steps: int = field(default=0)

    def fields(self, selections: Sequence[SelectionNode], type: str, depth: int) -> list[Asked]:
        """The fields that apply to a value of `type`, those under one key merged. Raises QueryError, TooCostly."""
        if depth > DEEPEST:
            raise TooCostly(f"A query may be at most {DEEPEST} levels deep.")
        found: dict[str, Asked] = {}
        for node in self._expanded(selections, type, depth):
            asked = self._asked(node)
            standing = found.setdefault(asked.key, asked)
            if standing is not asked:
                if (standing.name, standing.arguments) != (asked.name, asked.arguments):
                    raise QueryError(f"{asked.key} stands for two different things; give one an alias.")
                standing.below += asked.below
        return list(found.values())

    def _expanded(self, selections: Sequence[SelectionNode], type: str, depth: int) -> Iterator[FieldNode]:
        """The fields themselves, those of fragments on this type among them."""
        if depth > 2 * DEEPEST:
            raise TooCostly("The fragments of this query are nested too deep, or in a circle.")
        for node in selections:
            self.steps += 1
            if self.steps > MOST_STEPS:
                raise TooCostly("This query asks for too much at once.")
            if not self._applies(node):
                continue
            if isinstance(node, FieldNode):
                yield node
                continue
            fragment = node if isinstance(node, InlineFragmentNode) else self._fragment(node)
            condition = fragment.type_condition
            if condition is None or condition.name.value in (type, "Resource", "DomainResource", "Element"):
                yield from self._expanded(fragment.selection_set.selections, type, depth + 1)

    def _fragment(self, node: Any) -> FragmentDefinitionNode:
        found = self.fragments.get(node.name.value)
        if found is None:
            raise QueryError(f"There is no fragment {node.name.value}.")
        return found

    def _asked(self, node: FieldNode) -> Asked:
        directives = {directive.name.value: directive for directive in node.directives or ()}
        unknown = sorted(set(directives) - OWN_DIRECTIVES)
        if unknown:
            raise QueryError(f"@{unknown[0]} is not a directive of this server.")
        below = list(node.selection_set.selections) if isinstance(node.selection_set, SelectionSetNode) else []
        said = ((argument.name.value, self.value(argument.value)) for argument in node.arguments or ())
        arguments = {name: value for name, value in said if value is not None}  # a variable without a value: as if it were not written
        name = node.name.value
        return Asked(node.alias.value if node.alias else name, name, node, below, arguments, directives)

    def value(self, node: Any) -> Any:
        """Raises QueryError for a variable nobody declared: left out, a search by it would find everyone."""
        for one in node.values if isinstance(node, ListValueNode) else (node,):
            if isinstance(one, VariableNode) and one.name.value not in self.variables:
                raise QueryError(f"The variable ${one.name.value} is not declared.")
        return value_from_ast_untyped(node, dict(self.variables))

    def _applies(self, node: SelectionNode) -> bool:
        """@skip and @include."""
        for directive in node.directives or ():
            if directive.name.value in ("skip", "include"):
                condition = self.argument(directive, "if")
                if not isinstance(condition, bool):
                    raise QueryError(f"@{directive.name.value} needs if: true or false.")
                if condition == (directive.name.value == "skip"):
                    return False
        return True

    def argument(self, directive: DirectiveNode, *names: str) -> Any:
        return next((self.value(one.value) for one in directive.arguments or () if one.name.value in names), None)


def read_query(text: Any, variables: Any = None, operation: Any = None) -> Query:
    """Raises QueryError for what is no query, TooCostly for one too long."""
    if not isinstance(text, str) or not text.strip():
        raise QueryError("There is no query.")
    if variables is not None and not isinstance(variables, Mapping):
        raise QueryError("variables is an object.")
    document = _parsed(text)
    found = _operation(document, operation)
    if found.operation != OperationType.QUERY:
        raise QueryError("Only queries are answered here; write by the REST interactions.")
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    return Query(found.selection_set.selections, fragments, _variables(found, variables or {}))


def _parsed(text: str) -> DocumentNode:
    try:
        return parse(text, no_location=False, max_tokens=MOST_TOKENS)
    except GraphQLSyntaxError as error:
        if "more that" in error.message or "more than" in error.message:
            raise TooCostly(f"A query may have at most {MOST_TOKENS:,} tokens.") from error
        raise QueryError(error.message) from error
    except RecursionError as error:
        raise TooCostly("The query is nested too deep.") from error


def _operation(document: DocumentNode, name: Any) -> OperationDefinitionNode:
    found = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if name is not None:
        found = [node for node in found if node.name and node.name.value == name]
    if len(found) != 1:
        raise QueryError(
            "operationName names no operation of the query." if name is not None or not found else "Which operation? Give operationName."
        )
    return found[0]


def _variables(operation: OperationDefinitionNode, given: Mapping[str, Any]) -> dict[str, Any]:
    """All that are declared, None where nothing was given."""
    values: dict[str, Any] = {}
    for definition in operation.variable_definitions or ():
        name = definition.variable.name.value
        if name in given:
            values[name] = given[name]
        else:
            values[name] = value_from_ast_untyped(definition.default_value) if definition.default_value is not None else None
        if values[name] is None and definition.type.kind == "non_null_type":
            raise QueryError(f"The variable ${name} is missing.")
    return values
