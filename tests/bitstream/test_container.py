"""The container: headers and sections come back, and whatever is not exactly a container is refused."""

import random
import zlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fourcodec.bitstream import container, varint
from fourcodec.bitstream.container import Header, Section
from fourcodec.errors import CorruptFileError, FourcodecError, LimitError, UnsupportedFormatError
from fourcodec.limits import DEFAULT, Limits

HEADER = Header(width=24, height=16, channels=3, profile=1, architecture=(8, 6))
SECTIONS = [Section(0, container.CODER_RAW, b"steps"), Section(1, container.CODER_ZSTD, b"coefficients" * 20)]
# Of one pixel each, as the last program that wrote format 0.1 wrote them.
FILES_OF_0_1 = (
    bytes.fromhex("93464e430d0a1a0a01024100000101a582bb77806884bec00d04418dea531ae9f19ea7f974b8"),
    bytes.fromhex(
        "93464e430d0a1a0a010282000002021012eb9ffe26f7e8d011401b10"
        "2dadec3a5148253fa55caacedaf3d1fcc046fe162c8aac4a4230c100"
    ),
)
FIELDS = st.integers(0, varint.MAX_VALUE)

headers = st.builds(
    Header,
    width=st.integers(1, 2**13),
    height=st.integers(1, 2**14),
    channels=st.integers(1, 4),
    profile=st.integers(1, 15),
    architecture=st.lists(FIELDS, max_size=7).map(tuple),
    bit_depth=st.sampled_from([8, 10, 12, 16]),
    coordinates=st.integers(0, 3),
    activation=st.integers(0, 3),
    prior=FIELDS,
    tiles=FIELDS,
)
sections = st.lists(st.builds(Section, st.integers(0, 31), st.integers(0, 3), st.binary(max_size=300)), min_size=1)


def with_checksums(data: bytes, header_bytes: int) -> bytes:
    """The file with both checksums made right, so that a change reaches the checks behind them."""
    payload = data[header_bytes:]
    head = data[: header_bytes - 8] + zlib.crc32(payload).to_bytes(4, "little")
    return head + zlib.crc32(head).to_bytes(4, "little") + payload


def header_bytes_of(header: Header) -> int:
    return len(container.write(header, [Section(0, 0, b"")])) - 2


@given(headers, sections)
def test_what_is_written_is_read(header: Header, parts: list[Section]) -> None:
    assert container.read(container.write(header, parts)) == (header, parts)


def test_the_bytes_are_those_of_the_specification() -> None:
    data = container.write(HEADER, [Section(2, container.CODER_RAW, b"ab"), Section(17, container.CODER_ZSTD, b"")])
    payload = bytes.fromhex("02 02 6162 b1 00")
    head = bytes.fromhex("93 46 4e 43 0d 0a 1a 0a 03 02 41 17 0f 08 06") + zlib.crc32(payload).to_bytes(4, "little")
    assert data == head + zlib.crc32(head).to_bytes(4, "little") + payload


@pytest.mark.parametrize(
    ("width", "height"), [(1, 1), (768, 512), (16384, 8192), (2**27, 1), (64, 2**21), (8191, 16385)]
)
def test_the_fixed_part_takes_at_most_24_bytes(width: int, height: int) -> None:
    header = Header(width=width, height=height, channels=3, profile=1)
    assert header_bytes_of(header) <= 24
    assert container.read(container.write(header, SECTIONS))[0] == header


@pytest.mark.parametrize(("size_bytes", "framing_bytes"), [(0, 2), (127, 2), (128, 3), (16_384, 4), (2_000_000, 4)])
def test_a_section_costs_two_to_four_bytes(size_bytes: int, framing_bytes: int) -> None:
    one = len(container.write(HEADER, [Section(0, 0, b"")]))
    two = len(container.write(HEADER, [Section(0, 0, bytes(size_bytes)), Section(0, 0, b"")]))
    assert two - one - size_bytes == framing_bytes


@pytest.mark.parametrize(
    "fields",
    [
        {"width": 0},
        {"height": 0},
        {"width": 2**32 + 1},
        {"channels": 0},
        {"channels": 5},
        {"profile": 0},
        {"profile": 16},
        {"bit_depth": 9},
        {"coordinates": 4},
        {"activation": -1},
        {"prior": 2**32},
        {"tiles": -1},
        {"architecture": (1,) * 8},
        {"architecture": (-1,)},
    ],
)
def test_a_header_out_of_range_cannot_be_made(fields: dict) -> None:
    with pytest.raises(ValueError, match=r"are|pixel"):
        replace(HEADER, **fields)


@pytest.mark.parametrize(("kind", "coder"), [(32, 0), (-1, 0), (0, 4), (0, -1)])
def test_a_section_out_of_range_cannot_be_made(kind: int, coder: int) -> None:
    with pytest.raises(ValueError, match="are 0 to"):
        Section(kind, coder, b"")


def test_a_file_without_sections_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="sections"):
        container.write(HEADER, [])


def test_every_truncation_is_refused() -> None:
    data = container.write(HEADER, SECTIONS)
    for length in range(len(data)):
        with pytest.raises(CorruptFileError):
            container.read(data[:length])


def test_every_single_changed_bit_is_noticed() -> None:
    data = container.write(HEADER, SECTIONS)
    for bit in range(8 * len(data)):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(FourcodecError):
            container.read(bytes(damaged))


def test_random_damage_behind_right_checksums_raises_nothing_else() -> None:
    data = container.write(HEADER, SECTIONS)
    generator = random.Random(3)
    for _ in range(2000):
        damaged = bytearray(data)
        for _ in range(generator.randint(1, 3)):
            damaged[generator.randrange(9, len(data))] = generator.randrange(256)
        try:
            header, parts = container.read(with_checksums(bytes(damaged), header_bytes_of(HEADER)))
        except FourcodecError:
            continue
        assert sum(len(part.payload) for part in parts) < len(data)
        assert header.width * header.height <= DEFAULT.pixels


