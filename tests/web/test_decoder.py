"""The decoder in JavaScript against the one in Python."""

import hashlib
import warnings
from contextlib import suppress
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import skimage.data
import zstandard
from numpy.typing import NDArray

from fourcodec import codec, limits
from fourcodec.bitstream import alpha, container, metadata, varint
from fourcodec.bitstream.container import CODER_ZSTD, Section
from fourcodec.errors import FourcodecError
from fourcodec.fnc import File
from fourcodec.grid.weights import UNUSED
from tests.fuzz.mutation import mutate
from tests.golden.make import FILES, FOLDER
from tests.support.damage import flips, truncations
from tests.support.node import FOLDER as WEB
from tests.support.node import answers, under_node

GOLDEN = [FOLDER / f"{name}.fnc" for name in FILES]
SIZES = [("whole", 1 << 20), ("loading", 5)]  # of the pieces in which a file comes
SMALL = {"pixels": 1 << 14, "work": 1 << 28}  # limits under which the worst file takes a moment
LENIENT = "a zstd frame is damaged"  # in ways that libzstd may not notice, see FORMAT.md
in_both_ways = pytest.mark.parametrize("fast", [False, True], ids=["plain", "webassembly"])


def sha(values: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(values, dtype="<i4").tobytes()).hexdigest()


def integers(data: bytes) -> dict[str, Any]:
    """Hashes of what Python decodes, as decode_cli.mjs names them."""
    file = File(data)
    found = file.integers
    if file.header.profile == 1:
        return {"stepIndices": sha(found.step_indices), "symbols": sha(found.symbols)}
    tiles = [[sha(level) for level in found.tiles[number]] for number in sorted(found.tiles)]
    stored = found.networks.symbols[found.config.shape.groups != UNUSED]
    return {"exponents": sha(found.networks.exponents), "symbols": sha(stored), "tiles": tiles}


def samples(answer: dict[str, Any], raw: Path) -> np.ndarray:
    """The samples (H, W, channels) that decode_cli.mjs wrote."""
    kind = "<u1" if answer["depth"] == 8 else "<u2"
    return np.frombuffer(raw.read_bytes(), kind).reshape(answer["height"], answer["width"], answer["channels"])


def assert_near(found: np.ndarray, wanted: np.ndarray) -> None:
    wanted = wanted.reshape(found.shape)
    assert found.dtype == wanted.dtype
    assert np.abs(found.astype(int) - wanted).max() <= (1 if found.dtype == np.uint8 else 257)


def written(folder: Path, files: list[bytes]) -> list[dict[str, Any]]:
    """Tasks for files with this content."""
    tasks = []
    for number, data in enumerate(files):
        path = folder / f"{number}.fnc"
        path.write_bytes(data)
        tasks.append({"file": str(path), "raw": str(path.with_suffix(".raw"))})
    return tasks


@under_node
@in_both_ways
def test_integers_of_every_golden_file_are_equal(fast: bool) -> None:
    found = answers([{"file": str(path), "symbols": True} for path in GOLDEN], fast=fast)
    for path, answer in zip(GOLDEN, found, strict=True):
        wanted = integers(path.read_bytes())
        assert {name: answer.get(name) for name in wanted} == wanted, (path.stem, answer.get("error"))


@under_node
@in_both_ways
def test_pixels_of_every_golden_file_are_within_one_and_metadata_equal(fast: bool, tmp_path: Path) -> None:
    tasks = [{"file": str(path), "raw": str(tmp_path / path.stem)} for path in GOLDEN]
    for path, answer in zip(GOLDEN, answers(tasks, fast=fast), strict=True):
        data = path.read_bytes()
        picture, wanted = samples(answer, tmp_path / path.stem), codec.decode(data)
        assert_near(picture, wanted)
        if container.read(data)[0].has_alpha:
            assert np.array_equal(picture[:, :, -1], wanted[:, :, -1])
        documents = {name: bytes.fromhex(document) for name, document in answer["metadata"].items()}
        assert metadata.Metadata(**documents) == File(data).metadata()
        assert answer["notes"] == []


@under_node
def test_a_photograph_is_decoded_as_in_python(tmp_path: Path) -> None:
    picture = skimage.data.astronaut()[30:126, 180:308]
    data = codec.encode(picture, iterations=20, device="cpu").data
    (task,) = written(tmp_path, [data])
    pixels, symbols = answers([task, {**task, "symbols": True}])
    assert_near(samples(pixels, Path(task["raw"])), codec.decode(data))
    wanted = integers(data)
    assert {name: symbols[name] for name in wanted} == wanted


