"""The .fnc container: header and sections <-> bytes. FORMAT.md beside this file says the same, byte by byte.

    magic (8)  version (1)  sample format (1)  profile (1)  width - 1, height - 1 (varints)  [prior, tiles (varints)]
    architecture fields (varints)  CRC-32 of the payload (4)  CRC-32 of the header (4)
    sections: tag (1), length (varint), payload; the last one is marked

`write` and `read` follow that order. Everything is checked before anything is allocated: a reader holds the file and
slices of it, never a buffer whose size a file chose.
"""

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fourcodec.bitstream import varint
from fourcodec.errors import CorruptFileError, LimitError, UnsupportedFormatError
from fourcodec.limits import DEFAULT, Limits

# Like PNG's: a byte that no text has, a name, and line ends and an end-of-file that a text transfer would change.
MAGIC = b"\x93FNC\r\n\x1a\n"
FORMAT_MAJOR, FORMAT_MINOR = 0, 3

MAX_SIDE = varint.MAX_VALUE + 1  # pixels
MAX_ARCHITECTURE_FIELDS = 7  # three bits count them
MAX_SECTIONS = 4096  # far above what any profile writes; bounds the list that a hostile file of empty sections makes
BIT_DEPTHS = (8, 10, 12, 16)  # in the order of their codes
FIRST_ANCILLARY_KIND = 16  # kinds 0..15 are critical, 16..31 ancillary

CODER_RAW, CODER_ZSTD, CODER_RANGE = 0, 1, 2
CODER_NAMES = {CODER_RAW: "raw", CODER_ZSTD: "zstd", CODER_RANGE: "range"}

_LAST_SECTION = 0x80  # tag bit 7
_EXTENDED = 0x10  # profile byte, bit 4: prior and tiles follow
_CRC = struct.Struct("<I")


@dataclass(frozen=True)
class Header:
    """The fields of a file before its sections. Raises ValueError where a field is out of its range."""

    width: int  # pixels
    height: int  # pixels
    channels: int  # 1 grey, 2 grey + alpha, 3 RGB, 4 RGB + alpha
    profile: int  # 1..15; how sections and architecture fields are to be understood
    architecture: tuple[int, ...] = ()  # at most 7 numbers that belong to the profile
    bit_depth: int = 8  # of the samples: 8, 10, 12 or 16
    coordinates: int = 0  # 0: pixel centres, both axes scaled by the longer side; 1: pixel index / 32
    activation: int = 0  # 0: linear; 1: 2 * sigmoid - 1
    prior: int = 0  # 0: none; otherwise the trained defaults that the sections are relative to
    tiles: int = 0  # 0: none; else the side of a tile in units of 64 pixels

    @property
    def colour_channels(self) -> int:
        """1 or 3: what a profile's network computes; alpha has a section of its own."""
        return 1 if self.channels <= 2 else 3

    @property
    def has_alpha(self) -> bool:
        """True for grey + alpha and RGB + alpha."""
        return self.channels in (2, 4)

    def __post_init__(self) -> None:
        for side in (self.width, self.height):
            _require(1 <= side <= MAX_SIDE, f"a picture has 1 to {MAX_SIDE} pixels a side, not {side}")
        _require(1 <= self.channels <= 4, f"channels are 1 to 4, not {self.channels}")
        _require(1 <= self.profile <= 15, f"profiles are 1 to 15, not {self.profile}")
        _require(self.bit_depth in BIT_DEPTHS, f"bit depths are 8, 10, 12 and 16, not {self.bit_depth}")
        _require(0 <= self.coordinates <= 3, f"coordinate conventions are 0 to 3, not {self.coordinates}")
        _require(0 <= self.activation <= 3, f"activations are 0 to 3, not {self.activation}")
        for value in (self.prior, self.tiles, *self.architecture):
            _require(0 <= value <= varint.MAX_VALUE, f"header fields are 0 to {varint.MAX_VALUE}, not {value}")
        _require(
            len(self.architecture) <= MAX_ARCHITECTURE_FIELDS,
            f"there are at most {MAX_ARCHITECTURE_FIELDS} architecture fields, not {len(self.architecture)}",
        )


