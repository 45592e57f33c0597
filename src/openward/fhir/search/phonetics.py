"""How a name sounds, written so that names that sound alike are written alike: Okafor and Okofar, Smyth and Schmidt's t aside.

Our own small set of rules over normalised letters (English spelling, with the commonest German, Spanish, Slavic and French ones); after the
ideas of Metaphone: https://en.wikipedia.org/wiki/Metaphone. Vowels count at the start only. A word may have two sounds.
"""

from __future__ import annotations

import re
from functools import lru_cache

LONGEST = 8

# In this order; each is tried at every place. A capital letter is a sound and is left alone by later rules.
RULES: tuple[tuple[str, str], ...] = (
    (r"[^a-z]", ""),
    (r"^(kn|gn|pn)", "N"),
    (r"^wr", "R"),
    (r"^ps", "S"),
    (r"^wh", "w"),
    (r"^x", "S"),
    (r"^mc|^mac(?=[bcdfgjklmnpqrstvz])", "MK"),
    (r"mb$", "M"),
    (r"sch(?=[mnlwr])", "S"),
    (r"tsch|tch|cz", "X"),
    (r"sch|sh|sz", "X"),
    (r"ch(?=r|l)", "K"),
    (r"chs", "KS"),
    (r"ch", "X"),
    (r"th", "0"),
    (r"ph", "F"),
    (r"dg(?=[eiy])", "J"),
    (r"gh(?=[aeiou])", "K"),
    (r"gh", ""),
    (r"gn$", "N"),
    (r"ck|cq", "K"),
    (r"sc(?=[eiy])", "S"),
    (r"c(?=[eiy])", "S"),
    (r"t(?=i[ao])", "X"),
    (r"s(?=i[ao])", "X"),
    (r"c|q", "K"),
    (r"x", "KS"),
    (r"g(?=[eiy])", "J"),
    (r"g", "K"),
    (r"d?j", "J"),
    (r"tz|ts", "S"),
    (r"z|s", "S"),
    (r"d|t", "T"),
    (r"v|f", "F"),
    (r"b|p", "P"),
    (r"k", "K"),
    (r"l", "L"),
    (r"m", "M"),
    (r"n", "N"),
    (r"r", "R"),
    (r"^[aeiouyhw]*[aeiouy]", "A"),
    (r"^[wh]", "H"),
    (r"[aeiouyhw]", ""),
)
COMPILED = tuple((re.compile(pattern), sound) for pattern, sound in RULES)
DOUBLED = re.compile(r"(.)\1+")


@lru_cache(maxsize=8192)
def sounds(word: str) -> tuple[str, ...]:
    """The sounds of one normalised word (see string.normal), the likeliest first; () when it has no letters."""
    first = _sound(word, j="J")
    return tuple(dict.fromkeys(s for s in (first, _sound(word, j="A")) if s)) if "j" in word else ((first,) if first else ())


def _sound(word: str, *, j: str) -> str:
    """`j` is its own sound (John) or silent as in Jorge, Javier and Johansson's Scandinavian j."""
    text = word.replace("j", "y") if j == "A" else word
    for pattern, sound in COMPILED:
        text = pattern.sub(sound, text)
    return DOUBLED.sub(r"\1", text)[:LONGEST]
