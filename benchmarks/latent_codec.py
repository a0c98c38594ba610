"""Small pictures coded by a generative model of their kind, beside other codecs.

    python -m benchmarks.latent_codec DATA MODEL RESULT.txt [--count 100] [--psnr 25] [--fitted 10]

Codes the first test images of DATA at a PSNR of at least so many dB: by MODEL as latents, by our profiles grid and fnet
(fits of the first `fitted` images, or none), and by lossy WebP and JPEG at their lowest sufficient quality; and without
loss as PNG, WebP and JPEG XL. Without loss there is also the latent with what remains of the picture, coded by the
adaptive binary coder under the contrast of the model's picture, which no command writes. One line for each: mean bytes
and mean PSNR, and how many of the images reach the target.
"""

import argparse
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

import fourcodec
from fourcodec import metrics
from fourcodec.bench.baselines import decode, jpeg, jxl, webp
from fourcodec.coding import binary_coder
from fourcodec.errors import TargetError
from fourcodec.generative.datasets import load_dataset
from fourcodec.generative.latent_codec import ITERATIONS, Coded, LatentCodec
from fourcodec.generative.model import load_model
from fourcodec.images.writing import saved

Row = tuple[int, float | None]  # bytes of a file; PSNR, None without loss
_ABOVE = (0, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.3, 1.6, 2)  # dB over the wanted PSNR
_CONTRASTS = np.array([2, 6, 16, 40, 90])


def plain(picture: np.ndarray) -> Image.Image:
    return Image.fromarray(picture[:, :, 0] if picture.shape[2] == 1 else picture)


def lossy(encode: Callable[[Image.Image, int], bytes], picture: np.ndarray, psnr_db: float) -> Row | None:
    """The smallest file of a codec at qualities 0 to 96 that reaches the PSNR."""
    found = []
    for quality in range(0, 100, 4):  # JPEG XL takes 100 for a wish without loss
        data = encode(plain(picture), quality)
        shown = decode(data)[:, :, : picture.shape[2]]
        if metrics.psnr_db(shown, picture) >= psnr_db:
            found.append((len(data), metrics.psnr_db(shown, picture)))
    return min(found, default=None)


def ours(picture: np.ndarray, profile: str, psnr_db: float) -> Row | None:
    """The file of a profile for the lowest target of several, since a small picture has no file at some."""
    for above in _ABOVE:
        try:
            encoded = fourcodec.encode(picture.squeeze(), profile=profile, target_psnr=psnr_db + above, effort=3)
        except TargetError:
            continue
        return encoded.size_bytes, encoded.psnr_db
    return None


def with_residual(codec: LatentCodec, picture: np.ndarray, coded: Coded) -> Row:
    """The picture without loss: the latent, and the differences under contexts of the contrast of the model's
    picture."""
    shown = codec.decode(coded.data).astype(np.int32)
    edges = [np.abs(np.diff(np.pad(shown, ((0, 1), (0, 0), (0, 0)), mode="edge"), axis=0))]
    edges.append(np.abs(np.diff(np.pad(shown, ((0, 0), (0, 1), (0, 0)), mode="edge"), axis=1)))
    contexts = np.searchsorted(_CONTRASTS, np.maximum(*edges)).astype(np.uint8)
    residual = binary_coder.encode((picture - shown).astype(np.int32).ravel(), contexts.ravel())
    return len(coded.data) + 4 + len(residual), None


def by_model(codec: LatentCodec, pictures: np.ndarray, psnr_db: float) -> dict[str, list[Row | None]]:
    """The rows of the model, by name."""
    found: dict[str, list[Row | None]] = {name: [] for name in ("whole", "latent", "usual", "exact")}
    for picture, latent in zip(pictures, codec.model.embed(pictures, ITERATIONS), strict=True):
        usual = codec.encode(picture, None, latent)
        found["usual"].append((len(usual.data), usual.psnr_db))
        found["exact"].append(with_residual(codec, picture, usual))
        try:
            coded = codec.encode(picture, psnr_db, latent)
        except TargetError:
            found["whole"].append(None)
            found["latent"].append(None)
            continue
        found["whole"].append((len(coded.data), coded.psnr_db))
        found["latent"].append((coded.latent_bytes, coded.psnr_db))
    return found


def line(name: str, rows: list[Row | None]) -> str:
    reached = [row for row in rows if row is not None]
    if not reached:
        return f"{name:44}no image reaches the target"
    sizes, values = [row[0] for row in reached], [row[1] for row in reached if row[1] is not None]
    quality = f"{np.mean(values):6.2f} dB" if values else " exact   "
    return f"{name:44}{np.mean(sizes):8.1f} bytes  {quality}  {len(reached)} of {len(rows)} images"


def jxl_lossless(picture: np.ndarray) -> bytes:
    import pillow_jxl  # noqa: F401

    buffer = io.BytesIO()
    plain(picture).save(buffer, "JXL", lossless=True, effort=9)
    return buffer.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("result", type=Path)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--fitted", type=int, default=10)
    parser.add_argument("--psnr", type=float, default=25.0)
    arguments = parser.parse_args()
    pictures = load_dataset(arguments.data).test[: arguments.count]
    codec, target = LatentCodec(load_model(arguments.model)), arguments.psnr
    lossy_codecs: dict[str, Callable[[Image.Image, int], bytes]] = {
        "WebP": webp,
        "JPEG": lambda image, quality: jpeg(image, quality, "4:4:4", False),
        "JPEG XL": jxl,
    }
    lossless_codecs: dict[str, Callable[[np.ndarray], bytes]] = {
        "PNG": lambda picture: saved(plain(picture), "PNG", optimize=True),
        "WebP, lossless": lambda picture: saved(plain(picture), "WEBP", lossless=True, quality=100, method=6),
        "JPEG XL, lossless": jxl_lossless,
    }
    own = by_model(codec, pictures, target)
    lines = [f"the first {len(pictures)} test images, at least {target:g} dB; model {codec.hash.hex()}"]
    lines.append(line("model, the whole file", own["whole"]))
    lines.append(line("model, its latent alone", own["latent"]))
    for name, encode in lossy_codecs.items():
        lines.append(line(name, [lossy(encode, picture, target) for picture in pictures]))
    lines.append(line("model at its default step", own["usual"]))
    for name, exact in lossless_codecs.items():
        lines.append(line(name, [(len(exact(picture)), None) for picture in pictures]))
    lines.append(line("model and residual, lossless (no command)", own["exact"]))
    print("\n".join(lines), flush=True)
    for profile in ("grid", "fnet") if arguments.fitted else ():
        rows = [ours(picture, profile, target) for picture in pictures[: arguments.fitted]]
        lines.append(line(f"{profile}, effort 3", rows))
        print(lines[-1], flush=True)
    arguments.result.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