@dataclass(frozen=True)
class Section:
    """A piece of the payload, as it stands in the file. Raises ValueError where a field is out of its range.

    Kinds 0..7 and 24..31 are the profile's. Kinds 8..23 are shared, the same in every profile: alpha is 8, metadata are
    16..19.
    """

    kind: int  # 0..31; from 16 on a reader may skip what it does not know
    coder: int  # 0 raw, 1 zstd, 2 range coder, 3 reserved
    payload: bytes

    def __post_init__(self) -> None:
        _require(0 <= self.kind <= 31, f"section kinds are 0 to 31, not {self.kind}")
        _require(0 <= self.coder <= 3, f"coders are 0 to 3, not {self.coder}")

    @property
    def critical(self) -> bool:
        """True where a decoder that does not know this kind must refuse the file."""
        return self.kind < FIRST_ANCILLARY_KIND

    @property
    def size_bytes(self) -> int:
        """Size of the section in the file: its tag, its length and its payload."""
        return 1 + len(varint.write(len(self.payload))) + len(self.payload)


def write(header: Header, sections: Sequence[Section]) -> bytes:
    """The file. Raises ValueError where there is no section, or too many."""
    _require(1 <= len(sections) <= MAX_SECTIONS, f"a file has 1 to {MAX_SECTIONS} sections, not {len(sections)}")
    payload = _write_sections(sections)
    head = _write_header(header) + _CRC.pack(zlib.crc32(payload))
    return head + _CRC.pack(zlib.crc32(head)) + payload


def read(data: bytes, limits: Limits = DEFAULT) -> tuple[Header, list[Section]]:
    """The header and the sections of a file; the inverse of `write`.

    Raises CorruptFileError where the bytes are damaged, UnsupportedFormatError where they are of a newer format, and
    LimitError where the picture has more pixels than the limits allow.
    """
    _read_magic(data)
    _read_version(data)
    header, payload_crc, start = _read_header(data, limits)
    sections = _read_sections(data, start)
    if zlib.crc32(memoryview(data)[start:]) != payload_crc:
        raise CorruptFileError("the payload's checksum does not match: the file is damaged")
    return header, sections


def read_beginning(data: bytes, limits: Limits = DEFAULT) -> tuple[Header, list[Section], int | None]:
    """The header and sections of a file that may end too early, and how many bytes its last section lacks: 0 where it
    has all but others are missing, None where the file is whole. The payload's checksum is verified only then.

    Raises as `read`.
    """
    _read_magic(data)
    _read_version(data)
    header, _, start = _read_header(data, limits)
    sections, missing_bytes = _read_sections_there(data, start)
    if missing_bytes is None:
        return *read(data, limits), None
    return header, sections, missing_bytes


def by_kind(sections: Sequence[Section], known: Mapping[int, str]) -> dict[int, Section]:
    """The sections of the known kinds, whose names are for messages; unknown ancillary ones are skipped.

    Raises UnsupportedFormatError for an unknown critical kind, CorruptFileError where a known kind comes twice.
    """
    found: dict[int, Section] = {}
    for section in sections:
        if section.kind not in known:
            if section.critical:
                raise UnsupportedFormatError(
                    f"the file needs a section of kind {section.kind}, unknown to this version"
                )
            continue
        if section.kind in found:
            raise CorruptFileError(f"section {known[section.kind]!r} comes twice")
        found[section.kind] = section
    return found


def _write_header(header: Header) -> bytes:
    """Everything up to the two checksums."""
    extended = header.prior != 0 or header.tiles != 0
    head = bytearray(MAGIC)
    head.append(FORMAT_MAJOR << 4 | FORMAT_MINOR)
    head.append(
        (header.channels - 1)
        | BIT_DEPTHS.index(header.bit_depth) << 2
        | header.coordinates << 4
        | header.activation << 6
    )
    head.append(header.profile | (_EXTENDED if extended else 0) | len(header.architecture) << 5)
    head += varint.write(header.width - 1)
    head += varint.write(header.height - 1)
    if extended:
        head += varint.write(header.prior)
        head += varint.write(header.tiles)
    for value in header.architecture:
        head += varint.write(value)
    return bytes(head)


def _read_header(data: bytes, limits: Limits) -> tuple[Header, int, int]:
    """The header, the payload's checksum, and the offset of the first section."""
    offset = len(MAGIC) + 1
    if len(data) < offset + 2:
        raise CorruptFileError("the file ends inside its header")
    samples, profile = data[offset], data[offset + 1]
    width, offset = varint.read(data, offset + 2)
    height, offset = varint.read(data, offset)
    prior, tiles = 0, 0
    if profile & _EXTENDED:
        prior, offset = varint.read(data, offset)
        tiles, offset = varint.read(data, offset)
    architecture = []
    for _ in range(profile >> 5):
        value, offset = varint.read(data, offset)
        architecture.append(value)

    payload_crc, offset = _read_checksums(data, offset)
    if profile & _EXTENDED and prior == tiles == 0:
        raise CorruptFileError("the header says that prior or tiles follow, and both are 0")
    limits.check_pixels(width + 1, height + 1)
    try:
        header = Header(
            width=width + 1,
            height=height + 1,
            channels=(samples & 3) + 1,
            profile=profile & 15,
            architecture=tuple(architecture),
            bit_depth=BIT_DEPTHS[samples >> 2 & 3],
            coordinates=samples >> 4 & 3,
            activation=samples >> 6,
            prior=prior,
            tiles=tiles,
        )
    except ValueError as exc:
        raise CorruptFileError(f"the header is invalid: {exc}") from exc
    return header, payload_crc, offset


