"""Whether two records are of one person: the one matcher, of the front desk's warning and of Patient/$match.

After Fellegi and Sunter: each fact two records share or differ in is worth the logarithm of how much likelier that is for one person than for two.
https://doi.org/10.1080/01621459.1969.10501049
"""

from __future__ import annotations

from openward.fhir.matching.compare import Grade, Match, compare
from openward.fhir.matching.facts import Facts, facts
from openward.fhir.matching.matcher import Matcher

__all__ = ["Facts", "Grade", "Match", "Matcher", "compare", "facts"]
