"""What the front desk writes down: the patient and their coverage."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from openward.demo.content.names import BACKGROUNDS
from openward.demo.content.places import STREETS
from openward.demo.generation.parts import Json, coding, day, hl7, identifier, to
from openward.demo.generation.people import Person

if TYPE_CHECKING:
    from openward.demo.generation.chart import Chart

US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition"
OMB = "urn:oid:2.16.840.1.113883.6.238"


def write(chart: Chart) -> None:
    person = chart.person
    patient: Json = {"resourceType": "Patient", "id": person.id}
    chart.resources.append(patient)
    patient |= {
        "extension": _race(person),
        "active": True,
        "name": [{"use": "official", "family": person.family, "given": [person.given, person.middle]}],
        "telecom": _telecom(chart),
        "gender": person.sex,
        "birthDate": day(person.born),
        **({"deceasedDateTime": day(person.died)} if person.died else {}),
        "address": [_address(chart)],
        **_household(chart),
        "communication": [{"language": {"coding": [coding("urn:ietf:bcp:47", *person.language)], "text": person.language[1]}, "preferred": True}],
        "generalPractitioner": [chart.house.ref("practitioner", person.doctor.key)],
        "managingOrganization": chart.house.ref("organization", "hospital"),
    }
    if not (person.payer.key != "statecare" and 19 <= person.age_on(chart.today) < 65 and chart.chance.happens(0.07)):
        chart.named["coverage"] = _coverage(chart)


def _race(person: Person) -> list[Json]:
    ethnicity = ("2135-2", "Hispanic or Latino") if person.background.hispanic else ("2186-5", "Not Hispanic or Latino")
    found = [_omb("us-core-ethnicity", *ethnicity)]
    return [_omb("us-core-race", *person.background.race), *found] if person.background.race else found


def _omb(name: str, code: str, display: str) -> Json:
    return {
        "url": f"{US_CORE}/{name}",
        "extension": [{"url": "ombCategory", "valueCoding": coding(OMB, code, display)}, {"url": "text", "valueString": display}],
    }


def _telecom(chart: Chart) -> list[Json]:
    person, chance = chart.person, chart.chance
    phone = _phone(chart)
    found: list[Json] = [{"system": "phone", "value": phone, "use": "mobile" if person.age_on(chart.today) < 72 else "home"}]
    if person.age_on(chart.today) >= 18 and chance.happens(0.85):
        found.append({"system": "email", "value": f"{person.given}.{person.family}.{person.number}@example.org".lower(), "use": "home"})
    return found


def _phone(chart: Chart) -> str:
    """A number of the range kept for fiction, as it is dialled."""
    return f"+1{chart.chance.choice(chart.person.facility.area_codes)}55501{chart.chance.randrange(100):02d}"


def _address(chart: Chart) -> Json:
    chance = chart.chance
    town, zip_code = chance.choice(chart.person.facility.towns)
    line = f"{chance.randint(2, 980)} {chance.choice(STREETS)}"
    apartment = [f"Apt {chance.randint(1, 40)}"] if chance.happens(0.25) else []
    return {
        "use": "home", "type": "both", "line": [line, *apartment], "city": town, "state": chart.person.facility.state,
        "postalCode": zip_code, "country": "US",
    }  # fmt: skip


def _household(chart: Chart) -> Json:
    """Marital status of adults, and whom to call."""
    person, chance = chart.person, chart.chance
    age = person.age_on(chart.today)
    other = chance.choice(BACKGROUNDS[0].female if chance.happens(0.5) else BACKGROUNDS[0].male)
    kind = ("PRN", "parent") if age < 18 else ("SPS", "spouse") if age > 25 and chance.happens(0.6) else ("FRND", "friend")
    contact = {
        "relationship": [{"coding": [coding("http://terminology.hl7.org/CodeSystem/v3-RoleCode", kind[0], kind[1])], "text": kind[1].title()}],
        "name": {"family": person.family, "given": [other]},
        "telecom": [{"system": "phone", "value": _phone(chart)}],
    }
    marital = {"maritalStatus": hl7("v3-MaritalStatus", "M" if kind[0] == "SPS" else "S")} if age >= 18 else {}
    return {**marital, "contact": [contact]} if age < 19 or chance.happens(0.8) else marital


def _coverage(chart: Chart) -> Json:
    """The insurance, since the beginning of last year; a child's is held by a parent, who now and then nobody wrote down."""
    person, chance = chart.person, chart.chance
    own = person.age_on(chart.today) >= 19
    member = f"{person.payer.payer_id}{chance.randrange(10**7, 10**8)}"
    return chart.add(
        "Coverage",
        identifier=[identifier("urn:openward:member", member, "MB")],
        status="active",
        type=_kind_of_plan(person),
        subscriber=chart.patient if own else None if chance.happens(0.07) else to(_holder(chart)),
        subscriberId=None if own and chance.happens(0.02) else member,
        beneficiary=chart.patient,
        relationship=hl7("subscriber-relationship", "self" if own else "child"),
        period={"start": day(max(dt.date(chart.today.year - 1, 1, 1), person.born))},
        payor=[chart.house.ref("payer", person.payer.key)],
        order=1,
        **{"class": [{"type": hl7("coverage-class", "group"), "value": f"G{chance.randrange(1000, 9999)}", "name": f"{person.payer.name} group"}]},
        **({} if own else {"dependent": "01"}),
    )


def _kind_of_plan(person: Person) -> Json:
    code, display = {"statecare": ("SUBSIDIZ", "subsidized health program"), "silverline": ("PUBLICPOL", "public healthcare")}.get(
        person.payer.key, ("EHCPOL", "extended healthcare")
    )
    return {"coding": [coding("http://terminology.hl7.org/CodeSystem/v3-ActCode", code, display)], "text": display.capitalize()}


def _holder(chart: Chart) -> Json:
    """The parent who holds the insurance of a child, at the child's address."""
    patient, chance = chart.resources[0], chart.chance
    mother = chance.happens(0.5)
    given = patient["contact"][0]["name"]["given"][0]
    return chart.add(
        "RelatedPerson",
        active=True,
        patient=chart.patient,
        relationship=[{"coding": [coding("http://terminology.hl7.org/CodeSystem/v3-RoleCode", "PRN", "parent")], "text": "Parent"}],
        name=[{"use": "official", "family": chart.person.family, "given": [given]}],
        telecom=patient["contact"][0]["telecom"],
        gender="female" if mother else "male",
        birthDate=day(chart.person.born - dt.timedelta(days=chance.randint(21 * 365, 40 * 365))),
        address=patient["address"],
    )
