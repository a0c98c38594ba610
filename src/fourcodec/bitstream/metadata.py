"""ICC profile, EXIF, XMP and density <-> ancillary sections (FORMAT.md, "Shared sections"). No pixel needs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from fourcodec.bitstream import container, varint, zstd
from fourcodec.bitstream.container import Section
from fourcodec.errors import CorruptFileError, FourcodecError, LimitError, UnsupportedFormatError

ICC, EXIF, XMP, DENSITY = 16, 17, 18, 19  # section kinds
NAMES = {ICC: "icc", EXIF: "exif", XMP: "xmp", DENSITY: "density"}
PER_INCH, PER_CENTIMETRE, PER_METRE = 1, 2, 3  # units of a density
MAX_DENSITY = (1 << 32) - 1
METRES = {PER_INCH: 0.0254, PER_CENTIMETRE: 0.01, PER_METRE: 1.0}  # in a unit
MAX_BYTES = 1 << 24  # of one document: profiles of printing presses take up to 4 MB, embedded previews rarely as much


@dataclass(frozen=True)
class Metadata:
    """Documents about a picture, as bytes; empty where there is none. Raises LimitError above MAX_BYTES."""

    icc: bytes = b""  # an ICC profile
    exif: bytes = b""  # the TIFF structure, without the "Exif" and two zeros that JPEG puts before it
    xmp: bytes = b""  # the packet, UTF-8
    density: bytes = b""  # pixels per length, see write_density

    def __post_init__(self) -> None:
        for field in fields(self):
            size_bytes = len(getattr(self, field.name))
            if size_bytes > MAX_BYTES:
                raise LimitError(f"{field.name} metadata of {size_bytes} bytes, more than the limit of {MAX_BYTES}")

    def __bool__(self) -> bool:
        return any(getattr(self, field.name) for field in fields(self))


def write_density(unit: int, across: int, down: int) -> bytes:
    """A density as a document: so many pixels per `unit`, one of PER_INCH, PER_CENTIMETRE, PER_METRE."""
    return bytes([unit]) + varint.write(across) + varint.write(down)


def read_density(document: bytes) -> tuple[int, int, int]:
    """The inverse of `write_density`. Raises CorruptFileError."""
    across, at = varint.read(document, 1)
    down, end = varint.read(document, at)
    if document[0] not in (PER_INCH, PER_CENTIMETRE, PER_METRE) or end != len(document):
        raise CorruptFileError("section 'density' has an unknown unit, or bytes behind its end")
    if not min(across, down):
        raise CorruptFileError(f"section 'density' has {across} x {down} pixels per unit")
    return document[0], across, down


def per_metre(document: bytes) -> tuple[int, int]:
    """A density in pixels per metre, rounded."""
    unit, across, down = read_density(document)
    return round(across / METRES[unit]), round(down / METRES[unit])


def per_inch(document: bytes) -> tuple[float, float]:
    """A density in pixels per inch; whole where the rounding to metres alone keeps it from that."""
    unit, *pair = read_density(document)
    across, down = (number / METRES[unit] * METRES[PER_INCH] for number in pair)
    return _whole(across), _whole(down)


def _whole(value: float) -> float:
    return round(value) if abs(value - round(value)) <= METRES[PER_INCH] / 2 else value


def write(metadata: Metadata) -> list[Section]:
    """A section for each document that there is, raw or under zstd, whichever is smaller."""
    sections = []
    for kind, name in NAMES.items():
        plain = getattr(metadata, name)
        if plain:
            packed = varint.write(len(plain)) + zstd.compress(plain)
            raw = len(plain) <= len(packed)
            coder = container.CODER_RAW if raw else container.CODER_ZSTD
            sections.append(Section(kind, coder, plain if raw else packed))
    return sections


def read(sections: Sequence[Section]) -> Metadata:
    """The inverse of `write`; other sections are skipped. A density is checked, the other documents are not.

    Raises CorruptFileError, LimitError before a document of more than MAX_BYTES is unpacked, and UnsupportedFormatError
    for an unknown coder.
    """
    ours = [section for section in sections if section.kind in NAMES]
    found = {NAMES[kind]: _plain(section) for kind, section in container.by_kind(ours, NAMES).items()}
    if NAMES[DENSITY] in found:
        read_density(found[NAMES[DENSITY]])
    return Metadata(**found)


def salvage(sections: Sequence[Section]) -> tuple[Metadata, list[str]]:
    """The documents that can be read, and one remark (a sentence for the user) on each that is damaged.

    No pixel depends on metadata, so damaged metadata is no reason to refuse a picture."""
    sound, remarks = {}, []
    for kind, name in NAMES.items():
        try:
            sound[name] = getattr(read([section for section in sections if section.kind == kind]), name)
        except FourcodecError as exc:
            remarks.append(f"the {name} metadata are left out: {exc}")
    return Metadata(**sound), remarks


def _plain(section: Section) -> bytes:
    name = NAMES[section.kind]
    if section.coder == container.CODER_RAW:
        if not section.payload:
            raise CorruptFileError(f"section {name!r} is empty")
        return section.payload
    if section.coder != container.CODER_ZSTD:
        raise UnsupportedFormatError(f"section {name!r} has coder {section.coder}, unknown to this version")
    size_bytes, offset = varint.read(section.payload, 0)
    if size_bytes > MAX_BYTES:
        raise LimitError(f"section {name!r} declares {size_bytes} bytes, more than the limit of {MAX_BYTES}")
    if not size_bytes:
        raise CorruptFileError(f"section {name!r} is empty")
    return zstd.decompress(section.payload[offset:], size_bytes)