def _write_sections(sections: Sequence[Section]) -> bytes:
    coded = bytearray()
    for index, section in enumerate(sections):
        last = _LAST_SECTION if index == len(sections) - 1 else 0
        coded.append(section.kind | section.coder << 5 | last)
        coded += varint.write(len(section.payload))
        coded += section.payload
    return bytes(coded)


def _read_sections(data: bytes, offset: int) -> list[Section]:
    sections: list[Section] = []
    tag = 0
    while not tag & _LAST_SECTION:
        if offset >= len(data):
            raise CorruptFileError(
                f"the file ends after {len(sections)} sections, and none was the last: it is truncated"
            )
        if len(sections) == MAX_SECTIONS:
            raise LimitError(f"the file has more than {MAX_SECTIONS} sections, as many as the format allows")
        tag = data[offset]
        size_bytes, offset = varint.read(data, offset + 1)
        left_bytes = len(data) - offset
        if size_bytes > left_bytes:
            raise CorruptFileError(
                f"section {len(sections)}: {size_bytes} bytes declared, {left_bytes} left: truncated"
            )
        sections.append(Section(tag & 31, tag >> 5 & 3, data[offset : offset + size_bytes]))
        offset += size_bytes
    if offset != len(data):
        raise CorruptFileError(f"{len(data) - offset} bytes are left over after the last section")
    return sections


def _read_sections_there(data: bytes, offset: int) -> tuple[list[Section], int | None]:
    """The sections that have begun, and what the last one lacks, or None where the last section of the file has."""
    sections: list[Section] = []
    while len(sections) < MAX_SECTIONS:
        length = data[offset + 1 : offset + 1 + varint.MAX_BYTES]
        if len(length) < varint.MAX_BYTES and all(byte > 0x7F for byte in length):
            return sections, 0  # nothing, or not all of a tag and a length
        tag = data[offset]
        size_bytes, offset = varint.read(data, offset + 1)
        sections.append(Section(tag & 31, tag >> 5 & 3, data[offset : offset + size_bytes]))
        if offset + size_bytes > len(data):
            return sections, offset + size_bytes - len(data)
        offset += size_bytes
        if tag & _LAST_SECTION:
            break
    return sections, None  # which `read` looks at more closely


def _read_magic(data: bytes) -> None:
    if data[: len(MAGIC)] == MAGIC:
        return
    if not data:
        raise CorruptFileError("the file is empty")
    if MAGIC.startswith(data):
        raise CorruptFileError("the file ends inside its header")
    if data[:4] == MAGIC[:4]:
        raise CorruptFileError("the file was damaged by a transfer as text: its line ends changed")
    raise CorruptFileError("not a .fnc file: it does not begin with the magic bytes")


def _read_version(data: bytes) -> None:
    """Before 1.0 every minor version is a format of its own; from then on only a newer major is unreadable."""
    if len(data) == len(MAGIC):
        raise CorruptFileError("the file ends inside its header")
    major, minor = data[len(MAGIC)] >> 4, data[len(MAGIC)] & 15
    if major > FORMAT_MAJOR or (major == FORMAT_MAJOR == 0 and minor > FORMAT_MINOR):
        raise UnsupportedFormatError(
            f"the file is of format {major}.{minor}, newer than {FORMAT_MAJOR}.{FORMAT_MINOR}, which this version reads"
        )
    if major == 0 and minor != FORMAT_MINOR:
        raise UnsupportedFormatError(
            f"the file is of the trial format {major}.{minor}; this version reads {FORMAT_MAJOR}.{FORMAT_MINOR}"
        )


def _read_checksums(data: bytes, offset: int) -> tuple[int, int]:
    """The payload's checksum and the offset behind both, after verifying the header's."""
    end = offset + 2 * _CRC.size
    if len(data) < end:
        raise CorruptFileError("the file ends inside its header")
    payload_crc, header_crc = (crc for (crc,) in _CRC.iter_unpack(data[offset:end]))
    if zlib.crc32(memoryview(data)[: offset + _CRC.size]) != header_crc:
        raise CorruptFileError("the header's checksum does not match: the file is damaged")
    return payload_crc, end


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)
