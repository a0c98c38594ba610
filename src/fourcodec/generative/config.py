"""The configuration of a generative model and its training: the TOML files in configs/, or the user's own.

A file has the tables of `Config`. A missing key has the default of its field below; an unknown key is an error.
"""

from __future__ import annotations

import dataclasses
import tomllib
import typing
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from fourcodec import files
from fourcodec.cells import MAX_CELLS, Grid
from fourcodec.errors import ConfigError
from fourcodec.fnet.config import MAX_DEPTH, MAX_WIDTH
from fourcodec.fourier.layout import LINEAR, SIGMOID
from fourcodec.fourier.shape import NetworkShape
from fourcodec.positions import INDEX_OVER_32, PIXEL_CENTRES

COORDINATES = {"centres": PIXEL_CENTRES, "index": INDEX_OVER_32}
ACTIVATIONS = {"linear": LINEAR, "sigmoid": SIGMOID}
NONLINEARITIES = ("leaky_relu", "silu")
STARTS = ("components", "random")
SCHEDULES = ("linear", "cosine")
MAX_SAMPLES = 1 << 22  # of an image: a sheet of 64 such images takes 1 GB
CHANNELS = (1, 3)  # grey or RGB
MAX_GUIDANCE = 10.0
MAX_UNITS = 1 << 14  # per layer: two layers of this width have 268 million weights between them
_SUFFIX = ".toml"
_MAX_FLOAT = 1 << 1000  # of a whole number in place of a float: Python's ints are unlimited
_MAX_BYTES = 1 << 20  # of a file
_KIND_NAMES = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}


def _within(default: Any, low: float, high: float) -> Any:
    """A field for a number from `low` to `high`, or for a tuple of such numbers."""

    def check(name: str, value: float) -> None:
        if not low <= value <= high:
            raise ValueError(f"{name} is {low} to {high}, not {value}")

    return field(default=default, metadata={"check": check})


def _one_of(default: str, known: typing.Collection[str]) -> Any:
    """A field for one of the known names."""

    def check(name: str, value: str) -> None:
        if value not in known:
            raise ValueError(f"{name} is one of {', '.join(known)}, not {value!r}")

    return field(default=default, metadata={"check": check})


@dataclass(frozen=True)
class _Table:
    """A table whose fields are checked. Raises ValueError."""

    def __post_init__(self) -> None:
        for item in dataclasses.fields(self):
            value = getattr(self, item.name)
            for part in value if isinstance(value, tuple) else (value,):
                item.metadata.get("check", lambda name, value: None)(item.name, part)


@dataclass(frozen=True)
class NetworkConfig(_Table):
    """The Fourier network whose coefficients the decoder gives; coordinates and activation as in a .fnc file's header.

    `cells` are the rows and columns of cells, each with a code and a network of its own (cells.py).
    """

    width: int = _within(5, 1, MAX_WIDTH)
    depth: int = _within(6, 1, MAX_DEPTH)
    coordinates: str = _one_of("centres", COORDINATES)
    activation: str = _one_of("sigmoid", ACTIVATIONS)
    cells: tuple[int, ...] = _within((1, 1), 1, MAX_CELLS)

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.cells) != 2:
            raise ValueError(f"cells are rows and columns, not {len(self.cells)} numbers")
        if self.grid.count > 1 and self.coordinates != "centres":
            raise ValueError("several cells need the coordinates centres")

    @property
    def grid(self) -> Grid:
        """The grid of cells."""
        rows, columns = self.cells
        return Grid(rows, columns)

    def shape(self, channels: int) -> NetworkShape:
        """The shape of the network for images of so many channels."""
        return NetworkShape(self.width, self.depth, channels)


@dataclass(frozen=True)
class LatentConfig(_Table):
    """The latent z.

    `size` is its number of components, in each cell. `penalty` is c in c ||z||^2, which is added to an image's sum of
    squared errors on [-1, 1]. `noise` is the standard deviation of the noise added to z in training; with
    `learned_noise` it is learned from there on, one for each component of a cell. `start` says where latents without an
    encoder start: at the images' whitened principal components, or at random with a standard deviation of 0.01. With
    `linear`, encoder and decoder have linear maps beside their MLPs, which start as principal component
    analysis.
    """

    size: int = _within(35, 1, MAX_UNITS)
    penalty: float = _within(0.02, 0, 1e6)
    noise: float = _within(0.1, 0, 10)
    learned_noise: bool = True
    start: str = _one_of("components", STARTS)
    linear: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.learned_noise and self.noise < 1e-6:
            raise ValueError(f"noise is 1e-06 to 10, not {self.noise}")


