"""The content of the summary, its answer first, as sentences and tables of text, for Markdown and for the page."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from fourcodec import metrics
from fourcodec.bench.aggregate import Aggregate, Average, BdAverage, Match, Mean, Problems
from fourcodec.bench.baselines import BASELINES
from fourcodec.bench.settings import OUR_NAME
from fourcodec.errors import printable

NONE = "–"
_VISUAL = {"ssimulacra2": ("SSIMULACRA 2", 2), "flip": ("FLIP", 4)}  # the titles of metrics, and their decimals


@dataclass(frozen=True)
class Table:
    """A heading, a remark, and rows of text, each by the names of the columns, which are the same in all rows.

    `folded`: closed on the page until somebody opens it.
    """

    title: str
    rows: list[dict[str, str]]
    remark: str = ""
    folded: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns; none without rows."""
        return tuple(self.rows[0]) if self.rows else ()


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


def verdict(aggregate: Aggregate, progress: Progress) -> list[str]:
    """The answer, a line for each codec: ours against the peers, the peers against JPEG; then how much was measured.

    One setting of ours is no curve, and has no BD-rate: it is compared at its bytes.
    """
    lines = [_bd_verdict(*pair, rate) for pair, rate in sorted(aggregate.bd_rates.items(), key=_ours_first)]
    if len(aggregate.settings.ours) == 1:
        matches = ((key, match) for key, match in aggregate.matches.items() if key[2] == "bytes")
        lines = [*(_match_verdict(setting, peer, match) for (setting, peer, _), match in matches), *lines]
    settings = aggregate.settings
    sampled = progress.chosen != progress.found
    of_all = f", a sample (seed {settings.seed}) of the folder's {progress.found}" if sampled else ""
    lines.append(f"{aggregate.images} of {progress.chosen} pictures measured{of_all}.")
    if not progress.complete:
        lines.append(f"**Stopped early**: {progress.done_items} of {progress.items} items are done; --resume goes on.")
    if aggregate.skipped.count or aggregate.failed.count:
        lines.append(
            f"{aggregate.skipped.count} files skipped, {aggregate.failed.count} measurements failed (listed below)."
        )
    return lines


def _ours_first(pair: tuple[tuple[str, str], BdAverage]) -> bool:
    return pair[0][0] != OUR_NAME


def _bd_verdict(codec: str, reference: str, rate: BdAverage) -> str:
    name = "Ours" if codec == OUR_NAME else codec
    if rate.percent.value is None:
        return f"{name} against {reference}: no BD-rate ({'; '.join(sorted(rate.reasons))})."
    missing = f", {rate.without} without" if rate.without else ""
    return (
        f"{name} against {reference}: **{_signed(rate.percent.value, 1, '%')}** bytes at equal PSNR (BD-rate, "
        f"{_counted_pictures(rate.percent.count)}{missing})."
    )


def _match_verdict(setting: str, peer: str, match: Match) -> str:
    if match.gain_db.value is None:
        return f"Ours, {setting}, against {peer}: no file of it is as small as ours."
    missing = f"; {match.out_of_reach} out of its reach" if match.out_of_reach else ""
    return (
        f"Ours, {setting}, against {peer}: **{_signed(match.gain_db.value, 2)} dB** at equal bytes (mean of "
        f"{_counted_pictures(match.gain_db.count)}{missing})."
    )


def _counted_pictures(count: int) -> str:
    return "1 picture" if count == 1 else f"{count} pictures"


def setup(aggregate: Aggregate) -> list[str]:
    """The sentences on how the measurements were made."""
    settings, lines = aggregate.settings, []
    if settings.ours:
        sizes = ", ".join(our.label for our in settings.ours)
        length = f"effort {settings.effort}" if settings.iterations is None else f"{settings.iterations} iterations"
        lines.append(f"Ours: {sizes}, {length}, device {settings.device}, seed {settings.seed}.")
    lines.append(_about_sources(aggregate))
    missing = [title for name, (title, _) in _VISUAL.items() if not metrics.installed(name)]
    if missing:
        lines.append(f"Not measured, since the extra bench is not installed: {' and '.join(missing)}.")
    lines += [f"{name}: {BASELINES[name].about}." for name in settings.peers]
    return lines


