"""The page of a comparison in a real browser: slider, zoom, error maps, keys, and the width of a phone."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import fourcodec
from fourcodec import cli, images
from tests.support.browser import in_a_browser, opened

pytestmark = pytest.mark.usefixtures("stub_profile")

# Runs beside the page in a frame; every entry of `seen` is what the page shows after one more thing was done with it.
PROBE = """<!doctype html><iframe src="page.html" width="WIDTH" height="700"></iframe><script>
document.querySelector("iframe").onload = function () {
  const page = this.contentDocument, root = page.documentElement, frame = page.getElementById("frame");
  const press = (key) => frame.dispatchEvent(new this.contentWindow.KeyboardEvent("keydown", { key, bubbles: true }));
  const shown = (side) => page.querySelector(`.layer.${side}`).dataset.key;
  const state = () => ({
    left: shown("left"), right: shown("right"), at: frame.style.getPropertyValue("--at"),
    zoom: parseFloat(page.getElementById("zoom").textContent), legend: !page.getElementById("legend").hidden,
    pixels: frame.classList.contains("pixels"), x: parseFloat(frame.style.getPropertyValue("--x")),
  });
  const seen = [state()];
  for (const act of [ACTS]) { act(); seen.push(state()); }
  const unnamed = [...page.querySelectorAll("button, input, select")].filter(
    (one) => !(one.textContent.trim() || one.getAttribute("aria-label") || one.closest("label"))).length;
  const widths = { wide: root.scrollWidth, room: root.clientWidth };
  document.title = JSON.stringify({ seen, unnamed, ...widths, ready: root.dataset.ready });
};
</script>"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    rows, columns = np.mgrid[0:48, 0:72]
    planes = [128 + 90 * np.sin(rows / 7 + shift) * np.cos(columns / 9) for shift in range(3)]
    noise = np.random.default_rng(0).normal(0, 6, (48, 72, 3))
    picture = np.rint(np.stack(planes, axis=-1) + noise).astype(np.uint8)
    (tmp_path / "in.png").write_bytes(images.to_png(picture))
    (tmp_path / "in.fnc").write_bytes(fourcodec.encode(picture, seed=1).data)
    command = ["compare", str(tmp_path / "in.png"), str(tmp_path / "in.fnc"), "-o", str(tmp_path / "page.html")]
    assert cli.run(command) == 0
    return tmp_path / "page.html"


def probed(page: Path, width: int, *acts: str) -> dict:
    """What the page shows before and after each of the acts, JavaScript each."""
    probe = page.with_name("probe.html")
    listed = ", ".join(f"() => {act}" for act in acts)
    probe.write_text(PROBE.replace("WIDTH", str(width)).replace("ACTS", listed))
    dom, console = opened(probe, page.with_name("profile"), "--allow-file-access-from-files")
    assert console == []
    match = re.search(r"<title>(.*)</title>", dom)
    assert match is not None
    found: dict = json.loads(match[1])
    assert found["ready"] == "yes"
    return found


@in_a_browser
def test_keys_and_controls_do_what_they_say(page: Path) -> None:
    choose = "{ const right = page.getElementById('right'); right.value = 'original'; "
    choose += "right.dispatchEvent(new this.contentWindow.Event('change')); }"
    acts = {
        "start": "0",
        "in": "press('+')",
        "large": "(press('+'), press('+'), press('+'), press('+'))",
        "moved": "press('ArrowRight')",
        "one": "press('1')",
        "fit": "press('0')",
        "divided": "press('[')",
        "errors": "[...page.querySelectorAll('[data-sides]')].at(-1).click()",
        "chosen": choose,
        "original": "(page.querySelector('[data-sides]').click(), press('o'))",
        "back": "press('o')",
    }
    found = probed(page, 900, *acts.values())
    seen = dict(zip(acts, found["seen"][1:], strict=True))
    assert found["unnamed"] == 0
    assert (seen["start"]["left"], seen["start"]["right"], seen["start"]["at"]) == ("ours", "jpeg", "50%")
    assert (seen["start"]["zoom"], seen["start"]["pixels"]) == (100, False)  # a small picture is not enlarged
    assert seen["large"]["pixels"]  # not blurred
    assert seen["in"]["zoom"] == pytest.approx(1.5 * seen["start"]["zoom"], rel=0.01)
    assert seen["moved"]["x"] < seen["large"]["x"]
    assert (seen["one"]["zoom"], seen["one"]["pixels"]) == (100, False)
    assert seen["fit"]["zoom"] == seen["start"]["zoom"]
    assert seen["divided"]["at"] == "48%"
    assert (seen["errors"]["left"], seen["errors"]["right"]) == ("our-error", "jpeg-error")
    assert seen["errors"]["legend"]
    assert (seen["chosen"]["right"], seen["chosen"]["legend"]) == ("original", True)
    assert (seen["original"]["left"], seen["original"]["right"]) == ("ours", "original")
    assert not seen["original"]["legend"]
    assert seen["back"]["right"] == "jpeg"


@in_a_browser
def test_the_page_is_as_wide_as_a_phone(page: Path) -> None:
    found = probed(page, 360)
    assert found["wide"] <= found["room"] <= 360
