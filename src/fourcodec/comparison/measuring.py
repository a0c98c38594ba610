"""Measures of a .fnc file and of the best files of other codecs of the same size, against the original picture."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fourcodec import codec, metrics
from fourcodec.arrays import Samples
from fourcodec.bitstream import metadata
from fourcodec.comparison.common_format import to_common_format, to_depth, without_alpha
from fourcodec.comparison.error_map import Errors, errors
from fourcodec.comparison.peers import NAMES, NoPeerFile, PeerFile, best_files
from fourcodec.errors import ImageError
from fourcodec.images import Picture, has_alpha, to_eight_bits
from fourcodec.limits import DEFAULT, Limits


@dataclass(frozen=True)
class Similarity:
    """Measures of a copy against the original, both without alpha."""

    psnr_db: float | None  # None: an exact copy
    ssim: float | None  # None: a side is shorter than 11 pixels
    errors: Errors
    ssimulacra2: float | None  # None: the package is missing, or a side is shorter than 8 pixels
    flip: float | None  # None: the package is missing


@dataclass(frozen=True)
class Peer:
    """Another codec's file, and its measures."""

    file: PeerFile
    near: Similarity

    @property
    def name(self) -> str:
        """The codec, as people write it."""
        return NAMES[self.file.codec]


@dataclass(frozen=True)
class Comparison:
    """Pixels and measures. `original` and `copy` have the same channels and bit depth, see common_format.py."""

    original: Samples
    copy: Samples
    icc: bytes  # the colour profile of the samples; empty for sRGB
    size_bytes: int  # of the .fnc file
    metadata_bytes: int  # the part of size_bytes for ICC profile, EXIF, XMP, density; the peers have none
    psnr_db: float | None  # as `encode` reports it: over the visible colours
    ssim: float | None
    exact_alpha: bool
    ours: Similarity  # of pictures with alpha: both composited on white, as for the peers
    peers: tuple[Peer, ...]
    without: tuple[NoPeerFile, ...]  # codecs that have no file to compare with

    @property
    def width(self) -> int:
        """Pixels in a row."""
        return self.original.shape[1]

    @property
    def height(self) -> int:
        """Pixels in a column."""
        return self.original.shape[0]

    @property
    def bit_depth(self) -> int:
        """Bits of a sample, 8 or 16."""
        return 8 * int(self.original.dtype.itemsize)

    @property
    def has_alpha(self) -> bool:
        """True where the original or its copy has alpha."""
        return has_alpha(self.original)

    @property
    def kind(self) -> str:
        """The channels, in words for the user."""
        channels = 1 if self.original.ndim == 2 else self.original.shape[2]
        return ("grey", "grey and alpha", "RGB", "RGBA")[channels - 1]

    @property
    def limit_bytes(self) -> int:
        """The most bytes that a peer may have: those of the .fnc file without metadata, which the peers have none
        of."""
        return self.size_bytes - self.metadata_bytes

    def rate_bpp(self, size_bytes: int) -> float:
        """Bits per pixel of a file of this picture with `size_bytes`."""
        return metrics.bpp(size_bytes, self.width, self.height)


def compare(picture: Picture, data: bytes, *, device: str = "cpu", limits: Limits = DEFAULT) -> Comparison:
    """The comparison of a picture with `data`, the bytes of its .fnc file, and with JPEG, WebP and AVIF.

    Raises ImageError where the file has another width or height, and the errors of codec.decode.
    """
    file = codec.File(data, limits)
    description = file.describe()  # checked before decoding, which may take long
    width, height = file.header.width, file.header.height
    rows, columns = picture.pixels.shape[:2]
    if (rows, columns) != (height, width):
        raise ImageError(
            f"the picture has {columns} x {rows} pixels and the .fnc file {width} x {height}: "
            "they are not of the same picture"
        )
    original, copy = to_common_format(picture.pixels, file.pixels(device=device))
    size_bytes = file.size_bytes
    metadata_bytes = sum(
        section["size_bytes"] for section in description["sections"] if section["kind"] in metadata.NAMES
    )
    seen, ours = without_alpha(original), without_alpha(copy)
    near = similarity(seen, ours)
    exact_alpha = has_alpha(original) and bool(np.array_equal(original[:, :, -1], copy[:, :, -1]))
    found = best_files(seen if seen.dtype.itemsize == 1 else to_eight_bits(seen), size_bytes - metadata_bytes)
    made = [one for one in found if isinstance(one, PeerFile)]
    return Comparison(
        original=original,
        copy=copy,
        icc=picture.metadata.icc,
        size_bytes=size_bytes,
        metadata_bytes=metadata_bytes,
        psnr_db=_finite(metrics.psnr_db(original, copy)) if has_alpha(original) else near.psnr_db,
        ssim=metrics.ssim(original, copy) if has_alpha(original) else near.ssim,
        exact_alpha=exact_alpha,
        ours=near,
        peers=tuple(Peer(file, similarity(seen, to_depth(file.pixels, seen.dtype))) for file in made),
        without=tuple(one for one in found if isinstance(one, NoPeerFile)),
    )


