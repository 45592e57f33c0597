"""Carrying a query out: from a resource, or from the whole record, down to the fields selected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from openward.fhir.definitions import is_resource_type
from openward.fhir.errors import FhirError, TooCostly
from openward.fhir.graphql.elements import Values, evaluated, holds, text_of, values_of
from openward.fhir.graphql.output import Target
from openward.fhir.graphql.query import DEEPEST, Asked, Query, QueryError
from openward.fhir.graphql.searching import LIST, Wanted, search_of, wanted
from openward.fhir.ids import is_id
from openward.fhir.interactions.read import read, read_many
from openward.fhir.interactions.search import search
from openward.fhir.references import target as place_of
from openward.fhir.search.query import MAX_COUNT

if TYPE_CHECKING:
    from graphql import SelectionNode

    from openward.fhir.store import Store

MOST_SEARCHES = 60
MOST_READ = 3000  # resources brought by references

Content = Mapping[str, Any]
Pointer = tuple[str, str]


class Unresolved(FhirError):
    """The reference {reference} cannot be resolved; mark it optional if it need not be."""

    status = 404
    code = "not-found"


@dataclass(slots=True)
class Run:
    """One query being answered, for who the store acts for. `resources`: what references have brought, None for what may not be seen."""

    store: Store
    query: Query
    base: str
    resources: dict[Pointer, Content | None] = field(default_factory=dict)
    searches: int = 0

    def of_resource(self, content: Content) -> dict[str, Any]:
        """The query about one resource."""
        answer = Target()
        self._bring([(content, self.query.selections)])
        self._select(answer, content, str(content["resourceType"]), self.query.selections, content, depth=1)
        return answer.json()

    def of_record(self) -> dict[str, Any]:
        """The query about the whole record: resources by id, lists and connections."""
        answer = Target()
        for asked in self.query.fields(self.query.selections, "Query", 1):
            if asked.name == "__typename":
                answer.put(asked.key, "Query")
            elif asked.name.startswith("__"):
                raise QueryError("This server tells its schema by /metadata and the FHIR specification, not by introspection.")
            elif found := search_of(asked.name):
                self._search(answer, asked, wanted(*found, asked.arguments), None, depth=1)
            else:
                self._one(answer, asked)
        return answer.json()

    def _one(self, answer: Target, asked: Asked) -> None:
        id = text_of(asked.arguments.get("id", asked.arguments.get("_id")))
        if not is_resource_type(asked.name):
            raise QueryError(f"{asked.name} is not a FHIR R4 resource type, nor a List or Connection of one.")
        if len(asked.arguments) != 1 or not is_id(id):
            raise QueryError(f"Which {asked.name}? Write {asked.name}(id: …), or ask for a {asked.name}List.")
        self._write(answer, asked, read(self.store, asked.name, id).content, depth=1)

    def _write(self, answer: Target, asked: Asked, content: Content, depth: int) -> None:
        self._bring([(content, asked.below)])
        answer.put(asked.key, self._object(content, asked.below, depth))

    def _object(self, content: Content, below: Sequence[SelectionNode], depth: int) -> Target:
        if not below:
            raise QueryError("What of the resource? Select some of its fields.")
        made = Target()
        self._select(made, content, str(content["resourceType"]), below, content, depth=depth + 1)
        return made

    # -- elements -----------------------------------------------------------------------------------------------

    def _select(
        self,
        answer: Target,
        value: Content,
        type: str,
        selections: Sequence[SelectionNode],
        root: Content,
        *,
        depth: int,
        is_list: bool = False,
        suffix: str = "",
    ) -> None:
        """Write the selected fields of one value. `is_list`: an element around it was flattened, so that every field becomes a list."""
        for asked in self.query.fields(selections, type, depth):
            if asked.name in ("__typename", "resourceType"):
                answer.put(asked.key + suffix, self._type(asked, value, type))
            elif asked.name == "resource" and type == "Reference":
                self._refer(answer, asked, value, root, depth, is_list, suffix)
            elif (found := search_of(asked.name)) and "resourceType" in value:
                self._search(answer, asked, wanted(*found, asked.arguments), value, depth)
            else:
                self._elements(answer, asked, values_of(value, type, asked), root, depth, is_list, suffix)

    def _type(self, asked: Asked, value: Content, type: str) -> str:
        if asked.name == "resourceType" and "resourceType" not in value:
            raise QueryError(f"{type} has no field resourceType.")
        return type

    def _elements(self, answer: Target, asked: Asked, found: Values, root: Content, depth: int, is_list: bool, suffix: str) -> None:
        """The values of one field, with @first, @flatten, @singleton and @slice. https://hl7.org/fhir/R4/graphql.html#flatten"""
        first, flat = asked.has("first"), asked.has("flatten")
        if first and asked.has("slice"):
            raise QueryError("@first and @slice together have no meaning.")
        several = (found.is_many and not first) or is_list
        for index, value in enumerate(found.values[:1] if first else found.values):
            ending = suffix + self._slice(asked, value, found.datatype, index)
            if flat and not found.is_leaf:
                self._below(answer, asked, value, found.datatype, root, depth, several, ending)
                continue
            slot = answer.slot(asked.key + ending, is_list=several and not asked.has("singleton"))
            if found.is_leaf:
                slot.add(value)
            else:
                made = Target()
                slot.add(made)
                self._below(made, asked, value, found.datatype, root, depth, False, "")

    def _below(self, answer: Target, asked: Asked, value: Content, datatype: str, root: Content, depth: int, is_list: bool, suffix: str) -> None:
        type = str(value["resourceType"]) if datatype == "Resource" else datatype
        self._select(answer, value, type, asked.below, root, depth=depth + 1, is_list=is_list, suffix=suffix)

    def _slice(self, asked: Asked, value: Any, datatype: str, index: int) -> str:
        if not asked.has("slice"):
            return ""
        path = self.query.argument(asked.directives["slice"], "path", "fhirpath")
        return "." + "".join(text_of(part) for part in evaluated(path, value, datatype, index))

    # -- references ---------------------------------------------------------------------------------------------

    def _refer(self, answer: Target, asked: Asked, reference: Content, root: Content, depth: int, is_list: bool, suffix: str) -> None:
        type, optional = asked.arguments.get("type"), asked.arguments.get("optional", False)
        if set(asked.arguments) - {"type", "optional"} or not isinstance(optional, bool):
            raise QueryError("resource takes the arguments type and optional.")
        literal = str(reference.get("reference") or "")
        pointer = self._pointer(literal)
        if pointer and type is not None and pointer[0] != type:
            return
        content = _contained(root, literal) if literal.startswith("#") else self._resource(pointer) if pointer else None
        if content is not None and (type is None or content["resourceType"] == type):
            made = self._object(content, asked.below, depth)
            if made.slots or not is_list:
                answer.slot(asked.key + suffix, is_list=is_list and not asked.has("singleton")).add(made)
        elif content is None and not optional:
            raise Unresolved(reference=literal[:200] or "without a literal")

    def _pointer(self, literal: str) -> Pointer | None:
        found = place_of(literal.removeprefix(f"{self.base}/"))
        return (found.type, found.id) if found else None

    def _resource(self, pointer: Pointer) -> Content | None:
        if pointer not in self.resources:
            self._fetch([pointer])
        return self.resources[pointer]

    def _fetch(self, pointers: Iterable[Pointer]) -> None:
        """One statement a type; what may not be seen is remembered as not there."""
        missing = [pointer for pointer in dict.fromkeys(pointers) if pointer not in self.resources]
        if len(self.resources) + len(missing) > MOST_READ:
            raise TooCostly(f"This query would follow more than {MOST_READ:,} references.")
        self.resources.update(dict.fromkeys(missing))
        self.resources.update({(one.type, one.id): one.whole.content for one in read_many(self.store, missing)})

    def _bring(self, starts: Sequence[tuple[Content, Sequence[SelectionNode]]]) -> None:
        """Fetch what the selected references lead to, level by level, before it is asked for one by one."""
        level = list(starts)
        for _ in range(DEEPEST):
            found = [pair for content, below in level for pair in self._referred(content, str(content["resourceType"]), below, 1)]
            if not found:
                return
            self._fetch(pointer for pointer, _ in found)
            level = [(content, below) for pointer, below in found if (content := self.resources[pointer]) is not None]

    def _referred(
        self, value: Content, type: str, selections: Sequence[SelectionNode], depth: int
    ) -> Iterator[tuple[Pointer, Sequence[SelectionNode]]]:
        for asked in self.query.fields(selections, type, depth):
            if asked.name == "resource" and type == "Reference":
                pointer = self._pointer(str(value.get("reference") or ""))
                if pointer and asked.arguments.get("type") in (None, pointer[0]):
                    yield pointer, asked.below
            elif asked.below and not asked.arguments and search_of(asked.name) is None:
                found = values_of(value, type, asked)
                for one in found.values if found.datatype != "Resource" else ():
                    yield from self._referred(one, found.datatype, asked.below, depth + 1)

    # -- searches -----------------------------------------------------------------------------------------------

    def _search(self, answer: Target, asked: Asked, wanted: Wanted, around: Content | None, depth: int) -> None:
        self.searches += 1
        if self.searches > MOST_SEARCHES:
            raise TooCostly(f"This query would make more than {MOST_SEARCHES} searches.")
        if around is not None and wanted.reverse is None:
            raise QueryError(f"{asked.name} around a resource needs _reference: the parameter that points at it.")
        params = list(wanted.params)
        if around is not None:
            params.append((str(wanted.reverse), f"{around['resourceType']}/{around['id']}"))
        if wanted.kind == LIST:
            self._list(answer, asked, wanted, params, depth)
        else:
            self._connection(answer, asked, wanted, params, depth)

    def _list(self, answer: Target, asked: Asked, wanted: Wanted, params: list[tuple[str, str]], depth: int) -> None:
        page = search(self.store, wanted.type, params, strict=True)
        if page.next and (not wanted.is_bounded or len(page.matches) < _size(params)):
            raise TooCostly(f"More than a {wanted.type}List can hold match; narrow it, say _count, or ask for a {wanted.type}Connection.")
        slot = answer.slot(asked.key, is_list=not asked.has("singleton"))
        contents = _that_hold([version.whole.content for version in page.matches], wanted)
        contents = contents[:1] if asked.has("first") else contents
        self._bring([(content, asked.below) for content in contents])
        made = [self._object(content, asked.below, depth) for content in contents]
        if slot.is_list:
            answer.put(asked.key, made)
        elif len(made) == 1:
            slot.add(made[0])
        elif made:
            raise QueryError(f"{asked.name} finds more than one.")

    def _connection(self, answer: Target, asked: Asked, wanted: Wanted, params: list[tuple[str, str]], depth: int) -> None:
        """https://hl7.org/fhir/R4/graphql.html#searching: one page, and the cursor of the next."""
        fields = self.query.fields(asked.below, f"{wanted.type}Connection", depth + 1)
        if any(one.name == "count" for one in fields):
            params.append(("_total", "accurate"))
        if wanted.cursor:
            params.append(("_cursor", wanted.cursor))
        page = search(self.store, wanted.type, params, strict=True)
        size = min(_size(params), MAX_COUNT)
        facts = {"count": page.total, "offset": None if wanted.cursor else 0, "pagesize": size, "pageSize": size, "next": page.next}
        made = Target()
        for one in fields:
            if one.name == "edges":
                made.put(one.key, self._edges(one, _that_hold([version.whole.content for version in page.matches], wanted), depth + 1))
            elif one.name in facts or one.name in ("first", "previous", "last"):
                made.put(one.key, facts.get(one.name))
            else:
                raise QueryError(f"{asked.name} has no field {one.name}.")
        answer.put(asked.key, made)

    def _edges(self, asked: Asked, contents: Sequence[Content], depth: int) -> list[Target]:
        fields = self.query.fields(asked.below, "Edge", depth + 1)
        self._bring([(content, one.below) for content in contents for one in fields if one.name == "resource"])
        return [self._edge(fields, content, depth + 1) for content in contents]

    def _edge(self, fields: Sequence[Asked], content: Content, depth: int) -> Target:
        made = Target()
        for one in fields:
            if one.name == "resource":
                made.put(one.key, self._object(content, one.below, depth))
            elif one.name in ("mode", "score"):
                made.put(one.key, "match" if one.name == "mode" else None)
            else:
                raise QueryError(f"An edge has no field {one.name}.")
        return made


def _size(params: Sequence[tuple[str, str]]) -> int:
    return int(next(value for name, value in params if name == "_count"))


def _that_hold(contents: Sequence[Content], wanted: Wanted) -> Sequence[Content]:
    if wanted.path is None:
        return contents
    return [content for index, content in enumerate(contents) if holds(wanted.path, content, wanted.type, index)]


def _contained(root: Content, literal: str) -> Content | None:
    return next((one for one in root.get("contained", ()) if one.get("id") == literal[1:]), None)