def tables(aggregate: Aggregate) -> list[Table]:
    """All tables that have rows, the answers first, without columns in which no row has a value."""
    candidates = [
        _bd_rates(aggregate),
        _seen_bd_rates(aggregate),
        _at_the_same_bytes(aggregate),
        _at_the_same_psnr(aggregate),
        _sizes(aggregate),
        _problems("Skipped files", aggregate.skipped),
        _problems("Failed measurements", aggregate.failed),
        *_sweeps(aggregate),
    ]
    return [_without_empty_columns(table) for table in candidates if table.rows]


def _without_empty_columns(table: Table) -> Table:
    kept = [name for name in table.columns if any(row[name] != NONE for row in table.rows)]
    return replace(table, rows=[{name: row[name] for name in kept} for row in table.rows])


def headline(aggregate: Aggregate) -> list[str]:
    """The means of each of our settings in a line, for the terminal."""
    lines = []
    for setting, average in aggregate.ours.items():
        line = f"{OUR_NAME} {setting}: {_number(average['size_bytes'], 0)} bytes, {_number(average['psnr_db'], 2)} dB"
        for peer in aggregate.settings.peers:
            match = aggregate.matches.get((setting, peer, "bytes"))
            if match is not None:
                line += f"; {_gain_at_our_bytes(match)} {peer} at these bytes"
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
    rows = []
    for setting, average in aggregate.ours.items():
        coefficients = average["coefficients"]
        rows.append(
            {
                "size": setting,
                "coefficients": _number(coefficients, 0),
                "float32 bytes": _number(None if coefficients is None else 4 * coefficients, 0),
                "bytes": _number(average["size_bytes"], 0),
                **_quality(average),
                "encode s": _number(average["encode_seconds"], 2),
                "decode s": _number(average["decode_seconds"], 3),
                "peak MB": _number(average["peak_memory_mb"], 0),
                "files": str(average.files),
            }
        )
    remark = "Means over all pictures. Bytes are those of the whole file."
    if any(average["coefficients"] is not None for average in aggregate.ours.values()):
        remark += (
            " float32 bytes are four for each coefficient of all frequencies, as the thesis counted; a file leaves"
            " out those that are not worth their bytes."
        )
    return Table("Ours, by size", rows, remark)


def _gain_at_our_bytes(match: Match) -> str:
    """Our gain over the pictures that the peer reaches: the same ones for both."""
    if match.gain_db.value is None:
        return "out of reach of"
    missing = f" ({match.out_of_reach} out of reach)" if match.out_of_reach else ""
    return f"{_signed(match.gain_db.value, 2)} dB{missing} over"


def _matches(aggregate: Aggregate, match: str, cells: Callable[[Match], dict[str, str]]) -> list[dict[str, str]]:
    return [
        {"size": setting, "peer": peer, **cells(stats)}
        for (setting, peer, kind), stats in aggregate.matches.items()
        if kind == match
    ]


def _at_the_same_bytes(aggregate: Aggregate) -> Table:
    remark = (
        "The peer's best real file of at most our bytes; all means, ours too, over the pictures in its reach. Small "
        "files have coarse steps of quality, so beside it the PSNR interpolated in log-rate at exactly our bytes."
    )
    return Table("At the same bytes", _matches(aggregate, "bytes", _by_bytes), remark)


def _at_the_same_psnr(aggregate: Aggregate) -> Table:
    remark = (
        "The peer's smallest real file of at least our PSNR; the percentage is a geometric mean, negative: "
        "we need fewer bytes."
    )
    return Table("At the same PSNR", _matches(aggregate, "psnr", _by_psnr), remark)


def _by_bytes(match: Match) -> dict[str, str]:
    return {
        "our PSNR dB": _number(match.ours["psnr_db"], 2),
        "its PSNR dB": _number(match.peer["psnr_db"], 2),
        "gain dB": _signed(match.gain_db.value, 2),
        "interpolated dB": _number(match.interpolated_db.value, 2) + _counted(match.interpolated_db, match.peer.files),
        "gain over it dB": _signed(match.gain_over_interpolated_db.value, 2),
        "we win": f"{match.wins} of {match.peer.files}",
        "out of reach": str(match.out_of_reach),
        "our bytes": _number(match.ours["size_bytes"], 0),
        "its bytes": _number(match.peer["size_bytes"], 0),
        "our SSIM": _number(match.ours["ssim"], 4),
        "its SSIM": _number(match.peer["ssim"], 4),
        "our MS-SSIM": _number(match.ours["ms_ssim"], 4),
        "its MS-SSIM": _number(match.peer["ms_ssim"], 4),
        **_visual(match.ours, "our "),
        **_visual(match.peer, "its "),
    }


