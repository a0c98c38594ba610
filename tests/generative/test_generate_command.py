"""`fourcodec generate` from the command line."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import fourcodec
from fourcodec import cli
from fourcodec.cache import VARIABLE as CACHE_VARIABLE
from fourcodec.generative import sheets
from fourcodec.generative.checkpoints import locked
from fourcodec.generative.model import load_model
from tests.support import sets
from tests.support.sets import TINY


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with pictures, a configuration and a model of them."""
    home = tmp_path_factory.mktemp("home")
    sets.write_pictures(home / "pictures", sets.discs(60))
    (home / "tiny.toml").write_text(TINY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CACHE_VARIABLE, str(home / "cache"))
        assert generate(home, "train", "pictures", "--config", "tiny.toml", "-o", "model", "--device", "cpu") == 0
        yield home


def generate(home: Path, command: str, *arguments: str) -> int:
    """Runs a command in `home`: whatever names something there is a path."""
    known = [
        str(home / text) if (home / text).exists() or "." in text or text == "model" else text for text in arguments
    ]
    return cli.run(["generate", command, *known])


def test_help_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["generate", "--help"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in ("train", "sample", "reconstruct", "interpolate", "embed"))


def test_training_ends_with_a_prior_that_samples_are_drawn_from(home: Path) -> None:
    assert (home / "model" / "prior.safetensors").exists()
    model = load_model(home / "model")
    z = model.chosen.prior.sample(4, 7, model.chosen.temperature)
    for output, options in [("default.png", []), ("hot.png", ["--temperature", "3"])]:
        assert generate(home, "sample", "model", "-n", "4", "--seed", "7", "-o", output, *options) == 0
    default, hot = (np.asarray(Image.open(home / name)) for name in ("default.png", "hot.png"))
    assert np.array_equal(default, sheets.sheet(sheets.to_bytes(model.decode(z))))
    assert not np.array_equal(default, hot)


def test_of_a_folder_of_pictures_the_first_are_shown(home: Path) -> None:
    assert generate(home, "embed", "model", "pictures", "-o", "all.npz", "--limit", "5") == 0
    names = [f"pictures/{number:03}.png" for number in range(5)]
    assert generate(home, "embed", "model", *names, "-o", "named.npz") == 0
    assert np.array_equal(np.load(home / "all.npz")["z"], np.load(home / "named.npz")["z"])


def test_samples_are_a_sheet_and_fnc_files(home: Path) -> None:
    assert (
        generate(home, "sample", "model", "-n", "4", "-o", "sheet.png", "--fnc", str(home / "coded"), "--size", "24")
        == 0
    )
    sheet = np.asarray(Image.open(home / "sheet.png"))
    files = sorted((home / "coded").glob("*.fnc"))
    assert len(files) == 4
    first = fourcodec.decode(files[0].read_bytes())
    assert first.shape == (16, 24, 3)
    assert np.abs(first.astype(int) - sheet[2:18, 2:26]).max() <= 1


def test_reconstructions_strips_animations_and_latents_are_written(home: Path) -> None:
    pictures = ["pictures/000.png", "pictures/001.png", "pictures/002.png"]
    assert generate(home, "reconstruct", "model", *pictures, "-o", "copies.png") == 0
    assert Image.open(home / "copies.png").size == (3 * 14 + 2, 2 * 10 + 2)
    assert generate(home, "interpolate", "model", *pictures, "-o", "way.gif", "--frames", "3") == 0
    assert getattr(Image.open(home / "way.gif"), "n_frames") > 7  # noqa: B009
    assert generate(home, "interpolate", "model", "pictures", "-o", "way.png") == 0
    assert generate(home, "embed", "model", *pictures, "-o", "z.npz") == 0
    assert np.load(home / "z.npz")["z"].shape == (3, 4)


