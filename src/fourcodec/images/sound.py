"""Sound files that Pillow refuses: PNG with long texts, JPEG without its end. They are made readable."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
from PIL import Image

_PNG_SIGNATURE_BYTES, _CHUNK_BYTES = 8, 12  # a chunk's length, name and checksum
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_KEPT_TEXTS = (b"XML:com.adobe.xmp\0", b"Raw profile type ")  # metadata as texts
_END = b"\xff\xd9"
_FILLERS = (b"", b"\x55" * 64, b"\x93\x6c" * 32)


def without_texts(png: bytes) -> bytes:
    """The PNG file without its texts, which are never kept; texts that hold metadata stay.

    Pillow unpacks texts and refuses those above a limit. A text with a wrong checksum stays too, so that the file is
    refused as any other damaged one.
    """
    return _without(png, _is_mere_text)


def without_profile(png: bytes) -> bytes:
    """The PNG file without its ICC profile, of whose faults libpng prints warnings."""
    return _without(png, lambda chunk: chunk[4:8] == b"iCCP")


def _without(png: bytes, unwanted: Callable[[bytes], bool]) -> bytes:
    kept, at = [png[:_PNG_SIGNATURE_BYTES]], _PNG_SIGNATURE_BYTES
    while at < len(png):
        size = int.from_bytes(png[at : at + 4], "big")
        chunk = png[at : at + size + _CHUNK_BYTES]
        if not unwanted(chunk):
            kept.append(chunk)
        at += size + _CHUNK_BYTES
    return png if len(kept) == 1 else b"".join(kept)


def _is_mere_text(chunk: bytes) -> bool:
    """True for a text that holds no metadata, with a right checksum."""
    is_text = chunk[4:8] in _TEXTS and not chunk[8:].startswith(_KEPT_TEXTS)
    return is_text and chunk[-4:] == struct.pack(">I", zlib.crc32(chunk[4:-4]))


def with_end(jpeg: bytes) -> bytes | None:
    """The JPEG file with the end marker that it lacks; None where more than that is missing.

    A decoder that lacks pixels takes whatever stands before the end for them. So the pixels are all there where
    nothing that is put there changes the picture.
    """
    start = jpeg.removesuffix(_END[:1])
    samples = []
    for filler in _FILLERS:
        try:
            with Image.open(io.BytesIO(start + filler + _END), formats=("JPEG",)) as image:
                samples.append(np.asarray(image))
        except (OSError, SyntaxError, ValueError):
            return None
    return start + _END if all(np.array_equal(samples[0], other) for other in samples[1:]) else None
