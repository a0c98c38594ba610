"""encode() and decode(): the whole route from a picture to a file and back on one page.

    encode:  picture -> pixels -> planes -> fitting.fit -> integers -> profile.pack -> container.write -> bytes
    decode:  bytes -> container.read -> profile.unpack -> integers -> profile.render, where the view asks -> planes
             -> pixels

What encode reports was measured on the file: it decodes the very bytes it returns.
"""

import math
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from fourcodec import devices, images, metrics, pixels
from fourcodec.bitstream import container
from fourcodec.errors import DeviceError, LimitError, UnsupportedFormatError
from fourcodec.profiles import PROFILES, fnet, grid
from fourcodec.views import WHOLE, Lattice, View

if TYPE_CHECKING:
    from fourcodec.fitting import Progress  # importing it for real costs torch

DEFAULT_WIDTH, DEFAULT_DEPTH, DEFAULT_EFFORT = 8, 6, 5
DEFAULT_QUALITY = 60.0
PROFILE_NAMES = tuple(profile.NAME for profile in PROFILES.values())


@dataclass(frozen=True)
class Encoded:
    """A .fnc file and what was measured on it."""

    data: bytes  # the file
    profile: str
    width: int  # pixels
    height: int
    channels: int
    size_bytes: int
    rate_bpp: float
    psnr_db: float | None  # None where the copy is exact
    ssim: float | None  # None where a side is shorter than 11 pixels
    encode_seconds: float
    decode_seconds: float


def encode(
    image: Image.Image | npt.NDArray[np.uint8],
    *,
    profile: str | None = None,
    quality: float | None = None,
    width: int | None = None,
    depth: int | None = None,
    effort: int = DEFAULT_EFFORT,
    iterations: int | None = None,
    max_seconds: float | None = None,
    device: str = "auto",
    seed: int = 0,
    progress: "Callable[[Progress], None] | None" = None,
) -> Encoded:
    """Fits a network to a picture.

    `image` is a PIL image, or a uint8 array (H, W), (H, W, 1) or (H, W, 3). `profile` is "grid", the default, or
    "fnet", the default where a width or depth is given. The grid's `quality` is 0 to 100 (60 unless given); the pure
    network has `depth` hidden states of `width` numbers (8 and 6 unless given). `effort` is 1 to 9, `iterations`
    overrides the number of steps it stands for, and the grid's `max_seconds` shortens the fit to a time. Equal
    arguments give equal bytes on the same machine, whatever its number of threads (with `max_seconds`, only where the
    time does not decide). `progress` is called now and then.

    Raises ValueError for arguments out of range or that do not go together, LimitError, ImageError and DeviceError.
    """
    chosen = choose_profile(profile, quality, width, depth, max_seconds)
    started = time.perf_counter()
    picture = _to_pixels(image)  # (H, W) or (H, W, 3), uint8
    planes = pixels.to_planes(picture)  # (C, H, W), float32 in [0, 1]
    channels, picture_height, picture_width = planes.shape
    processor = devices.resolve(device)

    if chosen is grid:
        if device == "cuda":
            raise DeviceError("the profile grid is fitted on the CPU in this version: leave the device out")
        quality = DEFAULT_QUALITY if quality is None else quality
        architecture, sections = _fit_grid(planes, quality, effort, iterations, max_seconds, seed, progress)
    else:
        size = DEFAULT_WIDTH if width is None else width, DEFAULT_DEPTH if depth is None else depth
        architecture, sections = _fit_fnet(planes, size, effort, iterations, processor, seed, progress)
    del planes
    header = container.Header(
        width=picture_width,
        height=picture_height,
        channels=channels,
        profile=chosen.PROFILE_ID,
        architecture=architecture,
    )
    data = container.write(header, sections)
    encoded = time.perf_counter()

    copy = decode(data, device=processor)
    decoded = time.perf_counter()
    psnr_db = metrics.psnr_db(picture, copy)
    return Encoded(
        data=data,
        profile=chosen.NAME,
        width=picture_width,
        height=picture_height,
        channels=channels,
        size_bytes=len(data),
        rate_bpp=metrics.bpp(len(data), picture_width, picture_height),
        psnr_db=None if math.isinf(psnr_db) else psnr_db,
        ssim=metrics.ssim(picture, copy),
        encode_seconds=encoded - started,
        decode_seconds=decoded - encoded,
    )


Packed = tuple[tuple[int, ...], list[container.Section]]  # architecture fields and sections


def _fit_grid(
    planes: npt.NDArray[np.float32],
    quality: float,
    effort: int,
    iterations: int | None,
    max_seconds: float | None,
    seed: int,
    progress: "Callable[[Progress], None] | None",
) -> Packed:
    from fourcodec import fitting

    channels, height, width = planes.shape
    settings = fitting.grid_settings_for(quality, effort, iterations, max_seconds)
    hidden, phase = fitting.hidden_units(settings.rate_weight), fitting.phase_index(settings.rate_weight)
    config = grid.config_for(height, width, channels, hidden, phase)
    return grid.pack(fitting.fit_grid(planes, config, settings, seed=seed, report=progress))


