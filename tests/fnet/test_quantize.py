"""Steps and symbols."""

import numpy as np

from fourcodec.fnet.quantize import MAX_SYMBOL, dequantize, quantize, step_index, step_size


def test_every_step_index_survives() -> None:
    indices = np.arange(256, dtype=np.uint8)
    assert np.array_equal(step_index(step_size(indices).astype(np.float64)), indices)


def test_steps_are_eighths_of_octaves() -> None:
    assert np.allclose(step_size(np.arange(256, dtype=np.uint8)), 2.0 ** (-np.arange(256) / 8), rtol=1e-7)


def test_steps_outside_the_table_are_clipped() -> None:
    assert step_index(np.array([50.0, 1e-30])).tolist() == [0, 255]


def test_symbols_survive_and_errors_are_half_a_step() -> None:
    random = np.random.default_rng(0)
    values, steps = random.normal(0, 1, 500).astype(np.float32), np.full(500, 0.01, np.float32)
    symbols = quantize(values, steps)
    assert np.abs(dequantize(symbols, steps) - values).max() <= 0.00501
    assert np.array_equal(quantize(dequantize(symbols, steps), steps), symbols)


def test_symbols_are_bounded() -> None:
    assert quantize(np.array([1e9, -1e9], np.float32), np.float32([1e-9, 1e-9])).tolist() == [MAX_SYMBOL, -MAX_SYMBOL]
