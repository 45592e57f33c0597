"""The lines of an export as they lie on disk."""

from __future__ import annotations

import gzip
import os
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openward.fhir.bulk import stored

LINES = b'{"resourceType":"Patient","id":"ada"}\n'
LONG = LINES * 100_000  # more than a piece, packed to less than one


def write(path: Path, *chunks: bytes) -> int:
    size = path.stat().st_size if path.exists() else 0
    with stored.opened(path, size) as descriptor:
        return size + sum(stored.append(descriptor, chunk) for chunk in chunks)


@pytest.mark.parametrize(
    "chunks", [(LINES,), (LINES, LINES * 3), (LONG, LINES), (os.urandom(700_000), LONG)], ids=["one", "two", "long", "what does not pack"]
)
def test_what_was_written_is_read_back_and_is_a_gzip_file(chunks: tuple[bytes, ...], tmp_path: Path) -> None:
    size = write(tmp_path / "f", *chunks)
    text = b"".join(chunks)
    assert b"".join(stored.plain(tmp_path / "f", size)) == text
    sent = b"".join(stored.gzipped(tmp_path / "f", size, zlib.crc32(text), len(text)))
    assert gzip.decompress(sent) == text
    assert zlib.decompressobj(31).decompress(sent) == text, "one member: not every client reads a second"
    assert len(sent) == stored.gzipped_size(size)


def test_a_file_cut_where_a_chunk_ended_is_gone_on_with(tmp_path: Path) -> None:
    size = write(tmp_path / "f", LINES, LINES)
    write(tmp_path / "f", LONG[:5_000])
    with stored.opened(tmp_path / "f", size) as descriptor:
        size += stored.append(descriptor, b"more\n")
    assert b"".join(stored.plain(tmp_path / "f", size)) == LINES * 2 + b"more\n"


def test_what_does_not_count_is_not_read(tmp_path: Path) -> None:
    size = write(tmp_path / "f", LINES)
    write(tmp_path / "f", b"torn")
    assert b"".join(stored.plain(tmp_path / "f", size)) == LINES


def test_pieces_are_small_however_well_the_lines_pack(tmp_path: Path) -> None:
    size = write(tmp_path / "f", LONG)
    assert size < stored.AT_ONCE
    assert max(map(len, stored.plain(tmp_path / "f", size))) <= stored.AT_ONCE


def test_nothing_is_nothing(tmp_path: Path) -> None:
    assert write(tmp_path / "f", b"") == 0
    assert list(stored.plain(tmp_path / "f", 0)) == []


def test_only_the_servers_user_reads_it(tmp_path: Path) -> None:
    write(tmp_path / "f", LINES)
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o600


@given(st.lists(st.binary(max_size=2_000), max_size=6))
def test_any_chunks_in_a_row_are_one_stream(chunks: list[bytes]) -> None:
    packed = b"".join(map(stored.pack, chunks))
    assert zlib.decompress(packed + stored.LAST, stored.BARE) == b"".join(chunks)
