"""What a program agrees to work on, so that no file takes all of a machine's memory or hours of its time.

Each number that a file states is compared with its limit before anything is allocated or computed whose size it says.
The defaults fit a laptop; docs/trust.md has the worst case under them, and the limits that belong to the format itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from fourcodec.errors import LimitError


@dataclass(frozen=True)
class Limits:
    """pixels of a picture, in a file and of what is decoded of it; work of decoding it, in multiplications. Raises
    ValueError where one is below 1."""

    pixels: int = 1 << 27  # 16384 x 8192; above it Pillow soon refuses pictures, too
    work: int = 1 << 42  # every picture of 2^27 pixels in the default size of network, 8 x 6

    def __post_init__(self) -> None:
        for name, value in (("pixels", self.pixels), ("work", self.work)):
            if value < 1:
                raise ValueError(f"a limit of {name} is at least 1, not {value}")

    @property
    def file_bytes(self) -> int:
        """Of a .fnc file: 16 bits a pixel are more than any coder of pictures needs, and metadata are small beside."""
        return max(1 << 28, 2 * self.pixels)

    @property
    def picture_bytes(self) -> int:
        """Of the file of a picture that is to be encoded: twice what it takes uncompressed, in 16-bit RGBA."""
        return max(1 << 31, 16 * self.pixels)

    def check_pixels(self, width: int, height: int, what: str = "the picture has") -> None:
        """Raises LimitError."""
        if width * height > self.pixels:
            raise LimitError(
                f"{what} {width} x {height} pixels, more than the limit of {self.pixels}: "
                f"{_remedy('pixels', width * height)}"
            )

    def check_memory(self, pixels: int) -> None:
        """pixels: of a square picture that takes as much memory to decode. Raises LimitError."""
        if pixels > self.pixels:
            raise LimitError(
                f"decoding so thin a picture takes the memory of {pixels} pixels, "
                f"more than the limit of {self.pixels}: {_remedy('pixels', pixels)}"
            )

    def check_work(self, multiplications: int) -> None:
        """Raises LimitError."""
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
