"""Windows of levels: each column meets the instructions that it meets in the whole level."""

from hypothesis import given
from hypothesis import strategies as st

from fourcodec.grid.windows import VECTOR, Window


@given(st.integers(1, 400), st.integers(1, 400), st.data())
def test_an_aligned_window_is_whole_vectors_or_ends_with_the_level(
    rows: int, columns: int, data: st.DataObject
) -> None:
    top, left = data.draw(st.integers(0, rows - 1)), data.draw(st.integers(0, columns - 1))
    bottom, right = data.draw(st.integers(top + 1, rows)), data.draw(st.integers(left + 1, columns))
    found = Window(top, left, bottom, right).aligned(rows, columns)
    assert found.top <= top < bottom <= found.bottom <= rows
    assert found.left <= left < right <= found.right <= columns
    assert found.top % 2 == found.left % VECTOR == 0
    assert found.right % VECTOR == 0 or found.right == columns
    # The end of a level alone, of a few columns, would be computed without vectors.
    assert found.columns >= min(VECTOR, columns)
