"""Where the affected live: of more than 500 residents of one state, prominent media there are told too. 45 CFR 164.406

https://www.ecfr.gov/current/title-45/section-164.406
"""

from __future__ import annotations

from openward.access.known import rows
from openward.audit.models import Breach
from openward.fhir.definitions import type_number

MORE_THAN = 500
STATES = """select upper(trim(b.body::jsonb #>> '{address,0,state}')), count(*)
  from audit_affected a join fhir.current c on c.tenant = %(tenant)s and c.rtype = %(patient)s and c.rkey = a.patient
  join fhir.body b using (tenant, rtype, rkey, ver) where a.breach_id = %(breach)s group by 1 having count(*) > %(more)s order by 2 desc"""


def pressed(breach: Breach) -> list[tuple[str, int]]:
    """State and how many of the affected live there, of those where the press is told; the most first. Who has no state stands under the empty one."""
    if breach.affected.count() <= MORE_THAN:
        return []
    asked = {"tenant": breach.tenant, "patient": type_number("Patient"), "breach": breach.pk, "more": MORE_THAN}
    return [(state or "", count) for state, count in rows(STATES, asked)]