@under_node
def test_a_picture_that_loads_is_drawn_level_by_level(tmp_path: Path) -> None:
    path = FOLDER / "grid-smooth.fnc"  # 46 x 35
    raw = tmp_path / "raw"
    (answer,) = answers([{"file": str(path), "raw": str(raw), "piece": 3}])
    sizes = [(part["step"], part["width"], part["height"]) for part in answer["parts"] if part["step"] > 1]
    assert sizes == [(16, 3, 3), (8, 6, 5), (4, 12, 9), (2, 23, 18)]
    data, seen = path.read_bytes(), set()
    for cut in range(len(data)):
        with suppress(FourcodecError), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wanted = codec.decode(data[:cut], partial=True)
            step = {46: 1, 23: 2, 12: 4, 6: 8, 3: 16}[wanted.shape[1]]
            if step > 1 and step not in seen:
                seen.add(step)
                level = {**answer, "width": wanted.shape[1], "height": wanted.shape[0]}
                assert_near(samples(level, raw.with_name(f"raw.0-{step}")), wanted)
    assert seen == {2, 4, 8, 16}
    assert_near(samples(answer, raw), codec.decode(data))


@under_node
@in_both_ways
def test_a_break_in_the_middle_of_a_row_changes_no_pixel(fast: bool, tmp_path: Path) -> None:
    for path in [path for path in GOLDEN if path.stem.startswith("grid")]:
        raws = {size: tmp_path / f"{path.stem}-{size}" for size in (1 << 20, 1, 7)}
        found = answers([{"file": str(path), "raw": str(raw), "piece": size} for size, raw in raws.items()], fast=fast)
        whole, *loading = [samples(answer, raw) for answer, raw in zip(found, raws.values(), strict=True)]
        assert all(np.array_equal(picture, whole) for picture in loading), path.stem


@under_node
def test_tiles_of_a_picture_that_loads_are_drawn_one_after_the_other(tmp_path: Path) -> None:
    path = FOLDER / "grid-tiled.fnc"  # 70 x 69
    whole, loading = answers([{"file": str(path), "raw": str(tmp_path / name), "piece": size} for name, size in SIZES])
    for answer, (name, _) in zip((whole, loading), SIZES, strict=True):
        assert_near(samples(answer, tmp_path / name), codec.decode(path.read_bytes()))
    first = [(part["left"], part["top"]) for part in whole["parts"][:4]]
    assert first == [(0, 0), (64, 0), (0, 64), (64, 64)]  # a small picture of all tiles, if all is there
    corner = [part["step"] for part in loading["parts"] if not part["left"] and not part["top"]]
    assert corner == sorted(corner, reverse=True)
    assert corner[-1] == 1


@under_node
@pytest.mark.parametrize("name", ["grid-smooth", "grid-tiled", "grid-rgba-16", "grid-grey-alpha", "fnet-rgba"])
def test_the_beginning_of_a_file_gives_pythons_picture_or_an_error(name: str, tmp_path: Path) -> None:
    data = (FOLDER / f"{name}.fnc").read_bytes()
    cuts = list(range(1, len(data), 5))
    tasks = [{"file": str(FOLDER / f"{name}.fnc"), "raw": str(tmp_path / str(cut)), "first": cut} for cut in cuts]
    steps = []
    for cut, answer in zip(cuts, answers(tasks), strict=True):
        try:
            with warnings.catch_warnings(record=True):
                wanted = codec.decode(data[:cut], partial=True)
        except FourcodecError:
            assert answer.get("isFncError"), (cut, answer)
            continue
        assert "error" not in answer, (cut, answer)
        assert_near(samples(answer, tmp_path / str(cut)), wanted)
        assert answer["notes"][-1].startswith("the file is cut")
        steps.append(answer["step"])
    assert steps == sorted(steps, reverse=True)
    assert len(set(steps)) > 3 or name.startswith(("fnet", "grid-tiled"))
    assert steps[-1] <= 2  # with the last bytes of the last level


def frames(random: Random) -> list[tuple[bytes, bytes]]:
    """Documents and zstd frames of them, of all kinds of blocks and codes."""
    words = [bytes(random.choices(range(97, 123), k=random.randrange(2, 9))) for _ in range(400)]
    text = b" ".join(random.choices(words, k=40_000))  # more than one block
    skewed = bytes(min(int(random.expovariate(0.2)), 255) for _ in range(30_000))
    documents = [text, skewed, random.randbytes(200_000), b"a" * 300_000, b"x", b"abcabcabcabcabcabc", text[:900]]
    documents += [skewed[:n] + text[: 3 * n] for n in (10, 40, 100, 300, 1000)]
    compressors = [
        zstandard.ZstdCompressor(level=level, write_content_size=size, write_checksum=checksum)
        for level, size, checksum in ((19, False, False), (1, True, True), (3, False, True), (-5, True, False))
    ]
    return [(document, compressor.compress(document)) for document in documents for compressor in compressors]