def _fit_fnet(
    planes: npt.NDArray[np.float32],
    size: tuple[int, int],
    effort: int,
    iterations: int | None,
    processor: str,
    seed: int,
    progress: "Callable[[Progress], None] | None",
) -> Packed:
    from fourcodec import fitting

    config = fnet.FnetConfig(width=size[0], depth=size[1], channels=planes.shape[0])
    settings = fitting.settings_for(effort, iterations)
    return fnet.pack(fitting.fit(planes, config, settings, seed=seed, device=processor, report=progress))


def decode(
    data: bytes, *, view: View = WHOLE, device: str = "cpu", max_pixels: int = container.MAX_PIXELS
) -> npt.NDArray[np.uint8]:
    """The picture in a .fnc file: uint8 (H, W) or (H, W, 3).

    `view` is a part of it, a size, or both; the network is evaluated where that asks for it, and a region at full size
    has the very samples of the whole picture. `device` is "cpu" (which imports no torch), "cuda" or "auto"; pixels
    differ by at most 1 between them. Raises ValueError for a region that is not inside the picture, CorruptFileError,
    UnsupportedFormatError, LimitError (more than `max_pixels` pixels, in the file or in the view) and DeviceError.
    """
    processor = devices.resolve(device)
    header, sections = container.read(data, max_pixels=max_pixels)
    profile = _profile_of(header)
    lattice = view.on(header.width, header.height)
    _check_count(lattice, max_pixels)
    network = profile.unpack(header, sections, lattice)
    planes = profile.render(network, (header.height, header.width), processor, lattice)  # (C, H, W), about [0, 1]
    return pixels.from_planes(planes)


def _check_count(lattice: Lattice, max_pixels: int) -> None:
    if lattice.count > max_pixels:
        raise LimitError(
            f"{lattice.columns} x {lattice.rows} pixels are asked for, more than the limit of {max_pixels}"
        )


def describe(data: bytes) -> dict[str, Any]:
    """What a file says about itself, and its bytes by section, as JSON types. Decodes nothing; raises as `decode`."""
    header, sections = container.read(data)
    profile = _profile_of(header)
    return {
        "format": f"{container.FORMAT_MAJOR}.{container.FORMAT_MINOR}",
        "profile": profile.NAME,
        "width": header.width,
        "height": header.height,
        "channels": header.channels,
        "bit_depth": header.bit_depth,
        "coordinates": header.coordinates,
        "activation": header.activation,
        "prior": header.prior,
        "tiles": header.tiles,
        "architecture": list(header.architecture),
        "size_bytes": len(data),
        "rate_bpp": metrics.bpp(len(data), header.width, header.height),
        "header_bytes": len(data) - sum(section.size_bytes for section in sections),
        "sections": [
            {
                "kind": section.kind,
                "critical": section.critical,
                "coder": container.CODER_NAMES.get(section.coder, str(section.coder)),
                "size_bytes": section.size_bytes,
                "payload_bytes": len(section.payload),
            }
            for section in sections
        ],
        "network": profile.describe(header, sections),
    }


def choose_profile(
    profile: str | None, quality: float | None, width: int | None, depth: int | None, max_seconds: float | None
) -> Any:
    """The module of the profile that these arguments of `encode` ask for. Raises ValueError where they contradict."""
    sized = width is not None or depth is not None
    if profile is None:
        profile = fnet.NAME if sized else grid.NAME
    if profile not in PROFILE_NAMES:
        raise ValueError(f"profiles are {' and '.join(PROFILE_NAMES)}, not {profile!r}")
    if profile == grid.NAME and sized:
        raise ValueError("width and depth belong to the profile fnet; the grid has a quality")
    if profile == fnet.NAME and (quality is not None or max_seconds is not None):
        raise ValueError("quality and max_seconds belong to the profile grid; fnet has a width and a depth")
    if max_seconds is not None and not max_seconds > 0:
        raise ValueError(f"max_seconds is above 0, not {max_seconds}")
    if quality is not None and not 0 <= quality <= 100:
        raise ValueError(f"quality is 0 to 100, not {quality}")
    return fnet if profile == fnet.NAME else grid


def _to_pixels(image: Image.Image | npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    picture = images.from_array(image) if isinstance(image, np.ndarray) else images.from_pillow(image)
    for note in picture.notes:
        warnings.warn(note, stacklevel=3)
    return picture.pixels


def _profile_of(header: container.Header) -> Any:
    """The module that understands the file. Raises UnsupportedFormatError for what only later versions can decode."""
    if header.profile not in PROFILES:
        raise UnsupportedFormatError(f"the file is of profile {header.profile}, unknown to this version")
    if header.channels not in (1, 3):
        raise UnsupportedFormatError("the file has an alpha channel, which this version cannot decode")
    if header.bit_depth != 8:
        raise UnsupportedFormatError(f"the file has {header.bit_depth}-bit samples, this version decodes 8")
    if header.prior:
        raise UnsupportedFormatError(f"the file needs the trained prior {header.prior}, unknown to this version")
    if header.tiles:
        raise UnsupportedFormatError("the file is tiled, which this version cannot decode")
    return PROFILES[header.profile]
