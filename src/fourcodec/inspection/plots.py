"""A figure of a file's network: the pyramid of latents with the cost of each, or the first layer's waves."""

import io
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fourcodec.fnc import File
from fourcodec.fnet.config import QuantizedFnet
from fourcodec.fnet.rendering import layer_outputs
from fourcodec.grid import profile as grid
from fourcodec.grid.picture import QuantizedGrid
from fourcodec.images.resampling import area_mean
from fourcodec.plotting import load_matplotlib
from fourcodec.views import Lattice, View

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN_SIDE = 512  # samples of a wave's longer side
_PANEL_INCHES = 2.1
_POOLED_SIDE = 100  # cells of a map of bits
_DPI = 110
_SHARE_SHOWN = 0.995  # of values that lie within the colours: a few large ones must not hide the others
DIVERGING, HEAT = "RdBu_r", "magma"


def plot(file: File) -> bytes:
    """A PNG file of the figure for a file's profile. Raises as codec.decode of the whole image."""
    if file.header.profile == grid.PROFILE_ID:
        return to_png(pyramid(file.integers))
    return to_png(waves(file.integers, (file.header.height, file.header.width)))


def to_png(figure: "Figure") -> bytes:
    """The bytes of a figure as a PNG file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI)
    return buffer.getvalue()


def pyramid(picture: QuantizedGrid) -> "Figure":
    """A column for each level, finest first: the latents, and their cost in bits, averaged where there are many."""
    costs = grid.latent_bits(picture)
    width, height = panel_inches(picture.config.height, picture.config.width)
    figure = blank(len(costs) * width + 1.2, 2 * height + 1.6)
    figure.suptitle("The latents of each level, finest first, and where their bits go", fontsize=11)
    panels = figure.subplots(2, len(costs), squeeze=False)
    for number, (latents, cost) in enumerate(zip(picture.levels, costs, strict=True)):
        reach = max(float(np.quantile(np.abs(latents), _SHARE_SHOWN)), 1.0)
        rows, columns = latents.shape
        show(panels[0, number], latents, -reach, reach, DIVERGING)
        panels[0, number].set_title(f"level {number}, 1:{2**number}\n{columns} x {rows}, ±{reach:.0f}", fontsize=8)
        seen = pooled(cost)
        most = max(float(seen.max()), 0.01)
        show(panels[1, number], seen, 0, most, HEAT)
        total = float(cost.sum(dtype=np.float64))
        title = f"{total / 8:,.0f} bytes, {total / cost.size:.2f} bits each\nblack 0, yellow {most:.2g} bits"
        panels[1, number].set_title(title, fontsize=8)
    panels[0, 0].set_ylabel("latents, red is above 0", fontsize=8)
    panels[1, 0].set_ylabel("bits of a latent", fontsize=8)
    return figure


def pooled(cost: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The cost averaged over squares of latents, with at most 100 cells a side: where bits are few, single latents
    would be invisible dots."""
    factor = math.ceil(max(cost.shape) / _POOLED_SIDE)
    rows, columns = (math.ceil(side / factor) for side in cost.shape)
    return area_mean(cost, (factor, factor), (rows, columns))


def waves(network: QuantizedFnet, size: tuple[int, int]) -> "Figure":
    """The hidden state after the first layer, each of its numbers over the whole image of (height, width)."""
    lattice = shown_lattice(*size)
    values = layer_outputs(network, size, lattice)[0]
    across = math.ceil(math.sqrt(len(values)))
    down = math.ceil(len(values) / across)
    width, height = panel_inches(*size)
    figure = blank(across * width + 1.2, down * (height + 0.3) + 0.7)
    figure.suptitle("The first layer's waves: what the network makes of a position", fontsize=11)
    panels = figure.subplots(down, across, squeeze=False)
    reach = max(float(np.abs(values).max()), 1e-6)
    for number, panel in enumerate(panels.ravel()):
        if number >= len(values):
            panel.set_visible(False)
            continue
        seen = show(panel, values[number], -reach, reach, DIVERGING)
        panel.set_title(f"hidden number {number + 1}", fontsize=8)
    bar = figure.colorbar(seen, ax=panels.ravel().tolist(), fraction=0.03, pad=0.02)
    bar.set_label("phase, in turns", fontsize=8)
    return figure


def shown_lattice(height: int, width: int) -> Lattice:
    """The lattice of a whole image with no more samples than a panel can show."""
    return View(scale=min(1.0, SHOWN_SIDE / max(height, width))).on(width, height)


def blank(width: float, height: float) -> "Figure":
    """An empty figure of width x height inches, at least 4.5 inches wide."""
    load_matplotlib()
    from matplotlib.figure import Figure  # without pyplot: no windows, no global state

    return Figure(figsize=(max(width, 4.5), height), layout="constrained")


def panel_inches(height: int, width: int) -> tuple[float, float]:
    """Width and height of a panel in inches: the image's shape, but never thinner than 0.3 : 1."""
    share = min(max(height / width, 0.3), 3.0)
    return (_PANEL_INCHES, _PANEL_INCHES * share) if share < 1 else (_PANEL_INCHES / share, _PANEL_INCHES)


def show(panel: Any, values: npt.NDArray[Any], low: float, high: float, colours: str) -> Any:
    """Draws values (rows, columns) on a panel without ticks, with colours from `low` to `high`. Returns matplotlib's
    image."""
    panel.set_xticks([])
    panel.set_yticks([])
    return panel.imshow(values, vmin=low, vmax=high, cmap=colours, interpolation="nearest", aspect="auto")
