"""report.html: the answer, plots, tables and pictures on one page, which needs no other files and no network."""

import re
from collections.abc import Mapping, Sequence
from html import escape

from fourcodec import web
from fourcodec.bench.plots import Plot
from fourcodec.bench.rows import Row
from fourcodec.bench.showcase import Exhibit
from fourcodec.bench.tables import Table
from fourcodec.errors import printable
from fourcodec.web import data_uri
from fourcodec.web.pages import Shown, decoder, element


def page(
    answer: Sequence[str],
    tables: Sequence[Table],
    plots: Sequence[Plot],
    exhibits: Sequence[Exhibit],
    setup: Sequence[str],
    facts: Mapping[str, str],
) -> str:
    """The HTML of the page. `answer` is its beginning. `setup` and `facts` (names and values, such as versions and the
    command) are folded at its end."""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>fourcodec bench</title>
<link rel="icon" href="data:,">
<style>
{web.base_style()}{web.asset(__package__, "page.css")}</style>
</head>
<body>
<h1>fourcodec bench</h1>
<ul class="verdict">{"".join(f"<li>{_inline(line)}</li>" for line in answer)}</ul>
{_figures(plots)}
{"".join(f"<h2>{escape(table.title)}</h2>{_table(table)}" for table in tables if not table.folded)}
{_exhibits(exhibits)}
<h2>Details</h2>
{"".join(_folded(table.title, _table(table)) for table in tables if table.folded)}
{_folded("How it was measured", "".join(f"<p>{_inline(line)}</p>" for line in setup))}
{_folded("Made with", f"<dl>{''.join(map(_fact, facts.items()))}</dl>")}
{_decoder(exhibits)}<script>
{web.asset(__package__, "page.js")}</script>
</body>
</html>
"""


def _folded(title: str, content: str) -> str:
    return f"<details><summary>{escape(title)}</summary>{content}</details>"


def _fact(named: tuple[str, str]) -> str:
    return "<dt>{}</dt><dd>{}</dd>".format(*map(escape, named))


def _inline(line: str) -> str:
    """HTML of a sentence in Markdown, of which the sentences use bold only."""
    return re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", escape(line))


def _figures(plots: Sequence[Plot]) -> str:
    if not plots:
        return ""
    drawn = "".join(
        f'<img alt="{escape(plot.title)} against bits per pixel" src="{data_uri("image/svg+xml", plot.svg.encode())}">'
        for plot in plots
    )
    return f'<div class="plots">{drawn}</div><p class="remark">Means over pictures.</p>'


def _exhibits(exhibits: Sequence[Exhibit]) -> str:
    if not exhibits:
        return ""
    peer = escape(exhibits[0].peer.codec)
    return f"<h2>The pictures, by our gain over {peer} at the same bytes</h2>" + "".join(map(_exhibit, exhibits))


def _exhibit(exhibit: Exhibit) -> str:
    width, height = exhibit.size
    peer = escape(exhibit.peer.codec)
    cropped = " The middle of the picture is shown." if exhibit.cropped else ""
    layers = "".join(
        f'<div class="{name}">{_picture(copy, alt, width, height)}</div>'
        for name, alt, copy in (
            ("ours", "ours", exhibit.our_copy),
            ("peer", peer, exhibit.peer_png),
            ("original", "the original", exhibit.original_png),
        )
    )
    return f"""
<h3>{exhibit.rank.capitalize()}: {escape(printable(exhibit.ours.image))}</h3>
<figure class="compare" style="width: max({width}px, 20rem)">
<div class="tags" aria-hidden="true"><span class="tag left">ours</span><span class="tag right">{peer}</span></div>
<div class="frame">{layers}</div>
<div class="controls">
<input type="range" min="0" max="100" value="50" step="0.1" aria-label="Where ours ends and the other begins">
<label><input type="checkbox"> original on the right</label>
</div>
<figcaption>{_caption("ours", exhibit.ours)}<br>{_caption(peer, exhibit.peer)}<br>{_gain(exhibit)}{cropped}</figcaption>
</figure>"""


def _picture(copy: bytes | Shown, alt: str, width: int, height: int) -> str:
    """A PNG file, or a .fnc file that the page decodes."""
    if isinstance(copy, Shown):
        return element(copy)
    return f'<img alt="{alt}" width="{width}" height="{height}" src="{data_uri("image/png", copy)}">'


def _decoder(exhibits: Sequence[Exhibit]) -> str:
    files = [exhibit.our_copy for exhibit in exhibits if isinstance(exhibit.our_copy, Shown)]
    return decoder(files) if files else ""


def _caption(name: str, row: Row) -> str:
    ssim = "" if row.ssim is None else f", SSIM {row.ssim:.4f}"
    rate = f"{row.size_bytes:,} bytes, {row.rate_bpp:.3f} bpp"
    return f"{name}, {escape(row.setting)}: {rate}, PSNR {row.psnr_db:.2f} dB{ssim}"


def _gain(exhibit: Exhibit) -> str:
    assert exhibit.ours.psnr_db is not None
    assert exhibit.peer.psnr_db is not None
    return f"Gain {exhibit.ours.psnr_db - exhibit.peer.psnr_db:+.2f} dB."


def _table(table: Table) -> str:
    kind = ' class="words"' if table.columns == ("picture", "why") else ""  # words, whose lines may wrap
    head = "".join(f"<th>{escape(column)}</th>" for column in table.columns)
    rows = ("".join(f"<td>{escape(cell)}</td>" for cell in row.values()) for row in table.rows)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    remark = f'<p class="remark">{escape(table.remark)}</p>' if table.remark else ""
    drawn = f"<table{kind}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'{remark}<div class="scroll" tabindex="0">{drawn}</div>'
