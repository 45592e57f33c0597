"""A resource as it is stored: its text, in which what is sealed stands as `"\\/…"`, and which then begins with a space.

Both mean the same to every reader of JSON and are never written by our own encoder, so no client can send a text that would be taken for a sealed
one. The space tells at once whether there is anything to open; the rest of the text stays letter by letter, for SQL looks into it too.
https://www.rfc-editor.org/rfc/rfc8259#section-7
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

import msgspec

from openward.fhir.json import dumps
from openward.fhir.sealing.port import About, CannotOpen, Locked, Purpose, held
from openward.fhir.sealing.rules import may_hold, replaced
from openward.fhir.versions import parsed

SEALED = '"\\/'
MARK, MARK_BYTE = " ", b" "
ABSENT = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "error"}
NAMED = re.compile(r' ?\{"resourceType":"([A-Za-z]+)","id":"([A-Za-z0-9.\-]+)"')
PACKED = b"="  # begins what is sealed as bytes and read as their base64; any other text is sealed as JSON, which begins with a quote


def stored(tenant: int, content: Mapping[str, Any], text: str) -> str:
    """The text as it is stored: itself, if nothing of it is sealed. `content` is what it says, the server's stamp aside. Raises Locked."""
    return sealed(tenant, text) if may_hold(content, text) else text


def sealed(tenant: int, text: str, *, sensitive: bool = False) -> str:
    """The same of a text in clear that has been looked at or is of an older day. `sensitive`: whatever its labels say. Raises Locked."""
    keys, about = held(), _about(text)
    if keys is None or about is None:
        return text
    any_sealed = False

    def put(purpose: Purpose, value: str) -> msgspec.Raw:
        nonlocal any_sealed
        any_sealed = True
        return msgspec.Raw(f'{SEALED}{keys.seal(purpose, _as_sealed(value), about, tenant)}"'.encode())

    try:
        body = replaced(parsed(text), put, sensitive=sensitive)
    except CannotOpen:
        raise Locked(type=about[0], id=about[1]) from None
    return MARK + dumps(body).decode() if any_sealed else text


def opened(text: str) -> str:
    """The text that was stored. Raises Locked."""
    keys = held()
    if keys is None:
        raise Locked(type="A resource", id="that is sealed")
    return changed(text, lambda value, about: _as_written(keys.unseal(value, about)))[1:]


def changed(text: str, change: Callable[[str, About], str]) -> str:
    """A stored text with other JSON in the place of each sealed value, which `change` is given. Raises Locked when that raises CannotOpen."""
    about = _about(text) or ("Resource", "?")
    parts: list[str] = []
    end = 0
    try:
        while (start := text.find(SEALED, end)) >= 0:
            close = text.index('"', start + len(SEALED))
            parts += (text[end:start], change(text[start + len(SEALED) : close], about))
            end = close + 1
    except (CannotOpen, ValueError):
        raise Locked(type=about[0], id=about[1]) from None
    return "".join((*parts, text[end:]))


def in_clear(text: str | None) -> str | None:
    """What stands in the column, as it was written. Raises Locked."""
    return opened(text) if text is not None and text[:1] == MARK else text


def bytes_in_clear(body: bytes) -> bytes:
    """The same of bytes; a microsecond's fraction for what has nothing sealed."""
    return opened(body.decode()).encode() if body[:1] == MARK_BYTE else body


def opened_lines(lines: bytes) -> tuple[bytes, list[Locked]]:
    """Many bodies, a line each, without those that do not open; and why not."""
    if lines[:1] != MARK_BYTE and b"\n " not in lines:
        return lines, []
    kept: list[bytes] = []
    locked: list[Locked] = []
    for line in lines.split(b"\n"):
        try:
            kept.append(bytes_in_clear(line))
        except Locked as trouble:
            locked.append(trouble)
    return b"\n".join(kept), locked


def opened_in_part(text: str) -> tuple[str, Locked | None]:
    """What stands in the column as it was written; or whatever of it opens, and what to say."""
    if text[:1] != MARK:
        return text, None
    try:
        return opened(text), None
    except Locked as locked:
        return dumps(in_part(text)).decode(), locked


def in_part(text: str) -> dict[str, Any]:
    """A stored resource with whatever of it opens.

    In the place of what does not stands https://hl7.org/fhir/R4/extension-data-absent-reason.html; in narratives, which take no extensions, words.
    """
    keys, lost = held(), secrets.token_hex(16)

    def open_or_mark(value: str, about: About) -> str:
        try:
            return _as_written(keys.unseal(value, about)) if keys is not None else f'"{lost}"'
        except CannotOpen:
            return f'"{lost}"'

    content = parsed(changed(text, open_or_mark)[1:])
    found: dict[str, Any] = _without(content, lost, keys.absent() if keys is not None else "?")
    return found


def _without(value: Any, lost: str, words: str) -> Any:
    if value.__class__ is list:
        return [_without(one, lost, words) for one in value]
    if value.__class__ is not dict:
        return value
    found: dict[str, Any] = {}
    for name, one in value.items():
        if one != lost:
            found.setdefault(name, _without(one, lost, words))
        elif name == "div":
            found[name] = f'<div xmlns="http://www.w3.org/1999/xhtml">{escape(words)}</div>'
        else:
            beside = value.get(f"_{name}", {})
            found[f"_{name}"] = {**beside, "extension": [*beside.get("extension", ()), ABSENT]}
    return found


def in_words(content: Any) -> Any:
    """The same for a list that people read: words where `in_part` says that something is absent. Bytes stay absent."""
    keys = held()
    return _worded(content, keys.absent() if keys is not None else "?")


def _worded(value: Any, words: str) -> Any:
    if value.__class__ is list:
        return [_worded(one, words) for one in value]
    if value.__class__ is not dict:
        return value
    found = {name: _worded(one, words) for name, one in value.items()}
    for name, one in value.items():
        if name[:1] == "_" and one.__class__ is dict and ABSENT in one.get("extension", ()) and name != "_data":
            found.setdefault(name[1:], words)
    return found


def _about(text: str) -> About | None:
    found = NAMED.match(text)
    return (found[1], found[2]) if found else None


def _as_sealed(value: str) -> bytes:
    """Base64 as the bytes it stands for, if it is the one way to write them: only the end could be written otherwise."""
    try:
        content = msgspec.convert(value, bytes)
    except msgspec.ValidationError:
        return dumps(value)
    end = content[-(len(content) % 3 or 3) :]
    is_usual = len(value) == (len(content) + 2) // 3 * 4 and value.endswith(msgspec.to_builtins(end))
    return PACKED + content if is_usual else dumps(value)


def _as_written(content: bytes) -> str:
    return (dumps(content[1:]) if content[:1] == PACKED else content).decode()
