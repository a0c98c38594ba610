"""encode() and decode(): the whole route from an image to a file and back on one page.

    encode:  image -> pixels -> planes -> encoder: a fit -> integers -> profile.pack -> container.write -> bytes
    decode:  bytes -> container.read -> profile.unpack -> integers -> profile.render, where the view asks -> planes
             -> pixels

decode and the functions after it make a File (fnc.py) for one question each. A caller with several questions makes the
File itself.

Alpha is coded beside the network, without loss, and so are ICC profile, EXIF, XMP and density.

encode decodes what it returns: all integers are those of the fit, alpha and metadata are those of the image, and the
numbers that it reports were measured on these bytes.
"""

import functools
import math
import os
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from PIL import Image

from fourcodec import devices, files, images, metrics
from fourcodec.arguments import described, instance, path, whole_number
from fourcodec.arrays import Samples
from fourcodec.bitstream import alpha, metadata
from fourcodec.bitstream.metadata import Metadata
from fourcodec.errors import LimitError, TargetError, VerificationError
from fourcodec.fnc import File, Source
from fourcodec.images import Picture, pixels
from fourcodec.limits import BYTES_REMEDY, DEFAULT, Limits
from fourcodec.request import Request
from fourcodec.tuning import PSNR
from fourcodec.views import WHOLE, View

if TYPE_CHECKING:  # importing them for real costs numba and scipy
    from fourcodec.encoder import Subject
    from fourcodec.optimisation.progress import Progress

# An image as `encode` takes it.
Given = Image.Image | Samples | Picture | str | os.PathLike[str] | BinaryIO
DEFAULT_EFFORT = 5


@dataclass(frozen=True)
class Encoded:
    """A .fnc file with its size, quality and times."""

    data: bytes  # the file
    profile: str
    width: int  # pixels
    height: int
    channels: int
    bit_depth: int  # 8 or 16
    size_bytes: int
    alpha_bytes: int  # of size_bytes
    metadata_bytes: dict[str, int]  # of size_bytes, by name: icc, exif, xmp, density
    rate_bpp: float
    psnr_db: float | None  # None where the copy is exact; of the colours that are visible
    ssim: float | None  # None where a side is shorter than 11 pixels
    encode_seconds: float
    decode_seconds: float
    refusal: str = ""  # why `decode` with the default limits refuses the file, where higher ones were given

    def save(self, output: "str | os.PathLike[str] | BinaryIO") -> None:
        """Writes the file to a path, whole or not at all, or to an object that is open for writing bytes.

        An existing file is replaced. Raises OSError.
        """
        if isinstance(output, str | os.PathLike):
            files.write(path(output), self.data, overwrite=True)
        else:
            output.write(self.data)


