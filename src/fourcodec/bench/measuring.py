"""One file, made and decoded under the clock: the same for our files and for everybody's."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from fourcodec import metrics
from fourcodec.bench.memory import peak_memory
from fourcodec.bench.rows import Row

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Measured:
    """A file and what it is worth. Metrics are over RGB, 8 bits; None where undefined (too small a picture)."""

    data: bytes
    psnr_db: float | None  # None: an exact copy
    ssim: float | None
    ms_ssim: float | None
    encode_seconds: float
    decode_seconds: float
    peak_memory_mb: float | None

    def fill(self, blank: Row, pixels: Pixels) -> Row:
        """The row with its measured columns filled in; `pixels` is the original."""
        return replace(
            blank,
            size_bytes=len(self.data),
            rate_bpp=metrics.bpp(len(self.data), pixels.shape[1], pixels.shape[0]),
            psnr_db=self.psnr_db,
            ssim=self.ssim,
            ms_ssim=self.ms_ssim,
            encode_seconds=self.encode_seconds,
            decode_seconds=self.decode_seconds,
            peak_memory_mb=self.peak_memory_mb,
            note="; ".join(filter(None, [blank.note, "an exact copy" if self.psnr_db is None else ""])),
        )


def measure(pixels: Pixels, encode: Callable[[], bytes], decode: Callable[[bytes], Pixels]) -> Measured:
    """Makes a file of the picture `pixels` (uint8, (H, W) or (H, W, 3)), decodes those bytes and compares.

    `encode` makes the file; `decode` gives its pixels back, grey or RGB.
    """
    with peak_memory() as peak:
        started = time.perf_counter()
        data = encode()
        encoded = time.perf_counter()
        decoded = decode(data)
        ended = time.perf_counter()
    original, copy = as_rgb(pixels), as_rgb(decoded)
    quality = metrics.psnr_db(original, copy)
    return Measured(
        data=data,
        psnr_db=None if math.isinf(quality) else quality,
        ssim=metrics.ssim(original, copy),
        ms_ssim=metrics.ms_ssim(original, copy),
        encode_seconds=encoded - started,
        decode_seconds=ended - encoded,
        peak_memory_mb=peak.megabytes,
    )


def as_rgb(pixels: Pixels) -> Pixels:
    """uint8 (H, W) or (H, W, 3) -> (H, W, 3); grey becomes three equal channels."""
    return np.repeat(pixels[:, :, None], 3, axis=2) if pixels.ndim == 2 else pixels
