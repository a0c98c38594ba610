"""The entry point of `python -m fourcodec` and of the `fourcodec` script.

Click and the commands are imported inside `main`, so that Ctrl-C during these imports ends the program cleanly too.
"""

import io
import os
import signal
import sys
from typing import NoReturn

INTERRUPTED = 130  # 128 + SIGINT: the status that a shell reports for a program ended by Ctrl-C


def main() -> NoReturn:
    """Runs the command line that the process was started with, and exits with its status."""
    _prepare_streams()
    try:
        from fourcodec import cli

        status = cli.run()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        status = INTERRUPTED
    if status == INTERRUPTED:
        # An interrupt that passed through an exec() of text (importing numba runs some) leaves a flag in Python, which
        # then ends the process by the signal and not with our status. Another exec() that succeeds clears the flag.
        exec("")
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a second Ctrl-C must not print a traceback of Python's end
    sys.exit(status)


def _prepare_streams() -> None:
    """Makes the standard streams take whatever is written to them.

    A stream that was closed (2>&-) is None in Python. Its number is taken here: the next file that is opened would get
    it, and with it what libraries write to stderr. Messages go nowhere then; standard input and output stay None, and
    whoever needs them is told.
    """
    for number, flags in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, flags)  # gets the lowest free number
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):  # as stderr always does: a letter that it cannot show ends no run
        sys.stdout.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    main()
