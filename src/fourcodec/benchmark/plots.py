"""Rate-distortion plots: each codec's means over pictures, as SVG and PNG."""

import io
from dataclasses import dataclass

from fourcodec.benchmark.aggregate import Aggregate, Average
from fourcodec.benchmark.settings import OUR_NAME

METRICS = {"psnr_db": "PSNR (dB)", "ssim": "SSIM", "ms_ssim": "MS-SSIM"}
_COLOURS = {OUR_NAME: "#d62728", "jpeg": "#1f77b4", "webp": "#2ca02c", "avif": "#9467bd", "jxl": "#ff7f0e"}
_OTHER_COLOUR = "#7f7f7f"


@dataclass(frozen=True)
class Line:
    """A codec's means, rising in rate."""

    codec: str
    points: list[tuple[float, float]]  # (bits per pixel, metric)
    labels: list[str]


@dataclass(frozen=True)
class Plot:
    """One picture in both formats; `name` has no extension."""

    name: str
    title: str
    svg: str
    png: bytes


def plots(aggregate: Aggregate) -> list[Plot]:
    """One for each metric that has values."""
    made = []
    for metric, title in METRICS.items():
        lines = _lines(aggregate, metric)
        if lines:
            made.append(_plot(f"rate_{metric.removesuffix('_db')}", title, lines))
    return made


def _lines(aggregate: Aggregate, metric: str) -> list[Line]:
    lines = []
    for codec in (*aggregate.settings.peers, OUR_NAME):
        averages = aggregate.ours if codec == OUR_NAME else _curve(aggregate, codec)
        line = _improving(codec, averages, metric)
        if line.points:
            lines.append(line)
    return lines


def _curve(aggregate: Aggregate, codec: str) -> dict[str, Average]:
    return {setting: average for (name, setting), average in aggregate.sweeps.items() if name == codec}


def _improving(codec: str, averages: dict[str, Average], metric: str) -> Line:
    """A peer's settings that cost more for less are left out; of ours, every one is shown."""
    points, labels = [], []
    best = float("-inf")
    for setting, average in sorted(averages.items(), key=lambda pair: pair[1]["rate_bpp"] or 0):
        rate, value = average["rate_bpp"], average[metric]
        if rate is not None and value is not None and (value > best or codec == OUR_NAME):
            best = max(best, value)
            points.append((rate, value))
            labels.append(setting)
    return Line(codec, points, labels)


def _plot(name: str, title: str, lines: list[Line]) -> Plot:
    from matplotlib import rc_context
    from matplotlib.figure import Figure  # without pyplot: no windows, no global state

    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "fourcodec", "font.family": "sans-serif"}):
        figure = Figure(figsize=(7.5, 5), layout="constrained")
        axes = figure.add_subplot()
        for line in lines:
            _draw(axes, line)
        axes.set_xscale("log")
        axes.set_xlabel("bits per pixel (bytes of the whole file)")
        axes.set_ylabel(title)
        _set_ticks(axes, [rate for line in lines for rate, _ in line.points])
        axes.grid(True, which="both", alpha=0.25)
        axes.legend()
        svg, png = io.StringIO(), io.BytesIO()
        figure.savefig(svg, format="svg", metadata={"Date": None})
        figure.savefig(png, format="png", dpi=150)
    return Plot(name, title, svg.getvalue(), png.getvalue())


def _draw(axes: object, line: Line) -> None:
    ours = line.codec == OUR_NAME
    rates, values = zip(*line.points, strict=True)
    axes.plot(  # type: ignore[attr-defined]
        rates,
        values,
        marker="o" if ours else ".",
        linestyle="none" if ours else "-",
        color=_COLOURS.get(line.codec, _OTHER_COLOUR),
        label=line.codec,
        zorder=3 if ours else 2,
    )
    if ours:
        for (rate, value), label in zip(line.points, line.labels, strict=True):
            axes.annotate(label, (rate, value), textcoords="offset points", xytext=(6, -10), fontsize=8)  # type: ignore[attr-defined]


def _set_ticks(axes: object, rates: list[float]) -> None:
    """Plain numbers in steps of about 2, which powers of ten are too coarse for."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

    steps = [base * 10**power for power in range(-3, 3) for base in (1, 2, 5)]
    axes.xaxis.set_major_locator(FixedLocator([step for step in steps if min(rates) / 2 <= step <= max(rates) * 2]))  # type: ignore[attr-defined]
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))  # type: ignore[attr-defined]
    axes.xaxis.set_minor_formatter(NullFormatter())  # type: ignore[attr-defined]
