// The page that shows .fnc files: those that it has inside and those that are dropped on it.
import {decodeAside, drawPart} from './fnc-img.js';

const frame = document.getElementById('frame');
const title = document.getElementById('name');
const facts = document.getElementById('facts');
const choice = document.getElementById('choice');
const files = document.getElementById('files');
const hint = document.getElementById('hint');
const zoomed = document.getElementById('zoom');
const LARGEST = 64; // the most CSS pixels for one pixel of the picture
const SETTLED_MS = 150; // without a movement, before a network is evaluated for what is seen
const PROFILES = {1: 'fnet', 2: 'grid'};

const pictures = [...frame.querySelectorAll('fnc-img')];
let picture = null; // the one that is shown
let size = {width: 1, height: 1};
let view = {k: 1, x: 0, y: 0}; // a pixel p of the picture lies at x + k p in the frame
let fitted = true;
let detail = null; // {canvas, lattice, end}: a network evaluated for a part of the picture
let timer = 0;

const box = () => ({width: frame.clientWidth, height: frame.clientHeight});
const fitScale = () => Math.min(box().width / size.width, box().height / size.height);
const within = (value, low, high) => Math.min(Math.max(value, low), high);
const place = (offset, shown, room) => (shown <= room ? (room - shown) / 2 : within(offset, room - shown, 0));
const movable = () => view.k * size.width > box().width + 1 || view.k * size.height > box().height + 1;
const bounded = (k) => within(k, Math.min(fitScale(), 1 / devicePixelRatio), Math.max(LARGEST, fitScale()));

function show(next) {
  if (!picture) return;
  const room = box();
  const k = bounded(next.k);
  fitted = Math.abs(k / fitScale() - 1) < 1e-6;
  view = {k, x: place(next.x, k * size.width, room.width), y: place(next.y, k * size.height, room.height)};
  picture.style.transform = `translate(${view.x}px, ${view.y}px) scale(${k})`;
  if (detail) {
    const {left, top, step} = detail.lattice;
    detail.canvas.style.transform = `translate(${view.x + k * left}px, ${view.y + k * top}px) scale(${k * step})`;
  }
  frame.classList.toggle('movable', movable());
  const percent = 100 * k * devicePixelRatio;
  zoomed.textContent = `${percent < 10 ? percent.toFixed(1) : Math.round(percent)}%`;
  clearTimeout(timer);
  timer = setTimeout(sharpen, SETTLED_MS);
}

const fit = () => show({k: fitScale(), x: 0, y: 0});

function zoom(factor, x = box().width / 2, y = box().height / 2) {
  const k = bounded(view.k * factor);
  show({k, x: x - ((x - view.x) * k) / view.k, y: y - ((y - view.y) * k) / view.k});
}

function dropDetail() {
  detail?.end();
  detail?.canvas.remove();
  detail = null;
}

/** Evaluates a network of profile fnet at the pixels of the screen, where these are finer than those of the picture. */
function sharpen() {
  const step = 1 / (view.k * devicePixelRatio);
  if (picture?.found?.header.profile !== 1 || step > 0.999) return dropDetail();
  const end = (offset, side, room) => Math.min(side, (room - offset) / view.k);
  const [left, top] = [Math.max(0, -view.x / view.k), Math.max(0, -view.y / view.k)];
  const columns = Math.floor((end(view.x, size.width, box().width) - left) / step);
  const rows = Math.floor((end(view.y, size.height, box().height) - top) / step);
  const lattice = {left, top, step, rows, columns};
  if (JSON.stringify(lattice) === JSON.stringify(detail?.lattice)) return;
  const canvas = Object.assign(document.createElement('canvas'), {width: columns, height: rows});
  const old = detail;
  old?.end();
  let context = null;
  const fast = JSON.parse(picture.dataset.fast ?? '{}');
  const stop = decodeAside(picture.source, {lattice, fast}, ({part, done}) => {
    if (part) {
      context ??= canvas.getContext('2d', {colorSpace: part.colourSpace});
      drawPart(context, part, lattice);
    }
    if (done) {
      old?.canvas.remove();
      frame.dataset.sharp = `${rows}`;
    }
  });
  detail = {canvas, lattice, end: stop};
  frame.append(canvas);
  show(view);
  clearTimeout(timer);
}

/** A size in bytes for people. */
const bytes = (number) => {
  if (number < 10_000) return `${number} bytes`;
  return number < 1e6 ? `${Math.round(number / 1000)} kB` : `${(number / 1e6).toFixed(1)} MB`;
};

