"""Rounding with feedback: what its errors cost, and noise of the same form."""

import numpy as np
import pytest

from fourcodec.fnet import network as fourier
from fourcodec.fnet.fit.error_feedback import MAX_ROWS, ErrorFeedback, _factorised
from fourcodec.fnet.fit.step_sizes import StepSizes
from fourcodec.fnet.quantize import dequantize, quantize
from fourcodec.fnet.rendering import spread_steps
from fourcodec.fourier.shape import NetworkShape

SHAPE = NetworkShape(width=5, depth=3, channels=3, order=3)
LAYERS = range(len(SHAPE.layers))


class Problem:
    """A random network with smooth layers, of which an estimate was taken."""

    def __init__(self, shape: NetworkShape = SHAPE) -> None:
        random = self.random = np.random.default_rng(5)
        self.shape = shape
        self.coefficients = random.normal(0, 0.03, shape.coefficient_count).astype(np.float32)
        self.coefficients[shape.layers[0].span] *= 10  # hidden states vary by a third of a turn, as in a fit
        self.x = random.uniform(0, 0.5, (2, 6000)).astype(np.float32)
        signs = random.choice(np.array([-1, 1], np.float32), (3, 6000))
        self.sensitivities = fourier.sensitivities(shape, self.coefficients, self.x, signs)
        self.feedback = ErrorFeedback(shape)
        self.feedback.observe(self.sensitivities, 1)
        self.values = fourier.evaluate(shape, self.coefficients, self.x)

    def cost(self, coefficients: np.ndarray) -> float:
        """The MSE between the networks of these coefficients and the problem's."""
        moved = fourier.evaluate(self.shape, coefficients.astype(np.float32), self.x)
        return float(np.square(moved - self.values, dtype=np.float64).mean())


@pytest.fixture
def problem() -> Problem:
    return Problem()


def test_a_factorisation_has_the_value_of_the_matrix() -> None:
    random = np.random.default_rng(0)
    root = random.normal(size=(6, 9))
    costs, feedback = _factorised(root @ root.T)
    errors = random.normal(size=6)
    assert (costs * (errors + feedback @ errors) ** 2).sum() == pytest.approx(errors @ root @ root.T @ errors)
    assert np.array_equal(feedback, np.tril(feedback, -1))


def test_a_matrix_without_correlation_needs_no_feedback() -> None:
    costs, feedback = _factorised(np.diag([3.0, 1.0, 2.0]))
    assert costs.tolist() == pytest.approx([3, 1, 2])
    assert np.abs(feedback).max() == 0


@pytest.mark.parametrize("number", LAYERS)
def test_rounding_with_feedback_costs_less_than_rounding(problem: Problem, number: int) -> None:
    span, outputs = SHAPE.layers[number].span, SHAPE.layers[number].outputs
    steps = np.tile(np.linspace(0.001, 0.002, outputs, dtype=np.float32), SHAPE.layers[number].size // outputs)
    own, with_feedback, without = problem.coefficients[span], *(problem.coefficients.copy() for _ in range(2))
    symbols = problem.feedback.rounded(number, own, steps)
    assert symbols.dtype == np.int32
    with_feedback[span] = dequantize(symbols, steps)
    without[span] = dequantize(quantize(own, steps), steps)
    assert problem.cost(with_feedback) < 0.9 * problem.cost(without)


def test_steps_predict_the_cost_of_independent_noise(problem: Problem) -> None:
    """At steps s = sqrt(6 / (h ln 2)), noise costs 1 / (2 ln 2) for each coefficient."""
    sizes = StepSizes()
    sizes.observe(problem.sensitivities)
    unit = 1e-9
    steps = spread_steps(SHAPE, sizes.steps(unit, np.ones(SHAPE.output_count)).astype(np.float32)) / 0.85
    noise = steps * (problem.random.random((40, steps.size)) - 0.5)
    costs = [problem.cost(problem.coefficients + drawn) for drawn in noise]
    assert np.mean(costs) == pytest.approx(unit * steps.size / (2 * np.log(2)), rel=0.15)


def test_shaped_noise_costs_the_share_that_is_said(problem: Problem) -> None:
    sizes = StepSizes()
    sizes.observe(problem.sensitivities)
    steps = spread_steps(SHAPE, sizes.steps(1e-9, np.ones(SHAPE.output_count)).astype(np.float32))
    plain = (problem.random.random((40, steps.size)) - 0.5).astype(np.float32)
    shaped = plain.copy()
    problem.feedback.shape_noise(shaped, 0, 1)
    means = [np.mean([problem.cost(problem.coefficients + steps * one) for one in some]) for some in (plain, shaped)]
    said = np.mean(spread_steps(SHAPE, problem.feedback.shares.astype(np.float32)))
    assert means[1] / means[0] == pytest.approx(said, rel=0.3)
    assert said < 0.8


def test_frozen_layers_keep_their_noise(problem: Problem) -> None:
    noise = np.ones((2, SHAPE.coefficient_count), np.float32)
    problem.feedback.shape_noise(noise, 2, 1)
    assert (noise[:, : SHAPE.layers[1].span.stop] == 1).all()
    assert not (noise[:, SHAPE.layers[2].span] == 1).all()


def test_large_layers_have_no_feedback() -> None:
    large = Problem(NetworkShape(width=9, depth=2, channels=3))
    assert MAX_ROWS < 2 * 2**9
    span = large.shape.layers[1].span
    steps = np.full(large.shape.layers[1].size, 0.01, np.float32)
    own = large.coefficients[span]
    np.testing.assert_array_equal(large.feedback.rounded(1, own, steps), quantize(own, steps))
    assert large.feedback.shares[9:].tolist() == [1] * 12
    noise = np.ones((2, large.shape.coefficient_count), np.float32)
    large.feedback.shape_noise(noise, 0, 1)
    assert (noise[:, span] == 1).all()


def test_estimates_of_a_diverged_fit_are_left_out(problem: Problem) -> None:
    before = problem.feedback.shares.copy()
    problem.feedback.observe([(inputs * np.nan, derivatives) for inputs, derivatives in problem.sensitivities], 1)
    np.testing.assert_array_equal(problem.feedback.shares, before)


def test_outputs_without_effect_are_no_division_by_zero(problem: Problem) -> None:
    feedback = ErrorFeedback(SHAPE)
    with np.errstate(all="raise"):
        feedback.observe([(inputs, 0 * derivatives) for inputs, derivatives in problem.sensitivities], 1)
    assert np.isfinite(feedback.shares).all()
    assert feedback.shares.min() > 0
