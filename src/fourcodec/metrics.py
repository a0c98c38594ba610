"""PSNR, SSIM, MS-SSIM, SSIMULACRA 2 and FLIP of a pair of pictures, and bits per pixel.

Pictures are uint8 or uint16, (H, W) or (H, W, C). With 2 or 4 channels the last is alpha, which is not compared; nor
are the colours of pixels that are fully transparent in the first picture. Sums run over strips of rows: SSIM in float64
would take several gigabytes for a photograph of 12 megapixels at once. All functions raise ValueError for pictures of
different shapes or types.
"""

import io
import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fourcodec import extras
from fourcodec.arrays import Samples
from fourcodec.images import has_alpha, saved, to_eight_bits
from fourcodec.images.pixels import STRIP_ROWS

SSIM_MIN_SIDE = 11  # pixels, the side of the window of SSIM
MS_SSIM_MIN_SIDE = 161  # pixels: the coarsest of five scales must hold the window
SSIMULACRA2_MIN_SIDE = 8  # pixels: the side of the smallest scale
MOST_DB = 120.0  # PSNR that fits report for an error of 0: a finite number, which JSON can hold
_SSIM_MARGIN = SSIM_MIN_SIDE // 2
_SSIM_SIGMA = 1.5
_SSIM_WINDOW = np.exp(-0.5 * (np.arange(-_SSIM_MARGIN, _SSIM_MARGIN + 1) / _SSIM_SIGMA) ** 2)
_SSIM_WINDOW /= _SSIM_WINDOW.sum()


def psnr_db(first: Samples, second: Samples) -> float:
    """The peak signal-to-noise ratio in dB over the samples of all colours; infinite for equal pictures."""
    _check_pair(first, second)
    squares, count = 0, 0
    for top in range(0, first.shape[0], STRIP_ROWS):
        rows = slice(top, top + STRIP_ROWS)
        one, other = _colours(first[rows], second[rows])
        difference = one.astype(np.int64) - other
        squares += int(np.sum(np.square(difference, out=difference)))  # exact, whatever the strips
        count += difference.size if not has_alpha(first) else one.shape[2] * int((first[rows][:, :, -1] > 0).sum())
    return psnr_of_mse_db(squares / count if count else 0.0, _peak(first))


def psnr_of_mse_db(mse: float, peak: float = 1.0, *, at_most: float = math.inf) -> float:
    """PSNR in dB of a mean squared error between samples whose largest value is `peak`; `at_most` for an error of 0."""
    if mse == 0:
        return at_most
    return min(0 - 10 * math.log10(mse / peak**2), at_most)  # 0 - x, since -x would show 0 dB as -0.00


def ssim(first: Samples, second: Samples) -> float | None:
    """The structural similarity, mean over channels; None where a side is shorter than the window of 11 pixels.

    Source: Wang, Bovik, Sheikh, Simoncelli, "Image Quality Assessment: From Error Visibility to Structural Similarity",
    2004, with Gaussian windows of sigma 1.5, K1 = 0.01, K2 = 0.03. The mean excludes a margin of 5 pixels, where
    windows would overhang. So the weighted mean over strips that overlap by twice the margin is that of the whole
    picture.
    """
    _check_pair(first, second)
    height, width = first.shape[:2]
    if min(height, width) < SSIM_MIN_SIDE:
        return None
    total = 0.0
    inner_rows = height - 2 * _SSIM_MARGIN
    for top in range(0, inner_rows, STRIP_ROWS):
        strip_rows = min(STRIP_ROWS, inner_rows - top)
        rows = slice(top, top + strip_rows + 2 * _SSIM_MARGIN)
        one, other = (np.atleast_3d(colours) for colours in _colours(first[rows], second[rows]))
        channels = one.shape[2]
        means = (_mean_ssim(one[:, :, c], other[:, :, c], _peak(first)) for c in range(channels))
        total += strip_rows * sum(means) / channels
    return total / inner_rows


def _mean_ssim(first: Samples, second: Samples, peak: int) -> float:
    """The mean of SSIM over all windows that lie within two planes (H, W)."""
    x, y = first.astype(np.float64), second.astype(np.float64)
    mean_x, mean_y = _window_means(x), _window_means(y)
    product, squares = mean_x * mean_y, mean_x**2 + mean_y**2
    covariance = _window_means(x * y) - product
    variances = _window_means(x**2 + y**2) - squares
    c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    return float(np.mean((2 * product + c1) * (2 * covariance + c2) / ((squares + c1) * (variances + c2))))