def encode(
    image: Given,
    *,
    profile: str | None = None,
    quality: float | None = None,
    width: int | None = None,
    depth: int | None = None,
    target_bytes: int | None = None,
    target_bpp: float | None = None,
    target_psnr: float | None = None,
    target_ssimulacra2: float | None = None,
    effort: int = DEFAULT_EFFORT,
    iterations: int | None = None,
    max_seconds: float | None = None,
    tune: str = PSNR,
    device: str = "auto",
    seed: int = 0,
    strip: bool = False,
    limits: Limits = DEFAULT,
    progress: "Callable[[Progress], None] | None" = None,
) -> Encoded:
    """Fits a network to a picture.

    `image` is a PIL image, a uint8 or uint16 array (H, W) or (H, W, C), C 2 to 4: grey and alpha, RGB, RGBA, the path
    of a picture file, such a file open for reading bytes, or what images.load made of one. Its ICC profile, EXIF, XMP
    and density go into the file unless `strip`. `profile` is "grid", the default, or "fnet", the default where a width
    or depth is given: `depth` hidden states of `width` numbers. One of these sets rate and quality:

    - `quality`, 0 to 100, stands for lambda in MSE + lambda * bpp in both profiles. fnet without a width and depth then
      has the size that a measured table gives for this lambda. Without any of these the grid has a quality of 60, and
      fnet the size 8 x 6. A network of a given size without a quality has the lambda at which one more bit in each
      coefficient of all frequencies would be worth 0.9 dB. Frequencies of more than three non-zero components are left
      out of a network of a given size where lambda says that they are not worth their bytes.
    - `target_bytes`, or `target_bpp` in bits per pixel: a file of at most this size, and at most 3% smaller.
    - `target_psnr` in dB: a PSNR of at least this, and at most 0.1 dB higher.
    - `target_ssimulacra2`: a SSIMULACRA 2 of at least this, and at most 1 higher; it needs the package ssimulacra2.

    `tune` is what the fit minimises beside the rate: "psnr", squared errors, or "visual" (grid only), what people see
    of errors, which costs PSNR. A quality gives files of about the same size under both.

    `effort` is 1 to 9, `iterations` overrides the number that it stands for, and the grid's `max_seconds` shortens
    the fit so that this call takes that time. Equal arguments give equal bytes on the same machine, whatever its
    number of threads (with `max_seconds`, only where the time does not end the fit). `progress` is called during the
    fit. A file that needs `limits` above the default needs them for decoding too (see `check_limits`).

    Raises ValueError for arguments of another type, out of range or that do not go together, OSError for a file that
    cannot be opened, TargetError for a target that no file of this picture comes to, LimitError (also where
    max_seconds is too short), FitError where a fit diverges, ImageError, DeviceError, MissingLibraryError for an
    optional library, and VerificationError if the file does not decode to what was encoded.
    """
    request = Request(
        profile, quality, width, depth, target_bytes, target_bpp, target_psnr, max_seconds, tune, target_ssimulacra2
    )
    effort, seed = whole_number("effort", effort), whole_number("seed", seed)
    if seed < 0:
        raise ValueError(f"seed is at least 0, not {seed}")
    iterations = None if iterations is None else whole_number("iterations", iterations)
    instance("limits", limits, Limits)
    if progress is not None and not callable(progress):
        raise ValueError(f"progress is a function, not {described(progress)}")
    started = time.perf_counter()
    picture = _to_picture(image, limits)
    subject = _to_subject(picture, strip)
    processor = devices.resolve(device)

    from fourcodec.encoder import Encoder, FnetFits, GridFits

    kind: type[GridFits] | type[FnetFits] = GridFits if request.is_grid else FnetFits
    fits = kind(subject, request, effort, iterations, seed, processor, limits, started)
    if request.max_seconds is not None:
        _compile(subject.channels)  # so that no compiling comes after the fit

    if request.target_ssimulacra2 is not None and metrics.ssimulacra2(picture.pixels, picture.pixels) is None:
        raise TargetError("the picture is too small for SSIMULACRA 2: a side is shorter than 8 pixels", short=False)

    def quality_of(data: bytes) -> float:
        copy = File(data, limits).pixels(device=processor)
        score = metrics.ssimulacra2(picture.pixels, copy) if request.target_ssimulacra2 is not None else None
        return metrics.psnr_db(picture.pixels, copy) if score is None else score

    data, network = Encoder(subject, fits).encode(request, quality_of, progress)
    encoded = time.perf_counter()

    file = File(data, limits)
    copy = file.pixels(device=processor)
    decoded = time.perf_counter()
    _verify(file, network, picture, copy, strip)
    psnr_db = metrics.psnr_db(picture.pixels, copy)
    return Encoded(
        data=data,
        profile=file.profile.NAME,
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
        refusal=_refusal(file),
    )


