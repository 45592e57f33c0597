"""One page of a search."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar, cast

from openward.fhir.resources import Resource
from openward.fhir.search.sent import contents
from openward.fhir.versions import Version

R = TypeVar("R", bound=Resource, covariant=True)


@dataclass
class Page(Generic[R]):
    """What matched, and what came along.

    `total` is None unless asked for. `first` and `next` are the `_cursor` of the first page and of the one that follows, None on the last; each
    is all it takes to get there. `used` are the parameters as understood (without the cursor), for the self link, `ignored` the names of those
    that were not. `is_on_record`: the statement that found the page has left its audit event. Iterating gives the matches.
    """

    matches: Sequence[Version] = ()
    includes: Sequence[Version] = ()
    total: int | None = None
    next: str | None = None
    first: str | None = None
    used: Sequence[tuple[str, str]] = ()
    ignored: Sequence[str] = ()
    is_estimate: bool = False
    is_on_record: bool = False

    @cached_property
    def resources(self) -> list[R]:
        """The matches, in order."""
        return [cast(R, Resource.of(content)) for content in contents(self.matches)]

    @cached_property
    def included(self) -> list[Resource]:
        """What `_include` and `_revinclude` brought: none of the matches, each once."""
        return [Resource.of(content) for content in contents(self.includes)]

    def __iter__(self) -> Iterator[R]:
        return iter(self.resources)

    def __len__(self) -> int:
        return len(self.matches)
