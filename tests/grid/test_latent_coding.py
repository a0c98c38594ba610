"""Latents under the integer entropy model: there and back, equal on any number of threads, near the float model."""

import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fourcodec.coding import laplace_coder, range_coder
from fourcodec.coding.distributions import LOG_SCALE_MAX, LOG_SCALE_MIN, MEAN_STEPS, SCALE_STEPS
from fourcodec.coding.probability_maps import new_points
from fourcodec.errors import CorruptFileError
from fourcodec.fourier.elementary import LOG2_E
from fourcodec.grid import entropy_model as entropy_model_parameters
from fourcodec.grid import latent_coding
from fourcodec.grid.kernels import entropy_model, entropy_model_integer, latent_decisions
from fourcodec.grid.kernels import latents as kernels
from fourcodec.grid.kernels.entropy_model_integer import MAX_LATENT, MAX_SHIFT
from fourcodec.grid.kernels.layout import (
    B2,
    HIDDEN,
    MAX_WEIGHT,
    PASS_COLUMN,
    PASS_ROW,
    PASS_WEIGHTS,
    PASSES,
    TAPS,
    W1,
    W2,
    W3,
)
from fourcodec.grid.kernels.sampling import ALL
from fourcodec.grid.latent_coding import EntropyModelIntegers, decode_latents, encode_latents
from fourcodec.grid.pyramid import MAX_LEVELS, PARENT, PLANES, Pyramid, ancestor_count, level_count, pass_taps, taps_of

SHIFTS = (9, 9, 8, 7)
SPREADS = (30.0, 120.0, 60.0, 20.0)  # of the integers of W1, W2 with b2, and W3 for means and for scales


def random_integers(seed: int, size: float = 1.0, shifts: tuple[int, int, int, int] = SHIFTS) -> EntropyModelIntegers:
    """Other weights for each of MAX_LEVELS levels."""
    random = np.random.default_rng(seed)
    spreads = np.full(PASS_WEIGHTS, SPREADS[1])
    spreads[W1:W2], spreads[W3::2], spreads[W3 + 1 :: 2] = SPREADS[0], SPREADS[2], SPREADS[3]
    weights = random.normal(0, size * spreads, (MAX_LEVELS, PASSES, PASS_WEIGHTS))
    return EntropyModelIntegers(np.rint(weights).clip(-MAX_WEIGHT, MAX_WEIGHT).astype(np.int64), shifts)


def no_weights(levels: int) -> np.ndarray:
    return np.zeros((levels, PASSES, PASS_WEIGHTS), np.int64)


def random_latents(pyramid: Pyramid, spread: float, seed: int) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    values = [np.rint(random.laplace(0, spread, (level.rows, level.columns))) for level in pyramid.levels]
    return [plain.clip(-MAX_LATENT, MAX_LATENT).astype(np.int16) for plain in values]


def pyramid_of(height: int, width: int) -> Pyramid:
    return Pyramid(height, width, level_count(height, width))


def assert_equal(found: list[np.ndarray], wanted: list[np.ndarray]) -> None:
    assert len(found) == len(wanted)
    for a, b in zip(found, wanted, strict=True):
        assert a.dtype == np.int16
        assert np.array_equal(a, b)


sides = st.integers(1, 40)
spreads = st.sampled_from([0.0, 0.3, 5.0, 400.0])


@given(sides, sides, spreads, st.sampled_from([0.0, 0.3, 1.0]), st.integers(0, 99))
def test_latents_survive(height: int, width: int, spread: float, size: float, seed: int) -> None:
    pyramid, integers = pyramid_of(height, width), random_integers(seed, size)
    latents = random_latents(pyramid, spread, seed)
    data = encode_latents(pyramid, latents, integers, 1)
    assert_equal(decode_latents(pyramid, data, integers, 1), latents)


