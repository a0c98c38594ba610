"""What users take for granted of a command line: help, completion, defaults from the environment, colours, ends."""

import os
import pty
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from PIL import Image

import fourcodec
from fourcodec import cli, codec, images
from fourcodec.batch.processes import run_in_processes
from fourcodec.batch.work import Work
from fourcodec.cache import cache_folder
from fourcodec.cli import options, reference
from fourcodec.cli.completion import SHELLS
from fourcodec.cli.help import Command, variable_of
from fourcodec.cli.lazy import LazyGroup
from fourcodec.request import TARGETS
from tests.support import sets
from tests.support.golden import FOLDER
from tests.support.killed import surroundings
from tests.support.sets import TINY

ROOT = Path(__file__).parents[1]
CODED = FOLDER / "grid-rgb.fnc"
POSIX = pytest.mark.skipif(os.name != "posix", reason="signals and terminals as on POSIX")
COMMANDS = {ctx.command_path: (ctx, command) for ctx, command in reference.commands()}
LEAVES = [path for path, (_, command) in COMMANDS.items() if not isinstance(command, LazyGroup)]


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("FOURCODEC_") or name in ("NO_COLOR", "FORCE_COLOR"):
            monkeypatch.delenv(name)


@pytest.fixture
def picture(tmp_path: Path, photo: np.ndarray) -> Path:
    path = tmp_path / "in.png"
    Image.fromarray(photo).save(path)
    return path


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the codec is called with; it refuses to work."""
    seen: dict[str, Any] = {}

    def record(_: object, **arguments: object) -> codec.Encoded:
        seen.update(arguments)
        raise MemoryError

    monkeypatch.setattr(codec, "encode", record)
    return seen


def fourcodec_process(*arguments: str, **options: Any) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "fourcodec", *arguments], stderr=subprocess.PIPE, text=True, **options
    )


# Help


def programs_of(line: str) -> Iterator[list[str]]:
    """The words behind `fourcodec` of a shell's line, up to its pipes and redirections."""
    line = line.replace("$(", " ").replace(')"', " ").replace('eval "', "")
    words: list[str] = []
    for word in [*shlex.split(line, comments=True), "|"]:
        if word in ("|", "<", ">", "&&"):
            if words[:1] == ["fourcodec"]:
                yield words[1:]
            words = []
        else:
            words.append(word)


