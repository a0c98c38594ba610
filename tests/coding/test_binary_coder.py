"""Integers through the range coder and back; damaged bytes never do more than give wrong integers or an error."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fourcodec.coding import binary_coder
from fourcodec.errors import CorruptFileError

LARGEST = (1 << binary_coder.MAX_BITS) - 1
integers = st.one_of(st.integers(-3, 3), st.integers(-300, 300), st.integers(-LARGEST, LARGEST))


@given(st.lists(st.tuples(integers, st.integers(0, 255)), max_size=200))
def test_integers_survive(pairs: list[tuple[int, int]]) -> None:
    values = np.array([value for value, _ in pairs], np.int32)
    contexts = np.array([context for _, context in pairs], np.uint8)
    data = binary_coder.encode(values, contexts)
    assert np.array_equal(binary_coder.decode(data, contexts), values)


finer_contexts = st.lists(st.tuples(integers, st.integers(0, 5), st.integers(-1, 9)), max_size=200)


@given(finer_contexts)
def test_integers_survive_under_finer_contexts(triples: list[tuple[int, int, int]]) -> None:
    values = np.array([value for value, *_ in triples], np.int32)
    contexts = np.array([pair for _, *pair in triples], np.int64).reshape(-1, 2)
    data = binary_coder.encode(values, contexts)
    assert np.array_equal(binary_coder.decode(data, contexts), values)


def test_without_finer_contexts_bytes_are_those_of_contexts_alone() -> None:
    values = np.random.default_rng(2).integers(-9, 9, 300).astype(np.int32)
    contexts = np.arange(300) % 3
    pairs = np.stack([contexts, np.full(300, -1)], axis=1)
    assert binary_coder.encode(values, pairs) == binary_coder.encode(values, contexts)


def test_finer_contexts_take_fewer_bytes_where_they_differ() -> None:
    random = np.random.default_rng(3)
    finer = random.integers(0, 2, 4000)
    values = np.rint(random.laplace(0, np.where(finer, 40.0, 0.3))).astype(np.int32)
    contexts = np.zeros(4000, np.int64)
    alone = len(binary_coder.encode(values, contexts))
    assert len(binary_coder.encode(values, np.stack([contexts, finer], axis=1))) < 0.85 * alone
    assert len(binary_coder.encode(values, np.stack([contexts, contexts], axis=1))) < 1.01 * alone


def test_rate_is_near_the_entropy() -> None:
    random = np.random.default_rng(1)
    values = np.rint(random.laplace(0, 12, 20_000)).astype(np.int32)
    shares = np.unique(values, return_counts=True)[1] / values.size
    entropy_bytes = -(shares * np.log2(shares)).sum() * values.size / 8
    size_bytes = len(binary_coder.encode(values, np.zeros(values.size, np.uint8)))
    assert size_bytes < 1.01 * entropy_bytes


def test_too_large_an_integer_is_refused() -> None:
    with pytest.raises(ValueError, match="20 bits"):
        binary_coder.encode(np.array([1 << 20], np.int32), np.zeros(1, np.uint8))


def test_left_over_bytes_are_refused() -> None:
    contexts = np.zeros(50, np.uint8)
    data = binary_coder.encode(np.arange(50, dtype=np.int32), contexts)
    with pytest.raises(CorruptFileError, match="left over"):
        binary_coder.decode(data + b"\x01" * 9, contexts)
    with pytest.raises(CorruptFileError, match="zero byte"):
        binary_coder.decode(data + b"\0", contexts)


@given(st.binary(max_size=60), st.integers(0, 80))
def test_any_bytes_end_in_integers_or_an_error(data: bytes, count: int) -> None:
    contexts = np.arange(count, dtype=np.uint8) % 3
    try:
        values = binary_coder.decode(data, contexts)
    except CorruptFileError:
        return
    assert values.shape == (count,)
    assert np.abs(values).max(initial=0) <= LARGEST


def test_the_parts_of_what_was_coded_add_up() -> None:
    random = np.random.default_rng(3)
    sizes, spreads = (500, 30, 2000), (2.0, 200.0, 0.3)
    values = np.concatenate(
        [np.rint(random.laplace(0, spread, n)) for n, spread in zip(sizes, spreads, strict=True)]
    ).astype(np.int32)
    contexts = np.repeat(np.arange(3, dtype=np.uint8), sizes)
    ends = np.cumsum(sizes).tolist()
    data = binary_coder.encode(values, contexts)
    spent = binary_coder.spent_bits(data, contexts, ends)
    assert sum(spent) == pytest.approx(8 * len(data), abs=33)  # zero bytes at the end are left out
    for end, bits in zip(ends, np.cumsum(spent), strict=True):  # a part costs what a file that ends there has
        assert 8 * len(binary_coder.encode(values[:end], contexts[:end])) == pytest.approx(bits, abs=33)
