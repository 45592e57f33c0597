"""Uri parameters: the whole uri, letter by letter. https://hl7.org/fhir/R4/search.html#uri"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from openward.fhir.definitions import SearchParameter
from openward.fhir.search.parameters import owned
from openward.fhir.search.sql import Bindings
from openward.fhir.search.token import token_hash


def extract(parameter: str, value: str) -> Iterator[int]:
    """Hashes for `current.tok`; a canonical `url|version` is found by its url too."""
    yield token_hash(parameter, "", value)
    url, bar, _ = value.rpartition("|")
    if bar:
        yield token_hash(parameter, "", url)


def condition(parameter: SearchParameter, values: Sequence[str], modifier: str | None, bind: Bindings) -> str:
    hashes = [token_hash(owner.code, "", value) for owner in owned(parameter.base, parameter.code) for value in values]
    return f"c.tok && {bind.numbers(hashes)}"
