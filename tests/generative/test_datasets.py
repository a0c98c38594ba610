"""What a data set on disk becomes, and how bad ones are refused."""

import gzip
import io
import os
import pickle
import struct
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from fourcodec.errors import DatasetError
from fourcodec.generative.dataset_files import read_idx, read_npz
from fourcodec.generative.datasets import load_dataset, load_first
from tests.support import sets


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def write_mnist(folder: Path, zipped: bool) -> dict[str, np.ndarray]:
    random, arrays = np.random.default_rng(0), {}
    for part, count in (("train", 7), ("t10k", 3)):
        arrays[f"{part}-images-idx3-ubyte"] = random.integers(0, 256, (count, 5, 4), dtype=np.uint8)
        arrays[f"{part}-labels-idx1-ubyte"] = random.integers(0, 10, count, dtype=np.uint8)
    for name, array in arrays.items():
        data = gzip.compress(idx(array)) if zipped else idx(array)
        (folder / (name + ".gz" * zipped)).write_bytes(data)
    return arrays


def batch_of_python_two(pixels: np.ndarray, labels: list[int], column_major: bool = False) -> bytes:
    """What Python 2's cPickle wrote: {'labels': [...], 'data': array}, strings of bytes as such."""
    items = b"".join(b"K" + bytes([label]) for label in labels)
    array = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tU\x01btR(K\x01K" + bytes([len(pixels)])
    array += b"M\x00\x0c\x86cnumpy\ndtype\n(U\x02u1K\x00K\x01tR" + (b"\x88" if column_major else b"\x89")
    array += b"T" + struct.pack("<I", pixels.size) + pixels.tobytes() + b"tb"
    return b"\x80\x02}(U\x06labels](" + items + b"eU\x04data" + array + b"u."


@pytest.mark.parametrize("zipped", [False, True])
def test_mnist_files_keep_their_own_parts(zipped: bool, tmp_path: Path) -> None:
    arrays = write_mnist(tmp_path, zipped)
    data = load_dataset(tmp_path)
    assert np.array_equal(data.train[..., 0], arrays["train-images-idx3-ubyte"])
    assert np.array_equal(data.test[..., 0], arrays["t10k-images-idx3-ubyte"])
    assert np.array_equal(data.train_labels, arrays["train-labels-idx1-ubyte"])
    assert data.name == tmp_path.name


def test_the_first_images_are_those_of_a_test_part_where_there_is_one_else_of_all(tmp_path: Path) -> None:
    images = sets.discs(9)
    assert np.array_equal(load_first(sets.write_npz(tmp_path / "all.npz", images), 4), images[:4])
    (tmp_path / "parts").mkdir()
    for name, part in (("train", slice(0, 6)), ("test", slice(6, 9))):
        sets.write_npz(tmp_path / "parts" / f"{name}.npz", images[part])
    assert np.array_equal(load_first(tmp_path / "parts", 2), images[6:8])
    pictures = sets.write_pictures(tmp_path / "pictures", images)
    (pictures / "005.png").write_bytes(b"damaged, but not among the first")
    assert np.array_equal(load_first(pictures, 5), images[:5])
    with pytest.raises(DatasetError, match=r"005\.png"):
        load_first(pictures, 6)


def test_npz_files_with_test_in_their_names_are_the_test_part(tmp_path: Path) -> None:
    images = sets.discs(9)
    for name, part in (("train_0", slice(0, 4)), ("train_1", slice(4, 7)), ("test", slice(7, 9))):
        np.savez(tmp_path / f"{name}.npz", images=images[part], labels=np.arange(9, dtype=np.uint8)[part])
    data = load_dataset(tmp_path)
    assert np.array_equal(data.train, images[:7])
    assert np.array_equal(data.test, images[7:])
    assert data.test_labels is not None
    assert data.test_labels.tolist() == [7, 8]


def test_python_batches_are_read_without_running_them(tmp_path: Path) -> None:
    planes = np.random.default_rng(0).integers(0, 256, (3, 3, 32, 32), dtype=np.uint8)
    for name in ("data_batch_1", "data_batch_2", "test_batch"):
        (tmp_path / name).write_bytes(batch_of_python_two(planes, [4, 0, 9]))
    data = load_dataset(tmp_path)
    assert data.train.shape == (6, 32, 32, 3)
    assert np.array_equal(data.test.transpose(0, 3, 1, 2), planes)
    assert data.test_labels is not None
    assert data.test_labels.tolist() == [4, 0, 9]


class Attack:
    """Unpickling it writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("column_major", [False, True])
def test_a_hostile_or_strange_batch_is_refused_and_not_run(column_major: bool, tmp_path: Path) -> None:
    planes = np.zeros((1, 3, 32, 32), np.uint8)
    strange = batch_of_python_two(planes, [1], column_major=True)
    hostile = pickle.dumps({"labels": [1], "data": Attack(tmp_path / "harm")})
    (tmp_path / "data_batch_1").write_bytes(strange if column_major else hostile)
    (tmp_path / "test_batch").write_bytes(batch_of_python_two(planes, [1]))
    with pytest.raises(DatasetError, match="data_batch_1"):
        load_dataset(tmp_path)
    assert not (tmp_path / "harm").exists()


def test_a_folder_is_split_by_the_images_hashes(tmp_path: Path) -> None:
    images = sets.discs(60)
    data = load_dataset(sets.write_pictures(tmp_path / "all", images))
    fewer = load_dataset(sets.write_pictures(tmp_path / "fewer", images[:40]))
    assert len(data.train) + len(data.test) == 60
    assert 1 <= len(data.test) <= 15
    test = {image.tobytes() for image in data.test}
    assert not test & {image.tobytes() for image in data.train}
    assert {image.tobytes() for image in fewer.test} <= test
    assert data.content_hash != fewer.content_hash


def test_mixed_sizes_name_the_two_files(tmp_path: Path) -> None:
    folder = sets.write_pictures(tmp_path / "mixed", sets.discs(3))
    sets.Image.new("RGB", (9, 9)).save(folder / "zebra.png")
    with pytest.raises(DatasetError, match=r"000\.png' is 12 x 8 colour, .*zebra\.png' is 9 x 9 colour"):
        load_dataset(folder)


def test_bad_sets_are_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "noise").mkdir()
    (tmp_path / "noise" / "a.png").write_bytes(b"no picture")
    (tmp_path / "cut").mkdir()
    write_mnist(tmp_path / "cut", zipped=False)
    images = tmp_path / "cut" / "t10k-images-idx3-ubyte"
    images.write_bytes(images.read_bytes()[:-1])
    (tmp_path / "bad.npz").write_bytes(b"PK no zip")
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    sets.write_pictures(tmp_path / "few", sets.discs(1))
    for name, message in {
        "missing": "no such folder",
        "empty": "holds neither",
        "noise": "a.png",
        "cut": "damaged",
        "bad.npz": "not a sound",
        "other.npz": "no array 'images'",
        "few": "too few",
    }.items():
        with pytest.raises(DatasetError, match=message) as caught:
            load_dataset(tmp_path / name)
        assert "\n" not in str(caught.value)


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def zipped(name: str = "images.npy", data: bytes | None = None, method: int = zipfile.ZIP_STORED) -> bytearray:
    """An .npz file with one member."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr(name, npy(sets.discs(3)) if data is None else data)
    return bytearray(buffer.getvalue())


def with_flags(data: bytearray, offset: int, value: int) -> bytearray:
    """The file with a field of both headers of its member changed: flags at 6, the method at 8."""
    for start, more in ((b"PK\3\4", 0), (b"PK\1\2", 2)):
        struct.pack_into("<H", data, data.index(start) + offset + more, value)
    return data


def damaged(method: int) -> bytearray:
    data = zipped(method=method)
    data[60:90] = bytes(30)
    return data


def huge() -> bytes:
    header = "{'descr': '|u1', 'fortran_order': False, 'shape': (1099511627776, 8, 8, 1), }".ljust(117) + "\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header.encode()


HOSTILE_NPZ = {
    "no npy": zipped("images"),
    "not numpy's": zipped(data=b"hello"),
    "encrypted": with_flags(zipped(), 6, 1),
    "unknown method": with_flags(zipped(), 8, 77),
    "deflate": damaged(zipfile.ZIP_DEFLATED),
    "lzma": damaged(zipfile.ZIP_LZMA),
    "bzip2": damaged(zipfile.ZIP_BZIP2),
    "2^40 images": zipped(data=huge()),
    "nested header": zipped(data=b"\x93NUMPY\1\0" + struct.pack("<H", 9000) + b"(" * 9000),
    "objects": zipped(data=npy(np.array([None, {}], dtype=object))),
    "no images": zipped(data=npy(np.zeros((0, 8, 8, 1), np.uint8))),
    "no rows": zipped(data=npy(np.zeros((5, 0, 8, 1), np.uint8))),
    "many channels": zipped(data=npy(np.zeros((50, 2, 2, 9), np.uint8))),
    "opacity": zipped(data=npy(np.zeros((50, 2, 2, 4), np.uint8))),
}


@pytest.mark.parametrize("name", HOSTILE_NPZ)
def test_a_hostile_npz_file_is_one_line(name: str, tmp_path: Path) -> None:
    path = tmp_path / "set.npz"
    path.write_bytes(HOSTILE_NPZ[name])
    with pytest.raises(DatasetError) as caught:
        load_dataset(path)
    assert "set" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_there_is_no_first_of_no_images(tmp_path: Path) -> None:
    (tmp_path / "set.npz").write_bytes(HOSTILE_NPZ["no images"])
    with pytest.raises(DatasetError, match="holds no images"):
        load_first(tmp_path / "set.npz", 3)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_sound_npz_file_is_read(method: int, order: str, tmp_path: Path) -> None:
    images = np.array(sets.discs(3), order=order)  # type: ignore[call-overload]
    (tmp_path / "set.npz").write_bytes(zipped(data=npy(images), method=method))
    np.testing.assert_array_equal(read_npz(tmp_path / "set.npz")[0], images)


@pytest.mark.parametrize(
    "shape", [(0, 2**32 - 1, 2**32 - 1), (2**32 - 1,) * 3, (1,) * 70, (), (2, 0), (2**16, 2**16)], ids=str
)
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_a_hostile_idx_file_is_one_line(shape: tuple[int, ...], suffix: str, tmp_path: Path) -> None:
    data = bytes([0, 0, 8, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + b"x" * 4
    path = tmp_path / f"images{suffix}"
    path.write_bytes(gzip.compress(data) if suffix else data)
    with pytest.raises(DatasetError, match="images"):
        read_idx(path)


def test_no_more_is_unpacked_than_a_header_announces(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.gz"
    bomb.write_bytes(gzip.compress(bytes([0, 0, 8, 1, 0, 0, 0, 9]) + bytes(1 << 26), 1))
    no_idx = tmp_path / "zeros.gz"
    no_idx.write_bytes(gzip.compress(bytes(1 << 26), 1))
    tracemalloc.start()
    for path in (bomb, no_idx):
        with pytest.raises(DatasetError, match=r"damaged|not an idx file"):
            read_idx(path)
    assert tracemalloc.get_traced_memory()[1] < 1 << 22
    tracemalloc.stop()


def test_a_damaged_gzip_file_is_one_line(tmp_path: Path) -> None:
    data = gzip.compress(idx(sets.discs(3)[..., 0]))
    for number, bad in enumerate((data[:-9], data[:30] + b"damage" + data[36:], b"\x1f\x8b", b"")):
        (tmp_path / f"{number}.gz").write_bytes(bad)
        with pytest.raises(DatasetError, match=f"{number}.gz"):
            read_idx(tmp_path / f"{number}.gz")


def test_labels_out_of_range_are_refused(tmp_path: Path) -> None:
    for labels in (np.full(60, -1), np.full(60, 10**12), np.full(60, 2**63, np.uint64)):
        np.savez(tmp_path / "set.npz", images=sets.discs(60), labels=labels)
        with pytest.raises(DatasetError, match="labels are 0 to 65535"):
            load_dataset(tmp_path / "set.npz")


@pytest.mark.skipif(os.name != "posix", reason="FIFOs as on POSIX")
@pytest.mark.parametrize("name", ["train-images-idx3-ubyte", "a.npz", "data_batch_1"])
def test_a_fifo_in_a_set_is_not_waited_for(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / name)
    (tmp_path / "test_batch").touch()
    with pytest.raises(OSError, match="not a regular file"):
        load_dataset(tmp_path)


@pytest.mark.parametrize("below", ["", "MNIST/raw", "raw"])
@pytest.mark.parametrize("sign", "-.")
def test_mnist_is_found_by_its_usual_names_and_folders(below: str, sign: str, tmp_path: Path) -> None:
    folder = tmp_path / below
    folder.mkdir(parents=True, exist_ok=True)
    arrays = write_mnist(folder, zipped=False)
    for name in arrays:
        (folder / name).rename(folder / name.replace("-idx", f"{sign}idx"))
    np.testing.assert_array_equal(load_dataset(tmp_path).train[..., 0], arrays["train-images-idx3-ubyte"])


def test_cifar_10_is_found_in_its_usual_folder(tmp_path: Path) -> None:
    (tmp_path / "cifar-10-batches-py").mkdir()
    planes = np.random.default_rng(0).integers(0, 256, (1, 3, 32, 32), np.uint8)
    for name in ("data_batch_1", "test_batch"):
        (tmp_path / "cifar-10-batches-py" / name).write_bytes(batch_of_python_two(planes, [1]))
    np.testing.assert_array_equal(load_dataset(tmp_path).test, planes.transpose(0, 2, 3, 1))


def test_pictures_of_sixteen_bits_are_rounded_to_eight(tmp_path: Path) -> None:
    folder = sets.write_pictures(tmp_path / "deep", np.full((2, 8, 12), 257 * 7, np.uint16))
    assert np.unique(load_first(folder, 2)).tolist() == [7]
