"""Is this code right? https://hl7.org/fhir/R4/valueset-operation-validate-code.html"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from openward.fhir.errors import Issue
from openward.fhir.terminology.catalogue import Catalogue, Definition
from openward.fhir.terminology.compose import Composition
from openward.fhir.terminology.concepts import Concept, invalid
from openward.fhir.terminology.protocol import Validation
from openward.fhir.terminology.systems import CodeSystem
from openward.fhir.terminology.versions import versioned


def validated(
    catalogue: Catalogue,
    definition: Definition | None,
    system: str | None,
    code: str,
    *,
    version: str | None = None,
    display: str | None = None,
    abstract: bool = True,
    language: str | None = None,
    active_only: bool = False,
) -> Validation:
    """Against the value set where there is one, and always against the code system where it is here; in the version the code is said to be of."""
    if system is None and definition is not None:
        system = _only_system(catalogue, definition, code)
    composition = Composition(catalogue)
    held = composition.holds(definition, system, code) if definition else None
    found = _meant(catalogue, definition, composition, system, code, version)
    concept = found.find(code) if found else None
    issues = list(_faults(found, concept, system, code, version, abstract, active_only))
    result: bool | None = False if issues else True if concept else None
    if definition is not None and not issues:
        result = held
        if result is False:
            issues.append(invalid(f"{_named(system, code)} is not in the value set {definition.url}."))
        elif system and version:
            issues += _of_another_version(composition.pinned(definition, system), version, definition)
    if found is None and result is True and system and version and catalogue.system(system) is not None:
        result = None  # other versions are here, and what they hold says nothing of this one
    if definition is not None and system is not None and concept is not None:
        concept = replace(concept, designations=[*concept.designations, *composition.names(definition, system, concept.code)])
    if result is not False:
        issues += _display_faults(found, concept, display, language)
    if any(issue.severity == "error" for issue in issues):
        result = False
    name = concept.named(language) if concept else None
    message = "; ".join(issue.diagnostics for issue in issues) or (_lacking(system, version, code, definition) if result is None else None)
    own_version = found.version if found and concept else version
    return Validation(result, message, name, system, concept.code if concept else code, own_version, tuple(issues))


def _meant(
    catalogue: Catalogue, definition: Definition | None, composition: Composition, system: str | None, code: str, version: str | None
) -> CodeSystem | None:
    """The code system in the version the code is said to be of; where nothing is said, in one the value set means, if it has the code there."""
    asked = [] if version else [one for (url, _), one in composition.used.items() if url == system]
    if asked:
        return next((one for one in asked if one.find(code)), asked[0])
    return catalogue.system(system, version, definition.package if definition else None) if system else None


def _of_another_version(pinned: set[str], version: str, definition: Definition) -> list[Issue]:
    if not pinned or any(one.startswith(version) or version.startswith(one) for one in pinned):
        return []
    return [invalid(f"The code is of version {version[:100]}, the value set {definition.url} means version {' or '.join(sorted(pinned))}.")]


def _only_system(catalogue: Catalogue, definition: Definition, code: str) -> str | None:
    """The system a bare code of an element of type `code` means: the one of the value set that holds it."""
    systems = {part["system"] for part in definition.resource.get("compose", {}).get("include", ()) if part.get("system")}
    holding = [url for url in sorted(systems) if Composition(catalogue).holds(definition, url, code)]
    return holding[0] if holding else (next(iter(systems)) if len(systems) == 1 else None)


def _faults(
    system: CodeSystem | None, concept: Concept | None, url: str | None, code: str, version: str | None, abstract: bool, active_only: bool
) -> list[Issue]:
    if system is None:
        return []
    if concept is None:
        return (
            [invalid(f"{_named(url, code)} is not a code of {system.name or url}{f' {system.version}' if system.version else ''}.")]
            if system.is_whole
            else []
        )
    if concept.abstract and not abstract:
        return [invalid(f"{_named(url, code)} only groups other codes and cannot be chosen.", "business-rule")]
    if concept.inactive and active_only:
        return [invalid(f"{_named(url, code)} is no longer in use.", "business-rule")]
    return []


def _display_faults(system: CodeSystem | None, concept: Concept | None, display: str | None, language: str | None) -> list[Issue]:
    """Another display than any of the concept's names is wrong; case, punctuation and spaces do not count."""
    if system is None or concept is None or display is None or concept.display is None:
        return []
    if system.count() is None and concept.display == concept.code:
        return []  # a grammar reads its codes, as those of units, and gives them no names
    names: Sequence[str] = [concept.display, *(name.value for name in concept.designations)]
    if _plain(display) in map(_plain, names):
        return []
    return [invalid(f"{display[:200]!r} is not a name of {concept.code}, which is {concept.named(language)!r}.", "invalid")]


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _named(system: str | None, code: str) -> str:
    return f"{code[:100]} of {system[:200]}" if system else code[:100]


def _lacking(system: str | None, version: str | None, code: str, definition: Definition | None) -> str:
    if system is None:
        return f"{code[:100]} has no system, and none can be told from the value set."
    where = f" or in {definition.url}" if definition else ""
    return f"Whether {code[:100]} is in {versioned(system, version)}{where} cannot be told: not all of its codes are on this installation."
