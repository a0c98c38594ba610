"""Priors: what they are fitted to is what they sample, and storing one changes nothing."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from fourcodec.errors import ModelError
from fourcodec.generative.classifier import Judgement
from fourcodec.generative.flow import Flow
from fourcodec.generative.likelihood_choice import choose_by_likelihood
from fourcodec.generative.prior_choice import LOWER_TEMPERATURES, Candidate, choose_prior, prior_from_state
from fourcodec.generative.priors import Density, FullGaussian, IsotropicGaussian, Mixture, Prior, PriorState

COVARIANCE = np.array([[4.0, 1.2, 0.0], [1.2, 1.0, -0.3], [0.0, -0.3, 0.25]])
MEAN = np.array([1.0, -2.0, 0.5])


@pytest.fixture(scope="module")
def latents() -> np.ndarray:
    """(4000, 3), Gaussian."""
    return np.random.default_rng(3).multivariate_normal(MEAN, COVARIANCE, 4000).astype(np.float32)


@pytest.fixture(scope="module")
def clusters() -> np.ndarray:
    """(1500, 2): two narrow clusters, a third and two thirds, on either side of the origin."""
    noise = np.random.default_rng(4).normal(0, 0.1, (1500, 2))
    noise[:500] += (3, 0)
    noise[500:] -= (3, 0)
    return noise.astype(np.float32)


@pytest.fixture(scope="module", params=["isotropic", "gaussian", "mixture", "flow"])
def prior(request: pytest.FixtureRequest, latents: np.ndarray) -> Prior:
    fitted: dict[str, Prior] = {
        "isotropic": IsotropicGaussian.fit(latents),
        "gaussian": FullGaussian.fit(latents),
        "mixture": Mixture.fit(latents, 0, components=2),
        "flow": Flow.fit(latents, 0, iterations=5),
    }
    return fitted[request.param]


def test_samples_are_float32_and_follow_the_seed(prior: Prior) -> None:
    samples = prior.sample(50, 7)
    assert samples.shape == (50, prior.latent_size) == (50, 3)
    assert samples.dtype == np.float32
    assert np.array_equal(samples, prior.sample(50, 7))
    assert not np.array_equal(samples, prior.sample(50, 8))


def test_a_stored_prior_samples_the_same(prior: Prior) -> None:
    state = prior.to_state()
    again = prior_from_state(PriorState(state.kind, {name: array.copy() for name, array in state.arrays.items()}))
    assert again.name == prior.name
    assert np.array_equal(again.sample(20, 1), prior.sample(20, 1))


def test_a_damaged_state_is_refused_in_one_line(prior: Prior) -> None:
    state = prior.to_state()
    for name, array in state.arrays.items():
        missing = {other: values for other, values in state.arrays.items() if other != name}
        short = {**state.arrays, name: array.ravel()[:-1]}
        poisoned = {**state.arrays, name: np.full(array.shape, np.nan)}
        for arrays in (missing, short, poisoned):
            with pytest.raises(ModelError, match=r"the stored prior") as caught:
                prior_from_state(PriorState(state.kind, arrays))
            assert "\n" not in str(caught.value)


def test_a_foreign_kind_of_prior_is_refused() -> None:
    with pytest.raises(ModelError, match="unknown kind 'pickle'"):
        prior_from_state(PriorState("pickle", {}))


def test_the_isotropic_prior_has_the_latents_mean_square(latents: np.ndarray) -> None:
    samples = IsotropicGaussian.fit(latents).sample(20_000, 0)
    assert np.square(samples).mean() == pytest.approx(np.square(latents).mean(), rel=0.02)
    assert abs(samples.mean()) < 0.05


@pytest.mark.parametrize("kind", ["gaussian", "mixture", "flow"])
def test_samples_have_the_latents_moments(kind: str, latents: np.ndarray) -> None:
    fitted: dict[str, Prior] = {
        "gaussian": FullGaussian.fit(latents),
        "mixture": Mixture.fit(latents, 0, components=3),
        "flow": Flow.fit(latents, 0, iterations=0),  # a network that does nothing yet
    }
    samples = fitted[kind].sample(3000, 0)
    assert np.allclose(samples.mean(0), latents.mean(0), atol=0.15)
    assert np.allclose(np.cov(samples.T), np.cov(latents.T), atol=0.3)


def test_temperature_scales_deviations_about_each_mean(latents: np.ndarray, clusters: np.ndarray) -> None:
    gaussian = FullGaussian.fit(latents)
    cool = gaussian.sample(1000, 0, 0.5) - gaussian.mean
    assert np.allclose(cool, (gaussian.sample(1000, 0) - gaussian.mean) / 2, atol=1e-5)
    mixture = Mixture.fit(clusters, 0, components=2)
    frozen = mixture.sample(300, 0, 1e-6)
    assert np.allclose(np.abs(frozen[:, 0]), 3, atol=0.05)
    assert np.mean(frozen[:, 0] > 0) == pytest.approx(1 / 3, abs=0.08)


def test_a_flow_finds_clusters_that_no_gaussian_has(clusters: np.ndarray) -> None:
    samples = Flow.fit(clusters, 0, iterations=100).sample(300, 0)
    assert np.mean(np.abs(np.abs(samples[:, 0]) - 3) < 1) > 0.8
    gaussian = FullGaussian.fit(clusters).sample(500, 0)
    assert np.mean(np.abs(np.abs(gaussian[:, 0]) - 3) < 1) < 0.6


def test_fewer_latents_than_dimensions_still_give_a_gaussian() -> None:
    few = np.random.default_rng(0).normal(size=(4, 9)).astype(np.float32)
    assert np.isfinite(FullGaussian.fit(few).sample(10, 0)).all()


@pytest.mark.parametrize("bad", [np.zeros((1, 3)), np.zeros(3), np.full((5, 3), np.nan)])
def test_latents_that_make_no_prior_are_refused(bad: np.ndarray) -> None:
    for fit in (IsotropicGaussian.fit, FullGaussian.fit):
        with pytest.raises(ValueError, match="latents are"):
            fit(bad.astype(np.float32))


def test_the_prior_nearest_to_validation_images_is_chosen(clusters: np.ndarray) -> None:
    """The image is the latent: the square of its first coordinate tells the clusters from a Gaussian between them."""
    images = clusters.reshape(-1, 1, 1, 2)

    def squares(pictures: np.ndarray) -> Judgement:
        values = np.square(pictures.reshape(-1, 2))
        return Judgement(values, -values[:, 0], np.zeros(len(values), np.int64))

    lines: list[str] = []
    fitted: list[Mixture] = []

    def fit_two(latents: np.ndarray, seed: int) -> Mixture:
        assert len(latents) == 1200  # the fifth that it is judged by is left out
        fitted.append(Mixture.fit(latents, seed, 2))
        return fitted[-1]

    candidates = {
        "gaussian": Candidate(FullGaussian.fit),
        "mixture-2": Candidate(fit_two),
        "mixture-huge": Candidate(lambda latents, seed: Mixture.fit(latents, seed, 5000), min_latents=10**6),
    }
    choice = choose_prior(
        clusters,
        images,
        decode=lambda latents: latents.reshape(-1, 1, 1, 2),
        judge=squares,
        seed=0,
        candidates=candidates,
        progress=lines.append,
    )
    assert choice.trial.name == choice.chosen.prior.name == "mixture-2"
    at_one = {trial.name: trial.frechet for trial in choice.trials if trial.temperature == 1}
    assert set(at_one) == {"gaussian", "mixture-2"}
    assert at_one["mixture-2"] < at_one["gaussian"]
    assert np.array_equal(choice.chosen.prior.sample(5, 0), fitted[-1].sample(5, 0))
    assert len(lines) == len(choice.trials) == 2 + len(LOWER_TEMPERATURES)


def test_other_latents_of_the_same_images_are_fitted_too() -> None:
    random = np.random.default_rng(0)
    latents, seen = random.normal(size=(50, 2)).astype(np.float32), []

    def remembering(some: np.ndarray, seed: int) -> FullGaussian:
        seen.append(some)
        return FullGaussian.fit(some, seed)

    def chosen(augmented: np.ndarray | None) -> None:
        choose_prior(
            latents,
            latents.reshape(-1, 1, 1, 2),
            decode=lambda some: some.reshape(-1, 1, 1, 2),
            judge=lambda pictures: Judgement(
                pictures.reshape(-1, 2), np.ones(len(pictures)), np.zeros(len(pictures), np.int64)
            ),
            seed=0,
            augmented=augmented,
            candidates={"gaussian": Candidate(remembering)},
        )

    chosen(None)
    chosen(latents + 100)
    assert len(seen[0]) == 40
    assert np.array_equal(seen[1], np.concatenate([seen[0], seen[0] + 100]))  # none of an image that is held out
    with pytest.raises(ValueError, match="of another shape"):
        chosen(latents[1:])


class Confessing:
    """A prior whose samples (u, temperature, 1) say what they are; u is uniform."""

    name, latent_size = "confessing", 3

    def sample(self, n: int, seed: int, temperature: float = 1.0) -> np.ndarray:
        return np.stack([np.linspace(0, 1, n), np.full(n, temperature), np.ones(n)], axis=1).astype(np.float32)

    def to_state(self) -> PriorState:
        raise NotImplementedError


@pytest.mark.parametrize(("allowed", "temperature"), [(1.0, 1.0), (0.82, 0.85), (0.2, 1.0)])
def test_the_nearest_temperature_with_few_malformed_samples_is_taken(allowed: float, temperature: float) -> None:
    """Distance grows away from temperature 1, and what is malformed with how far it is above `allowed`; where no
    temperature has few, the distance alone decides."""
    real = np.stack([np.linspace(0, 1, 500), np.ones(500), np.zeros(500)], axis=1).astype(np.float32)

    def judge(pictures: np.ndarray) -> Judgement:
        u, heat, sampled = pictures.reshape(-1, 3).T
        return Judgement(np.stack([u, heat], axis=1), u - sampled * (heat - allowed), np.zeros(len(u), np.int64))

    choice = choose_prior(
        real,
        real.reshape(-1, 1, 1, 3),
        decode=lambda latents: latents.reshape(-1, 1, 1, 3),
        judge=judge,
        seed=0,
        candidates={"confessing": Candidate(lambda latents, seed: Confessing())},
    )
    assert choice.trial.temperature == choice.chosen.temperature == temperature


@pytest.mark.parametrize("fit", [IsotropicGaussian.fit, FullGaussian.fit, partial(Mixture.fit, components=2)])
def test_densities_integrate_to_one(fit: Callable[[np.ndarray, int], Density]) -> None:
    latents = np.random.default_rng(0).normal([1, -1], [0.5, 1], (400, 2)).astype(np.float32)
    prior, step = fit(latents, 0), 0.1
    where = np.arange(-8, 8, step)
    grid = np.stack(np.meshgrid(where, where), axis=-1).reshape(-1, 2).astype(np.float32)
    assert np.exp(prior.log_density(grid)).sum() * step**2 == pytest.approx(1, abs=1e-3)


def test_likelihood_chooses_the_density_that_fits_and_stops_in_time() -> None:
    random = np.random.default_rng(0)
    latents = (random.choice([-4.0, 4.0], (1500, 1)) + random.normal(0, 0.3, (1500, 2))).astype(np.float32)
    lines: list[str] = []
    chosen = choose_by_likelihood(latents, seconds=600, seed=0, progress=lines.append)
    assert chosen.prior.name == "mixture-10"
    assert chosen.temperature == 1
    assert len(lines) == 3
    assert choose_by_likelihood(latents, seconds=0, seed=0).prior.name == "isotropic"
    with pytest.raises(ValueError, match="too few"):
        choose_by_likelihood(latents[:2], seconds=1, seed=0)
