"""Damaged journals, data sets and model folders: python -m tests.fuzz.folders journal|dataset|model COUNT

A file may be refused with a FourcodecError and in no other way; OSError is for what the system refuses, and is none of
it. Half of the mutations change a part that is put together again as it was (JSON, a zip or gzip file, a header), so
that checksums do not hide what is behind them. `make fuzz-folders` runs all three.
"""

import gzip
import io
import json
import struct
import sys
import tempfile
import time
import warnings
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from fourcodec.batch.journal import Journal
from fourcodec.batch.manifest import Manifest
from fourcodec.bench.itemlog import ItemLog
from fourcodec.errors import FourcodecError
from tests.support import sets

EXTREMES: tuple[Any, ...] = (
    *(None, True, 0, -1, 1, 255, 2**31, 2**63, -(2**64), 10**400, 0.5, 1e308, float("nan"), float("-inf")),
    *("", "x", "..", "../../x", "\0", "\ud800", [], [[]], {}, {"a": {}}, [0, 0, 1], [-8, 8, 1], [30000, 30000, 1]),
)
Target = tuple[Callable[[Random], bytes], Callable[[Path], None], str]  # makes a file's bytes, reads it, its name


def journal_bytes(random: Random) -> bytes:
    """Lines of both kinds of journals."""
    stamp = {"size_bytes": 9, "mtime_ns": 9, "sha256": "00"}
    row = {"image": "a.png", "codec": "jpeg", "setting": "q5", "size_bytes": 99, "psnr_db": 31.5}
    lines: list[Any] = [
        {"settings": {"effort": 1, "view": [1, 2]}},
        {"source": "a.png", "target": "a.fnc"},
        {"source": "a.png", "target": "a.fnc", "target_bytes": 9, "stamp": stamp},
        {"index": 0, "image": "a.png", "is_jpeg": False, "rows": [row]},
        {"index": 1, "image": "b.png", "is_jpeg": True, "rows": [], "problem": "none"},
    ]
    first, count = random.choice(((0, 3), (3, 2)))
    return b"".join(changed_json(line, random) + b"\n" for line in lines[first : first + count])


def read_journal(path: Path) -> None:
    with suppress(FourcodecError), Journal(path) as journal:
        manifest = Manifest(journal)
        manifest.begin({"effort": 1}, ".fnc")
        for source in manifest.targets:
            manifest.is_done(source, path.parent, path.parent)
    with suppress(FourcodecError), Journal(path) as journal:
        list(ItemLog(journal, path.parent / "files", 2))


def dataset_bytes(random: Random) -> bytes:
    images = sets.discs(3)
    if random.random() < 0.5:
        shape = [
            random.choice((3, 0, 2**16, 2**32 - 1, size)) if random.random() < 0.2 else size for size in (3, 8, 12)
        ]
        data = (
            bytes([0, 0, 8, random.choice((3, 3, 3, 1, 200))]) + struct.pack(">3I", *shape) + images[..., 0].tobytes()
        )
        return gzip.compress(changed(data, random), 1)
    npy = io.BytesIO()
    np.save(npy, images)
    buffer = io.BytesIO()
    method = random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("images.npy", changed(npy.getvalue(), random, most=128))
        archive.writestr("labels.npy", npy.getvalue()[:80])
    return buffer.getvalue()


def read_dataset(path: Path) -> None:
    from fourcodec.generative.dataset_files import read_batch, read_idx, read_npz

    for read in (read_idx, read_npz, read_batch):
        with suppress(FourcodecError):
            read(path)


def model_bytes(random: Random) -> bytes:
    import torch
    from safetensors.torch import save

    from fourcodec.generative.config import to_table
    from fourcodec.generative.core import ModelCore

    config = sets.tiny(**({} if random.random() < 0.5 else {"encoder": {"hidden": [8]}}))
    core = ModelCore(config, sets.SHAPE, "cpu", seed=0)
    tensors = {**core.tensors(), "latents.values": torch.zeros(20, config.latents.size)}
    facts = {
        "version": 1,
        "config": to_table(config),
        "image_shape": list(sets.SHAPE),
        "dataset": {"name": "a", "hash": "b"},
    }
    if random.random() < 0.2:
        name = random.choice(list(tensors))
        tensors[name] = random.choice(
            (tensors[name][:0], tensors[name] * float("nan"), tensors[name].long(), tensors[name] + 3e38)
        )
    text = changed_json(facts, random).decode("utf-8", "replace")
    plain = {name: tensor.contiguous().clone() for name, tensor in tensors.items()}
    return save(plain, {"fourcodec": text})


def read_model(path: Path) -> None:
    from fourcodec.generative import fnc
    from fourcodec.generative.model import load_model

    with suppress(FourcodecError):
        model = load_model(path.parent)
        z = model.sample(1, seed=0)
        model.decode(z)
        fnc.to_fnc(model.core, z)


TARGETS: dict[str, Target] = {
    "journal": (journal_bytes, read_journal, "journal.jsonl"),
    "dataset": (dataset_bytes, read_dataset, "set.gz"),
    "model": (model_bytes, read_model, "model.safetensors"),
}


def changed_json(value: Any, random: Random) -> bytes:
    """The JSON of a value, in half of the cases with another value somewhere in it."""
    value = json.loads(json.dumps(value))
    if random.random() < 0.5:
        node = value
        while True:
            key = random.choice(list(node) if isinstance(node, dict) else range(len(node)))
            if not node[key] or not isinstance(node[key], dict | list) or random.random() < 0.3:
                node[key] = random.choice(EXTREMES)
                break
            node = node[key]
    return json.dumps(value).encode()


def changed(data: bytes, random: Random, most: int | None = None) -> bytes:
    """The bytes, in half of the cases with some changed, of the first `most`, or cut."""
    if random.random() < 0.5:
        return data
    if random.random() < 0.1:
        return data[: random.randrange(len(data))]
    damaged = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 9))):
        damaged[random.randrange(min(len(data), most or len(data)))] = random.choice((0, 255, random.randrange(256)))
    return bytes(damaged)


def execute(target: str, number: int, folder: Path) -> None:
    """One mutation, the same for the same number. Whatever it raises is a finding."""
    make, read, name = TARGETS[target]
    random = Random(number)
    data = changed(make(random), random)
    path = folder / name
    path.write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        try:
            read(path)
        except BaseException:
            print(f"finding, {target} {number}: {data[:2000]!r}", flush=True)
            raise


def main(target: str, count: int) -> int:
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            execute(target, number, Path(folder))
    print(f"{target}: {count} executions, no finding ({time.monotonic() - started:.0f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
