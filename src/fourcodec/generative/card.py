"""The card of a model, `model.md` in its folder: what it was trained on, how, and with what result."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from fourcodec import files
from fourcodec.generative import checkpoints, config
from fourcodec.generative.model import load_model

FILE_NAME = "model.md"
_NAMES = {"isotropic": "isotropic Gaussian, as where none was chosen"}


def write_card(directory: Path, today: datetime.date, note: str | None = None) -> None:
    """Writes the card of the model in a directory over an older one. `note` says in a line how its prior came about;
    without it, the card names the prior that is stored.

    Raises ModelError where there is no sound model, OSError.
    """
    _, facts = checkpoints.read_checkpoint(directory)
    model = load_model(directory)
    height, width, channels = model.image_shape
    history = facts["history"]
    trained = f"{len(history)} epochs, {facts['seconds'] / 60:.1f} minutes"
    psnr = f"{history[-1]['psnr_db']:.2f} dB in training" if history else "unknown: it was not trained for an epoch"
    cells = model.config.network.grid.count
    rows = {
        "date": today.isoformat(),
        "data": f"{facts['dataset']['name']}, {len(model.train_latents)} training images, SHA-256 {model.dataset_hash}",
        "images": f"{width} x {height} pixels, {channels} channel{'s' * (channels > 1)}",
        "latent": f"{model.latent_size} numbers in {cells} cell{'s' * (cells > 1)}",
        "training": f"{trained}, seed {facts['seed']}",
        "reconstruction": psnr,
        "prior": note or _NAMES.get(model.chosen.prior.name, model.chosen.prior.name),
        "temperature": f"{model.chosen.temperature:g}",
    }
    lines = [f"# {model.config.summary or 'A generative model'}", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in rows.items()]
    lines += ["", "`fourcodec generate evaluate` measures samples and reconstructions of test images.", ""]
    lines += ["## Settings", "", *_settings(config.to_table(model.config)), ""]
    files.write(directory / FILE_NAME, "\n".join(lines).encode(), overwrite=True, within=directory)


def _settings(table: dict[str, Any]) -> list[str]:
    """The tables of a configuration as indented lines, in the notation of its file."""
    lines = []
    for name, fields in table.items():
        if isinstance(fields, dict):
            lines += [f"    [{name}]", *(f"    {key} = {_value(value)}" for key, value in fields.items())]
    return lines


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple | list):
        return f"[{', '.join(_value(part) for part in value)}]"
    return f"{value:g}" if isinstance(value, float) else str(value)
