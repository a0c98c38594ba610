"""Pictures as latents of a model: what is coded is decoded, cheaply, and by this model alone."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import fourcodec
from fourcodec import cli
from fourcodec.bitstream import container
from fourcodec.bitstream.container import Section
from fourcodec.errors import CorruptFileError, ImageError, LimitError, ModelError, TargetError, UnsupportedFormatError
from fourcodec.generative.datasets import load_dataset
from fourcodec.generative.latent_codec import LATENT, MODEL, LatentCodec
from fourcodec.generative.latent_density import MAX_SYMBOL, Gaussians, Tables, dequantise, quantise, step_of
from fourcodec.generative.model import TrainedModel, load_model
from fourcodec.generative.prior_store import write_prior
from fourcodec.generative.priors import ChosenPrior, FullGaussian
from fourcodec.generative.schedules import Budget
from fourcodec.generative.training import Training
from tests.support import sets


def make(folder: Path, **tables: object) -> TrainedModel:
    data = load_dataset(sets.write_npz(folder / "discs.npz", sets.discs(120)))
    settings = sets.tiny(**{"training": {"batch": 8, "rate": 3e-3}, **tables})
    with Training.begin(data, settings, folder / "model", device="cpu", seed=0) as training:
        training.run(Budget(epochs=4))
    model = load_model(folder / "model")
    write_prior(folder / "model", ChosenPrior(FullGaussian.fit(model.train_latents)), model.train_latents)
    return load_model(folder / "model")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("coded")
    make(folder)
    return folder


@pytest.fixture(scope="module")
def codec(home: Path) -> LatentCodec:
    return LatentCodec(load_model(home / "model"))


def correlated(kinds: int = 3, size: int = 6) -> tuple[Gaussians, np.ndarray]:
    """Gaussians apart from each other, and units of their numbers."""
    random = np.random.default_rng(0)
    factors = random.normal(size=(kinds, size, size)) * random.uniform(0.1, 3, (kinds, 1, size))
    covariances = factors @ factors.transpose(0, 2, 1) + 1e-3 * np.eye(size)
    return Gaussians(10 * random.normal(size=(kinds, size)), covariances), random.uniform(0.05, 0.2, size)


@pytest.mark.parametrize("index", [0, 13, 24, 61])
def test_symbols_survive_at_every_step(index: int) -> None:
    density, units = correlated()
    tables, random = Tables.of(density, units), np.random.default_rng(index)
    for kind in range(3):
        latent = random.multivariate_normal(density.means[kind], density.covariances[kind])
        symbols = quantise(latent.astype(np.float32), units, index)
        assert np.array_equal(tables.decode(tables.encode(symbols, index), index), symbols)
        copy = dequantise(symbols, units, index)
        assert (np.abs(copy - latent) <= units * step_of(index) * 0.5 + 1e-4).all()


def test_symbols_cost_about_the_entropy_of_the_density() -> None:
    """Differential entropy, less log2 of the steps, for steps far below the deviations."""
    (density, units), index = correlated(1), 60
    tables, random = Tables.of(density, units), np.random.default_rng(1)
    drawn = random.multivariate_normal(density.means[0], density.covariances[0], 300).astype(np.float32)
    bits = [8 * len(tables.encode(quantise(latent, units, index), index)) for latent in drawn]
    entropy = np.linalg.slogdet(2 * np.pi * np.e * density.covariances[0])[1] / 2 / np.log(2)
    exact = entropy - np.log2(units * step_of(index)).sum()
    assert exact - 1 < np.mean(bits) < exact + 0.15 * 6 + 8  # a Laplace distribution costs 0.07, the last byte up to 8


def test_symbols_far_from_the_density_survive_too() -> None:
    density, units = correlated()
    tables = Tables.of(density, units)
    for value in (-MAX_SYMBOL, 0, MAX_SYMBOL):
        symbols = np.full(6, value, np.int64)
        assert np.array_equal(tables.decode(tables.encode(symbols, 80), 80), symbols)
    with pytest.raises(ValueError, match="15 bits"):
        tables.encode(np.full(6, MAX_SYMBOL + 1), 80)


def test_impossible_densities_are_refused() -> None:
    density, units = correlated()
    with pytest.raises(ValueError, match="positive definite"):
        Tables.of(dataclasses.replace(density, covariances=-density.covariances), units)
    with pytest.raises(ValueError, match="too large"):
        Tables.of(dataclasses.replace(density, means=1e18 * density.means), units)


def test_a_picture_is_decoded_as_it_was_coded_and_from_few_bytes(codec: LatentCodec) -> None:
    picture, model = sets.discs(3)[1], codec.model
    coded = codec.encode(picture)
    shown = codec.decode(coded.data)
    assert (shown.shape, shown.dtype) == (sets.SHAPE, np.uint8)
    assert coded.latent_bytes <= 8
    assert len(coded.data) - coded.latent_bytes == 21 + 1 + 2 + 8 + 2  # header, its field, two sections, the hash
    exact = model.decode(model.embed(picture[None], 400))[0] * 255
    own, rounded = np.square(exact - picture).mean(), np.square(shown.astype(float) - picture).mean()
    assert rounded < 1.3 * own + 1


def test_a_target_is_met_by_the_coarsest_step(codec: LatentCodec) -> None:
    picture = sets.discs(3)[1]
    usual = codec.encode(picture)
    low, same = codec.encode(picture, 3), codec.encode(picture, usual.psnr_db)
    assert low.step_index == 0
    assert same.psnr_db >= usual.psnr_db
    assert low.latent_bytes <= same.latent_bytes <= usual.latent_bytes
    assert same.step_index <= usual.step_index
    with pytest.raises(TargetError, match="at best, not 80"):
        codec.encode(picture, 80)


def test_a_latent_that_no_file_can_hold_is_refused(codec: LatentCodec) -> None:
    picture, far = sets.discs(3)[1], np.full(codec.model.latent_size, 1e4, np.float32)
    with pytest.raises(TargetError, match="at best, not 80"):
        codec.encode(picture, 80, latent=far)
    with pytest.raises(LimitError, match="more than 15 bits"):
        codec.encode(picture, latent=1e6 * far)
    with pytest.raises(LimitError, match="more than 15 bits"):
        codec.encode(picture, 80, latent=1e6 * far)


def test_a_file_is_refused_without_its_model(codec: LatentCodec, tmp_path: Path) -> None:
    data = codec.encode(sets.discs(1)[0]).data
    with pytest.raises(UnsupportedFormatError, match="--model"):
        fourcodec.decode(data)
    other = LatentCodec(make(tmp_path, decoder={"hidden": [9]}))
    with pytest.raises(ModelError, match=f"coded with the model {codec.hash.hex()}, this is {other.hash.hex()}"):
        other.decode(data)
    with pytest.raises(ImageError, match="12 x 8 colour"):
        codec.encode(np.zeros((8, 8, 3), np.uint8))


def test_damaged_files_are_refused(codec: LatentCodec) -> None:
    header, sections = container.read(codec.encode(sets.discs(1)[0]).data)
    own = {section.kind: section for section in sections}
    latent = own[LATENT].payload
    for changed, parts, message in (
        (header, [own[MODEL]], "sections model and latent"),
        (header, [own[MODEL], Section(LATENT, container.CODER_ZSTD, latent)], "coders"),
        (header, [own[MODEL], Section(LATENT, container.CODER_RANGE, latent + b"\x01" * 9)], "left over"),
        (header, [own[MODEL], Section(LATENT, container.CODER_RANGE, latent + b"\0")], "zero byte"),
        (dataclasses.replace(header, architecture=(99,)), sections, "codes no such picture"),
        (dataclasses.replace(header, architecture=()), sections, "one architecture field"),
        (dataclasses.replace(header, width=7), sections, "codes no such picture"),
    ):
        with pytest.raises((CorruptFileError, UnsupportedFormatError), match=message):
            codec.decode(container.write(changed, parts))


def test_any_bytes_are_refused_or_decoded() -> None:
    tables, random = Tables.of(*correlated()), np.random.default_rng(0)
    for size in range(60):
        try:
            symbols = tables.decode(random.bytes(size), size)
        except CorruptFileError:
            continue
        assert np.abs(symbols).max() <= MAX_SYMBOL


def test_the_commands_write_and_read_such_files(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(home / "model")
    for number, picture in enumerate(sets.discs(2)):
        Image.fromarray(picture).save(tmp_path / f"{number}.png")
    names = [str(tmp_path / f"{number}.png") for number in range(2)]
    assert cli.run(["encode", *names, "--model", folder, "-o", f"{tmp_path}/coded/"]) == 0
    assert "of which the latent" in capsys.readouterr().out
    coded = tmp_path / "coded" / "0.fnc"
    assert cli.run(["decode", str(coded), "--model", folder, "-o", str(tmp_path / "copy.png")]) == 0
    assert np.asarray(Image.open(tmp_path / "copy.png")).shape == sets.SHAPE
    plain = tmp_path / "plain.fnc"
    assert cli.run(["encode", names[0], str(plain), "--width", "2", "--depth", "1", "--iterations", "2"]) == 0
    capsys.readouterr()
    for arguments, status, message in (
        (["decode", str(coded), "-o", str(tmp_path / "no.png")], 1, "--model"),
        (["decode", str(plain), "--model", folder, "-o", str(tmp_path / "no.png")], 1, "needs no model"),
        (["encode", names[0], "--model", folder, "-q", "40"], 2, "--quality has no meaning beside --model"),
        (["encode", names[0], "--model", str(tmp_path), "-o", str(tmp_path / "no.fnc")], 1, "holds no model"),
        (["info", str(coded)], 1, "--model"),
        (["encode", names[0], "--model", folder, "-o", str(tmp_path / "no.png")], 2, "has the name of a picture"),
        (["encode", names[0], "--model", folder, "-o", "-", "--json"], 2, "--json is printed on standard output"),
        (["encode", names[0], "--model", folder, "--max-pixels", "9", "-o", str(tmp_path / "no.fnc")], 1, "limit"),
        (["encode", names[0], "--model", folder, "--frame", "2", "-o", str(tmp_path / "no.fnc")], 1, "frame"),
    ):
        assert cli.run(arguments) == status
        err = capsys.readouterr().err
        assert message in err
        assert err.count("\n") == 1
