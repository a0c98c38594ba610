// Runs the decoder on files under node: node decode_cli.mjs PRIORS OPTIONS < a JSON list of tasks.
//
// OPTIONS are those of `decode`, as JSON. A task is {file} and, each where it is wanted, {symbols: true}, {raw: a file
// for the samples}, {levels: true}, which puts the smaller pictures into files beside it, and {first: a number}, which
// decodes only so many bytes. One line of JSON comes out for each: what was found, or {error, kind, isFncError}; the
// processor time in ms, and the most memory so far in MB.
import {createHash} from 'node:crypto';
import {readFileSync, writeFileSync} from 'node:fs';

import {decode, decodeSymbols, FncError, readHeader} from '../../src/fourcodec/web/decoder.js';

const [priorsFile, given] = process.argv.slice(2);
const options = {priors: readFileSync(priorsFile), ...JSON.parse(given)};
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

async function answer({file, symbols, raw, levels, first}) {
  const bytes = readFileSync(file).subarray(0, first);
  if (symbols) return hashes(await decodeSymbols(bytes, options));
  const smaller = [];
  const onPart = levels ? (part) => part.step > 1 && smaller.push({...part, ms: milliseconds()}) : undefined;
  const partial = first !== undefined;
  const {data, metadata, header, notes, ...picture} = await decode(bytes, {...options, onPart, partial});
  if (raw) {
    writeFileSync(raw, data);
    smaller.forEach((part) => writeFileSync(`${raw}.${part.step}`, part.data));
  }
  const documents = Object.fromEntries(Object.entries(metadata).map(([name, document]) => [name, hex(document)]));
  const shapes = smaller.map(({step, width, height, ms}) => ({step, width, height, ms}));
  return {...picture, metadata: documents, notes, levels: shapes, sameHeader: readHeader(bytes).width === header.width};
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
