"""One page of a search."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Generic, TypeVar, cast

from openward.fhir.resources import Resource
from openward.fhir.search.sent import contents
from openward.fhir.versions import Version

R = TypeVar("R", bound=Resource, covariant=True)


def _nowhere(position: Sequence[str]) -> str:
    raise LookupError("a page that no search made has no other")


@dataclass
class Page(Generic[R]):
    """What matched, and what came along.

    `total` is None unless asked for. `following` is where the next page begins, None on the last; `is_first`: whether this is the page the search
    begins with. `used` are the parameters as understood (without the cursor), for the self link, `ignored` the names of those
    that were not. `is_on_record`: the statement that found the page has left its audit event. Iterating gives the matches.
    """

    matches: Sequence[Version] = ()
    includes: Sequence[Version] = ()
    total: int | None = None
    following: Sequence[str] | None = None
    is_first: bool = True
    address: Callable[[Sequence[str]], str] = field(default=_nowhere, repr=False)
    used: Sequence[tuple[str, str]] = ()
    ignored: Sequence[str] = ()
    is_estimate: bool = False
    is_on_record: bool = False

    @cached_property
    def next(self) -> str | None:
        """The `_cursor` of the page that follows, which is all it takes to get there; made when it is asked for, since it must be sealed."""
        return self.address(self.following) if self.following is not None else None

    @cached_property
    def first(self) -> str | None:
        """The `_cursor` of the page the search begins with; None on that page itself, whose address is its self link."""
        return None if self.is_first else self.address(())

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
