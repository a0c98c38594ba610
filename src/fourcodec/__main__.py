"""The entry point of `python -m fourcodec` and of the `fourcodec` script.

Click and the commands are imported inside `main`, so that Ctrl-C during these imports ends the program cleanly too.
"""

import signal
import sys
from typing import NoReturn

INTERRUPTED = 130  # 128 + SIGINT: the status that a shell reports for a program ended by Ctrl-C


def main() -> NoReturn:
    """Runs the command line that the process was started with, and exits with its status."""
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


if __name__ == "__main__":
    main()