function describe() {
  const {found, failed, sizeBytes} = picture;
  title.textContent = picture.getAttribute('alt');
  document.title = title.textContent;
  facts.classList.toggle('bad', Boolean(failed));
  if (failed) facts.textContent = `It cannot be shown: ${failed.message}.`;
  else if (!found) facts.textContent = 'It is being decoded …';
  else {
    const {width, height, profile, depth} = found.header;
    const rate = ((8 * sizeBytes) / width / height).toPrecision(3);
    const cost = sizeBytes ? `${bytes(sizeBytes)}, ${rate} bits per pixel, ` : '';
    const kind = `${depth} bits, profile ${PROFILES[profile]}.`;
    facts.textContent = [`${width} × ${height} pixels, ${cost}${kind}`, ...found.notes].join(' ');
  }
}

function choose(next) {
  dropDetail();
  picture = next;
  for (const other of pictures) other.hidden = other !== next;
  hint.hidden = true;
  size = {width: Number(next.getAttribute('width')) || 1, height: Number(next.getAttribute('height')) || 1};
  choice.value = pictures.indexOf(next);
  describe();
  fit();
}

function add(element) {
  if (!pictures.includes(element)) pictures.push(element);
  element.sizeBytes ??= Number(element.dataset.bytes) || 0;
  const update = () => {
    const {width, height} = element.found?.header ?? {};
    if (width) Object.entries({width, height}).forEach(([name, side]) => element.setAttribute(name, side));
    if (element !== picture) return;
    if (width && (width !== size.width || height !== size.height)) choose(element);
    describe();
    sharpen();
    document.documentElement.dataset.ready = 'yes';
  };
  element.addEventListener('load', update);
  element.addEventListener('error', ({detail: error}) => {
    element.failed = error;
    update();
  });
  choice.append(new Option(element.getAttribute('alt'), pictures.indexOf(element)));
  choice.hidden = pictures.length < 2;
  if (element.found) update();
}

function open(list) {
  const before = pictures.length;
  for (const file of list) {
    const element = document.createElement('fnc-img');
    element.setAttribute('alt', file.name);
    element.sizeBytes = file.size;
    element.source = file;
    add(element);
    frame.append(element);
  }
  if (pictures.length > before) choose(pictures[before]);
}

const zooms = {in: () => zoom(1.5), out: () => zoom(1 / 1.5), fit, one: () => zoom(1 / devicePixelRatio / view.k)};
for (const button of document.querySelectorAll('[data-zoom]')) {
  button.addEventListener('click', zooms[button.dataset.zoom]);
}
document.getElementById('open').addEventListener('click', () => files.click());
files.addEventListener('change', () => open(files.files));
choice.addEventListener('change', () => choose(pictures[choice.value]));

for (const name of ['dragover', 'dragleave', 'drop']) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    frame.classList.toggle('over', name === 'dragover');
    if (name === 'drop') open(event.dataTransfer.files);
  });
}

const spot = (event) => {
  const edge = frame.getBoundingClientRect();
  return {x: event.clientX - edge.left - frame.clientLeft, y: event.clientY - edge.top - frame.clientTop};
};
frame.addEventListener('wheel', (event) => {
  event.preventDefault();
  const {x, y} = spot(event);
  zoom(Math.exp(-within(event.deltaY, -100, 100) / 300), x, y);
}, {passive: false});

const fingers = new Map();
const middle = () => {
  const [a, b = a] = [...fingers.values()];
  return {x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, apart: Math.hypot(a.x - b.x, a.y - b.y)};
};
frame.addEventListener('pointerdown', (event) => {
  fingers.set(event.pointerId, spot(event));
  frame.setPointerCapture(event.pointerId);
});
frame.addEventListener('pointermove', (event) => {
  if (!fingers.has(event.pointerId)) return;
  const before = middle();
  fingers.set(event.pointerId, spot(event));
  const after = middle();
  show({...view, x: view.x + after.x - before.x, y: view.y + after.y - before.y});
  if (before.apart > 0) zoom(after.apart / before.apart, after.x, after.y);
});
for (const end of ['pointerup', 'pointercancel']) {
  frame.addEventListener(end, (event) => fingers.delete(event.pointerId));
}

const move = (x, y) => () => show({...view, x: view.x + 48 * x, y: view.y + 48 * y});
const keys = {
  '+': zooms.in, '=': zooms.in, '-': zooms.out, 0: fit, 1: zooms.one,
  ArrowLeft: move(1, 0), ArrowRight: move(-1, 0), ArrowUp: move(0, 1), ArrowDown: move(0, -1),
};
frame.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
  event.preventDefault();
  keys[event.key]();
});

document.getElementById('local')?.remove(); // shown where this script does not run
new ResizeObserver(() => (fitted ? fit() : show(view))).observe(frame);
pictures.forEach(add);
if (pictures.length) choose(pictures[0]);
