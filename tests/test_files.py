"""Files appear whole or not at all."""

import errno
import io
import os
import stat
import struct
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


def test_a_fault_while_reading_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Faulty(io.BytesIO):
        def read(self, *_: object) -> bytes:
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Path, "open", lambda *_: Faulty())
    with pytest.raises(OSError, match="cannot read: Input/output error") as caught:
        files.read(tmp_path / "a.png", 9)
    assert caught.value.filename == str(tmp_path / "a.png")


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.skipif(os.name != "posix", reason="rights as on POSIX")
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o444])
def test_a_file_that_is_replaced_keeps_its_mode(tmp_path: Path, mode: int) -> None:
    target = tmp_path / "a.fnc"
    target.write_bytes(b"old")
    target.chmod(mode)
    files.write(target, b"new", overwrite=True)
    assert (target.read_bytes(), mode_of(target)) == (b"new", mode)


@pytest.mark.skipif(os.name != "posix", reason="rights as on POSIX")
def test_no_moment_widens_the_mode_of_a_file_that_is_replaced(tmp_path: Path) -> None:
    target = tmp_path / "a.fnc"
    target.write_bytes(b"old")
    target.chmod(0o600)
    with files.replacing(target, overwrite=True) as file:
        file.write(b"new")
        (temporary,) = set(tmp_path.iterdir()) - {target}
        assert mode_of(temporary) == 0o600


@pytest.mark.skipif(os.name != "posix", reason="rights as on POSIX")
def test_a_group_that_cannot_be_kept_gives_no_rights_to_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "a.fnc"
    target.write_bytes(b"old")
    target.chmod(0o664)
    real = os.fstat

    def of_another_group(descriptor: int) -> os.stat_result:
        found = list(real(descriptor))
        found[5] += 1
        return os.stat_result(found)

    monkeypatch.setattr(os, "fstat", of_another_group)
    files.write(target, b"new", overwrite=True)
    assert mode_of(target) == 0o644


def acl_of(*entries: tuple[int, int, int]) -> bytes:
    """The extended attribute of an ACL (linux/posix_acl_xattr.h): tag, rights and number of each entry."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


ANYBODY = 0xFFFFFFFF  # the number of entries for no particular user or group
# user::rw-, user:12345:r--, group::r--, mask::r--, other::---
ACL = acl_of((1, 6, ANYBODY), (2, 4, 12345), (4, 4, ANYBODY), (16, 4, ANYBODY), (32, 0, ANYBODY))


def give_acl(path: Path, kind: str = "access") -> None:
    try:
        os.setxattr(path, f"system.posix_acl_{kind}", ACL)
    except (OSError, AttributeError):
        pytest.skip("no ACLs here")


def acl_at(path: Path) -> bytes:
    """The ACL of a file; empty where it has none."""
    try:
        return os.getxattr(path, "system.posix_acl_access")
    except OSError:
        return b""


def test_a_file_that_is_replaced_keeps_its_acl(tmp_path: Path) -> None:
    target = tmp_path / "a.fnc"
    target.write_bytes(b"old")
    give_acl(target)
    files.write(target, b"new", overwrite=True)
    assert (target.read_bytes(), acl_at(target), mode_of(target)) == (b"new", ACL, 0o640)


def test_the_default_acl_of_a_folder_gives_no_rights_to_a_file_that_is_replaced(tmp_path: Path) -> None:
    target = tmp_path / "a.fnc"
    target.write_bytes(b"old")
    target.chmod(0o640)
    give_acl(tmp_path, "default")
    files.write(target, b"new", overwrite=True)
    assert (acl_at(target), mode_of(target)) == (b"", 0o640)
    files.write(tmp_path / "b.fnc", b"new", overwrite=False)
    assert acl_at(tmp_path / "b.fnc") == ACL  # of a new file it does


def test_an_acl_that_cannot_be_kept_gives_no_rights_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.fnc"
    target.write_bytes(b"old")
    give_acl(target)

    def refused(*_: object) -> None:
        raise OSError(errno.ENOTSUP, "no")

    monkeypatch.setattr(os, "setxattr", refused)
    files.write(target, b"new", overwrite=True)
    assert (acl_at(target), mode_of(target)) == (b"", 0o600)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
def test_a_file_that_is_replaced_keeps_its_owner_and_group(tmp_path: Path) -> None:
    target = tmp_path / "a.fnc"
    target.write_bytes(b"old")
    target.chmod(0o664)
    os.chown(target, 12345, 12346)
    files.write(target, b"new", overwrite=True)
    found = target.stat()
    assert (found.st_uid, found.st_gid, mode_of(target)) == (12345, 12346, 0o664)


@pytest.mark.skipif(os.name != "posix", reason="links as on POSIX")
def test_a_hard_link_keeps_the_old_file(tmp_path: Path) -> None:
    target, other = tmp_path / "a.fnc", tmp_path / "b.fnc"
    target.write_bytes(b"old")
    other.hardlink_to(target)
    files.write(target, b"new", overwrite=True)
    assert (target.read_bytes(), other.read_bytes()) == (b"new", b"old")


@pytest.mark.parametrize("name", ["あ" * 80 + ".png", "x" * 251 + ".png", "é" * 125 + ".fnc", "a" * 99 + "あ.fnc"])
def test_every_name_that_the_file_system_takes_can_be_written(tmp_path: Path, name: str) -> None:
    target = tmp_path / name
    files.write(target, b"abc", overwrite=False)
    left = tmp_path / f"{files._prefix(target)}{'0' * 12}.tmp"
    left.touch()
    files.remove_leftovers(target)
    assert list(tmp_path.iterdir()) == [target]


def test_only_temporary_files_of_ours_are_removed(tmp_path: Path) -> None:
    ours, theirs = tmp_path / ".a.fnc.0123456789ab.tmp", tmp_path / ".notes.tmp"
    for path in (ours, theirs):
        path.touch()
    files.remove_all_leftovers(tmp_path)
    files.remove_all_leftovers(tmp_path / "missing")
    assert list(tmp_path.iterdir()) == [theirs]


@pytest.mark.skipif(os.name != "posix", reason="FIFOs as on POSIX")
def test_what_is_no_regular_file_is_refused_without_opening_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.fnc")
    with pytest.raises(OSError, match="not a regular file"):
        files.check_regular(tmp_path / "a.fnc")
    with pytest.raises(IsADirectoryError):
        files.check_regular(tmp_path)
