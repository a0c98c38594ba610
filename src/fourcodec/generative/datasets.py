"""Datasets of equally sized images, in two disjoint parts: training and test images.

    MNIST       the four idx files, gzipped or not, with MNIST's own test part; also in MNIST/raw
    CIFAR-10    *.npz files, of which those with "test" in their names are the test part; or the six python batches
    pictures    a folder of pictures of one size, or a single .npz file; a tenth, chosen by hashes, is the test part

All images are held in memory.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fourcodec import images
from fourcodec.arrays import Images
from fourcodec.errors import ConfigError, DatasetError, FourcodecError
from fourcodec.generative.config import checked_shape
from fourcodec.generative.dataset_files import read_batch, read_idx, read_npz

Labels = NDArray[np.int64]  # (N,)
Part = tuple[Images, Labels | None]

EXTENSIONS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".qoi")
MAX_BYTES = 1 << 32  # for all images together, since they are held in memory
MAX_CLASSES = 1 << 16
_TEST_SHARE = 0.1
# Where the files are in a folder as tools unpack them: of torchvision, and of the archive of CIFAR-10.
_USUAL_FOLDERS = ("MNIST/raw", "raw", "cifar-10-batches-py")


@dataclass(frozen=True)
class Dataset:
    """Images uint8 (N, H, W, C) and labels int64 (N,) of the two parts; labels are None where the files have none.

    Raises DatasetError where a part is empty, the two differ in size, or images or labels are out of range.
    """

    name: str
    train: Images
    test: Images
    train_labels: Labels | None
    test_labels: Labels | None
    content_hash: str  # SHA-256, hexadecimal, over the shapes and bytes of both parts and their labels

    def __post_init__(self) -> None:
        if not len(self.train) or not len(self.test):
            count = len(self.train) + len(self.test)
            raise DatasetError(f"{self.name!r} has {count} images: too few for a training and a test part")
        if self.train.shape[1:] != self.test.shape[1:]:
            sizes = [describe(part.shape[1:]) for part in (self.train, self.test)]
            raise DatasetError(f"{self.name!r}: training images are {sizes[0]}, test images {sizes[1]}")
        try:
            checked_shape(self.image_shape)
        except ConfigError as exc:
            raise DatasetError(f"{self.name!r}: {exc}") from exc
        for labels in (self.train_labels, self.test_labels):
            if labels is not None and not 0 <= labels.min() <= labels.max() < MAX_CLASSES:
                raise DatasetError(f"{self.name!r}: labels are 0 to {MAX_CLASSES - 1}")

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """The shape (H, W, C) of every image."""
        height, width, channels = self.train.shape[1:]
        return height, width, channels


def load_dataset(path: Path) -> Dataset:
    """The dataset in a folder or .npz file. Raises OSError, and DatasetError with a message of one line."""
    parts = _read_parts(path)
    name = path.stem if path.is_file() else path.resolve().name
    return _split(name, *parts[0]) if len(parts) == 1 else _of_parts(name, *parts)


def load_first(path: Path, count: int) -> Images:
    """The first `count` images, uint8 (N, H, W, C): of the test part where the files define one, else of all images.

    Raises the errors of load_dataset."""
    images, _ = _read_parts(path, count)[-1]
    if not len(images):
        raise DatasetError(f"{str(path)!r} holds no images")
    return images[:count]


def _read_parts(path: Path, count: int | None = None) -> list[Part]:
    """Training and test part, or a single part where the files define no test part.

    Of a folder of pictures only the first `count` are read."""
    if path.is_file() and path.suffix == ".npz":
        return [read_npz(path)]
    if not path.is_dir():
        what = "neither a folder nor an .npz file" if path.exists() else "no such folder"
        raise DatasetError(f"{str(path)!r}: {what}")
    places = (path, *(path / name for name in _USUAL_FOLDERS))
    parts = next(filter(None, map(_known_parts, places)), None) or _picture_parts(path, count)
    if not parts:
        raise DatasetError(f"{str(path)!r} holds neither MNIST, nor CIFAR-10, nor pictures ({', '.join(EXTENSIONS)})")
    return parts


def _known_parts(folder: Path) -> list[Part]:
    """The parts of MNIST, of .npz files or of CIFAR-10 in a folder; none where there is nothing of these."""
    return _mnist_parts(folder) or _npz_parts(folder) or _batch_parts(folder)


def _mnist_parts(folder: Path) -> list[Part]:
    parts: list[Part] = []
    for part in ("train", "t10k"):
        paths = [_mnist_file(folder, part, *what) for what in (("images", "idx3"), ("labels", "idx1"))]
        if paths[0] is None:
            if not parts:
                return []
            raise DatasetError(f"{str(folder)!r} has MNIST's training images but not {part}-images-idx3-ubyte[.gz]")
        pixels = read_idx(paths[0])
        labels = None if paths[1] is None else read_idx(paths[1]).astype(np.int64)
        if pixels.ndim != 3 or (labels is not None and labels.shape != pixels.shape[:1]):
            raise DatasetError(f"{str(paths[0])!r}: images are (N, H, W) with a label each, not {pixels.shape}")
        parts.append((pixels[..., None], labels))
    return parts


def _npz_parts(folder: Path) -> list[Part]:
    paths = sorted(folder.glob("*.npz"))
    test = [path for path in paths if "test" in path.stem]
    train = [path for path in paths if path not in test]
    groups = [train, test] if train and test else [paths] if paths else []
    return [_joined(group, [read_npz(path) for path in group]) for group in groups]


def _batch_parts(folder: Path) -> list[Part]:
    train, test = sorted(folder.glob("data_batch_[1-9]")), folder / "test_batch"
    if not train and not test.exists():
        return []
    if not train or not test.exists():
        raise DatasetError(f"{str(folder)!r} lacks {'test_batch' if train else 'data_batch_1'}")
    return [_joined(train, [read_batch(path) for path in train]), read_batch(test)]


def _picture_parts(folder: Path, count: int | None) -> list[Part]:
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in EXTENSIONS and path.is_file())[:count]
    pictures: list[NDArray[np.uint8]] = []
    for path in paths:
        pictures.append(load_picture(path))
        if pictures[-1].shape != pictures[0].shape:
            sizes = describe(pictures[0].shape), describe(pictures[-1].shape)
            raise DatasetError(
                f"images of one size are needed: {str(paths[0])!r} is {sizes[0]}, {str(path)!r} is {sizes[1]}"
            )
        if len(paths) * pictures[0].size > MAX_BYTES:
            size = describe(pictures[0].shape)
            raise DatasetError(f"{str(folder)!r}: {len(paths)} images of {size} are more than {MAX_BYTES} bytes")
    return [(np.stack(pictures), None)] if pictures else []


def load_picture(path: Path) -> NDArray[np.uint8]:
    """A picture file as uint8 (H, W, C), 16-bit samples rounded. Raises OSError, and DatasetError where it is no
    picture or a damaged one."""
    try:
        pixels = images.load(path).pixels
    except FourcodecError as exc:
        raise DatasetError(f"{str(path)!r}: {exc}") from exc
    pixels = images.to_eight_bits(pixels) if pixels.dtype == np.uint16 else pixels
    return pixels[..., None] if pixels.ndim == 2 else pixels


def _mnist_file(folder: Path, part: str, what: str, kind: str) -> Path | None:
    """A file of MNIST by its name, with a hyphen or, as some programs unpack it, a dot in it, gzipped or not."""
    names = [f"{part}-{what}{sign}{kind}-ubyte{suffix}" for sign in "-." for suffix in ("", ".gz")]
    return next((folder / name for name in names if (folder / name).exists()), None)


def _joined(paths: list[Path], parts: list[Part]) -> Part:
    for path, (pixels, _) in zip(paths, parts, strict=True):
        if pixels.shape[1:] != parts[0][0].shape[1:]:
            sizes = describe(parts[0][0].shape[1:]), describe(pixels.shape[1:])
            raise DatasetError(f"images of {str(paths[0])!r} are {sizes[0]}, of {str(path)!r} {sizes[1]}")
    labels = [part[1] for part in parts if part[1] is not None]
    whole = np.concatenate(labels) if len(labels) == len(parts) else None
    return np.concatenate([pixels for pixels, _ in parts]), whole


def _split(name: str, pixels: Images, labels: Labels | None) -> Dataset:
    """A dataset whose test part is chosen by each image's hash.

    Copies of an image are always in the same part, and adding or removing images does not move the others."""
    bound = int(_TEST_SHARE * 2**64)
    digests = (hashlib.sha256(np.ascontiguousarray(image).data).digest() for image in pixels)
    test = np.array([int.from_bytes(digest[:8], "big") < bound for digest in digests], bool)
    parts = [(pixels[chosen], None if labels is None else labels[chosen]) for chosen in (~test, test)]
    return _of_parts(name, *parts)


def _of_parts(name: str, *parts: Part) -> Dataset:
    (train, train_labels), (test, test_labels) = parts
    digest = hashlib.sha256()
    for array in (train, test, train_labels, test_labels):
        if array is not None:
            digest.update(repr((array.shape, array.dtype.str)).encode())
            digest.update(np.ascontiguousarray(array).data)
    return Dataset(name, train, test, train_labels, test_labels, digest.hexdigest())


def describe(shape: tuple[int, ...]) -> str:
    """The size of images of shape (H, W, C), in words for the user."""
    height, width, channels = shape
    return f"{width} x {height} {'grey' if channels == 1 else 'colour'}"
