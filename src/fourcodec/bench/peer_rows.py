"""The rows of peers, the other codecs: points of their curves, and files matched to ours.

A file that cannot be made keeps its row, with a note in place of values.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from fourcodec.arrays import Samples
from fourcodec.bench import baselines, matching
from fourcodec.bench.baselines import BASELINES, PeerSetting
from fourcodec.bench.matching import PeerFiles, Point
from fourcodec.bench.measuring import measure
from fourcodec.bench.rows import Row
from fourcodec.errors import one_line

Wanted = TypeVar("Wanted", PeerSetting, Row)


class Peers:
    """The peers of one picture. One object serves all our settings, so that matching makes each file of a peer once."""

    def __init__(self, image: str, pixels: Samples, names: tuple[str, ...]) -> None:
        """`pixels`: uint8, (H, W) or (H, W, 3); `names`: keys of BASELINES."""
        self.image, self.names = image, names
        self._pixels = pixels
        self._files = {name: PeerFiles(pixels, BASELINES[name]) for name in names}

    def sweep_rows(self) -> list[Row]:
        """The points of every peer's rate-distortion curve."""
        rows = []
        for name in self.names:
            for setting in baselines.sweep_settings(BASELINES[name]):
                blank = Row(self.image, name, setting.label, match="sweep")
                rows.append(_or_failed(blank, self._measured, setting))
        return rows

    def matched_rows(self, ours: Row) -> list[Row]:
        """For every peer, its best file of at most our bytes and its smallest file of at least our PSNR."""
        rows = []
        for name in self.names:
            blank = Row(self.image, name, matched_setting=ours.setting)
            rows.append(_or_failed(replace(blank, match="bytes"), self._matched_by_bytes, ours))
            rows.append(_or_failed(replace(blank, match="psnr"), self._matched_by_psnr, ours))
        return rows

    def _matched_by_bytes(self, blank: Row, ours: Row) -> Row:
        assert ours.size_bytes is not None
        files = self._files[blank.codec]
        point = matching.best_within(files, ours.size_bytes)
        if point is None:
            floor = min(point.size_bytes for point in files.not_much_larger(ours.size_bytes))
            return replace(blank, note=f"out of reach: its smallest file has {floor} bytes, ours {ours.size_bytes}")
        row = self._remade(blank, point)
        between = matching.interpolated_psnr_db(files, ours.size_bytes)
        if between is None:
            return row
        said = f"{between:.3f} dB at exactly {ours.size_bytes} bytes, interpolated in log-rate"
        return replace(row, interpolated_psnr_db=between, note="; ".join(filter(None, (row.note, said))))

    def _matched_by_psnr(self, blank: Row, ours: Row) -> Row:
        wanted = float("inf") if ours.psnr_db is None else ours.psnr_db
        point = matching.smallest_reaching(self._files[blank.codec], wanted)
        if point is None:
            return replace(blank, note=f"out of reach: no quality has a PSNR of {wanted:.2f} dB")
        return self._remade(blank, point)

    def _remade(self, blank: Row, point: Point) -> Row:
        """Makes the file again, to measure its times, memory and all metrics."""
        return self._measured(replace(blank, setting=point.setting.label), point.setting)

    def _measured(self, blank: Row, setting: PeerSetting) -> Row:
        files = self._files[blank.codec]
        row, _ = measure(
            blank, self._pixels, lambda: baselines.make(files.baseline, files.image, setting), baselines.decode
        )
        return row


def _or_failed(blank: Row, filled: Callable[[Row, Wanted], Row], wanted: Wanted) -> Row:
    """filled(blank, wanted), or `blank` with a note: a codec that cannot hold the picture, say, must not end the
    run."""
    try:
        return filled(blank, wanted)
    except Exception as exc:
        return replace(blank, note=f"failed: {one_line(exc)}")
