"""The checkpoint of a model directory: all tensors of a model and its training, and facts about them as JSON.

It is one safetensors file with the JSON in its header. The file is replaced as a whole, so a process that is killed at
any moment leaves the last complete checkpoint.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Any

import torch

from fourcodec import files
from fourcodec.batch.journal import open_locked
from fourcodec.errors import ConfigError, FitError, ModelError
from fourcodec.json_text import read_object

FILE_NAME = "model.safetensors"
_LOCK_NAME = ".fourcodec-train.lock"  # an empty file that stays: the checkpoint itself is replaced, lock and all
VERSION = 1
MAX_BYTES = 1 << 34  # four times the largest networks of a configuration with the state of their training
_KEY = "fourcodec"


def locked(directory: Path) -> FileIO:
    """Keeps other trainings out of a directory until the returned context ends. Raises RunError where one is in it, and
    OSError where the lock's file cannot be made."""
    return open_locked(directory / _LOCK_NAME)


def check_exists(directory: Path, name: str = FILE_NAME) -> None:
    """Raises ModelError where there is no such directory, or no checkpoint of this name in it."""
    if not directory.is_dir():
        raise ModelError(f"{str(directory)!r}: no such folder")
    if not (directory / name).is_file():
        raise ModelError(f"{str(directory)!r} holds no model: there is no {name} in it")


def write_checkpoint(
    directory: Path, tensors: dict[str, torch.Tensor], facts: dict[str, Any], name: str = FILE_NAME
) -> None:
    """Replaces the checkpoint of this name in a directory; `facts` are JSON types. Raises OSError."""
    from safetensors.torch import save

    plain = {key: tensor.detach().cpu().contiguous() for key, tensor in tensors.items()}
    data = save(plain, metadata={_KEY: json.dumps({"version": VERSION, **facts})})
    files.write(directory / name, data, overwrite=True, within=directory)


def check_finite(tensors: dict[str, torch.Tensor]) -> None:
    """Raises FitError where a training has numbers that are not finite, which no checkpoint may have."""
    if not all(torch.isfinite(tensor).all() for tensor in tensors.values()):
        raise diverged()


def diverged() -> FitError:
    """The error of a training whose numbers are no longer finite."""
    return FitError("the training diverged; the last checkpoint, if there is one, is as it was: try another --seed")


def read_checkpoint(directory: Path, name: str = FILE_NAME) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """The tensors and facts of a checkpoint; the inverse of `write_checkpoint`.

    Raises ModelError where there is none, or the file is damaged, of another program or of another version.
    """
    from safetensors import SafetensorError, safe_open

    check_exists(directory, name)
    path = directory / name
    if path.stat().st_size > MAX_BYTES:
        raise ModelError(f"{str(path)!r} is larger than the limit of {MAX_BYTES} bytes")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if _KEY not in metadata:
                raise ModelError(f"{str(path)!r} is a safetensors file, but not of a fourcodec model")
            facts = read_object(metadata[_KEY])
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except SafetensorError as exc:
        raise ModelError(f"{str(path)!r} is truncated, damaged, or no safetensors file") from exc
    except ValueError as exc:
        raise ModelError(f"{str(path)!r}: its facts are no JSON") from exc
    if facts.get("version") != VERSION:
        raise ModelError(f"{str(path)!r} was written by another version of fourcodec")
    return tensors, facts


def part(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    """The tensors whose names begin with `prefix` and a dot, by the rest of their names."""
    return {name.removeprefix(prefix + "."): t for name, t in tensors.items() if name.startswith(prefix + ".")}


def named(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors with `prefix` and a dot before their names; the inverse of `part`."""
    return {f"{prefix}.{name}": tensor for name, tensor in tensors.items()}


def fill(targets: dict[str, torch.Tensor], tensors: dict[str, torch.Tensor]) -> None:
    """Copies `tensors` into the `targets` of the same names. Raises as `compare`."""
    compare(targets, tensors)
    for name, target in targets.items():
        target.detach().copy_(tensors[name])


def of_optimiser(optimiser: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """The state of an optimiser by the number of the parameter and the name of the tensor, as 3.exp_avg."""
    return {
        f"{index}.{name}": value
        for index, state in optimiser.state_dict()["state"].items()
        for name, value in state.items()
    }


def fill_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, torch.Tensor]) -> None:
    """Gives an optimiser, an Adam, the state in tensors; the inverse of `of_optimiser`. Raises KeyError where a tensor
    of a parameter is missing, and ValueError for a tensor that Adam does not have of it: its kernels check nothing."""
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    states: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in tensors.items():
        number, _, field = name.partition(".")
        states.setdefault(int(number), {})[field] = tensor
    for index, state in sorted(states.items()):
        if not 0 <= index < len(parameters):
            raise ValueError(f"there is no parameter {index}")
        moments = dict.fromkeys(("exp_avg", "exp_avg_sq"), parameters[index])
        compare({"step": torch.empty((), device="meta"), **moments}, state)
        if len(state) != 3 or state["step"] < 1 or (state["exp_avg_sq"] < 0).any():
            raise ValueError(f"the state of parameter {index} is none of Adam's")
    optimiser.load_state_dict({**optimiser.state_dict(), "state": states})


def compare(targets: dict[str, torch.Tensor], tensors: dict[str, torch.Tensor]) -> None:
    """Raises KeyError where a tensor is missing, and ValueError for one of another shape or type than the target of its
    name, or with numbers that are not finite. Targets may be on the device "meta", where they take no memory."""
    for name, target in targets.items():
        found = tensors[name]
        if found.shape != target.shape or found.dtype != target.dtype:
            raise ValueError(f"{name} is {found.dtype} {tuple(found.shape)}, not {target.dtype} {tuple(target.shape)}")
        if not torch.isfinite(found).all():
            raise ValueError(f"{name} is not finite")


def count(value: Any) -> int:
    """A whole number of a checkpoint's facts. Raises ValueError for what is none."""
    if type(value) is not int or not 0 <= value < 1 << 63:
        raise ValueError(f"{value!r} is no count")
    return value


def finite(value: Any) -> Any:
    """A number of a checkpoint's facts. Raises ValueError for what is none, or not finite."""
    if type(value) not in (int, float) or not abs(value) < math.inf:
        raise ValueError(f"{value!r} is no number")
    return value


@contextmanager
def explained(directory: Path, name: str = FILE_NAME) -> Iterator[None]:
    """Turns errors that come from invalid contents of a checkpoint into a ModelError."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, RuntimeError, ConfigError) as exc:
        what = f"{exc.args[0]!r} is missing" if isinstance(exc, KeyError) else str(exc)
        raise ModelError(f"{str(directory / name)!r} is no sound model: {what}") from exc
