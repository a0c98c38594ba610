// Runs the decoder on files under node: node decode_cli.mjs OPTIONS < a JSON list of tasks.
//
// OPTIONS are those of `decode`, as JSON; `fast: true` stands for fast.js. A task is {file} and, each where it is
// wanted, {symbols: true}, {raw: a file for the samples}, {piece: a number}, which feeds the file in pieces of so many
// bytes, or at once where it has no more, and puts the smaller pictures into files beside the samples, and {first: a number}, which decodes only so many
// bytes. One line of JSON comes out for each: what was found, or {error, kind, isFncError}; the processor time in ms,
// and the most memory so far in MB.
import {createHash} from 'node:crypto';
import {readdirSync, readFileSync, writeFileSync} from 'node:fs';

import {decode, decodeSymbols, FncError, readHeader} from '../../src/fourcodec/web/decoder.js';
import {accelerated} from '../../src/fourcodec/web/fast.js';

const {fast, ...plain} = JSON.parse(process.argv[2]);
const folder = new URL('../../src/fourcodec/web/', import.meta.url);
const files = readdirSync(folder).filter((name) => name.startsWith('start-'));
const starts = Object.fromEntries(files.map((name) => [name.slice(6, -4), readFileSync(new URL(name, folder))]));
const options = {starts, ...plain, fast: fast && accelerated()};
const sha = (values) => createHash('sha256').update(Int32Array.from(values)).digest('hex');
const hex = (bytes) => Buffer.from(bytes).toString('hex');

function hashes({tiles, ...integers}) {
  const found = Object.fromEntries(Object.entries(integers).map(([name, values]) => [name, sha(values)]));
  return tiles ? {...found, tiles: tiles.map((levels) => levels.map((level) => sha(level.data)))} : found;
}

let start;

function milliseconds() {
  const {user, system} = process.cpuUsage(start);
  return (user + system) / 1000;
}

function inPieces(bytes, size) {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at < bytes.length) controller.enqueue(bytes.subarray(at, (at += size)));
      else controller.close();
    },
  });
}

async function answer({file, symbols, raw, piece, first}) {
  const bytes = readFileSync(file).subarray(0, first);
  if (symbols) return hashes(await decodeSymbols(bytes, options));
  const parts = [];
  const onPart = piece ? (part) => parts.push({...part, ms: milliseconds()}) : undefined;
  const partial = first !== undefined;
  const input = piece < bytes.length ? inPieces(bytes, piece) : bytes;
  const {data, metadata, header, notes, ...picture} = await decode(input, {...options, onPart, partial});
  if (raw) {
    writeFileSync(raw, data);
    parts.filter(({step}) => step > 1).forEach((part) => writeFileSync(`${raw}.${part.top}-${part.step}`, part.data));
  }
  const documents = Object.fromEntries(Object.entries(metadata).map(([name, document]) => [name, hex(document)]));
  const shapes = parts.map(({left, top, step, width, height, ms}) => ({left, top, step, width, height, ms}));
  return {...picture, metadata: documents, notes, parts: shapes, sameHeader: readHeader(bytes).width === header.width};
}

for (const task of JSON.parse(readFileSync(0, 'utf-8'))) {
  start = process.cpuUsage();
  let found;
  try {
    found = await answer(task);
  } catch (error) {
    found = {error: error.message, kind: error.kind, isFncError: error instanceof FncError, stack: error.stack};
  }
  const memory = process.resourceUsage().maxRSS / 1024;
  console.log(JSON.stringify({...found, ms: milliseconds(), memory}));
}
