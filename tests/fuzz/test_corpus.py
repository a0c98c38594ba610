"""What fuzzing found, and a small corpus of files that between them reach all that it reached, in seconds."""

from pathlib import Path
from random import Random

import pytest

from fourcodec import codec
from fourcodec.bitstream import container
from fourcodec.errors import FourcodecError
from tests.fuzz import mutation, run, targets
from tests.golden.make import FOLDER

HOME = Path(__file__).parent
FILES = sorted(path for kind in ("corpus", "findings") for path in (HOME / kind).glob("*/*") if path.is_file())


@pytest.mark.parametrize("target", targets.TARGETS)
def test_nothing_but_our_errors_leaves_the_decoder(target: str) -> None:
    for path in (path for path in FILES if path.parent.name == target):
        with targets.strict():
            targets.TARGETS[target](path.read_bytes())


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.fnc")), ids=lambda path: path.stem)
def test_the_mutator_takes_a_file_apart_and_puts_it_together_again(path: Path) -> None:
    parts = mutation.parse(path.read_bytes())
    assert parts is not None
    assert mutation.build(parts) == path.read_bytes()


def test_mutations_get_past_the_checksums() -> None:
    """Otherwise fuzzing would only prove that checksums work."""
    seed = (FOLDER / "grid-rgba-16.fnc").read_bytes()
    damaged = [mutation.mutate(seed, 4096, number, _flip, deep=False) for number in range(300)]
    changed = [data for data in damaged if data != seed]
    assert len(changed) > 200
    stopped = decoded = 0
    for data in changed:
        try:
            container.read(data)
        except FourcodecError as exc:
            stopped += "checksum" in str(exc)
        else:
            decoded += 1
    assert stopped < decoded


@pytest.mark.parametrize("name", ["rgb-zstd", "rgb-range", "grid-rgb", "grid-tiled"])
def test_a_mutation_is_the_same_for_the_same_seed(name: str) -> None:
    seed = (FOLDER / f"{name}.fnc").read_bytes()
    for number in range(30):
        first, second = (mutation.mutate(seed, 4096, number, _flip, deep=True) for _ in range(2))
        assert first == second


def test_the_targets_decode_sound_files() -> None:
    """A target that refuses everything would never find anything."""
    for path in FOLDER.glob("*.fnc"):
        data = path.read_bytes()
        targets.info(data)
        targets.picture(data)
        assert codec.decode(data, limits=targets.LIMITS).size


def test_executions_are_counted_over_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "WORK", tmp_path)
    run.count("info", 100, 3.0, finding=False)
    run.count("grid", 7, 1.0, finding=False)
    assert run.count("info", 50, 2.0, finding=True)["seconds_without_a_finding"] == 0
    total = run.count("info", 5, 2.0, finding=False)
    assert total == {"executions": 155, "seconds": 7, "seconds_without_a_finding": 2}


def _flip(data: bytes, max_size: int) -> bytes:
    damaged = bytearray(data or b"\0")
    random = Random(len(data))
    damaged[random.randrange(len(damaged))] ^= 1 << random.randrange(8)
    return bytes(damaged[:max_size])