@dataclass(frozen=True)
class DecoderConfig(_Table):
    """An MLP from z to all coefficients of the Fourier network.

    The MLP's output is multiplied by `gains` (for the first layer, the hidden layers and the last layer) and added to
    base coefficients, which all images share and which start near the identity. Without gains there is no base.
    `first_start` is the standard deviation of the first layer's base coefficients; a larger one starts with finer
    waves.
    """

    hidden: tuple[int, ...] = _within((512, 512, 192), 1, MAX_UNITS)
    nonlinearity: str = _one_of("silu", NONLINEARITIES)
    gains: tuple[float, ...] = _within((0.3, 0.2, 2.0), 0, 100)
    first_start: float = _within(0.15, 0, 10)

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.gains) not in (0, 3):
            raise ValueError(f"gains are three or none, not {len(self.gains)}")


@dataclass(frozen=True)
class EncoderConfig(_Table):
    """An MLP from pixels to z. Its learning rate is that of the decoder times `rate`."""

    hidden: tuple[int, ...] = _within((1200, 600), 1, MAX_UNITS)
    nonlinearity: str = _one_of("silu", NONLINEARITIES)
    rate: float = _within(1.0, 0, 10)


@dataclass(frozen=True)
class TrainingConfig(_Table):
    """Training by Adam: duration, learning rates and their schedule.

    `rate` is the learning rate of the networks, `latent_rate` that of latents without an encoder. Both rise over the
    share `warm_up` of the training and then fall to 0. With `mirrored`, which needs an encoder, images are mirrored
    left to right with probability 1/2. `perceptual` is the weight of the perceptual distance (perception.py) beside the
    squared error; the classifier that it needs is trained first, once for a data set.
    """

    epochs: int = _within(100, 1, 1_000_000)
    batch: int = _within(256, 1, 65_536)
    rate: float = _within(1e-3, 0, 1)
    latent_rate: float = _within(0.05, 0, 10)
    schedule: str = _one_of("cosine", SCHEDULES)
    warm_up: float = _within(0.0, 0, 0.5)
    mirrored: bool = False
    perceptual: float = _within(0.0, 0, 1000)


