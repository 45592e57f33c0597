"""Which entries of a batch are not the ones that were sealed: told by the eight bytes that are kept of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from openward.audit.sealing.rows import Row
from openward.audit.sealing.seals import PRINT, Seal

TOLD = 20


def differences(seal: Seal, rows: Sequence[Row], hashes: Sequence[bytes]) -> list[str]:
    """Sentences, at most TOLD and one that counts the rest."""
    sealed = [seal.prints[at : at + PRINT] for at in range(0, len(seal.prints), PRINT)]
    told = list(_told(sealed, [hash[:PRINT] for hash in hashes], rows))
    rest = [f"{len(told) - TOLD:,} more entries of seal {seal.number} differ."] if len(told) > TOLD else []
    return [*told[:TOLD], *rest]


def _told(sealed: Sequence[bytes], found: Sequence[bytes], rows: Sequence[Row]) -> Iterator[str]:
    for was, is_from, is_until in _gaps(sealed, found):
        changed = min(was, is_until - is_from)
        yield from (f"Entry {row.name} was changed." for row in rows[is_from : is_from + changed])
        yield from (f"Entry {row.name} was added." for row in rows[is_from + changed : is_until])
        if gone := was - changed:
            yield f"{gone} {'entry is' if gone == 1 else 'entries are'} missing {_where(rows, is_from + changed)}."


def _gaps(sealed: Sequence[bytes], found: Sequence[bytes]) -> Iterator[tuple[int, int, int]]:
    """Between the prints that both have, which stand in the same order since an entry's place is part of its hash: how many only the seal has,
    and from where to where the rows have others."""
    common = frozenset(sealed) & frozenset(found)
    here = there = 0
    while here < len(sealed) or there < len(found):
        was, since = here, there
        while here < len(sealed) and sealed[here] not in common:
            here += 1
        while there < len(found) and found[there] not in common:
            there += 1
        if here > was or there > since:
            yield here - was, since, there
        here, there = here + 1, there + 1


def _where(rows: Sequence[Row], at: int) -> str:
    after = f"after {rows[at - 1].name}" if at > 0 else "at the beginning of the batch"
    return f"{after}, before {rows[at].name}" if at < len(rows) else after
