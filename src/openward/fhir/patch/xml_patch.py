"""XML Patch: add, replace and remove nodes that selectors name. https://www.rfc-editor.org/rfc/rfc5261"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from lxml import etree

from openward.fhir.errors import Malformed
from openward.fhir.json import MAX_DEPTH
from openward.fhir.patch.failure import PatchFailed
from openward.fhir.patch.json_patch import MAX_OPERATIONS
from openward.fhir.patch.selectors import selector

ROOTS = ("diff", "patch")
POSITIONS = ("prepend", "before", "after", None)
Node = Any  # an element or comment of lxml, whose stubs know neither text nodes nor comments apart


def parse(data: bytes) -> Node:
    """The root of an XML document without a document type. Raises Malformed."""
    if b"<!DOCTYPE" in data:
        raise Malformed("A document type is not taken.")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_pis=True, encoding="utf-8")
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise Malformed(f"Line {error.lineno}: the patch is not well-formed XML.") from error


def operations_of(data: bytes) -> list[Node]:
    """The operations of a patch document. Raises Malformed."""
    root = parse(data)
    found = [node for node in root if isinstance(node.tag, str)]
    if etree.QName(root).localname not in ROOTS or not found:
        raise Malformed("The body is not an XML Patch: a <diff> of add, replace and remove.")
    if len(found) > MAX_OPERATIONS:
        raise Malformed(f"A patch has at most {MAX_OPERATIONS:,} operations.")
    return found


def apply(root: Node, operations: list[Node]) -> Node:
    """The root of the patched document; `root` itself is changed. Raises Malformed, PatchFailed."""
    for number, operation in enumerate(operations):
        carry = {"add": _add, "replace": _replace, "remove": _remove}.get(etree.QName(operation).localname)
        try:
            if carry is None:
                raise Malformed("it is not one of add, replace and remove")
            root = carry(root, _target(root, operation), operation)
        except (PatchFailed, Malformed) as error:
            raise type(error)(f"Operation {number} of the patch: {str(error).rstrip('.')}.") from error
    return root


def _target(root: Node, operation: Node) -> Any:
    """The one node the selector names: an element, a comment, or lxml's text of an attribute or text node."""
    path, namespaces = selector(operation.get("sel") or "", operation.nsmap)
    try:
        found = root.getroottree().xpath(path, namespaces=namespaces, smart_strings=True)
    except etree.XPathError as error:
        raise Malformed("its selector is not a path") from error
    if not isinstance(found, list) or len(found) != 1:
        many = len(found) if isinstance(found, list) else 0
        raise PatchFailed("its selector names nothing" if not many else f"its selector names {many} nodes, not one")
    return found[0]


def _add(root: Node, target: Any, operation: Node) -> Node:
    position, kind = operation.get("pos"), operation.get("type")
    if position not in POSITIONS:
        raise Malformed("`pos` is not prepend, before or after")
    if isinstance(target, str):
        raise PatchFailed("only to an element can something be added")
    if sum(1 for _ in target.iterancestors()) > MAX_DEPTH:
        raise PatchFailed(f"the element stands more than {MAX_DEPTH} levels deep")
    if kind and kind.startswith("@"):
        return _add_attribute(root, target, kind[1:], operation)
    if kind and kind.startswith("namespace::"):
        return _declare(root, target, kind.removeprefix("namespace::"), operation.text or "")
    if kind:
        raise Malformed("`type` is neither an attribute nor a namespace")
    if position in ("before", "after"):
        _insert_beside(target, operation, after=position == "after")
    else:
        _insert(target, 0 if position == "prepend" else len(target), operation)
    return root


def _add_attribute(root: Node, target: Node, name: str, operation: Node) -> Node:
    prefix, colon, local = name.rpartition(":")
    qualified = f"{{{operation.nsmap.get(prefix)}}}{local}" if colon else name
    try:
        if target.get(qualified) is not None:
            raise PatchFailed(f"the attribute {name} is there already")
        target.set(qualified, operation.text or "")
    except ValueError as error:
        raise Malformed("`type` or the value is not fit for an attribute") from error
    return root


def _declare(root: Node, target: Node, prefix: str, uri: str) -> Node:
    """lxml declares namespaces only where an element is made, so a new one takes the place of the old."""
    try:
        made = etree.Element(target.tag, dict(target.attrib), nsmap={**target.nsmap, prefix: uri})
    except ValueError as error:
        raise Malformed("it is not a namespace") from error
    made.text, made.tail = target.text, target.tail
    made.extend(list(target))
    if target is root:
        return made
    target.getparent().replace(target, made)
    return root


def _insert(parent: Node, index: int, operation: Node) -> None:
    """Text and nodes of `operation` among the children of `parent`."""
    _append_text(parent, index, operation.text)
    for offset, node in enumerate(operation):
        parent.insert(index + offset, deepcopy(node))  # with its tail


def _append_text(parent: Node, index: int, text: str | None) -> None:
    """Text before the child at `index`."""
    if not text:
        return
    if index == 0:
        parent.text = text + (parent.text or "") if len(parent) else (parent.text or "") + text
    else:
        parent[index - 1].tail = (parent[index - 1].tail or "") + text


def _insert_beside(target: Node, operation: Node, *, after: bool) -> None:
    parent = target.getparent()
    if parent is None:
        raise PatchFailed("beside the root nothing can stand")
    index = parent.index(target)
    if not after:
        _insert(parent, index, operation)
        return
    tail, target.tail = target.tail, None
    _insert(parent, index + 1, operation)
    last = parent[index + len(operation)]
    last.tail = (last.tail or "") + (tail or "") or None


def _replace(root: Node, target: Any, operation: Node) -> Node:
    if isinstance(target, str):
        _set_text(target, "".join(operation.itertext()))
        return root
    nodes = list(operation)
    if len(nodes) != 1:
        raise Malformed("an element is replaced by exactly one node")
    made = deepcopy(nodes[0])
    made.tail = target.tail
    if target is root:
        if not isinstance(made.tag, str):
            raise PatchFailed("the root is replaced by an element")
        return made
    target.getparent().replace(target, made)
    return root


def _remove(root: Node, target: Any, operation: Node) -> Node:
    if isinstance(target, str):
        _set_text(target, None)
        return root
    parent = target.getparent()
    if parent is None:
        raise PatchFailed("the root cannot be removed")
    if target.tail:
        _append_text(parent, parent.index(target), target.tail)
    parent.remove(target)
    return root


def _set_text(target: Any, text: str | None) -> None:
    """Change an attribute or a text node; None takes it away."""
    holder = target.getparent()
    if target.is_attribute:
        if text is None:
            del holder.attrib[target.attrname]
        else:
            holder.set(target.attrname, text)
    elif target.is_tail:
        holder.tail = text
    else:
        holder.text = text
