"""Compiled kernels on the disk: kept, found again, and never a reason to fail."""

import multiprocessing
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fourcodec import cache, kernel_cache
from fourcodec.compiling import float_kernel, integer_kernel
from tests.golden.make import FOLDER

FILE = FOLDER / "one-pixel.fnc"
DECODE = "import sys, fourcodec; print(fourcodec.decode(open(sys.argv[1], 'rb').read()).tolist())"
NOTE = "compiled kernels are not kept"


def triple(x: Any) -> Any:
    return 3 * x


def forget() -> None:
    """What a process remembers of folders and of what it said."""
    for remembered in (kernel_cache.kernel_folder, kernel_cache._warn_once):
        remembered.cache_clear()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The kernels' folder in a cache of this test's own."""
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    forget()
    yield tmp_path / "cache" / kernel_cache.folder_name()
    forget()


def hits(kernel: Any) -> int:
    """How many signatures were loaded, after one use."""
    assert kernel(14) == 42
    return sum(kernel.stats.cache_hits.values())


def test_a_kernel_is_compiled_once(folder: Path) -> None:
    assert hits(integer_kernel(triple)) == 0
    (kept,) = folder.iterdir()
    assert hits(integer_kernel(triple)) == 1
    assert list(folder.iterdir()) == [kept]


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="folders have no owners and modes here")
def test_the_folder_is_the_users_alone(folder: Path) -> None:
    hits(integer_kernel(triple))
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in folder.iterdir()] == [0o600]


DAMAGE = {
    "emptied": lambda data: b"",
    "truncated": lambda data: data[: len(data) // 2],
    "without its sum": lambda data: data[32:],
    "garbage": lambda data: bytes(range(256)) * 9,
    "one bit changed": lambda data: data[:-40] + bytes([data[-40] ^ 1]) + data[-39:],
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_replaced(folder: Path, damage: Any) -> None:
    hits(integer_kernel(triple))
    (path,) = folder.iterdir()
    sound = path.read_bytes()
    path.write_bytes(damage(sound))
    assert hits(integer_kernel(triple)) == 0
    assert hits(integer_kernel(triple)) == 1


def test_what_numba_cannot_read_is_replaced(folder: Path) -> None:
    """Whole, by its sum, but no kernel: another build of numba may have written it."""
    hits(integer_kernel(triple))
    (path,) = folder.iterdir()
    kernel_cache._write(path, b"\x80\x04N.")
    assert hits(integer_kernel(triple)) == 0
    assert hits(integer_kernel(triple)) == 1


def test_a_folder_in_the_place_of_a_file_is_no_reason_to_fail(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    hits(integer_kernel(triple))
    (path,) = folder.iterdir()
    path.unlink()
    path.mkdir()
    assert hits(integer_kernel(triple)) == 0
    assert caplog.text.count(NOTE) == 1


# Kernels that differ


def made(constant: int) -> Any:
    @float_kernel
    def scaled(x: Any) -> Any:
        return constant * x

    return scaled


def test_kernels_of_other_constants_or_arguments_are_others(folder: Path) -> None:
    assert [made(constant)(7) for constant in (2, 5)] == [14, 35]
    assert made(2)(np.float32(1.5)) == 3
    assert len(list(folder.iterdir())) == 3
    assert [made(constant)(7) for constant in (5, 2)] == [35, 14]
    assert len(list(folder.iterdir())) == 3


def test_code_that_two_processes_made_does_not_mix(folder: Path) -> None:
    """numba numbers functions anew in each process: both kernels were the first of theirs."""
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        assert pool.map(_made_elsewhere, [2, 5], chunksize=1) == [14, 35]
    two, five = made(2), made(5)
    assert [two(7), five(7), two(8), five(8)] == [14, 35, 16, 40]
    assert [sum(kernel.stats.cache_hits.values()) for kernel in (two, five)] == [1, 1]


def _made_elsewhere(constant: int) -> int:
    return int(made(constant)(7))


def test_constants_are_integers(folder: Path) -> None:
    table = [1, 2]
    kernel = integer_kernel(lambda x: x + len(table))
    with pytest.raises(TypeError, match="something else than integers"):
        kernel(1)


def test_a_change_in_an_imported_module_is_a_change_of_the_kernel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """simd.py emits code into layer.py's kernels, which therefore have to be compiled again."""
    module = "fourcodec.fourier.layer"
    before = kernel_cache.source_digest(module)
    source = kernel_cache._source.__wrapped__

    def edited(name: str) -> str:
        return str(source(name)) + ("#" if name.endswith(".simd") else "")

    monkeypatch.setattr(kernel_cache, "_source", edited)
    assert kernel_cache.source_digest.__wrapped__(module) != before
    assert kernel_cache.source_digest.__wrapped__("fourcodec.coding.range_coder") == kernel_cache.source_digest(
        "fourcodec.coding.range_coder"
    )


