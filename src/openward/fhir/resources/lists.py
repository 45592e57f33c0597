"""A repeating element as a list that writes straight into the resource."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, MutableSequence, Sequence
from typing import Any, overload


class LiveList(MutableSequence[Any]):
    """The list under `data[key]`; the key comes with the first item and goes with the last, so that no empty array is left behind.

    Items of a primitive element may be None where only an extension stands; its `_key` twin is kept in step.
    """

    __slots__ = ("_data", "_key", "_read", "_write")

    def __init__(self, data: dict[str, Any], key: str, read: Callable[[Any], Any] | None, write: Callable[[Any], Any]) -> None:
        self._data = data
        self._key = key
        self._read = read
        self._write = write

    def _given(self, value: Any) -> Any:
        return value if self._read is None or value is None else self._read(value)

    def __len__(self) -> int:
        return len(self._data.get(self._key, ()))

    def __iter__(self) -> Iterator[Any]:
        return map(self._given, self._data.get(self._key, ()))

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        values = self._data.get(self._key, [])[index]
        return [self._given(value) for value in values] if isinstance(index, slice) else self._given(values)

    @overload
    def __setitem__(self, index: int, value: Any) -> None: ...
    @overload
    def __setitem__(self, index: slice, value: Iterable[Any]) -> None: ...
    def __setitem__(self, index: int | slice, value: Any) -> None:
        values = list(self._data.get(self._key, ()))
        values[index] = [self._write(item) for item in value] if isinstance(index, slice) else self._write(value)
        self._keep(values)

    def __delitem__(self, index: int | slice) -> None:
        twin = self._data.get("_" + self._key)
        if twin:
            del twin[index]
            if not any(twin):
                del self._data["_" + self._key]
        values = self._data.get(self._key, [])
        del values[index]
        self._keep(values)

    def insert(self, index: int, value: Any) -> None:
        plain = self._write(value)
        if twin := self._data.get("_" + self._key):
            twin.insert(index, None)
        self._data.setdefault(self._key, []).insert(index, plain)

    def _keep(self, values: list[Any]) -> None:
        if values:
            self._data[self._key] = values
        else:
            self._data.pop(self._key, None)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and not isinstance(other, str) and list(self) == list(other)

    def __repr__(self) -> str:
        return f"<{len(self)} of {self._key}>"
