"""Parts of self-contained HTML pages: style, scripts and pictures are inside the page, so it needs no other file and no
network."""

import base64
from importlib import resources


def asset(package: str, name: str) -> str:
    """The text of the style sheet or script `name` in a package, UTF-8."""
    return resources.files(package).joinpath(name).read_text("utf-8")


def base_style() -> str:
    """The style that all pages share: light and dark, headings, tables."""
    return asset(__name__, "base.css")


def data_uri(kind: str, data: bytes) -> str:
    """A data: URI with these bytes in base64. `kind` is their media type, image/png for instance."""
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
