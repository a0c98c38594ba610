"""Files appear whole or not at all."""

import os
import stat
from pathlib import Path

import pytest

from fourcodec import files
from fourcodec.errors import LimitError


def test_a_file_is_written_and_nothing_else_is_left(tmp_path: Path) -> None:
    files.write(tmp_path / "a.fnc", b"abc", overwrite=False)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a.fnc", b"abc")]


def test_an_existing_file_is_kept_unless_told_otherwise(tmp_path: Path) -> None:
    target = tmp_path / "a.fnc"
    target.write_bytes(b"old")
    with pytest.raises(FileExistsError, match="exists already"):
        files.write(target, b"new", overwrite=False)
    with pytest.raises(FileExistsError, match="exists already"):
        files.check_target(target, overwrite=False)
    assert target.read_bytes() == b"old"
    files.check_target(target, overwrite=True)
    files.write(target, b"new", overwrite=True)
    assert target.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("interruption", [OSError("disk full"), KeyboardInterrupt(), MemoryError()])
def test_an_interrupted_write_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interruption: BaseException
) -> None:
    target = tmp_path / "a.fnc"
    target.write_bytes(b"old")

    def interrupt(_: int) -> None:
        raise interruption

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(type(interruption)):
        files.write(target, b"new", overwrite=True)
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_failed_rename_leaves_no_temporary_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(PermissionError):
        files.write(tmp_path / "a.fnc", b"new", overwrite=True)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_or_device_is_never_replaced(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match="is a folder"):
        files.write(tmp_path, b"abc", overwrite=True)
    with pytest.raises(OSError, match="not a regular file"):
        files.write(Path(os.devnull), b"abc", overwrite=True)


def test_a_missing_folder_is_named_with_the_file(tmp_path: Path) -> None:
    target = tmp_path / "missing" / "a.fnc"
    with pytest.raises(FileNotFoundError, match="cannot write") as caught:
        files.check_target(target, overwrite=False)
    assert caught.value.filename == str(target)


def test_checking_leaves_nothing(tmp_path: Path) -> None:
    files.check_target(tmp_path / "a.fnc", overwrite=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="rights and links as on POSIX")
def test_rights_follow_the_umask_and_links_stay(tmp_path: Path) -> None:
    target, link = tmp_path / "a.fnc", tmp_path / "link.fnc"
    link.symlink_to(target)
    mask = os.umask(0o027)
    try:
        files.write(link, b"abc", overwrite=False)
    finally:
        os.umask(mask)
    assert link.is_symlink()
    assert target.read_bytes() == b"abc"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_file_above_the_limit_is_not_read(tmp_path: Path) -> None:
    source = tmp_path / "a.fnc"
    source.write_bytes(bytes(10))
    assert files.read(source, 10) == bytes(10)
    with pytest.raises(LimitError, match="limit of 9 bytes"):
        files.read(source, 9)
