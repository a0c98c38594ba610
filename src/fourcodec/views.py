"""Views: the part of a picture that is decoded, and its number of samples.

    View      the user's request: a region in pixels of the picture, and a scale or a size of the decoded image
    Lattice   the places of its samples on the picture, which profiles render

The region is cut out first and then scaled, as by dwebp's -crop and -scale: --region 0,0,100,100 --scale 2 gives
200 x 200 samples.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fourcodec.arguments import number, whole_number

_ROUNDING = 1e-9  # so that 30 x 0.1, just above 3 in floating point, is 3 samples and not 4
_LARGEST_SCALE = 1e18  # keeps the number of samples finite; the limits refuse far fewer


@dataclass(frozen=True)
class Lattice:
    """rows x columns samples, evenly spread over the box left, top, width, height, in pixels of the coded picture.

    Sample (r, c) lies at row top + (r + 1/2) height / rows and column left + (c + 1/2) width / columns, where pixel
    centres are at halves.
    """

    left: int
    top: int
    width: int
    height: int
    columns: int
    rows: int

    @property
    def row_pitch(self) -> float:
        """The distance of rows in pixels."""
        return self.height / self.rows

    @property
    def column_pitch(self) -> float:
        """The distance of columns in pixels."""
        return self.width / self.columns

    @property
    def pitch(self) -> float:
        """The smaller of both distances."""
        return min(self.row_pitch, self.column_pitch)

    @property
    def on_pixels(self) -> bool:
        """True if the samples are the pixels of the box."""
        return self.rows == self.height and self.columns == self.width

    @cached_property
    def count(self) -> int:
        """The number of samples."""
        return self.rows * self.columns


def whole(width: int, height: int) -> Lattice:
    """The lattice of all pixels of a picture."""
    return Lattice(0, 0, width, height, width, height)


@dataclass(frozen=True)
class View:
    """A view: a region and the scale or the size at which it is decoded.

    region: (left, top, width, height) in pixels, None for the whole picture. scale: samples per pixel. size: (width,
    height) in samples. Raises ValueError for values of another type or out of range, and where both scale and size are
    given.
    """

    region: tuple[int, int, int, int] | None = None
    scale: float | None = None
    size: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if self.scale is not None:
            object.__setattr__(self, "scale", number("a scale", self.scale))
        for name, count in (("region", 4), ("size", 2)):
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, _whole_numbers(name, value, count))
        if self.scale is not None and self.size is not None:
            raise ValueError("a scale and a size contradict each other: give one of them")
        if self.scale is not None and not (math.isfinite(self.scale) and self.scale > 0):
            raise ValueError(f"a scale is above 0, not {self.scale:g}")
        if self.size is not None and min(self.size) < 1:
            raise ValueError(f"a size is at least 1 x 1, not {self.size[0]} x {self.size[1]}")
        if self.region is not None and (min(self.region[:2]) < 0 or min(self.region[2:]) < 1):
            raise ValueError(f"a region begins at 0 or later and has a width and a height, not {self.region}")

    def on(self, width: int, height: int) -> Lattice:
        """The lattice of this view of a picture of width x height pixels. Raises ValueError where the region is not
        inside the picture."""
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


def _whole_numbers(name: str, values: Any, count: int) -> tuple[int, ...]:
    if not isinstance(values, Sequence) or isinstance(values, str | bytes) or len(values) != count:
        raise ValueError(f"a {name} is {count} whole numbers, not {values!r}")
    return tuple(whole_number(f"each number of a {name}", value) for value in values)


WHOLE = View()
