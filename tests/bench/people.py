"""Ten thousand plain patients, made here: common given and family names put together by number, so that every run has the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

# fmt: off
GIVEN = ["Ada", "Ben", "Cora", "Dev", "Elif", "Femi", "Gina", "Hugo", "Iris", "Jae", "Kofi", "Lena", "Milo",
         "Nora", "Omar", "Pia", "Quinn", "Rosa", "Sami", "Tess", "Uma", "Vera", "Wes", "Ximena", "Yara", "Zane"]
FAMILY = ["Abara", "Becker", "Castillo", "Dunn", "Eriksen", "Farouk", "Garcia", "Hughes", "Ivanov", "Jansen", "Kapoor", "Lindqvist", "Moreau",
          "Nakamura", "Okafor", "Petrov", "Quist", "Rossi", "Sato", "Tanaka", "Ueda", "Vargas", "Weber", "Xu", "Yilmaz", "Zhang",
          "Adeyemi", "Brennan", "Costa", "Delgado", "Eze", "Fischer", "Gupta", "Haddad", "Ito", "Jovanovic", "Khan", "Larsen", "Mensah", "Novak"]
# fmt: on
FIRST_BIRTH = dt.date(1930, 1, 1)
A_BUNDLE = 250


def person(number: int) -> dict[str, Any]:
    """A Patient no one is: the name, birth date, number and telephone follow from `number`."""
    given, family = GIVEN[number % len(GIVEN)], FAMILY[number * 7 // len(GIVEN) % len(FAMILY)]
    birth = FIRST_BIRTH + dt.timedelta(days=number * 37 % 34_000)
    return {
        "resourceType": "Patient",
        "identifier": [{"system": "urn:openward:bench", "value": f"B-{number:06}"}],
        "name": [{"family": f"{family}{'son' if number % 3 == 0 else ''}", "given": [given]}],
        "gender": "female" if number % 2 else "male",
        "birthDate": birth.isoformat(),
        "telecom": [{"system": "phone", "value": f"555-{number // 10_000:03}-{number % 10_000:04}"}],
    }


def bundles(people: int) -> Iterator[dict[str, Any]]:
    for start in range(0, people, A_BUNDLE):
        entries = [{"request": {"method": "POST", "url": "Patient"}, "resource": person(n)} for n in range(start, min(start + A_BUNDLE, people))]
        yield {"resourceType": "Bundle", "type": "transaction", "entry": entries}
