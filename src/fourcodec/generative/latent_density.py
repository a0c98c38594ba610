"""The coding of latents: integers under Gaussians with full covariances, by the Laplace coder's tables.

A latent is counted in its own units, the deviations of the noise that the model was trained with: errors of one unit
cost about as much in every number. Quantised with one step, its numbers are coded one after the other; the mean and
scale of each follow from those before it, as in a Gaussian with that covariance. The chosen Gaussian of a mixture is
coded first. All that decides a probability is in integers, `Tables`, which are a part of the model's hash: machines
that would round them differently refuse each other's files.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fourcodec.arrays import Floats
from fourcodec.coding import laplace_coder, range_coder
from fourcodec.coding.distributions import LOG_SCALE_MAX, LOG_SCALE_MIN, MEAN_STEPS, SCALE_STEPS
from fourcodec.errors import CorruptFileError
from fourcodec.fnet.quantize import step_size

MAX_STEP_INDEX = 80  # steps of 2^3 down to 2^-7 units
MAX_SYMBOL = (1 << 15) - 1
_COARSEST = 8.0  # units: the step of index 0
_FRACTION = 12  # bits behind the point of the factors and constants of means
_LARGEST = 1 << 40  # of a constant of a mean, in its integers: sums stay below 2^63
_TRIED = 4  # Gaussians of a mixture, the likeliest ones, among which the cheapest is taken
_ROOM = 16  # bytes that the range coder may need beyond its integers


@dataclass(frozen=True)
class Gaussians:
    """Gaussians with L components, for K kinds of latents: means (K, L) and covariances (K, L, L), float64."""

    means: NDArray[np.float64]
    covariances: NDArray[np.float64]


@dataclass(frozen=True)
class Tables:
    """The density in integers.

    factors (K, L, L): of the numbers before, times 2^12, below the diagonal. constants (K, L): of the means in units,
    times 2^12. scales (K, L): 8 log2 of the mean distance from the mean in units. All int64.
    """

    factors: NDArray[np.int64]
    constants: NDArray[np.int64]
    scales: NDArray[np.int64]

    @classmethod
    def of(cls, density: Gaussians, units: NDArray[np.float64]) -> Tables:
        """The tables of a density of latents, whose numbers have the units (L,). Raises ValueError where a covariance
        is not positive definite, or its numbers are too large."""
        found = [_table(m, c, units) for m, c in zip(density.means, density.covariances, strict=True)]
        factors, constants, scales = (np.stack(parts) for parts in zip(*found, strict=True))
        return cls(factors, constants, scales)

    def digest(self) -> bytes:
        """The SHA-256 sum of all integers."""
        arrays = (self.factors, self.constants, self.scales)
        return hashlib.sha256(b"".join(np.ascontiguousarray(array, "<i8").tobytes() for array in arrays)).digest()

    def encode(self, symbols: NDArray[np.int64], index: int) -> bytes:
        """The bytes of symbols (L,), quantised with the step of an index, under the Gaussian that makes them
        shortest. Raises ValueError for a symbol of more than 15 bits."""
        if np.abs(symbols).max() > MAX_SYMBOL:
            raise ValueError("a number of the latent has more than 15 bits")
        costs = [self._bits(symbols, index, kind) for kind in range(len(self.factors))]
        best = np.argsort(costs, kind="stable")[:_TRIED]
        return min((self._encode(symbols, index, int(kind)) for kind in best), key=len)

    def decode(self, data: bytes, index: int) -> NDArray[np.int64]:
        """The inverse of `encode`. Raises CorruptFileError where `encode` cannot have written the bytes."""
        if data.endswith(b"\0"):
            raise CorruptFileError("section 'latent' ends in a zero byte")
        source, tables = np.frombuffer(data, np.uint8), laplace_coder.tables()
        state = range_coder.start_decoder(source)
        kind = 0
        for bit in range(self._kind_bits):
            kind |= range_coder.decode_even(state, source) << bit
        if kind >= len(self.factors):
            raise CorruptFileError(f"section 'latent' names Gaussian {kind} of {len(self.factors)}")
        symbols, scales = np.zeros(self.factors.shape[1], np.int64), self._scales(index, kind)
        constants, own = self._constants(index, kind), np.zeros((1, 1), np.int64)
        for number, (constant, scale) in enumerate(zip(constants, scales, strict=True)):
            mean = self._mean(symbols, number, kind, constant)
            if laplace_coder.decode_rows(state, source, own, _cell(mean), _cell(scale), *tables) > MAX_SYMBOL:
                raise CorruptFileError("section 'latent': a number has more than 15 bits")
            symbols[number] = own[0, 0]
        if state[range_coder.POSITION] < len(data):
            raise CorruptFileError(f"section 'latent': {len(data) - state[range_coder.POSITION]} bytes are left over")
        return symbols

    @property
    def _kind_bits(self) -> int:
        return (len(self.factors) - 1).bit_length()

    def _encode(self, symbols: NDArray[np.int64], index: int, kind: int) -> bytes:
        out = np.empty(_ROOM + laplace_coder.BYTES_PER_INTEGER * (1 + symbols.size), np.uint8)
        state = range_coder.start_encoder()
        for bit in range(self._kind_bits):
            range_coder.encode_even(state, out, kind >> bit & 1)
        means = self._means(symbols, index, kind)
        rows = symbols[None], means[None], self._scales(index, kind)[None]
        laplace_coder.encode_rows(state, out, *rows, *laplace_coder.tables())
        return out[: range_coder.finish_encoder(state, out)].tobytes()

    def _bits(self, symbols: NDArray[np.int64], index: int, kind: int) -> float:
        means = self._means(symbols, index, kind)
        return float(laplace_coder.bits_of(symbols, means, self._scales(index, kind), laplace_coder.tables()).sum())

    def _means(self, symbols: NDArray[np.int64], index: int, kind: int) -> NDArray[np.int64]:
        """The means of all numbers, each by those before it, in 1/64 of a step."""
        constants = self._constants(index, kind)
        return np.array([self._mean(symbols, n, kind, constant) for n, constant in enumerate(constants)], np.int64)

    def _mean(self, symbols: NDArray[np.int64], number: int, kind: int, constant: np.int64) -> np.int64:
        total = MEAN_STEPS * int(self.factors[kind, number, :number] @ symbols[:number])
        mean = (total + (1 << (_FRACTION - 1)) >> _FRACTION) + int(constant)
        return np.int64(min(max(mean, -MEAN_STEPS * MAX_SYMBOL), MEAN_STEPS * MAX_SYMBOL))

    def _constants(self, index: int, kind: int) -> NDArray[np.int64]:
        # Products and quotients of single floats are the same on every machine.
        return np.rint(self.constants[kind] * (MEAN_STEPS / (step_of(index) * (1 << _FRACTION)))).astype(np.int64)

    def _scales(self, index: int, kind: int) -> NDArray[np.int64]:
        finer = index - round(SCALE_STEPS * math.log2(_COARSEST))
        found = self.scales[kind] + finer - LOG_SCALE_MIN * SCALE_STEPS
        return found.clip(0, (LOG_SCALE_MAX - LOG_SCALE_MIN) * SCALE_STEPS)


def step_of(index: int) -> float:
    """The step of an index, in units: 2^(3 - index / 8), the same on every machine."""
    return float(step_size(np.array([index], np.uint8))[0]) * _COARSEST


def quantise(latent: Floats, units: NDArray[np.float64], index: int) -> NDArray[np.int64]:
    """The symbols (L,) of a latent (L,)."""
    return np.rint(latent / (units * step_of(index))).astype(np.int64)


def dequantise(symbols: NDArray[np.int64], units: NDArray[np.float64], index: int) -> Floats:
    """The latent (L,) float32 of symbols (L,)."""
    return (symbols * (units * step_of(index))).astype(np.float32)


def _table(
    mean: NDArray[np.float64], covariance: NDArray[np.float64], units: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The factors, constants and scales of one Gaussian. With the Cholesky factor C of its covariance, D its diagonal,
    a number is its mean plus the differences of those before it times I - D C^-1, within D."""
    try:
        cholesky = np.linalg.cholesky(covariance / np.outer(units, units))
    except np.linalg.LinAlgError as exc:
        raise ValueError("a covariance is not positive definite") from exc
    deviations = np.diag(cholesky)
    before = np.tril(-deviations[:, None] * np.linalg.inv(cholesky), -1)
    factors, scaled = np.rint(before * (1 << _FRACTION)), mean / units
    constants = np.rint(scaled * (1 << _FRACTION) - factors @ scaled)
    if not max(np.abs(factors).max(initial=0), np.abs(constants).max()) < _LARGEST:
        raise ValueError("the density's numbers are too large to code under it")
    # The mean distance from the mean of a Gaussian is its deviation times (2 / pi)^(1/2).
    scales = np.rint(SCALE_STEPS * np.log2(deviations * math.sqrt(2 / math.pi)))
    return factors.astype(np.int64), constants.astype(np.int64), scales.astype(np.int64)


def _cell(value: np.int64) -> NDArray[np.int64]:
    return np.full((1, 1), value, np.int64)
