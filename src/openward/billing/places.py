"""Place of service codes, by CMS number and in our own short words. https://www.cms.gov/medicare/coding-billing/place-of-service-codes"""

from __future__ import annotations

from typing import Final

PLACES: Final[dict[str, str]] = {
    "02": "Telehealth, not at home",
    "10": "Telehealth, patient at home",
    "11": "Office",
    "12": "Home",
    "13": "Assisted living",
    "15": "Mobile unit",
    "17": "Retail clinic",
    "19": "Hospital outpatient, off campus",
    "20": "Urgent care",
    "21": "Hospital, inpatient",
    "22": "Hospital outpatient, on campus",
    "23": "Emergency room",
    "24": "Ambulatory surgery center",
    "31": "Skilled nursing facility",
    "32": "Nursing facility",
    "49": "Independent clinic",
    "50": "Federally qualified health center",
    "71": "Public health clinic",
    "72": "Rural health clinic",
    "81": "Independent laboratory",
    "99": "Other place",
}