# No folder


def test_where_no_folder_can_be_made_kernels_are_compiled_in_memory(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(cache.VARIABLE, "/dev/null/cache")
    kernel = integer_kernel(triple)
    assert hits(kernel) == 0
    assert kernel(np.float32(2)) == 6
    assert caplog.text.count(NOTE) == 1
    assert caplog.text.count(cache.VARIABLE) == 1


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="folders have no owners and modes here")
class TestFoldersOfOthers:
    def test_a_folder_of_another_user_is_not_used(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        hits(integer_kernel(triple))
        before = list(folder.iterdir())
        monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
        forget()
        assert hits(integer_kernel(triple)) == 0
        assert "belongs to another user" in caplog.text
        assert list(folder.iterdir()) == before

    def test_a_file_of_another_user_is_not_read(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        hits(integer_kernel(triple))
        kernel_cache.kernel_folder()  # found while it was ours
        monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
        assert hits(integer_kernel(triple)) == 0

    @pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
    def test_a_folder_that_others_can_write_is_not_used(
        self, folder: Path, caplog: pytest.LogCaptureFixture, mode: int
    ) -> None:
        folder.mkdir(parents=True)
        folder.chmod(mode)
        assert hits(integer_kernel(triple)) == 0
        assert list(folder.iterdir()) == []
        assert "can be changed by other users" in caplog.text

    def test_a_link_is_not_followed(self, folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        folder.parent.mkdir()
        folder.symlink_to(tmp_path / "elsewhere")
        assert hits(integer_kernel(triple)) == 0
        assert list((tmp_path / "elsewhere").iterdir()) == []
        assert "is a link" in caplog.text


def test_a_user_without_a_home_gets_no_folder_named_after_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(cache.VARIABLE, raising=False)
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *_, **__: Path("~/.cache/fourcodec"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OSError, match="no home folder"):
        cache.private_folder("kernels")
    assert list(tmp_path.iterdir()) == []


# Whole commands. Each is a process, and compiles what it needs for one pixel.


def decoded(place: Path, before: str = "") -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, cache.VARIABLE: str(place)}
    command = [sys.executable, "-c", textwrap.dedent(before) + DECODE, str(FILE)]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def pixel() -> str:
    return f"{np.load(FILE.with_suffix('.npz'))['pixels'].tolist()}\n"


@pytest.mark.skipif(sys.platform == "win32", reason="there are no limits of file sizes")
def test_a_full_disk_at_the_cache_is_no_reason_to_fail(tmp_path: Path) -> None:
    full = """
        import resource, signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    """
    run = decoded(tmp_path / "cache", full)
    assert (run.returncode, run.stdout) == (0, pixel())
    assert run.stderr.count(NOTE) == 1
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_processes_that_compile_at_once_leave_whole_files(tmp_path: Path) -> None:
    environment = {**os.environ, cache.VARIABLE: str(tmp_path)}
    command = [sys.executable, "-c", DECODE, str(FILE)]
    running = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    assert [process.communicate()[0] for process in running] == [pixel()] * 3
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert all(kernel_cache._read(path) is not None for path in files)
    after = decoded(tmp_path)
    assert (after.stdout, after.stderr) == (pixel(), "")