def similarity(original: Samples, copy: Samples) -> Similarity:
    """The measures of a copy; both pictures without alpha, of the same shape and dtype."""
    return Similarity(
        _finite(metrics.psnr_db(original, copy)),
        metrics.ssim(original, copy),
        errors(original, copy),
        metrics.ssimulacra2(original, copy),
        metrics.flip(original, copy),
    )


def numbers(comparison: Comparison) -> dict[str, Any]:
    """All measures as JSON types, for `compare --json`."""
    reasons = {one.codec: one.reason for one in comparison.without}
    measured = {peer.file.codec: _numbers_of(peer, comparison) for peer in comparison.peers}
    return {
        "width": comparison.width,
        "height": comparison.height,
        "channels": 1 if comparison.original.ndim == 2 else comparison.original.shape[2],
        "bit_depth": comparison.bit_depth,
        "size_bytes": comparison.size_bytes,
        "metadata_bytes": comparison.metadata_bytes,
        "rate_bpp": comparison.rate_bpp(comparison.size_bytes),
        "psnr_db": comparison.psnr_db,
        "ssim": comparison.ssim,
        "ssimulacra2": comparison.ours.ssimulacra2,
        "flip": comparison.ours.flip,
        "on_white": asdict(comparison.ours) if comparison.has_alpha else None,
        "errors": asdict(comparison.ours.errors),
        **{codec: measured.get(codec) for codec in NAMES},
        **{f"{codec}_note": reasons.get(codec) for codec in NAMES},
    }


def _numbers_of(peer: Peer, comparison: Comparison) -> dict[str, Any]:
    file = peer.file
    rate_bpp = comparison.rate_bpp(file.size_bytes)
    settings = {"quality": file.quality, "variant": file.variant, "size_bytes": file.size_bytes, "rate_bpp": rate_bpp}
    return {**settings, **asdict(peer.near)}


def verdict(comparison: Comparison) -> str:
    """The comparison in a sentence: our PSNR, and its distance from the peers' at as many bytes."""
    ours = comparison.ours.psnr_db
    if ours is None:
        return f"In {comparison.size_bytes:,} bytes fourcodec has an exact copy."
    gains = [
        f"{ours - peer.near.psnr_db:+.2f} dB against {peer.name}"
        for peer in comparison.peers
        if peer.near.psnr_db is not None
    ]
    said = f"In {comparison.size_bytes:,} bytes fourcodec has a PSNR of {ours:.2f} dB"
    return f"{said}: {', '.join(gains)} of at most as many bytes." if gains else f"{said}."


def remarks(comparison: Comparison) -> list[str]:
    """Sentences for the user on how the numbers were measured."""
    said = []
    if comparison.has_alpha:
        said.append(
            "PSNR and SSIM of fourcodec are of the colours, without fully transparent pixels; its alpha is "
            f"{'exact' if comparison.exact_alpha else 'not that of the picture'}. JPEG has no transparency, so all "
            "three other codecs get the picture on white. The other numbers, and the pictures shown, are of all on "
            "white."
        )
    if comparison.bit_depth == 16:
        said.append(
            "PSNR is over 16-bit samples. The other codecs have 8 bits, scaled to 16. Errors are in units of an 8-bit "
            "sample."
        )
    elif not comparison.has_alpha:
        said.append(f"PSNR is over all {comparison.kind} samples, 8 bits each.")
    if comparison.metadata_bytes:
        said.append(
            f"The .fnc file holds {comparison.metadata_bytes:,} bytes of metadata. The others have none and are "
            f"compared at the remaining {comparison.limit_bytes:,} bytes."
        )
    said += [f"{one.reason}; the limit is {comparison.limit_bytes:,} bytes." for one in comparison.without]
    if comparison.peers:
        settings = "; ".join(peer.file.setting for peer in comparison.peers)
        said.append(
            f"The others are their codecs' best files of at most {comparison.limit_bytes:,} bytes: {settings}. JPEG is "
            "searched over all qualities, 4:2:0 and 4:4:4, baseline and progressive, with optimised tables; WebP and "
            "AVIF by bisection over the quality."
        )
    return said


def _finite(psnr_db: float) -> float | None:
    return None if math.isinf(psnr_db) else psnr_db
