"""An npm-style package of an implementation guide, read in memory and within bounds. https://confluence.hl7.org/display/FHIR/NPM+Package+Specification

Nothing in it is ever written to a file, so that its names cannot lead anywhere.
"""

from __future__ import annotations

import gzip
import io
import re
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from openward.fhir.errors import BadRequest, FhirError, TooCostly
from openward.fhir.json import loads

MEGABYTE = 2**20
MAX_PACKED = 256 * MEGABYTE
MAX_UNPACKED = 2048 * MEGABYTE
MAX_FILE = 64 * MEGABYTE
MAX_FILES = 50_000

NAME = re.compile(r"[a-z0-9][a-z0-9._\-]{0,120}", re.IGNORECASE)
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+_\-]{0,60}")
CONFORMANCE = frozenset(
    [
        "CapabilityStatement",
        "CodeSystem",
        "CompartmentDefinition",
        "ConceptMap",
        "ImplementationGuide",
        "NamingSystem",
        "OperationDefinition",
        "Questionnaire",
        "SearchParameter",
        "StructureDefinition",
        "StructureMap",
        "ValueSet",
    ]
)


class NotAPackage(BadRequest):
    """The file is not a package of an implementation guide."""


@dataclass
class Package:
    """`resources` are those that define something; the guide's examples stay out."""

    name: str
    version: str
    title: str = ""
    fhir_versions: tuple[str, ...] = ()
    dependencies: dict[str, str] = field(default_factory=dict)
    resources: list[dict[str, Any]] = field(default_factory=list)

    @property
    def guide(self) -> str:
        return f"{self.name}#{self.version}"

    def of(self, type: str) -> list[dict[str, Any]]:
        return [resource for resource in self.resources if resource["resourceType"] == type]


def read(packed: bytes) -> Package:
    """Raises NotAPackage for what is none, TooCostly for one beyond the bounds."""
    if len(packed) > MAX_PACKED:
        raise TooCostly(f"The package is {len(packed) / MEGABYTE:,.0f} MB long; at most {MAX_PACKED // MEGABYTE} MB are taken.")
    manifest: dict[str, Any] | None = None
    resources: list[dict[str, Any]] = []
    for name, body in _files(packed):
        content = _parsed(name, body)
        if name == "package.json":
            manifest = content
        elif content.get("resourceType") in CONFORMANCE:
            resources.append(content)
    if manifest is None:
        raise NotAPackage("The file holds no package/package.json.")
    return _package(manifest, resources)


def _package(manifest: dict[str, Any], resources: list[dict[str, Any]]) -> Package:
    name, version = manifest.get("name"), manifest.get("version")
    if not isinstance(name, str) or not NAME.fullmatch(name) or not isinstance(version, str) or not VERSION.fullmatch(version):
        raise NotAPackage("package.json does not say the name and version of the package.")
    stated = manifest.get("fhirVersions") or manifest.get("fhir-version-list") or ()
    dependencies = manifest.get("dependencies")
    held = {str(key): str(value) for key, value in dependencies.items()} if isinstance(dependencies, dict) else {}
    return Package(name, version, str(manifest.get("title") or name)[:200], tuple(map(str, stated)), held, resources)


def _parsed(name: str, body: bytes) -> dict[str, Any]:
    try:
        return loads(body)
    except FhirError as error:
        raise NotAPackage(f"{name[:100]} in the package cannot be read: {error}") from error


def _files(packed: bytes) -> Iterator[tuple[str, bytes]]:
    """(name, content) of the JSON files that stand right under `package/`."""
    try:
        stream = io.BufferedReader(_Bounded(gzip.GzipFile(fileobj=io.BytesIO(packed))), MEGABYTE)
        with tarfile.open(fileobj=stream, mode="r|") as files:
            for number, member in enumerate(files):
                if number >= MAX_FILES:
                    raise TooCostly(f"The package holds more than {MAX_FILES:,} files.")
                folder, _, name = member.name.removeprefix("./").rpartition("/")
                if member.isfile() and folder == "package" and name.endswith(".json") and not name.startswith("."):
                    yield name, _content(files, member)
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise NotAPackage(f"The file is not a .tgz: {error}.") from error


def _content(files: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    if member.size > MAX_FILE:
        raise TooCostly(f"{member.name[:100]} is {member.size / MEGABYTE:,.0f} MB long; at most {MAX_FILE // MEGABYTE} MB are taken.")
    opened = files.extractfile(member)
    return opened.read() if opened is not None else b""


class _Bounded(io.RawIOBase):
    """A stream that ends in TooCostly: a small file may unpack to a very large one."""

    def __init__(self, source: gzip.GzipFile) -> None:
        self.source = source
        self.left = MAX_UNPACKED

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self.source.read(len(buffer))
        self.left -= len(data)
        if self.left < 0:
            raise TooCostly(f"The package unpacks to more than {MAX_UNPACKED // MEGABYTE:,} MB.")
        buffer[: len(data)] = data
        return len(data)
