"""Makes the golden files of the current format version: python -m tests.golden.make

Each is a .fnc file and an .npz with the integers and pixels that it decodes to. Until format 1.0 they may be made
again, with a line in CHANGELOG.md that says why; after it, files of old versions are never touched.
"""

from pathlib import Path

import numpy as np

from fourcodec import codec, pixels
from fourcodec.bitstream import container
from fourcodec.bitstream.container import Header, Section
from fourcodec.fitting import FitSettings, fit
from fourcodec.profiles import fnet

FOLDER = Path(__file__).parent / f"v{container.FORMAT_MAJOR}.{container.FORMAT_MINOR}"


def picture(height: int, width: int, channels: int) -> np.ndarray:
    """Waves and an edge: uint8 (H, W, C)."""
    rows, columns = np.mgrid[0:height, 0:width]
    planes = [
        127 + 100 * np.sin(rows / 5 + channel) * np.cos(columns / (4 + channel)) * (rows > columns / 3)
        for channel in range(channels)
    ]
    return np.stack(planes, axis=-1).astype(np.uint8)


def write(name: str, data: bytes) -> None:
    header, sections = container.read(data)
    network = fnet.unpack(header, sections)
    (FOLDER / f"{name}.fnc").write_bytes(data)
    np.savez_compressed(
        FOLDER / f"{name}.npz",
        symbols=network.symbols,
        step_indices=network.step_indices,
        pixels=codec.decode(data),
    )


def made(image: np.ndarray, width: int, depth: int, coder: int, **fields: int) -> bytes:
    planes = pixels.to_planes(image)
    config = fnet.FnetConfig(width, depth, planes.shape[0])
    network = fit(planes, config, FitSettings(300, batch_pixels=768), seed=0, device="cpu", report=None)
    values = fnet.plain_integers(network)
    payload = fnet.encode_range(values, config.shape) if coder == container.CODER_RANGE else fnet.encode_planes(values)
    header = Header(image.shape[1], image.shape[0], planes.shape[0], fnet.PROFILE_ID, (width, depth), **fields)
    return container.write(header, [Section(fnet.NETWORK, coder, payload)])


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    write("rgb-range", made(picture(16, 24, 3), 4, 3, container.CODER_RANGE))
    write("rgb-zstd", made(picture(16, 24, 3), 4, 3, container.CODER_ZSTD))
    write("grey-wide", made(picture(9, 61, 1), 3, 5, container.CODER_RANGE))
    write("one-pixel", made(picture(1, 1, 3), 1, 1, container.CODER_RANGE))
    write("index-sigmoid", made(picture(28, 20, 1), 5, 2, container.CODER_RANGE, coordinates=1, activation=1))


if __name__ == "__main__":
    main()
