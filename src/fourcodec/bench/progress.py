"""The line on stderr: pictures done, time left, means so far."""

import time
from collections.abc import Callable

from fourcodec.batch.terminal import StatusLine, duration
from fourcodec.bench.aggregate import Mean
from fourcodec.bench.items import Item, Outcome
from fourcodec.bench.settings import OUR_NAME


class ProgressLine:
    """Tell it of every finished item; it draws over one line on a terminal, and prints now and then elsewhere."""

    def __init__(self, images: int, per_image: int, seconds_of: Callable[[Item], float]) -> None:
        """`seconds_of` weighs items against each other; the pace is measured."""
        self._images, self._per_image = images, per_image
        self._seconds_of = seconds_of
        self._left = bytearray([per_image]) * images  # items of each picture; a byte, hence at most 255 settings
        self._complete = 0
        self._expected_left = self._expected_done = 0.0
        self._started = time.monotonic()
        self._means = {"ours": (Mean(), Mean()), "peer": (Mean(), Mean())}
        self._peer = ""
        self._status = StatusLine()

    def expect(self, item: Item) -> None:
        """An item that is still to be done."""
        self._expected_left += self._seconds_of(item)

    def already_done(self, index: int) -> None:
        """An item from before this run was resumed."""
        self._count(index)

    def done(self, item: Item, outcome: Outcome) -> None:
        """A finished item; draws."""
        self._count(item.index)
        self._expected_left -= self._seconds_of(item)
        self._expected_done += self._seconds_of(item)
        self._add_means(outcome)
        self._draw()

    def close(self) -> None:
        """Leaves the cursor on a fresh line."""
        self._status.close()

    def _count(self, index: int) -> None:
        image = index // self._per_image
        self._left[image] -= 1
        self._complete += self._left[image] == 0

    def _add_means(self, outcome: Outcome) -> None:
        for row in outcome.rows:
            if row.codec == OUR_NAME:
                self._add("ours", row.rate_bpp, row.psnr_db)
            elif row.match == "bytes" and self._peer in ("", row.codec):
                self._peer = row.codec
                self._add("peer", row.rate_bpp, row.psnr_db)

    def _add(self, whose: str, rate_bpp: float | None, psnr_db: float | None) -> None:
        rates, qualities = self._means[whose]
        rates.add(rate_bpp)
        qualities.add(psnr_db)

    def _draw(self) -> None:
        parts = [f"{self._complete}/{self._images} pictures", f"{duration(self.seconds_left)} left"]
        for whose, name in (("ours", "ours"), ("peer", self._peer)):
            rate, quality = (mean.value for mean in self._means[whose])
            if rate is not None and quality is not None:
                parts.append(f"{name} {rate:.3f} bpp {quality:.2f} dB")
        self._status.show(", ".join(parts), last=self._complete == self._images)

    @property
    def seconds_left(self) -> float:
        """By the pace so far."""
        if self._expected_done <= 0:
            return max(0.0, self._expected_left)
        pace = (time.monotonic() - self._started) / self._expected_done
        return max(0.0, self._expected_left * pace)
