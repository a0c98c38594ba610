"""Configurations as data."""

import json

import pytest

from fourcodec.errors import ConfigError
from fourcodec.generative.config import config_names, from_table, load_config, parse_config, to_table
from tests.support import sets


def test_every_configuration_of_the_package_is_sound_and_survives_json() -> None:
    assert {"mnist", "mnist-thesis", "cifar10", "cifar10-thesis"} <= set(config_names())
    for name in config_names():
        config = load_config(name)
        assert config.summary
        assert config.expected_time
        assert from_table(json.loads(json.dumps(to_table(config)))) == config


def test_the_thesis_networks_have_its_numbers_of_coefficients() -> None:
    assert load_config("mnist-thesis").network.shape(1).coefficient_count == 1_704
    assert load_config("cifar10-thesis").network.shape(3).coefficient_count == 7_344


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[training]\nrates = 1", r"f.toml: unknown key 'rates' in \[training\]; known are epochs"),
        ("colour = 1", "f.toml: unknown key 'colour' at the top"),
        ("[network]\nwidth = 11", "width is 1 to 10, not 11"),
        ("[network]\nwidth = 'a'", "network.width is a whole number, not 'a'"),
        ("[decoder]\nhidden = [1.5]", "hidden is a whole number, not 1.5"),
        ("[decoder]\ngains = [1]", "gains are three or none"),
        ("latents = 3", "latents is a table"),
        ("[training]\nmirrored = true", "f.toml: mirrored images need an encoder"),
        ("[latents]\nlinear = true", "f.toml: linear latents need gains in .decoder. and the linear activation"),
        ("[[", "f.toml: "),
    ],
)
def test_mistakes_in_a_file_are_named_in_one_line(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        parse_config(text, "f.toml")
    assert "\n" not in str(caught.value)


def test_without_an_encoder_there_is_none() -> None:
    assert sets.tiny().encoder is None
