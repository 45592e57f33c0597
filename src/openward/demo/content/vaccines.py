"""Who gets which vaccine when: CVX codes and the CDC schedule, simplified. https://www.cdc.gov/vaccines/hcp/imz-schedules/"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Vaccine:
    """A product by its CVX code, with the date it came into use and (if so) the date it went."""

    key: str
    code: str
    name: str
    since: dt.date
    until: dt.date = dt.date.max


OLD = dt.date(1990, 1, 1)

VACCINES = (
    Vaccine("hep-b", "08", "Hep B, adolescent or pediatric", OLD),
    Vaccine("rotavirus", "116", "rotavirus, pentavalent", dt.date(2006, 2, 1)),
    Vaccine("dtap", "20", "DTaP", OLD),
    Vaccine("hib", "49", "Hib (PRP-OMP)", OLD),
    Vaccine("pcv13", "133", "Pneumococcal conjugate PCV 13", dt.date(2010, 3, 1), dt.date(2023, 9, 1)),
    Vaccine("pcv20", "216", "Pneumococcal conjugate PCV20, polysaccharide CRM197 conjugate, adjuvant, PF", dt.date(2022, 2, 1)),
    Vaccine("polio", "10", "IPV", OLD),
    Vaccine("mmr", "03", "MMR", OLD),
    Vaccine("varicella", "21", "varicella", dt.date(1995, 6, 1)),
    Vaccine("hep-a", "83", "Hep A, ped/adol, 2 dose", dt.date(2006, 1, 1)),
    Vaccine("tdap", "115", "Tdap", dt.date(2005, 7, 1)),
    Vaccine("td", "113", "Td (adult), 5 Lf tetanus toxoid, preservative free, adsorbed", OLD),
    Vaccine("hpv", "165", "HPV9", dt.date(2015, 3, 1)),
    Vaccine("menacwy", "114", "meningococcal MCV4P", dt.date(2005, 3, 1), dt.date(2021, 6, 1)),
    Vaccine("menacwy-tt", "203", "meningococcal polysaccharide (groups A, C, Y, W-135) TT conjugate", dt.date(2021, 6, 1)),
    Vaccine("influenza", "150", "Influenza, injectable, quadrivalent, preservative free", dt.date(2013, 9, 1), dt.date(2024, 7, 1)),
    Vaccine("influenza-3", "140", "Influenza, split virus, trivalent, PF", dt.date(2024, 7, 1)),
    Vaccine("zoster", "187", "zoster recombinant", dt.date(2018, 1, 1)),
)

VACCINE = {vaccine.key: vaccine for vaccine in VACCINES}


@dataclass(frozen=True, slots=True)
class Dose:
    """One dose of the childhood series: due at `months` of age; the keys are tried in order until one is in use on the day."""

    keys: tuple[str, ...]
    months: float
    number: int
    of: int


CHILD_DOSES = (
    Dose(("hep-b",), 0.05, 1, 3),
    Dose(("hep-b",), 2, 2, 3),
    Dose(("rotavirus",), 2, 1, 3),
    Dose(("dtap",), 2, 1, 5),
    Dose(("hib",), 2, 1, 3),
    Dose(("pcv20", "pcv13"), 2, 1, 4),
    Dose(("polio",), 2, 1, 4),
    Dose(("rotavirus",), 4, 2, 3),
    Dose(("dtap",), 4, 2, 5),
    Dose(("hib",), 4, 2, 3),
    Dose(("pcv20", "pcv13"), 4, 2, 4),
    Dose(("polio",), 4, 2, 4),
    Dose(("hep-b",), 6, 3, 3),
    Dose(("rotavirus",), 6, 3, 3),
    Dose(("dtap",), 6, 3, 5),
    Dose(("pcv20", "pcv13"), 6, 3, 4),
    Dose(("polio",), 9, 3, 4),
    Dose(("hib",), 12, 3, 3),
    Dose(("mmr",), 12, 1, 2),
    Dose(("varicella",), 12, 1, 2),
    Dose(("pcv20", "pcv13"), 12, 4, 4),
    Dose(("hep-a",), 12, 1, 2),
    Dose(("dtap",), 15, 4, 5),
    Dose(("hep-a",), 18, 2, 2),
    Dose(("dtap",), 48, 5, 5),
    Dose(("polio",), 48, 4, 4),
    Dose(("mmr",), 48, 2, 2),
    Dose(("varicella",), 48, 2, 2),
    Dose(("tdap",), 132, 1, 1),
    Dose(("hpv",), 132, 1, 2),
    Dose(("menacwy-tt", "menacwy"), 132, 1, 2),
    Dose(("hpv",), 144, 2, 2),
    Dose(("menacwy-tt", "menacwy"), 192, 2, 2),
)

WELL_CHILD_MONTHS = (0.1, 1, 2, 4, 6, 9, 12, 15, 18, 24, 30, 36)
