"""The content of the summary as sentences and tables of text, for Markdown and for the page."""

from collections.abc import Iterator
from dataclasses import dataclass

from fourcodec.bench.aggregate import Aggregate, Average, BdAverage, Match, Mean, Problems
from fourcodec.bench.baselines import BASELINES
from fourcodec.bench.settings import OUR_NAME

NONE = "–"


@dataclass(frozen=True)
class Table:
    """A heading, a remark, and rows of text under the columns; `first`: before the plots and pictures of the page."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    remark: str = ""
    first: bool = False


@dataclass(frozen=True)
class Progress:
    """The number of chosen pictures, and of their items that are done."""

    chosen: int  # pictures
    found: int  # pictures in the folder
    done_items: int
    items: int

    @property
    def complete(self) -> bool:
        """True if all items are done."""
        return self.done_items == self.items


def opening(aggregate: Aggregate, progress: Progress) -> list[str]:
    """The sentences above the tables."""
    settings = aggregate.settings
    of_all = (
        ""
        if progress.chosen == progress.found
        else f", a sample (seed {settings.seed}) of the folder's {progress.found}"
    )
    lines = [f"{aggregate.images} of {progress.chosen} pictures measured{of_all}."]
    if not progress.complete:
        lines.append(f"**Stopped early**: {progress.done_items} of {progress.items} items are done; --resume goes on.")
    if settings.ours:
        sizes = ", ".join(our.label for our in settings.ours)
        length = f"effort {settings.effort}"
        if settings.iterations is not None:
            length = f"{settings.iterations} iterations"
        lines.append(f"Ours: {sizes}, {length}, device {settings.device}, seed {settings.seed}.")
    lines.append(_about_sources(aggregate))
    lines += [f"{name}: {BASELINES[name].about}." for name in settings.peers]
    if aggregate.skipped.count or aggregate.failed.count:
        lines.append(
            f"{aggregate.skipped.count} files skipped, {aggregate.failed.count} measurements failed (listed below)."
        )
    return lines


def tables(aggregate: Aggregate) -> list[Table]:
    """All tables that have rows."""
    candidates = [
        _sizes(aggregate),
        _matches(aggregate, "bytes"),
        _matches(aggregate, "psnr"),
        _bd_rates(aggregate),
        *_sweeps(aggregate),
        _problems("Skipped files", aggregate.skipped),
        _problems("Failed measurements", aggregate.failed),
    ]
    return [table for table in candidates if table.rows]


def headline(aggregate: Aggregate) -> list[str]:
    """The means of each of our settings in a line, for the terminal."""
    lines = []
    for setting, average in aggregate.ours.items():
        line = f"{OUR_NAME} {setting}: {_number(average['size_bytes'], 0)} bytes, {_number(average['psnr_db'], 2)} dB"
        for peer in aggregate.settings.peers:
            match = aggregate.matches.get((setting, peer, "bytes"))
            if match is not None:
                line += f"; {peer} at these bytes, dB: {_peer_at_our_bytes(aggregate, setting, peer)}"
        lines.append(line)
    for (codec, reference), rate in aggregate.bd_rates.items():
        lines.append(f"BD-rate of {codec} against {reference}: {_signed(rate.percent.value, 1, '%')}")
    return lines


def _about_sources(aggregate: Aggregate) -> str:
    if not aggregate.jpeg_sources:
        return "None of the sources is a JPEG file."
    counted = f"{aggregate.jpeg_sources} of {aggregate.images} sources are themselves JPEG files"
    return (
        f"{counted}: their loss is already JPEG's own (its blocks, its rounding), which flatters JPEG here; "
        "compare with a folder of never compressed pictures."
    )


def _sizes(aggregate: Aggregate) -> Table:
    """Our means, a row for each setting: the thesis' table, but with the bytes of real files."""
    columns = (
        "size",
        "coefficients",
        "float32 bytes",
        "bytes",
        "bpp",
        "PSNR dB",
        "SSIM",
        "MS-SSIM",
        *(f"{peer} dB" for peer in aggregate.settings.peers),
        "encode s",
        "decode s",
        "peak MB",
        "files",
    )
    rows = []
    for setting, average in aggregate.ours.items():
        coefficients = average["coefficients"]
        rows.append(
            (
                setting,
                _number(coefficients, 0),
                _number(None if coefficients is None else 4 * coefficients, 0),
                _number(average["size_bytes"], 0),
                *_quality(average),
                *(_peer_at_our_bytes(aggregate, setting, peer) for peer in aggregate.settings.peers),
                _number(average["encode_seconds"], 2),
                _number(average["decode_seconds"], 3),
                _number(average["peak_memory_mb"], 0),
                str(average.files),
            )
        )
    remark = (
        "Means over pictures. Bytes are those of the whole file; float32 bytes are four for each coefficient, as the "
        "thesis counted. The peers' dB: the PSNR of their best real file of at most our bytes, over the pictures where "
        "they have one."
    )
    return Table("Ours, by size", columns, rows, remark, first=True)


def _peer_at_our_bytes(aggregate: Aggregate, setting: str, peer: str) -> str:
    match = aggregate.matches.get((setting, peer, "bytes"))
    if match is None:
        return NONE
    if not match.peer.files:
        return "out of reach"
    missing = f" ({match.out_of_reach} out of reach)" if match.out_of_reach else ""
    return _number(match.peer["psnr_db"], 2) + missing


