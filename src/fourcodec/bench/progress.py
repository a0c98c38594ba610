"""The status line of a bench run: pictures done, time left, means so far."""

from collections.abc import Sequence

from fourcodec.batch.progress import RunProgress
from fourcodec.bench.aggregate import Mean
from fourcodec.bench.itemlog import ItemLog
from fourcodec.bench.items import Outcome
from fourcodec.bench.settings import OUR_NAME


class BenchProgress(RunProgress):
    """Counts pictures, whose items may be done in any order, and shows the means of the items done in this run."""

    def __init__(self, images: int, weights: Sequence[float], log: ItemLog, *, quiet: bool) -> None:
        """`weights`: the expected times of a picture's items, in any unit; items in `log` are done."""
        super().__init__(images, "pictures", quiet=quiet)
        self._weights = weights
        self._left = bytearray([len(weights)]) * images  # items of each picture; a byte, hence at most 255 settings
        self._complete = 0
        self._means: dict[str, tuple[Mean, Mean]] = {}  # by ours and the first peer: bits per pixel, PSNR
        for index in range(images * len(weights)):
            if index in log:
                self._count(index)
            else:
                self.time_left.left += self._weight(index)

    def finish(self, outcome: Outcome) -> None:
        """Counts a finished item and shows the line."""
        self._count(outcome.index)
        self.time_left.finish(self._weight(outcome.index))
        self._add_means(outcome)
        self.update(self._complete, more="".join(f", {part}" for part in self._shown_means()))

    def _weight(self, index: int) -> float:
        return self._weights[index % len(self._weights)]

    def _count(self, index: int) -> None:
        image = index // len(self._weights)
        self._left[image] -= 1
        self._complete += self._left[image] == 0

    def _add_means(self, outcome: Outcome) -> None:
        for row in outcome.rows:  # ours comes before the peers' that are matched to it
            name = "ours" if row.codec == OUR_NAME else row.codec
            if name == "ours" or (row.match == "bytes" and (name in self._means or len(self._means) < 2)):
                rates, qualities = self._means.setdefault(name, (Mean(), Mean()))
                rates.add(row.rate_bpp)
                qualities.add(row.psnr_db)

    def _shown_means(self) -> list[str]:
        parts = []
        for name, means in self._means.items():
            rate, quality = (mean.value for mean in means)
            if rate is not None and quality is not None:
                parts.append(f"{name} {rate:.3f} bpp {quality:.2f} dB")
        return parts
