"""The hospital itself as resources: organisation, facilities, rooms, services, people who work there, payers, laboratory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from openward.demo.content.places import FACILITIES, ORGANISATION, TAX_NUMBER, Facility
from openward.demo.content.services import PAYERS, SERVICES
from openward.demo.content.staff import CLINICIANS, NURSES, Clinician, Nurse
from openward.demo.generation.chance import fixed_id
from openward.demo.generation.moment import Moment
from openward.demo.generation.parts import SERVICE, TERMINOLOGY, Json, coding, hl7, identifier, to

HOUSE = 0
WEEK = ("mon", "tue", "wed", "thu", "fri")
DAYS = (*WEEK, "sat", "sun")


@dataclass(frozen=True)
class House:
    """The hospital's resources, and where each thing of it is found by its key."""

    resources: list[Json]
    named: dict[str, Json]

    def ref(self, kind: str, key: str) -> Json:
        """A reference with its display, such as `ref("practitioner", "osei")`."""
        found = self.named[f"{kind}/{key}"]
        return to(found, title(found))

    def get(self, kind: str, key: str) -> Json:
        return self.named[f"{kind}/{key}"]


def title(resource: Json) -> str:
    """What people call it."""
    if resource["resourceType"] == "Practitioner":
        return str(resource["name"][0]["text"])
    return str(resource.get("name") or resource["id"])


def house(seed: int, moment: Moment) -> House:
    named: dict[str, Json] = {}
    for number, (key, resource) in enumerate(_everything(moment), start=1):
        named[key] = {"resourceType": resource.pop("resourceType"), "id": fixed_id(seed, HOUSE, number), **resource}
    _link(named)
    return House(list(named.values()), named)


def _everything(moment: Moment) -> Iterator[tuple[str, Json]]:
    yield "organization/hospital", _hospital()
    yield (
        "organization/laboratory",
        {"resourceType": "Organization", "active": True, "type": [hl7("organization-type", "prov")], "name": "Demo Reference Laboratory"},
    )
    for payer in PAYERS:
        yield f"payer/{payer.key}", _payer(payer.name, payer.payer_id)
    for facility in FACILITIES:
        yield f"facility/{facility.key}", _facility(facility)
        for room in facility.rooms:
            yield f"room/{facility.key}/{room}", _room(facility, room)
    for service in SERVICES:
        yield f"service/{service.key}", _service(service.key, service.name, service.minutes)
    for clinician in CLINICIANS:
        yield f"practitioner/{clinician.key}", _practitioner(clinician)
    for nurse in NURSES:
        yield f"practitioner/{nurse.key}", _nurse(nurse)
    for clinician in CLINICIANS:
        yield f"role/{clinician.key}", _role(clinician, moment)
    for nurse in NURSES:
        yield (
            f"role/{nurse.key}",
            {
                "resourceType": "PractitionerRole",
                "active": True,
                "code": [hl7("practitioner-role", "nurse", "Nurse")],
                "telecom": [_phone(nurse.facility)],
                "_key": nurse.key,
                "_at": nurse.facility,
            },
        )


def _hospital() -> Json:
    return {
        "resourceType": "Organization",
        "identifier": [
            identifier("http://hl7.org/fhir/sid/us-npi", npi(1)),
            identifier("urn:oid:2.16.840.1.113883.4.4", TAX_NUMBER, "TAX"),
        ],
        "active": True,
        "type": [hl7("organization-type", "prov", "Healthcare Provider")],
        "name": ORGANISATION,
        "telecom": [{"system": "phone", "value": "+12125550100", "use": "work"}],
        "address": [_address(FACILITIES[0])],
    }


def _address(facility: Facility) -> Json:
    return {
        "use": "work", "type": "both", "line": [facility.street], "city": facility.town, "state": facility.state,
        "postalCode": facility.zip, "country": "US",
    }  # fmt: skip


def _payer(name: str, payer_id: str) -> Json:
    return {
        "resourceType": "Organization",
        "identifier": [identifier("urn:openward:payer", payer_id)],
        "active": True,
        "type": [hl7("organization-type", "pay", "Payer")],
        "name": name,
        "address": [{"line": ["PO Box 100"], "city": "Maple Hollow", "state": "NY", "postalCode": "00199", "country": "US"}],
    }


def _facility(facility: Facility) -> Json:
    return {
        "resourceType": "Location",
        "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/timezone", "valueCode": facility.zone}],
        "identifier": [identifier("urn:openward:facility", facility.key)],
        "status": "active",
        "name": facility.name,
        "mode": "instance",
        "telecom": [_phone(facility.key)],
        "address": _address(facility),
        "physicalType": hl7("location-physical-type", "bu", "Building"),
    }


