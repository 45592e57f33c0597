"""The fee schedule of the demo: what is charged for what is done."""

from __future__ import annotations

from openward.access.actor import Actor
from openward.billing.actions.fees import set_fees
from openward.billing.fees import FeeLine
from openward.demo.content.services import FEES, SERVICES


def load_fee_schedule(actor: Actor) -> None:
    """Every line, and for each kind of visit, laboratory order and vaccine the line that is charged by itself."""
    charged: dict[str, list[str]] = {"OW-LAB1": ["order:laboratory"], "OW-VAC1": ["immunization:*"], "G0103": ["order:2857-1"]}
    for service in SERVICES:
        charged.setdefault(service.charge, []).append(f"visit:{service.key}")
    set_fees(lines=[FeeLine(fee.code, fee.system, fee.name, fee.price, tuple(charged.get(fee.code, ()))) for fee in FEES], by=actor)
