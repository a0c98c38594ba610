"""Alpha at another size, and colours that are not mixed with hidden ones.

A fit ignores the colours of pixels whose alpha is 0, so their decoded values are arbitrary. They must not enter a mean
of several pixels. Colours are therefore multiplied by alpha, resampled, and divided by the resampled alpha (Porter and
Duff, "Compositing Digital Images", 1984). This needs all pixels, also for a small size.
"""

from collections.abc import Callable

import numpy as np

from fourcodec.arrays import Floats, Samples
from fourcodec.images import pixels
from fourcodec.images.resampling import margin, resample
from fourcodec.views import Lattice

_MIN_OPACITY = np.float32(0.5 / 65535)  # below this alpha rounds to 0 in 8 and in 16 bits


def on_lattice(render: Callable[[Lattice], Floats], alpha: Samples, lattice: Lattice) -> tuple[Floats, Samples]:
    """Colour planes float32 (C, rows, columns), nominally in [0, 1], and alpha (rows, columns) on a lattice.

    `alpha` (H, W), uint8 or uint16, is that of the whole picture; `render(lattice)` gives colours without regard to
    alpha.
    """
    if lattice.on_pixels:
        return render(lattice), _crop(alpha, lattice)
    near = _pixels_around(lattice, alpha.shape[1], alpha.shape[0])
    opacities = _crop(alpha, near)
    if (opacities == opacities[0, 0]).all():
        return render(lattice), np.full((lattice.rows, lattice.columns), opacities[0, 0])
    left, top = lattice.left - near.left, lattice.top - near.top
    box = (left, top, left + lattice.width, top + lattice.height)
    weights = pixels.to_planes(opacities)
    weighted = render(near)
    np.clip(weighted, 0, 1, out=weighted)  # in place: each copy of a large picture takes a gigabyte
    weighted *= weights
    weighted = resample(weighted, box, lattice.columns, lattice.rows)
    weights = resample(weights, box, lattice.columns, lattice.rows)
    weighted /= np.maximum(weights, _MIN_OPACITY)
    return weighted, pixels.from_planes(weights, 8 * alpha.itemsize)


def _pixels_around(lattice: Lattice, width: int, height: int) -> Lattice:
    """The lattice of all pixels that `resample` reads for `lattice`, in a picture of width x height pixels."""
    across, down = margin(lattice.width, lattice.height, lattice.columns, lattice.rows)
    left, top = max(lattice.left - across, 0), max(lattice.top - down, 0)
    right = min(lattice.left + lattice.width + across, width)
    bottom = min(lattice.top + lattice.height + down, height)
    return Lattice(left, top, right - left, bottom - top, right - left, bottom - top)


def _crop(samples: Samples, box: Lattice) -> Samples:
    return samples[box.top : box.top + box.height, box.left : box.left + box.width]