@pytest.mark.parametrize("path", LEAVES)
def test_examples_of_the_help_are_right_usage(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = COMMANDS[path][1]
    assert isinstance(command, Command)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    found = [words for line in command.examples.splitlines() for words in programs_of(line)]
    assert len(found) == len(command.examples.splitlines())
    for words in found:
        names = path.split()[1:]
        assert words[: len(names)] == names
        with cli.cli.make_context("fourcodec", ["nothing"]) as parent:
            command.make_context(path, words[len(names) :], parent=parent)  # raises for wrong usage


@pytest.mark.parametrize("path", LEAVES)
def test_help_has_headings_and_examples(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([*path.split()[1:], "--help"]) == 0
    shown = capsys.readouterr().out
    assert re.search(rf"^Examples:\n  .*{path}", shown, re.MULTILINE)
    assert re.search(r"^Messages:\n(  .*\n)*  -h, --help", shown, re.MULTILINE)
    assert "RANGE" not in shown
    for option in COMMANDS[path][1].params:
        assert not isinstance(option, click.Option) or max(option.opts, key=len) in shown


def test_help_of_every_command_is_quick_to_load() -> None:
    script = (
        "import sys\nfrom fourcodec import cli\nfor path in sys.argv[1:]: assert cli.run([*path.split(), '-h']) == 0\n"
    )
    script += "assert not {'torch', 'numba', 'scipy', 'skimage', 'matplotlib', 'distributed'} & set(sys.modules)"
    paths = [path.removeprefix("fourcodec ") for path in LEAVES]
    subprocess.run([sys.executable, "-c", script, *paths], check=True, stdout=subprocess.DEVNULL)


def test_version_says_what_a_report_needs(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--version"]) == 0
    first, second, third, fourth = capsys.readouterr().out.splitlines()
    assert first == f"fourcodec {fourcodec.__version__}, file format 0.3"
    assert re.fullmatch(
        r"Python 3\.\S+, numpy \d\S+, numba \d\S+, torch \d\S+, pillow \d\S+, imagecodecs \d\S+", second
    )
    assert re.fullmatch(r".+, \d+ threads, CUDA: (no driver|its driver is installed)", third)
    assert fourth == f"compiled kernels are kept in {cache_folder()}"


def test_the_reference_is_what_the_commands_say() -> None:
    assert (ROOT / "docs" / "cli.md").read_text(encoding="utf-8") == reference.text(), "run `make docs`"


# Defaults from the environment


def test_a_variable_is_a_default(picture: Path, given: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOURCODEC_ENCODE_EFFORT", "3")
    monkeypatch.setenv("FOURCODEC_ENCODE_MAX_SECONDS", "9.5")
    monkeypatch.setattr(options, "time_left", lambda seconds, begun: seconds)
    assert cli.run(["encode", str(picture)]) == 1
    assert (given["effort"], given["max_seconds"]) == (3, 9.5)
    assert cli.run(["encode", str(picture), "--effort", "2"]) == 1
    assert given["effort"] == 2


def test_variables_are_named_after_options(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FOURCODEC_INFO_JSON", "1")
    assert cli.run(["info", str(CODED)]) == 0
    assert capsys.readouterr().out.startswith("{")
    ctx, command = COMMANDS["fourcodec generate sample"]
    names = {variable_of(ctx, option) for option in command.params if isinstance(option, click.Option)}
    assert names >= {"FOURCODEC_GENERATE_SAMPLE_COUNT", "FOURCODEC_GENERATE_SAMPLE_FNC"}


def test_nested_commands_have_variables_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FOURCODEC_GENERATE_SAMPLE_OUTPUT", str(tmp_path / "sheet.png"))
    monkeypatch.setenv("FOURCODEC_GENERATE_SAMPLE_COUNT", "0")
    assert cli.run(["generate", "sample", str(tmp_path)]) == 2
    assert "0 is not in the range" in (said := capsys.readouterr().err)
    assert "FOURCODEC_GENERATE_SAMPLE_COUNT" in said
    assert cli.run(["generate", "sample", str(tmp_path), "-n", "4"]) == 1  # no model there; an output was named


@pytest.mark.parametrize("target", TARGETS)
def test_the_command_line_beats_what_it_contradicts(
    picture: Path, given: dict[str, Any], monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    monkeypatch.setenv("FOURCODEC_ENCODE_QUALITY", "40")
    monkeypatch.setenv("FOURCODEC_ENCODE_PROFILE", "grid")
    assert cli.run(["encode", str(picture), f"--{target.replace('_', '-')}", "20"]) == 1
    assert (given["quality"], given[target], given["profile"]) == (None, 20, "grid")
    assert cli.run(["encode", str(picture), "--width", "4"]) == 1
    assert (given["profile"], given["width"]) == (None, 4)
    assert cli.run(["encode", str(picture), "--effort", "1"]) == 1
    assert (given["profile"], given["quality"]) == ("grid", 40)


def test_paths_and_views_of_the_command_line_beat_those_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    coded, shown = tmp_path / "coded.fnc", tmp_path / "shown.png"
    coded.write_bytes((FOLDER / "grid-smooth.fnc").read_bytes())
    monkeypatch.setenv("FOURCODEC_DECODE_OUTPUT", str(tmp_path / "other.png"))
    monkeypatch.setenv("FOURCODEC_DECODE_SCALE", "0.5")
    assert cli.run(["decode", str(coded), str(shown), "--size", "10x9"]) == 0
    assert images.load(shown).pixels.shape == (9, 10, 3)
    assert not (tmp_path / "other.png").exists()
    assert cli.run(["decode", str(coded)]) == 0
    assert images.load(tmp_path / "other.png").pixels.shape[1] == 23


def test_variables_that_contradict_each_other_are_named(
    picture: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FOURCODEC_ENCODE_QUALITY", "40")
    monkeypatch.setenv("FOURCODEC_ENCODE_TARGET_PSNR", "30")
    assert cli.run(["encode", str(picture)]) == 2
    assert "FOURCODEC_ENCODE_QUALITY and FOURCODEC_ENCODE_TARGET_PSNR are set" in capsys.readouterr().err
    assert cli.run(["encode", str(picture), "--tune", "psnr"]) == 2
    assert "FOURCODEC_ENCODE_QUALITY and FOURCODEC_ENCODE_TARGET_PSNR are set" in capsys.readouterr().err


def test_defaults_for_folders_do_not_hinder_single_files(
    picture: Path, given: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FOURCODEC_ENCODE_JOBS", "2")
    monkeypatch.setenv("FOURCODEC_ENCODE_RESUME", "1")
    assert cli.run(["encode", str(picture)]) == 1
    assert given
    assert cli.run(["encode", str(picture), "--jobs", "2"]) == 2
    assert "--jobs is about folders" in capsys.readouterr().err


# Colours


ESCAPE = "\x1b["


def on_terminal(*arguments: str, **environment: str) -> str:
    """What a command shows on a terminal of its own."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "fourcodec", *arguments]
    process = subprocess.Popen(
        command, stdout=theirs, stderr=theirs, env={**os.environ, "COLUMNS": "80", **environment}
    )
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 4096):
            shown += piece
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(ours)
    process.wait()
    return shown.decode()


@POSIX
def test_colours_are_for_terminals_and_no_color_takes_them_away(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for arguments in (["info", "--help"], ["info", "missing.fnc"]):
        assert ESCAPE in on_terminal(*arguments)
        assert ESCAPE not in on_terminal(*arguments, NO_COLOR="1")
        for variable in (None, "FORCE_COLOR"):
            if variable:
                monkeypatch.setenv(variable, "1")
            cli.run(arguments)
            out, err = capsys.readouterr()
            assert (ESCAPE in out + err) == (variable is not None)
        monkeypatch.delenv("FORCE_COLOR")


@POSIX
def test_progress_is_drawn_over_on_a_terminal_and_fits_into_it(picture: Path) -> None:
    fast = ["--profile", "fnet", "--width", "2", "--depth", "1", "--iterations", "50", "--device", "cpu", "-f"]
    shown = on_terminal("encode", str(picture), *fast, COLUMNS="30")
    drawn = [line for line in shown.split("\r") if line.startswith("iteration")]
    assert drawn
    assert max(map(len, drawn)) < 30


# Completion


def complete_bash(line: str, folder: Path) -> list[str]:
    script = f"""
        eval "$(fourcodec completion bash)"
        COMP_WORDS=({line.rstrip()}{" ''" if line.endswith(" ") else ""}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
        compopt() {{ echo "compopt:$2"; }}
        _fourcodec_completion fourcodec
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    return run_shell(["bash", "--norc", "-c", script], folder)


def complete_fish(line: str, folder: Path) -> list[str]:
    script = f"fourcodec completion fish | source; complete --do-complete '{line}'"
    return [item.split("\t")[0] for item in run_shell(["fish", "--no-config", "-c", script], folder)]


def complete_zsh(line: str, folder: Path) -> list[str]:
    """With zsh's own functions for showing completions replaced by ones that print them."""
    script = f"""
        compdef() {{ }}; _path_files() {{ print -l -- *; }}; _describe() {{ print -l -- ${{(P)3}}; }}
        compadd() {{ print -l -- ${{(P)@[-1]}}; }}
        eval "$(fourcodec completion zsh)"
        words=({line.rstrip()}{" ''" if line.endswith(" ") else ""}); CURRENT=$#words
        _fourcodec_completion
    """
    return [item.split(":")[0] for item in run_shell(["zsh", "-f", "-c", script], folder)]


def run_shell(command: list[str], folder: Path) -> list[str]:
    """With this very `fourcodec` on its path."""
    program = folder / "bin" / "fourcodec"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m fourcodec "$@"\n')
    program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}", "HOME": str(folder)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.stderr == ""
    return done.stdout.split("\n")


COMPLETERS = {"bash": complete_bash, "zsh": complete_zsh, "fish": complete_fish}


@POSIX
@pytest.mark.parametrize("shell", SHELLS)
def test_shells_complete_commands_options_values_and_files(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell}")
    complete = COMPLETERS[shell]
    assert {"encode", "decode", "generate"} <= set(complete("fourcodec ", tmp_path))
    assert "interpolate" in complete("fourcodec generate int", tmp_path)
    assert "--target-bytes" in complete("fourcodec encode --tar", tmp_path)
    assert {"webp", "npy"} <= set(complete("fourcodec decode --format ", tmp_path))
    (tmp_path / "photo.fnc").touch()
    files = complete("fourcodec decode ph" if shell == "fish" else "fourcodec decode ", tmp_path)
    assert ("compopt:default" if shell == "bash" else "photo.fnc") in files


# Ends


@POSIX
def test_a_reader_that_has_gone_is_no_error() -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    process = fourcodec_process("info", str(CODED), stdout=theirs)
    os.close(theirs)
    assert process.communicate()[1] == ""
    assert process.returncode == 1


def interrupt(process: subprocess.Popen, started: str) -> tuple[str, str]:
    """Ctrl-C, which reaches the whole group, when a line on stderr begins like that."""
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith(started):
            break
    os.killpg(process.pid, signal.SIGINT)
    return process.communicate(timeout=120)


@POSIX
def test_ctrl_c_ends_training_in_one_line(tmp_path: Path) -> None:
    sets.write_pictures(tmp_path / "pictures", sets.discs(40))
    (tmp_path / "tiny.toml").write_text(TINY)
    paths = [str(tmp_path / name) for name in ("pictures", "tiny.toml", "model")]
    command = ("generate", "train", paths[0], "--config", paths[1], "-o", paths[2], "--device", "cpu")
    process = fourcodec_process(*command, "--epochs", "1000000", stdout=subprocess.PIPE, start_new_session=True)
    out, err = interrupt(process, "epoch")
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err
    assert err.splitlines()[-1] == "interrupted"
    assert not list(tmp_path.rglob("*.tmp"))


ANNOUNCING = """
import sys
from fourcodec import cli
from fourcodec.batch.tasks import Direction
from tests.support.announced import announced
work = Direction.work.fget
Direction.work = property(lambda direction: announced(work(direction)))
sys.exit(cli.run(sys.argv[1:]))
"""


@POSIX
@pytest.mark.parametrize(("moment", "workers"), [("starting", 1), ("starting", 2), ("at work", 1), ("at work", 2)])
def test_ctrl_c_ends_jobs_in_one_line_and_leaves_no_half_file(
    tmp_path: Path, photo: np.ndarray, moment: str, workers: int
) -> None:
    (tmp_path / "photos").mkdir()
    for number in range(4):
        Image.fromarray(photo).save(tmp_path / "photos" / f"{number}.png")
    command = ["encode", str(tmp_path / "photos"), "-o", str(tmp_path / "out"), "--jobs", "2", "--device", "cpu"]
    command += ["--width", "2", "--depth", "1", "--iterations", "100000000"]
    process = subprocess.Popen(
        [sys.executable, "-c", ANNOUNCING, *command],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, env=surroundings(),
    )  # fmt: skip
    assert process.stderr is not None
    for _ in range(workers):
        while process.stderr.readline() not in (f"{moment}\n", ""):
            pass
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    said = [line for line in err.splitlines() if line not in ("starting", "at work")]
    assert said == ["interrupted, 4 files left: continue with --resume"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == [".fourcodec-encode.jsonl"]


def hears_of_interrupts(*_: object) -> bool:
    return signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


@POSIX
def test_workers_never_hear_of_ctrl_c() -> None:
    work = Work(hears_of_interrupts, hears_of_interrupts)
    assert list(run_in_processes(range(2), work, 2)) == [False, False]
    assert hears_of_interrupts(0)


def threads_given(*_: object) -> str:
    return os.environ["FOURCODEC_THREADS"]


def test_workers_share_the_threads_that_the_user_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOURCODEC_THREADS", "7")
    assert list(run_in_processes(range(2), Work(threads_given, threads_given), 2)) == ["3", "3"]


def test_ctrl_c_before_anything_is_loaded_is_clean_too() -> None:
    """And where it leaves an exec() of text, after which Python would die of the signal."""
    script = "import fourcodec.__main__ as entry\nfrom fourcodec import cli\n"
    script += "cli.run = lambda: exec('raise KeyboardInterrupt')\nentry.main()"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (130, "interrupted\n")