@dataclass(frozen=True)
class FlowConfig(_Table):
    """The density of grids of codes, a transformer of `blocks` blocks over the cells (cell_flow.py), and its training.

    `width` is a multiple of 32. `share` is the share of a training's minutes that the flow has, where minutes are
    given. `guidance` is by how much samples of a class are moved further from those of no class; 0 leaves them. `noise`
    is the deviation of the noise on the codes that the flow learns, as a multiple of that which the decoder was trained
    with.
    """

    width: int = _within(128, 32, 2048)
    blocks: int = _within(4, 1, 64)
    epochs: int = _within(50, 1, 1_000_000)
    batch: int = _within(256, 1, 65_536)
    rate: float = _within(1e-3, 0, 1)
    share: float = _within(0.5, 0.05, 0.95)
    guidance: float = _within(0.0, 0, MAX_GUIDANCE)
    noise: float = _within(0.0, 0, 1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.width % 32:
            raise ValueError(f"width is a multiple of 32, not {self.width}")


@dataclass(frozen=True)
class Config:
    """The whole configuration. Without an encoder, z is a free parameter for each training image. Without a flow, the
    density of z is chosen among mixtures of Gaussians (prior_choice.py)."""

    summary: str = ""
    expected_time: str = ""
    network: NetworkConfig = field(default_factory=NetworkConfig)
    latents: LatentConfig = field(default_factory=LatentConfig)
    decoder: DecoderConfig = field(default_factory=DecoderConfig)
    encoder: EncoderConfig | None = None
    training: TrainingConfig = field(default_factory=TrainingConfig)
    flow: FlowConfig | None = None

    def __post_init__(self) -> None:
        if self.latents.linear and not (self.decoder.gains and self.network.activation == "linear"):
            raise ValueError("linear latents need gains in [decoder] and the linear activation in [network]")
        if self.training.mirrored and self.encoder is None:
            raise ValueError("mirrored images need an encoder: without one, a latent belongs to one unmirrored image")

    @property
    def latent_size(self) -> int:
        """L, the number of components of z: those of all cells, cell after cell."""
        return self.latents.size * self.network.grid.count


def config_names() -> list[str]:
    """The names of the configurations that come with the package, sorted."""
    return sorted(entry.name.removesuffix(_SUFFIX) for entry in _folder().iterdir() if entry.name.endswith(_SUFFIX))


def load_config(name: str) -> Config:
    """A configuration by its name in the package, or by the path of a TOML file. Raises OSError and ConfigError."""
    if name in config_names():
        return parse_config((_folder() / (name + _SUFFIX)).read_text(encoding="utf-8"), name)
    if not name.endswith(_SUFFIX):
        raise ConfigError(f"no configuration {name!r}: there are {', '.join(config_names())}, or name a .toml file")
    try:
        return parse_config(files.read(Path(name), _MAX_BYTES).decode("utf-8"), name)
    except UnicodeDecodeError as exc:
        raise ConfigError(f"{name}: not a text file") from exc


def parse_config(text: str, name: str) -> Config:
    """The configuration in a TOML text.

    Raises ConfigError for invalid TOML, unknown keys and values out of range; its message begins with `name`.
    """
    try:
        return from_table(tomllib.loads(text))
    except RecursionError as exc:
        raise ConfigError(f"{name}: nested too deeply") from exc
    except (ValueError, ConfigError) as exc:  # TOMLDecodeError and numbers of too many digits are ValueErrors
        raise ConfigError(f"{name}: {exc}") from exc


def from_table(table: dict[str, Any]) -> Config:
    """The Config for nested dictionaries, as read from TOML or JSON. Raises ConfigError."""
    config: Config = _build(Config, table, "")
    return config


def checked_shape(shape: Any) -> tuple[int, int, int]:
    """The shape (H, W, C) of images, from JSON for instance. Raises ConfigError where no images have it."""
    sizes = tuple(shape) if isinstance(shape, list | tuple) else ()
    if len(sizes) != 3 or any(type(size) is not int or size < 1 for size in sizes):
        raise ConfigError(f"images are (height, width, channels), not {shape!r}")
    height, width, channels = sizes
    if channels not in CHANNELS:
        raise ConfigError(f"images have 1 channel (grey) or 3 (RGB), not {channels}")
    if height * width * channels > MAX_SAMPLES:
        raise ConfigError(
            f"images of {height} x {width} pixels and {channels} channels: at most {MAX_SAMPLES} samples are possible"
        )
    return height, width, channels


def cell_shape(config: Config, image_shape: tuple[int, int, int]) -> tuple[int, int, int]:
    """The shape (h, w, C) of a cell of images (H, W, C). Raises ConfigError where cells do not divide the images."""
    (height, width, channels), grid = image_shape, config.network.grid
    if height % grid.rows or width % grid.columns:
        raise ConfigError(f"{grid.rows} x {grid.columns} cells do not divide images of {height} x {width} pixels")
    return height // grid.rows, width // grid.columns, channels


def to_table(config: Config) -> dict[str, Any]:
    """Nested dictionaries for TOML or JSON; the inverse of `from_table`."""
    table = dataclasses.asdict(config)
    return {key: value for key, value in table.items() if value is not None}


def _build(kind: Any, table: Any, where: str) -> Any:
    if not isinstance(table, dict):
        raise ConfigError(f"{where or 'a configuration'} is a table")
    types = typing.get_type_hints(kind)
    unknown = sorted(set(table) - set(types))
    if unknown:
        place = f"in [{where}]" if where else "at the top"
        raise ConfigError(f"unknown key {unknown[0]!r} {place}; known are {', '.join(types)}")
    values = {key: _convert(types[key], value, f"{where}.{key}" if where else key) for key, value in table.items()}
    try:
        return kind(**values)
    except ValueError as exc:
        raise ConfigError(f"[{where}] {exc}" if where else str(exc)) from exc


def _convert(wanted: Any, value: Any, where: str) -> Any:
    """A TOML value converted to a field's type. Raises ConfigError."""
    options = [option for option in typing.get_args(wanted) if option is not type(None)]
    kind = options[0] if dataclasses.is_dataclass(options[0] if options else None) else wanted
    if dataclasses.is_dataclass(kind):
        return _build(kind, value, where)
    if typing.get_origin(kind) is tuple:
        item = typing.get_args(kind)[0]
        if not isinstance(value, list | tuple):
            raise ConfigError(f"{where} is a list, not {value!r}")
        return tuple(_convert(item, entry, where) for entry in value)
    if kind is float and type(value) is int and abs(value) < _MAX_FLOAT:
        return float(value)
    if type(value) is not kind:
        raise ConfigError(f"{where} is {_KIND_NAMES[kind]}, not {value!r}")
    return value


def _folder() -> Any:
    return resources.files("fourcodec.generative") / "configs"
