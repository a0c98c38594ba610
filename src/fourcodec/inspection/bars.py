"""Where the bytes are, as bars of text."""

from collections.abc import Sequence

from fourcodec.inspection.spending import Item

BLOCKS = "▏▎▍▌▋▊▉█"  # an eighth of a column, two eighths, ...
_COLOURS = {"header": "90", "networks": "34", "network": "34", "latents": "32", "alpha": "33"}  # of ECMA-48
_METADATA = "35"
_INDENT = "  "
_LEAST_COLUMNS, _MOST_COLUMNS = 10, 60


def lines(items: Sequence[Item], *, columns: int, blocks: bool) -> list[str]:
    """A line an item: name, bytes, share of all, and a bar in the colour of its section, at most `columns` wide in all.

    `blocks`: whether the bar may use the block elements of Unicode, in eighths of a column, in place of #.
    """
    names = [f"{_INDENT * item.is_part}{item.name}" for item in items]
    sizes = [f"{item.size_bytes:,.1f}" if item.is_part else f"{item.size_bytes:,.0f}" for item in items]
    name_width, size_width = max(map(len, names)), max(map(len, sizes))
    total = sum(item.size_bytes for item in items if not item.is_part)
    largest = max(item.size_bytes for item in items)
    room = min(max(columns - name_width - size_width - 12, _LEAST_COLUMNS), _MOST_COLUMNS)
    drawn = []
    for item, name, size in zip(items, names, sizes, strict=True):
        bar = f"\x1b[{_COLOURS.get(item.section, _METADATA)}m{_bar(room * item.size_bytes / largest, blocks)}\x1b[0m"
        drawn.append(f"{name:{name_width}}  {size:>{size_width}}  {100 * item.size_bytes / total:5.1f}%  {bar}")
    return drawn


def _bar(length: float, blocks: bool) -> str:
    """At least a trace of what is there."""
    if not blocks:
        return "#" * max(round(length), 1)
    whole, eighths = divmod(max(round(8 * length), 1), 8)
    return BLOCKS[-1] * whole + (BLOCKS[eighths - 1] if eighths else "")
