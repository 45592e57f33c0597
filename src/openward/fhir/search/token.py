"""Token parameters: codes, concepts, identifiers, contact points, booleans. https://hl7.org/fhir/R4/search.html#token

Every token is a 64-bit hash in `current.tok`, under each of the ways it may be asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from openward.fhir.definitions import SearchParameter, codes_by_system, element, has_structure
from openward.fhir.errors import BadRequest
from openward.fhir.sealing.rules import asked_for, found_by
from openward.fhir.search.escape import parted, plain
from openward.fhir.search.parameters import INDEXED, number, owned
from openward.fhir.search.sql import Bindings
from openward.fhir.search.string import normal

ANY = "\x1e"
TEXT_ONLY = "urn:openward:text"
SECONDARY, OF_TYPE, BASE = "+", "~", "<"
MIME_TYPES = "http://hl7.org/fhir/ValueSet/mimetypes"
# What a code is called, much as `normal` has it; asked only of the few names that hold more than ASCII, since it takes a while.
PLAIN = r"regexp_replace(lower(normalize(t.display, NFKD)), '[\u0300-\u036f]', '', 'g')"
UNACCENTED = f"translate(replace(replace({PLAIN}, 'ß', 'ss'), 'æ', 'ae'), 'øłđðı', 'olddi')"
IS_ACCENTED = "octet_length(t.display) > length(t.display)"


@lru_cache(maxsize=16384)
def token_hash(parameter: str, system: str | None, code: str | None) -> int:
    """The hash a token of `parameter` has in `current.tok`, signed 64 bits.

    `system` None: whatever the system; "": no system. `code` None: whatever the code (identifiers only). An element of type `code` has the
    system of the value set it is bound to.
    """
    named = f"{parameter}\x1f{ANY if system is None else system}\x1f{ANY if code is None else code}"
    return int.from_bytes(blake2b(named.encode(), digest_size=8).digest(), "big", signed=True)


def secondary_hash(parameter: str, system: str | None, code: str | None) -> int:
    """What a coding leaves besides when it is not the first of its resource, so that `current.code` can answer for all the others."""
    return token_hash(SECONDARY + parameter, system, code)


def no_code_hash(parameter: str) -> int:
    """What a concept or coding leaves that says nothing but why (an extension), so that `:not` finds it."""
    return token_hash(parameter, "", "")


# (hash, parameter number, system, code, display): a row of fhir.token
Entry = tuple[int, int, str, str, str]


@lru_cache(maxsize=16384)
def coding(parameter: str, system: str, code: str, display: str) -> tuple[tuple[int, int], Entry]:
    """The hashes of one coding, and its row in the dictionary."""
    exact = token_hash(parameter, system, code)
    return (exact, token_hash(parameter, None, code)), (exact, number(parameter), system[:INDEXED], code[:INDEXED], display)


def from_coding(parameter: str, value: Mapping[str, Any], tokens: set[int], entries: dict[int, Entry]) -> None:
    get = value.get
    system, code, display = get("system", ""), get("code", ""), get("display", "")
    if not (code or system or display):
        tokens.add(no_code_hash(parameter))
        return
    hashes, entry = coding(parameter, system, code, display)
    tokens.update(hashes)
    entries[entry[0]] = entry


def from_concept(parameter: str, value: Mapping[str, Any], tokens: set[int], entries: dict[int, Entry]) -> None:
    codings = value.get("coding", ())
    for one in codings:
        from_coding(parameter, one, tokens, entries)
    text = value.get("text")
    if text:
        for one in codings:
            if one.get("display") == text:
                return
        _from_text(parameter, text, tokens, entries)
    elif not codings:
        tokens.add(no_code_hash(parameter))


def _from_text(parameter: str, text: str, tokens: set[int], entries: dict[int, Entry]) -> None:
    """A text without a code, for `:text`."""
    h = token_hash(parameter, TEXT_ONLY, text)
    tokens.add(h)
    entries[h] = (h, number(parameter), TEXT_ONLY, text[:200], text[:400])


def from_identifier(parameter: str, value: Mapping[str, Any], tokens: set[int], entries: dict[int, Entry], tenant: int) -> None:
    system, text = value.get("system", ""), value.get("value")
    tokens.add(token_hash(parameter, system, None))
    if text is None:
        return
    text = found_by(value, text, tenant)
    tokens.update((token_hash(parameter, system, text), token_hash(parameter, None, text)))
    kinds = value.get("type", {})
    if kinds.get("text"):
        _from_text(parameter, kinds["text"], tokens, entries)
    for kind in kinds.get("coding", ()):
        tokens.add(token_hash(OF_TYPE + parameter, f"{kind.get('system', '')}|{kind.get('code', '')}", text))


def from_contact(parameter: str, value: Mapping[str, Any], tokens: set[int]) -> None:
    """A telephone number is its digits, an e-mail address has no case; `system|` is the contact point's system or its use."""
    text = contact(value.get("value", ""))
    if not text:
        return
    tokens.update(token_hash(parameter, system, text) for system in (None, value.get("system", ""), value.get("use", "")))


