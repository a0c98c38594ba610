"""Two forms of one picture become samples that can be compared."""

import numpy as np

from fourcodec.comparison.common_format import to_common_format, to_depth, without_alpha


def test_the_richer_form_is_what_both_become() -> None:
    grey = np.arange(24, dtype=np.uint8).reshape(4, 6)
    rgba = np.full((4, 6, 4), 1285, np.uint16)
    first, second = to_common_format(grey, rgba)
    np.testing.assert_array_equal(second, rgba)
    assert first.dtype == np.uint16
    np.testing.assert_array_equal(first[:, :, :3], np.repeat(grey[:, :, None], 3, axis=2).astype(np.uint16) * 257)
    assert (first[:, :, 3] == 65535).all()


def test_alpha_is_no_colour() -> None:
    veiled = np.dstack([np.full((4, 6), 9, np.uint8), np.full((4, 6), 128, np.uint8)])
    first, second = to_common_format(veiled, np.zeros((4, 6, 3), np.uint8))
    assert first[0, 0].tolist() == [9, 9, 9, 128]
    assert second[0, 0].tolist() == [0, 0, 0, 255]


def test_equal_forms_stay_as_they_are(photo: np.ndarray) -> None:
    for picture in (photo, photo[:, :, 0], photo.astype(np.uint16)):
        first, second = to_common_format(picture, picture)
        np.testing.assert_array_equal(first, picture)
        assert (first.dtype, first.shape, second.shape) == (picture.dtype, picture.shape, picture.shape)


def test_white_shows_through(photo: np.ndarray) -> None:
    np.testing.assert_array_equal(without_alpha(photo), photo)
    hidden = np.dstack([photo, np.zeros(photo.shape[:2], np.uint8)])
    assert (without_alpha(hidden) == 255).all()


def test_samples_are_spread_to_the_depth() -> None:
    assert to_depth(np.array([[0, 255]], np.uint8), np.dtype(np.uint16)).tolist() == [[0, 65535]]
    assert to_depth(np.array([[7]], np.uint8), np.dtype(np.uint8)).tolist() == [[7]]
