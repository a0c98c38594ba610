"""Limits on pixels, work and bytes, so that no file takes all of a machine's memory or hours of its time.

Each number in a file is compared with its limit before memory is allocated or time is spent in proportion to it. The
defaults fit a laptop. docs/trust.md has the worst case under them, and the limits of the format itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from fourcodec.arguments import whole_number
from fourcodec.errors import LimitError


@dataclass(frozen=True)
class Limits:
    """The limits of one program. pixels: of a picture in a file, and of a decoded view of it. work: of decoding, in
    multiplications. Raises ValueError where one is below 1 or no whole number."""

    pixels: int = 1 << 27  # 16384 x 8192; Pillow refuses pictures that are not much larger
    # `pixels` and this belong together: it is enough for so many in fnet's default size, 8 x 6. Change both.
    work: int = 1 << 42

    def __post_init__(self) -> None:
        for name, value in (("pixels", self.pixels), ("work", self.work)):
            object.__setattr__(self, name, whole_number(f"a limit of {name}", value))
            if value < 1:
                raise ValueError(f"a limit of {name} is at least 1, not {value}")

    @property
    def file_bytes(self) -> int:
        """The largest .fnc file that is read: 16 bits a pixel, more than any image codec needs, or 2^28 bytes."""
        return max(1 << 28, 2 * self.pixels)

    @property
    def picture_bytes(self) -> int:
        """The largest image file that is read to be encoded: twice the uncompressed size in 16-bit RGBA, or 2^31."""
        return max(1 << 31, 16 * self.pixels)

    def check_pixels(self, width: int, height: int, what: str = "the picture has") -> None:
        """Raises LimitError for a picture or view of more pixels. `what` begins the message."""
        if width * height > self.pixels:
            raise LimitError(
                f"{what} {width} x {height} pixels, more than the limit of {self.pixels}: "
                f"{_remedy('pixels', width * height)}"
            )

    def check_memory(self, pixels: int) -> None:
        """Raises LimitError for a picture that takes as much memory to decode as a square one of so many pixels, where
        that is more than the limit."""
        if pixels > self.pixels:
            raise LimitError(
                f"decoding so thin a picture takes the memory of {pixels} pixels, "
                f"more than the limit of {self.pixels}: {_remedy('pixels', pixels)}"
            )

    def check_work(self, multiplications: int) -> None:
        """Raises LimitError where decoding takes more multiplications."""
        if multiplications > self.work:
            raise LimitError(
                f"decoding takes {multiplications} multiplications, more than the limit of {self.work}: "
                f"{_remedy('work', multiplications)}"
            )


def _remedy(name: str, value: int) -> str:
    return f"--max-{name} {value} allows it (in Python, limits=Limits({name}={value}))"


BYTES_REMEDY = "a larger --max-pixels allows it (in Python, limits=Limits(pixels=...))"
DEFAULT = Limits()
UNLIMITED = Limits(1 << 64, 1 << 128)  # no file states more pixels; for looking at files without decoding them
