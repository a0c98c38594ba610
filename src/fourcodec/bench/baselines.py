"""The peers: a table of the codecs that are measured beside ours.

A new one is a function that makes a file, and an entry. Pillow decodes the files of all of them. A *variant* is one
curve of a codec: its settings differ only in the quality.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image, features

from fourcodec import extras
from fourcodec.arrays import Samples
from fourcodec.images import saved

Encode = Callable[..., bytes]  # (image, quality, **options of the variant)


@dataclass(frozen=True)
class Variant:
    """One curve: its name in the setting column, and the options of the encoding function beside the quality."""

    name: str
    options: Mapping[str, Any] = field(hash=False)
    in_sweep: bool = True  # a curve in plots and BD-rates; else it is used in matching only


@dataclass(frozen=True)
class Baseline:
    """A codec: how its files are made, and at which qualities."""

    encode: Encode
    variants: tuple[Variant, ...]
    qualities: Sequence[int]  # rising; those that matching tries
    sweep: Sequence[int]  # those of the curves in plots and BD-rates
    about: str  # a line of every summary
    available: Callable[[], bool] = lambda: True


@dataclass(frozen=True)
class PeerSetting:
    """One file that a baseline can make of a picture."""

    variant: Variant
    quality: int

    @property
    def label(self) -> str:
        """The setting in the setting column, like 'q=35 4:2:0 progressive'."""
        return f"q={self.quality} {self.variant.name}".strip()


def decode(data: bytes) -> Samples:
    """The decoded pixels of a baseline's file, uint8 (H, W, 3)."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


def jpeg(image: Image.Image, quality: int, subsampling: str, progressive: bool) -> bytes:
    """JPEG with optimised Huffman tables; small files are up to a fifth smaller without progressive scans."""
    return saved(image, "JPEG", quality=quality, subsampling=subsampling, optimize=True, progressive=progressive)


def jpeg_default(image: Image.Image, quality: int) -> bytes:
    """The JPEG that `image.save("x.jpg", quality=...)` writes, to compare measurements with other people's."""
    return saved(image, "JPEG", quality=quality)


def webp(image: Image.Image, quality: int) -> bytes:
    """Lossy WebP at its slowest method."""
    return saved(image, "WEBP", quality=quality, method=6)


def avif(image: Image.Image, quality: int, tune: str = "psnr") -> bytes:
    """AVIF with two threads everywhere: libaom makes other bytes with one than with several threads."""
    options = {"speed": 6, "subsampling": "4:4:4", "advanced": {"tune": tune}, "max_threads": 2}
    return saved(image, "AVIF", quality=quality, **options)


def jxl(image: Image.Image, quality: int) -> bytes:
    """JPEG XL by pillow-jxl-plugin, which adds the format to Pillow when it is imported."""
    import pillow_jxl  # noqa: F401

    return saved(image, "JXL", quality=quality, effort=7)


def _jpeg_variants() -> tuple[Variant, ...]:
    return tuple(
        Variant(
            f"{subsampling} {'progressive' if progressive else 'baseline'}",
            {"subsampling": subsampling, "progressive": progressive},
            in_sweep=progressive,
        )
        for subsampling in ("4:2:0", "4:4:4")
        for progressive in (True, False)
    )


# libavif maps qualities 0..100 to quantizers 63..0, and several qualities to one: the lowest of each is enough.
_AVIF_QUALITIES = sorted({((100 - quality) * 63 + 50) // 100: quality for quality in range(100, -1, -1)}.values())

BASELINES: Mapping[str, Baseline] = {
    "jpeg": Baseline(
        jpeg,
        _jpeg_variants(),
        qualities=range(1, 101),
        sweep=(1, 3, 5, 8, 12, 18, 25, 35, 45, 55, 65, 75, 82, 88, 92, 95, 97),
        about="Pillow's JPEG, Huffman tables optimised; matched: the best of 4:2:0 and 4:4:4, baseline and "
        "progressive; curve: 4:2:0 and 4:4:4, progressive",
    ),
    "jpeg-default": Baseline(
        jpeg_default,
        (Variant("", {}),),
        qualities=range(1, 101),
        sweep=range(5, 100, 10),
        about="Pillow's JPEG as it is without options (4:2:0, baseline, standard Huffman tables)",
    ),
    "webp": Baseline(
        webp,
        (Variant("method 6", {}),),
        qualities=range(101),
        sweep=(0, 5, 15, 30, 45, 60, 75, 85, 92, 97),
        about="Pillow's WebP, method 6 (the slowest)",
        available=lambda: bool(features.check("webp")),
    ),
    "avif": Baseline(
        avif,
        (Variant("4:4:4 speed 6 tune psnr", {}),),
        qualities=_AVIF_QUALITIES,
        sweep=(1, 5, 12, 20, 30, 40, 50, 60, 70, 80, 88, 94),
        about="Pillow's AVIF, speed 6 of 0..10 (0 is the slowest), tune=psnr, 4:4:4, two threads",
        available=lambda: bool(features.check("avif")),
    ),
    "avif-visual": Baseline(
        avif,
        tuple(Variant(f"4:4:4 speed 6 tune {tune}", {"tune": tune}) for tune in ("iq", "ssimulacra2")),
        qualities=_AVIF_QUALITIES,
        sweep=(1, 5, 12, 20, 30, 40, 50, 60, 70, 80, 88, 94),
        about="Pillow's AVIF tuned for people: tune=iq (libavif's default for pictures) and tune=ssimulacra2, else as "
        "avif",
        available=lambda: bool(features.check("avif")),
    ),
    "jxl": Baseline(
        jxl,
        (Variant("effort 7", {}),),
        qualities=range(101),
        sweep=(0, 5, 10, 20, 30, 40, 50, 60, 70, 80, 88, 94),
        about="JPEG XL by pillow-jxl-plugin, effort 7",
        available=lambda: extras.is_there("pillow_jxl"),
    ),
}


def sweep_settings(baseline: Baseline) -> list[PeerSetting]:
    """The points of a codec's curves, variant by variant, rising in quality."""
    return [PeerSetting(v, quality) for v in baseline.variants if v.in_sweep for quality in baseline.sweep]


def setting_of(baseline: Baseline, label: str) -> PeerSetting:
    """The setting with this label, the inverse of `PeerSetting.label`. Raises KeyError for an unknown one."""
    settings = {
        PeerSetting(v, quality) for v in baseline.variants for quality in {*baseline.qualities, *baseline.sweep}
    }
    return {setting.label: setting for setting in settings}[label]


def make(baseline: Baseline, image: Image.Image, setting: PeerSetting) -> bytes:
    """The bytes of a file. Raises whatever the codec raises for a picture that it cannot hold."""
    return baseline.encode(image, setting.quality, **setting.variant.options)
