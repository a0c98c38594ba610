"""encode() and decode(): the whole route from a picture to a file and back on one page.

    encode:  picture -> pixels -> planes -> encoder: fitting.fit -> integers -> profile.pack -> container.write -> bytes
    decode:  bytes -> container.read -> profile.unpack -> integers -> profile.render -> planes -> pixels

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
from fourcodec.errors import DeviceError, UnsupportedFormatError
from fourcodec.profiles import PROFILES, fnet, grid
from fourcodec.request import Request

if TYPE_CHECKING:
    from fourcodec.fitting import Progress  # importing it for real costs torch

DEFAULT_EFFORT = 5


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
    target_bytes: int | None = None,
    target_bpp: float | None = None,
    target_psnr: float | None = None,
    effort: int = DEFAULT_EFFORT,
    iterations: int | None = None,
    max_seconds: float | None = None,
    device: str = "auto",
    seed: int = 0,
    progress: "Callable[[Progress], None] | None" = None,
) -> Encoded:
    """Fits a network to a picture.

    `image` is a PIL image, or a uint8 array (H, W), (H, W, 1) or (H, W, 3). `profile` is "grid", the default, or
    "fnet", the default where a width or depth is given: `depth` hidden states of `width` numbers. How much is spent on
    the picture is said by one of these:

    - `quality`, 0 to 100, stands for lambda in MSE + lambda * bpp in both profiles. fnet without a width and depth then
      has the size that a measured table gives for this lambda. Unless anything is said, the grid has 60, and fnet 8 x 6
      at a lambda of 1.25e-3 (a quality of 54.4).
    - `target_bytes`, or `target_bpp` in bits per pixel: a file of at most so many, and no more than 3% fewer.
    - `target_psnr` in dB: pixels that are at least so near the picture, and no more than 0.1 dB nearer.

    `effort` is 1 to 9, `iterations` overrides the number of steps it stands for, and the grid's `max_seconds` shortens
    the fit to a time. Equal arguments give equal bytes on the same machine, whatever its number of threads (with
    `max_seconds`, only where the time does not decide). `progress` is called now and then.

    Raises ValueError for arguments out of range or that do not go together, TargetError for a target that no file of
    this picture comes to, LimitError, ImageError and DeviceError.
    """
    request = Request(profile, quality, width, depth, target_bytes, target_bpp, target_psnr, max_seconds)
    started = time.perf_counter()
    picture = _to_pixels(image)  # (H, W) or (H, W, 3), uint8
    planes = pixels.to_planes(picture)  # (C, H, W), float32 in [0, 1]
    processor = devices.resolve(device)
    if request.is_grid and device == "cuda":
        raise DeviceError("the profile grid is fitted on the CPU in this version: leave the device out")

    from fourcodec.encoder import Encoder, FnetFits, GridFits

    fits = (
        GridFits(planes, request, effort, iterations, seed)
        if request.is_grid
        else FnetFits(planes, request, effort, iterations, seed, processor)
    )
    data = Encoder(planes, fits).encode(
        request, lambda file: metrics.psnr_db(picture, decode(file, device=processor)), progress
    )
    encoded = time.perf_counter()

    copy = decode(data, device=processor)
    decoded = time.perf_counter()
    psnr_db = metrics.psnr_db(picture, copy)
    return Encoded(
        data=data,
        profile=grid.NAME if request.is_grid else fnet.NAME,
        width=planes.shape[2],
        height=planes.shape[1],
        channels=planes.shape[0],
        size_bytes=len(data),
        rate_bpp=metrics.bpp(len(data), planes.shape[2], planes.shape[1]),
        psnr_db=None if math.isinf(psnr_db) else psnr_db,
        ssim=metrics.ssim(picture, copy),
        encode_seconds=encoded - started,
        decode_seconds=decoded - encoded,
    )


def decode(data: bytes, *, device: str = "cpu", max_pixels: int = container.MAX_PIXELS) -> npt.NDArray[np.uint8]:
    """The picture in a .fnc file: uint8 (H, W) or (H, W, 3).

    `device` is "cpu" (which imports no torch), "cuda" or "auto"; pixels differ by at most 1 between them. Raises
    CorruptFileError, UnsupportedFormatError, LimitError (more than `max_pixels` pixels) and DeviceError.
    """
    processor = devices.resolve(device)
    header, sections = container.read(data, max_pixels=max_pixels)
    profile = _profile_of(header)
    network = profile.unpack(header, sections)
    planes = profile.render(network, (header.height, header.width), processor)  # (C, H, W), float32, about [0, 1]
    return pixels.from_planes(planes)


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
