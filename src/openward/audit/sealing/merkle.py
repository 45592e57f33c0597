"""A Merkle tree over SHA-256, as certificate transparency builds it. https://www.rfc-editor.org/rfc/rfc6962#section-2.1"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

EMPTY = sha256(b"").digest()


def leaf(content: bytes) -> bytes:
    return sha256(b"\0" + content).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The hash over all leaves in their order. A last node without a partner goes up as it is, which gives RFC 6962's tree for any number."""
    level = list(leaves)
    if not level:
        return EMPTY
    while len(level) > 1:
        above = [sha256(b"\1" + level[at] + level[at + 1]).digest() for at in range(0, len(level) - 1, 2)]
        level = [*above, level[-1]] if len(level) % 2 else above
    return level[0]
