"""encode() and decode(): the whole route from a picture to a file and back on one page.

    encode:  picture -> pixels -> planes -> encoder: a fit -> integers -> profile.pack -> container.write -> bytes
    decode:  bytes -> container.read -> profile.unpack -> integers -> profile.render, where the view asks -> planes
             -> pixels

Alpha goes beside the network, without loss, and so do ICC profile, EXIF and XMP.

What encode returns was decoded again: every integer of it is what the fit came to, alpha and metadata are the picture's
own, and the numbers that it reports were measured on the very bytes.
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

from fourcodec import devices, images, metrics
from fourcodec.arrays import Samples
from fourcodec.bitstream import alpha, container, metadata
from fourcodec.bitstream.metadata import Metadata
from fourcodec.errors import CorruptFileError, LimitError, UnsupportedFormatError, VerificationError
from fourcodec.fnet import profile as fnet
from fourcodec.grid import profile as grid
from fourcodec.images import Picture, pixels, transparency
from fourcodec.limits import DEFAULT, UNLIMITED, Limits
from fourcodec.profiles import PROFILES
from fourcodec.request import Request
from fourcodec.views import WHOLE, Lattice, View, whole

if TYPE_CHECKING:  # importing them for real costs numba and scipy
    from fourcodec.encoder import Subject
    from fourcodec.optimisation.progress import Progress

DEFAULT_EFFORT = 5


@dataclass(frozen=True)
class Encoded:
    """A .fnc file and what was measured on it."""

    data: bytes  # the file
    profile: str
    width: int  # pixels
    height: int
    channels: int
    bit_depth: int  # 8 or 16
    size_bytes: int
    alpha_bytes: int  # of size_bytes
    metadata_bytes: dict[str, int]  # of size_bytes, by name: icc, exif, xmp
    rate_bpp: float
    psnr_db: float | None  # None where the copy is exact; of the colours that are visible
    ssim: float | None  # None where a side is shorter than 11 pixels
    encode_seconds: float
    decode_seconds: float
    refusal: str = ""  # why `decode` with the default limits refuses the file, where higher ones were given


def encode(
    image: Image.Image | Samples | Picture,
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
    strip: bool = False,
    limits: Limits = DEFAULT,
    progress: "Callable[[Progress], None] | None" = None,
) -> Encoded:
    """Fits a network to a picture.

    `image` is a PIL image, what images.load reads, or a uint8 or uint16 array (H, W) or (H, W, C), C 2 to 4: grey and
    alpha, RGB, RGBA. Its ICC profile, EXIF and XMP go into the file unless `strip`. `profile` is "grid", the default,
    or "fnet", the default where a width or depth is given: `depth` hidden states of `width` numbers. How much is spent
    on the picture is said by one of these:

    - `quality`, 0 to 100, stands for lambda in MSE + lambda * bpp in both profiles. fnet without a width and depth then
      has the size that a measured table gives for this lambda. Unless anything is said, the grid has 60, and fnet 8 x 6
      at a lambda of 1.25e-3 (a quality of 54.4).
    - `target_bytes`, or `target_bpp` in bits per pixel: a file of at most so many, and no more than 3% fewer.
    - `target_psnr` in dB: pixels that are at least so near the picture, and no more than 0.1 dB nearer.

    `effort` is 1 to 9, `iterations` overrides the number of steps it stands for, and the grid's `max_seconds` shortens
    the fit to a time. Equal arguments give equal bytes on the same machine, whatever its number of threads (with
    `max_seconds`, only where the time does not decide). `progress` is called now and then. Where `limits` are above the
    default, so must be those of whoever decodes the file (see `check_limits`).

    Raises ValueError for arguments out of range or that do not go together, TargetError for a target that no file of
    this picture comes to, LimitError, ImageError, DeviceError, and VerificationError if the file were not to decode to
    what was encoded.
    """
    request = Request(profile, quality, width, depth, target_bytes, target_bpp, target_psnr, max_seconds)
    started = time.perf_counter()
    picture = _to_picture(image, limits)
    subject = _to_subject(picture, strip)
    processor = devices.resolve(device)

    from fourcodec.encoder import Encoder, FnetFits, GridFits

    fits = (
        GridFits(subject, request, effort, iterations, seed, processor, limits)
        if request.is_grid
        else FnetFits(subject, request, effort, iterations, seed, processor, limits)
    )

    def decoded_again(file: bytes) -> Samples:
        return decode(file, device=processor, limits=limits)

    data, network = Encoder(subject, fits).encode(
        request, lambda file: metrics.psnr_db(picture.pixels, decoded_again(file)), progress
    )
    encoded = time.perf_counter()

    copy = decoded_again(data)
    decoded = time.perf_counter()
    _verify(data, network, picture, copy, strip, limits)
    psnr_db = metrics.psnr_db(picture.pixels, copy)
    return Encoded(
        data=data,
        profile=grid.NAME if request.is_grid else fnet.NAME,
        width=picture.pixels.shape[1],
        height=picture.pixels.shape[0],
        channels=subject.channels,
        bit_depth=subject.bit_depth,
        size_bytes=len(data),
        alpha_bytes=sum(section.size_bytes for section in subject.beside if section.kind == alpha.KIND),
        metadata_bytes={metadata.NAMES[s.kind]: s.size_bytes for s in subject.beside if s.kind in metadata.NAMES},
        rate_bpp=metrics.bpp(len(data), picture.pixels.shape[1], picture.pixels.shape[0]),
        psnr_db=None if math.isinf(psnr_db) else psnr_db,
        ssim=metrics.ssim(picture.pixels, copy),
        encode_seconds=encoded - started,
        decode_seconds=decoded - encoded,
        refusal=_refusal(data),
    )


# The bounds on weights leave no sum that overflows float32. Should one do so all the same, what comes of it is cut to
# the range of samples, and no news to a person.
@np.errstate(over="ignore", invalid="ignore")
def decode(data: bytes, *, view: View = WHOLE, device: str = "cpu", limits: Limits = DEFAULT) -> Samples:
    """The picture in a .fnc file: uint8 or uint16, (H, W) or (H, W, C) as `encode` takes it.

    `view` is a part of it, a size, or both; the network is evaluated where that asks for it, and a region at full size
    has the very samples of the whole picture. `device` is "cpu" (which imports no torch), "cuda" or "auto"; pixels
    differ by at most 1 of 255 between them. Raises ValueError for a region that is not inside the picture,
    CorruptFileError, UnsupportedFormatError, LimitError (too many pixels, in the file or in the view, or too much work)
    and DeviceError. Metadata are not looked at: pixels can be had without.
    """
    processor = devices.resolve(device)
    header, sections = container.read(data, limits)
    profile = _profile_of(header)
    lattice = view.on(header.width, header.height)
    limits.check_pixels(lattice.columns, lattice.rows, "what is asked for has")
    own, mask = _split(header, sections)

    def render(at: Lattice) -> npt.NDArray[np.float32]:  # (1 or 3, rows, columns), about [0, 1]
        limits.check_memory(profile.memory_pixels(header))
        limits.check_work(profile.multiplications(header, at))
        network = profile.unpack(header, own, at)
        planes: npt.NDArray[np.float32] = profile.render(network, (header.height, header.width), processor, at)
        return planes

    if mask is None:
        return pixels.from_planes(render(lattice), header.bit_depth)
    planes, opacity = transparency.on_lattice(render, alpha.read(mask, header), lattice)
    return np.dstack([pixels.from_planes(planes, header.bit_depth), opacity])


def read_metadata(data: bytes) -> Metadata:
    """The ICC profile, EXIF and XMP in a .fnc file. Decodes nothing; raises as `decode`."""
    _, sections = container.read(data, UNLIMITED)
    return metadata.read(sections)


def salvage_metadata(data: bytes) -> tuple[Metadata, list[str]]:
    """As much of them as is sound, and a remark for people on each that is not."""
    _, sections = container.read(data, UNLIMITED)
    return metadata.salvage(sections)


def check_limits(data: bytes, limits: Limits = DEFAULT) -> None:
    """Raises LimitError where `decode` of the whole picture would. Decodes nothing; raises otherwise as `decode`."""
    header, _ = container.read(data, limits)
    profile = _profile_of(header)
    limits.check_memory(profile.memory_pixels(header))
    limits.check_work(profile.multiplications(header, whole(header.width, header.height)))


def describe(data: bytes) -> dict[str, Any]:
    """What a file says about itself, and its bytes by section, as JSON types. Decodes nothing, and so has no limits;
    raises as `decode`."""
    header, sections = container.read(data, UNLIMITED)
    profile = _profile_of(header)
    own, _ = _split(header, sections)
    names = {**profile.SECTION_NAMES, alpha.KIND: alpha.NAME, **metadata.NAMES}
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
                "name": names.get(section.kind, "unknown"),
                "critical": section.critical,
                "coder": container.CODER_NAMES.get(section.coder, str(section.coder)),
                "size_bytes": section.size_bytes,
                "payload_bytes": len(section.payload),
            }
            for section in sections
        ],
        "network": profile.describe(header, own),
        "multiplications": profile.multiplications(header, whole(header.width, header.height)),
    }


def _to_picture(image: Image.Image | Samples | Picture, limits: Limits) -> Picture:
    if isinstance(image, Picture):
        limits.check_pixels(image.pixels.shape[1], image.pixels.shape[0])
        return image
    picture = images.from_array(image, limits) if isinstance(image, np.ndarray) else images.from_pillow(image, limits)
    for note in picture.notes:
        warnings.warn(note, stacklevel=3)
    return picture


def _to_subject(picture: Picture, strip: bool) -> "Subject":
    from fourcodec.encoder import Subject

    planes = pixels.to_planes(picture.pixels)  # (C, H, W), float32 in [0, 1]
    channels, bit_depth = len(planes), 8 * picture.pixels.itemsize
    described = [] if strip else metadata.write(picture.metadata)
    if channels in (1, 3):
        return Subject(planes, None, channels, bit_depth, described)
    colours, visible = planes[:-1], planes[-1] > 0
    beside = [alpha.write(picture.pixels[:, :, -1]), *described]
    if not visible.any():
        return Subject(np.zeros_like(colours), None, channels, bit_depth, beside)
    return Subject(colours, None if visible.all() else visible, channels, bit_depth, beside)


def _split(
    header: container.Header, sections: list[container.Section]
) -> tuple[list[container.Section], container.Section | None]:
    """The sections for the profile, and that of alpha where the picture has it. Raises CorruptFileError."""
    mask = container.by_kind([section for section in sections if section.kind == alpha.KIND], {alpha.KIND: alpha.NAME})
    if bool(mask) != header.has_alpha:
        word = "without" if header.has_alpha else "with"
        raise CorruptFileError(f"{header.channels} channels {word} section {alpha.NAME!r}")
    return [section for section in sections if section.kind != alpha.KIND], mask.get(alpha.KIND)


def _refusal(data: bytes) -> str:
    try:
        check_limits(data, DEFAULT)
    except LimitError as exc:
        return str(exc)
    return ""


def _verify(data: bytes, network: Any, picture: Picture, copy: Samples, strip: bool, limits: Limits) -> None:
    """Raises VerificationError where anything in the file that is meant to be exact is not."""
    header, sections = container.read(data, limits)
    profile = _profile_of(header)
    own, mask = _split(header, sections)
    if not profile.same(network, profile.unpack(header, own)):
        raise VerificationError("the file does not hold the integers that the fit came to; it is not written")
    if mask is not None and not np.array_equal(copy[:, :, -1], picture.pixels[:, :, -1]):
        raise VerificationError("the file does not hold the picture's alpha; it is not written")
    if metadata.read(sections) != (Metadata() if strip else picture.metadata):
        raise VerificationError("the file does not hold the picture's metadata; it is not written")


def _profile_of(header: container.Header) -> Any:
    """The module that understands the file. Raises UnsupportedFormatError for what only later versions can decode."""
    if header.profile not in PROFILES:
        raise UnsupportedFormatError(f"the file is of profile {header.profile}, unknown to this version")
    if header.bit_depth not in pixels.SAMPLE_TYPES:
        raise UnsupportedFormatError(f"the file has {header.bit_depth}-bit samples, this version decodes 8 and 16")
    if header.tiles and header.profile != grid.PROFILE_ID:
        raise UnsupportedFormatError("the file is tiled, which this version knows only of the profile grid")
    return PROFILES[header.profile]
