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

from fourcodec.errors import ConfigError
from fourcodec.fnet.profile import MAX_DEPTH, MAX_WIDTH
from fourcodec.fourier.layout import LINEAR, SIGMOID
from fourcodec.fourier.shape import NetworkShape
from fourcodec.positions import INDEX_OVER_32, PIXEL_CENTRES

COORDINATES = {"centres": PIXEL_CENTRES, "index": INDEX_OVER_32}
ACTIVATIONS = {"linear": LINEAR, "sigmoid": SIGMOID}
NONLINEARITIES = ("leaky_relu", "silu")
STARTS = ("components", "random")
SCHEDULES = ("linear", "cosine")
MAX_UNITS = 1 << 14  # per layer: two layers of this width have 268 million weights between them
_SUFFIX = ".toml"
_KIND_NAMES = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}


@dataclass(frozen=True)
class NetworkConfig:
    """The Fourier network whose coefficients the decoder gives; coordinates and activation as in a .fnc file's
    header."""

    width: int = 5
    depth: int = 6
    coordinates: str = "centres"
    activation: str = "sigmoid"

    def __post_init__(self) -> None:
        _within("width", self.width, 1, MAX_WIDTH)
        _within("depth", self.depth, 1, MAX_DEPTH)
        _one_of("coordinates", self.coordinates, COORDINATES)
        _one_of("activation", self.activation, ACTIVATIONS)

    def shape(self, channels: int) -> NetworkShape:
        """The shape of the network for images of so many channels."""
        return NetworkShape(self.width, self.depth, channels)


@dataclass(frozen=True)
class LatentConfig:
    """The latent z.

    `size` is its number of components. `penalty` is c in c ||z||^2, which is added to an image's sum of squared errors
    on [-1, 1]. `noise` is the standard deviation of the noise added to z in training; with `learned_noise` it is
    learned from there on, one for each component. `start` says where latents without an encoder start: at the images'
    whitened principal components, or at random with a standard deviation of 0.01. With `linear`, encoder and decoder
    have linear maps beside their MLPs, which start as principal component analysis.
    """

    size: int = 35
    penalty: float = 0.02
    noise: float = 0.1
    learned_noise: bool = True
    start: str = "components"
    linear: bool = False

    def __post_init__(self) -> None:
        _within("size", self.size, 1, MAX_UNITS)
        _within("penalty", self.penalty, 0, 1e6)
        _within("noise", self.noise, 1e-6 if self.learned_noise else 0, 10)
        _one_of("start", self.start, STARTS)


@dataclass(frozen=True)
class DecoderConfig:
    """An MLP from z to all coefficients of the Fourier network.

    The MLP's output is multiplied by `gains` (for the first layer, the hidden layers and the last layer) and added to
    base coefficients, which all images share and which start near the identity. Without gains there is no base.
    `first_start` is the standard deviation of the first layer's base coefficients; a larger one starts with finer
    waves.
    """

    hidden: tuple[int, ...] = (512, 512, 192)
    nonlinearity: str = "silu"
    gains: tuple[float, ...] = (0.3, 0.2, 2.0)
    first_start: float = 0.15

    def __post_init__(self) -> None:
        _layers("hidden", self.hidden)
        _one_of("nonlinearity", self.nonlinearity, NONLINEARITIES)
        if len(self.gains) not in (0, 3):
            raise ValueError(f"gains are three or none, not {len(self.gains)}")
        for gain in self.gains:
            _within("gains", gain, 0, 100)
        _within("first_start", self.first_start, 0, 10)


@dataclass(frozen=True)
class EncoderConfig:
    """An MLP from pixels to z. Its learning rate is that of the decoder times `rate`."""

    hidden: tuple[int, ...] = (1200, 600)
    nonlinearity: str = "silu"
    rate: float = 1.0

    def __post_init__(self) -> None:
        _layers("hidden", self.hidden)
        _one_of("nonlinearity", self.nonlinearity, NONLINEARITIES)
        _within("rate", self.rate, 0, 10)


@dataclass(frozen=True)
class TrainingConfig:
    """Training by Adam: duration, learning rates and their schedule.

    `rate` is the learning rate of the networks, `latent_rate` that of latents without an encoder. Both rise over the
    share `warm_up` of the training and then fall to 0. With `mirrored`, which needs an encoder, images are mirrored
    left to right with probability 1/2.
    """

    epochs: int = 100
    batch: int = 256
    rate: float = 1e-3
    latent_rate: float = 0.05
    schedule: str = "cosine"
    warm_up: float = 0.0
    mirrored: bool = False

    def __post_init__(self) -> None:
        _within("epochs", self.epochs, 1, 1_000_000)
        _within("batch", self.batch, 1, 65_536)
        _within("rate", self.rate, 0, 1)
        _within("latent_rate", self.latent_rate, 0, 10)
        _one_of("schedule", self.schedule, SCHEDULES)
        _within("warm_up", self.warm_up, 0, 0.5)


@dataclass(frozen=True)
class Config:
    """The whole configuration. Without an encoder, z is a free parameter for each training image."""

    summary: str = ""
    expected_time: str = ""
    network: NetworkConfig = field(default_factory=NetworkConfig)
    latents: LatentConfig = field(default_factory=LatentConfig)
    decoder: DecoderConfig = field(default_factory=DecoderConfig)
    encoder: EncoderConfig | None = None
    training: TrainingConfig = field(default_factory=TrainingConfig)

    def __post_init__(self) -> None:
        if self.latents.linear and not (self.decoder.gains and self.network.activation == "linear"):
            raise ValueError("linear latents need gains in [decoder] and the linear activation in [network]")
        if self.training.mirrored and self.encoder is None:
            raise ValueError("mirrored images need an encoder: without one, a latent belongs to one unmirrored image")


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
        return parse_config(Path(name).read_text(encoding="utf-8"), name)
    except UnicodeDecodeError as exc:
        raise ConfigError(f"{name}: not a text file") from exc


def parse_config(text: str, name: str) -> Config:
    """The configuration in a TOML text.

    Raises ConfigError for invalid TOML, unknown keys and values out of range; its message begins with `name`.
    """
    try:
        return from_table(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, ConfigError) as exc:
        raise ConfigError(f"{name}: {exc}") from exc


def from_table(table: dict[str, Any]) -> Config:
    """The Config for nested dictionaries, as read from TOML or JSON. Raises ConfigError."""
    config = _build(Config, table, "")
    assert isinstance(config, Config)
    return config


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
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise ConfigError(f"{where} is {_KIND_NAMES[kind]}, not {value!r}")
    return value


def _folder() -> Any:
    return resources.files("fourcodec.generative") / "configs"


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ValueError(f"{name} is {low} to {high}, not {value}")


def _one_of(name: str, value: str, known: typing.Collection[str]) -> None:
    if value not in known:
        raise ValueError(f"{name} is one of {', '.join(known)}, not {value!r}")


def _layers(name: str, units: tuple[int, ...]) -> None:
    for count in units:
        _within(name, count, 1, MAX_UNITS)