def _window_means(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    """The means under the Gaussian window, (H - 10, W - 10)."""
    for axis in (0, 1):
        turned = plane if axis == 0 else plane.T
        kept = len(turned) - 2 * _SSIM_MARGIN
        total = _SSIM_WINDOW[_SSIM_MARGIN] * turned[_SSIM_MARGIN : _SSIM_MARGIN + kept]
        for tap in range(_SSIM_MARGIN):  # the window is symmetric
            last = 2 * _SSIM_MARGIN - tap
            total += _SSIM_WINDOW[tap] * (turned[tap : tap + kept] + turned[last : last + kept])
        plane = total if axis == 0 else total.T
    return plane


def ms_ssim(first: Samples, second: Samples) -> float | None:
    """The multi-scale structural similarity, mean over channels; None where a side is shorter than 161 pixels.

    Source: Wang, Simoncelli, Bovik, "Multi-Scale Structural Similarity for Image Quality Assessment", 2003, with five
    scales. It is computed channel by channel, since all at once would take three times the memory.
    """
    _check_pair(first, second)
    if min(first.shape[:2]) < MS_SSIM_MIN_SIDE:
        return None
    extras.require("MS-SSIM", "torch", "pytorch_msssim", extra="bench")
    import torch
    from pytorch_msssim import ms_ssim as of_planes

    values = []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # then sums do not depend on the machine, and a busy one has no threads to wait for
    try:
        with torch.inference_mode():
            pictures = _colours(first, second)
            for channel in range(1 if first.ndim == 2 else pictures[0].shape[2]):
                planes = (picture if picture.ndim == 2 else picture[:, :, channel] for picture in pictures)
                pair = [torch.from_numpy(plane.astype(np.float32))[None, None] for plane in planes]
                values.append(float(of_planes(*pair, data_range=_peak(first))))
    finally:
        torch.set_num_threads(threads)
    return sum(values) / len(values)


def installed(name: str) -> bool:
    """True if the package behind the function `name` of this module is there: "ssimulacra2" or "flip"."""
    return extras.is_there({"ssimulacra2": "ssimulacra2", "flip": "flip_evaluator"}[name])


def ssimulacra2(first: Samples, second: Samples) -> float | None:
    """SSIMULACRA 2 of the pictures in 8 bits: 100 for equal ones, 90 where no difference is seen, 70 high, 50 medium,
    30 low quality, and less without a limit. None where a side is shorter than 8 pixels, or where the package
    `ssimulacra2` is missing.

    Source: Sneyers, "SSIMULACRA 2", 2022, https://github.com/cloudinary/ssimulacra2.
    """
    _check_pair(first, second)
    if min(first.shape[:2]) < SSIMULACRA2_MIN_SIDE or not installed("ssimulacra2"):
        return None
    from ssimulacra2 import compute_ssimulacra2

    files = [io.BytesIO(saved(Image.fromarray(pixels), "BMP")) for pixels in _in_rgb(first, second)]
    return float(compute_ssimulacra2(*files))


def flip(first: Samples, second: Samples) -> float | None:
    """The mean error of FLIP between the pictures in 8 bits, 0 for equal ones to 1, seen as on a screen from 70 cm (67
    pixels per degree). None where the package `flip-evaluator` is missing.

    Source: Andersson et al., "FLIP: A Difference Evaluator for Alternating Images", 2020.
    """
    _check_pair(first, second)
    if not installed("flip"):
        return None
    import flip_evaluator

    pair = [pixels.astype(np.float32) / 255 for pixels in _in_rgb(first, second)]
    return float(flip_evaluator.evaluate(*pair, "LDR", applyMagma=False, computeMeanError=True)[1])


def bpp(size_bytes: int, width: int, height: int) -> float:
    """Bits per pixel of a file."""
    return 8 * size_bytes / (width * height)


def _colours(first: Samples, second: Samples) -> tuple[Samples, Samples]:
    """Both pictures without alpha, and black where the first is fully transparent."""
    if not has_alpha(first):
        return first, second
    visible = first[:, :, -1:] > 0
    return first[:, :, :-1] * visible, second[:, :, :-1] * visible


def _in_rgb(first: Samples, second: Samples) -> list[Samples]:
    """Both pictures in 8-bit RGB, (H, W, 3), black where the first is fully transparent."""
    eight = [to_eight_bits(pixels) if pixels.itemsize == 2 else pixels for pixels in _colours(first, second)]
    flat = [pixels.reshape(*pixels.shape[:2], -1) for pixels in eight]
    return [np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3))) for pixels in flat]


def _peak(picture: Samples) -> int:
    return int(np.iinfo(picture.dtype).max)


def _check_pair(first: Samples, second: Samples) -> None:
    if first.dtype not in (np.uint8, np.uint16) or first.dtype != second.dtype:
        raise ValueError(f"pictures are both uint8 or both uint16, not {first.dtype} and {second.dtype}")
    if first.shape != second.shape:
        raise ValueError(f"pictures of different shapes: {first.shape} and {second.shape}")
