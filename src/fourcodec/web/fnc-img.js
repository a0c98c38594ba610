/**
 * <fnc-img src="photo.fnc" alt="A harbour" width="4608" height="1976"></fnc-img>
 *
 * A picture in a .fnc file, decoded in a worker and drawn while it loads. `width` and `height` reserve its place before
 * the first bytes are there, as those of <img> do. It fires `load` and `error`, whose `detail` says what was found or
 * went wrong.
 */

let worker = null;
const waiting = new Map(); // by id: what takes the worker's answers
let lastId = 0;

/** What a page that needs no other file has inside: {worker, deflated and in base64, trained starts in base64 by name}. */
function inside() {
  const element = document.getElementById('fnc-inside');
  return element ? JSON.parse(element.textContent) : null;
}

const bytesOf = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

async function startWorker() {
  const own = inside();
  let address = new URL('worker.js', import.meta.url);
  let starts;
  if (own) {
    const script = new Blob([bytesOf(own.worker)]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
    address = URL.createObjectURL(new Blob([await new Response(script).arrayBuffer()], {type: 'text/javascript'}));
    starts = Object.fromEntries(Object.entries(own.starts).map(([name, start]) => [name, bytesOf(start)]));
  }
  const started = new Worker(address, {type: own ? 'classic' : 'module'});
  started.onmessage = ({data: {id, ...answer}}) => waiting.get(id)?.(answer);
  started.onerror = ({message = 'the decoder does not start'}) => {
    waiting.forEach((take) => take({error: {message}}));
  };
  return {post: (message) => started.postMessage(message), starts};
}

/**
 * Decodes in the worker.
 *
 * @param {string|Blob|ArrayBuffer} source an address, a file or bytes
 * @param {object} options those of worker.js
 * @param {(answer: object) => void} take is called with the worker's answers
 * @returns {() => void} a function that ends it
 */
export function decodeAside(source, options, take) {
  const id = (lastId += 1);
  const end = async () => {
    waiting.delete(id);
    (await worker).post({id, abort: true});
  };
  waiting.set(id, (answer) => {
    if (answer.done || answer.error) waiting.delete(id);
    take(answer);
  });
  worker ??= startWorker();
  worker.then(
    ({post, starts}) => waiting.has(id) && post({id, source, options: {starts, ...options}}),
    (error) => waiting.get(id)?.({error}));
  return end;
}

/** Draws a part that the worker sent on a canvas whose pixels are `step` pixels of the picture, from (left, top) on. */
export function drawPart(context, part, {left = 0, top = 0, step = 1} = {}) {
  const {pixels, width, height, colourSpace} = part;
  const image = new ImageData(pixels, width, height, {colorSpace: colourSpace});
  const [x, y] = [(part.left - left) / step, (part.top - top) / step];
  if (part.step === step) {
    context.putImageData(image, Math.round(x), Math.round(y));
    return;
  }
  const small = new OffscreenCanvas(width, height);
  small.getContext('2d', {colorSpace: colourSpace}).putImageData(image, 0, 0);
  const times = part.step / step;
  context.clearRect(x, y, times * width, times * height);
  context.imageSmoothingQuality = 'high';
  context.drawImage(small, x, y, times * width, times * height);
}

export class FncImage extends HTMLElement {
  static observedAttributes = ['src', 'alt', 'width', 'height'];

  #end = () => {};
  #context = null;
  #style = document.createElement('style');

  constructor() {
    super();
    this.attachShadow({mode: 'open'}).append(this.#style, document.createElement('canvas'));
    this.#reserve();
  }

  /** What `decode` found, without samples; null before that. */
  found = null;

  connectedCallback() {
    this.setAttribute('role', 'img');
    if (!this.found) this.#load();
  }

  disconnectedCallback() {
    this.#end();
  }

  attributeChangedCallback(name) {
    if (name === 'alt') this.setAttribute('aria-label', this.getAttribute('alt') ?? '');
    else if (name === 'src') this.#load();
    else this.#reserve();
  }

  /** Where the picture is: an address, or a Blob such as a file that was dropped. */
  get source() {
    return this.blob ?? (this.hasAttribute('src') ? new URL(this.getAttribute('src'), document.baseURI).href : null);
  }

  set source(blob) {
    this.blob = blob;
    this.#load();
  }

  #reserve(header) {
    const [width, height] = ['width', 'height'].map((name) => Number(this.getAttribute(name)) || header?.[name] || 0);
    const size = width && height ? `width: ${width}px; aspect-ratio: ${width} / ${height};` : '';
    this.#style.textContent = `:host { display: inline-block; max-width: 100%; ${size} }
      :host([hidden]) { display: none; }
      canvas { display: block; width: 100%; height: 100%; }`;
  }

  #load() {
    this.#end();
    this.found = null;
    if (!this.isConnected || !this.source) return;
    let header = null;
    const take = (answer) => {
      if (answer.header) {
        ({header} = answer);
        this.#reserve(header);
        this.#canvas(header, 'srgb');
      }
      if (answer.part) {
        const {colourSpace} = answer.part;
        if (colourSpace !== this.#context.getContextAttributes().colorSpace) this.#canvas(header, colourSpace);
        drawPart(this.#context, answer.part);
      }
      if (answer.done) this.found = answer.done;
      if (answer.done || answer.error) {
        this.dispatchEvent(new CustomEvent(answer.done ? 'load' : 'error', {detail: answer.done ?? answer.error}));
      }
    };
    this.#end = decodeAside(this.source, {fast: JSON.parse(this.dataset.fast ?? '{}')}, take);
  }

  #canvas({width, height}, colorSpace) {
    const canvas = Object.assign(document.createElement('canvas'), {width, height});
    this.#context = canvas.getContext('2d', {colorSpace});
    this.shadowRoot.querySelector('canvas').replaceWith(canvas);
  }
}

customElements.define('fnc-img', FncImage);
