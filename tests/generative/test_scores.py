"""Scores against closed forms and toy sets that can be done by hand."""

import numpy as np
import pytest

from fourcodec.generative import scores
from fourcodec.generative.baselines import PrincipalComponents


def with_moments(mean: np.ndarray, covariance: np.ndarray, count: int = 400) -> np.ndarray:
    """(count, D) whose mean and covariance are exactly these."""
    points = np.random.default_rng(0).normal(size=(count, len(mean)))
    points -= points.mean(0)
    points = points @ np.linalg.inv(np.linalg.cholesky(np.cov(points.T))).T
    return mean + points @ np.linalg.cholesky(covariance).T


def test_frechet_distance_of_gaussians_with_commuting_covariances_has_its_closed_form() -> None:
    """|m1 - m2|^2 + sum (s1 - s2)^2 for deviations s."""
    first = with_moments(np.array([1.0, 2.0]), np.diag([4.0, 9.0]))
    second = with_moments(np.array([0.0, 0.0]), np.diag([1.0, 16.0]))
    assert scores.frechet_distance(first, second) == pytest.approx(5 + (2 - 1) ** 2 + (3 - 4) ** 2)


def test_frechet_distance_of_correlated_gaussians_has_its_closed_form() -> None:
    """For 2 x 2 matrices tr (A B)^(1/2) = (tr AB + 2 (det AB)^(1/2))^(1/2)."""
    a, b = np.array([[2.0, 0.5], [0.5, 1.0]]), np.array([[1.0, -0.3], [-0.3, 3.0]])
    root = np.sqrt(np.trace(a @ b) + 2 * np.sqrt(np.linalg.det(a @ b)))
    expected = np.trace(a) + np.trace(b) - 2 * root
    mean = np.zeros(2)
    assert scores.frechet_distance(with_moments(mean, a), with_moments(mean, b)) == pytest.approx(expected)


def test_frechet_distance_is_symmetric_and_zero_to_itself_where_features_are_dependent() -> None:
    first = np.random.default_rng(1).normal(size=(50, 3))
    first = np.concatenate([first, first[:, :1], np.zeros((50, 1))], axis=1)
    second = first[:20] + 0.5
    assert scores.frechet_distance(first, first) == pytest.approx(0, abs=1e-6)
    assert scores.frechet_distance(first, second) == pytest.approx(scores.frechet_distance(second, first))


# On a line. To their first neighbour the real points reach 1, 1, 2, 4, the samples 3, 3, 92.5.
REAL = np.array([[0.0], [1.0], [3.0], [7.0]])
SAMPLES = np.array([[0.5], [3.5], [96.0]])


def test_precision_and_recall_of_a_toy_set() -> None:
    """0.5 and 3.5 are in reach of real points, 96 is not; 0, 1 and 3 are of the first two samples, 7 of the last."""
    found = scores.precision_recall(REAL, SAMPLES, neighbours=1)
    assert found.precision == pytest.approx(2 / 3)
    assert found.recall == 1
    assert scores.precision_recall(REAL, SAMPLES[:2], neighbours=1).recall == 3 / 4


def test_density_and_coverage_of_a_toy_set() -> None:
    """0.5 is in two balls (of 0 and 1), 3.5 in two (of 3 and 7), 96 in none; all four hold a sample."""
    found = scores.density_coverage(REAL, SAMPLES, neighbours=1)
    assert found.density == pytest.approx(4 / 3)
    assert found.coverage == 1
    lonely = scores.density_coverage(REAL, SAMPLES[[0, 0]], neighbours=1)
    assert (lonely.density, lonely.coverage) == (2, 1 / 2)


def test_scores_do_not_depend_on_how_distances_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(5)
    real, samples = generator.normal(size=(45, 4)), generator.normal(0.3, 1, size=(37, 4))
    whole = scores.precision_recall(real, samples), scores.density_coverage(real, samples)
    monkeypatch.setattr(scores, "_ROWS", 7)
    assert (scores.precision_recall(real, samples), scores.density_coverage(real, samples)) == whole


def test_one_distribution_has_density_and_coverage_near_one() -> None:
    generator = np.random.default_rng(6)
    found = scores.density_coverage(generator.normal(size=(800, 5)), generator.normal(size=(800, 5)))
    assert found.density == pytest.approx(1, abs=0.1)
    assert found.coverage > 0.9


def test_the_distance_is_that_of_the_nearest_neighbour() -> None:
    found = scores.nearest_distances(np.array([[0.0, 0.0], [5.0, 5.0]]), np.array([[3.0, 4.0], [5.0, 6.0]]))
    assert found.tolist() == pytest.approx([5, 1])


@pytest.mark.parametrize("shapes", [((5, 2), (5, 3)), ((5,), (5,)), ((1, 2), (5, 2))])
def test_sets_that_cannot_be_compared_are_refused(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    with pytest.raises(ValueError, match=r"features are|at least 2 images"):
        scores.frechet_distance(np.zeros(shapes[0]), np.zeros(shapes[1]))


def test_principal_components_lose_nothing_where_images_have_no_more() -> None:
    generator = np.random.default_rng(7)
    patterns = generator.integers(0, 100, size=(2, 4, 6, 3))
    shares = generator.integers(0, 2, size=(60, 2))
    images = np.einsum("nk,khwc->nhwc", shares, patterns).astype(np.uint8)
    components = PrincipalComponents.fit(images, 2)
    assert np.allclose(components.decode(components.encode(images)), images / 255, atol=1e-4)
    assert np.allclose(components.components @ components.components.T, np.eye(2))
    assert components.variances == pytest.approx(np.var(components.encode(images), axis=0))


def test_samples_of_principal_components_have_their_variances() -> None:
    images = np.random.default_rng(8).integers(0, 256, size=(200, 4, 6, 1)).astype(np.uint8)
    components = PrincipalComponents.fit(images, 3)
    assert np.var(components.sample(20_000, 0), axis=0) == pytest.approx(components.variances, rel=0.05)
    assert components.decode(components.sample(5, 1)).shape == (5, 4, 6, 1)
    with pytest.raises(ValueError, match="1 to 24"):
        PrincipalComponents.fit(images, 25)
