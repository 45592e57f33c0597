"""`_list`: the resources that Lists name. https://hl7.org/fhir/R4/search.html#list"""

from __future__ import annotations

from openward.fhir.ids import key
from openward.fhir.search.hierarchy import Visible
from openward.fhir.search.query import Listed
from openward.fhir.search.reference import pointer
from openward.fhir.search.rows import COLUMNS, version_in_part
from openward.fhir.search.sql import FALSE, Bindings


def condition(wanted: Listed, bind: Bindings, visible: Visible) -> str:
    """The rows `c` that an entry of a List the actor may see names; an entry marked as deleted names nothing."""
    own = Bindings(bind.values["tenant"])
    seen = visible(own, "List")
    if seen == FALSE:
        return FALSE
    lists = own.place([key("List", id) for id in wanted.ids], "::uuid[]")
    select = f"select {COLUMNS} from fhir.current c join fhir.body b using (tenant, rtype, rkey, ver) where {seen} and c.rkey = any({lists})"  # noqa: S608
    entries = [entry for row in bind.facts.look(select, own.values) for entry in version_in_part(row).content.get("entry", ())]
    named = [pointer(entry.get("item", {}).get("reference") or "") for entry in entries if not entry.get("deleted")]
    keys = [found[1] for found in named if found and found[0] == wanted.type]
    return f"c.rkey = any({bind.place(keys, '::uuid[]')})" if keys else FALSE
