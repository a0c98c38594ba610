"""Targets: predictable names, and never one for two sources."""

from hypothesis import given
from hypothesis import strategies as st

from fourcodec.batch.plan import targets


def test_names_keep_their_stem_unless_two_would_be_alike() -> None:
    assert targets(["a.png", "b/a.png", "b.jpg"], ".fnc", {}) == {
        "a.png": "a.fnc",
        "b/a.png": "b/a.fnc",
        "b.jpg": "b.fnc",
    }
    assert targets(["a.jpg", "a.png", "A.webp"], ".fnc", {}) == {
        "a.jpg": "a.jpg.fnc",
        "a.png": "a.png.fnc",
        "A.webp": "A.webp.fnc",
    }


def test_what_is_known_keeps_its_target() -> None:
    assert targets(["a.jpg", "a.png"], ".fnc", {"a.png": "a.fnc"}) == {"a.jpg": "a.jpg.fnc", "a.png": "a.fnc"}
    assert targets(["a.jpg"], ".fnc", {"a.png": "a.fnc"}) == {"a.jpg": "a.jpg.fnc"}


@given(st.lists(st.from_regex(r"(x/)?[ab](\.png|\.jpg|\.PNG)*\.(png|jpg)", fullmatch=True), unique=True))
def test_no_two_sources_share_a_target(sources: list[str]) -> None:
    chosen = targets(sources, ".fnc", {})
    assert set(chosen) == set(sources)
    assert len({target.casefold() for target in chosen.values()}) == len(sources)
    again = targets([*sources, "a.webp", "x/b.tiff"], ".fnc", chosen)
    assert {source: again[source] for source in sources} == chosen
