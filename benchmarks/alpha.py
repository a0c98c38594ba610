"""The cost of transparency: alpha as a section of its own, alpha fitted like an image, and hidden colours.

    python -m benchmarks.alpha > benchmarks/results/alpha.tsv

Masks of several kinds over a photograph of 384 x 256 pixels that ships with scikit-image. `section`: bytes of the whole
alpha channel, without loss. `fitted`: bytes of the same channel coded as a grey image at the default quality, with its
largest error where alpha is 0 or 255 (a halo). The other columns: bytes of the colours, and their PSNR where alpha is
above 0, with transparent pixels as they come, black, and free to become anything, which is what fourcodec does.
"""

import numpy as np
import skimage.data
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from benchmarks.tables import show
from fourcodec import codec, metrics

SIZE = 384, 256
ITERATIONS = 450
Pixels = NDArray[np.uint8]


def masks() -> dict[str, Pixels]:
    """Alpha channels (height, width) by name."""
    text = Image.new("L", SIZE, 0)
    draw = ImageDraw.Draw(text)
    for line in range(5):
        draw.text((10 + 7 * line, 10 + 48 * line), "The quick brown fox", fill=255, font=ImageFont.load_default(40))
    disc = Image.new("L", (4 * SIZE[0], 4 * SIZE[1]), 0)
    ImageDraw.Draw(disc).ellipse((200, 80, 1300, 940), fill=255)
    binary = disc.resize(SIZE, Image.Resampling.NEAREST)
    smooth = disc.resize(SIZE, Image.Resampling.BOX)
    shadow = binary.filter(ImageFilter.GaussianBlur(15))
    named = {"disc, binary": binary, "disc, antialiased": smooth, "text, antialiased": text, "soft shadow": shadow}
    return {name: np.asarray(mask) for name, mask in named.items()}


def colours_of(photo: Pixels, alpha: Pixels, hidden: str) -> tuple[int, float]:
    """Bytes of a file without alpha's section, and PSNR in dB where alpha is above 0."""
    shown = np.dstack([np.where(alpha[:, :, None] > 0, photo, 0) if hidden == "black" else photo, alpha])
    encoded = codec.encode(shown if hidden == "free" else shown[:, :, :3], iterations=ITERATIONS, device="cpu")
    copy = codec.decode(encoded.data)[:, :, :3]
    return encoded.size_bytes - encoded.alpha_bytes, metrics.psnr_db(shown, np.dstack([copy, alpha]))


def main() -> None:
    photo: Pixels = skimage.data.coffee()[: SIZE[1], : SIZE[0]]
    print("mask\tvisible\tsection\tfitted\tlargest error at 0 and 255\tas they come\tdB\tblack\tdB\tfree\tdB")
    for name, alpha in masks().items():
        fitted = codec.encode(alpha, iterations=ITERATIONS, device="cpu")
        errors = np.abs(codec.decode(fitted.data).astype(int) - alpha)[(alpha == 0) | (alpha == 255)]
        section = codec.alpha.write(alpha).size_bytes
        coded = [colours_of(photo, alpha, hidden) for hidden in ("as", "black", "free")]
        numbers = [number for size_bytes, db in coded for number in (size_bytes, f"{db:.2f}")]
        show(name, f"{(alpha > 0).mean():.0%}", section, fitted.size_bytes, errors.max(), *numbers)


if __name__ == "__main__":
    main()
