"""Pictures of a model's kind as files of the profile `model`: the latent alone, coded under the model's density.

    picture -> latent, fitted -> integers -> section 'latent'            `encode`
    section 'latent' -> integers -> latent -> Fourier networks -> picture       `decode`

A file names its model by a hash and can be decoded with this model alone. FORMAT.md, "Profile 3", has the bytes.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fourcodec import metrics
from fourcodec.arrays import Floats, Images
from fourcodec.bitstream import container
from fourcodec.bitstream.container import Header, Section
from fourcodec.errors import CorruptFileError, ImageError, LimitError, ModelError, TargetError, UnsupportedFormatError
from fourcodec.generative.cell_flow import CellFlow
from fourcodec.generative.config import to_table
from fourcodec.generative.datasets import describe
from fourcodec.generative.flow import Flow
from fourcodec.generative.latent_density import MAX_STEP_INDEX, MAX_SYMBOL, Gaussians, Tables, dequantise, quantise
from fourcodec.generative.model import TrainedModel
from fourcodec.generative.priors import FullGaussian, IsotropicGaussian, Mixture
from fourcodec.generative.sheets import to_bytes
from fourcodec.profiles import MODEL_PROFILE

MODEL, LATENT = 0, 1  # section kinds
SECTION_NAMES = {MODEL: "model", LATENT: "latent"}
HASH_BYTES = 8
DEFAULT_STEP_INDEX = 24  # a step of one unit: rounding adds a twelfth of the variance of the noise in training
ITERATIONS = 400  # of a latent's fit


@dataclass(frozen=True)
class Coded:
    """A file and what was measured of it."""

    data: bytes
    psnr_db: float
    latent_bytes: int  # of the coded latent; the rest is the header and the model's hash
    step_index: int


class LatentCodec:
    """The encoder and decoder of one model.

    Raises ModelError where the model's density cannot be coded under, since its numbers are too large.
    """

    def __init__(self, model: TrainedModel) -> None:
        self.model, self._units = model, _units_of(model)
        try:
            self._tables = Tables.of(_density(model), self._units)
        except ValueError as exc:
            raise ModelError(f"nothing can be coded with this model: {exc}") from exc
        self.hash = _hash_of(model, self._tables, self._units)

    def encode(self, picture: Images, target_psnr_db: float | None = None, latent: Floats | None = None) -> Coded:
        """A file of a picture uint8 (H, W, C): at the default step, or at the coarsest with a PSNR of at least the
        target. `latent` (L,) is the picture's where a caller has fitted it, as many can be at once.

        Raises ImageError for a picture of another size, TargetError where even the finest step has a lower PSNR (the
        model cannot show the picture better), and LimitError where a number of the latent is too large for a file.
        """
        if picture.dtype != np.uint8 or picture.shape != self.model.image_shape:
            shape = describe(self.model.image_shape)
            raise ImageError(f"the model codes pictures of {shape} and 8 bits, not {picture.shape} {picture.dtype}")
        if latent is None:
            latent = self.model.embed(picture[None], ITERATIONS)[0]
        if target_psnr_db is None:
            return self._coded(picture, latent, DEFAULT_STEP_INDEX)
        finest = 0
        for index in range(MAX_STEP_INDEX + 1):
            symbols = quantise(latent, self._units, index)
            if np.abs(symbols).max() > MAX_SYMBOL:
                break
            finest = index
            if metrics.psnr_db(self._shown(symbols, index), picture) >= target_psnr_db:
                return self._coded(picture, latent, index)
        best = self._coded(picture, latent, finest).psnr_db
        raise TargetError(f"the model shows this picture at {best:.2f} dB at best, not {target_psnr_db}", short=True)

    def decode(self, data: bytes) -> Images:
        """The picture uint8 (H, W, C) of a file.

        Raises CorruptFileError and UnsupportedFormatError for what is no sound file of the profile, and ModelError for
        a file of another model.
        """
        header, sections = container.read(data)
        if header.profile != MODEL_PROFILE:
            raise UnsupportedFormatError("the file needs no model: decode it without --model")
        found = container.by_kind(sections, SECTION_NAMES)
        if set(found) != set(SECTION_NAMES) or len(header.architecture) != 1 or header.prior or header.tiles:
            raise CorruptFileError("a file of profile model has one architecture field, and sections model and latent")
        coders = found[MODEL].coder, found[LATENT].coder
        if coders != (container.CODER_RAW, container.CODER_RANGE):
            raise UnsupportedFormatError(f"the file's sections have coders {coders}, unknown to this version")
        if found[MODEL].payload != self.hash:
            raise ModelError(
                f"the file was coded with the model {found[MODEL].payload.hex()[: 2 * HASH_BYTES]}, this is "
                f"{self.hash.hex()}"
            )
        index, shape = header.architecture[0], (header.height, header.width, header.channels)
        if index > MAX_STEP_INDEX or shape != self.model.image_shape or header.bit_depth != 8:
            raise CorruptFileError("the header is invalid: its model codes no such picture")
        return self._shown(self._tables.decode(found[LATENT].payload, index), index)

    def _coded(self, picture: Images, latent: Floats, index: int) -> Coded:
        symbols = quantise(latent, self._units, index)
        if np.abs(symbols).max() > MAX_SYMBOL:
            raise LimitError("a number of the picture's latent has more than 15 bits, which a file cannot hold")
        payload = self._tables.encode(symbols, index)
        height, width, channels = picture.shape
        header = Header(width, height, channels, MODEL_PROFILE, (index,))
        sections = [
            Section(MODEL, container.CODER_RAW, self.hash),
            Section(LATENT, container.CODER_RANGE, payload),
        ]
        data = container.write(header, sections)
        return Coded(data, metrics.psnr_db(self.decode(data), picture), len(payload), index)

    def _shown(self, symbols: NDArray[np.int64], index: int) -> Images:
        return to_bytes(self.model.decode(dequantise(symbols, self._units, index)[None]))[0]


def _units_of(model: TrainedModel) -> NDArray[np.float64]:
    """The units of a latent's numbers, (L,): the deviations of the learned noise; without it, an eighth of the latents'
    deviation."""
    if model.config.latents.learned_noise:
        return model.noise.astype(np.float64)
    return np.full(model.latent_size, model.train_latents.std(dtype=np.float64) / 8 + 1e-12)


def _density(model: TrainedModel) -> Gaussians:
    """The Gaussians of the model's prior; of a flow over cells, whose density has no closed form, one Gaussian with the
    covariance of the training images' latents."""
    prior = model.chosen.prior
    if isinstance(prior, Flow):
        prior = prior.gaussian
    if isinstance(prior, CellFlow):
        prior = FullGaussian.fit(model.train_latents)
    if isinstance(prior, IsotropicGaussian):
        size = prior.latent_size
        return Gaussians(np.zeros((1, size)), prior.deviation**2 * np.eye(size)[None])
    if isinstance(prior, FullGaussian):
        return Gaussians(prior.mean[None], prior.covariance[None])
    if isinstance(prior, Mixture):
        return Gaussians(prior.means, prior.covariances)
    raise ModelError(f"nothing can be coded under a prior of kind {prior.name!r}")


def _hash_of(model: TrainedModel, tables: Tables, units: NDArray[np.float64]) -> bytes:
    """The hash of all that decides what a file decodes to: the decoder's weights and shape, and the density."""
    digest = hashlib.sha256(tables.digest())
    table = to_table(model.config)
    facts = {name: table[name] for name in ("network", "latents", "decoder")}
    digest.update(json.dumps([facts, model.image_shape], sort_keys=True).encode())
    digest.update(units.astype("<f8").tobytes())
    for name, weights in sorted(model.core.decoder.state_dict().items()):
        digest.update(name.encode() + weights.cpu().numpy().astype("<f4").tobytes())
    return digest.digest()[:HASH_BYTES]