@given(st.tuples(*[st.integers(0, MAX_SHIFT)] * 4), st.sampled_from([0.01, 1.0, 500.0]), spreads, st.integers(0, 99))
def test_latents_survive_whatever_the_weights(
    shifts: tuple[int, int, int, int], size: float, spread: float, seed: int
) -> None:
    """A file may hold any weights: means far beyond every latent among what they give."""
    pyramid, integers = pyramid_of(9, 14), random_integers(seed, size, shifts)
    latents = random_latents(pyramid, spread, seed)
    data = encode_latents(pyramid, latents, integers, 1)
    assert_equal(decode_latents(pyramid, data, integers, 1), latents)


@pytest.mark.parametrize("value", [MAX_LATENT, -MAX_LATENT])
def test_the_largest_latents_survive(value: int) -> None:
    pyramid, integers = pyramid_of(13, 22), random_integers(1)
    latents = [np.full((level.rows, level.columns), value, np.int16) for level in pyramid.levels]
    data = encode_latents(pyramid, latents, integers, 1)
    assert_equal(decode_latents(pyramid, data, integers, 1), latents)


def test_many_latents_that_nobody_expected_fit_into_the_encoders_memory() -> None:
    """In another process, which the bytes written beyond an array would cost its life."""
    script = (
        "import numpy as np\n"
        "from fourcodec.grid.kernels.layout import HIDDEN, PASSES, PASS_WEIGHTS, W3\n"
        "from fourcodec.grid.latent_coding import EntropyModelIntegers, decode_latents, encode_latents\n"
        "from fourcodec.grid.pyramid import Pyramid\n"
        "pyramid, weights = Pyramid(400, 300, 2), np.zeros((2, PASSES, PASS_WEIGHTS), np.int64)\n"
        "weights[..., W3 + 2 * HIDDEN + 1] = -100\n"  # the constant's weight for scales: the least scale, around 0
        "integers = EntropyModelIntegers(weights, (0, 0, 0, 0))\n"
        "latents = [np.full((level.rows, level.columns), 32767, np.int16) for level in pyramid.levels]\n"
        "data = encode_latents(pyramid, latents, integers, 1)\n"
        "found = decode_latents(pyramid, data, integers, 1)\n"
        "print(all(np.array_equal(a, b) for a, b in zip(found, latents, strict=True)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr


@pytest.mark.parametrize("threads", [2, 4])
def test_bytes_and_latents_do_not_depend_on_the_number_of_threads(threads: int) -> None:
    pyramid, integers = Pyramid(170, 157, 5), random_integers(3)  # the finest level is two pieces of work
    latents = random_latents(pyramid, 2.0, 3)
    data = encode_latents(pyramid, latents, integers, 1)
    assert encode_latents(pyramid, latents, integers, threads) == data
    assert_equal(decode_latents(pyramid, data, integers, threads), latents)


@given(sides, sides, st.integers(1, PASSES), st.integers(0, 99))
def test_passes_of_the_finest_level_that_are_not_decoded_are_the_mean_of_those_that_are(
    height: int, width: int, passes: int, seed: int
) -> None:
    pyramid, integers = pyramid_of(height, width), random_integers(seed)
    latents = random_latents(pyramid, 5.0, seed)
    data = encode_latents(pyramid, latents, integers, 1)
    first = min(1, pyramid.count - 1)
    finest, *coarser = decode_latents(pyramid, data, integers, 1, first, passes)
    assert_equal(coarser, latents[first + 1 :])
    known = [latents[first][PASS_ROW[p] :: 2, PASS_COLUMN[p] :: 2] for p in range(passes)]
    expected = known + [np.rint(np.mean(known, axis=0))] * (PASSES - passes)
    for p, cells in enumerate(expected):
        assert np.array_equal(finest[PASS_ROW[p] :: 2, PASS_COLUMN[p] :: 2], cells)


@pytest.mark.parametrize("size", [(1, 1), (23, 18), (130, 75)])
def test_levels_decoded_alone_are_those_of_the_whole(size: tuple[int, int]) -> None:
    pyramid, integers = Pyramid(*size, MAX_LEVELS), random_integers(4)
    latents = random_latents(pyramid, 3.0, 4)
    data = encode_latents(pyramid, latents, integers, 1)
    for finest in range(MAX_LEVELS):
        assert_equal(decode_latents(pyramid, data, integers, 1, finest), latents[finest:])


Distributions = dict[tuple[int, int], tuple[np.ndarray, np.ndarray]]


def distributions_of(pyramid: Pyramid, latents: list[np.ndarray], integers: EntropyModelIntegers) -> Distributions:
    """Means and scales (half rows, half columns) of each level and pass, in the order of coding."""
    found: Distributions = {}

    def visit(number: int, p: int, rows: np.ndarray, means: np.ndarray, scales: np.ndarray) -> None:
        assert np.array_equal(rows, latents[number][PASS_ROW[p] :: 2, PASS_COLUMN[p] :: 2])
        found[number, p] = means.copy(), scales.copy()

    latent_coding._sweep(pyramid, latent_coding._laid_out(pyramid, latents), integers, 1, visit)
    return found


def integers_of_parameters(seed: int, levels: int) -> EntropyModelIntegers:
    """Networks as a file has them, with features."""
    random = np.random.default_rng(seed)
    vector = np.rint(random.normal(0, 60, entropy_model_parameters.SIZE)).astype(np.int64)
    shifts = (9, 9, 8, 7)
    return EntropyModelIntegers(entropy_model_parameters.integer_networks(vector, (*shifts, 7, 7), levels), shifts)


@pytest.mark.parametrize(("count", "passes"), [(7, PASSES), (MAX_LEVELS, 1)])  # with 9 the coarsest are not all seen
def test_a_latent_changes_no_distribution_but_of_latents_that_are_coded_later_and_see_it(
    count: int, passes: int
) -> None:
    """One latent of each level and pass."""
    pyramid = Pyramid(97, 70, count)
    integers, latents = integers_of_parameters(5, pyramid.count), random_latents(pyramid, 2.0, 5)
    before = distributions_of(pyramid, latents, integers)
    for time, (number, p) in enumerate(before):
        if p >= passes:
            continue
        changed, level = [plain.copy() for plain in latents], pyramid.levels[number]
        cell = level.half_rows // 3, level.half_columns // 3
        changed[number][2 * cell[0] + PASS_ROW[p], 2 * cell[1] + PASS_COLUMN[p]] += 9
        after, seen = distributions_of(pyramid, changed, integers), set()
        for later, place in enumerate(before):
            moved = [np.nonzero(a != b) for a, b in zip(before[place], after[place], strict=True)]
            if any(len(rows) for rows, _ in moved):
                assert later > time
                seen.add(place[0])
        wanted = {n for n in range(number) if number - n <= ancestor_count(n)}
        assert seen - {number} == wanted


@pytest.mark.parametrize("every", [1, 3])
@pytest.mark.parametrize("number", range(MAX_LEVELS))
def test_means_that_are_expected_are_those_of_the_first_pass(number: int, every: int) -> None:
    pyramid = Pyramid(97, 70, MAX_LEVELS)
    integers, latents = integers_of_parameters(6, pyramid.count), random_latents(pyramid, 2.0, 6)
    means, _ = distributions_of(pyramid, latents, integers)[number, 0]
    rows, found = latent_coding.expected_means(pyramid, number, latents[number + 1 :], integers, every, 1)
    assert len(rows) == -(-pyramid.levels[number].half_rows // every)
    assert np.array_equal(found, (means[rows] / MEAN_STEPS).astype(np.float32))


def test_what_the_model_does_not_know_is_learned() -> None:
    """A model that gives every latent a scale of 1; in fact they are 0 on the left, and 0 or 1 on the right."""
    pyramid, integers = Pyramid(64, 64, 1), EntropyModelIntegers(no_weights(1), (0, 0, 0, 0))
    latents = np.random.default_rng(0).integers(0, 2, (64, 64)).astype(np.int16)
    latents[:, :32] = 0
    means, scales = np.zeros((64, 64), np.int64), np.full((64, 64), -LOG_SCALE_MIN * SCALE_STEPS)
    expected = laplace_coder.bits_of(latents.astype(np.int64), means, scales, laplace_coder.tables()).sum()
    assert 8 * len(encode_latents(pyramid, [latents], integers, 1)) < 0.65 * expected


def test_the_costs_of_latents_add_up_to_the_bytes() -> None:
    pyramid, integers = pyramid_of(60, 43), random_integers(2, 0.3)
    latents = random_latents(pyramid, 1.0, 2)
    costs = latent_coding.latent_bits(pyramid, latents, integers, 1)
    assert [cost.shape for cost in costs] == [plain.shape for plain in latents]
    size_bytes = len(encode_latents(pyramid, latents, integers, 1))
    assert sum(float(cost.sum(dtype=np.float64)) for cost in costs) == pytest.approx(8 * size_bytes, abs=33)
    assert min(cost.min() for cost in costs) >= 0


def test_a_good_model_makes_a_small_section() -> None:
    """Latents that equal their parents, under a model whose mean is the parent and whose scale is the least."""
    pyramid, weights = Pyramid(60, 52, 6), no_weights(6)
    for p, (planes, places) in enumerate(pass_taps()):
        parent = next(k for k in range(TAPS) if planes[k] == PARENT and places[k] == (0, 0))
        weights[:, p, W3 + 2 * (HIDDEN + parent)] = 1
        weights[:, p, W3 + 2 * HIDDEN + 1] = -100
    integers = EntropyModelIntegers(weights, (0, 0, 0, 0))
    latents = [np.full((level.rows, level.columns), 7, np.int16) for level in pyramid.levels]
    data = encode_latents(pyramid, latents, integers, 1)
    assert len(data) < 60  # four latents of the coarsest level are not expected: some 100 bits each
    assert_equal(decode_latents(pyramid, data, integers, 1), latents)


@pytest.mark.parametrize("value", [MAX_LATENT + 1, -MAX_LATENT - 1, 10**6])
def test_latents_beyond_15_bits_are_refused(value: int) -> None:
    """Bytes that no encoder writes: the first latent of the coarsest level is too large."""
    pyramid = pyramid_of(1, 1)
    weights = no_weights(pyramid.count)
    weights[..., W3 + 2 * HIDDEN] = np.sign(value) * 32000  # the mean of every latent
    integers = EntropyModelIntegers(weights, (0, 0, 0, 0))
    state, out = range_coder.start_encoder(), np.empty(1 << 12, np.uint8)
    mean, scale = np.sign(value) * 32000 * MEAN_STEPS, -LOG_SCALE_MIN * SCALE_STEPS
    kinds = (value, np.float32), (mean, np.int64), (scale, np.int64)
    rows = (np.full((1, 1), number, kind) for number, kind in kinds)
    tables, points = latent_decisions.tables(), new_points(latent_decisions.CONTEXTS)
    remembered = tables, points, latent_decisions.room_for(1), np.empty((0, 0), np.float32)
    latent_decisions.encode_rows(state, out, *rows, 0, 1, pyramid.count - 1, 0, *remembered)
    data = out[: range_coder.finish_encoder(state, out)].tobytes()
    with pytest.raises(CorruptFileError, match="15 bits"):
        decode_latents(pyramid, data, integers, 1)


def test_left_over_bytes_are_refused() -> None:
    pyramid, integers = pyramid_of(12, 17), random_integers(1)
    data = encode_latents(pyramid, random_latents(pyramid, 2.0, 1), integers, 1)
    with pytest.raises(CorruptFileError, match="left over"):
        decode_latents(pyramid, data + b"\x01" * 9, integers, 1)
    with pytest.raises(CorruptFileError, match="zero byte"):
        decode_latents(pyramid, data + b"\0", integers, 1)


def end_in_latents_or_an_error(pyramid: Pyramid, data: bytes, integers: EntropyModelIntegers) -> None:
    try:
        found = decode_latents(pyramid, data, integers, 1)
    except CorruptFileError:
        return
    assert [plain.shape for plain in found] == [(level.rows, level.columns) for level in pyramid.levels]
    assert max(np.abs(plain.astype(int)).max() for plain in found) <= MAX_LATENT


def test_damaged_bytes_end_in_latents_or_an_error() -> None:
    pyramid, integers = pyramid_of(12, 17), random_integers(1)
    data = encode_latents(pyramid, random_latents(pyramid, 4.0, 1), integers, 1)
    random = np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(data)
        damaged[random.integers(len(data))] ^= int(random.integers(1, 256))
        end_in_latents_or_an_error(pyramid, bytes(damaged), integers)
    for length in range(0, len(data), 7):
        end_in_latents_or_an_error(pyramid, data[:length], integers)


@given(st.binary(max_size=200), st.tuples(*[st.integers(0, MAX_SHIFT)] * 4), st.integers(0, 99))
def test_any_bytes_end_in_latents_or_an_error(data: bytes, shifts: tuple[int, int, int, int], seed: int) -> None:
    end_in_latents_or_an_error(pyramid_of(7, 10), data, random_integers(seed, 50.0, shifts))


def test_integers_out_of_range_are_a_callers_mistake() -> None:
    weights = no_weights(2)
    with pytest.raises(ValueError, match="shifts"):
        EntropyModelIntegers(weights, (0, 0, MAX_SHIFT + 1, 0))
    with pytest.raises(ValueError, match="shifts"):
        EntropyModelIntegers(weights, (-1, 0, 0, 0))
    weights[1, 2, 5] = MAX_WEIGHT + 1
    with pytest.raises(ValueError, match="weights"):
        EntropyModelIntegers(weights, SHIFTS)


def test_no_sum_can_pass_what_float64_holds_exactly() -> None:
    """In the units of entropy_model_integer.py, everything at its largest."""
    one = 2**entropy_model_integer.FRACTION
    hidden = int(entropy_model_integer.HIDDEN_MAX)
    first = TAPS * MAX_WEIGHT * MAX_LATENT
    second = HIDDEN * MAX_WEIGHT * hidden + MAX_WEIGHT * one
    third = HIDDEN * MAX_WEIGHT * hidden + TAPS * MAX_WEIGHT * MAX_LATENT * one
    assert max(first * one, second, third) < 2**52  # and one bit for the half that rounds


# From here on both models of one set of weights.


@dataclass
class Model:
    """Planes as the entropy model sees them, and one set of weights in both forms."""

    pyramid: Pyramid
    planes: np.ndarray
    integers: EntropyModelIntegers

    @property
    def weights(self) -> np.ndarray:
        """(levels, PASSES, PASS_WEIGHTS) float32."""
        first, second, mean, scale = self.integers.shifts
        shifts = np.full(PASS_WEIGHTS, second)
        shifts[W1:W2] = first
        shifts[W3::2], shifts[W3 + 1 :: 2] = mean, scale
        return np.ldexp(self.integers.weights, -shifts).astype(np.float32)


def model_of(seed: int, spread: float, size: float) -> Model:
    pyramid = Pyramid(37, 50, 6)
    planes, latents = np.zeros((PLANES, pyramid.total), np.float32), random_latents(pyramid, spread, seed)
    for number, (level, plain) in enumerate(zip(pyramid.levels, latents, strict=True)):
        kernels.add_deinterleaved(plain.astype(np.float32), level.base, level.stride, 0, level.half_rows, planes)
        for shift, coarser in enumerate(latents[number + 1 :][: ancestor_count(number)]):
            kernels.place_coarser(
                coarser.astype(np.float32), shift, level.base, level.stride,
                level.half_rows, level.half_columns, planes[PARENT + shift],
            )  # fmt: skip
    return Model(pyramid, planes, random_integers(seed, size))


def float_gradients(model: Model, p: int, y: np.ndarray) -> np.ndarray:
    """(total,): how the bits of pass p, under the float model, rise with its latents where these are y."""
    planes, weights = model.planes.copy(), np.zeros_like(model.weights)
    planes[p], weights[:, p] = y, model.weights[:, p]  # passes without weights see nothing and change nothing
    gradients, mask = np.zeros_like(planes), model.pyramid.mask()
    for level, own in zip(model.pyramid.levels, weights, strict=False):
        entropy_model.rate_gradient(
            planes, mask, *taps_of(level), own, entropy_model.transpose(own), level.base, level.end,
            ALL, gradients, np.zeros_like(own), np.zeros(PASSES),
        )  # fmt: skip
    return gradients[p]


def float_distributions(model: Model, p: int) -> tuple[np.ndarray, np.ndarray]:
    """Means and log2 scales (total,) of pass p under the float model: the bits are least at the mean, and far from it
    they rise by log2(e) / scale."""
    low, high = np.full(model.pyramid.total, -5000.0, np.float32), np.full(model.pyramid.total, 5000.0, np.float32)
    rise = float_gradients(model, p, np.full(model.pyramid.total, 1e5, np.float32))
    for _ in range(30):
        middle = (low + high) / 2
        above = float_gradients(model, p, middle) >= 0
        high, low = np.where(above, middle, high), np.where(above, low, middle)
    return (low + high) / 2, -np.log2(np.maximum(rise, 1e-9) / LOG2_E)


def integer_distributions(model: Model, p: int) -> tuple[np.ndarray, np.ndarray]:
    """The same of the integer model."""
    means, scales = (np.zeros(model.pyramid.total, np.int64) for _ in range(2))
    for level, own in zip(model.pyramid.levels, model.integers.weights, strict=False):
        tap_planes, tap_offsets = taps_of(level)
        entropy_model_integer.predict(
            model.planes, tap_planes[p], tap_offsets[p], own[p].astype(np.float64),
            model.integers.factors, level.base, level.end, means, scales,
        )  # fmt: skip
    return means / MEAN_STEPS, scales / SCALE_STEPS + LOG_SCALE_MIN


def largest_rounding(weights: np.ndarray) -> tuple[float, float]:
    """By how much means and log2 scales of one pass can differ because hidden values are rounded down to 1/256: that,
    carried through the absolute values of the weights. Slopes of relu are at most 1."""
    unit = 2.0**-entropy_model_integer.FRACTION
    second = np.abs(weights[W2:B2].reshape(HIDDEN, HIDDEN)).sum(axis=0) * unit + unit
    mean, scale = second @ np.abs(weights[W3:].reshape(HIDDEN + TAPS, 2)[:HIDDEN])
    return float(mean), float(scale)


@pytest.mark.parametrize("p", range(PASSES))
@pytest.mark.parametrize(("seed", "spread", "size"), [(0, 0.5, 0.5), (1, 3.0, 0.7), (2, 20.0, 1.0)])
def test_the_integer_model_is_the_float_model_rounded(p: int, seed: int, spread: float, size: float) -> None:
    model = model_of(seed, spread, size)
    visible = model.pyramid.mask() == 1
    (mean, log_scale), (rounded_mean, rounded_scale) = float_distributions(model, p), integer_distributions(model, p)
    of_mean, of_scale = (np.max(some) for some in zip(*map(largest_rounding, model.weights[:, p]), strict=True))
    wide = np.abs(mean[visible]).max() > 2 / MEAN_STEPS  # else there would be nothing to compare
    assert wide
    assert np.abs(mean - rounded_mean)[visible].max() < 0.5 / MEAN_STEPS + of_mean + 1e-3
    assert np.abs(log_scale - rounded_scale)[visible].max() < 0.5 / SCALE_STEPS + of_scale + 1e-3
    assert log_scale[visible].min() > LOG_SCALE_MIN - 1e-3
    assert log_scale[visible].max() < LOG_SCALE_MAX + 1e-3


def test_rounding_does_not_move_means_or_scales_far() -> None:
    """With weights of the size that fits find."""
    for seed in range(3):
        model = model_of(seed, 2.0, 0.4)
        visible = model.pyramid.mask() == 1
        for p in range(PASSES):
            (mean, log_scale), rounded = float_distributions(model, p), integer_distributions(model, p)
            assert np.abs(mean - rounded[0])[visible].max() < 1 / MEAN_STEPS + 0.02
            assert np.abs(log_scale - rounded[1])[visible].max() < 1 / SCALE_STEPS + 0.02
