"""The people who work at the demo hospital. All invented; NPIs start with 2 (reserved, never issued)."""

from __future__ import annotations

from dataclasses import dataclass

Hours = tuple[tuple[str, str], ...]
FULL_DAY: Hours = (("08:00:00", "12:00:00"), ("13:00:00", "17:00:00"))


@dataclass(frozen=True, slots=True)
class Clinician:
    """Someone patients book with. `taxonomy` is a NUCC provider code; `ages` is who they see, in years, up to but without the last."""

    key: str
    given: str
    family: str
    sex: str
    prefix: str
    suffix: str
    taxonomy: str
    specialty: str
    facility: str
    ages: tuple[int, int]
    services: tuple[str, ...]
    sexes: str = "fm"
    hours: Hours = FULL_DAY
    is_primary: bool = True


GENERAL = ("new-patient", "follow-up", "annual-physical", "sick-visit")
FAMILY = (*GENERAL, "well-child")
FAMILY_MEDICINE = ("207Q00000X", "Family Medicine")
INTERNAL_MEDICINE = ("207R00000X", "Internal Medicine")
PEDIATRICS = ("208000000X", "Pediatrics")
CHILDREN = ("new-patient", "well-child", "sick-visit", "follow-up")

CLINICIANS = (
    Clinician("lindqvist", "Mara", "Lindqvist", "female", "Dr.", "MD", *FAMILY_MEDICINE, "maple", (0, 120), FAMILY),
    Clinician("osei", "Kwame", "Osei", "male", "Dr.", "MD", *INTERNAL_MEDICINE, "maple", (18, 120), GENERAL),
    Clinician("feldman", "Ruth", "Feldman", "female", "Dr.", "DO", *INTERNAL_MEDICINE, "maple", (18, 120), GENERAL),
    Clinician("castellanos", "Inez", "Castellanos", "female", "Dr.", "MD", *PEDIATRICS, "maple", (0, 18), CHILDREN),
    Clinician("whitlock", "Jonah", "Whitlock", "male", "", "NP", "363L00000X", "Nurse Practitioner", "maple", (5, 120), GENERAL),
    Clinician(
        "abernathy", "Celeste", "Abernathy", "female", "Dr.", "MD", "207V00000X", "Obstetrics & Gynecology", "maple", (16, 120),
        ("womens-health", "follow-up"), "f", is_primary=False,
    ),
    Clinician(
        "iyer", "Suresh", "Iyer", "male", "Dr.", "MD", "207RC0000X", "Cardiovascular Disease", "maple", (30, 120),
        ("cardiology",), hours=(("09:00:00", "12:00:00"), ("13:00:00", "16:00:00")), is_primary=False,
    ),
    Clinician(
        "novotny", "Petra", "Novotny", "female", "Dr.", "MD", "2084P0800X", "Psychiatry", "maple", (12, 120),
        ("behavioral-health",), hours=(("10:00:00", "13:00:00"), ("14:00:00", "18:00:00")), is_primary=False,
    ),
    Clinician("tamura", "Ken", "Tamura", "male", "Dr.", "MD", *FAMILY_MEDICINE, "cedar", (0, 120), FAMILY),
    Clinician("delacroix", "Amelie", "Delacroix", "female", "Dr.", "MD", *INTERNAL_MEDICINE, "cedar", (18, 120), GENERAL),
    Clinician("bright", "Samuel", "Bright", "male", "Dr.", "MD", *PEDIATRICS, "cedar", (0, 18), CHILDREN),
    Clinician(
        "haddad", "Leila", "Haddad", "female", "Dr.", "MD", "207RE0101X", "Endocrinology, Diabetes & Metabolism", "cedar", (16, 120),
        ("endocrinology",), hours=(("08:30:00", "12:00:00"), ("13:00:00", "16:30:00")), is_primary=False,
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Nurse:
    """A registered nurse: rooms patients and gives vaccines."""

    key: str
    given: str
    family: str
    sex: str
    facility: str


NURSES = (
    Nurse("ferrara", "Gina", "Ferrara", "female", "maple"),
    Nurse("boateng", "Daniel", "Boateng", "male", "maple"),
    Nurse("quist", "Helga", "Quist", "female", "cedar"),
)

CLINICIAN = {c.key: c for c in CLINICIANS}


@dataclass(frozen=True, slots=True)
class Persona:
    """Someone to sign in as. `works_as` is a key above when they have a Practitioner; `sentence` is what their day is about."""

    username: str
    name: str
    role: str
    sentence: str
    works_as: str | None = None


PERSONAS = (
    Persona("frontdesk", "Tess Marlowe", "front-desk", "Finds, registers and books patients, and checks them in as they arrive."),
    Persona("nurse", "Gina Ferrara", "nurse", "Rooms the next patient, takes vital signs and reviews allergies and medications.", "ferrara"),
    Persona("clinician", "Dr. Mara Lindqvist", "clinician", "Sees patients all day, with results and messages waiting in the inbox.", "lindqvist"),
    Persona("osei", "Dr. Kwame Osei", "clinician", "An internist with a full panel of chronic illness at Maple Hollow.", "osei"),
    Persona("tamura", "Dr. Ken Tamura", "clinician", "A family physician three hours west, at Cedar Flats.", "tamura"),
    Persona("biller", "Priscilla Dunmore", "biller", "Turns signed visits into claims, works the scrub list and posts what payers send."),
    Persona("itagent", "Felix Arden", "it-agent", "Answers the service desk and watches over jobs, feeds and messages."),
    Persona("manager", "Yolanda Pruitt", "manager", "Watches the day: how full, how late, how much is owed."),
    Persona("privacy", "Howard Stiles", "privacy-officer", "Sees who opened which chart, and why."),
    Persona("admin", "Noor Castellan", "administrator", "Sets up people, places and services."),
)

DEMO_PASSWORD = "demo-openward-7"  # noqa: S105 - a public password of an invented clinic, refused outside the demo
