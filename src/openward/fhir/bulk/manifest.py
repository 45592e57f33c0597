"""What a client asks to be taken in: the parameters of `$import`, checked.

The manifest of the ping-and-pull draft and of SMART's bulk import, as Parameters: `input` parts with `url` and `type`.
https://github.com/smart-on-fhir/bulk-import/blob/master/import-manifest.md
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from openward.fhir.bulk.spec import FORMATS, NotSupported
from openward.fhir.definitions import is_resource_type
from openward.fhir.errors import BadRequest, Forbidden
from openward.fhir.ids import is_id
from openward.fhir.outgoing import Network, Unreachable, check_form

if TYPE_CHECKING:
    from openward.fhir.operations.parameters import Parameters

INPUTS_AT_MOST = 200
KNOWN = frozenset({"inputFormat", "inputSource", "input", "storageDetail"})


@dataclass(frozen=True, slots=True)
class Input:
    """One file: an address of https on the list of allowed hosts, or `Binary/ID` of this server. `type` is what it says it holds, if it does."""

    url: str
    type: str | None

    @property
    def is_binary(self) -> bool:
        return self.url.startswith("Binary/")

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def inputs(parameters: Parameters, *, hosts: Sequence[str], allowed: Sequence[Network], base: str) -> list[Input]:
    """Raises BadRequest for what is no manifest, and Forbidden for a host that is not on the list."""
    unknown = [name for name in parameters.names if name not in KNOWN]
    if unknown:
        raise NotSupported(what=", ".join(unknown)[:200])
    wanted = parameters.text("inputFormat")
    if wanted is not None and wanted not in FORMATS:
        raise NotSupported(what=f"inputFormat {wanted[:64]}")
    found = [_input(parts, hosts, allowed, base) for parts in parameters.all("input")]
    if not 1 <= len(found) <= INPUTS_AT_MOST:
        raise BadRequest(f"An import takes 1 to {INPUTS_AT_MOST} inputs.")
    return found


def _input(parts: Any, hosts: Sequence[str], allowed: Sequence[Network], base: str) -> Input:
    if not isinstance(parts, list):
        raise BadRequest("An input has the parts url and type.")
    values = {part.get("name"): _value(part) for part in parts if isinstance(part, Mapping)}
    url, type = str(values.get("url") or "").removeprefix(f"{base}/"), values.get("type")
    if type is not None and not is_resource_type(str(type)):
        raise BadRequest(f"{str(type)[:64]} is no resource type.")
    if url.startswith("Binary/"):
        if not is_id(url.removeprefix("Binary/")):
            raise BadRequest("A file in this server is Binary/ID.")
        return Input(url, type)
    try:
        parts_of_url = check_form(url, allowed)
    except Unreachable as error:
        raise BadRequest(f"An input cannot be fetched: {error}") from error
    # The host as a whole, never its beginning or end.
    if (parts_of_url.hostname or "").lower() not in {host.lower() for host in hosts}:
        raise Forbidden("This host is not one the administrator lets files be fetched from (OPENWARD_IMPORT_HOSTS).")
    return Input(url, type)


def _value(part: Mapping[str, Any]) -> Any:
    return next((value for name, value in part.items() if name.startswith("value")), None)
