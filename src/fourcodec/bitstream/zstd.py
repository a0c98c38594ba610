"""Sections of coder 1: one Zstandard frame without its four magic bytes (FORMAT.md, "Coders").

The caller always knows how many bytes must come out, so the frame states neither its size nor a checksum, and a
reader never allocates more than it expects. (zstandard ignores `max_output_size` for frames which do state a size:
hence the checks.)
"""

import zstandard

from fourcodec.errors import CorruptFileError

MAGIC = bytes.fromhex("28b52ffd")  # RFC 8878, section 3.1.1; the same in every frame, so not worth storing
LEVEL = 19  # the strongest that needs no more than 8 MiB of window
MAX_WINDOW_BYTES = 8 << 20  # what every Zstandard decoder must support (RFC 8878, section 3.1.1.1.2)


def compress(data: bytes) -> bytes:
    """One frame, the same on every machine with the same zstandard: one thread, no size, no checksum.

    Raises ValueError for no data at all, which needs no frame.
    """
    if not data:
        raise ValueError("nothing to compress")
    compressor = zstandard.ZstdCompressor(level=LEVEL, write_content_size=False, write_checksum=False, threads=0)
    return compressor.compress(data)[len(MAGIC) :]


def decompress(data: bytes, size_bytes: int) -> bytes:
    """Exactly `size_bytes` > 0 bytes, which the caller has bounded. Raises CorruptFileError where there are not."""
    if size_bytes <= 0:
        raise ValueError(f"a zstd section holds at least one byte, not {size_bytes}")
    frame = MAGIC + data
    try:
        _check_frame(frame, size_bytes)
        decompressor = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES)
        # Not a byte more room than expected (0 would be no limit at all): with room to spare, zstandard 0.25
        # overlooks bytes behind the frame.
        plain = decompressor.decompress(frame, max_output_size=size_bytes, allow_extra_data=False)
    except zstandard.ZstdError as exc:
        raise CorruptFileError(f"a zstd section does not decompress to {size_bytes} bytes: {exc}") from exc
    if len(plain) != size_bytes:
        raise CorruptFileError(f"a zstd section holds {len(plain)} bytes, {size_bytes} expected")
    return plain


def _check_frame(frame: bytes, size_bytes: int) -> None:
    """Refuses frames that would allocate more than `size_bytes`, before decompressing them."""
    parameters = zstandard.get_frame_parameters(frame)
    if parameters.content_size not in (zstandard.CONTENTSIZE_UNKNOWN, size_bytes):
        raise CorruptFileError(f"a zstd section declares {parameters.content_size} bytes, {size_bytes} expected")
    if parameters.window_size > MAX_WINDOW_BYTES:
        raise CorruptFileError(f"a zstd section asks for a window of {parameters.window_size} bytes")
    if parameters.dict_id:
        raise CorruptFileError(f"a zstd section asks for dictionary {parameters.dict_id}, and there are none")