def _matches(aggregate: Aggregate, match: str) -> Table:
    columns: tuple[str, ...]
    rows = []
    for (setting, peer, kind), stats in aggregate.matches.items():
        if kind == match:
            rows.append((setting, peer, *(_by_bytes(stats) if match == "bytes" else _by_psnr(stats))))
    if match == "bytes":
        columns = (
            "size", "peer", "our PSNR dB", "its PSNR dB", "gain dB", "interpolated dB", "gain over it dB", "we win",
            "out of reach", "our bytes", "its bytes", "our SSIM", "its SSIM", "our MS-SSIM", "its MS-SSIM",
        )  # fmt: skip
        remark = (
            "The peer's best real file of at most our bytes; means over the pictures in its reach. Small files have "
            "coarse steps of quality, so beside it the PSNR interpolated in log-rate at exactly our bytes."
        )
        return Table("At the same bytes", columns, rows, remark, first=True)
    columns = ("size", "peer", "our bytes against its", "our bytes", "its bytes", "in reach", "out of reach")
    remark = (
        "The peer's smallest real file of at least our PSNR; the percentage is a geometric mean, negative: "
        "we need fewer bytes."
    )
    return Table("At the same PSNR", columns, rows, remark, first=True)


def _by_bytes(match: Match) -> tuple[str, ...]:
    return (
        _number(match.ours["psnr_db"], 2),
        _number(match.peer["psnr_db"], 2),
        _signed(match.gain_db.value, 2),
        _number(match.interpolated_db.value, 2) + _counted(match.interpolated_db, match.peer.files),
        _signed(match.gain_over_interpolated_db.value, 2),
        f"{match.wins} of {match.peer.files}",
        str(match.out_of_reach),
        _number(match.ours["size_bytes"], 0),
        _number(match.peer["size_bytes"], 0),
        _number(match.ours["ssim"], 4),
        _number(match.peer["ssim"], 4),
        _number(match.ours["ms_ssim"], 4),
        _number(match.peer["ms_ssim"], 4),
    )


def _counted(mean: Mean, files: int) -> str:
    """A remark beside a mean over fewer pictures than the other means of its row."""
    return "" if mean.count in (0, files) else f" (of {mean.count})"


def _by_psnr(match: Match) -> tuple[str, ...]:
    return (
        _signed(match.size_percent, 1, "%"),
        _number(match.ours["size_bytes"], 0),
        _number(match.peer["size_bytes"], 0),
        str(match.peer.files),
        str(match.out_of_reach),
    )


def _bd_rates(aggregate: Aggregate) -> Table:
    columns = ("codec", "against", "mean BD-rate", "pictures", "without", "mean overlap", "least overlap")
    rows = [(codec, reference, *_bd_row(average)) for (codec, reference), average in aggregate.bd_rates.items()]
    reasons = sorted({reason for average in aggregate.bd_rates.values() for reason in average.reasons})
    remark = (
        "Mean over pictures of each picture's BD-rate (PSNR, Akima); negative: fewer bytes. Overlap is the share of "
        "the codec's own PSNR range that the reference reaches too: outside of it the curves cannot be compared."
    )
    if reasons:
        remark += f" Without a number: {'; '.join(reasons)}."
    return Table("BD-rate", columns, rows, remark, first=True)


def _bd_row(average: BdAverage) -> tuple[str, ...]:
    overlap = average.overlap.value
    return (
        _signed(average.percent.value, 2, "%"),
        str(average.percent.count),
        str(average.without),
        _number(None if overlap is None else 100 * overlap, 0, "%"),
        _number(100 * average.least_overlap if average.percent.count else None, 0, "%"),
    )


def _sweeps(aggregate: Aggregate) -> Iterator[Table]:
    columns = ("setting", "bpp", "PSNR dB", "SSIM", "MS-SSIM", "bytes", "encode s", "decode s", "files")
    for peer in aggregate.settings.peers:
        rows = [
            (
                setting,
                *_quality(average),
                _number(average["size_bytes"], 0),
                _number(average["encode_seconds"], 3),
                _number(average["decode_seconds"], 4),
                str(average.files),
            )
            for (codec, setting), average in aggregate.sweeps.items()
            if codec == peer
        ]
        yield Table(f"The curve of {peer}", columns, rows, "Means over pictures.")


def _problems(title: str, problems: Problems) -> Table:
    rest = problems.count - len(problems.first)
    remark = f"And {rest} more: all are in results.csv." if rest else ""
    return Table(title, ("picture", "why"), list(problems.first), remark)


def _quality(average: Average) -> tuple[str, ...]:
    return (
        _number(average["rate_bpp"], 3),
        _number(average["psnr_db"], 2),
        _number(average["ssim"], 4),
        _number(average["ms_ssim"], 4),
    )


def _number(value: float | None, decimals: int, unit: str = "") -> str:
    return NONE if value is None else f"{value:,.{decimals}f}{unit}"


def _signed(value: float | None, decimals: int, unit: str = "") -> str:
    return NONE if value is None else f"{value:+.{decimals}f}{unit}"
