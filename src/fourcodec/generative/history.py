"""The log of a training: one record for each epoch, as CSV and as a plot."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, dataclass, fields

from fourcodec.plotting import load_matplotlib


@dataclass(frozen=True)
class EpochRecord:
    """Means over the training images of one epoch, decoded from latents with training noise."""

    epoch: int  # from 1
    seconds: float  # since the start of the training
    loss: float  # per image
    squared_error: float  # summed over an image's samples, on [-1, 1]
    psnr_db: float
    latent_rms: float
    noise: float  # standard deviation, mean over the components of z
    rate: float  # learning rate of the decoder


def to_csv(records: list[EpochRecord]) -> bytes:
    """The records as CSV with a header line, UTF-8."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, [field.name for field in fields(EpochRecord)], lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: f"{value:.6g}" for name, value in asdict(record).items()} for record in records)
    return buffer.getvalue().encode()


def to_plot(records: list[EpochRecord]) -> bytes:
    """A plot of loss and PSNR by epoch, as the bytes of a PNG file."""
    load_matplotlib()
    from matplotlib.figure import Figure

    epochs = [record.epoch for record in records]
    figure = Figure(figsize=(8, 3.5), layout="constrained")
    loss, psnr = figure.subplots(1, 2)
    loss.plot(epochs, [record.loss for record in records], label="loss")
    loss.plot(epochs, [record.squared_error for record in records], label="squared error")
    loss.set(xlabel="epoch", ylabel="an image, on [-1, 1]", yscale="log")
    loss.legend()
    psnr.plot(epochs, [record.psnr_db for record in records])
    psnr.set(xlabel="epoch", ylabel="PSNR while training (dB)")
    for axes in (loss, psnr):
        axes.grid(alpha=0.3)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    return buffer.getvalue()
