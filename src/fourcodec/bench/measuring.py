"""The measurement of one file: encoding, decoding, and comparing the pixels; the same for our files and the peers'."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from fourcodec import metrics
from fourcodec.arrays import Samples
from fourcodec.bench.memory import peak_memory
from fourcodec.bench.rows import Row


@dataclass(frozen=True)
class Measured:
    """A file with its quality and times. Metrics are over 8-bit RGB, and None where a picture is too small for them."""

    data: bytes
    psnr_db: float | None  # None for an exact copy
    ssim: float | None
    ms_ssim: float | None
    encode_seconds: float
    decode_seconds: float
    peak_memory_mb: float | None  # 10^6 bytes

    def fill(self, blank: Row, pixels: Samples) -> Row:
        """The row `blank` with its measured columns filled in; `pixels` is the original, (H, W) or (H, W, 3)."""
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


def measure(pixels: Samples, encode: Callable[[], bytes], decode: Callable[[bytes], Samples]) -> Measured:
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


def as_rgb(pixels: Samples) -> Samples:
    """Pixels (H, W) or (H, W, 3) as (H, W, 3): grey becomes three equal channels."""
    return np.repeat(pixels[:, :, None], 3, axis=2) if pixels.ndim == 2 else pixels
