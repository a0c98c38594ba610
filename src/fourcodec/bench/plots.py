"""Rate-distortion plots of each codec's means over pictures, as SVG and PNG."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fourcodec.bench.aggregate import Aggregate, Average
from fourcodec.bench.baselines import BASELINES, sweep_settings
from fourcodec.bench.settings import OUR_NAME
from fourcodec.plotting import load_matplotlib

METRICS = {
    "psnr_db": "PSNR (dB)",
    "ssim": "SSIM",
    "ms_ssim": "MS-SSIM",
    "ssimulacra2": "SSIMULACRA 2",
    "flip": "FLIP (0 is best)",
}
_COLOURS = {
    OUR_NAME: "#d62728",
    "jpeg": "#1f77b4",
    "webp": "#2ca02c",
    "avif": "#9467bd",
    "avif-visual": "#8c564b",
    "jxl": "#ff7f0e",
}
_OTHER_COLOUR = "#7f7f7f"
# Text and axes. In the SVG this colour is replaced by that of the text around it, light or dark; elsewhere it is black.
_INK = "#010203"
_ADAPTING = "<style>:root { color: #000 } @media (prefers-color-scheme: dark) { :root { color: #eee } }</style>"


@dataclass(frozen=True)
class Line:
    """The means of a codec or of one of its variants, by rising rate, with a label for each point."""

    codec: str
    name: str
    points: list[tuple[float, float]]  # (bits per pixel, metric)
    labels: list[str]


@dataclass(frozen=True)
class Plot:
    """A plot in both formats; `name` is a file name without its extension."""

    name: str
    title: str
    svg: str
    png: bytes


def name_of(metric: str) -> str:
    """The name of a metric's plot, without the extension of its file."""
    return f"rate_{metric.removesuffix('_db')}"


def plots(aggregate: Aggregate) -> list[Plot]:
    """A plot for each metric that has values."""
    made = []
    for metric, title in METRICS.items():
        lines = _lines(aggregate, metric)
        if lines:
            made.append(_plot(name_of(metric), title, lines))
    return made


def _lines(aggregate: Aggregate, metric: str) -> list[Line]:
    lines = [line for peer in aggregate.settings.peers for line in _peer_lines(aggregate, peer, metric)]
    ours = _line(OUR_NAME, OUR_NAME, aggregate.ours, metric)
    return [line for line in (*lines, ours) if line.points]


def _peer_lines(aggregate: Aggregate, peer: str, metric: str) -> Iterator[Line]:
    """A line for each variant: all points in one line would go up and down."""
    settings = sweep_settings(BASELINES[peer])
    variants = dict.fromkeys(setting.variant for setting in settings)
    for variant in variants:
        labels = [setting.label for setting in settings if setting.variant == variant]
        averages = {label: aggregate.sweeps[peer, label] for label in labels if (peer, label) in aggregate.sweeps}
        yield _line(peer, peer if len(variants) == 1 else f"{peer} {variant.name}", averages, metric)


def _line(codec: str, name: str, averages: dict[str, Average], metric: str) -> Line:
    points, labels = [], []
    for setting, average in sorted(averages.items(), key=lambda pair: pair[1]["rate_bpp"] or 0):
        rate, value = average["rate_bpp"], average[metric]
        if rate is not None and value is not None:
            points.append((rate, value))
            labels.append(setting)
    return Line(codec, name, points, labels)


def _plot(name: str, title: str, lines: list[Line]) -> Plot:
    load_matplotlib()
    from matplotlib import rc_context
    from matplotlib.figure import Figure  # not pyplot, which has windows and global state

    inks = ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color", "grid.color")
    style = {"svg.fonttype": "none", "svg.hashsalt": "fourcodec", "font.size": 12, **dict.fromkeys(inks, _INK)}
    with rc_context(style):
        figure = Figure(figsize=(6.4, 4.6), layout="constrained")
        axes = figure.add_subplot()
        for place, line in enumerate(lines):
            _draw(axes, line, dashed=any(earlier.codec == line.codec for earlier in lines[:place]))
        axes.set_xscale("log")
        axes.set_xlabel("bits per pixel of the whole file")
        axes.set_ylabel(title)
        _set_ticks(axes, [rate for line in lines for rate, _ in line.points])
        axes.grid(True, which="both", alpha=0.25)
        axes.legend(frameon=False)
        svg, png = io.StringIO(), io.BytesIO()
        figure.savefig(svg, format="svg", metadata={"Date": None}, transparent=True)
        figure.savefig(png, format="png", dpi=200)
    return Plot(name, title, _adapting(svg.getvalue()), png.getvalue())


def _adapting(svg: str) -> str:
    """The SVG with text and axes that are light where the page around it is dark."""
    start = svg.index(">", svg.index("<svg")) + 1
    return svg[:start] + _ADAPTING + svg[start:].replace(_INK, "currentColor")


def _draw(axes: Any, line: Line, *, dashed: bool) -> None:
    ours = line.codec == OUR_NAME
    rates, values = zip(*line.points, strict=True)
    axes.plot(
        rates,
        values,
        marker="o" if ours else ".",
        linestyle="--" if dashed else "-",
        color=_COLOURS.get(line.codec, _OTHER_COLOUR),
        label=line.name,
        zorder=3 if ours else 2,
    )
    if ours:
        for (rate, value), label in zip(line.points, line.labels, strict=True):
            # Above and to the left of a rising curve there are no others but those of better codecs.
            place = {"xytext": (-6, 5), "textcoords": "offset points", "ha": "right"}
            axes.annotate(label, (rate, value), fontsize=10, **place)


def _set_ticks(axes: Any, rates: list[float]) -> None:
    """Sets ticks at 1, 2, 5, 10, ...: powers of ten are too far apart for the rates of files."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

    steps = [base * 10**power for power in range(-3, 3) for base in (1, 2, 5)]
    axes.xaxis.set_major_locator(FixedLocator([step for step in steps if min(rates) / 2 <= step <= max(rates) * 2]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
