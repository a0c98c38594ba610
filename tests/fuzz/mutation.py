"""Damages .fnc files as somebody would who knows the format: a part is changed, and the checksums are made right again.

`mutate` takes a file apart without checking it, changes fields of the header, sections, what is inside a zstd frame or
a range coder's integers, and puts it together again. `raw` is the blind mutation of bytes that the fuzzer brings along.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import numpy as np
import zstandard

from fourcodec.bitstream import alpha, container, metadata, zstd
from fourcodec.bitstream.container import CODER_RANGE, CODER_ZSTD, MAGIC, Header, Section
from fourcodec.coding import binary_coder, range_coder
from fourcodec.errors import FourcodecError
from fourcodec.fnet import coefficient_coding
from fourcodec.fnet import profile as fnet
from fourcodec.fnet.config import read_config
from fourcodec.grid import config as grid_config
from fourcodec.grid import profile as grid
from fourcodec.grid import weight_coding as grid_networks
from tests.support.golden import FOLDER

Raw = Callable[[bytes, int], bytes]
_NUMBERS = (0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 63, 64, 127, 128, 255, 4095, 65535, 2**27, 2**31, 2**32 - 1)
_EXTREMES = (0, 1, -1, 2, 255, -256, 2**15 - 1, 1 - 2**15, 2**15, 2**20 - 1, 1 - 2**20)
_MAX_PLAIN_BYTES = 1 << 16


@dataclass
class Parts:
    """A file in pieces, none of them checked."""

    version: int
    samples: int  # byte 9
    profile: int  # bits 0-3 of byte 10
    numbers: list[int]  # width - 1, height - 1
    extension: list[int]  # prior and tiles, or nothing
    architecture: list[int]
    sections: list[Section]
    tail: bytes = b""
    crc_changes: list[int] = field(default_factory=lambda: [0, 0])  # of payload and header

    def header(self) -> Header:
        """Raises ValueError where it cannot be one."""
        prior, tiles = self.extension or (0, 0)
        depth = container.BIT_DEPTHS[self.samples >> 2 & 3]
        size = self.numbers[0] + 1, self.numbers[1] + 1
        if size[0] * size[1] > 4096:
            raise ValueError("large")
        return Header(
            *size, (self.samples & 3) + 1, self.profile, tuple(self.architecture), depth, prior=prior, tiles=tiles
        )


def mutate(data: bytes, max_size: int, seed: int, raw: Raw, *, deep: bool) -> bytes:
    """Another file of at most max_size bytes. `deep`: whether what only decoding looks at is worth a change."""
    random = Random(seed)
    parts = parse(data)
    if parts is None or random.random() < 0.1:
        changed = raw(data, max_size)
        parts = parse(changed)
        return changed if parts is None or random.random() < 0.3 else build(parts)[:max_size]
    for _ in range(random.choice((1, 1, 2, 4))):
        random.choice(_OPERATIONS if deep else _OPERATIONS[:-2])(parts, random, raw)
    changed = build(parts)
    return raw(changed, max_size) if random.random() < 0.04 else changed[:max_size]


def parse(data: bytes) -> Parts | None:
    """None where not even the header's numbers are there."""
    try:
        version, samples, profile = data[8:11]
        numbers, at = header_numbers(data)
        parts = Parts(version, samples, profile & 15, numbers[:2], [], numbers[2:], [])
        if profile & 16:
            parts.extension, parts.architecture = numbers[2:4], numbers[4:]
        at += 8
        while at < len(data) and len(parts.sections) < 64:
            tag = data[at]
            size, at = _read_number(data, at + 1)
            parts.sections.append(Section(tag & 31, tag >> 5 & 3, data[at : at + size]))
            at += size
            if tag & 128:
                break
        parts.tail = data[at : at + 64]
    except (ValueError, IndexError):
        return None
    return parts


def build(parts: Parts) -> bytes:
    """The file, its checksums right but for `crc_changes`. The inverse of `parse`."""
    payload = bytearray()
    for index, section in enumerate(parts.sections):
        last = 128 if index == len(parts.sections) - 1 else 0
        payload += bytes([section.kind | section.coder << 5 | last]) + _write_number(len(section.payload))
        payload += section.payload
    payload += parts.tail
    fields = len(parts.architecture) << 5
    head = bytearray(MAGIC) + bytes(
        [parts.version, parts.samples, parts.profile | bool(parts.extension) << 4 | fields & 255]
    )
    for number in (*parts.numbers, *parts.extension, *parts.architecture):
        head += _write_number(number)
    head += struct.pack("<I", zlib.crc32(payload) ^ parts.crc_changes[0])
    return bytes(head + struct.pack("<I", zlib.crc32(head) ^ parts.crc_changes[1]) + payload)


