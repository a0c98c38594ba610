"""How far a picture is from another, and what it cost. Units are in the names: dB, bits per pixel.

Pictures are uint8 (H, W) or (H, W, C). Everything is summed over strips of rows: a 12-megapixel photograph in
float64, as scikit-image takes it, would need several gigabytes.
"""

import math

import numpy as np
import numpy.typing as npt

from fourcodec.pixels import STRIP_ROWS

PEAK = 255
SSIM_MIN_SIDE = 11  # pixels: the window of SSIM
MS_SSIM_MIN_SIDE = 161
_SSIM_MARGIN = SSIM_MIN_SIDE // 2


def psnr_db(first: npt.NDArray[np.uint8], second: npt.NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio over all samples of all channels; infinite for equal pictures."""
    _check_pair(first, second)
    squares = 0
    for top in range(0, first.shape[0], STRIP_ROWS):
        rows = slice(top, top + STRIP_ROWS)
        difference = first[rows].astype(np.int32) - second[rows]
        squares += int(np.sum(np.square(difference, out=difference), dtype=np.int64))  # exact, whatever the strips
    return 10 * math.log10(PEAK**2 * first.size / squares) if squares else math.inf


def ssim(first: npt.NDArray[np.uint8], second: npt.NDArray[np.uint8]) -> float | None:
    """Structural similarity, mean over channels; None where a side is shorter than the window of 11 pixels.

    Wang, Bovik, Sheikh, Simoncelli: Image Quality Assessment: From Error Visibility to Structural Similarity (2004):
    Gaussian windows of sigma 1.5, K1 = 0.01, K2 = 0.03. Their mean leaves out a margin of 5 pixels where windows
    would overhang, so strips that overlap by twice that have means whose weighted mean is the whole picture's.
    """
    _check_pair(first, second)
    height, width = first.shape[:2]
    if min(height, width) < SSIM_MIN_SIDE:
        return None
    from skimage.metrics import structural_similarity

    total = 0.0
    inner_rows = height - 2 * _SSIM_MARGIN
    for top in range(0, inner_rows, STRIP_ROWS):
        strip_rows = min(STRIP_ROWS, inner_rows - top)
        rows = slice(top, top + strip_rows + 2 * _SSIM_MARGIN)
        total += strip_rows * structural_similarity(
            first[rows],
            second[rows],
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            data_range=PEAK,
            channel_axis=-1 if first.ndim == 3 else None,
        )
    return float(total / inner_rows)


def ms_ssim(first: npt.NDArray[np.uint8], second: npt.NDArray[np.uint8]) -> float | None:
    """Multi-scale structural similarity, mean over channels; None where a side is shorter than 161 pixels.

    Wang, Simoncelli, Bovik: Multi-Scale Structural Similarity for Image Quality Assessment (2003): five scales, the
    smallest of which must still hold the window of 11 pixels. Channel by channel, since all at once take three times
    the memory.
    """
    _check_pair(first, second)
    if min(first.shape[:2]) < MS_SSIM_MIN_SIDE:
        return None
    import torch
    from pytorch_msssim import ms_ssim as of_planes

    values = []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # sums do not depend on the machine, and a busy one is not made to wait for its threads
    try:
        with torch.inference_mode():
            for channel in range(1 if first.ndim == 2 else first.shape[2]):
                planes = (picture if picture.ndim == 2 else picture[:, :, channel] for picture in (first, second))
                pair = [torch.from_numpy(plane.astype(np.float32))[None, None] for plane in planes]
                values.append(float(of_planes(*pair, data_range=PEAK)))
    finally:
        torch.set_num_threads(threads)
    return sum(values) / len(values)


def bpp(size_bytes: int, width: int, height: int) -> float:
    """Bits per pixel of a file."""
    return 8 * size_bytes / (width * height)


def _check_pair(first: npt.NDArray[np.uint8], second: npt.NDArray[np.uint8]) -> None:
    if first.dtype != np.uint8 or second.dtype != np.uint8:
        raise ValueError(f"pictures are uint8, not {first.dtype} and {second.dtype}")
    if first.shape != second.shape:
        raise ValueError(f"pictures of different shapes: {first.shape} and {second.shape}")
