"""What may be asked of a file together."""

from typing import Any

import numpy as np
import pytest

from fourcodec import extras
from fourcodec.errors import MissingLibraryError
from fourcodec.request import Request


@pytest.mark.parametrize(
    ("asked", "is_grid", "size"),
    [
        ({}, True, None),
        ({"target_bytes": 9}, True, None),
        ({"quality": 40}, True, None),
        ({"width": 3}, False, (3, 6)),
        ({"depth": 3, "quality": 40}, False, (8, 3)),
        ({"profile": "fnet"}, False, (8, 6)),
        ({"profile": "fnet", "quality": 40}, False, None),
        ({"profile": "fnet", "target_psnr": 30.0}, False, None),
        ({"width": 7, "depth": 5, "target_bpp": 0.1}, False, (7, 5)),
    ],
)
def test_profile_and_size_follow_from_what_is_asked(asked: dict[str, Any], is_grid: bool, size: Any) -> None:
    request = Request(**asked)
    assert request.is_grid == is_grid
    if not is_grid:
        assert request.size == size


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"quality": 30, "target_bytes": 9}, "quality and target_bytes exclude each other"),
        ({"target_bpp": 0.3, "target_psnr": 30}, "target_bpp and target_psnr exclude each other"),
        ({"target_bpp": 0.3, "max_seconds": 3}, "max_seconds and a target"),
        ({"profile": "fnet", "max_seconds": 3}, "max_seconds belongs"),
        ({"profile": "grid", "width": 3}, "width and depth belong"),
        ({"profile": "jpeg"}, "profiles are grid and fnet|profiles are fnet and grid"),
        ({"quality": 101}, "quality is 0 to 100"),
        ({"target_psnr": 30, "target_ssimulacra2": 60}, "target_psnr and target_ssimulacra2 exclude each other"),
        ({"target_ssimulacra2": 96}, "target_ssimulacra2 is at most 95"),
        ({"tune": "loud"}, "tunings are psnr and visual"),
        ({"tune": "visual", "profile": "fnet"}, "visual belongs to the profile grid"),
        ({"tune": "visual", "width": 3}, "visual belongs to the profile grid"),
        ({"target_bytes": 0}, "target_bytes is above 0"),
        ({"target_bpp": float("nan")}, "target_bpp is above 0"),
        ({"target_psnr": 91}, "target_psnr is at most"),
        ({"max_seconds": float("inf")}, "max_seconds is above 0"),
    ],
)
def test_contradictions_are_a_callers_mistake(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Request(**asked)


def test_a_missing_metric_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "is_there", lambda library: False)
    with pytest.raises(MissingLibraryError, match=r"needs ssimulacra2, .* pip install 'fourcodec\[bench\]'"):
        Request(target_ssimulacra2=60)
    monkeypatch.setattr(extras, "is_there", lambda library: True)
    assert Request(target_ssimulacra2=60).targeted


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"quality": "60"}, "quality is a number, not str"),
        ({"quality": [60]}, "quality is a number, not list"),
        ({"quality": True}, "quality is a number, not True"),
        ({"quality": 10**400}, "quality is 0 to 100, not inf"),
        ({"width": "8"}, "width is a whole number, not str"),
        ({"width": 8.5}, "width is a whole number, not 8.5"),
        ({"depth": True}, "depth is a whole number, not True"),
        ({"target_bytes": 99.5}, "target_bytes is a whole number, not 99.5"),
        ({"target_psnr": 1j}, "target_psnr is a number, not complex"),
        ({"max_seconds": b"3"}, "max_seconds is a number, not bytes"),
    ],
)
def test_arguments_of_another_type_are_named(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Request(**asked)


def test_numbers_of_numpy_are_as_good_as_pythons() -> None:
    request = Request(width=np.int64(3), depth=np.uint8(2), quality=np.float32(40))
    assert (request.size, request.quality) == ((3, 2), 40.0)
    assert type(request.width) is int
    assert type(request.quality) is float