def header_numbers(data: bytes) -> tuple[list[int], int]:
    """Those of a file's header, and the offset behind them, where the checksums are. Raises IndexError."""
    numbers, at = [], 11
    for _ in range(2 + (data[10] >> 4 & 1) * 2 + (data[10] >> 5)):
        number, at = _read_number(data, at)
        numbers.append(number)
    return numbers, at


def _read_number(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while data[at] & 128 and shift < 28:
        value |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
    return (value | (data[at] & 127) << shift) & 0xFFFFFFFF, at + 1


def _write_number(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _number(random: Random, value: int) -> int:
    kind = random.random()
    if kind < 0.4:
        return max(0, value + random.choice((-2, -1, 1, 2)))
    return random.randrange(20) if kind < 0.8 else random.choice(_NUMBERS)


def _change_header(parts: Parts, random: Random, raw: Raw) -> None:
    which = random.randrange(12)
    if which == 0:
        parts.version ^= 1 << random.randrange(8)
    elif which < 3:
        parts.samples ^= 1 << random.randrange(8)
    elif which == 3:
        parts.samples = (parts.samples & ~3) | random.randrange(4)
    elif which == 4:
        parts.profile = random.randrange(16)
    elif which == 5:
        parts.extension = random.choice(([], [random.randrange(9), 0], [_number(random, 1), _number(random, 0)]))
    elif which == 6:
        parts.architecture = parts.architecture[: random.randrange(8)] + [random.randrange(9)] * random.randrange(2)
        del parts.architecture[7:]
    elif parts.architecture:
        at = random.randrange(len(parts.architecture))
        parts.architecture[at] = _number(random, parts.architecture[at])


def _change_size(parts: Parts, random: Random, raw: Raw) -> None:
    at = random.randrange(2)
    if random.random() < 0.8:
        parts.numbers[at] = int(2 ** random.uniform(0, 6.5)) - 1
    else:
        parts.numbers[at] = _number(random, parts.numbers[at])


def _change_list(parts: Parts, random: Random, raw: Raw) -> None:
    """Sections come, go, and change places."""
    sections, which = parts.sections, random.randrange(5)
    at = random.randrange(len(sections) + 1)
    if which == 0 and sections:
        del sections[at - 1]
    elif which == 1 and sections:
        sections.insert(at, random.choice(sections))
    elif which == 2:
        random.shuffle(sections)
    elif which == 3:
        sections.insert(at, Section(random.randrange(32), random.randrange(4), random.randbytes(random.randrange(9))))
    else:
        sections.insert(at, random.choice(_foreign()))


def _change_section(parts: Parts, random: Random, raw: Raw) -> None:
    """Another kind, coder or payload, which may be another file's."""

    def change(section: Section) -> Section:
        which = random.randrange(8)
        if which == 0:
            return Section(random.randrange(32), section.coder, section.payload)
        if which == 1:
            return Section(section.kind, random.randrange(4), section.payload)
        if which == 2:
            return Section(section.kind, section.coder, random.choice(_foreign()).payload)
        if which == 3:
            cut = section.payload[: random.randrange(len(section.payload) + 1)]
            return Section(section.kind, section.coder, cut.rstrip(b"\0"))
        if which == 4:
            more = random.randbytes(random.randrange(1, 20)) * random.randrange(1, 9)
            return Section(section.kind, section.coder, section.payload + more)
        return Section(section.kind, section.coder, raw(section.payload, len(section.payload) + 64))

    _replace_one(parts, random, change)


def _change_inside_zstd(parts: Parts, random: Random, raw: Raw) -> None:
    """What a frame holds, or how it says it."""

    def change(section: Section) -> Section:
        if section.coder != CODER_ZSTD or not section.payload:
            return section
        start = 1 if section.kind not in metadata.NAMES else _read_number(section.payload + b"\0", 0)[1]
        try:
            decompressor = zstandard.ZstdDecompressor(max_window_size=1 << 23).decompressobj()
            plain = decompressor.decompress(zstd.MAGIC + section.payload[start:])
        except zstandard.ZstdError:
            plain = section.payload
        plain = raw(plain[:_MAX_PLAIN_BYTES], len(plain) + 16) if random.random() < 0.6 else plain
        front = section.payload[:start]
        if section.kind in metadata.NAMES and random.random() < 0.7:
            front = _write_number(len(plain))
        return Section(section.kind, section.coder, front + _frame(plain, random))

    _replace_one(parts, random, change)


def _frame(plain: bytes, random: Random) -> bytes:
    """A frame without its magic number, now and then of a kind that no writer of ours makes."""
    honest = random.random() < 0.6
    parameters = zstandard.ZstdCompressionParameters(
        compression_level=1,
        write_content_size=not honest and random.random() < 0.5,
        write_checksum=not honest and random.random() < 0.3,
        window_log=random.randrange(10, 28) if not honest else 0,
    )
    frame = zstandard.ZstdCompressor(compression_params=parameters).compress(plain)
    if not honest and random.random() < 0.2:
        frame += random.choice((frame, b"\x50\x2a\x4d\x18\x04\0\0\0abcd", b"\0", b"\x28\xb5\x2f\xfd"))
    return frame[len(zstd.MAGIC) :]


def _change_integers(parts: Parts, random: Random, raw: Raw) -> None:
    """Of a network: decoded, changed, coded again."""
    try:
        contexts = _contexts(parts.header())
    except (ValueError, TypeError, FourcodecError):
        return

    def change(section: Section) -> Section:
        if section.coder != CODER_RANGE or section.kind != 0:
            return section
        data = section.payload
        pairs, source = binary_coder._pairs(contexts), np.frombuffer(data, np.uint8)
        values, state = np.empty(len(pairs), np.int64), range_coder.start_decoder(source)
        binary_coder._decode(state, source, pairs, binary_coder._new_model(binary_coder._count(pairs)), values)
        for _ in range(random.choice((1, 3, 30))):
            value = random.choice(_EXTREMES) if random.random() < 0.6 else random.randrange(-300, 300)
            first = random.randrange(values.size if random.random() < 0.7 else min(values.size, 30))
            values[first : first + random.choice((1, 1, 4, values.size))] = value
        values = np.clip(values, 1 - 2**20, 2**20 - 1)
        return Section(section.kind, section.coder, binary_coder.encode(values.astype(np.int32), contexts))

    _replace_one(parts, random, change)


def _change_latents(parts: Parts, random: Random, raw: Raw) -> None:
    """Of profile grid: decoded, made large here and there, coded again."""
    if parts.profile != grid.PROFILE_ID or random.random() < 0.5:
        return
    try:
        header = parts.header()
        if header.width * header.height > 1024:
            return
        own = [section for section in parts.sections if section.kind != alpha.KIND]
        found = grid.unpack(grid.read_config(header), own)
    except (ValueError, FourcodecError):
        return
    tiles = list(found.tiles.values())
    for _ in range(random.choice((1, 3, 9))):
        level = random.choice(random.choice(tiles))
        rows = slice(random.randrange(level.shape[0]), None)
        level[rows, random.randrange(level.shape[1])] = np.clip(random.choice(_EXTREMES), -32767, 32767)
    _, sections = grid.pack(found)
    rest = [section for section in parts.sections if section.kind not in (grid.NETWORKS, grid.LATENTS)]
    parts.sections = sections + rest


def _change_checksums(parts: Parts, random: Random, raw: Raw) -> None:
    if random.random() < 0.2:
        parts.crc_changes[random.randrange(2)] = 1 << random.randrange(32)
    elif random.random() < 0.3:
        parts.tail = random.randbytes(random.randrange(4))


def _replace_one(parts: Parts, random: Random, change: Callable[[Section], Section]) -> None:
    if parts.sections:
        at = random.randrange(len(parts.sections))
        parts.sections[at] = change(parts.sections[at])


def _contexts(header: Header) -> np.ndarray:
    if header.profile == fnet.PROFILE_ID:
        config = read_config(header)
        return coefficient_coding.contexts(config)
    return grid_networks._contexts(grid_config.read_config(header))


_found: list[Section] = []


def _foreign() -> list[Section]:
    """The sections of all golden files."""
    if not _found:
        for path in sorted(FOLDER.glob("*.fnc")):
            _found.extend(container.read(path.read_bytes())[1])
    return _found


_OPERATIONS = (
    *(_change_header, _change_size, _change_list, _change_checksums),
    *(_change_section, _change_section, _change_inside_zstd),
    *(_change_integers, _change_latents),  # the deep ones
)
