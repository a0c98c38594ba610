"""Alpha at the size that is asked for, and colours that show nothing of what it hides.

Colours under an alpha of 0 are no part of the picture: no fit looks at them, and they come out as anything. Where
samples are made of several pixels they must not count, so colours are multiplied by alpha, resampled, and divided by it
again (Porter and Duff, "Compositing Digital Images", 1984). That takes the pixels themselves, whatever the size.
"""

from collections.abc import Callable

import numpy as np

from fourcodec.arrays import Floats, Samples
from fourcodec.images import pixels
from fourcodec.images.resampling import margin, resample
from fourcodec.views import Lattice

_LEAST_OPACITY = np.float32(0.5 / 65535)  # less is 0 in any number of bits, and its colour is not seen


def on_lattice(render: Callable[[Lattice], Floats], alpha: Samples, lattice: Lattice) -> tuple[Floats, Samples]:
    """Colours (channels, rows, columns), about [0, 1], and alpha (rows, columns) on a lattice.

    alpha (H, W) is the whole picture's; render(lattice) gives colours as if there were none.
    """
    if lattice.on_pixels:
        return render(lattice), _cut(alpha, lattice)
    near = _pixels_around(lattice, alpha.shape[1], alpha.shape[0])
    opacities = _cut(alpha, near)
    if (opacities == opacities[0, 0]).all():
        return render(lattice), np.full((lattice.rows, lattice.columns), opacities[0, 0])
    left, top = lattice.left - near.left, lattice.top - near.top
    box = (left, top, left + lattice.width, top + lattice.height)
    weights = pixels.to_planes(opacities)
    weighted = render(near)
    np.clip(weighted, 0, 1, out=weighted)  # in place: of a large picture each copy is a gigabyte
    weighted *= weights
    weighted = resample(weighted, box, lattice.columns, lattice.rows)
    weights = resample(weights, box, lattice.columns, lattice.rows)
    weighted /= np.maximum(weights, _LEAST_OPACITY)
    return weighted, pixels.from_planes(weights, 8 * alpha.itemsize)


def _pixels_around(lattice: Lattice, width: int, height: int) -> Lattice:
    """The pixels of a picture of width x height that `resample` reads for a lattice."""
    across, down = margin(lattice.width, lattice.height, lattice.columns, lattice.rows)
    left, top = max(lattice.left - across, 0), max(lattice.top - down, 0)
    right = min(lattice.left + lattice.width + across, width)
    bottom = min(lattice.top + lattice.height + down, height)
    return Lattice(left, top, right - left, bottom - top, right - left, bottom - top)


def _cut(samples: Samples, box: Lattice) -> Samples:
    return samples[box.top : box.top + box.height, box.left : box.left + box.width]
