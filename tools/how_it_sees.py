"""The three figures of docs/how-it-sees.md, of a photograph that ships with scikit-image.

    python -m tools.how_it_sees FOLDER

Writes waves.png, pyramid.png and bits.png into FOLDER, and the two files they are drawn from: fnet.fnc (7 x 5, effort
3) and grid.fnc (-q 40, effort 3). Files that exist already are not encoded again.
"""

import dataclasses
import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import skimage.data
from matplotlib.figure import Figure
from PIL import Image

import fourcodec
from fourcodec import codec, files, metrics
from fourcodec.comparison import error_map
from fourcodec.fnet.rendering import layer_outputs
from fourcodec.grid import profile as grid
from fourcodec.images import pixels
from fourcodec.inspection.plots import DIVERGING, HEAT, blank, pooled, show, shown_lattice
from fourcodec.views import WHOLE

FNET: dict[str, Any] = {"width": 7, "depth": 5, "effort": 3, "device": "cpu"}
GRID: dict[str, Any] = {"quality": 40, "effort": 3}
WAVES_SHOWN = 2  # hidden numbers of each layer
DPI = 80  # with panels 2.1 inches wide, figures then fit into a page of text
MAX_COLOURS = 192  # of the PNG files: a third of the bytes, with hardly visible loss

Pixels = npt.NDArray[np.uint8]


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    picture: Pixels = skimage.data.coffee()  # (400, 600, 3)
    pure = coded(folder / "fnet.fnc", picture, FNET)
    pyramid = coded(folder / "grid.fnc", picture, GRID)
    for name, figure in {
        "waves.png": waves(picture, pure),
        "pyramid.png": levels(picture, pyramid),
        "bits.png": bits(picture, pyramid),
    }.items():
        save(figure, folder / name)
        print(folder / name)


def coded(path: Path, picture: Pixels, options: dict[str, Any]) -> bytes:
    """The file at a path, encoded first where it does not exist."""
    if not path.exists():
        files.write(path, fourcodec.encode(picture, **options).data, overwrite=False)
    return path.read_bytes()


def waves(picture: Pixels, data: bytes) -> Figure:
    """A column for each layer: two of its outputs as waves, and the best image that its features give linearly."""
    file = codec.File(data)
    network, size = file.integers, (file.header.height, file.header.width)
    hidden = layer_outputs(network, size, shown_lattice(*size))[:-1]
    reduced = pixels.to_planes(codec.decode(data, view=dataclasses.replace(WHOLE, size=hidden[0].shape[:0:-1])))
    figure = blank(2.1 * (len(hidden) + 1), 1.6 * (WAVES_SHOWN + 1) + 0.7)
    figure.suptitle("The pure network, layer by layer", fontsize=11)
    panels = figure.subplots(WAVES_SHOWN + 1, len(hidden) + 1)
    for column, state in enumerate(hidden):
        for row in range(WAVES_SHOWN):
            show(panels[row, column], np.cos(2 * np.pi * state[row]), -1, 1, DIVERGING)
        panels[0, column].set_title(f"after layer {column + 1}", fontsize=9)
        guess = read_off(state, reduced)
        show_picture(panels[-1, column], guess)
        panels[-1, column].set_title(f"{psnr(reduced, guess):.1f} dB", fontsize=9)
    for row in range(WAVES_SHOWN):
        panels[row, 0].set_ylabel(f"hidden number {row + 1}", fontsize=8)
        panels[row, -1].set_visible(False)
    panels[-1, 0].set_ylabel("read off", fontsize=8)
    show_picture(panels[-1, -1], reduced)
    panels[-1, -1].set_title("what the file decodes to", fontsize=9)
    return figure


def read_off(state: npt.NDArray[np.float32], planes: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The least-squares fit of planes (C, H, W) by the cosines and sines of a layer's outputs (width, H, W)."""
    phases = 2 * np.pi * state.reshape(len(state), -1)
    features = np.concatenate([np.ones((1, phases.shape[1])), np.cos(phases), np.sin(phases)]).T
    weights, *_ = np.linalg.lstsq(features, planes.reshape(len(planes), -1).T, rcond=None)
    return (features @ weights).T.reshape(planes.shape).astype(np.float32)


def levels(picture: Pixels, data: bytes) -> Figure:
    """A column for each level, coarsest first: its latents, and the image decoded from the levels so far."""
    network = codec.File(data).integers
    costs = [float(cost.sum(dtype=np.float64)) / 8 for cost in grid.latent_bits(network)]
    figure = blank(2.1 * len(costs), 2 * 1.55 + 1.2)
    figure.suptitle("The grid, level by level: latents, and the picture made of the levels so far", fontsize=11)
    panels = figure.subplots(2, len(costs))
    for column, number in enumerate(reversed(range(len(costs)))):
        latents = network.levels[number]
        reach = max(float(np.quantile(np.abs(latents), 0.995)), 1.0)
        show(panels[0, column], latents, -reach, reach, DIVERGING)
        panels[0, column].set_title(f"level {number}, {latents.shape[1]} x {latents.shape[0]}", fontsize=9)
        kept = [level if n >= number else np.zeros_like(level) for n, level in enumerate(network.levels)]
        planes = grid.render(dataclasses.replace(network, tiles={0: kept}), picture.shape[:2], "cpu")
        show_picture(panels[1, column], planes)
        so_far = f"{sum(costs[number:]):,.0f} bytes, {psnr(pixels.to_planes(picture), planes):.1f} dB"
        panels[1, column].set_title(so_far, fontsize=9)
    return figure


def bits(picture: Pixels, data: bytes) -> Figure:
    """Three panels: the image, the bits of all levels at the pixels they belong to, and the errors."""
    height, width = picture.shape[:2]
    spent = np.zeros((height, width), np.float32)
    for number, cost in enumerate(grid.latent_bits(codec.File(data).integers)):
        side = 2**number
        spread = np.repeat(np.repeat(cost / side**2, side, axis=0), side, axis=1)
        spent += spread[:height, :width]
    errors = error_map.pixel_errors(picture, codec.decode(data))
    figure = blank(9.6, 2.6)
    panels = figure.subplots(1, 3)
    show_picture(panels[0], pixels.to_planes(picture))
    panels[0].set_title("the picture", fontsize=9)
    for panel, values, title in (
        (panels[1], pooled(spent), f"bits of a pixel ({spent.mean():.2f} on average)"),
        (panels[2], pooled(errors), f"error of a pixel ({errors.mean():.1f} of 255 on average)"),
    ):
        seen = show(panel, values, 0, float(np.quantile(values, 0.995)), HEAT)
        panel.set_title(title, fontsize=9)
        figure.colorbar(seen, ax=panel, fraction=0.05, pad=0.02).ax.tick_params(labelsize=8)
    return figure


def show_picture(panel: Any, planes: npt.NDArray[np.float32]) -> None:
    show(panel, pixels.from_planes(planes), 0, 255, HEAT)  # the colour map is used for grey images only


def psnr(original: npt.NDArray[np.float32], planes: npt.NDArray[np.float32]) -> float:
    return metrics.psnr_db(pixels.from_planes(original), pixels.from_planes(planes))


def save(figure: Figure, path: Path) -> None:
    """Writes a small PNG file."""
    buffer, packed = io.BytesIO(), io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI)
    few = Image.open(buffer).convert("RGB").quantize(MAX_COLOURS, dither=Image.Dither.NONE)
    few.save(packed, "PNG", optimize=True)
    files.write(path, packed.getvalue(), overwrite=True)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo/how-it-sees"))
