"""The status line: how often it is shown, and the time that it says is left."""

import sys

import pytest

from fourcodec.batch import progress
from fourcodec.batch.progress import RunProgress, StatusLine, TimeLeft, duration


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that the clock shows, in a list of one."""
    now = [1000.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_a_log_gets_the_first_line_the_last_and_some_between(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with StatusLine(every_seconds=2) as line:
        for number in range(5):
            line.show(f"{number}", last=number == 4)
            clock[0] += 0.9
    assert capsys.readouterr().err == "0\n3\n4\n"


def test_a_terminal_gets_one_line_that_is_drawn_over(
    clock: list[float], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "9")
    with StatusLine() as line:
        line.show("wider than it")
        line.show("too soon")
        line.note("remark")
        line.show("two")
    assert capsys.readouterr().err == "\rwider th\r        \rremark\n\rtwo     \n"


def test_quiet_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    with StatusLine(quiet=True) as line:
        line.show("line", last=True)
        line.note("remark")
    assert capsys.readouterr().err == ""


def test_the_time_left_goes_by_the_pace(clock: list[float]) -> None:
    left = TimeLeft(30)
    assert left.seconds == 0
    clock[0] += 20
    left.finish(10)
    assert left.seconds == 40


def test_a_run_says_what_is_done_what_failed_and_how_long_it_takes(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with RunProgress(4, "files", quiet=False) as line:
        line.time_left.left = 8
        clock[0] += 60
        line.time_left.finish(2)
        line.update(1, failed=1, more=", ours 30 dB")
        line.time_left.finish(6)
        line.update(4, failed=1)
    assert capsys.readouterr().err == "1/4 files, 1 failed, 3 min left, ours 30 dB\n4/4 files, 1 failed, 0 s left\n"
    assert [duration(seconds) for seconds in (42, 720, 12600)] == ["42 s", "12 min", "3.5 h"]
