/**
 * The decoder in a worker, so that a page never waits for it. Messages to it are {id, source, options}: `source` is an
 * absolute address, a Blob or bytes; `options` those of `decode` that can be cloned, and `fast`, arguments of
 * `accelerated`; or {id, abort: true}. Its answers are {id, header}, {id, part}, whose samples are RGBA of 8 bits, and
 * at the end {id, done} or {id, error}.
 */
import {decode} from './decoder.js';
import {accelerated} from './fast.js';

const running = new Map();
const quickest = new Map(); // by arguments

/** 'display-p3' where an ICC profile has the red of Display P3, else 'srgb'. */
function colourSpace(icc) {
  const view = new DataView(icc?.buffer ?? new ArrayBuffer(132), icc?.byteOffset, icc?.length);
  const integer = (at) => (at + 4 <= view.byteLength ? view.getInt32(at) : 0);
  for (let n = 0; n < Math.min(integer(128), 100); n++) {
    const at = 132 + 12 * n;
    if (integer(at) !== 0x7258595a) continue; // rXYZ
    return Math.abs(integer(integer(at + 4) + 8) / 65536 - 0.5151) < 0.004 ? 'display-p3' : 'srgb';
  }
  return 'srgb';
}

/** A part as ImageData wants it. */
function shown({data, channels, depth, icc, ...place}) {
  const pixels = new Uint8ClampedArray(4 * place.width * place.height).fill(255);
  const unit = depth === 8 ? 1 : 1 / 257;
  for (let from = 0, to = 0; from < data.length; from += channels, to += 4) {
    const [green, blue] = channels < 3 ? [0, 0] : [1, 2];
    pixels[to] = unit * data[from];
    pixels[to + 1] = unit * data[from + green];
    pixels[to + 2] = unit * data[from + blue];
    if (channels % 2 === 0) pixels[to + 3] = unit * data[from + channels - 1];
  }
  return {...place, pixels, colourSpace: colourSpace(icc)};
}

/** The bytes of a source: a stream only where they have to be waited for. */
async function bytesOf(source, signal) {
  if (source instanceof Blob) return source.arrayBuffer();
  if (typeof source !== 'string') return source;
  const answer = await fetch(source, {signal});
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  return source.startsWith('data:') ? answer.arrayBuffer() : answer.body;
}

async function serve({id, source, options: {fast = {}, ...options}}) {
  const controller = new AbortController();
  running.set(id, controller);
  const {signal} = controller;
  const send = (message, ...transferred) => signal.aborted || postMessage({id, ...message}, transferred);
  try {
    const key = JSON.stringify(fast);
    if (!quickest.has(key)) quickest.set(key, accelerated(fast));
    const onPart = (part) => {
      const rgba = shown(part);
      send({part: rgba}, rgba.pixels.buffer);
    };
    const onHeader = (header) => send({header});
    const own = {...options, fast: quickest.get(key), signal, onPart, onHeader};
    const {data, ...done} = await decode(await bytesOf(source, signal), own);
    send({done: {...done, ways: quickest.get(key).ways}});
  } catch ({name, message, kind}) {
    send({error: {name, message, kind}});
  }
  if (running.get(id) === controller) running.delete(id);
}

onmessage = ({data}) => {
  running.get(data.id)?.abort();
  if (!data.abort) serve(data);
};
