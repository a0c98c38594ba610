"""Pages that need nothing else, neither files nor a network: style, scripts and pictures are in them."""

import base64
from importlib import resources


def asset(package: str, name: str) -> str:
    """The text of a style sheet or script that lies in a package."""
    return resources.files(package).joinpath(name).read_text("utf-8")


def base_style() -> str:
    """The style that all pages share: light and dark, headings, tables."""
    return asset(__name__, "base.css")


def data_uri(kind: str, data: bytes) -> str:
    """`kind`: a media type like image/png."""
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