def decode(
    data: Source,
    *,
    view: View = WHOLE,
    device: str = "cpu",
    limits: Limits = DEFAULT,
    partial: bool = False,
) -> Samples:
    """The image in a .fnc file: uint8 or uint16, (H, W) or (H, W, C) as `encode` takes it. `data` are its bytes, its
    path, or an object that is open for reading bytes.

    `view` is a part of it, a size, or both. The network is evaluated only at the samples of the view, and a region at
    full size has exactly the samples of the whole image. `device` is "cpu" (which imports no torch), "cuda" or "auto";
    pixels differ by at most 1 of 255 between them. Metadata are not parsed. With `partial`, a file that ends too early
    gives the picture that its beginning has, at 1:2, 1:4 ... of its size, and a warning that says from what; the
    checksum of the payload cannot be verified then.

    Raises ValueError for a region that is not inside the image, and for a view of a file that ends too early, OSError,
    CorruptFileError, UnsupportedFormatError, LimitError (too many pixels, in the file or in the view, or too much work)
    and DeviceError.
    """
    file = File(data, limits, partial=partial)
    found = file.pixels(view, device)
    if file.cut:
        warnings.warn(file.beginning[1], stacklevel=2)
    return found


def open(data: Source, *, limits: Limits = DEFAULT) -> File:
    """A .fnc file, read and checked once, for several questions; see `File`. Decodes nothing; raises as `File`."""
    return File(data, limits)


def read_metadata(data: Source) -> Metadata:
    """The ICC profile, EXIF, XMP and density in a .fnc file. Decodes no pixel; no limits but that of metadata; raises
    CorruptFileError, UnsupportedFormatError and LimitError."""
    return File(data).metadata()


def salvage_metadata(data: Source) -> tuple[Metadata, list[str]]:
    """The sound metadata, and a remark for people on each document that is damaged."""
    return File(data).salvage_metadata()


def check_limits(data: Source, limits: Limits = DEFAULT) -> None:
    """Raises LimitError where `decode` of the whole image would. Decodes nothing; raises otherwise as `decode`."""
    File(data).check_limits(limits)


def describe(data: Source) -> dict[str, Any]:
    """The header's fields and the bytes of each section, as JSON types. Nothing is decoded, so no limits apply; raises
    otherwise as `decode`."""
    return File(data).describe()


@functools.cache
def _compile(channels: int) -> None:
    """Encodes a tiny image, which compiles kernels and imports modules that a fit alone does not need."""
    encode(np.zeros((16, 16, channels)[: 2 + (channels > 1)], np.uint8), iterations=1, device="cpu")


def _to_picture(image: Given, limits: Limits) -> Picture:
    if isinstance(image, Picture):
        images.from_array(image.pixels, limits)  # raises for what cannot be coded
        return image
    if isinstance(image, np.ndarray):
        picture = images.from_array(image, limits)
    elif isinstance(image, Image.Image):
        picture = images.from_pillow(image, limits)
    elif isinstance(image, str | os.PathLike):
        picture = images.load(path(image), limits=limits)
    elif hasattr(image, "read"):
        picture = images.read(files.read_open(image, limits.picture_bytes, BYTES_REMEDY), limits=limits)
    else:
        raise ValueError(
            "an image is a PIL image, an array of numpy, the path of a picture file or an open one, not "
            f"{type(image).__name__}"
        )
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


def _refusal(file: File) -> str:
    """Why the default limits do not allow decoding the file; empty where they do."""
    try:
        file.check_limits(DEFAULT)
    except LimitError as exc:
        return str(exc)
    return ""


def _verify(file: File, network: Any, picture: Picture, copy: Samples, strip: bool) -> None:
    """Raises VerificationError where anything in the file that is meant to be exact is not."""
    if not file.profile.same(network, file.integers):
        raise VerificationError("the file does not hold the integers that the fit came to; it is not written")
    if file.header.has_alpha and not np.array_equal(copy[:, :, -1], picture.pixels[:, :, -1]):
        raise VerificationError("the file does not hold the picture's alpha; it is not written")
    if file.metadata() != (Metadata() if strip else picture.metadata):
        raise VerificationError("the file does not hold the picture's metadata; it is not written")
