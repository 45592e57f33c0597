"""How much each agreement and each difference says.

For every level `m` is how often it is seen between two records of one person, `u` how often between two people; its weight is log2(m/u).
Our own estimates, for a clinic with some ten thousand patients; how well they do is measured in tests/fhir/matching.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log2

PRIOR = -12.5
"""The weight before anything is compared: most records a new one is compared with are of somebody else."""

LEVELS: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "family": {
        "same": (0.86, 0.006),
        "words": (0.02, 0.0004),
        "slip": (0.05, 0.003),
        "sound": (0.02, 0.004),
        "part": (0.03, 0.002),
        "alike": (0.015, 0.008),
        "differs": (0.06, 0.97),
    },
    "given": {
        "same": (0.72, 0.006),
        "words": (0.01, 0.0004),
        "part": (0.14, 0.009),
        "middle": (0.01, 0.02),
        "nickname": (0.04, 0.006),
        "slip": (0.05, 0.004),
        "sound": (0.02, 0.006),
        "short": (0.02, 0.008),
        "initial": (0.03, 0.03),
        "alike": (0.015, 0.01),
        "differs": (0.012, 0.93),
    },
    "birth": {
        "same": (0.93, 0.00005),
        "partly known": (0.6, 0.01),
        "day and month": (0.012, 0.0002),
        "digits exchanged": (0.012, 0.0004),
        "digit": (0.02, 0.0009),
        "partly": (0.012, 0.02),
        "differs": (0.004, 0.98),
    },
    "sex": {"same": (0.985, 0.5), "differs": (0.015, 0.5)},
    "phone": {"same": (0.55, 0.006), "slip": (0.04, 0.003), "differs": (0.41, 0.99)},
    "email": {"same": (0.6, 0.003), "slip": (0.03, 0.002), "differs": (0.37, 0.995)},
    "address": {"same": (0.5, 0.008), "alike": (0.12, 0.01), "area": (0.16, 0.08), "differs": (0.22, 0.9)},
    "number": {"same": (0.9, 0.00001), "slip": (0.02, 0.0004), "differs": (0.03, 0.97)},
}

WEIGHTS: Mapping[str, Mapping[str, float]] = {fact: {level: log2(m / u) for level, (m, u) in levels.items()} for fact, levels in LEVELS.items()}

SWAPPED = -1.5
"""Family and given name the other way round: as good as straight, but rarer."""

RELATIVES = 4.0
"""Taken away when the family name agrees and the given name does not: brothers, sisters and twins share the rest as well."""

HOUSEHOLD = 4.0
"""The most that telephone, e-mail and address may add together where given names or birth dates differ: people who live together share them."""
