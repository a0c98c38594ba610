"""The entry point, of `python -m fourcodec` and of the `fourcodec` script alike.

Click and the commands are imported within, so that Ctrl-C is as clean in those first moments as it is later.
"""

import signal
import sys
from typing import NoReturn

INTERRUPTED = 130  # what a shell says of a program that Ctrl-C ended


def main() -> NoReturn:
    """Runs the command line that the process was started with."""
    try:
        from fourcodec import cli

        status = cli.run()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        status = INTERRUPTED
    if status == INTERRUPTED:
        # Python takes an interrupt that left any exec() of text for unhandled (imports of numba have some), and would
        # die of the signal after all, unless another exec() ends well.
        exec("")
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # pressed again, it must not show the insides of Python's own end
    sys.exit(status)


if __name__ == "__main__":
    main()
