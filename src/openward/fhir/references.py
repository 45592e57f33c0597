"""The references inside a resource: finding them, reading them, and refusing those that point at nothing.

https://hl7.org/fhir/R4/references.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from openward.fhir.definitions import is_resource_type
from openward.fhir.ids import is_id

# Where a text stands: its dictionary or list, and its name or index there.
Slot = tuple[Any, Any]
URNS = ("urn:uuid:", "urn:oid:")
VERSION = "/_history/"
RESTFUL = re.compile(r"https?://.+/([A-Za-z]+/[A-Za-z0-9\-.]{1,64})")
# Texts and canonicals, in which a URN is no link to another entry.
NO_LINKS = frozenset({"value", "valueString", "valueMarkdown", "valueCanonical", "display", "title", "text", "description"})
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")
LINK = re.compile(r"""(?P<before>\s(?:href|src)\s*=\s*(?P<quote>["']))(?P<link>[^"']*)(?=(?P=quote))""")


@dataclass(frozen=True, slots=True)
class Target:
    """What a relative reference names: `Patient/1` or `Patient/1/_history/2`."""

    type: str
    id: str


def slots(resource: Any) -> list[Slot]:
    """Every `Reference.reference` and every URN in `resource`, contained resources included. `Identifier.value`, texts and the like are left alone."""
    found: list[Slot] = []
    nodes = [resource]
    for node in nodes:  # which grows meanwhile
        if node.__class__ is dict:
            items: Iterable[tuple[Any, Any]] = node.items()
        elif node.__class__ is list:
            items = enumerate(node)
        else:
            continue  # a text among objects, which validation refuses
        for name, value in items:
            kind = value.__class__
            if kind is str:
                if name == "reference" or (value[:4] == "urn:" and value.startswith(URNS) and name not in NO_LINKS):
                    found.append((node, name))
            elif kind is dict:
                nodes.append(value)
            elif kind is list:
                nodes += value if value and value[0].__class__ is dict else (value,)
    return found


def outward(resource: Mapping[str, Any]) -> list[Slot]:
    """Those of its slots that lead out of it.

    What the entries of a stored Bundle call one another is found in it; what else they name relative to where they came from is there, not here.
    https://hl7.org/fhir/R4/bundle.html#references
    """
    entries = resource.get("entry")
    if resource.get("resourceType") != "Bundle" or not isinstance(entries, list):
        return slots(resource)
    urls = [entry.get("fullUrl") if isinstance(entry, dict) else None for entry in entries]
    own = {name for url in urls if isinstance(url, str) for name in names_of(url)}
    found = slots({name: value for name, value in resource.items() if name != "entry"})
    for entry, url in zip(entries, urls, strict=True):
        has_base = isinstance(url, str) and RESTFUL.fullmatch(url) is not None
        for holder, name in slots(entry):
            text = holder[name]
            if without_version(text) not in own and not (has_base and target(text) is not None):
                found.append((holder, name))
    return found


def names_of(full_url: str) -> list[str]:
    """What other entries may call the one that has this full URL: by it, and if it is a RESTful one by its relative form."""
    restful = RESTFUL.fullmatch(full_url)
    return [full_url, restful[1]] if restful else [full_url]


def literals(slots: Sequence[Slot]) -> list[str]:
    """What the `Reference.reference` among the slots say now."""
    return [holder[name] for holder, name in slots if name == "reference"]


def rewrite(slots: Sequence[Slot], names: Mapping[str, str]) -> None:
    """Replace, in place, every slot's text that `names` knows.

    https://hl7.org/fhir/R4/http.html#trules: references, and elements of type uri, url, oid and uuid. A reference to a version is one to the resource
    that carries the name, of which the versions from elsewhere are not here.
    """
    for holder, name in slots:
        text = holder[name]
        new = names.get(text)
        if new is None and VERSION in text:
            new = names.get(without_version(text))
        if new is not None:
            holder[name] = new


def without_version(reference: str) -> str:
    """https://hl7.org/fhir/R4/bundle.html#references: the name by which an entry of a bundle is found."""
    return reference.partition(VERSION)[0]


def binaries(names: Mapping[str, str]) -> dict[str, str]:
    """Those of a bundle's names that are addresses of a Binary."""
    return {old: new for old, new in names.items() if new.startswith("Binary/") and not old.startswith(URNS)}


def relink(resource: Mapping[str, Any], names: Mapping[str, str], binaries: Mapping[str, str]) -> None:
    """Replace, in place, the links of its narratives that `names` knows, and the addresses of `binaries`, which are those of `names`.

    https://hl7.org/fhir/R4/http.html#trules: `<a href="">` and `<img src="">`. A URN is found in an Attachment by `slots`; of other addresses only
    those of a Binary are looked for, because what is named by one in any other `url` is usually itself (a canonical).
    """
    for narrative in _narratives(resource):
        narrative["div"] = LINK.sub(lambda found: found["before"] + names.get(found["link"], found["link"]), narrative["div"])
    if not binaries:
        return
    nodes: list[Any] = [resource]
    for node in nodes:
        if isinstance(node, dict):
            url = node.get("url")
            if isinstance(url, str) and url in binaries:
                node["url"] = binaries[url]
            nodes += node.values()
        elif isinstance(node, list):
            nodes += node


def _narratives(resource: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Those that hold a link: of the resource, and of the sections of a Composition."""
    text, sections = resource.get("text"), resource.get("section")
    if isinstance(text, dict) and isinstance(text.get("div"), str) and ("href" in text["div"] or "src" in text["div"]):
        yield text
    for section in sections if isinstance(sections, list) else ():
        if isinstance(section, dict):
            yield from _narratives(section)


def make_relative(resource: Any, base: str) -> None:
    """Turn, in place, references to `base` (with its last slash) followed by a resource's address, or by a condition, into relative ones.

    https://hl7.org/fhir/R4/references.html#literal: both say the same; what is stored is the one that lasts when the server moves.
    """
    for holder, name in slots(resource):
        text = holder[name]
        if name == "reference" and text.startswith(base):
            rest = text[len(base) :]
            if target(rest) is not None or is_resource_type(rest.partition("?")[0]):
                holder[name] = rest


def target(reference: str) -> Target | None:
    """The resource of this server that `reference` names; None for contained (#…), urn: and absolute ones."""
    if reference.startswith("#") or ":" in reference or "?" in reference:
        return None
    parts = reference.split("/")
    if not (len(parts) == 2 or (len(parts) == 4 and parts[2] == "_history")) or not is_resource_type(parts[0]) or not is_id(parts[1]):
        return None
    return Target(parts[0], parts[1])


def is_unreadable(reference: str) -> bool:
    """Whether `reference` is neither relative to this server, contained, absolute, nor a URN.

    So is `Patient?identifier=urn:mrn|7` that no transaction has resolved.
    """
    return target(reference) is None and not reference.startswith("#") and not SCHEME.match(reference)


def located(node: Any, path: str) -> Iterator[tuple[str, str]]:
    """(FHIRPath, reference) of every literal reference below `node`; slower than `slots`, for error messages."""
    if isinstance(node, dict):
        reference = node.get("reference")
        if isinstance(reference, str):
            yield f"{path}.reference", reference
        for name, child in node.items():
            yield from located(child, f"{path}.{name}")
    elif isinstance(node, list):
        for index, child in enumerate(node):
            yield from located(child, f"{path}[{index}]")