def contact(text: str) -> str:
    digits = "".join(character for character in text if character.isdigit())
    if len(digits) >= 5 and not any(character.isalpha() for character in text):
        return digits[1:] if len(digits) == 11 and digits[0] == "1" else digits
    return text.strip().casefold()


def of_code(parameter: str, value: str, systems: Mapping[str, str]) -> tuple[int, ...]:
    """The hashes of an element of type code; of `text/xml; charset=UTF-8` that of `text/xml` besides, for `:below`."""
    found = token_hash(parameter, systems.get(value, ""), value), token_hash(parameter, None, value)
    base, parted, _ = value.partition(";")
    return (*found, token_hash(BASE + parameter, "", base.strip())) if parted else found


def extract(parameter: SearchParameter, datatype: str, value: Any, tokens: set[int], entries: dict[int, Entry], tenant: int) -> None:
    """Add the hashes of one value to `tokens`, and what the dictionary should know to `entries`."""
    code = parameter.code
    if datatype == "CodeableConcept":
        from_concept(code, value, tokens, entries)
    elif datatype == "Coding":
        from_coding(code, value, tokens, entries)
    elif datatype == "code":
        tokens.update(of_code(code, value, implied_systems(parameter)))
    elif datatype == "Identifier":
        from_identifier(code, value, tokens, entries, tenant)
    elif datatype == "ContactPoint":
        from_contact(code, value, tokens)
    else:
        text = value if isinstance(value, str) else str(value).lower()
        for spelled in (text, text.casefold()) if datatype == "string" else (text,):
            tokens.update((token_hash(code, None, spelled), token_hash(code, "", spelled)))


def implied_systems(parameter: SearchParameter) -> Mapping[str, str]:
    """Code → system, of the required value sets that the parameter's elements of type `code` are bound to."""
    return _implied(parameter.base, parameter.code, parameter.paths)


@lru_cache(maxsize=4096)
def _implied(base: str, code: str, paths: Any) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for path in paths:
        binding = _binding(base, [step.key for step in path.steps])
        for system, codes in ((codes_by_system(binding) if binding else None) or {}).items():
            found.update(dict.fromkeys(codes, system))
    return found


def has_known_codes(parameter: SearchParameter) -> bool:
    """Whether every element of the parameter is a code of a required value set whose codes are all known here."""
    bindings = [_binding(parameter.base, [step.key for step in path.steps]) for path in parameter.paths]
    return all(binding and codes_by_system(binding) for binding in bindings)


def _binding(type: str, keys: Sequence[str]) -> str | None:
    binding = None
    for key in keys:
        here = next((e for e in element(type).values() if key in e.keys), None) if has_structure(type) else None
        if here is None:
            return None
        type, binding = here.keys[key], here.binding
    return binding


def condition(parameter: SearchParameter, values: Sequence[str], modifier: str | None, bind: Bindings) -> str:
    """`[system]|[code]`, any of `values`; the modifiers :text, :of-type, :in, :above and :below. `negation` takes :not and :not-in."""
    found, _ = asked(parameter, values, modifier, bind)
    return f"({found}) is true" if bind.is_walked else found


def asked(parameter: SearchParameter, values: Sequence[str], modifier: str | None, bind: Bindings) -> tuple[str, list[int] | None]:
    """The rows `c` with one of the values, and their hashes; None where the statement itself looks some of them up."""
    hashes: list[int] = []
    lists: list[str] = []
    for owner in owned(parameter.base, parameter.code):
        for value in values:
            _ask(owner, value, modifier, bind, hashes, lists)
    wanted = " || ".join([bind.numbers(hashes), *lists])
    found = f"c.tok @> {wanted}" if len(set(hashes)) == 1 and not lists else f"c.tok && ({wanted})"
    return found, None if lists else hashes


