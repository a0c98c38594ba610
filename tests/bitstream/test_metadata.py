"""Metadata come back byte for byte, cost little, and a hostile section costs no memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fourcodec.bitstream import container, metadata, varint, zstd
from fourcodec.bitstream.container import Section
from fourcodec.bitstream.metadata import MAX_BYTES, Metadata
from fourcodec.errors import CorruptFileError, FourcodecError, LimitError, UnsupportedFormatError

documents = st.binary(max_size=300) | st.integers(0, 3000).map(lambda count: b"<x/>" * count)


@given(st.builds(Metadata, icc=documents, exif=documents, xmp=documents))
def test_metadata_come_back(found: Metadata) -> None:
    sections = metadata.write(found)
    assert metadata.read([Section(0, 0, b"a profile's"), *sections]) == found
    assert not any(section.critical for section in sections)
    assert bool(found) == bool(sections)


def test_repetition_is_compressed_and_noise_stays_raw() -> None:
    noise = bytes((7 * n * n + n // 3) % 256 for n in range(40))
    repeated, raw = metadata.write(Metadata(icc=b"abcd" * 1000, exif=noise))
    assert (repeated.kind, repeated.coder, raw.kind, raw.coder) == (metadata.ICC, 1, metadata.EXIF, 0)
    assert len(repeated.payload) < 40
    assert raw.payload == noise


def test_too_large_a_document_is_refused() -> None:
    with pytest.raises(LimitError, match="xmp metadata of 16777217 bytes"):
        Metadata(xmp=bytes(MAX_BYTES + 1))


PLAIN = b"<x/>" * 100


@pytest.mark.parametrize(
    ("section", "error"),
    [
        (Section(metadata.ICC, 1, varint.write(MAX_BYTES + 1) + zstd.compress(PLAIN)), LimitError),
        (Section(metadata.ICC, 1, varint.write(399) + zstd.compress(PLAIN)), CorruptFileError),
        (Section(metadata.ICC, 1, varint.write(401) + zstd.compress(PLAIN)), CorruptFileError),
        (Section(metadata.ICC, 0, b""), CorruptFileError),
        (Section(metadata.ICC, 1, b"\0"), CorruptFileError),
        (Section(metadata.ICC, 1, b""), CorruptFileError),
        (Section(metadata.ICC, container.CODER_RANGE, b"abc"), UnsupportedFormatError),
    ],
)
def test_damaged_sections_are_refused(section: Section, error: type[FourcodecError]) -> None:
    with pytest.raises(error):
        metadata.read([section])


def test_a_document_comes_once() -> None:
    with pytest.raises(CorruptFileError, match="twice"):
        metadata.read(metadata.write(Metadata(exif=PLAIN)) * 2)