def test_training_goes_on_with_resume(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sets.write_pictures(home / "again", sets.discs(40))
    assert generate(home, "train", "again", "--config", "tiny.toml", "-o", str(home / "longer"), "--device", "cpu") == 0
    assert generate(home, "train", "again", "--resume", "-o", str(home / "longer"), "--epochs", "3") == 0
    assert "3 epochs" in capsys.readouterr().out


def test_no_prior_is_chosen_for_a_model_in_training(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with locked(home / "model"):
        assert generate(home, "prior", "model", "--data", str(home / "pictures")) == 1
    assert "another run is writing to" in capsys.readouterr().err


def test_mistakes_are_one_line_and_write_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sets.Image.new("RGB", (9, 9)).save(home / "odd.png")
    (home / "bad.toml").write_text("[training]\nspeed = 3\n")
    (home / "held").mkdir()
    (home / "held" / "sample-0001.fnc").touch()
    for arguments, message in [
        (["train", "nowhere", "--config", "mnist", "-o", "new"], "no such folder"),
        (["train", "pictures", "--config", "bad.toml", "-o", "new"], "unknown key 'speed' in [training]"),
        (["train", "pictures", "--config", "best", "-o", "new"], "no configuration 'best'"),
        (["train", "pictures", "--config", "tiny.toml", "-o", "model"], "holds a model already"),
        (["train", "pictures", "-o", "new"], "--config"),
        (["train", "pictures", "--config", "tiny.toml", "-o", "new", "--epochs", "1", "--minutes", "1"], "one of them"),
        (["sample", "pictures", "-o", "new.png"], "there is no model.safetensors"),
        (["sample", "model", "-o", "odd.png"], "exists already"),
        (["reconstruct", "model", "odd.png", "-o", "new.png"], "odd.png': images are 9 x 9 colour, the model's 12 x 8"),
        (["sample", "model", "-o", "new.jpg"], "name it with .png"),
        (["sample", "model", "-n", "2", "-o", "new.png", "--fnc", "held"], "replace it with -f"),
        (["reconstruct", "model", "pictures", "-o", "new.jpg"], "name it with .png"),
        (["interpolate", "model", "pictures/000.png", "-o", "new.png"], "at least two images"),
        (["interpolate", "model", "pictures", "-o", "new.jpg"], "not .jpg"),
    ]:
        assert generate(home, *arguments) in (1, 2)
        err = capsys.readouterr().err
        assert message in err
        assert err.count("\n") == 1
        assert not list(home.glob("new*"))
        assert [path.name for path in (home / "held").iterdir()] == ["sample-0001.fnc"]


FLOW = TINY.replace("depth = 2", "depth = 2, cells = [2, 3]")
FLOW += "flow = { width = 32, blocks = 1, epochs = 2, batch = 16 }\n"


def test_a_flow_is_trained_with_its_model_and_sampled_by_class(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images = sets.discs(60)
    np.savez(home / "labelled.npz", images=images, labels=(images.mean((1, 2, 3)) > 30).astype(np.int64))
    (home / "flow.toml").write_text(FLOW)
    assert generate(home, "train", "labelled.npz", "--config", "flow.toml", "-o", str(home / "cells")) == 0
    assert "flow over 6 cells" in capsys.readouterr().out
    card = (home / "cells" / "model.md").read_text()
    assert all(word in card for word in ("labelled", "24 numbers in 6 cells", "2 epochs", "cells = [2, 3]", "SHA-256"))
    before = (home / "cells" / "prior.safetensors").read_bytes()
    assert generate(home, "train", "labelled.npz", "--resume", "-o", str(home / "cells")) == 0
    assert (home / "cells" / "prior.safetensors").read_bytes() == before
    assert generate(home, "train", "labelled.npz", "--resume", "--no-prior", "-o", str(home / "cells")) == 0
    assert "| prior | cell-flow |" in (home / "cells" / "model.md").read_text()
    for options in (["--class", "1"], ["--size", "24", "--fnc", str(home / "cells-coded")]):
        assert generate(home, "sample", str(home / "cells"), "-n", "4", "-o", str(home / "new.png"), *options) == 0
        (home / "new.png").unlink()
    assert fourcodec.decode((home / "cells-coded" / "sample-0000.fnc").read_bytes()).shape == (16, 24, 3)
    way = ["pictures/000.png", "pictures/001.png"]
    assert generate(home, "interpolate", str(home / "cells"), *way, "-o", str(home / "flow.gif")) == 0
    capsys.readouterr()
    for arguments, message in (
        (["sample", str(home / "cells"), "--class", "9", "-o", "new.png"], "no class 9; it knows 0, 1"),
        (["sample", "model", "--class", "1", "-o", "new.png"], "knows no classes"),
        (["prior", str(home / "cells"), "--data", str(home / "labelled.npz")], "has a flow for its prior"),
    ):
        assert generate(home, *arguments) == 1
        err = capsys.readouterr().err
        assert message in err
        assert err.count("\n") == 1


def test_a_prior_is_left_out_or_chosen_in_time(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train = ["train", "pictures", "--config", "tiny.toml"]
    assert generate(home, *train, "-o", str(home / "bare"), "--no-prior") == 0
    assert not (home / "bare" / "prior.safetensors").exists()
    assert "isotropic Gaussian" in (home / "bare" / "model.md").read_text()
    assert generate(home, *train, "-o", str(home / "timed"), "--minutes", "1e-3") == 0
    captured = capsys.readouterr()
    assert "prior isotropic" in captured.out
    assert "bits a number" in captured.err
    assert load_model(home / "timed").chosen.temperature == 1
