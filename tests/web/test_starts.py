"""The trained starts as the decoder in JavaScript reads them."""

from fourcodec.web.pages import trained_starts
from tools.web_starts import starts


def test_each_trained_start_has_a_file_with_its_integers() -> None:
    """python -m tools.web_starts writes them."""
    assert trained_starts() == starts()
