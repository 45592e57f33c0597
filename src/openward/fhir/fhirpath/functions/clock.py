"""Now, the same for a whole evaluation, in UTC. https://hl7.org/fhirpath/N1/#current-date-and-time-functions"""

from __future__ import annotations

from openward.fhir.fhirpath.context import Context
from openward.fhir.fhirpath.functions.registry import function
from openward.fhir.fhirpath.model import Items
from openward.fhir.fhirpath.moments import Moment


@function("now")
def now(items: Items, context: Context) -> Items:
    return [context.now_moment()]


@function("today")
def today(items: Items, context: Context) -> Items:
    return [Moment("Date", context.now_moment().parts[:3])]


@function("timeOfDay")
def time_of_day(items: Items, context: Context) -> Items:
    return [Moment("Time", context.now_moment().parts[3:])]
