"""Integers under given distributions through the range coder and back; its tables against decimal arithmetic."""

from dataclasses import dataclass
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fourcodec.coding import laplace_coder, range_coder
from fourcodec.coding.distributions import LOG_SCALE_MAX, LOG_SCALE_MIN, MEAN_STEPS, SCALE_STEPS
from fourcodec.coding.laplace_coder import SCALES, tables

LARGEST = 2**15 - 1  # of latents
LEAST = 4  # probabilities lie in LEAST .. 65536 - LEAST


@dataclass
class Coded:
    """What was coded: (n,) int64 each; means in 1 / MEAN_STEPS."""

    q: np.ndarray
    means: np.ndarray
    scales: np.ndarray


def encode(coded: Coded) -> bytes:
    state, out = range_coder.start_encoder(), np.empty(laplace_coder.BYTES_PER_INTEGER * coded.q.size + 16, np.uint8)
    laplace_coder.encode_rows(state, out, coded.q[None], coded.means[None], coded.scales[None], *tables())
    return out[: range_coder.finish_encoder(state, out)].tobytes()


def decode(data: bytes, means: np.ndarray, scales: np.ndarray) -> tuple[np.ndarray, int]:
    """The integers, and how many bytes were asked for."""
    source, q = np.frombuffer(data, np.uint8), np.empty(means.size, np.int64)
    state = range_coder.start_decoder(source)
    laplace_coder.decode_rows(state, source, q[None], means[None], scales[None], *tables())
    return q, int(state[2])


def ideal_bits(coded: Coded) -> float:
    """-log2 of the integers' probabilities under their Laplace distributions."""
    scale = 2.0 ** (coded.scales / SCALE_STEPS + LOG_SCALE_MIN)
    u = np.abs(coded.q - coded.means / MEAN_STEPS)
    far = (u - 0.5) / scale / np.log(2) - np.log2(-np.expm1(-1 / scale) / 2)
    near = -np.log2(1 - np.exp(-0.5 / scale) * np.cosh(np.minimum(u, 0.5) / scale))
    return float(np.where(u < 0.5, near, far).sum())


def drawn(means: np.ndarray, scales: np.ndarray, seed: int) -> Coded:
    """Integers that follow the distributions they are coded under."""
    random = np.random.default_rng(seed)
    values = random.laplace(means / MEAN_STEPS, 2.0 ** (scales / SCALE_STEPS + LOG_SCALE_MIN))
    return Coded(np.rint(values).astype(np.int64), means, scales)


