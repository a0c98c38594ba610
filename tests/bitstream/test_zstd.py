"""The zstd coder: what goes in comes out, and hostile frames cost no memory."""

import contextlib

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from fourcodec.bitstream import zstd
from fourcodec.errors import CorruptFileError


def frame_of(data: bytes, **options: object) -> bytes:
    """A frame as another program might write it, without its magic bytes."""
    return zstandard.ZstdCompressor(level=3, **options).compress(data)[4:]  # type: ignore[arg-type]


@given(st.binary(min_size=1, max_size=2000))
def test_what_is_compressed_is_decompressed(data: bytes) -> None:
    assert zstd.decompress(zstd.compress(data), len(data)) == data


def test_a_frame_that_states_its_size_is_read() -> None:
    data = bytes(range(200)) * 20
    assert zstd.decompress(frame_of(data, write_content_size=True), len(data)) == data


def test_the_frame_has_neither_magic_nor_size_nor_checksum() -> None:
    frame = zstd.MAGIC + zstd.compress(b"abc" * 100)
    parameters = zstandard.get_frame_parameters(frame)
    assert parameters.content_size == zstandard.CONTENTSIZE_UNKNOWN
    assert not parameters.has_checksum


@pytest.mark.parametrize("size_bytes", [1, 299, 301, 10**6])
def test_another_size_than_expected_is_refused(size_bytes: int) -> None:
    with pytest.raises(CorruptFileError):
        zstd.decompress(zstd.compress(b"abc" * 100), size_bytes)


def test_nothing_is_neither_compressed_nor_decompressed() -> None:
    with pytest.raises(ValueError, match="nothing"):
        zstd.compress(b"")
    with pytest.raises(ValueError, match="at least one"):
        zstd.decompress(zstd.MAGIC, 0)


def test_a_bomb_that_states_its_size_is_refused_before_it_is_decompressed() -> None:
    with pytest.raises(CorruptFileError, match="declares 50000000 bytes"):
        zstd.decompress(frame_of(bytes(50_000_000), write_content_size=True), 300)


def test_a_bomb_that_hides_its_size_is_refused() -> None:
    with pytest.raises(CorruptFileError):
        zstd.decompress(frame_of(bytes(50_000_000), write_content_size=False), 300)


def test_a_huge_window_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=27, write_content_size=False)
    compressor = zstandard.ZstdCompressor(compression_params=parameters)
    coder = compressor.compressobj()
    frame = coder.compress(b"abc" * 100) + coder.flush()
    with pytest.raises(CorruptFileError, match="window"):
        zstd.decompress(frame[4:], 300)


def test_a_frame_that_asks_for_a_dictionary_is_refused() -> None:
    # RFC 8878, section 3.1.1.1: a descriptor that announces a dictionary's number of one byte, a window of 1 KB, the
    # number, and a last block of three raw bytes
    frame = bytes([0x01, 0x00, 0x07]) + (3 << 3 | 1).to_bytes(3, "little") + b"abc"
    with pytest.raises(CorruptFileError, match="dictionary 7"):
        zstd.decompress(frame, 3)


@pytest.mark.parametrize("stated", [0, 1, 299, 301, 1 << 40])
def test_a_frame_that_lies_about_its_size_is_refused(stated: int) -> None:
    frame = zstd.compress(b"abc" * 100)
    # the descriptor's two highest bits at 3: a content size of eight bytes stands behind the window's byte
    lying = bytes([frame[0] | 0xC0, frame[1]]) + stated.to_bytes(8, "little") + frame[2:]
    with pytest.raises(CorruptFileError, match=f"declares {stated} bytes"):
        zstd.decompress(lying, 300)


def test_a_second_frame_is_refused() -> None:
    frame = zstd.compress(b"abc" * 100)
    for second in (zstd.MAGIC + frame, bytes.fromhex("502a4d18 04000000 00000000")):  # the latter is skippable
        with pytest.raises(CorruptFileError):
            zstd.decompress(frame + second, 300)
        with pytest.raises(CorruptFileError):
            zstd.decompress(frame + second, 600)


def test_bytes_behind_the_frame_are_refused() -> None:
    with pytest.raises(CorruptFileError):
        zstd.decompress(zstd.compress(b"abc" * 100) + b"\0", 300)


@given(st.binary(max_size=300), st.integers(1, 1000))
def test_random_bytes_raise_nothing_else(data: bytes, size_bytes: int) -> None:
    with contextlib.suppress(CorruptFileError):
        assert len(zstd.decompress(data, size_bytes)) == size_bytes


def test_every_truncation_is_refused() -> None:
    frame = zstd.compress(bytes(range(250)) * 3)
    for length in range(len(frame)):
        with pytest.raises(CorruptFileError):
            zstd.decompress(frame[:length], 750)
