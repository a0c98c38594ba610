"""What of a picture is decoded, and at how many samples.

    View      what a person asks for: a region in pixels of the picture, and a scale or a size of what is decoded of it
    Lattice   where the samples of that lie on the picture: what profiles render

A region comes first and is scaled after, as in dwebp's -crop and -scale: --region 0,0,100,100 --scale 2 gives 200 x 200
samples.
"""

import math
from dataclasses import dataclass
from functools import cached_property

_ROUNDING = 1e-9  # 30 x 0.1 is 3 samples, not 4
_LARGEST_SCALE = 1e18  # so that the number of samples is a number; nobody decodes so many


@dataclass(frozen=True)
class Lattice:
    """rows x columns samples, evenly spread over the box left, top, width, height (pixels of the coded picture):
    sample (r, c) lies at top + (r + 1/2) height / rows, left + (c + 1/2) width / columns, where pixel centres are at
    halves."""

    left: int
    top: int
    width: int
    height: int
    columns: int
    rows: int

    @property
    def row_pitch(self) -> float:
        """Pixels from one row to the next."""
        return self.height / self.rows

    @property
    def column_pitch(self) -> float:
        return self.width / self.columns

    @property
    def pitch(self) -> float:
        """Of the direction in which the samples lie closer."""
        return min(self.row_pitch, self.column_pitch)

    @property
    def on_pixels(self) -> bool:
        """Whether the samples are pixels of the picture."""
        return self.rows == self.height and self.columns == self.width

    @cached_property
    def count(self) -> int:
        return self.rows * self.columns


def whole(width: int, height: int) -> Lattice:
    """Every pixel of a picture."""
    return Lattice(0, 0, width, height, width, height)


@dataclass(frozen=True)
class View:
    """region (left, top, width, height) in pixels, None for all; then at most one of scale, samples per pixel, and size
    (width, height) in samples. Raises ValueError where that cannot be."""

    region: tuple[int, int, int, int] | None = None
    scale: float | None = None
    size: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if self.scale is not None and self.size is not None:
            raise ValueError("a scale and a size contradict each other: give one of them")
        if self.scale is not None and not (math.isfinite(self.scale) and self.scale > 0):
            raise ValueError(f"a scale is above 0, not {self.scale}")
        if self.size is not None and min(self.size) < 1:
            raise ValueError(f"a size is at least 1 x 1, not {self.size[0]} x {self.size[1]}")
        if self.region is not None and (min(self.region[:2]) < 0 or min(self.region[2:]) < 1):
            raise ValueError(f"a region begins at 0 or later and has a width and a height, not {self.region}")

    def on(self, width: int, height: int) -> Lattice:
        """The lattice on a picture of width x height pixels. Raises ValueError where the region leaves the picture."""
        left, top, across, down = self.region or (0, 0, width, height)
        if left + across > width or top + down > height:
            raise ValueError(
                f"the region {left},{top},{across},{down} is not inside the picture of {width} x {height} pixels"
            )
        if self.size is not None:
            return Lattice(left, top, across, down, *self.size)
        scale = 1.0 if self.scale is None else min(self.scale, _LARGEST_SCALE)
        columns, rows = (max(1, math.ceil(side * scale - _ROUNDING)) for side in (across, down))
        return Lattice(left, top, across, down, columns, rows)


WHOLE = View()
