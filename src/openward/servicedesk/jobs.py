"""What is unhealthy opens an incident by itself, and says on it when it is well again."""

from __future__ import annotations

from openward.access.actor import Actor
from openward.record.health import Finding, findings
from openward.record.jobs import every
from openward.servicedesk.actions import Context, answer, open_ticket
from openward.servicedesk.models import Ticket


@every("* * * * *", "servicedesk.watch_health")
def watch_health() -> None:
    """Open an incident for what is unhealthy, once; close it when it is well again and nobody has taken it up."""
    by = Actor.system("watch health", tenant=1)
    for finding in findings():
        source = f"health:{finding.name}"
        known = Ticket.objects.filter(tenant=1, source=source).exclude(state=Ticket.State.RESOLVED).first()
        if finding.trouble and known is None:
            _open(finding, source, by)
        elif finding.is_well and known is not None and known.state == Ticket.State.NEW:
            answer(ticket=known, words=f"{finding.title}: well again.", by=by, state=Ticket.State.RESOLVED)


def _open(finding: Finding, source: str, by: Actor) -> None:
    impact = Ticket.Impact.STOPPED if finding.vital else Ticket.Impact.SLOWED
    open_ticket(title=f"{finding.title} in trouble", words=finding.trouble or "", impact=impact, context=Context(), by=by, source=source)
