"""The distortion of the tuning `visual`: a quadratic form of errors (grid/error_form.py) that follows what people see.

Two properties of sight are in it. Errors that a whole neighbourhood shares are seen better than those of single pixels,
so coarse scales have weights of their own. And strong texture hides errors, while smooth regions show them (masking):
weights fall with the variance around a place, at each scale by that scale's own. What such a form cannot say, the share
of SSIMULACRA 2 in the gradient does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fourcodec.arrays import Floats
from fourcodec.grid.error_form import ErrorForm

# The weights of the scales 1:1, 1:2, 1:4 and 1:8, the same for all three colours. A file is then about as large as one
# of least squared error. Much more for the coarse scales pays in theory, but latents of fine levels then learn too
# slowly; docs/research.md has what was tried.
GAINS = (1.35, 0.34, 0.68, 0.68)
WINDOW = 1.5  # pixels of a scale: the deviation of the window in which variances are measured
HARDLY_MASKED = 6e-4  # the variance of lightness, in [0, 1], at which masking sets in
METRIC_SHARE = 0.5  # of SSIMULACRA 2 in gradients; with more of it, FLIP finds more errors
MASKING = 0.3  # weights are proportional to (1 + variance / HARDLY_MASKED)^-MASKING


def form_of(planes: Floats, visible: Floats | NDArray[np.bool_] | None) -> ErrorForm:
    """The form for a picture: planes (1 or 3, H, W) float32 in [0, 1]; visible (H, W), the part of each pixel that
    counts, or None where all do.

    Weights are positive. Their mean over the visible pixels is the gain of the scale; a flat picture has it everywhere.
    """
    lightness = planes.mean(axis=0, dtype=np.float64)
    seen = np.ones(lightness.shape) if visible is None else visible.astype(np.float64)
    weights = []
    for scale, gain in enumerate(GAINS):
        if scale:
            lightness, seen = _halved(lightness, seen)
        weights.append((gain * _weights(lightness, seen)).astype(np.float32))
    return ErrorForm(tuple(weights), METRIC_SHARE)


def without_hidden(planes: Floats, visible: Floats | None) -> Floats:
    """Planes (channels, H, W) whose hidden pixels, where visible (H, W) is 0, have the mean colour of the others: the
    local means and variances of what is seen then do not depend on them."""
    if visible is None:
        return planes
    seen = visible > 0
    if seen.all():
        return planes
    mean = planes[:, seen].mean(axis=1) if seen.any() else np.zeros(len(planes), planes.dtype)
    return np.where(seen, planes, mean[:, None, None])


def _weights(lightness: NDArray[np.float64], seen: NDArray[np.float64]) -> NDArray[np.float64]:
    """The weights of one scale. seen: 0 to 1, the visible part of each place."""
    inside = np.maximum(_blurred(seen), 1e-6)
    mean, square = (_blurred(seen * lightness**power) / inside for power in (1, 2))
    masked = (1 + np.maximum(square - mean**2, 0) / HARDLY_MASKED) ** -MASKING
    total = seen.sum()
    return np.asarray(masked * (total / (masked * seen).sum() if total else 1.0))


def _blurred(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    """A plane under a Gaussian window of WINDOW pixels, cut off at four of them. Edges repeat the last pixel."""
    radius = round(4 * WINDOW)
    window = np.exp(-0.5 * (np.arange(-radius, radius + 1) / WINDOW) ** 2)
    window /= window.sum()
    for _ in range(2):  # along columns, then along rows
        padded = np.pad(plane, [(radius, radius), (0, 0)], mode="edge")
        plane = sum(part * padded[at : at + len(plane)] for at, part in enumerate(window)).T
    return plane


def _halved(lightness: NDArray[np.float64], seen: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Lightness and visibility at half the size: means over what is visible of 2 x 2 pixels."""
    odd = [(0, side % 2) for side in seen.shape]
    bright, parts = np.pad(lightness * seen, odd), np.pad(seen, odd)
    bright, parts = (plane.reshape(plane.shape[0] // 2, 2, -1, 2).mean(axis=(1, 3)) for plane in (bright, parts))
    return bright / np.maximum(parts, 1e-6), parts
