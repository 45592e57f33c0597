"""Note templates as data, and a note's sections as XHTML narrative and back. Pure."""

from __future__ import annotations

import html
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

CONTENT = Path(__file__).parent / "content" / "notes.toml"
XHTML = "http://www.w3.org/1999/xhtml"
TEMPLATE = "urn:openward:note-template"
"""The extension on a Composition that names the template it was written from (`valueCode`)."""


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a note. `fill` names what may be brought in from the chart."""

    key: str
    title: str
    loinc: str
    hint: str = ""
    start: str = ""
    fill: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Template:
    """A kind of note. `until_age` hides it for older patients."""

    key: str
    title: str
    loinc: str
    sections: tuple[Section, ...]
    until_age: Decimal | None = None
    is_hidden: bool = False

    def is_offered_at(self, age: Decimal | None) -> bool:
        return not self.is_hidden and (self.until_age is None or age is None or age < self.until_age)


@cache
def templates() -> Mapping[str, Template]:
    with CONTENT.open("rb") as file:
        data = tomllib.load(file)
    return {entry["key"]: _template(entry) for entry in data["template"]}


def offered_at(age: Decimal | None) -> list[Template]:
    return [template for template in templates().values() if template.is_offered_at(age)]


def narrative(text: str) -> str:
    """Plain text as FHIR narrative: a paragraph per blank line, a break per line. https://hl7.org/fhir/R4/narrative.html"""
    blocks = [block for block in re.split(r"\n\s*\n", text.strip()) if block.strip()]
    paragraphs = "".join(f"<p>{'<br/>'.join(html.escape(line, quote=False) for line in block.splitlines())}</p>" for block in blocks)
    return f'<div xmlns="{XHTML}">{paragraphs}</div>'


def plain_text(div: str | None) -> str:
    """Narrative as plain text, whoever wrote it: tags become line breaks or nothing."""
    if not div:
        return ""
    text = re.sub(r"<br\s*/?>", "\n", div)
    text = re.sub(r"</(p|div|li|tr|h[1-6]|ul|ol|table)>", "\n\n", text)
    text = html.unescape(re.sub(r"<[^>]*>", "", text))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.strip() for line in text.splitlines())).strip()


def _template(entry: dict[str, Any]) -> Template:
    sections = tuple(Section(**{**section, "fill": tuple(section.get("fill", []))}) for section in entry["sections"])
    until = entry.get("until_age")
    return Template(entry["key"], entry["title"], entry["loinc"], sections, None if until is None else Decimal(until), entry.get("hidden", False))