def _room(facility: Facility, room: str) -> Json:
    return {
        "resourceType": "Location", "status": "active", "name": room, "mode": "instance",
        "physicalType": hl7("location-physical-type", "ro", "Room"), "_in": facility.key,
    }  # fmt: skip


def _service(key: str, name: str, minutes: int) -> Json:
    return {
        "resourceType": "HealthcareService",
        "extension": [{"url": "urn:openward:duration-minutes", "valueInteger": minutes}],
        "active": True,
        "type": [{"coding": [coding(SERVICE, key, name)], "text": name}],
        "name": name,
        "_service": key,
    }


def _practitioner(clinician: Clinician) -> Json:
    return {
        "resourceType": "Practitioner",
        "identifier": [identifier("http://hl7.org/fhir/sid/us-npi", npi(100 + CLINICIANS.index(clinician)), "NPI")],
        "active": True,
        "name": [_name(clinician.given, clinician.family, clinician.prefix, clinician.suffix)],
        "telecom": [{"system": "email", "value": f"{clinician.family.lower()}@demo.example.org", "use": "work"}],
        "gender": clinician.sex,
        "qualification": [{"code": {"coding": [coding(f"{TERMINOLOGY}/v2-0360", clinician.suffix)], "text": clinician.suffix}}],
    }


def _nurse(nurse: Nurse) -> Json:
    """Nobody bills by them: what the practice itself calls them is enough."""
    number = identifier("urn:openward:employee", f"{NURSES.index(nurse) + 1:03d}", "EI")
    name = [_name(nurse.given, nurse.family, "", "RN")]
    return {"resourceType": "Practitioner", "identifier": [number], "active": True, "name": name, "gender": nurse.sex}


def _name(given: str, family: str, prefix: str, suffix: str) -> Json:
    text = " ".join(part for part in (prefix, given, family) if part) + (f", {suffix}" if suffix and not prefix else "")
    extra = {**({"prefix": [prefix]} if prefix else {}), **({"suffix": [suffix]} if suffix else {})}
    return {"use": "official", "text": text, "family": family, "given": [given], **extra}


def _phone(facility: str) -> Json:
    """Of the facility with this key."""
    (found,) = (one for one in FACILITIES if one.key == facility)
    return {"system": "phone", "value": f"+1{found.area_codes[0]}5550101", "use": "work"}


def _role(clinician: Clinician, moment: Moment) -> Json:
    """Monday to Friday; when the demo is made on a weekend, the clinic is open that weekend too."""
    days = DAYS if moment.today.weekday() > 4 else WEEK
    times = [{"daysOfWeek": list(days), "availableStartTime": start, "availableEndTime": end} for start, end in clinician.hours]
    return {
        "resourceType": "PractitionerRole",
        "active": True,
        "code": [hl7("practitioner-role", "doctor", "Doctor")],
        "specialty": [
            {"coding": [coding("http://nucc.org/provider-taxonomy", clinician.taxonomy, clinician.specialty)], "text": clinician.specialty}
        ],
        "telecom": [_phone(clinician.facility)],
        "availableTime": times,
        "_key": clinician.key,
        "_at": clinician.facility,
        "_offers": clinician.services,
    }


def _link(named: dict[str, Json]) -> None:
    """Put references in the place of the keys noted while the ids were not known."""
    hospital = to(named["organization/hospital"], ORGANISATION)
    for resource in named.values():
        if (key := resource.pop("_in", None)) is not None:
            resource |= {"managingOrganization": hospital, "partOf": to(named[f"facility/{key}"])}
        if resource.pop("_service", None) is not None:
            resource |= {"providedBy": hospital, "location": [to(named[f"facility/{facility.key}"]) for facility in FACILITIES]}
        if (key := resource.pop("_key", None)) is not None:
            person, place = named[f"practitioner/{key}"], named[f"facility/{resource.pop('_at')}"]
            offers = [to(named[f"service/{offer}"], title(named[f"service/{offer}"])) for offer in resource.pop("_offers", ())]
            resource |= {"practitioner": to(person, title(person)), "organization": hospital, "location": [to(place, title(place))]}
            resource |= {"healthcareService": offers} if offers else {}
    for facility in FACILITIES:
        named[f"facility/{facility.key}"]["managingOrganization"] = hospital


def npi(number: int) -> str:
    """A National Provider Identifier with a right check digit that begins with 2, which has never been issued.

    https://www.cms.gov/Regulations-and-Guidance/Administrative-Simplification/NationalProvIdentStand: Luhn over 80840 and the number.
    """
    digits = f"2000{number:05d}"
    total = 24 + sum(sum(divmod(int(d) * 2, 10)) if place % 2 == 0 else int(d) for place, d in enumerate(reversed(digits)))
    return digits + str(-total % 10)
