"""The files of MNIST and CIFAR-10 -> arrays. Nothing in a file is executed: no pickle is loaded.

    read_idx     MNIST's idx format, plain or gzipped
    read_npz     images (N, H, W, C) or (N, H, W) and labels (N,) of an .npz file
    read_batch   a python batch of CIFAR-10: a pickle, whose opcodes are read as data

Each raises OSError where a file cannot be opened, and DatasetError where it is damaged or of another format.
"""

from __future__ import annotations

import gzip
import io
import math
import pickletools
import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fourcodec import files
from fourcodec.errors import DatasetError

MAX_FILE_BYTES = 1 << 31  # all of CIFAR-10 is 0.2 GB: a file that claims more than this is damaged or hostile
_CIFAR_SIDE = 32
_CIFAR_BYTES = 3 * _CIFAR_SIDE**2
_UBYTE = 8  # idx: the code of unsigned bytes


def read_idx(path: Path) -> NDArray[np.uint8]:
    """The array uint8, of any number of dimensions, in an idx file of unsigned bytes (LeCun: the MNIST database)."""
    data = _unzipped(path) if path.suffix == ".gz" else files.read(path, MAX_FILE_BYTES)
    if len(data) < 4 or data[:3] != bytes([0, 0, _UBYTE]):
        raise DatasetError(f"{str(path)!r} is not an idx file of bytes")
    start = 4 + 4 * data[3]
    shape = tuple(int.from_bytes(data[at : at + 4], "big") for at in range(4, start, 4))
    if math.prod(shape) != len(data) - start:
        raise DatasetError(f"{str(path)!r} is damaged: {shape} bytes announced, {len(data) - start} there")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def read_npz(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64] | None]:
    """Images uint8 (N, H, W, C) and, where the file has them, labels int64 (N,) of an .npz file."""
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_FILE_BYTES:
                raise DatasetError(f"{str(path)!r} unpacks to more than {MAX_FILE_BYTES} bytes")
        with np.load(path, allow_pickle=False) as arrays:
            images = arrays["images"]
            labels = arrays["labels"] if "labels" in arrays.files else None
    except KeyError as exc:
        raise DatasetError(f"{str(path)!r} holds no array 'images'") from exc
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error) as exc:
        raise DatasetError(f"{str(path)!r} is not a sound .npz file") from exc
    images = images[..., None] if images.ndim == 3 else images
    if images.dtype != np.uint8 or images.ndim != 4:
        raise DatasetError(f"{str(path)!r}: images are uint8 (N, H, W, C), not {images.dtype} {images.shape}")
    if labels is not None and (labels.shape != images.shape[:1] or labels.dtype.kind not in "iu"):
        raise DatasetError(f"{str(path)!r}: {labels.shape} labels for {len(images)} images")
    return images, None if labels is None else labels.astype(np.int64)


def read_batch(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images uint8 (N, 32, 32, 3) and labels int64 (N,) of a python batch of CIFAR-10.

    Such a file is a pickle of {'labels': a list of N small integers, 'data': a row-major array (N, 3072)}. The array's
    bytes are one string among the opcodes, so they can be found without executing any opcode.
    """
    refusal = DatasetError(f"{str(path)!r} is not a python batch of CIFAR-10")
    pixels, labels, key, before, row_major = b"", list[int](), "", "", True
    try:
        for opcode, argument, _ in pickletools.genops(io.BytesIO(files.read(path, MAX_FILE_BYTES))):
            if "STRING" in opcode.name or opcode.name.endswith(("BINBYTES", "BINUNICODE")):
                text = argument if isinstance(argument, bytes) else str(argument).encode("latin-1")
                if len(text) >= _CIFAR_BYTES:
                    pixels, row_major = text, before == "NEWFALSE"  # numpy's flag for column-major order precedes
                else:
                    key = text.decode("latin-1")
            elif opcode.name.startswith("BININT") and key == "labels":
                labels.append(int(argument or 0))
            before = opcode.name
    except ValueError as exc:  # UnicodeError among them
        raise refusal from exc
    if not pixels or not row_major or len(pixels) != len(labels) * _CIFAR_BYTES:
        raise refusal
    planes = np.frombuffer(pixels, np.uint8).reshape(-1, 3, _CIFAR_SIDE, _CIFAR_SIDE)
    return np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), np.array(labels, np.int64)


def _unzipped(path: Path) -> bytes:
    try:
        with gzip.open(path, "rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as exc:
        raise DatasetError(f"{str(path)!r} is not a sound gzip file") from exc
    if len(data) > MAX_FILE_BYTES:
        raise DatasetError(f"{str(path)!r} unpacks to more than {MAX_FILE_BYTES} bytes")
    return data
