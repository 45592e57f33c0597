"""What can be wrong with an X12 file, said with the place where it is wrong."""

from __future__ import annotations


class X12Error(ValueError):
    """The file cannot be trusted. `segment` counts from 1 and `offset` is in bytes from the start of the file."""

    def __init__(self, reason: str, *, segment: int | None = None, offset: int | None = None) -> None:
        self.reason = reason
        self.segment = segment
        self.offset = offset
        super().__init__(reason + self._place())

    def _place(self) -> str:
        places = []
        if self.segment is not None:
            places.append(f"segment {self.segment}")
        if self.offset is not None:
            places.append(f"byte {self.offset}")
        return f" ({', '.join(places)})" if places else ""


class Unwritable(ValueError):
    """A fact that the file needs is missing, or holds nothing that X12's character set can carry."""

    def __init__(self, fact: str, reason: str) -> None:
        self.fact = fact
        self.reason = reason
        super().__init__(f"{fact}: {reason}")