def _counted(mean: Mean, files: int) -> str:
    """A remark beside a mean over fewer pictures than the other means of its row."""
    return "" if mean.count in (0, files) else f" (of {mean.count})"


def _by_psnr(match: Match) -> dict[str, str]:
    return {
        "our bytes against its": _signed(match.size_percent, 1, "%"),
        "our bytes": _number(match.ours["size_bytes"], 0),
        "its bytes": _number(match.peer["size_bytes"], 0),
        "in reach": str(match.peer.files),
        "out of reach": str(match.out_of_reach),
    }


def _bd_rates(aggregate: Aggregate) -> Table:
    rows = [
        {"codec": codec, "against": reference, **_bd_row(average)}
        for (codec, reference), average in aggregate.bd_rates.items()
    ]
    reasons = sorted({reason for average in aggregate.bd_rates.values() for reason in average.reasons})
    remark = (
        "Mean over pictures of each picture's BD-rate (PSNR, Akima); negative: fewer bytes. Overlap is the share of "
        "the codec's own PSNR range that the reference reaches too: outside of it the curves cannot be compared."
    )
    if reasons:
        remark += f" Without a number: {'; '.join(reasons)}."
    return Table("BD-rate", rows, remark)


def _seen_bd_rates(aggregate: Aggregate) -> Table:
    """The BD-rates over the metrics of the extra `bench`, a column for each."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for (codec, reference, metric), average in aggregate.seen_bd_rates.items():
        row = found.setdefault((codec, reference), {"codec": codec, "against": reference})
        row[_VISUAL[metric][0]] = _signed(average.percent.value, 2, "%")
    empty = {"codec": "", "against": "", **{title: NONE for title, _ in _VISUAL.values()}}
    remark = "As above, over the metrics of what people see in place of PSNR."
    return Table("BD-rate over visual metrics", [empty | row for row in found.values()], remark)


def _bd_row(average: BdAverage) -> dict[str, str]:
    overlap = average.overlap.value
    return {
        "mean BD-rate": _signed(average.percent.value, 2, "%"),
        "pictures": str(average.percent.count),
        "without": str(average.without),
        "mean overlap": _number(None if overlap is None else 100 * overlap, 0, "%"),
        "least overlap": _number(100 * average.least_overlap if average.percent.count else None, 0, "%"),
    }


def _sweeps(aggregate: Aggregate) -> Iterator[Table]:
    for peer in aggregate.settings.peers:
        rows = [
            {
                "setting": setting,
                **_quality(average),
                "bytes": _number(average["size_bytes"], 0),
                "encode s": _number(average["encode_seconds"], 3),
                "decode s": _number(average["decode_seconds"], 4),
                "files": str(average.files),
            }
            for (codec, setting), average in aggregate.sweeps.items()
            if codec == peer
        ]
        yield Table(f"The curve of {peer}", rows, "Means over pictures.", folded=True)


def _problems(title: str, problems: Problems) -> Table:
    rest = problems.count - len(problems.first)
    remark = f"And {rest} more: all are in results.csv." if rest else ""
    return Table(
        title, [{"picture": printable(image), "why": printable(what)} for image, what in problems.first], remark
    )


def _quality(average: Average) -> dict[str, str]:
    return {
        "bpp": _number(average["rate_bpp"], 3),
        "PSNR dB": _number(average["psnr_db"], 2),
        "SSIM": _number(average["ssim"], 4),
        "MS-SSIM": _number(average["ms_ssim"], 4),
        **_visual(average),
    }


def _visual(average: Average, whose: str = "") -> dict[str, str]:
    """The metrics of the extra `bench`, where they are installed."""
    return {
        f"{whose}{title}": _number(average[name], decimals)
        for name, (title, decimals) in _VISUAL.items()
        if metrics.installed(name)
    }


def _number(value: float | None, decimals: int, unit: str = "") -> str:
    return NONE if value is None else f"{value:,.{decimals}f}{unit}"


def _signed(value: float | None, decimals: int, unit: str = "") -> str:
    return NONE if value is None else f"{value:+.{decimals}f}{unit}"
