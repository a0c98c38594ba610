"""The decoder in JavaScript under node."""

import json
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from fourcodec import web

FOLDER = Path(web.__path__[0])
NODE = shutil.which("node")
_PROGRAM = Path(__file__).parents[1] / "web" / "decode_cli.mjs"
_SECONDS = 300  # for all tasks of a call: a decoder that hangs ends the test


def under_node(test: Callable[..., None]) -> Callable[..., None]:
    """Marks a test that runs node."""
    return pytest.mark.skipif(NODE is None, reason="there is no node")(test)


def answers(tasks: Sequence[dict[str, Any]], **options: Any) -> list[dict[str, Any]]:
    """What decode_cli.mjs says to each task, under options of `decode`."""
    command = [str(NODE), str(_PROGRAM), json.dumps(options)]
    done = subprocess.run(
        command, input=json.dumps(list(tasks)), capture_output=True, text=True, timeout=_SECONDS, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]
