"""The table of other codecs."""

import numpy as np
import pytest
from PIL import Image

from fourcodec.bench import baselines
from fourcodec.bench.baselines import BASELINES
from tests.support.benches import picture


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("pixels", [picture(0, 24, 40), picture(0, 24, 40)[:, :, 0], picture(0, 1, 1)])
def test_each_codec_makes_a_file_that_is_the_picture(name: str, pixels: np.ndarray) -> None:
    baseline = BASELINES[name]
    if not baseline.available():
        pytest.skip(f"{name} is not installed")
    for setting in baselines.sweep_settings(baseline)[-1:]:
        copy = baselines.decode(baselines.make(baseline, Image.fromarray(pixels), setting))
        assert copy.shape == (*pixels.shape[:2], 3)
        reference = pixels if pixels.ndim == 3 else np.repeat(pixels[:, :, None], 3, axis=2)
        assert np.abs(copy.astype(int) - reference).mean() < 8


def test_the_sweep_of_jpeg_is_progressive_and_optimised_in_two_subsamplings() -> None:
    labels = [setting.label for setting in baselines.sweep_settings(BASELINES["jpeg"])]
    assert labels[0] == "q=1 4:2:0 progressive"
    assert labels[-1] == "q=97 4:4:4 progressive"
    assert len(labels) == 34


def test_avif_tries_one_quality_for_each_quantizer() -> None:
    qualities = list(BASELINES["avif"].qualities)
    assert qualities == sorted(set(qualities))
    assert len(qualities) == 64
    assert qualities[0] == 0
    assert qualities[-1] == 100


def test_an_unknown_label_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        baselines.setting_of(BASELINES["jpeg"], "q=12 9:9:9")
