"""Synthetic people, households among them, and the errors with which people are registered a second time."""

from __future__ import annotations

import random
from typing import Any

Dice = random.Random

FAMILIES = [
    "Smith",
    "Johnson",
    "Williams",
    "Brown",
    "Jones",
    "Garcia",
    "Miller",
    "Davis",
    "Rodriguez",
    "Martinez",
    "Hernandez",
    "Lopez",
    "Gonzalez",
    "Wilson",
    "Anderson",
    "Thomas",
    "Taylor",
    "Moore",
    "Jackson",
    "Martin",
    "Lee",
    "Perez",
    "Thompson",
    "White",
    "Harris",
    "Sanchez",
    "Clark",
    "Ramirez",
    "Lewis",
    "Robinson",
    "Walker",
    "Young",
    "Allen",
    "King",
    "Wright",
    "Scott",
    "Torres",
    "Nguyen",
    "Hill",
    "Flores",
    "Green",
    "Adams",
    "Nelson",
    "Baker",
    "Hall",
    "Rivera",
    "Campbell",
    "Mitchell",
    "Carter",
    "Roberts",
    "Okafor",
    "Kowalski",
    "Schmidt",
    "Petrov",
    "Haddad",
    "Yamamoto",
    "Chaudhary",
    "Olsen",
    "Murphy",
    "O'Brien",
    "Fitzgerald",
    "Delacroix",
    "Ferreira",
    "Andersson",
    "Castellanos",
    "Abernathy",
    "Whitfield",
    "Ashworth",
    "Blackwood",
    "Cavanaugh",
    "Dombrowski",
    "Eriksen",
    "Fairbanks",
    "Gallagher",
    "Hathaway",
    "Ivanova",
    "Jankowski",
    "Kirkpatrick",
    "Lindqvist",
    "Montgomery",
    "Nakamura",
    "Oyelaran",
    "Pemberton",
    "Quintero",
    "Rosenberg",
    "Sorensen",
    "Thorvald",
]
WOMEN = [
    "Mary",
    "Patricia",
    "Jennifer",
    "Linda",
    "Elizabeth",
    "Barbara",
    "Susan",
    "Jessica",
    "Sarah",
    "Karen",
    "Lisa",
    "Nancy",
    "Betty",
    "Sandra",
    "Margaret",
    "Ashley",
    "Kimberly",
    "Emily",
    "Donna",
    "Michelle",
    "Carol",
    "Amanda",
    "Melissa",
    "Deborah",
    "Stephanie",
    "Rebecca",
    "Sharon",
    "Laura",
    "Cynthia",
    "Kathleen",
    "Amy",
    "Angela",
    "Shirley",
    "Anna",
    "Brenda",
    "Pamela",
    "Nicole",
    "Ruth",
    "Katherine",
    "Samantha",
    "Christine",
    "Emma",
    "Catherine",
    "Debra",
    "Virginia",
    "Rachel",
    "Carolyn",
    "Janet",
    "Maria",
    "Heather",
    "Aisha",
    "Mei",
    "Yuki",
    "Fatima",
    "Ingrid",
]
MEN = [
    "James",
    "Robert",
    "John",
    "Michael",
    "David",
    "William",
    "Richard",
    "Joseph",
    "Thomas",
    "Charles",
    "Christopher",
    "Daniel",
    "Matthew",
    "Anthony",
    "Mark",
    "Donald",
    "Steven",
    "Andrew",
    "Paul",
    "Joshua",
    "Kenneth",
    "Kevin",
    "Brian",
    "George",
    "Timothy",
    "Ronald",
    "Edward",
    "Jason",
    "Jeffrey",
    "Ryan",
    "Jacob",
    "Gary",
    "Nicholas",
    "Eric",
    "Jonathan",
    "Stephen",
    "Larry",
    "Justin",
    "Scott",
    "Brandon",
    "Benjamin",
    "Samuel",
    "Gregory",
    "Alexander",
    "Patrick",
    "Frank",
    "Raymond",
    "Jack",
    "Dennis",
    "Jerry",
    "Omar",
    "Hiroshi",
    "Sven",
    "Pavel",
    "Kwame",
]
STREETS = ["Elm", "Oak", "Maple", "Cedar", "Pine", "Washington", "Lake", "Hill", "Park", "Main", "Church", "Spring", "Ridge", "River", "Mill"]
CITIES = (("Dover", "02030"), ("Salem", "01970"), ("Concord", "01742"), ("Lowell", "01851"), ("Quincy", "02169"), ("Newton", "02458"))
NICKNAMES = {
    "Elizabeth": "Liz", "William": "Bill", "Robert": "Bob", "Richard": "Dick", "Margaret": "Peggy", "Katherine": "Kate", "James": "Jim",
    "Michael": "Mike", "Patricia": "Pat", "Jennifer": "Jenny", "Christopher": "Chris", "Thomas": "Tom", "Edward": "Ted", "Deborah": "Debbie",
    "Susan": "Sue", "Joseph": "Joe", "Charles": "Chuck", "Rebecca": "Becky", "Samuel": "Sam", "Benjamin": "Ben", "Steven": "Steve",
}  # fmt: skip
SOUNDS = {"ck": "k", "ph": "f", "th": "t", "ll": "l", "ss": "s", "tt": "t", "nn": "n", "c": "k", "ie": "y", "y": "i", "z": "s", "ee": "ea"}


def people(count: int, dice: Dice) -> list[dict[str, Any]]:
    """Households of one to five: a family name, an address, often a telephone and a mailbox in common; now and then twins."""
    made: list[dict[str, Any]] = []
    while len(made) < count:
        made += _household(len(made), dice)
    return made[:count]