@under_node
def test_zstd_frames_of_all_kinds_are_unpacked(tmp_path: Path) -> None:
    header, sections = container.read((FOLDER / "one-pixel.fnc").read_bytes())
    packed = frames(Random(26))
    files = [
        container.write(header, [*sections, Section(metadata.XMP, CODER_ZSTD, varint.write(len(plain)) + frame[4:])])
        for plain, frame in packed
    ]
    for (plain, _), answer in zip(packed, answers(written(tmp_path, files)), strict=True):
        assert answer["notes"] == []
        assert bytes.fromhex(answer["metadata"]["xmp"]) == plain


@under_node
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_alpha_is_without_loss_under_every_predictor(kind: type, tmp_path: Path) -> None:
    header, sections = container.read((FOLDER / "grid-rgba-16.fnc").read_bytes())
    header = container.Header(**{**vars(header), "bit_depth": 8 * np.dtype(kind).itemsize})
    random = np.random.default_rng(5)
    masks: list[NDArray[Any]] = [random.integers(0, np.iinfo(kind).max, (header.height, header.width)).astype(kind)]
    masks += [np.full(masks[0].shape, 255, kind), np.arange(header.height, dtype=kind)[:, None] + 0 * masks[0]]
    masks += [masks[1] * (masks[2] > 7), masks[2] + np.arange(header.width, dtype=kind)]
    own = [section for section in sections if section.kind != alpha.KIND]
    coded = [alpha.write(mask) for mask in masks]
    coded += [Section(8, CODER_ZSTD, bytes([number]) + coded[0].payload[1:]) for number in range(4)]
    files = [container.write(header, [*own, section]) for section in coded]
    tasks = written(tmp_path, files)
    for task, section, answer in zip(tasks, coded, answers(tasks), strict=True):
        assert np.array_equal(samples(answer, Path(task["raw"]))[:, :, 3], alpha.read(section, header))


@under_node
@pytest.mark.parametrize("name", ["grid-rgb", "fnet-rgba"])
def test_a_changed_bit_or_a_missing_end_is_an_error(name: str, tmp_path: Path) -> None:
    data = (FOLDER / f"{name}.fnc").read_bytes()
    files = [*islice(flips(data), 0, None, 23), *islice(truncations(data), 0, None, 7)]
    for answer in answers(written(tmp_path, files)):
        assert answer.get("isFncError"), answer


def mutations(count: int) -> list[bytes]:
    """Damaged golden files with right checksums."""

    def raw(data: bytes, max_size: int) -> bytes:
        random = Random(len(data) + sum(data))
        changed = bytearray(data)
        for _ in range(random.randrange(1, 4)):
            if changed:
                changed[random.randrange(len(changed))] = random.randrange(256)
        return bytes(changed[:max_size])

    plain = [path.read_bytes() for path in GOLDEN]
    return [mutate(plain[seed % len(plain)], 4096, seed, raw, deep=True) for seed in range(count)]


@under_node
def test_mutated_files_give_an_error_or_a_picture(tmp_path: Path) -> None:
    tasks = [{"file": task["file"]} for task in written(tmp_path, mutations(2000))]
    for number, answer in enumerate(answers(tasks, limits=SMALL, fast=True)):
        assert answer.get("isFncError") or "width" in answer, (number, answer)


@under_node
def test_mutated_files_are_refused_as_in_python(tmp_path: Path) -> None:
    files = mutations(400)
    tasks = written(tmp_path, files)
    for number, (data, task, answer) in enumerate(zip(files, tasks, answers(tasks, limits=SMALL), strict=True)):
        try:
            wanted = codec.decode(data, limits=limits.Limits(**SMALL))
        except FourcodecError:
            wanted = None
        if wanted is not None and LENIENT in answer.get("error", ""):
            continue
        assert bool(answer.get("isFncError")) == (wanted is None), (number, answer)
        if wanted is not None:
            assert samples(answer, Path(task["raw"])).shape[:2] == wanted.shape[:2]


@under_node
def test_limits_are_checked_before_anything_is_decoded() -> None:
    (answer,) = answers([{"file": str(FOLDER / "grid-rgb.fnc")}], limits={"pixels": 1000})
    assert (answer["isFncError"], answer["kind"]) == (True, "limit")
    (answer,) = answers([{"file": str(FOLDER / "fnet-rgba.fnc")}], limits={"work": 1000})
    assert (answer["isFncError"], answer["kind"]) == (True, "limit")


def test_the_module_depends_on_nothing() -> None:
    source = (WEB / "decoder.js").read_text(encoding="utf-8")
    assert "\nimport " not in source
    assert "require(" not in source
