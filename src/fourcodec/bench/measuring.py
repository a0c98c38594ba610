"""The measurement of one file: encoding, decoding, and comparing the pixels; the same for our files and the peers'."""

import math
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from fourcodec import metrics
from fourcodec.arrays import Samples
from fourcodec.bench.memory import peak_memory
from fourcodec.bench.rows import Row


def measure(
    blank: Row, pixels: Samples, encode: Callable[[], bytes], decode: Callable[[bytes], Samples]
) -> tuple[Row, bytes]:
    """Makes a file of the picture `pixels` (uint8, (H, W) or (H, W, 3)), decodes those bytes and compares.

    `encode` makes the file; `decode` gives its pixels back, grey or RGB. Returns the row `blank` with its measured
    columns filled in, and the file. Metrics are over 8-bit RGB, and None where a picture is too small for them; PSNR is
    None for an exact copy.
    """
    with peak_memory() as peak:
        started = time.perf_counter()
        data = encode()
        encoded = time.perf_counter()
        decoded = decode(data)
        ended = time.perf_counter()
    original, copy = as_rgb(pixels), as_rgb(decoded)
    quality = metrics.psnr_db(original, copy)
    exact = math.isinf(quality)
    row = replace(
        blank,
        size_bytes=len(data),
        rate_bpp=metrics.bpp(len(data), pixels.shape[1], pixels.shape[0]),
        psnr_db=None if exact else quality,
        ssim=metrics.ssim(original, copy),
        ms_ssim=metrics.ms_ssim(original, copy),
        ssimulacra2=metrics.ssimulacra2(original, copy),
        flip=metrics.flip(original, copy),
        encode_seconds=encoded - started,
        decode_seconds=ended - encoded,
        peak_memory_mb=peak.megabytes,
        note="; ".join(filter(None, [blank.note, "an exact copy" if exact else ""])),
    )
    return row, data


def as_rgb(pixels: Samples) -> Samples:
    """Pixels (H, W) or (H, W, 3) as (H, W, 3): grey becomes three equal channels."""
    return np.repeat(pixels[:, :, None], 3, axis=2) if pixels.ndim == 2 else pixels
