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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fourcodec import files
from fourcodec.errors import DatasetError, one_line

MAX_FILE_BYTES = 1 << 31  # all of CIFAR-10 is 0.2 GB: a file that claims more than this is damaged or hostile
_CIFAR_SIDE = 32
_CIFAR_BYTES = 3 * _CIFAR_SIDE**2
_NPY = ".npy"
_PIECE_BYTES = 1 << 20
_MAX_DIMENSIONS = 3
_UBYTE = 8  # idx: the code of unsigned bytes


class _Readable(Protocol):
    """A source of bytes that is read piece by piece."""

    def read(self, size_bytes: int, /) -> bytes:
        """At most so many bytes."""
        ...


def read_idx(path: Path) -> NDArray[np.uint8]:
    """The array uint8, of one to three dimensions, in an idx file of unsigned bytes (LeCun: the MNIST database).

    The header is read first: no more is unpacked than it announces.
    """
    files.check_regular(path)
    with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file, _damage_of(path, "gzip"):
        start = file.read(4)
        if len(start) < 4 or start[:3] != bytes([0, 0, _UBYTE]) or not 1 <= start[3] <= _MAX_DIMENSIONS:
            raise DatasetError(f"{str(path)!r} is not an idx file of bytes in one to {_MAX_DIMENSIONS} dimensions")
        sizes = file.read(4 * start[3])
        shape = tuple(int.from_bytes(sizes[at : at + 4], "big") for at in range(0, 4 * start[3], 4))
        announced = math.prod(shape)
        if announced > MAX_FILE_BYTES:
            raise DatasetError(f"{str(path)!r} unpacks to more than {MAX_FILE_BYTES} bytes")
        data = _read(file, announced + 1)
    if len(data) != announced or not announced:
        there = "more" if len(data) > announced else len(data)
        raise DatasetError(f"{str(path)!r} is damaged: {shape} bytes announced, {there} there")
    return np.frombuffer(data, np.uint8).reshape(shape)


def read_npz(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64] | None]:
    """Images uint8 (N, H, W, C) and, where the file has them, labels int64 (N,) of an .npz file."""
    files.check_regular(path)
    with path.open("rb") as file, _damage_of(path, ".npz"), zipfile.ZipFile(file) as archive:
        if f"images{_NPY}" not in archive.namelist():
            raise DatasetError(f"{str(path)!r} holds no array 'images'")
        images = _member(archive, "images")
        labels = _member(archive, "labels") if f"labels{_NPY}" in archive.namelist() else None
    images = images[..., None] if images.ndim == 3 else images
    if images.dtype != np.uint8 or images.ndim != 4:
        raise DatasetError(f"{str(path)!r}: images are uint8 (N, H, W, C), not {images.dtype} {images.shape}")
    if labels is not None and (labels.shape != images.shape[:1] or labels.dtype.kind not in "iu"):
        raise DatasetError(f"{str(path)!r}: {labels.shape} labels for {len(images)} images")
    return images, None if labels is None else labels.astype(np.int64)


def _member(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    """An array of an .npz file. Its shape is compared with its bytes before they are unpacked. Raises ValueError and
    whatever zipfile and numpy raise for damaged files."""
    entry = archive.getinfo(name + _NPY)
    with archive.open(entry) as file:
        version = np.lib.format.read_magic(file)  # type: ignore[no-untyped-call]
        readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        shape, is_fortran, dtype = readers[version](file)  # type: ignore[no-untyped-call]
        size_bytes = math.prod(shape) * dtype.itemsize
        if dtype.hasobject or file.tell() + size_bytes != entry.file_size or size_bytes > MAX_FILE_BYTES:
            raise ValueError(f"an array {dtype} {shape} in {entry.file_size} bytes")
        data = _read(file, size_bytes)
    return np.frombuffer(data, dtype).reshape(shape, order="F" if is_fortran else "C")


def read_batch(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images uint8 (N, 32, 32, 3) and labels int64 (N,) of a python batch of CIFAR-10.

    Such a file is a pickle of {'labels': a list of N small integers, 'data': a row-major array (N, 3072)}. The array's
    bytes are one string among the opcodes, so they can be found without executing any opcode.
    """
    refusal = DatasetError(f"{str(path)!r} is not a python batch of CIFAR-10")
    files.check_regular(path)
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
    except (ValueError, ArithmeticError, LookupError, TypeError) as exc:  # UnicodeError among them
        raise refusal from exc
    if not pixels or not row_major or len(pixels) != len(labels) * _CIFAR_BYTES:
        raise refusal
    planes = np.frombuffer(pixels, np.uint8).reshape(-1, 3, _CIFAR_SIDE, _CIFAR_SIDE)
    return np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), np.array(labels, np.int64)


def _read(file: _Readable, size_bytes: int) -> bytes:
    """At most so many bytes, piece by piece: a file may announce what it does not hold."""
    data = bytearray()
    while len(data) < size_bytes and (piece := file.read(min(_PIECE_BYTES, size_bytes - len(data)))):
        data += piece
    return bytes(data)


@contextmanager
def _damage_of(path: Path, kind: str) -> Iterator[None]:
    """Turns an error of a library that reads a file of this kind into a DatasetError."""
    try:
        yield
    except (DatasetError, MemoryError):
        raise
    # gzip, zipfile (with its methods deflate, bzip2 and lzma) and numpy have no error of their own for damaged files:
    # they raise whatever their code runs into.
    except Exception as exc:
        raise DatasetError(f"{str(path)!r} is not a sound {kind} file: {one_line(exc)}") from exc
