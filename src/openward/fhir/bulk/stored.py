"""The lines of an export as they lie on disk: packed, a chunk at a time, each to be read without those before it.

So a file is cut where a chunk ends and gone on with after a crash, is a tenth of what it holds, and goes out to whoever takes gzip as it is.
https://www.rfc-editor.org/rfc/rfc1951 (DEFLATE), https://www.rfc-editor.org/rfc/rfc1952 (what gzip puts around it)
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

AT_ONCE = 256 * 1024
QUICKLY = 1  # zlib's own scale; the next levels save a twentieth of the bytes
BARE = -zlib.MAX_WBITS  # no header and no sum around it

HEAD = b"\x1f\x8b\x08" + bytes(6) + b"\xff"  # nothing is said of name, time or system
LAST = b"\x03\x00"  # an empty block that says it is the last
TAIL = struct.Struct("<LL")  # CRC-32 and length of the lines


def pack(lines: bytes) -> bytes:
    """A chunk that ends at a byte and does not look back behind its own beginning."""
    packing = zlib.compressobj(QUICKLY, zlib.DEFLATED, BARE)
    return packing.compress(lines) + packing.flush(zlib.Z_FULL_FLUSH)


@contextmanager
def opened(path: Path, size: int) -> Iterator[int]:
    """A descriptor of the file, cut to what counts of it, for appending. Readable by the server's user only."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.ftruncate(descriptor, size)
        os.lseek(descriptor, size, os.SEEK_SET)
        yield descriptor
    finally:
        os.close(descriptor)


def append(descriptor: int, lines: bytes) -> int:
    """Pack the lines, write them and force them to the disk; how many bytes they are there. Raises OSError."""
    packed = left = memoryview(pack(lines) if lines else b"")
    while left:
        left = left[os.write(descriptor, left) :]
    os.fdatasync(descriptor)
    return len(packed)


def plain(path: Path, size: int) -> Iterator[bytes]:
    """The lines, piece by piece; `size`: how many bytes of the file count. Raises OSError, zlib.error."""
    unpacking = zlib.decompressobj(BARE)
    for piece in piecewise(path, size):
        while piece:
            if lines := unpacking.decompress(piece, AT_ONCE):
                yield lines
            piece = unpacking.unconsumed_tail
    if lines := unpacking.flush():
        yield lines


def gzipped(path: Path, size: int, crc: int, length: int) -> Iterator[bytes]:
    """The same as gzip, as it lies on disk; CRC-32 and number of bytes are those of the lines."""
    yield HEAD
    yield from piecewise(path, size)
    yield LAST + TAIL.pack(crc, length % 2**32)


def gzipped_size(size: int) -> int:
    return len(HEAD) + size + len(LAST) + TAIL.size


def piecewise(path: Path, size: int) -> Iterator[bytes]:
    """What counts of a file, piece by piece."""
    with path.open("rb") as content:
        left = size
        while left > 0 and (piece := content.read(min(left, AT_ONCE))):
            left -= len(piece)
            yield piece