def exact_probabilities() -> tuple[list[list[Decimal]], list[list[Decimal]], list[list[Decimal]], list[Decimal]]:
    """Of `same`, `above`, `low` and `more`, unclipped, 50 digits."""
    same: list[list[Decimal]] = []
    above: list[list[Decimal]] = []
    low: list[list[Decimal]] = []
    more: list[Decimal] = []
    with localcontext() as context:
        context.prec = 50
        half = Decimal("0.5")
        for index in range(SCALES):
            scale = Decimal(2) ** (Decimal(index) / SCALE_STEPS + LOG_SCALE_MIN)
            same.append([])
            above.append([])
            for step in range(MEAN_STEPS):
                mean = Decimal(step - MEAN_STEPS // 2) / MEAN_STEPS
                under = half * (-(half + mean) / scale).exp()
                over = half * (-(half - mean) / scale).exp()
                same[-1].append(1 - under - over)
                above[-1].append(over / (over + under))
            ratios = [(-(2**bit) / scale).exp() for bit in range(8)]
            low.append([ratio / (1 + ratio) for ratio in ratios])
            more.append((-(2 ** max(index // SCALE_STEPS + LOG_SCALE_MIN, 0)) / scale).exp())
    return same, above, low, more


@pytest.fixture(scope="module")
def exact() -> tuple[np.ndarray, ...]:
    """65536 times the exact probabilities, as arrays of Decimal."""
    return tuple(np.array(table) * 65536 for table in exact_probabilities())


def test_tables_are_the_exact_values_rounded(exact: tuple[np.ndarray, ...]) -> None:
    same, above, _, low, more = tables()
    for table, wanted in zip((same, above, low, more), exact, strict=True):
        rounded = np.vectorize(lambda value: int(value.to_integral_value()))(wanted)
        assert np.array_equal(table, np.clip(rounded, LEAST, 65536 - LEAST))


def test_no_table_entry_is_near_a_rounding_edge(exact: tuple[np.ndarray, ...]) -> None:
    """Else the last place of a machine's exp() could decide; one part in 10^11 is what float64 is wrong by at most."""
    for wanted in exact:
        distance = np.abs(wanted % 1 - Decimal("0.5"))
        assert distance.min() > Decimal("1e-6")


def test_scales_reach_from_the_least_to_the_largest() -> None:
    same, above, bits, _, more = tables()
    assert bits[-1] == LOG_SCALE_MAX
    assert bits[0] == 0
    assert same.shape == above.shape == (SCALES, MEAN_STEPS)
    assert more.shape == (SCALES,)
    assert SCALES == (LOG_SCALE_MAX - LOG_SCALE_MIN) * SCALE_STEPS + 1
    assert same[0, MEAN_STEPS // 2] > 65000
    assert (above[:, MEAN_STEPS // 2] == 32768).all()  # a mean in the middle of its bin prefers no side


means = st.one_of(st.integers(-200, 200), st.integers(-LARGEST * MEAN_STEPS, LARGEST * MEAN_STEPS))
offsets = st.one_of(st.integers(-2, 2), st.integers(-30, 30), st.integers(-2 * LARGEST, 2 * LARGEST))


@given(st.lists(st.tuples(means, offsets, st.integers(0, SCALES - 1)), max_size=100))
def test_integers_survive(triples: list[tuple[int, int, int]]) -> None:
    """Latents and means as far out as they can be, under any scale: the escape code included."""
    of_means = np.array([mean for mean, _, _ in triples], np.int64)
    q = np.array([mean // MEAN_STEPS + offset for mean, offset, _ in triples], np.int64).clip(-LARGEST, LARGEST)
    coded = Coded(q, of_means, np.array([scale for _, _, scale in triples], np.int64))
    data = encode(coded)
    assert not data.endswith(b"\0")
    found, used = decode(data, coded.means, coded.scales)
    assert np.array_equal(found, coded.q)
    assert used >= len(data)


@pytest.mark.parametrize("scale", [0, 31, SCALES - 1])
@pytest.mark.parametrize("mean", [-LARGEST * MEAN_STEPS, -1, 0, 31, 32, LARGEST * MEAN_STEPS])
def test_the_farthest_integers_survive(scale: int, mean: int) -> None:
    q = np.array([-LARGEST, LARGEST, -LARGEST, 0, 25, -25, 24, -24, 26, 1, LARGEST], np.int64)
    coded = Coded(q, np.full(q.size, mean, np.int64), np.full(q.size, scale, np.int64))
    found, _ = decode(encode(coded), coded.means, coded.scales)
    assert np.array_equal(found, q)


@pytest.mark.parametrize("scale", range(0, SCALES, 8))
def test_size_is_near_the_ideal_at_every_scale(scale: int) -> None:
    coded = drawn(np.random.default_rng(scale).integers(-999, 999, 8000), np.full(8000, scale), seed=scale)
    assert len(encode(coded)) < 1.01 * ideal_bits(coded) / 8 + 4


def test_size_is_near_the_ideal_where_distributions_change() -> None:
    random = np.random.default_rng(4)
    coded = drawn(random.integers(-9999, 9999, 30_000), random.integers(0, 8 * SCALE_STEPS, 30_000), seed=1)
    assert len(encode(coded)) < 1.01 * ideal_bits(coded) / 8 + 4
    assert np.array_equal(decode(encode(coded), coded.means, coded.scales)[0], coded.q)


def test_sure_zeros_cost_next_to_nothing() -> None:
    zeros = np.zeros(100_000, np.int64)
    assert len(encode(Coded(zeros, zeros, zeros))) < 25


def test_every_truncation_decodes_to_something() -> None:
    coded = drawn(np.arange(-30, 30) * 7, np.arange(60), seed=2)
    data = encode(coded)
    for length in range(len(data)):
        q, _ = decode(data[:length], coded.means, coded.scales)
        assert q.shape == coded.q.shape


@given(st.binary(max_size=60), st.integers(0, 40), st.integers(0, 9))
def test_any_bytes_end_in_integers(data: bytes, count: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    of_means = random.integers(-LARGEST * MEAN_STEPS, LARGEST * MEAN_STEPS, count)
    q, _ = decode(data, of_means, random.integers(0, SCALES, count))
    assert np.abs(q - of_means // MEAN_STEPS).max(initial=0) < (2**21 + 30) * 2**LOG_SCALE_MAX


@given(st.integers(0, 2**32 - 1), st.integers(0, SCALES - 1), st.integers(0, 3000))
def test_what_integers_cost_is_what_they_take(seed: int, scale: int, far: int) -> None:
    """Far off their means as well, where the rest of an integer is in plain bits."""
    random = np.random.default_rng(seed)
    means = random.integers(-64 * MEAN_STEPS, 64 * MEAN_STEPS, 200)
    scales = np.clip(scale + random.integers(-4, 5, 200), 0, SCALES - 1)
    coded = drawn(means, scales, seed)
    coded.q[::7] += far
    bits = laplace_coder.bits_of(coded.q, coded.means, coded.scales, tables())
    assert (bits > 0).all()
    assert bits.sum() == pytest.approx(8 * len(encode(coded)), rel=1e-3, abs=33)  # zero bytes at the end are left out