def _household(first: int, dice: Dice) -> list[dict[str, Any]]:
    family, (city, postal) = dice.choice(FAMILIES), dice.choice(CITIES)
    if dice.random() < 0.3:
        family = f"{family}-{dice.choice(FAMILIES)}" if dice.random() < 0.3 else _rare(dice)
    home = {"line": [f"{dice.randint(1, 400)} {dice.choice(STREETS)} Street"], "city": city, "state": "MA", "postalCode": postal}
    shared = _phone(dice)
    members: list[dict[str, Any]] = []
    for number in range(dice.choice((1, 1, 2, 2, 3, 4, 5))):
        twin = number > 2 and dice.random() < 0.3
        birth = members[-1]["birthDate"] if twin else _birth(dice)
        members.append(_person(first + number, family, birth, home, shared if dice.random() < 0.5 else _phone(dice), dice))
    return members


def _rare(dice: Dice) -> str:
    return "".join(dice.choices(("ba", "chen", "do", "fer", "gu", "han", "kri", "lo", "mar", "nel", "pe", "ros", "sta", "ven", "wil"), k=3)).title()


def _birth(dice: Dice) -> str:
    return f"{dice.randint(1930, 2020)}-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}"


def _phone(dice: Dice) -> str:
    return f"{dice.choice(('617', '508', '781'))}55{dice.randint(0, 99999):05}"


def _person(number: int, family: str, birth: str, home: dict[str, Any], phone: str, dice: Dice) -> dict[str, Any]:
    gender = dice.choice(("female", "male"))
    given = dice.choice(WOMEN if gender == "female" else MEN)
    names = [given, dice.choice(WOMEN if gender == "female" else MEN)] if dice.random() < 0.4 else [given]
    telecom = [{"system": "phone", "value": phone}]
    if dice.random() < 0.5:
        telecom.append({"system": "email", "value": f"{given}.{family}{dice.randint(1, 99)}@example.org".lower()})
    return {
        "resourceType": "Patient",
        "id": f"p{number}",
        "identifier": [{"system": "urn:openward:mrn", "value": f"OW-{number:06}"}],
        "name": [{"family": family, "given": names}],
        "birthDate": birth,
        "gender": gender,
        "telecom": telecom,
        "address": [home],
    }


def typed_wrong(person: dict[str, Any], dice: Dice) -> None:
    """A letter left out, doubled, replaced or exchanged with the next, in one name."""
    name = person["name"][0]
    if dice.random() < 0.5 and len(name["family"]) > 3:
        name["family"] = _slip(name["family"], dice)
    else:
        name["given"] = [_slip(name["given"][0], dice), *name["given"][1:]]


def _slip(word: str, dice: Dice) -> str:
    at = dice.randint(1, max(1, len(word) - 2))
    kinds = (
        word[:at] + word[at + 1 :],
        word[:at] + word[at] + word[at:],
        word[:at] + dice.choice("aeiounrstl") + word[at + 1 :],
        word[:at] + word[at : at + 2][::-1] + word[at + 2 :],
    )
    return dice.choice(kinds)


def swapped_names(person: dict[str, Any], dice: Dice) -> None:
    name = person["name"][0]
    person["name"] = [{"family": " ".join(name["given"]), "given": [name["family"]]}]


def nickname(person: dict[str, Any], dice: Dice) -> None:
    given = person["name"][0]["given"]
    person["name"] = [{**person["name"][0], "given": [NICKNAMES.get(given[0], given[0])]}]


def married(person: dict[str, Any], dice: Dice) -> None:
    person["name"] = [{**person["name"][0], "family": dice.choice(FAMILIES)}]


def day_and_month(person: dict[str, Any], dice: Dice) -> None:
    year, month, day = person["birthDate"].split("-")
    person["birthDate"] = f"{year}-{day}-{month}" if day <= "12" else f"{year}-{month}-{day[::-1] if '01' <= day[::-1] <= '28' else day}"


def digit_of_birth(person: dict[str, Any], dice: Dice) -> None:
    birth = person["birthDate"]
    person["birthDate"] = f"{birth[:3]}{(int(birth[3]) + dice.randint(1, 9)) % 10}{birth[4:]}"


def moved(person: dict[str, Any], dice: Dice) -> None:
    """Another address and another telephone."""
    city, postal = dice.choice(CITIES)
    person["address"] = [{"line": [f"{dice.randint(1, 400)} {dice.choice(STREETS)} Avenue"], "city": city, "postalCode": postal}]
    person["telecom"] = [{"system": "phone", "value": _phone(dice)}]


def left_out(person: dict[str, Any], dice: Dice) -> None:
    """Nothing but the name, the birth date and the sex."""
    for name in ("telecom", "address"):
        person.pop(name, None)


def sounds(person: dict[str, Any], dice: Dice) -> None:
    """The family name as heard."""
    family = person["name"][0]["family"].lower()
    for written, heard in SOUNDS.items():
        if written in family[1:]:
            person["name"] = [{**person["name"][0], "family": (family[0] + family[1:].replace(written, heard, 1)).title()}]
            return


ERRORS = (typed_wrong, swapped_names, nickname, married, day_and_month, digit_of_birth, moved, left_out, sounds)
# Two of these at once; who is married, has moved and is unknown by date and number is a new person to any desk.
HARD = (typed_wrong, nickname, day_and_month, digit_of_birth, moved, left_out, sounds)
