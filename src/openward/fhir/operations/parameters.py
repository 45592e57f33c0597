"""The in-parameters of an operation, whichever way they came: a query, a form, a Parameters resource, or a bare resource.

https://hl7.org/fhir/R4/parameters.html
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from openward.fhir.errors import BadRequest

SEPARATORS = re.compile(r"[\\,|$]")
"""What means something in the value of a search unless a backslash is before it."""


class Parameters:
    """Name → values. A value from a query is a str; one from a Parameters resource is its JSON value, its resource, or its list of parts."""

    def __init__(self, pairs: Iterable[tuple[str, Any]] = ()) -> None:
        self._values: dict[str, list[Any]] = {}
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)

    @classmethod
    def of(cls, query: Sequence[tuple[str, str]], body: Mapping[str, Any] | None) -> Parameters:
        """`body`: a Parameters resource, or any other, which then is the parameter `resource`. Raises BadRequest."""
        if body is None:
            return cls(query)
        if body.get("resourceType") != "Parameters":
            return cls([*query, ("resource", body)])
        given = body.get("parameter", [])
        if not isinstance(given, list):
            raise BadRequest("Parameters.parameter is not a list.")
        return cls([*query, *map(_pair, given)])

    def __contains__(self, name: str) -> bool:
        return name in self._values

    @property
    def names(self) -> Sequence[str]:
        return tuple(self._values)

    def all(self, name: str) -> list[Any]:
        return list(self._values.get(name, ()))

    def searched(self, name: str) -> list[str]:
        """The values as a search is written: of a Reference its text, of a Coding or Identifier `system|code`, of a CodeableConcept any of its codings.

        Raises BadRequest for what has no such form.
        """
        return [_searched(name, value) for value in self.all(name)]

    def value(self, name: str) -> Any:
        """The one value, or None. Raises BadRequest when there are several."""
        values = self._values.get(name, ())
        if len(values) > 1:
            raise BadRequest(f"{name} is given {len(values)} times.")
        return values[0] if values else None

    def text(self, name: str) -> str | None:
        """A string, code, uri or date as text."""
        value = self.value(name)
        if value is None or isinstance(value, str):
            return value
        raise BadRequest(f"{name} is not text.")

    def texts(self, name: str) -> list[str]:
        """Each value as text. Raises BadRequest."""
        values = self.all(name)
        if not all(isinstance(value, str) for value in values):
            raise BadRequest(f"{name} is not text.")
        return values

    def flag(self, name: str, *, otherwise: bool = False) -> bool:
        value = self.value(name)
        if value is None:
            return otherwise
        if value in (True, "true"):
            return True
        if value in (False, "false"):
            return False
        raise BadRequest(f"{name} is neither true nor false.")

    def number(self, name: str, *, at_most: int = 2**31 - 1) -> int | None:
        """A whole number from 0 to `at_most`."""
        value = self.value(name)
        if value is None:
            return None
        if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 10:
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= at_most:
            raise BadRequest(f"{name} is not a whole number from 0 to {at_most:,}.")
        return value

    def instant(self, name: str) -> dt.datetime | None:
        """A moment; one without a time zone is taken as UTC."""
        text = self.text(name)
        if text is None:
            return None
        try:
            # A space is a '+' that the client did not encode.
            moment = dt.datetime.fromisoformat(text.replace(" ", "+"))
        except ValueError as error:
            raise BadRequest(f"{name} is not a date and time such as 2026-11-03T09:30:00Z.") from error
        return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)

    def resource(self, name: str) -> dict[str, Any] | None:
        value = self.value(name)
        if value is None or (isinstance(value, dict) and "resourceType" in value):
            return value
        raise BadRequest(f"{name} is not a resource.")


def _searched(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float | Decimal):
        return str(value).lower()
    if isinstance(value, dict) and isinstance(value.get("reference"), str):
        return str(value["reference"])
    codings = value.get("coding", [value]) if isinstance(value, dict) else []
    tokens = [token for coding in codings if isinstance(coding, dict) and (token := _token(coding))]
    if not tokens:
        raise BadRequest(f"{name[:64]} is written as in a search, or is a Reference, a Coding, or a CodeableConcept with a code.")
    return ",".join(tokens)


def _token(coding: Mapping[str, Any]) -> str | None:
    """`system|code` of a Coding or an Identifier; without a system the code in any."""
    code, system = coding.get("code") or coding.get("value"), coding.get("system")
    if not isinstance(code, str):
        return None
    return "|".join(SEPARATORS.sub(r"\\\g<0>", part) for part in (system, code) if isinstance(part, str))


def _pair(part: Any) -> tuple[str, Any]:
    if not isinstance(part, dict) or not isinstance(part.get("name"), str):
        raise BadRequest("Every parameter needs a name.")
    if "resource" in part:
        return part["name"], part["resource"]
    if "part" in part:
        return part["name"], part["part"]
    values = [value for key, value in part.items() if key.startswith("value")]
    if len(values) != 1:
        raise BadRequest(f"The parameter {part['name'][:64]} has {len(values)} values; one is needed.")
    return part["name"], values[0]
