"""`_text` and `_content`: words in the narrative, and in the whole resource. https://hl7.org/fhir/R4/search.html#content

PostgreSQL's own full text without a language's stemming. The narrative of every type is indexed, the content of the types that people write
texts in; the content of others is read when asked for, so it is best asked for together with a patient.
"""

from __future__ import annotations

import re

from openward.fhir.definitions import type_number
from openward.fhir.errors import BadRequest
from openward.fhir.search.sql import Bindings, rtype

FUNCTIONS = {"_text": "fhir.narrative_words", "_content": "fhir.content_words"}
# The predicates of the indexes in 0003_search.sql, letter by letter, so that the planner knows them.
WRITTEN = ("Communication", "Composition", "DocumentReference", "Questionnaire", "QuestionnaireResponse")
PART = re.compile(r'\s*(?:(?P<phrase>"[^"]*")|(?P<open>\()|(?P<close>\))|(?P<word>[^\s()"]+))')
MAX_PARTS = 50


def condition(code: str, type: str, value: str, bind: Bindings) -> str:
    """`value`: words that must all be there; `and`, `or`, `not`, parentheses and "phrases" as in `(bone or liver) and metastases`."""
    predicate = "b.body like '%%\"div\":%%'" if code == "_text" else _contents(type)
    return (
        f"(c.rkey, c.ver) in (select b.rkey, b.ver from fhir.body b where b.tenant = %(tenant)s and b.rtype = {rtype(type)}"  # noqa: S608
        f" and {predicate} and {FUNCTIONS[code]}(b.body) @@ {query(value, bind)})"
    )


def _contents(type: str) -> str:
    written = ", ".join(str(type_number(name)) for name in sorted(WRITTEN, key=type_number))
    return f"b.rtype in ({written})" if type in WRITTEN else "b.op <> 'D'"


def query(value: str, bind: Bindings) -> str:
    """The text search query as SQL; every word of the client's a bound value."""
    parts = [match for match in PART.finditer(value) if match.group().strip()]
    if not parts or len(parts) > MAX_PARTS:
        raise BadRequest(f"A text search takes 1 to {MAX_PARTS} words.")
    reader = _Reader(parts, bind)
    found = reader.alternatives()
    if reader.position < len(parts):
        raise BadRequest(f"The text search {value[:100]!r} has a parenthesis or an operator too many.")
    return found


class _Reader:
    def __init__(self, parts: list[re.Match[str]], bind: Bindings) -> None:
        self.parts = parts
        self.bind = bind
        self.position = 0

    def _word(self) -> str:
        return self.parts[self.position].group().strip() if self.position < len(self.parts) else ""

    def alternatives(self) -> str:
        found = [self.together()]
        while self._word().lower() == "or":
            self.position += 1
            found.append(self.together())
        return found[0] if len(found) == 1 else f"({' || '.join(found)})"

    def together(self) -> str:
        found = [self.one()]
        while self._word() and self._word() != ")" and self._word().lower() != "or":
            if self._word().lower() == "and":
                self.position += 1
            found.append(self.one())
        return found[0] if len(found) == 1 else f"({' && '.join(found)})"

    def one(self) -> str:
        word = self._word()
        self.position += 1
        if not word or word == ")":
            raise BadRequest("The text search ends where a word must follow.")
        if word.lower() == "not":
            return f"(!! {self.one()})"
        if word != "(":
            return f"phraseto_tsquery('simple', {self.bind.place(word.strip(chr(34)), '::text')})"
        found = self.alternatives()
        if self._word() != ")":
            raise BadRequest("The text search has an open parenthesis.")
        self.position += 1
        return found
