"""Damaged journals, data sets and model folders: python -m tests.fuzz.folders journal|dataset|model|prior COUNT [FIRST]

A file may be refused with a FourcodecError and in no other way; OSError is for what the system refuses, and is none of
it. Half of the mutations change a part that is put together again as it was (JSON, a zip or gzip file, a header), so
that checksums do not hide what is behind them. `make fuzz-folders` runs all four.
"""

import functools
import gzip
import io
import json
import struct
import sys
import tempfile
import time
import traceback
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
_SHOWN = 1000  # executions from one line of progress to the next
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


@functools.cache
def sound_model(*, encoder: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """The tensors and the facts of a model. Made once: that takes as long as reading a damaged one."""
    import torch

    from fourcodec.generative.config import to_table
    from fourcodec.generative.core import ModelCore

    config = sets.tiny(**({"encoder": {"hidden": [8]}} if encoder else {}))
    core = ModelCore(config, sets.SHAPE, "cpu", seed=0)
    latents = {"latents.values": torch.zeros(20, config.latent_size), "log_noise": torch.zeros(config.latents.size)}
    tensors = {**core.tensors(), **latents}
    facts = {
        "version": 1,
        "config": to_table(config),
        "image_shape": list(sets.SHAPE),
        "dataset": {"name": "a", "hash": "b"},
    }
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}, facts


def model_bytes(random: Random) -> bytes:
    from safetensors.torch import save

    sound, facts = sound_model(encoder=random.random() < 0.5)
    tensors = dict(sound)
    if random.random() < 0.2:
        name = random.choice(list(tensors))
        tensors[name] = random.choice(
            (tensors[name][:0], tensors[name] * float("nan"), tensors[name].long(), tensors[name] + 3e38)
        )
    text = changed_json(facts, random).decode("utf-8", "replace")
    return save({name: tensor.clone() for name, tensor in tensors.items()}, {"fourcodec": text})


def read_model(path: Path) -> None:
    from fourcodec.generative import fnc
    from fourcodec.generative.model import load_model

    with suppress(FourcodecError):
        model = load_model(path.parent)
        z = model.sample(1, seed=0)
        model.decode(z)
        fnc.to_fnc(model.core, z)


@functools.cache
def sound_prior(kind: str) -> Any:
    """A prior that was fitted to the latents of `prior_latents`."""
    from fourcodec.generative.cell_flow import CellFlow, VelocityNetwork, moments
    from fourcodec.generative.flow import Flow
    from fourcodec.generative.priors import FullGaussian, IsotropicGaussian, Mixture

    latents, network = prior_latents(), VelocityNetwork(2, 1, 32, 1, 2).requires_grad_(False)
    fitters: dict[str, Callable[[], Any]] = {
        "isotropic": lambda: IsotropicGaussian.fit(latents),
        "gaussian": lambda: FullGaussian.fit(latents),
        "mixture": lambda: Mixture.fit(latents, 0, 2),
        "flow": lambda: Flow.fit(latents, 0, iterations=1),
        "cell-flow": lambda: CellFlow(*moments(latents), np.array([3, 7]), np.array([0.5, 0.5]), network),
    }
    return fitters[kind]()


@functools.cache
def prior_latents() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)


def prior_bytes(random: Random) -> bytes:
    import safetensors.numpy

    from fourcodec.generative.prior_store import digest

    prior = random.choice(("isotropic", "gaussian", "mixture", "mixture", "flow", "cell-flow"))
    state = sound_prior(prior).to_state()
    arrays = {name: np.array(array) for name, array in state.arrays.items()}
    for name in random.sample(sorted(arrays), random.choice((0, 0, 1, 2))):
        array = arrays[name].ravel()
        extremes = (0, -1, 100) if array.dtype.kind == "i" else (0, -1, 1e-38, 1e20, 2e38, np.nan, -np.inf)
        array[random.randrange(array.size)] = random.choice(extremes)
        if random.random() < 0.2:
            array = array[: random.randrange(array.size + 1)]
        shape = arrays[name].shape if array.size == arrays[name].size and random.random() < 0.8 else (1, -1, 1)
        with np.errstate(all="ignore"):
            kind = random.choice((array.dtype, array.dtype, np.float64, np.int8, np.uint64))
            arrays[name] = array.astype(kind).reshape(shape if array.size else (0,))
    facts = {"kind": state.kind, "temperature": random.choice((1.0, 0.85, 10)), "latents": digest(prior_latents())}
    text = changed_json(facts, random).decode("utf-8", "replace")
    return safetensors.numpy.save(arrays, {"fourcodec_prior": text})


def read_prior(path: Path) -> None:
    from fourcodec.generative import prior_store

    with suppress(FourcodecError):
        chosen = prior_store.read_prior(path.parent, prior_latents())
        if chosen is not None:
            chosen.prior.sample(3, 0, chosen.temperature)


TARGETS: dict[str, Target] = {
    "journal": (journal_bytes, read_journal, "journal.jsonl"),
    "dataset": (dataset_bytes, read_dataset, "set.gz"),
    "model": (model_bytes, read_model, "model.safetensors"),
    "prior": (prior_bytes, read_prior, "prior.safetensors"),
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
        read(path)


def main(target: str, count: int, first: int = 0) -> int:
    """Runs `count` mutations from number `first` on, goes on after a finding, and returns 1 where there was one."""
    started, findings = time.monotonic(), 0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(first, first + count):
            if number > first and number % _SHOWN == 0:
                print(f"{target}: {number}, {findings} findings so far", flush=True)
            try:
                execute(target, number, Path(folder))
            except Exception:
                findings += 1
                traceback.print_exc()
                print(f"finding: {target} {number}", flush=True)
    print(f"{target}: {count} executions from {first} on, {findings} findings ({time.monotonic() - started:.0f} s)")
    return int(findings > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], *map(int, sys.argv[2:])))
