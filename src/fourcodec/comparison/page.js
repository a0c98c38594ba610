const viewer = document.getElementById("viewer");
const frame = document.getElementById("frame");
const divider = document.getElementById("divider");
const legend = document.getElementById("legend");
const zoomed = document.getElementById("zoom");
const selects = { left: document.getElementById("left"), right: document.getElementById("right") };
const layers = [...frame.querySelectorAll(".layer")];
const presets = [...viewer.querySelectorAll("[data-sides]")];
const size = { width: Number(viewer.dataset.width), height: Number(viewer.dataset.height) };
const LARGEST = 64; // the most CSS pixels for one pixel of the picture
const GRIP = 24; // CSS pixels on both sides of the divider in which a press moves it
let at = 50; // position of the divider, in percent of the width
let view = { k: 1, x: 0, y: 0 }; // a pixel p of the picture lies at x + k p in the frame
let fitted = true;

const box = () => ({ width: frame.clientWidth, height: frame.clientHeight });
// The whole picture, but never enlarged: beyond a pixel of the screen for each of its own it would only look blurred.
const fitScale = () => Math.min(box().width / size.width, box().height / size.height, 1 / devicePixelRatio);
const within = (value, low, high) => Math.min(Math.max(value, low), high);

function place(offset, shown, room) {
  return shown <= room ? (room - shown) / 2 : within(offset, room - shown, 0);
}

function show(next) {
  const room = box();
  const k = within(next.k, fitScale(), LARGEST);
  fitted = Math.abs(k / fitScale() - 1) < 1e-6;
  view = { k, x: place(next.x, k * size.width, room.width), y: place(next.y, k * size.height, room.height) };
  frame.style.setProperty("--k", k);
  frame.style.setProperty("--x", `${view.x}px`);
  frame.style.setProperty("--y", `${view.y}px`);
  frame.classList.toggle("pixels", k * devicePixelRatio >= 1.5);
  frame.classList.toggle("zoomed", movable());
  const percent = 100 * k * devicePixelRatio;
  zoomed.textContent = `${percent < 10 ? percent.toFixed(1) : Math.round(percent)}%`;
}

const movable = () => view.k * size.width > box().width + 1 || view.k * size.height > box().height + 1;
const fit = () => show({ k: fitScale(), x: 0, y: 0 });

function zoom(factor, x = box().width / 2, y = box().height / 2) {
  const k = within(view.k * factor, fitScale(), LARGEST);
  show({ k, x: x - ((x - view.x) * k) / view.k, y: y - ((y - view.y) * k) / view.k });
}

const zooms = {
  in: () => zoom(1.5),
  out: () => zoom(1 / 1.5),
  fit,
  one: () => zoom(1 / devicePixelRatio / view.k),
};

function divide(percent) {
  at = within(percent, 0, 100);
  divider.value = at;
  frame.style.setProperty("--at", `${at}%`);
}

function choose(left, right) {
  selects.left.value = left;
  selects.right.value = right;
  for (const layer of layers) {
    layer.classList.toggle("left", layer.dataset.key === left);
    layer.classList.toggle("right", layer.dataset.key === right);
    const side = { [left]: "left", [right]: "right" }[layer.dataset.key];
    if (side) viewer.querySelector(`.tag.${side}`).textContent = layer.dataset.name;
    layer.setAttribute("aria-hidden", String(!side));
  }
  if (left === right) viewer.querySelector(".tag.left").textContent = "";
  legend.hidden = !layers.some((layer) => layer.dataset.error === "1" && /left|right/.test(layer.className));
  for (const button of presets) button.setAttribute("aria-pressed", String(button.dataset.sides === JSON.stringify([left, right])));
}

let before = null; // the right picture before the original was shown there
function toggleOriginal() {
  const now = selects.right.value;
  if (now !== "original") before = now;
  choose(selects.left.value, now === "original" ? before ?? now : "original");
}

for (const button of viewer.querySelectorAll("[data-zoom]")) button.addEventListener("click", zooms[button.dataset.zoom]);
for (const button of presets) {
  button.dataset.sides = JSON.stringify(JSON.parse(button.dataset.sides));
  button.addEventListener("click", () => choose(...JSON.parse(button.dataset.sides)));
}
for (const select of Object.values(selects)) select.addEventListener("change", () => choose(selects.left.value, selects.right.value));
divider.addEventListener("input", () => divide(Number(divider.value)));

frame.addEventListener("wheel", (event) => {
  event.preventDefault();
  const edge = frame.getBoundingClientRect();
  zoom(Math.exp(-within(event.deltaY, -100, 100) / 300), event.clientX - edge.left, event.clientY - edge.top);
}, { passive: false });

const fingers = new Map();
let grip = null; // "divider", "picture" or "pinch"
const middle = () => {
  const [a, b] = [...fingers.values()];
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, apart: Math.hypot(a.x - b.x, a.y - b.y) };
};
const spot = (event) => {
  const edge = frame.getBoundingClientRect();
  return { x: event.clientX - edge.left, y: event.clientY - edge.top };
};

frame.addEventListener("pointerdown", (event) => {
  const point = spot(event);
  fingers.set(event.pointerId, point);
  frame.setPointerCapture(event.pointerId);
  const near = Math.abs(point.x - (at / 100) * box().width) < GRIP;
  grip = fingers.size > 1 ? "pinch" : near || !movable() ? "divider" : "picture";
  if (grip === "divider") divide((100 * point.x) / box().width);
});
frame.addEventListener("pointermove", (event) => {
  if (!fingers.has(event.pointerId)) return;
  const old = fingers.get(event.pointerId);
  const point = spot(event);
  if (grip === "pinch" && fingers.size > 1) {
    const start = middle();
    fingers.set(event.pointerId, point);
    const end = middle();
    show({ ...view, x: view.x + end.x - start.x, y: view.y + end.y - start.y });
    if (start.apart > 0) zoom(end.apart / start.apart, end.x, end.y);
    return;
  }
  fingers.set(event.pointerId, point);
  if (grip === "divider") divide((100 * point.x) / box().width);
  else show({ ...view, x: view.x + point.x - old.x, y: view.y + point.y - old.y });
});
for (const end of ["pointerup", "pointercancel"]) frame.addEventListener(end, (event) => fingers.delete(event.pointerId));

const keys = {
  "+": zooms.in, "=": zooms.in, "-": zooms.out, 0: fit, 1: zooms.one, o: toggleOriginal, O: toggleOriginal,
  "[": () => divide(at - 2), "]": () => divide(at + 2),
  ArrowLeft: () => step(1, 0), ArrowRight: () => step(-1, 0), ArrowUp: () => step(0, 1), ArrowDown: () => step(0, -1),
};
function step(x, y) {
  if (movable()) show({ ...view, x: view.x + 48 * x, y: view.y + 48 * y });
  else divide(at - 2 * x);
}
frame.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
  event.preventDefault();
  keys[event.key]();
});
new ResizeObserver(() => (fitted ? fit() : show(view))).observe(frame);
for (const picture of frame.querySelectorAll("fnc-img")) {
  picture.addEventListener("error", ({ detail }) => {
    const said = Object.assign(document.createElement("p"), { className: "failed" });
    said.textContent = `This browser cannot show the .fnc file: ${detail.message}`;
    picture.replaceWith(said);
  });
}
const table = document.querySelector(".scroll");
const mark = () => table.classList.toggle("cut", table.scrollWidth > table.clientWidth + 1); // it says how to see the rest
addEventListener("resize", mark);
mark();
choose(selects.left.value, selects.right.value);
divide(50);
fit();
document.documentElement.dataset.ready = "yes";