@given(st.binary(max_size=200))
def test_random_bytes_behind_the_magic_raise_nothing_else(data: bytes) -> None:
    with pytest.raises(FourcodecError):
        container.read(container.MAGIC + b"\x03" + data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "not a .fnc file"),
        (container.MAGIC[:3], "ends inside its header"),
        (container.MAGIC, "ends inside its header"),
        (container.MAGIC + b"\x03\x02", "ends inside its header"),
        (container.MAGIC.replace(b"\r\n", b"\n") + bytes(100), "line ends"),
    ],
)
def test_what_is_no_fnc_file_is_said_so(data: bytes, message: str) -> None:
    with pytest.raises(CorruptFileError, match=message):
        container.read(data)


@pytest.mark.parametrize("version", [0x10, 0xFF, 0x04])
def test_a_newer_version_is_refused_by_its_number(version: int) -> None:
    data = bytearray(container.write(HEADER, SECTIONS))
    data[8] = version
    with pytest.raises(UnsupportedFormatError, match=f"format {version >> 4}.{version & 15}, newer than 0.3"):
        container.read(bytes(data))


@pytest.mark.parametrize("version", [0x00, 0x01, 0x02])
def test_an_older_trial_version_is_refused_by_its_number(version: int) -> None:
    data = bytearray(container.write(HEADER, SECTIONS))
    data[8] = version
    with pytest.raises(UnsupportedFormatError, match=f"trial format 0.{version}; this version reads 0.3"):
        container.read(bytes(data))


@pytest.mark.parametrize("data", FILES_OF_0_1, ids=["fnet", "grid"])
def test_files_of_the_trial_format_0_1_are_refused(data: bytes) -> None:
    with pytest.raises(UnsupportedFormatError, match=r"the file is of the trial format 0\.1; this version reads 0\.3"):
        container.read(data)


@pytest.mark.parametrize(
    ("version", "readable"), [(0x10, True), (0x17, True), (0x1F, True), (0x20, False), (0xF0, False), (0x01, False)]
)
def test_from_1_0_on_higher_minor_versions_are_read_and_higher_major_ones_refused(
    version: int, readable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = bytearray(container.write(HEADER, SECTIONS))
    data[8] = version
    data = bytearray(with_checksums(bytes(data), header_bytes_of(HEADER)))
    monkeypatch.setattr(container, "FORMAT_MAJOR", 1)
    monkeypatch.setattr(container, "FORMAT_MINOR", 0)
    if readable:
        assert container.read(bytes(data)) == (HEADER, SECTIONS)
    else:
        with pytest.raises(UnsupportedFormatError):
            container.read(bytes(data))


def test_bytes_after_the_last_section_are_refused() -> None:
    data = container.write(HEADER, SECTIONS)
    with pytest.raises(CorruptFileError, match="3 bytes are left over"):
        container.read(with_checksums(data + bytes(3), header_bytes_of(HEADER)))


def test_a_section_longer_than_the_file_is_refused() -> None:
    data = container.write(HEADER, [Section(0, 0, bytes(100))])
    with pytest.raises(CorruptFileError, match="section 0: 100 bytes declared, 40 left"):
        container.read(data[:-60])


def test_more_pixels_than_allowed_are_refused() -> None:
    with pytest.raises(LimitError, match="24 x 16 pixels, more than the limit of 383"):
        container.read(container.write(HEADER, SECTIONS), Limits(pixels=383))


def test_more_pixels_than_the_default_limit_are_refused() -> None:
    header = replace(HEADER, width=2**27, height=1)
    data = bytearray(container.write(header, SECTIONS))
    data[15] = 1  # height - 1
    with pytest.raises(LimitError, match="134217728 x 2 pixels"):
        container.read(with_checksums(bytes(data), header_bytes_of(header)))


def test_profile_0_is_refused_behind_right_checksums() -> None:
    data = bytearray(container.write(HEADER, SECTIONS))
    data[10] &= 0xF0
    with pytest.raises(CorruptFileError, match="the header is invalid: profiles are 1 to 15, not 0"):
        container.read(with_checksums(bytes(data), header_bytes_of(HEADER)))


def test_an_extension_that_says_nothing_is_refused() -> None:
    data = bytearray(container.write(replace(HEADER, prior=1), SECTIONS))
    data[13] = 0
    with pytest.raises(CorruptFileError, match="both are 0"):
        container.read(with_checksums(bytes(data), header_bytes_of(replace(HEADER, prior=1))))


def test_endless_empty_sections_are_refused() -> None:
    data = container.write(HEADER, [Section(16, 0, b"")])[:-2] + bytes(2 * container.MAX_SECTIONS + 2)
    with pytest.raises(LimitError, match="more than 4096 sections"):
        container.read(with_checksums(data, header_bytes_of(HEADER)))


def test_unknown_critical_sections_are_refused_and_ancillary_ones_skipped() -> None:
    known = {0: "steps", 1: "coefficients"}
    assert container.by_kind([*SECTIONS, Section(16, 0, b"remark")], known) == dict(enumerate(SECTIONS))
    with pytest.raises(UnsupportedFormatError, match="kind 15"):
        container.by_kind([*SECTIONS, Section(15, 0, b"")], known)


def test_a_section_that_comes_twice_is_refused() -> None:
    with pytest.raises(CorruptFileError, match="'steps' comes twice"):
        container.by_kind([SECTIONS[0], *SECTIONS], {0: "steps", 1: "coefficients"})
