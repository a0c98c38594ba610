"""Pages that show .fnc files by themselves: the files, the decoder and the style are inside."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Sequence
from html import escape
from importlib import resources
from typing import NamedTuple

from fourcodec.bitstream.container import Header
from fourcodec.web import asset, data_uri

_PROFILES = {1: "fnet", 2: "grid"}  # in the names of trained starts
_IMPORT = re.compile(r"^import [^;]*;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=const|class|function|async)", re.MULTILINE)
# What a page may load that has files and their decoder inside: nothing but what is in it.
POLICY = (
    "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline' 'wasm-unsafe-eval' blob:; worker-src blob:; connect-src data: blob:"
)


class Shown(NamedTuple):
    """A .fnc file on a page: its name for people, its bytes, and the header at their beginning."""

    name: str
    data: bytes
    header: Header


def view_page(files: Sequence[Shown]) -> str:
    """The page index.html with these files inside, which needs no other file and no network.

    The worker's scripts are compressed, since they are more than half of the page of a small picture, and of the
    trained starts only those are there that the files name.
    """
    page = asset("fourcodec.web", "index.html")
    style = asset("fourcodec.web", "base.css") + asset("fourcodec.web", "view.css")
    page = re.sub(r'(?<=Policy" content=")[^"]*', lambda _: POLICY, page)
    page = re.sub(r'<link rel="stylesheet"[^>]*>\n', "", page)
    page = re.sub(
        r"<script[^>]*></script>\n",
        lambda _: f"<style>\n{style}</style>\n{decoder(files, 'view.js')}",
        page,
    )
    page = re.sub(r'<p class="remark" id="local".*?</p>\n', "", page)
    return page.replace('<p id="hint">', "".join(map(element, files)) + '<p id="hint">')


def decoder(files: Sequence[Shown], *scripts: str) -> str:
    """The HTML that a page needs to show .fnc files by `element`: the decoder, the trained starts that the files name
    (without files, all), and the module that defines <fnc-img>, with further scripts of this package at its end."""
    return f'{_inside(files)}\n<script type="module">\n{joined("fnc-img.js", *scripts)}</script>\n'


def element(file: Shown) -> str:
    """The <fnc-img> of a file, with its bytes inside."""
    return (
        f'<fnc-img src="{data_uri("image/x-fnc", file.data)}" alt="{escape(file.name)}" '
        f'width="{file.header.width}" height="{file.header.height}" data-bytes="{len(file.data)}"></fnc-img>\n'
    )


def trained_starts() -> dict[str, bytes]:
    """The contents of the files start-*.bin, by the names of trained starts in decoder.js, such as grid-1."""
    files = sorted(resources.files("fourcodec.web").iterdir(), key=lambda file: file.name)
    starts = [file for file in files if file.name.startswith("start-")]
    return {file.name.removeprefix("start-").removesuffix(".bin"): file.read_bytes() for file in starts}


def worker_script() -> str:
    """The decoder, its quicker ways and the worker as one classic script: from a page in a folder, browsers start no
    modules as workers."""
    return joined("decoder.js", "fast.js", "worker.js").replace("import.meta.url", "location.href")


def joined(*names: str) -> str:
    """Modules of this package as one: what they import from one another is in it."""
    return "".join(_EXPORT.sub("", _IMPORT.sub("", asset("fourcodec.web", name))) for name in names)


def _inside(files: Sequence[Shown]) -> str:
    """The element that fnc-img.js looks for: the worker, deflated, and trained starts, in base64."""
    deflated = zlib.compressobj(9, wbits=-15)
    worker = deflated.compress(worker_script().encode()) + deflated.flush()
    headers = [file.header for file in files]
    named = {f"{_PROFILES[header.profile]}-{header.prior}" for header in headers if header.prior}
    starts = {name: _text(data) for name, data in trained_starts().items() if name in named or not files}
    content = {"worker": _text(worker), "starts": starts}
    return f'<script type="application/json" id="fnc-inside">{json.dumps(content)}</script>'


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
