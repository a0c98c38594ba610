"""Our own codec as the bench sees it: a module with `encode` and `decode`, and the arguments that they get."""

from dataclasses import asdict
from importlib import import_module
from types import ModuleType
from typing import Any

from fourcodec.bench.settings import BenchSettings, OurSetting


def codec_of(settings: BenchSettings) -> ModuleType:
    """The measured module: `fourcodec.codec`, or a stand-in with the same two functions."""
    return import_module(settings.codec)


def encode_arguments(settings: BenchSettings, our: OurSetting) -> dict[str, Any]:
    """The arguments of `encode`, beside the picture."""
    arguments = {**asdict(our), "profile": settings.profile, "iterations": settings.iterations}
    given = {name: value for name, value in arguments.items() if value is not None}
    return {**given, "effort": settings.effort, "device": settings.device, "seed": settings.seed}


def coefficient_count(our: OurSetting, channels: int) -> int | None:
    """The number of coefficients of a pure network of this size with all frequencies; None where a quality decides
    the size."""
    if our.width is None or our.depth is None:
        return None
    from fourcodec.fnet.config import FnetConfig

    return FnetConfig(our.width, our.depth, channels).coefficient_count
