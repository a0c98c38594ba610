"""Latents <-> bytes: level by level from the coarsest, in four passes a level, each latent under the distribution that
the entropy model, in integers, gives it. A pass is one call of the network, whatever its size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fourcodec.coding import laplace_coder, range_coder
from fourcodec.coding.distributions import MEAN_STEPS, SCALE_STEPS
from fourcodec.coding.probability_maps import new_points
from fourcodec.errors import CorruptFileError
from fourcodec.fourier.layout import BLOCK
from fourcodec.grid.kernels import entropy_model_integer, latent_decisions
from fourcodec.grid.kernels import latents as latent_kernels
from fourcodec.grid.kernels.layout import MAX_WEIGHT, PASS_COLUMN, PASS_ROW, PASS_WEIGHTS, PASSES
from fourcodec.grid.pyramid import PARENT, PLANES, Level, Pyramid, ancestor_count, finer_levels_that_see, taps_of
from fourcodec.threads import map_threads

Planes = NDArray[np.float32]
_PIECE = 32 * BLOCK  # positions per piece of work
_STRIP = 64  # rows that are coded at a time
_ROOM = 1 << 16  # bytes by which an encoder's output is larger than it must be


@dataclass(frozen=True)
class EntropyModelIntegers:
    """The entropy model as the coder uses it: weights (levels, PASSES, PASS_WEIGHTS), integers, and shifts, so that a
    weight is its integer times 2^-shift; one shift for W1, one for W2 and b2, and one for each column of W3, means and
    scales. Raises ValueError where sums could pass 2^53."""

    weights: NDArray[np.int64]
    shifts: tuple[int, int, int, int]

    def __post_init__(self) -> None:
        if self.weights.shape[1:] != (PASSES, PASS_WEIGHTS) or np.abs(self.weights).max() > MAX_WEIGHT:
            raise ValueError(f"weights of the entropy model are at most {MAX_WEIGHT}")
        if not all(0 <= shift <= entropy_model_integer.MAX_SHIFT for shift in self.shifts):
            raise ValueError(f"shifts of the entropy model are 0 to {entropy_model_integer.MAX_SHIFT}")

    @cached_property
    def factors(self) -> NDArray[np.float64]:
        """The powers of two that entropy_model_integer.predict multiplies its sums by."""
        fraction = entropy_model_integer.FRACTION
        first, second, mean, scale = self.shifts
        mean_bits, scale_bits = MEAN_STEPS.bit_length() - 1, SCALE_STEPS.bit_length() - 1
        return np.ldexp(1.0, [fraction - first, -second, mean_bits - fraction - mean, scale_bits - fraction - scale])


def encode_latents(
    pyramid: Pyramid, levels: list[NDArray[np.int16]], integers: EntropyModelIntegers, threads: int
) -> bytes:
    """The stream of one pyramid. levels: the latents of each level, finest first, (rows, columns)."""
    return _encode(pyramid, levels, integers, threads)


def _encode(
    pyramid: Pyramid,
    levels: list[NDArray[np.int16]],
    integers: EntropyModelIntegers,
    threads: int,
    costs: list[NDArray[np.float32]] | None = None,
) -> bytes:
    """encode_latents; fills in `costs`, the bits of each latent."""
    tables, points = latent_decisions.tables(), new_points(latent_decisions.CONTEXTS)
    state, out = range_coder.start_encoder(), np.empty(_ROOM, np.uint8)

    def visit(number: int, p: int, rows: Planes, means: NDArray[np.int64], scales: NDArray[np.int64]) -> None:
        nonlocal out
        spent = np.empty(rows.shape if costs else (0, 0), np.float32)
        remembered = tables, points, latent_decisions.room_for(rows.shape[1]), spent
        # In strips: memory for the worst case, a hundred times the usual size, is reserved in advance.
        for first in range(0, len(rows), _STRIP):
            last = min(first + _STRIP, len(rows))
            need = laplace_coder.BYTES_PER_INTEGER * rows[first:last].size + _ROOM
            if out.size - state[range_coder.AT] < need:
                out = np.concatenate([out, np.empty(out.size + need, np.uint8)])
            latent_decisions.encode_rows(state, out, rows, means, scales, first, last, number, p, *remembered)
        if costs:
            costs[number][PASS_ROW[p] :: 2, PASS_COLUMN[p] :: 2] = spent

    _sweep(pyramid, _laid_out(pyramid, levels), integers, threads, visit)
    return out[: range_coder.finish_encoder(state, out)].tobytes()


def decode_latents(
    pyramid: Pyramid, data: bytes, integers: EntropyModelIntegers, threads: int, finest: int = 0, passes: int = PASSES
) -> list[NDArray[np.int16]]:
    """The inverse of encode_latents: the levels from `finest` on, and of that level only `passes` passes, its other
    latents becoming the mean of those beside them. Raises CorruptFileError where encode_latents cannot have written the
    bytes."""
    if data.endswith(b"\0"):
        raise CorruptFileError("section 'latents' ends in a zero byte")
    tables, points = latent_decisions.tables(), new_points(latent_decisions.CONTEXTS)
    source = np.frombuffer(data, np.uint8)
    state = range_coder.start_decoder(source)

    def visit(number: int, p: int, rows: Planes, means: NDArray[np.int64], scales: NDArray[np.int64]) -> None:
        remembered = tables, points, latent_decisions.room_for(rows.shape[1])
        largest = latent_decisions.decode_rows(state, source, rows, means, scales, number, p, *remembered)
        if largest > entropy_model_integer.MAX_LATENT:
            raise CorruptFileError("section 'latents': a latent has more than 15 bits")

    planes = np.zeros((PLANES, pyramid.total), np.float32)
    levels = _sweep(pyramid, planes, integers, threads, visit, finest, passes)
    if finest == 0 and state[range_coder.POSITION] < len(data):
        raise CorruptFileError(f"section 'latents': {len(data) - state[range_coder.POSITION]} bytes are left over")
    return levels


def decode_whole_levels(
    pyramid: Pyramid, data: bytes, integers: EntropyModelIntegers, threads: int
) -> list[NDArray[np.int16]]:
    """The levels, finest first, that are whole in the beginning of what encode_latents writes; perhaps none. Raises
    CorruptFileError where encode_latents cannot have written the bytes."""
    tables, points = latent_decisions.tables(), new_points(latent_decisions.CONTEXTS)
    source = np.frombuffer(data, np.uint8)
    state = range_coder.start_decoder(source)

    def visit(number: int, p: int, rows: Planes, means: NDArray[np.int64], scales: NDArray[np.int64]) -> bool:
        remembered = tables, points, latent_decisions.room_for(rows.shape[1])
        largest = latent_decisions.decode_rows(state, source, rows, means, scales, number, p, *remembered)
        if state[range_coder.POSITION] > len(data):
            return False  # zeros were read in place of bytes that are missing
        if largest > entropy_model_integer.MAX_LATENT:
            raise CorruptFileError("section 'latents': a latent has more than 15 bits")
        return True

    return _sweep(pyramid, np.zeros((PLANES, pyramid.total), np.float32), integers, threads, visit)


def latent_bits(
    pyramid: Pyramid, levels: list[NDArray[np.int16]], integers: EntropyModelIntegers, threads: int
) -> list[NDArray[np.float32]]:
    """The cost of each latent in bits, laid out as encode_latents takes latents, as the coder spends them. The sum is
    that of the bytes but for the last few bits."""
    costs = [np.empty(level.shape, np.float32) for level in levels]
    _encode(pyramid, levels, integers, threads, costs)
    return costs


def _laid_out(pyramid: Pyramid, levels: list[NDArray[np.int16]]) -> Planes:
    """Latents, finest level first, where the entropy model looks for them."""
    planes = np.zeros((PLANES, pyramid.total), np.float32)
    for level, values in zip(pyramid.levels, levels, strict=True):
        latent_kernels.add_deinterleaved(
            values.astype(np.float32), level.base, level.stride, 0, level.half_rows, planes
        )
    return planes


def _sweep(
    pyramid: Pyramid,
    planes: Planes,
    integers: EntropyModelIntegers,
    threads: int,
    visit: Callable[[int, int, Planes, NDArray[np.int64], NDArray[np.int64]], bool | None],
    finest: int = 0,
    passes: int = PASSES,
) -> list[NDArray[np.int16]]:
    """Visits all passes of the levels from the coarsest to `finest`, and returns the levels (rows, columns), finest
    first.

    visit(level, pass, latents, means, scales) is called for each pass with arrays (half_rows, half_columns). An
    encoder's visit reads the latents, a decoder's fills them in; where it returns False, the levels before are all.
    `passes` is that of decode_latents.
    """
    means, scales = np.empty(pyramid.total, np.int64), np.empty(pyramid.total, np.int64)
    done: list[NDArray[np.int16]] = []
    for number in range(pyramid.count - 1, finest - 1, -1):
        level = pyramid.levels[number]
        parts = [(at, min(at + _PIECE, level.end)) for at in range(level.base, level.end, _PIECE)]
        wanted = passes if number == finest else PASSES
        for p in range(wanted):
            _predict(pyramid, number, p, parts, planes, integers, threads, means, scales)
            latents = pyramid.view(planes[p], level)
            if visit(number, p, latents, pyramid.view(means, level), pyramid.view(scales, level)) is False:
                return done[::-1]
        for p in range(wanted, PASSES):
            known = sum(pyramid.view(plane, level) for plane in planes[:wanted])
            np.rint(known / wanted, out=pyramid.view(planes[p], level))
        plain = np.empty((level.rows, level.columns), np.float32)
        latent_kernels.interleave(planes, level.base, level.stride, 0, level.half_rows, plain)
        for finer in finer_levels_that_see(number):
            if finer >= finest:
                _show(plain, number - finer - 1, pyramid.levels[finer], planes)
        done.append(plain.astype(np.int16))
    return done[::-1]


def expected_means(
    pyramid: Pyramid,
    number: int,
    coarser: list[NDArray[np.int16]],
    integers: EntropyModelIntegers,
    every: int,
    threads: int,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The means that the entropy model gives the first pass of level `number`, which is not decoded: one for each 2 x 2
    latents, in the middle one of `every` rows of these. Returned are the rows' numbers, (ceil(half_rows / every),), and
    the means, (ceil(half_rows / every), half_columns). `coarser`: all coarser levels, finest first."""
    level = pyramid.levels[number]
    planes = np.zeros((PLANES, pyramid.total), np.float32)
    for shift, values in enumerate(coarser[: ancestor_count(number)]):
        _show(values.astype(np.float32), shift, level, planes)
    means, scales = np.empty(pyramid.total, np.int64), np.empty(pyramid.total, np.int64)
    rows = np.minimum(np.arange(0, level.half_rows, every) + every // 2, level.half_rows - 1)
    parts = [(level.base + row * level.stride, level.base + (row + 1) * level.stride) for row in rows.tolist()]
    _predict(pyramid, number, 0, parts, planes, integers, threads, means, scales)
    return rows, (pyramid.view(means, level)[rows] / MEAN_STEPS).astype(np.float32)


def _predict(
    pyramid: Pyramid,
    number: int,
    p: int,
    parts: list[tuple[int, int]],
    planes: Planes,
    integers: EntropyModelIntegers,
    threads: int,
    means: NDArray[np.int64],
    scales: NDArray[np.int64],
) -> None:
    """Fills in means and scales of pass p of level `number`: those of `parts`, and of the rest of their last
    blocks."""
    tap_planes, tap_offsets = taps_of(pyramid.levels[number])
    network = tap_planes[p], tap_offsets[p], integers.weights[number, p].astype(np.float64), integers.factors
    map_threads(lambda part: entropy_model_integer.predict(planes, *network, *part, means, scales), parts, threads)


def _show(values: NDArray[np.float32], shift: int, level: Level, planes: Planes) -> None:
    """Puts a level (rows, columns) that is shift + 1 levels coarser where the entropy model of `level` looks for it."""
    latent_kernels.place_coarser(
        values, shift, level.base, level.stride, level.half_rows, level.half_columns, planes[PARENT + shift]
    )