def _ask(owner: SearchParameter, value: str, modifier: str | None, bind: Bindings, hashes: list[int], lists: list[str]) -> None:
    if modifier == "text":
        lists.append(_by_text(owner, plain(value), bind))
        return
    if modifier == "of-type":
        hashes += _of_type(owner, value, bind.tenant)
        return
    if modifier in ("in", "not-in"):
        hashes += [token_hash(owner.code, system, code) for system, code in bind.facts.in_set(plain(value))]
        return
    if modifier in ("above", "below"):
        hashes += _related(owner, value, modifier, bind)
        return
    system, bar, code = parted(value)
    if bar and not code:
        hashes.append(token_hash(owner.code, system, None))
        lists.append(_by_system(owner, system, bind))
        return
    if not code:
        raise BadRequest(f"{owner.code}: a token is code, system|code, |code or system|; got {value!r}.")
    wanted = system if bar else None
    hashes += [token_hash(owner.code, wanted, text) for text in _spellings(owner, wanted, code, bind.tenant)]


def _spellings(owner: SearchParameter, system: str | None, code: str, tenant: int) -> Sequence[str]:
    """Of a string also the one without case. https://hl7.org/fhir/R4/search.html#token"""
    kinds = _datatypes(owner)
    if "Identifier" in kinds:
        return asked_for(system, code, tenant)
    if "ContactPoint" in kinds:
        return (contact(code),)
    return (code, code.casefold()) if "string" in kinds else (code,)


@lru_cache(maxsize=4096)
def _datatypes(owner: SearchParameter) -> frozenset[str]:
    return frozenset(path.datatype for path in owner.paths)


def _of_type(owner: SearchParameter, value: str, tenant: int) -> list[int]:
    parts = [plain(part) for part in value.split("|")]
    if len(parts) != 3 or not all(parts[1:]):
        raise BadRequest(f"{owner.code}:of-type takes system|code|value; got {value!r}.")
    return [token_hash(OF_TYPE + owner.code, f"{parts[0]}|{parts[1]}", text) for text in asked_for(None, parts[2], tenant)]


@lru_cache(maxsize=4096)
def _is_mime_type(owner: SearchParameter) -> bool:
    """https://hl7.org/fhir/R4/search.html#mimetype"""
    bindings = [_binding(owner.base, [step.key for step in path.steps]) for path in owner.paths]
    return bool(bindings) and all(binding is not None and binding.startswith(MIME_TYPES) for binding in bindings)


def _related(owner: SearchParameter, value: str, modifier: str, bind: Bindings) -> list[int]:
    system, bar, code = parted(value)
    if code and not bar and modifier == "below" and _is_mime_type(owner):
        return [token_hash(owner.code, None, code), token_hash(BASE + owner.code, "", code)]
    if not system or not code:
        raise BadRequest(f"{owner.code}:{modifier} takes system|code; got {value!r}.")
    codes = bind.facts.below(system, code) if modifier == "below" else bind.facts.above(system, code)
    return [token_hash(owner.code, system, one) for one in codes]


def _by_system(owner: SearchParameter, system: str, bind: Bindings) -> str:
    return (
        f"array(select t.h from fhir.token t where t.tenant = %(tenant)s and t.param = {bind.place(number(owner.code))}"  # noqa: S608
        f" and t.system = {bind.place(system[:INDEXED])})"
    )


def _by_text(owner: SearchParameter, value: str, bind: Bindings) -> str:
    """As a string is searched for, from the start of any word. https://hl7.org/fhir/R4/search.html#modifiers"""
    starts = [text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") for text in {normal(value), " ".join(value.lower().split())}]
    patterns = bind.place([pattern for start in starts for pattern in (f"{start}%", f"% {start}%")], "::text[]")
    return (
        f"array(select t.h from fhir.token t where t.tenant = %(tenant)s and t.param = {bind.place(number(owner.code))}"  # noqa: S608
        f" and (lower(t.display) like any({patterns}) or {IS_ACCENTED} and {UNACCENTED} like any({patterns})))"
    )
