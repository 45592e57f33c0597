"""What the front desk writes down: the patient and their coverage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openward.demo.content.names import BACKGROUNDS
from openward.demo.content.places import STREETS
from openward.demo.generation.parts import Json, coding, day, hl7, identifier
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
    phone = f"({chance.choice(person.facility.area_codes)}) 555-01{chance.randrange(100):02d}"
    found: list[Json] = [{"system": "phone", "value": phone, "use": "mobile" if person.age_on(chart.today) < 72 else "home"}]
    if person.age_on(chart.today) >= 18 and chance.happens(0.85):
        found.append({"system": "email", "value": f"{person.given}.{person.family}.{person.number}@example.org".lower(), "use": "home"})
    return found


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
        "telecom": [{"system": "phone", "value": f"({chance.choice(person.facility.area_codes)}) 555-01{chance.randrange(100):02d}"}],
    }
    marital = {"maritalStatus": hl7("v3-MaritalStatus", "M" if kind[0] == "SPS" else "S")} if age >= 18 else {}
    return {**marital, "contact": [contact]} if age < 18 or chance.happens(0.8) else marital


def _coverage(chart: Chart) -> Json:
    person, chance = chart.person, chart.chance
    own = person.age_on(chart.today) >= 19
    member = f"{person.payer.payer_id}{chance.randrange(10**7, 10**8)}"
    since = max(person.joined.replace(day=1), chart.today.replace(month=1, day=1))
    return chart.add(
        "Coverage",
        identifier=[identifier("urn:openward:member", member, "MB")],
        status="active",
        type={"coding": [coding("http://terminology.hl7.org/CodeSystem/v3-ActCode", "EHCPOL", "extended healthcare")]},
        subscriberId=member,
        beneficiary=chart.patient,
        relationship=hl7("subscriber-relationship", "self" if own else "child"),
        period={"start": day(min(since, chart.today))},
        payor=[chart.house.ref("payer", person.payer.key)],
        order=1,
        **{"class": [{"type": hl7("coverage-class", "group"), "value": f"G{chance.randrange(1000, 9999)}", "name": f"{person.payer.name} group"}]},
        **({} if own else {"dependent": "01"}),
    )
