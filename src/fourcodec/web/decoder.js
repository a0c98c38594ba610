/**
 * A decoder of .fnc files in one module without dependencies, written from bitstream/FORMAT.md, whose terms it uses.
 *
 *     const {width, height, channels, depth, data} = await decode(bytes);
 *
 * The integers of a file come out equal everywhere: the entropy model's are carried by doubles, in which all its sums
 * are exact. Samples are within 1 of 255 of those of other decoders. Order in this file: errors and limits, container,
 * zstd, range coder, Fourier layers, profile fnet, profile grid (weights, latents, colours), alpha and metadata,
 * decode.
 */

/** A file that cannot be decoded. `kind` is 'corrupt', 'unsupported' (of a newer format) or 'limit'. */
export class FncError extends Error {
  constructor(message, kind = 'corrupt') {
    super(message);
    this.name = 'FncError';
    this.kind = kind;
  }
}

/** What a file may take unless told otherwise: pixels of a picture, and multiplications (docs/trust.md). */
export const LIMITS = Object.freeze({pixels: 2 ** 27, work: 2 ** 42});

const MAX_METADATA_BYTES = 2 ** 24;
const MAX_WINDOW_BYTES = 2 ** 23; // of a zstd frame
const MAX_SIDE = 2 ** 30; // of a picture, so that 32-bit integers hold places
const METADATA = {16: 'icc', 17: 'exif', 18: 'xmp', 19: 'density'};
const ALPHA = 8;
const ZSTD = 1;
const RANGE = 2;

function check(condition, message, kind) {
  if (!condition) throw new FncError(message, kind);
}

/** A typed array whose size a file chose, within the limits: a machine may have less memory than they allow. */
function allocate(Type, length) {
  try {
    return new Type(length);
  } catch {
    throw new FncError(`there is no memory for an array of ${length} numbers`, 'limit');
  }
}

const clip = (x, low, high) => Math.min(Math.max(x, low), high);
const highestBit = (x) => 31 - Math.clz32(x);
const total = (numbers) => numbers.reduce((sum, number) => sum + number, 0);
const repeat = (value, count) => Array(count).fill(value);
const upTo = (first, last) => Array.from({length: last - first + 1}, (_, n) => first + n);

// ---------------------------------------------------------------------------------------------------------- container

/** Reads bytes and varints from `at` on. */
class Reader {
  constructor(data, at = 0) {
    this.data = data;
    this.at = at;
  }

  byte() {
    check(this.at < this.data.length, 'the file is truncated');
    return this.data[this.at++];
  }

  /** An integer of `count` bytes, little-endian. */
  number(count) {
    let value = 0;
    for (let n = 0; n < count; n++) value += this.byte() * 2 ** (8 * n);
    return value;
  }

  varint() {
    let value = 0;
    for (let n = 0; n < 5; n++) {
      const byte = this.byte();
      value += (byte & 127) * 2 ** (7 * n);
      if (byte < 128) {
        check(value < 2 ** 32 && (byte || !n), 'a varint is too large or not the shortest');
        return value;
      }
    }
    throw new FncError('a varint has more than 5 bytes');
  }

  bytes(count) {
    check(count <= this.left, `${count} bytes declared, ${this.left} left: the file is truncated`);
    this.at += count;
    return this.data.subarray(this.at - count, this.at);
  }

  get left() {
    return this.data.length - this.at;
  }
}

let crcTable = null;

function makeCrcTable() {
  return Uint32Array.from({length: 256}, (_, n) => {
    for (let bit = 0; bit < 8; bit++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
    return n;
  });
}

function crc32(data) {
  crcTable ??= makeCrcTable();
  let crc = -1;
  for (let at = 0; at < data.length; at++) crc = (crc >>> 8) ^ crcTable[(crc ^ data[at]) & 255];
  return ~crc >>> 0;
}

function asBytes(bytes) {
  if (bytes instanceof Uint8Array) return bytes;
  if (bytes instanceof ArrayBuffer) return new Uint8Array(bytes);
  if (ArrayBuffer.isView(bytes)) return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  throw new TypeError('a file is an ArrayBuffer or a Uint8Array');
}

function checkStart(data) {
  const magic = [0x93, 0x46, 0x4e, 0x43, 0x0d, 0x0a, 0x1a, 0x0a];
  check(magic.every((byte, at) => data[at] === byte), 'not a .fnc file: it does not begin with the magic bytes');
  check(data.length > 8, 'the file ends inside its header');
  const version = `${data[8] >> 4}.${data[8] & 15}`;
  check(version === '0.2', `the file is of format ${version}; this decoder reads 0.2`, 'unsupported');
}

/**
 * The header of a file, whose checksum is verified. A file's first 60 bytes are enough.
 *
 * @param {ArrayBuffer|Uint8Array} bytes
 * @returns {{version: string, width: number, height: number, channels: number, colours: number, depth: number,
 *   coordinates: number, activation: number, profile: number, prior: number, tiles: number, architecture: number[],
 *   payloadCrc: number, payloadAt: number}} `channels` counts alpha, `colours` does not; `payloadAt` is the offset of
 *   the first section; the other names are those of FORMAT.md.
 * @throws {FncError}
 */
export function readHeader(bytes) {
  const data = asBytes(bytes);
  checkStart(data);
  const reader = new Reader(data, 9);
  const samples = reader.byte();
  const profile = reader.byte();
  const width = reader.varint() + 1;
  const height = reader.varint() + 1;
  const extended = profile & 16;
  const prior = extended ? reader.varint() : 0;
  const tiles = extended ? reader.varint() : 0;
  const architecture = Array.from({length: profile >> 5}, () => reader.varint());
  const payloadCrc = reader.number(4);
  const crc = crc32(data.subarray(0, reader.at));
  check(reader.number(4) === crc, "the header's checksum does not match: the file is damaged");
  check(!extended || prior || tiles, 'the header says that prior or tiles follow, and both are 0');
  check(profile & 15, 'profiles are 1 to 15, not 0');
  return {
    version: '0.2', width, height, channels: (samples & 3) + 1, colours: samples & 2 ? 3 : 1,
    depth: [8, 10, 12, 16][(samples >> 2) & 3], coordinates: (samples >> 4) & 3, activation: samples >> 6,
    profile: profile & 15, prior, tiles, architecture, payloadCrc, payloadAt: reader.at,
  };
}

/** The sections of a file. With `partial` the file may end anywhere; the last section is then `cut`. */
function readSections(data, header, partial) {
  const reader = new Reader(data, header.payloadAt);
  const sections = [];
  let tag = 0;
  while (!(tag & 128)) {
    check(sections.length < 4096, 'the file has more than 4096 sections', 'limit');
    if (partial && reader.left < 6 && sections.length) return {sections, cut: true}; // perhaps not even a length
    tag = reader.byte();
    const length = reader.varint();
    const cut = partial && length > reader.left;
    sections.push({kind: tag & 31, coder: (tag >> 5) & 3, payload: reader.bytes(cut ? reader.left : length), cut});
    if (cut) return {sections, cut};
  }
  check(!reader.left, `${reader.left} bytes are left over after the last section`);
  return {sections, cut: false};
}

/** The sections that the picture needs, by kind. */
function criticalSections(sections, known) {
  const found = new Map();
  for (const section of sections) {
    if (section.kind >= 16) continue;
    check(known.includes(section.kind), `the file needs a section of kind ${section.kind}, unknown`, 'unsupported');
    check(!found.has(section.kind), `a section of kind ${section.kind} comes twice`);
    found.set(section.kind, section);
  }
  return found;
}

function checkCoder(section, coder, name) {
  check(section && (!section.cut || name === 'latents'), `section '${name}' is missing or cut`);
  check(section.coder === coder, `section '${name}' has coder ${section.coder}, unknown`, 'unsupported');
  return section.payload;
}

/** Header, sections and the profile's configuration, all checked against `limits` before anything is decoded. */
function open(bytes, limits, partial) {
  const data = asBytes(bytes);
  const {pixels, work} = {...LIMITS, ...limits};
  check(data.length <= Math.max(2 ** 28, 2 * pixels), `${data.length} bytes are more than the limit`, 'limit');
  const header = readHeader(data);
  const size = `${header.width} x ${header.height}`;
  check(header.width * header.height <= pixels, `${size} pixels are more than the limit of ${pixels}`, 'limit');
  check(Math.max(header.width, header.height) <= MAX_SIDE, `a side of ${size} is too long`, 'limit');
  const {sections, cut} = readSections(data, header, partial);
  const intact = cut || crc32(data.subarray(header.payloadAt)) === header.payloadCrc;
  check(intact, "the payload's checksum does not match: the file is damaged");
  check(header.depth === 8 || header.depth === 16, `${header.depth}-bit samples are not supported`, 'unsupported');
  check(header.profile <= 2, `profile ${header.profile} is unknown`, 'unsupported');
  const known = header.profile === 1 ? [0, ALPHA] : [0, 1, ALPHA];
  const critical = criticalSections(sections, known);
  const hasAlpha = header.channels !== header.colours;
  check(critical.has(ALPHA) ? hasAlpha : !hasAlpha || cut, "section 'alpha' is missing or not expected");
  const config = header.profile === 1 ? fnetConfig(header) : gridConfig(header);
  check(config.work <= work, `decoding takes ${config.work} multiplications, the limit is ${work}`, 'limit');
  check(config.memory <= 2 * pixels + 2 ** 20, 'so thin a picture takes more memory than the limits allow', 'limit');
  return {header, sections, critical, config, cut};
}

// --------------------------------------------------------------------------------------------------------------- zstd

/** Bits of a part of `data` from its end backwards, as FSE and Huffman streams are read; zeros before the beginning. */
class BackwardBits {
  constructor(data) {
    check(data.length && data[data.length - 1], 'zstd: a bit stream has no end mark');
    this.data = data;
    this.at = 8 * (data.length - 1) + highestBit(data[data.length - 1]); // bits that are left
  }

  /** The `count` bits (at most 25) below the place `at`, which may be negative. */
  peek(count) {
    const first = this.at - count;
    if (first < 0) return first + count > 0 ? this.#bits(0, first + count) << -first : 0;
    return this.#bits(first, count);
  }

  #bits(first, count) {
    const {data} = this;
    const n = first >> 3;
    const word = data[n] | ((data[n + 1] ?? 0) << 8) | ((data[n + 2] ?? 0) << 16) | ((data[n + 3] ?? 0) << 24);
    return (word >>> (first & 7)) & ((1 << count) - 1);
  }

  read(count) {
    if (count > 16) return this.read(count - 16) * 65536 + this.read(16);
    const value = this.peek(count);
    this.at -= count;
    return value;
  }
}

/** The counts of an FSE table in its compressed form: {counts, log, size in bytes}. */
function readCounts(data, maxLog, maxSymbols) {
  let at = 4;
  const bits = (first, count) => {
    let value = 0;
    for (let n = 0; n < count; n++) value |= ((data[(first + n) >> 3] >> ((first + n) & 7)) & 1) << n;
    return value;
  };
  const log = bits(0, 4) + 5;
  check(log <= maxLog, 'zstd: an FSE table is too large');
  const counts = [];
  let left = 1 << log;
  while (left > 0) {
    check(counts.length < maxSymbols && at < 8 * data.length, 'zstd: an FSE table is damaged');
    const width = highestBit(left + 1) + 1;
    const threshold = (1 << width) - 2 - left;
    const low = bits(at, width - 1);
    let value = bits(at, width);
    if (low < threshold) {
      value = low;
      at -= 1;
    } else if (value >= 1 << (width - 1)) value -= threshold;
    at += width;
    counts.push(value - 1);
    left -= Math.abs(value - 1);
    for (let zeros = value === 1 ? 3 : 0; zeros === 3; ) {
      zeros = bits(at, 2);
      at += 2;
      for (let n = 0; n < zeros; n++) counts.push(0);
      check(at < 8 * data.length + 8, 'zstd: an FSE table is damaged');
    }
  }
  check(!left && counts.length <= maxSymbols && at <= 8 * data.length, 'zstd: an FSE table is damaged');
  return {counts, log, size: (at + 7) >> 3};
}

/** An FSE decoding table: for each state its symbol, the bits to read and the base of the next state. */
function fseTable({counts, log}) {
  const size = 1 << log;
  const symbols = new Uint8Array(size);
  let high = size;
  counts.forEach((count, symbol) => {
    if (count < 0) symbols[--high] = symbol;
  });
  let place = 0;
  counts.forEach((count, symbol) => {
    for (let n = 0; n < count; n++) {
      symbols[place] = symbol;
      do place = (place + (size >> 1) + (size >> 3) + 3) & (size - 1);
      while (place >= high);
    }
  });
  const next = counts.map(Math.abs);
  const width = new Uint8Array(size);
  const base = new Uint16Array(size);
  symbols.forEach((symbol, state) => {
    width[state] = log - highestBit(next[symbol]);
    base[state] = (next[symbol]++ << width[state]) - size;
  });
  return {symbols, width, base, log};
}

/** A state of an FSE table that moves along a stream. */
class FseState {
  constructor(table, bits) {
    this.table = table;
    this.state = bits.read(table.log);
  }

  get symbol() {
    return this.table.symbols[this.state];
  }

  update(bits) {
    this.state = this.table.base[this.state] + bits.read(this.table.width[this.state]);
  }
}

function fseWeights(data) {
  const counts = readCounts(data, 6, 256);
  const table = fseTable(counts);
  const bits = new BackwardBits(data.subarray(counts.size));
  let state = new FseState(table, bits);
  let other = new FseState(table, bits);
  const weights = [];
  while (bits.at >= 0) {
    check(weights.length < 255, 'zstd: too many Huffman weights');
    weights.push(state.symbol);
    state.update(bits);
    [state, other] = [other, state];
  }
  weights.push(state.symbol); // the other state's update ran out of bits
  return weights;
}

function huffmanWeights(reader) {
  const head = reader.byte();
  if (head < 128) return fseWeights(reader.bytes(head));
  const packed = reader.bytes((head - 126) >> 1);
  return Array.from({length: head - 127}, (_, n) => (n & 1 ? packed[n >> 1] & 15 : packed[n >> 1] >> 4));
}

/** A Huffman table indexed by the next `log` bits. */
function huffmanTable(reader) {
  const weights = huffmanWeights(reader);
  const sum = weights.reduce((total, weight) => total + (weight ? 2 ** (weight - 1) : 0), 0);
  const log = sum ? highestBit(sum) + 1 : 0;
  const rest = (1 << log) - sum;
  check(log >= 1 && log <= 11 && weights.length < 256 && (rest & (rest - 1)) === 0, 'zstd: a Huffman table is damaged');
  weights.push(highestBit(rest) + 1); // the last one is not stored
  const symbols = new Uint8Array(1 << log);
  const width = new Uint8Array(1 << log);
  let at = 0;
  for (let weight = 1; weight <= log; weight++) {
    weights.forEach((own, symbol) => {
      if (own !== weight) return;
      symbols.fill(symbol, at, at + (1 << (weight - 1)));
      width.fill(log + 1 - weight, at, (at += 1 << (weight - 1)));
    });
  }
  return {symbols, width, log};
}

function huffmanStream({symbols, width, log}, data, out) {
  const bits = new BackwardBits(data);
  for (let n = 0; n < out.length; n++) {
    const next = bits.peek(log);
    out[n] = symbols[next];
    bits.at -= width[next];
  }
  check(bits.at === 0, 'zstd: a Huffman stream has another length');
}

function zstdLiterals(reader, state) {
  const head = reader.byte();
  const type = head & 3;
  const format = (head >> 2) & 3;
  reader.at -= 1;
  if (type < 2) {
    const bytes = format & 1 ? (format + 3) >> 1 : 1;
    const size = Math.floor(reader.number(bytes) / (format & 1 ? 16 : 8));
    check(size <= 131072, 'zstd: too many literals');
    return type ? new Uint8Array(size).fill(reader.byte()) : reader.bytes(size);
  }
  const width = [10, 10, 14, 18][format];
  const sizes = Math.floor(reader.number([3, 3, 4, 5][format]) / 16);
  const out = new Uint8Array(sizes % 2 ** width);
  check(out.length <= 131072, 'zstd: too many literals');
  const inner = new Reader(reader.bytes(Math.floor(sizes / 2 ** width)));
  if (type === 2) state.huffman = huffmanTable(inner);
  check(state.huffman, 'zstd: there is no Huffman table');
  const lengths = format ? [inner.number(2), inner.number(2), inner.number(2)] : [];
  const part = format ? (out.length + 3) >> 2 : out.length;
  check(!format || out.length > 3 * part - 1, 'zstd: too few literals for four streams');
  lengths.push(inner.left - total(lengths));
  lengths.forEach((length, n) => {
    const own = out.subarray(n * part, n < 3 ? (n + 1) * part : out.length);
    huffmanStream(state.huffman, inner.bytes(Math.max(length, 0)), own);
  });
  return out;
}

const LENGTH_BITS = [...repeat(0, 16), 1, 1, 1, 1, 2, 2, 3, 3, 4, ...upTo(6, 16)];
const MATCH_BITS = [...repeat(0, 32), 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, ...upTo(7, 16)];

/** The three codes of a sequence, in the order of their tables: literal length, offset, match length. */
const CODES = [
  {
    maxLog: 9, maxSymbols: 36, log: 6,
    counts: [4, 3, ...repeat(2, 11), 1, 1, 1, ...repeat(2, 9), 3, 2, ...repeat(1, 5), ...repeat(-1, 4)],
  },
  {maxLog: 8, maxSymbols: 32, log: 5, counts: [...repeat(1, 6), 2, 2, 2, ...repeat(1, 15), ...repeat(-1, 5)]},
  {maxLog: 9, maxSymbols: 53, log: 6, counts: [1, 4, 3, ...repeat(2, 6), ...repeat(1, 37), ...repeat(-1, 7)]},
];

function basesOf(widths, first) {
  return widths.map((_, n) => widths.slice(0, n).reduce((sum, width) => sum + 2 ** width, first));
}

function sequenceTable(reader, mode, code, before) {
  if (mode === 0) return fseTable(code);
  if (mode === 3) return before;
  if (mode === 1) {
    const symbol = reader.byte();
    check(symbol < code.maxSymbols, 'zstd: an unknown code');
    return {symbols: [symbol], width: [0], base: [0], log: 0};
  }
  const counts = readCounts(reader.data.subarray(reader.at), code.maxLog, code.maxSymbols);
  reader.at += counts.size;
  return fseTable(counts);
}

function sequenceCount(reader) {
  const head = reader.byte();
  if (head < 128) return head;
  return head < 255 ? ((head - 128) << 8) + reader.byte() : reader.number(2) + 0x7f00;
}

/** The distance that an offset's value stands for; `recent` are the last three distances. */
function distanceOf(value, length, recent) {
  let index = value > 3 ? 3 : value - 1 + (length ? 0 : 1);
  const distance = value > 3 ? value - 3 : index < 3 ? recent[index] : recent[0] - 1;
  check(distance > 0, 'zstd: a match at no distance');
  for (index = Math.min(index, 2); index > 0; index--) recent[index] = recent[index - 1];
  recent[0] = distance;
  return distance;
}

function zstdBlock(data, state, out) {
  const reader = new Reader(data);
  const literals = zstdLiterals(reader, state);
  const count = sequenceCount(reader);
  let used = 0;
  if (count) {
    const modes = reader.byte();
    check((modes & 3) === 0, 'zstd: reserved bits are set');
    state.tables = CODES.map((code, n) => sequenceTable(reader, (modes >> (6 - 2 * n)) & 3, code, state.tables[n]));
    check(state.tables.every(Boolean), 'zstd: there is no table to repeat');
    used = runSequences(reader.bytes(reader.left), count, state, literals, out);
  }
  check(!reader.left, 'zstd: bytes are left over in a block');
  out.append(literals.subarray(used));
}

function runSequences(data, count, state, literals, out) {
  const bits = new BackwardBits(data);
  const [lengths, offsets, matches] = state.tables.map((table) => new FseState(table, bits));
  const lengthBases = basesOf(LENGTH_BITS, 0);
  const matchBases = basesOf(MATCH_BITS, 3);
  let used = 0;
  for (let n = 0; n < count; n++) {
    const value = 2 ** offsets.symbol + bits.read(offsets.symbol);
    const match = matchBases[matches.symbol] + bits.read(MATCH_BITS[matches.symbol]);
    const length = lengthBases[lengths.symbol] + bits.read(LENGTH_BITS[lengths.symbol]);
    if (n < count - 1) [lengths, matches, offsets].forEach((one) => one.update(bits));
    check(bits.at >= 0 && used + length <= literals.length, 'zstd: a sequence runs out of bits or literals');
    out.append(literals.subarray(used, (used += length)));
    out.repeat(distanceOf(value, length, state.recent), match);
  }
  check(bits.at === 0, 'zstd: bits are left over in a block');
  return used;
}

/** An array of a known length that is filled from its beginning. */
class Output {
  constructor(length) {
    this.data = allocate(Uint8Array, length);
    this.at = 0;
  }

  append(bytes) {
    check(bytes.length <= this.data.length - this.at, 'zstd: there are more bytes than expected');
    this.data.set(bytes, this.at);
    this.at += bytes.length;
  }

  repeat(distance, length) {
    const {data} = this;
    check(distance <= this.at && length <= data.length - this.at, 'zstd: a match lies outside the data');
    for (const end = this.at + length; this.at < end; this.at++) data[this.at] = data[this.at - distance];
  }
}

/** Header of a frame without its magic number. Returns whether a checksum follows the blocks. */
function zstdHeader(reader, sizeBytes) {
  const head = reader.byte();
  const single = head & 32;
  check(!(head & 8), 'zstd: a reserved bit is set');
  const window = single ? 0 : reader.byte();
  const windowBytes = 2 ** (10 + (window >> 3)) * (1 + (window & 7) / 8);
  check(!reader.number([0, 1, 2, 4][head & 3]), 'zstd: there are no dictionaries');
  const flag = head >> 6;
  const fieldBytes = [single ? 1 : 0, 2, 4, 8][flag];
  const declared = reader.number(fieldBytes) + (flag === 1 ? 256 : 0);
  check(!fieldBytes || declared === sizeBytes, `zstd: ${declared} bytes declared, ${sizeBytes} expected`);
  check((single ? declared : windowBytes) <= MAX_WINDOW_BYTES, 'zstd: the window is larger than 8 MiB');
  return Boolean(head & 4);
}

/** The `sizeBytes` bytes of a zstd frame without its magic number; the caller has bounded their number. */
function unzstd(payload, sizeBytes) {
  const reader = new Reader(payload);
  const hasChecksum = zstdHeader(reader, sizeBytes);
  const out = new Output(sizeBytes);
  const state = {huffman: null, tables: [null, null, null], recent: [1, 4, 8]};
  for (let last = 0; !last; ) {
    const head = reader.number(3);
    const size = head >> 3;
    last = head & 1;
    const type = (head >> 1) & 3;
    check(type < 3 && (size <= 131072), 'zstd: a block is damaged');
    if (type === 0) out.append(reader.bytes(size));
    else if (type === 1) out.append(new Uint8Array(size).fill(reader.byte()));
    else zstdBlock(reader.bytes(size), state, out);
  }
  if (hasChecksum) reader.bytes(4); // not verified: the payload's CRC has been, and encoders of .fnc write none
  check(out.at === sizeBytes && !reader.left, `zstd: ${out.at} bytes and ${reader.left} behind, ${sizeBytes} expected`);
  return out.data;
}

// -------------------------------------------------------------------------------------------------------- range coder

/** The range decoder of both profiles: decisions under a probability of "1" in 1/65536, and plain bits. */
class RangeDecoder {
  constructor(data, cut = false) {
    check(cut || !data.length || data[data.length - 1], 'a section of the range coder ends in a zero byte');
    this.data = data;
    this.at = 0;
    this.state = new Uint32Array([0, 0xffffffff]); // code and range, which wrap as 32 bits do
    for (let n = 0; n < 4; n++) this.state[0] = (this.state[0] << 8) | this.#byte();
  }

  #byte() {
    return this.at < this.data.length ? this.data[this.at++] : (this.at++, 0);
  }

  #refill() {
    const {state} = this;
    while (state[1] < 0x1000000) {
      state[1] <<= 8;
      state[0] = (state[0] << 8) | this.#byte();
    }
  }

  decision(probability) {
    const {state} = this;
    const bound = Math.imul(state[1] >>> 16, probability) >>> 0;
    const bit = state[0] < bound ? 1 : 0;
    if (bit) state[1] = bound;
    else {
      state[0] -= bound;
      state[1] -= bound;
    }
    if (state[1] < 0x1000000) this.#refill();
    return bit;
  }

  plain() {
    const {state} = this;
    state[1] >>>= 1;
    const bit = state[0] >= state[1] ? 1 : 0;
    if (bit) state[0] -= state[1];
    this.#refill();
    return bit;
  }

  /** True where it has read bytes that are not there. */
  get exhausted() {
    return this.at > this.data.length;
  }

  end() {
    check(this.at >= this.data.length, `${this.data.length - this.at} bytes are left over in a section`);
  }
}

const MODELS = 96; // of a context; the last in use is 48 + 2 * 20 + 1

/** Integers under adaptive models, a set of them for each context. */
class IntegerDecoder {
  constructor(data, contexts) {
    this.decoder = new RangeDecoder(data);
    this.probabilities = new Uint16Array(contexts * MODELS).fill(32768);
    this.counts = new Uint8Array(contexts * MODELS);
  }

  #decision(model) {
    const probability = this.probabilities[model];
    const divisor = 2 * this.counts[model] + 3;
    const bit = this.decoder.decision(probability);
    const moved = probability + Math.floor((2 * (65536 * bit - probability)) / divisor);
    this.probabilities[model] = clip(moved, 64, 65472);
    if (divisor < 512) this.counts[model] += 1;
    return bit;
  }

  integer(context) {
    const first = context * MODELS;
    let bits = 0;
    while (bits < 20 && this.#decision(first + bits)) bits += 1;
    let value = bits ? 1 : 0;
    if (bits >= 2) {
      const second = this.#decision(first + 24 + bits);
      value = 2 + second;
      if (bits >= 3) value = 2 * value + this.#decision(first + 48 + 2 * bits + second);
    }
    for (let n = bits - 3; n > 0; n--) value = 2 * value + this.decoder.plain();
    return bits && this.decoder.plain() ? -value : value;
  }
}

// ----------------------------------------------------------------------------------------------- sums of weighted rows
//
// Nearly all time goes into one loop: sums of values times rows of weights. WebAssembly modules of a few hundred bytes,
// put together here, run it with two doubles in a register; where there are none, plain JavaScript does the same.

const ARENA_PAGES = 80; // of 64 KiB; the largest network of profile fnet takes 4 MiB

const HIDDEN = 16; // units of the entropy model at most; what a file does not have is 0 here
const WIDE = HIDDEN + 2; // sums of its first layer: hidden units, mean, scale
const TAPS = 28;
const MAX_INTEGER = 32767;
const MAX_HIDDEN = 2 ** 24; // a value of a hidden unit
const MAX_MEAN = 64 * MAX_INTEGER;

/** Where the parts of an entropy model lie, in doubles: the sums of shared taps; W1 and W3's rows of taps side by side;
 * b2; W2; W3's rows of hidden units; then in pairs the factors of both layers, the bounds of hidden values, the factors
 * and summands of mean and scale, and their bounds. */
const MODEL = {taps: WIDE, bias: 29 * WIDE, second: 29 * WIDE + 16, last: 29 * WIDE + 272, constants: 29 * WIDE + 304};
const MODEL_SIZE = MODEL.constants + 16;

const leb = (n) => (n < 128 ? [n] : [(n & 127) | 128, n >> 7]);
const get = (local) => [0x20, local];
const set = (local) => [0x21, local];
const load = (address, offset) => [...get(address), 0xfd, 0x00, 3, ...leb(offset)]; // two doubles
const store = (address, offset, local) => [...get(address), ...get(local), 0xfd, 0x0b, 3, ...leb(offset)];
const [MUL, ADD, SUB, MIN, MAX] = [0xf2, 0xf0, 0xf1, 0xf4, 0xf5].map((operation) => [0xfd, operation, 1]);
const [FLOOR, TWICE] = [0x75, 0x14].map((operation) => [0xfd, operation]);
const [VALUES, PLACES, COUNT, WEIGHTS, OUT, ROW, WEIGHT, VALUE] = upTo(0, 7); // arguments, then locals
const times = (count, code) => upTo(0, count - 1).flatMap(code);
const advance = (local, step) => [...get(local), 0x41, step, 0x6a, ...set(local)];
const addressFrom = (base, table, offset, local) => [...get(base), ...get(table), 0x28, 2, offset, 0x6a, ...set(local)];
const repeated = (count, code) => [ // as often as the local `count` says, which ends at 0; 0x7f is -1
  0x02, 0x40, 0x03, 0x40, ...get(count), 0x45, 0x0d, 1, ...code, ...advance(count, 0x7f), 0x0c, 0, 0x0b, 0x0b];

function constantPair(x) {
  const bytes = new Uint8Array(Float64Array.of(x, x).buffer);
  return [0xfd, 0x0c, ...bytes];
}

/** `sums` (locals, for each sample a list) += values times COUNT rows, which begin `offset` behind WEIGHTS. */
function rowsLoop(sums, offset) {
  const samples = sums.length;
  return repeated(COUNT, [
    ...addressFrom(WEIGHTS, PLACES, 0, ROW),
    ...times(samples, (n) => [...get(VALUES), 0xfd, 0x0a, 3, 8 * n, ...set(VALUE + n)]),
    ...times(sums[0].length, (pair) => [
      ...load(ROW, offset + 16 * pair), ...set(WEIGHT),
      ...sums.flatMap((own, n) => [
        ...get(own[pair]), ...get(VALUE + n), ...get(WEIGHT), ...MUL, ...ADD, ...set(own[pair])]),
    ]),
    ...advance(VALUES, 8 * samples), ...advance(PLACES, 4),
  ]);
}

/** OUT = values times rows, for `pairs` of outputs and 1 or 2 samples, whose values alternate. */
function rowsBody(pairs, samples) {
  const first = VALUE + samples;
  const sums = upTo(0, samples - 1).map((n) => upTo(first + n * pairs, first + n * pairs + pairs - 1));
  const every = sums.flat();
  return [
    2, 1, 0x7f, 1 + samples + every.length, 0x7b,
    ...rowsLoop(sums, 0), // from 0, as locals begin
    ...every.flatMap((sum, n) => store(OUT, 16 * n, sum)), 0x0b,
  ];
}

/** The whole entropy model for one latent: WEIGHTS is the beginning of MODEL, OUT takes mean and scale. */
function modelBody() {
  const first = upTo(8, 16); // hidden units in pairs, then mean and scale
  const second = upTo(17, 24);
  const constant = (n) => load(WEIGHTS, 8 * MODEL.constants + 16 * n);
  const hidden = (sum, factor) => [
    ...get(sum), ...constant(factor), ...MUL, ...FLOOR, ...constant(2), ...MAX, ...constant(3), ...MIN, ...set(sum)];
  const lane = (sums, j) => [...get(sums[j >> 1]), 0xfd, 0x21, j & 1, ...TWICE];
  const add = (sum, offset) => [...get(sum), ...get(VALUE), ...load(WEIGHTS, offset), ...MUL, ...ADD, ...set(sum)];
  return [
    2, 1, 0x7f, 19, 0x7b,
    ...first.flatMap((sum, n) => [...load(WEIGHTS, 16 * n), ...set(sum)]), ...rowsLoop([first], 8 * MODEL.taps),
    ...times(8, (n) => [...hidden(first[n], 0), ...load(WEIGHTS, 8 * MODEL.bias + 16 * n), ...set(second[n])]),
    ...times(16, (j) => [
      ...lane(first, j), ...set(VALUE), ...times(8, (n) => add(second[n], 8 * MODEL.second + 128 * j + 16 * n))]),
    ...times(8, (n) => hidden(second[n], 1)),
    ...get(first[8]),
    ...times(16, (j) => [...lane(second, j), ...load(WEIGHTS, 8 * (MODEL.last + 2 * j)), ...MUL, ...ADD]),
    ...constant(4), ...MUL, ...constant(5), ...ADD, ...FLOOR, ...constant(6), ...MAX, ...constant(7),
    ...MIN, ...set(VALUE), ...store(OUT, 0, VALUE), 0x0b,
  ];
}

// Taylor series of sin and cos of pi r, by powers of r^2
const SINE = [3.141592653589793, -5.16771278004997, 2.550164039877345, -0.5992645293207921, 0.08214588661112823,
  -0.007370430945714351, 0.0004663028057676126];
const COSINE = [1, -4.934802200544679, 4.058712126416768, -1.3352627688545893, 0.2353306303588935, -0.02580689139001406,
  0.0019295743094039231, -0.0001046381049248457];

/** The features of a Fourier layer at two samples: VALUES are x, WEIGHTS takes the waves, OUT the features, and PLACES
 * has COUNT pairs, of a frequency's parent in the features and of its largest member in the waves. */
function featuresBody(inputs) {
  const [parent, wave, next, left, r, t, s, c] = upTo(5, 12);
  const series = (terms) => [...terms].reverse().flatMap((term, n) => (
    n ? [...get(t), ...MUL, ...constantPair(term), ...ADD] : constantPair(term)));
  const put = (base, offset, code) => [...get(base), ...code, 0xfd, 0x0b, 3, ...leb(offset)];
  const product = (p, w) => [...load(parent, p), ...load(wave, w), ...MUL];
  return [
    2, 4, 0x7f, 4, 0x7b, 0x41, inputs, ...set(left), ...get(WEIGHTS), ...set(next),
    ...repeated(left, [ // as in `turn`
      ...load(VALUES, 0), ...load(VALUES, 0), ...FLOOR, ...SUB, ...constantPair(0.5), ...SUB, ...set(r),
      ...get(r), ...get(r), ...MUL, ...set(t),
      ...series(SINE), ...get(r), ...MUL, ...set(s), ...series(COSINE), ...set(c),
      ...put(next, 0, [...get(s), ...get(s), ...MUL, ...constantPair(2), ...MUL, ...constantPair(1), ...SUB]),
      ...put(next, 16, [...get(s), ...get(c), ...MUL, ...constantPair(-2), ...MUL]),
      ...advance(VALUES, 16), ...advance(next, 32),
    ]),
    ...get(OUT), 0x41, 32, 0x6a, ...set(next),
    ...repeated(COUNT, [
      ...addressFrom(OUT, PLACES, 0, parent), ...addressFrom(WEIGHTS, PLACES, 4, wave),
      ...put(next, 0, [...product(0, 0), ...product(16, 16), ...SUB]),
      ...put(next, 16, [...product(16, 0), ...product(0, 16), ...ADD]),
      ...advance(PLACES, 8), ...advance(next, 32),
    ]), 0x0b,
  ];
}

/** A WebAssembly module with one function `f` of this body, which works on an imported memory. */
function moduleOf(body) {
  const section = (id, content) => [id, ...leb(content.length), ...content];
  return new WebAssembly.Module(new Uint8Array([
    0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, [1, 0x60, 5, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0]),
    ...section(2, [1, 1, 0x6d, 1, 0x6d, 2, 0, 1]), // memory m.m
    ...section(3, [1, 0]),
    ...section(7, [1, 1, 0x66, 0, 0]),
    ...section(10, [1, ...leb(body.length), ...body]),
  ]));
}

/** What rowsBody does, in JavaScript. Addresses are places in bytes here too. */
function plainRows(numbers, places, outputs, samples) {
  return (values, place, count, weights, out) => {
    for (let o = 0; o < outputs * samples; o += 2) {
      const to = out / 8 + o;
      const sample = o < outputs ? 0 : 1;
      let a = 0;
      let b = 0;
      for (let n = 0, v = values / 8 + sample; n < count; n++, v += samples) {
        const at = (weights + places[place / 4 + n]) / 8 + o - sample * outputs;
        a += numbers[v] * numbers[at];
        b += numbers[v] * numbers[at + 1];
      }
      numbers[to] = a;
      numbers[to + 1] = b;
    }
  };
}

/** What featuresBody does, in JavaScript. */
function plainFeatures(numbers, places, inputs) {
  return (x, place, count, waves, features) => {
    for (let n = 0; n < 2 * inputs; n++) turn(numbers[x / 8 + n], numbers, waves / 8 + n + (n & ~1));
    for (let k = 0, n = place / 4, out = features / 8 + 4; k < count; k++, n += 2, out += 4) {
      const p = (features + places[n]) / 8;
      const w = (waves + places[n + 1]) / 8;
      for (let sample = 0; sample < 2; sample++) {
        const c = numbers[w + sample];
        const s = numbers[w + sample + 2];
        numbers[out + sample] = numbers[p + sample] * c - numbers[p + sample + 2] * s;
        numbers[out + sample + 2] = numbers[p + sample + 2] * c + numbers[p + sample] * s;
      }
    }
  };
}

/** Puts cosine and sine of x turns into waves[at] and waves[at + 2]. |x| may be huge: its fraction is exact. */
function turn(x, waves, at) {
  const r = x - Math.floor(x) - 0.5; // half a turn from x: both signs change
  const t = r * r;
  const s = r * SINE.reduceRight((sum, term) => sum * t + term);
  const c = COSINE.reduceRight((sum, term) => sum * t + term);
  waves[at] = 2 * s * s - 1;
  waves[at + 2] = -2 * s * c;
}

/** What modelBody does, in JavaScript. */
function plainModel(numbers, places) {
  const sums = new Float64Array(WIDE);
  const second = new Float64Array(HIDDEN);
  const hidden = (sum, factor) => clip(Math.floor(sum * factor), 0, MAX_HIDDEN);
  return (values, place, count, model, out) => {
    const at = model / 8;
    const {constants} = MODEL;
    for (let j = 0; j < WIDE; j++) sums[j] = numbers[at + j];
    for (let n = 0; n < count; n++) {
      const value = numbers[values / 8 + n];
      const row = at + MODEL.taps + places[place / 4 + n] / 8;
      for (let j = 0; j < WIDE; j++) sums[j] += value * numbers[row + j];
    }
    for (let j = 0; j < HIDDEN; j++) second[j] = numbers[at + MODEL.bias + j];
    for (let k = 0; k < HIDDEN; k++) {
      const value = hidden(sums[k], numbers[at + constants]);
      const row = at + MODEL.second + HIDDEN * k;
      if (value) for (let j = 0; j < HIDDEN; j++) second[j] += value * numbers[row + j];
    }
    for (let o = 0; o < 2; o++) {
      const own = at + constants + o;
      let sum = sums[HIDDEN + o];
      const last = at + MODEL.last + o;
      for (let j = 0; j < HIDDEN; j++) sum += hidden(second[j], numbers[at + constants + 2]) * numbers[last + 2 * j];
      const [factor, summand, low, high] = [8, 10, 12, 14].map((n) => numbers[own + n]);
      numbers[out / 8 + o] = clip(Math.floor(sum * factor + summand), low, high);
    }
  };
}

/** Memory of one file's networks, and the loop that works there. */
class Arena {
  static modules = new Map();

  constructor(plain = false) {
    this.plain = plain || typeof WebAssembly === 'undefined';
    if (!this.plain) this.memory = new WebAssembly.Memory({initial: ARENA_PAGES, maximum: ARENA_PAGES});
    this.buffer = this.memory?.buffer ?? new ArrayBuffer(ARENA_PAGES * 65536);
    this.at = 0;
  }

  /** A typed array in the memory. */
  take(Type, length) {
    const array = new Type(this.buffer, this.at, length);
    this.at += Math.ceil(array.byteLength / 16) * 16;
    return array;
  }

  /** The loop for `outputs` (even) and 1 or 2 samples; arguments are the byte offsets of arrays in the memory. */
  rows(outputs, samples) {
    return this.#compiled(`${outputs}, ${samples}`, () => rowsBody(outputs / 2, samples))
      ?? plainRows(new Float64Array(this.buffer), new Int32Array(this.buffer), outputs, samples);
  }

  /** The features of Fourier layers with so many inputs. */
  features(inputs) {
    return this.#compiled(`features ${inputs}`, () => featuresBody(inputs))
      ?? plainFeatures(new Float64Array(this.buffer), new Int32Array(this.buffer), inputs);
  }

  /** The entropy model of one latent. */
  entropyModel() {
    return this.#compiled('model', modelBody) ?? plainModel(new Float64Array(this.buffer), new Int32Array(this.buffer));
  }

  #compiled(name, body) {
    if (this.plain) return null;
    try {
      if (!Arena.modules.has(name)) Arena.modules.set(name, moduleOf(body()));
      return new WebAssembly.Instance(Arena.modules.get(name), {m: {m: this.memory}}).exports.f;
    } catch {
      this.plain = true; // there are no vectors, or the page's policy forbids it
      return null;
    }
  }
}

// ----------------------------------------------------------------------------------------------------- Fourier layers

/**
 * The frequencies of a layer: of number k the largest member, and the number of the frequency without it. In the order
 * of FORMAT.md, by size and then lexicographic; `binary` is the other order, that of binary numbers.
 */
function frequencies(inputs, order, binary) {
  const parents = [0];
  const members = [0];
  for (let k = 1; binary && k < 1 << inputs; k++) {
    members.push(highestBit(k));
    parents.push(k - (1 << highestBit(k)));
  }
  for (let size = 1, first = 0; !binary && size <= order; size++) {
    const last = parents.length;
    for (let k = first; k < last; k++) {
      for (let j = size > 1 ? members[k] + 1 : 0; j < inputs; j++) {
        parents.push(k);
        members.push(j);
      }
    }
    first = last;
  }
  return {parents: Uint16Array.from(parents), members: Uint8Array.from(members), count: parents.length};
}

function frequencyCount(inputs, order) {
  let sum = 0;
  for (let n = 0, binomial = 1; n <= Math.min(inputs, order); binomial *= (inputs - n) / (n + 1), n++) sum += binomial;
  return sum;
}

/** A Fourier layer, computed for two samples at a time: weights that are loaded once serve both. */
class FourierLayer {
  /** `matrix`: row 2k is a_k, row 2k + 1 is b_k, with `outputs` columns. */
  constructor(arena, inputs, order, binary, matrix, outputs) {
    const {parents, members, count} = frequencies(inputs, order, binary);
    const rows = 2 * count;
    this.width = outputs + (outputs & 1);
    this.x = arena.take(Float64Array, 2 * inputs); // of input j both samples, at 2j and 2j + 1
    this.y = arena.take(Float64Array, 2 * this.width); // outputs of sample 0, then of sample 1 from `width` on
    const weights = arena.take(Float64Array, rows * this.width);
    for (let row = 0; row < rows; row++) {
      for (let o = 0; o < outputs; o++) weights[row * this.width + o] = matrix[row * outputs + o];
    }
    const places = arena.take(Int32Array, rows);
    for (let row = 0; row < rows; row++) places[row] = 8 * row * this.width;
    const table = arena.take(Int32Array, 2 * (count - 1));
    for (let k = 1; k < count; k++) table.set([32 * parents[k], 32 * members[k]], 2 * k - 2);
    const waves = arena.take(Float64Array, 4 * inputs);
    const features = arena.take(Float64Array, 2 * rows); // of frequency k the cosines of both samples, then the sines
    features.set([1, 1, 0, 0]);
    const [x, y, w, p, f] = [this.x, this.y, weights, places, features].map((array) => array.byteOffset);
    const findFeatures = arena.features(inputs);
    const sumRows = arena.rows(this.width, 2);
    /** Computes y from x. */
    this.apply = () => {
      findFeatures(x, table.byteOffset, count - 1, waves.byteOffset, f);
      sumRows(f, p, rows, w, y);
    };
  }
}

// ------------------------------------------------------------------------------------------------------- profile fnet

function fnetConfig(header) {
  const {architecture, width, height, prior, tiles} = header;
  check(!prior && !tiles, 'profile fnet knows neither priors nor tiles', 'unsupported');
  check(header.coordinates < 2 && header.activation < 2, 'unknown coordinates or activation', 'unsupported');
  const [m, depth, order] = architecture;
  const valid = architecture.length >= 2 && architecture.length <= 3 && m >= 1 && m <= 10 && depth >= 1 && depth <= 16;
  check(valid && (order === undefined || (order >= 1 && order < m)), 'the architecture of profile fnet is invalid');
  const most = order ?? Math.max(m, 2);
  const layers = upTo(0, depth).map((n) => fnetLayer(n, m, depth, most, header.colours));
  const coefficients = layers.reduce((sum, layer) => sum + layer.size, 0);
  return {layers, work: width * height * coefficients, memory: 0};
}

function fnetLayer(number, m, depth, order, colours) {
  const inputs = number ? m : 2;
  const outputs = number < depth ? m : colours;
  const residual = number > 0 && number < depth;
  return {inputs, outputs, order, residual, size: 2 * outputs * frequencyCount(inputs, order)};
}

/** The integers of section `network`: {stepIndices, symbols}. */
function fnetIntegers(section, layers) {
  check(section && !section.cut, "section 'network' is missing or cut");
  const steps = layers.reduce((sum, layer) => sum + layer.outputs, 0);
  const contexts = Array(steps).fill(0);
  layers.forEach(({size}, n) => contexts.push(...Array(size).fill(n + 1)));
  check(section.coder === RANGE || section.coder === ZSTD, "section 'network' has an unknown coder", 'unsupported');
  const read = section.coder === RANGE ? rangedIntegers : packedIntegers;
  const integers = read(section.payload, contexts, layers.length + 1);
  let index = 0;
  const stepIndices = integers.slice(0, steps).map((difference) => (index += difference));
  const symbols = integers.slice(steps);
  check(stepIndices.every((step) => step >= 0 && step <= 255), 'a step index is not 0 to 255');
  check(symbols.every((q) => Math.abs(q) < 2 ** 20), 'a coefficient has more than 20 bits');
  check(isBounded(layers, stepIndices, symbols), 'the coefficients of a hidden state or sample sum up to too much');
  return {stepIndices: Uint8Array.from(stepIndices), symbols};
}

/** Whether all sums of sizes of coefficients are at most 2^10, exactly: see "Bound" in FORMAT.md. */
function isBounded(layers, stepIndices, symbols) {
  const unit = 2 ** 60; // steps are whole multiples of its inverse
  const steps = Array.from(stepIndices, (index) => BigInt(stepOf(index) * unit));
  let [at, output, sums] = [0, 0, []];
  for (const {outputs, residual, size} of layers) {
    const sizes = Array(outputs).fill(0);
    for (let n = 0; n < size; n++) sizes[n % outputs] += Math.abs(symbols[at + n]);
    sums = sizes.map((own, o) => steps[output + o] * BigInt(own) + (residual ? sums[o] : 0n));
    if (sums.some((sum) => sum > 1024n * BigInt(unit))) return false;
    at += size;
    output += outputs;
  }
  return true;
}

/** Integers of the range coder, each under its context. */
function rangedIntegers(payload, contexts, contextCount) {
  const decoder = new IntegerDecoder(payload, contextCount);
  const integers = Int32Array.from(contexts, (context) => decoder.integer(context));
  decoder.decoder.end();
  return integers;
}

/** Integers under zstd: zigzag-coded, all lowest bytes first. */
function packedIntegers(payload, contexts) {
  const planes = new Reader(payload).byte();
  const count = contexts.length;
  check(planes >= 1 && planes <= 3, "section 'network' has 1 to 3 bytes for each integer");
  const plain = unzstd(payload.subarray(1), planes * count);
  return Int32Array.from({length: count}, (_, n) => {
    let zigzag = 0;
    for (let plane = 0; plane < planes; plane++) zigzag |= plain[n + plane * count] << (8 * plane);
    return zigzag & 1 ? -((zigzag + 1) >> 1) : zigzag >> 1;
  });
}

const STEPS = [1, 0.917004048, 0.840896428, 0.771105409, 0.707106769, 0.648419797, 0.594603539, 0.545253873];

const stepOf = (index) => Math.fround(STEPS[index % 8]) * 2 ** -(index >> 3);

function fnetNetwork(layers, {stepIndices, symbols}, arena) {
  const steps = Array.from(stepIndices, stepOf);
  let at = 0;
  let output = 0;
  return layers.map(({inputs, outputs, order, residual, size}) => {
    const own = symbols.subarray(at, (at += size));
    const matrix = Float64Array.from(own, (q, n) => Math.fround(q * Math.fround(steps[output + (n % outputs)])));
    output += outputs;
    return {residual, outputs, layer: new FourierLayer(arena, inputs, order, order >= inputs, matrix, outputs)};
  });
}

/** Draws the picture row by row; yields now and then. */
function* drawFnet(file, canvas, plain) {
  const {header, config} = file;
  const network = fnetNetwork(config.layers, fnetIntegers(file.critical.get(0), config.layers), new Arena(plain));
  const {width, height, coordinates} = header;
  const longer = 2 * Math.max(width, height);
  const position = coordinates ? (at) => at / 32 : (at) => Math.fround((at + 0.5) / longer);
  const planes = Array.from({length: header.colours}, () => allocate(Float64Array, width));
  for (let row = 0; row < height; row++) {
    fnetRow(network, position, row, width, planes);
    canvas.put(planes, {top: row, left: 0, rows: 1, columns: width});
    yield;
  }
  return canvas;
}

function fnetRow(network, position, row, width, planes) {
  for (let column = 0; column < width; column += 2) {
    network[0].layer.x.set([position(column), position(column + 1), position(row), position(row)]);
    network.forEach(({layer, residual, outputs}, n) => {
      layer.apply();
      const next = network[n + 1]?.layer;
      if (next) passOn(layer, next, outputs, residual);
    });
    const {y, width: second} = network.at(-1).layer;
    planes.forEach((plane, c) => {
      plane[column] = y[c];
      if (column + 1 < width) plane[column + 1] = y[second + c];
    });
  }
}

/** Makes the outputs of a layer the inputs of the next; those of a residual layer are added to its own inputs. */
function passOn({x, y, width}, next, count, residual) {
  for (let j = 0; j < count; j++) {
    next.x[2 * j] = (residual ? x[2 * j] : 0) + y[j];
    next.x[2 * j + 1] = (residual ? x[2 * j + 1] : 0) + y[j + width];
  }
}

// ---------------------------------------------------------------------------------------------- profile grid: weights

const OWN_TAPS = 23;
const FEATURED = 3; // levels with inter-level features
const START_SIZE = 3124; // integers of a trained start
const START_FRACTION = 10;

const mapRows = (levels) => upTo(0, Math.min(FEATURED, levels) - 1).map((level) => Math.min(8, levels - level));

function gridConfig(header) {
  const {architecture, width, height, colours, prior} = header;
  const [levels, order, hidden, phase, smooth] = architecture;
  check(!header.coordinates && !header.activation, 'profile grid uses neither coordinates nor an activation');
  const count = architecture.length;
  const valid = (count === 4 || (count === 5 && smooth === 1)) && levels >= 1 && levels <= 9 && order <= 3;
  check(valid && hidden >= 1 && hidden <= HIDDEN && phase <= 63, 'the architecture of profile grid is invalid');
  const config = {levels, order, hidden, phase, smooth: count === 5, colours, prior, tiles: tilesOf(header)};
  const groups = weightGroups(config);
  const sizes = config.tiles.flatMap((tile) => tile.sizes);
  const latents = total(sizes.map(({rows, columns}) => rows * columns));
  const perLatent = TAPS * WIDE + HIDDEN * (HIDDEN + 3); // multiplications
  const work = latents * perLatent + width * height * (groups.length - groups.indexOf(6));
  return {...config, groups, work, memory: total(sizes.map(paddedSize))};
}

/** Places of the tiles, and the sizes of their levels; a picture without tiles is one. */
function tilesOf({width, height, tiles, architecture: [levels]}) {
  const side = 64 * tiles || Math.max(width, height);
  const across = Math.ceil(width / side);
  const count = across * Math.ceil(height / side);
  check(count <= 1024, `${count} tiles are more than 1024`);
  return upTo(0, count - 1).map((n) => {
    const top = side * Math.floor(n / across);
    const left = side * (n % across);
    const own = {rows: Math.min(side, height - top), columns: Math.min(side, width - left)};
    return {top, left, ...own, sizes: levelSizes(own, levels)};
  });
}

/** Rows and columns of latents of each level. */
function levelSizes({rows, columns}, levels) {
  const side = (pixels, level) => 2 * Math.ceil(Math.ceil(pixels / 2 ** level) / 2);
  return Array.from({length: levels}, (_, level) => ({rows: side(rows, level), columns: side(columns, level)}));
}

/** The group of each weight, in the order of the file. */
function weightGroups({levels, order, hidden, colours, smooth}) {
  const groups = [];
  const put = (group, count) => {
    for (let n = 0; n < count; n++) groups.push(group);
  };
  const rows = 2 * frequencyCount(levels, order) - 1;
  for (let pass = 0; pass < 4; pass++) {
    put(0, OWN_TAPS * hidden);
    put(1, (hidden + 1) * hidden);
    for (let n = 0; n < hidden + OWN_TAPS; n++) groups.push(2, 3);
  }
  put(4, 6 * total(mapRows(levels)));
  put(5, 6 * (hidden + 2));
  put(6, rows * levels);
  put(8, colours);
  put(7, (rows - 1) * colours);
  for (let level = 0; level < levels; level++) put(11 + level, colours);
  put(9, 4 * (levels - 1));
  put(10, 9 * colours * colours);
  if (smooth) put(11 + levels, 4 * levels);
  return groups;
}

/** The integers of section `networks`: {exponents, symbols}. */
function readNetworks(payload, {groups, levels, smooth}) {
  const count = 11 + levels + (smooth ? 1 : 0);
  const contexts = [...Array(count).fill(0), ...groups.map((group) => group + 1)];
  const integers = rangedIntegers(payload, contexts, count + 1);
  const exponents = integers.subarray(0, count);
  const symbols = integers.subarray(count);
  check(exponents.every((e) => e >= 0 && e <= 20), 'an exponent of the networks is not 0 to 20');
  check(symbols.every((q) => Math.abs(q) <= MAX_INTEGER), 'a weight has more than 15 bits');
  return {exponents, symbols};
}

/** The parts of a trained start that a file with so many hidden units and levels has, in the file's order. */
function trainedStart(priors, {prior, hidden, levels}) {
  const start = priors.subarray((prior - 1) * START_SIZE, prior * START_SIZE);
  check(start.length === START_SIZE, `the file needs the trained start ${prior}, unknown`, 'unsupported');
  const found = [];
  let at = 0;
  const take = (rows, columns, wanted) => {
    for (let row = 0; row < rows; row++, at += columns) {
      for (let column = 0; column < columns; column++) if (wanted(row, column)) found.push(start[at + column]);
    }
  };
  for (let pass = 0; pass < 4; pass++) {
    take(OWN_TAPS, HIDDEN, (row, column) => column < hidden);
    take(HIDDEN, HIDDEN, (row, column) => row < hidden && column < hidden);
    take(1, HIDDEN, (row, column) => column < hidden);
    take(HIDDEN + OWN_TAPS, 2, (row) => row < hidden || row >= HIDDEN);
  }
  for (let level = 0; level < FEATURED; level++) take(8, 6, (row) => row < levels - level);
  take(6, WIDE, (row, column) => column < hidden || column >= HIDDEN);
  return found;
}

/** The integers of the entropy model, and its exponents: those of the file, or differences from a trained start. */
function entropyIntegers({exponents, symbols}, config, priors) {
  const {groups} = config;
  const units = Float64Array.from(symbols.subarray(0, groups.indexOf(6)));
  const shifts = Array.from(exponents.subarray(0, 6));
  if (config.prior) {
    const start = trainedStart(priors, config);
    for (let group = 0; group < 6; group++) shifts[group] = Math.max(shifts[group], START_FRACTION);
    for (let n = 0; n < units.length; n++) {
      const e = shifts[groups[n]];
      units[n] = units[n] * 2 ** (e - exponents[groups[n]]) + start[n] * 2 ** (e - START_FRACTION);
    }
  }
  check(units.every((unit) => Math.abs(unit) <= MAX_INTEGER), 'an integer of the entropy model has more than 15 bits');
  return {units, shifts};
}

/** The weights of synthesis and filters, in float32. */
function pictureWeights({exponents, symbols}, config, arena) {
  const {groups, levels, order, colours, phase, smooth} = config;
  let at = groups.indexOf(6);
  const next = (count, base = [0]) => Float64Array.from({length: count}, (_, n) => {
    const weight = symbols[at] * 2 ** -exponents[groups[at++]];
    return Math.fround(base[n % base.length] + weight);
  });
  const rows = 2 * frequencyCount(levels, order) - 1;
  const fourier = (outputs) => { // b of the constant is not stored
    const stored = next(rows * outputs);
    return new FourierLayer(arena, levels, order, false,
      [...stored.subarray(0, outputs), ...Array(outputs).fill(0), ...stored.subarray(outputs)], outputs);
  };
  const weights = {
    scale: Math.fround(2 ** (-phase / 4)), first: fourier(levels), last: fourier(colours),
    linear: next(levels * colours), filters: next(4 * (levels - 1), [-3 / 128, 29 / 128, 111 / 128, -9 / 128]),
    kernel: next(9 * colours * colours), smoothing: smooth ? next(4 * levels, [0, 0, 0, 1]) : null,
  };
  checkGain(weights, levels);
  return weights;
}

/** Refuses filters that could amplify latents beyond what float32 holds. */
function checkGain({filters, smoothing}, levels) {
  const size = (taps, n) => Math.abs(taps[n]);
  let gain = 1;
  for (let n = 0; n < 4 * (levels - 1); n += 4) {
    gain *= Math.max(1, size(filters, n) + size(filters, n + 1) + size(filters, n + 2) + size(filters, n + 3));
  }
  let most = 1;
  for (let n = 0; smoothing && n < 4 * levels; n += 4) {
    const outer = size(smoothing, n) + size(smoothing, n + 1) + size(smoothing, n + 2);
    most = Math.max(most, 2 * outer + size(smoothing, n + 3));
  }
  check((gain * most) ** 2 <= 2 ** 48, 'the filters amplify too much');
}

// ---------------------------------------------------------------------------------------------- profile grid: latents

const SIDES = [[0, -1], [0, 1], [-1, 0], [1, 0]];
const CORNERS = [[-1, -1], [-1, 1], [1, -1], [1, 1]];
const KNIGHTS = [[-2, -1], [-2, 1], [2, -1], [2, 1], [-1, -2], [-1, 2], [1, -2], [1, 2]];
const LANCES = [[-3, -1], [-3, 1], [3, -1], [3, 1], [-1, -3], [-1, 3], [1, -3], [1, 3]];

function square(reach, wanted = () => true) {
  const sides = upTo(-reach, reach);
  return sides.flatMap((down) => sides.map((right) => [down, right])).filter(wanted);
}

/** Of each pass: the place of its latents in a cell, and offsets (down, right) of parents and of own taps. */
const PASSES = [
  {row: 0, column: 0, parents: square(2, ([down, right]) => Math.abs(down * right) < 4), own: []},
  {row: 1, column: 1, parents: square(1), own: [...CORNERS, ...LANCES]},
  {row: 0, column: 1, parents: square(1), own: [...SIDES, ...KNIGHTS]},
  {row: 1, column: 0, parents: [[0, 0], [-1, 0], [1, 0], [0, -1], [0, 1]], own: [...SIDES, ...CORNERS, ...KNIGHTS]},
];
const MARGIN = 3; // rows and columns of zeros around a level, which taps beyond its edges read

const paddedSize = ({rows, columns}) => (rows + 2 * MARGIN) * (columns + 2 * MARGIN);

/** A plane of integers with its margin. */
class Plane {
  constructor(rows, columns) {
    this.rows = rows;
    this.columns = columns;
    this.stride = columns + 2 * MARGIN;
    this.origin = MARGIN * this.stride + MARGIN; // where sample (0, 0) lies
    this.data = allocate(Int16Array, paddedSize(this));
  }

  /** The samples alone, row by row. */
  packed() {
    const out = new Int16Array(this.rows * this.columns);
    for (let row = 0; row < this.rows; row++) {
      const at = this.origin + row * this.stride;
      out.set(this.data.subarray(at, at + this.columns), row * this.columns);
    }
    return out;
  }

  /** The first rows and columns, which are all that the next finer level sees. */
  cut(rows, columns) {
    const out = new Plane(rows, columns);
    for (let row = 0; row < rows; row++) {
      const at = this.origin + row * this.stride;
      out.data.set(this.data.subarray(at, at + columns), out.origin + row * out.stride);
    }
    return out;
  }
}

/** Memory of the entropy model of one level and pass, see MODEL, and of its inputs and outputs. */
function modelMemory(arena) {
  const data = arena.take(Float64Array, MODEL_SIZE);
  const part = (at, length) => data.subarray(at, at + length);
  return {
    data, shared: part(0, WIDE), taps: part(MODEL.taps, TAPS * WIDE), bias: part(MODEL.bias, HIDDEN),
    second: part(MODEL.second, HIDDEN * HIDDEN), last: part(MODEL.last, 2 * HIDDEN),
    constants: part(MODEL.constants, 16),
    values: arena.take(Float64Array, 32), places: arena.take(Int32Array, 32), out: arena.take(Float64Array, 2),
    sumTaps: arena.rows(WIDE, 1), predict: arena.entropyModel(),
  };
}

/** Puts the entropy model of one level and pass into that memory. */
function putModel(model, {units, shifts}, {hidden, levels}, level, pass) {
  const size = hidden * hidden + 26 * hidden + 46;
  const own = units.subarray(pass * size, (pass + 1) * size);
  const second = OWN_TAPS * hidden;
  const bias = second + hidden * hidden;
  const last = bias + hidden;
  model.data.fill(0);
  for (let j = 0; j < hidden; j++) {
    for (let t = 0; t < OWN_TAPS; t++) model.taps[t * WIDE + j] = own[t * hidden + j];
    for (let k = 0; k < hidden; k++) model.second[k * HIDDEN + j] = own[second + k * hidden + j];
    model.bias[j] = 256 * own[bias + j];
    for (let o = 0; o < 2; o++) model.last[2 * j + o] = own[last + 2 * j + o];
  }
  for (let t = 0; t < OWN_TAPS; t++) {
    for (let o = 0; o < 2; o++) model.taps[t * WIDE + HIDDEN + o] = own[last + 2 * (hidden + t) + o];
  }
  if (level < FEATURED) addFeatures(model.taps, units, shifts, {hidden, levels, level, pass, size});
  for (let t = 0; t < TAPS; t++) {
    for (let o = HIDDEN; o < WIDE; o++) model.taps[t * WIDE + o] *= 256; // the units of hidden values
  }
  const [outer, inner, mean, scale] = [8 - shifts[0], -shifts[1], -2 - shifts[2], -5 - shifts[3]].map((e) => 2 ** e);
  const bounds = [0, 0, MAX_HIDDEN, MAX_HIDDEN];
  model.constants.set([outer, outer, inner, inner, ...bounds, mean, scale, 0.5, 32.5, -MAX_MEAN, 0, MAX_MEAN, 96]);
}

/** Adds the products of maps and mixing. All are below 2^53, where doubles are exact. */
function addFeatures(taps, units, shifts, {hidden, levels, level, pass, size}) {
  const rows = mapRows(levels);
  const maps = 4 * size + 6 * total(rows.slice(0, level));
  const mixing = 4 * size + 6 * total(rows);
  const columns = hidden + 2;
  const parents = PASSES[pass].parents;
  const parent = 1 + parents.findIndex(([down, right]) => !down && !right);
  for (let k = 0; k < rows[level]; k++) {
    const tap = [0, parent, 1 + parents.length][k] ?? 20 + k;
    for (let n = 0; n < columns; n++) {
      let sum = 0;
      for (let i = 0; i < 6; i++) sum += units[maps + 6 * k + i] * units[mixing + i * columns + n];
      const bits = (n < hidden ? shifts[0] : shifts[2 + n - hidden]) - shifts[4] - shifts[5];
      const difference = bits >= 0 ? sum * 2 ** bits : Math.floor(sum * 2 ** bits + 0.5);
      const at = tap * WIDE + (n < hidden ? n : HIDDEN + n - hidden);
      taps[at] = clip(taps[at] + difference, -MAX_INTEGER, MAX_INTEGER);
    }
  }
}

/** Means and scales of the latents of one pass of a level. Two rows and two columns of cells have all taps in common
 * that are not parents and not of the level itself. */
class Predictor {
  /** `model`: as `putModel` leaves it; `levels`: planes, of which coarser ones are used; `own`: that of the level. */
  constructor(model, pass, level, levels, own, parent) {
    Object.assign(this, {model, own, parent});
    const {parents, own: ownTaps, row, column} = PASSES[pass];
    this.parentOffsets = Int32Array.from(parents, ([down, right]) => down * parent.stride + right);
    this.ownOffsets = Int32Array.from(ownTaps, ([down, right]) => (down + row) * own.stride + right + column);
    this.ownTap = 2 + parents.length;
    this.ancestors = []; // {plane, tap, shift of cell coordinates}
    for (let k = 2; k < (level < FEATURED ? 8 : 3) && levels[level + k]; k++) {
      this.ancestors.push({plane: levels[level + k], tap: k === 2 ? 1 + parents.length : 20 + k, shift: k - 2});
    }
  }

  /** Means and scales of the cells of rows `row` and row + 1, if there is one, row after row. */
  predictRows(row, means, scales) {
    const {rows, columns} = this.parent;
    const {predict, out} = this.model;
    const [values, places, model, to] = ['values', 'places', 'data', 'out'].map((name) => this.model[name].byteOffset);
    for (let column = 0; column < columns; column += 2) {
      this.#addShared(row >> 1, column >> 1);
      for (let r = row; r < Math.min(row + 2, rows); r++) {
        for (let c = column; c < Math.min(column + 2, columns); c++) {
          predict(values, places, this.#collect(r, c), model, to);
          means[(r - row) * columns + c] = out[0];
          scales[(r - row) * columns + c] = out[1];
        }
      }
    }
  }

  #addShared(row, column) {
    const {values, places, shared, taps, sumTaps} = this.model;
    values[0] = 1;
    places[0] = 0;
    let count = 1;
    for (const {plane, tap, shift} of this.ancestors) {
      values[count] = plane.data[plane.origin + (row >> shift) * plane.stride + (column >> shift)];
      places[count++] = 8 * tap * WIDE;
    }
    sumTaps(values.byteOffset, places.byteOffset, count, taps.byteOffset, shared.byteOffset);
  }

  /** Collects the parents and own taps that are not 0; returns their number. */
  #collect(row, column) {
    const {parentOffsets, ownOffsets, ownTap} = this;
    const {values, places} = this.model;
    const {data: parents, origin: parentOrigin, stride: parentStride} = this.parent;
    const {data: own, origin: ownOrigin, stride: ownStride} = this.own;
    let count = 0;
    let place = parentOrigin + row * parentStride + column;
    for (let n = 0; n < parentOffsets.length; n++) {
      const value = parents[place + parentOffsets[n]];
      values[count] = value;
      places[count] = 8 * WIDE * (n + 1);
      count += value === 0 ? 0 : 1; // without a branch, which would often be mispredicted
    }
    place = ownOrigin + 2 * (row * ownStride + column);
    for (let n = 0; n < ownOffsets.length; n++) {
      const value = own[place + ownOffsets[n]];
      values[count] = value;
      places[count] = 8 * WIDE * (ownTap + n);
      count += value === 0 ? 0 : 1;
    }
    return count;
  }
}

let laplaceTables = null;

/** Probabilities of a latent's decisions by scale S, and for the first two by the mean's fraction f. */
function makeTables() {
  const integer = (p) => clip(Math.round(65536 * p), 4, 65532);
  const tables = {
    same: new Uint16Array(97 * 64), above: new Uint16Array(97 * 64), low: new Uint16Array(97 * 8),
    more: new Uint16Array(97), bits: new Uint8Array(97),
  };
  for (let s = 0; s < 97; s++) {
    const b = 2 ** (s / 8 - 4);
    const k = Math.max(0, (s >> 3) - 4);
    for (let f = 0; f < 64; f++) {
      const m = (f - 32) / 64;
      const below = Math.exp(-(0.5 + m) / b) / 2;
      const over = Math.exp(-(0.5 - m) / b) / 2;
      tables.same[64 * s + f] = integer(1 - below - over);
      tables.above[64 * s + f] = integer(over / (over + below));
    }
    for (let j = 0; j < k; j++) {
      const ratio = Math.exp(-(2 ** j) / b);
      tables.low[8 * s + j] = integer(ratio / (1 + ratio));
    }
    tables.bits[s] = k;
    tables.more[s] = integer(Math.exp(-(2 ** k) / b));
  }
  return tables;
}

/** A latent's distance from the rounded mean, whose decision "not the same" was made. */
function decodeDistance(decoder, tables, scale, fraction) {
  const up = decoder.decision(tables.above[64 * scale + fraction]);
  const bits = tables.bits[scale];
  let fine = 0;
  for (let j = 0; j < bits; j++) fine |= decoder.decision(tables.low[8 * scale + j]) << j;
  let rest = 0;
  while (rest < 24 && decoder.decision(tables.more[scale])) rest += 1;
  if (rest === 24) rest = 23 + decodeGamma(decoder);
  const distance = rest * 2 ** bits + fine + 1;
  return up ? distance : -distance;
}

function decodeGamma(decoder) {
  let bits = 0;
  while (bits < 20 && decoder.plain()) bits += 1;
  let value = 1;
  for (let n = 0; n < bits; n++) value = 2 * value + decoder.plain();
  return value;
}

/** The latents of one tile, decoded level by level from the coarsest; `levels` are planes, finest first. */
class Tile {
  constructor(config, networks, place, stream, cut) {
    Object.assign(this, {config, networks, place, cut});
    this.levels = Array(config.levels).fill(null);
    this.next = config.levels - 1; // the level to decode
    this.decoder = new RangeDecoder(stream, cut);
    laplaceTables ??= makeTables();
  }

  /** Decodes the next level; yields now and then. */
  *decodeLevel() {
    const {rows, columns} = this.place.sizes[this.next];
    const plane = new Plane(rows, columns);
    const parent = this.#parent(this.next);
    for (let pass = 0; pass < 4 && !this.done; pass++) yield* this.#decodePass(pass, plane, parent);
    if (this.done) return;
    this.levels[this.next--] = plane;
    if (this.next < 0) this.decoder.end();
  }

  /** Decodes the levels down to `finest`, or down to the last that is whole. */
  *decodeDownTo(finest) {
    while (this.next >= finest && !this.done) yield* this.decodeLevel();
  }

  /** True where all levels are decoded that the file has. A whole stream may read on behind its end. */
  get done() {
    return this.next < 0 || (this.cut && this.decoder.exhausted);
  }

  /** The part of the next coarser level that the taps of level `number` see. */
  #parent(number) {
    const {rows, columns} = this.place.sizes[number];
    const coarser = this.levels[number + 1];
    return coarser ? coarser.cut(rows / 2, columns / 2) : new Plane(rows / 2, columns / 2);
  }

  #predictor(pass, number, own, parent) {
    const {model, entropy} = this.networks;
    putModel(model, entropy, this.config, number, pass);
    return new Predictor(model, pass, number, this.levels, own, parent);
  }

  *#decodePass(pass, plane, parent) {
    const predictor = this.#predictor(pass, this.next, plane, parent);
    const means = new Int32Array(2 * parent.columns);
    const scales = new Uint8Array(2 * parent.columns);
    const {row, column} = PASSES[pass];
    for (let r = 0; r < parent.rows; r += 2) {
      predictor.predictRows(r, means, scales);
      for (let n = 0; n < Math.min(2, parent.rows - r); n++) {
        const at = plane.origin + (2 * (r + n) + row) * plane.stride + column;
        this.#decodeRow(plane.data, at, means, scales, n * parent.columns, parent.columns);
      }
      yield;
    }
  }

  /** Decodes `count` latents, every second one from `at` on. */
  #decodeRow(data, at, means, scales, first, count) {
    const {decoder} = this;
    let largest = 0;
    for (let n = first; n < first + count; n++, at += 2) {
      const mean = means[n];
      const scale = scales[n];
      let value = (mean + 32) >> 6;
      const fraction = (mean + 32) & 63;
      if (!decoder.decision(laplaceTables.same[64 * scale + fraction])) {
        value += decodeDistance(decoder, laplaceTables, scale, fraction);
        largest = Math.max(largest, Math.abs(value));
      }
      data[at] = value;
    }
    check(largest <= MAX_INTEGER, 'a latent has more than 15 bits');
  }

  /** The means that the entropy model expects of the levels finer than `reduction`, at the size of level `reduction`.
   * Of the next finer one they are those of its first pass. The others would need levels that are not there: each is
   * expected from the means of those before it, as if they were the same all around. */
  expectedMeans(reduction) {
    const means = Array(reduction);
    if (reduction) means[reduction - 1] = this.#meansOf(reduction - 1);
    for (let number = reduction - 2; number >= 0; number--) means[number] = this.#guess(number, reduction, means);
    return means;
  }

  #guess(number, reduction, means) {
    const {model, entropy} = this.networks;
    putModel(model, entropy, this.config, number, 0);
    const {values, places, predict, out} = model;
    const addresses = [values, places, model.data, out].map((array) => array.byteOffset);
    const {rows, columns} = means[reduction - 1];
    const data = new Float32Array(rows * columns);
    const parents = PASSES[0].parents.length;
    const seen = Math.min(number < FEATURED ? 7 : 2, this.levels.length - 1 - number);
    const latent = (level, row, column) => {
      if (level < reduction) return Math.round(means[level].data[row * columns + column]);
      const {data: latents, origin, stride} = this.levels[level];
      return latents[origin + (row >> (level - reduction)) * stride + (column >> (level - reduction))];
    };
    const taps = [0, ...upTo(1, parents), ...upTo(2, seen).map((k) => (k === 2 ? 1 + parents : 20 + k))];
    taps.forEach((tap, n) => (places[n] = 8 * WIDE * tap));
    for (let at = 0; at < data.length; at++) {
      const row = Math.floor(at / columns);
      const column = at % columns;
      values.fill(latent(number + 1, row, column), 0, 1 + parents);
      values[0] = 1;
      for (let k = 2; k <= seen; k++) values[parents + k - 1] = latent(number + k, row, column);
      predict(addresses[0], addresses[1], taps.length, addresses[2], addresses[3]);
      data[at] = out[0] / 64;
    }
    return {rows, columns, data};
  }

  #meansOf(number) {
    const parent = this.#parent(number);
    const {rows, columns} = parent;
    const predictor = this.#predictor(0, number, parent, parent);
    const means = new Int32Array(2 * columns);
    const scales = new Uint8Array(2 * columns);
    const out = {rows, columns, data: allocate(Float32Array, rows * columns)};
    for (let r = 0; r < rows; r += 2) {
      predictor.predictRows(r, means, scales);
      for (let n = 0; n < Math.min(2, rows - r) * columns; n++) out.data[r * columns + n] = means[n] / 64;
    }
    return out;
  }
}

// ---------------------------------------------------------------------------------------------- profile grid: colours

const PART = {rows: 128, columns: 512}; // of a picture, whose features fit a processor's cache

/** What of the next coarser level (`size`) upsampling to a window reads. */
function coarserWindow({top, left, rows, columns}, size) {
  const first = (at) => Math.max(0, (at >> 1) - 2);
  const last = (at, side) => Math.min(side, ((at - 1) >> 1) + 3);
  const own = {top: first(top), left: first(left)};
  return {...own, rows: last(top + rows, size.rows) - own.top, columns: last(left + columns, size.columns) - own.left};
}

/** Features of level `number` in a window of it: its latents, then those of all coarser levels, upsampled. */
function features(tile, number, window) {
  const {levels, networks: {picture}} = tile;
  const size = window.rows * window.columns;
  const planes = new Float32Array((levels.length - number) * size);
  placeLatents(levels[number], window, picture.smoothing?.subarray(4 * number, 4 * number + 4), planes);
  if (number + 1 === levels.length) return planes;
  const wide = coarserWindow(window, levels[number + 1]);
  const coarse = features(tile, number + 1, wide);
  const taps = picture.filters.subarray(4 * number, 4 * number + 4);
  const coarseSize = wide.rows * wide.columns;
  for (let n = 1; n < levels.length - number; n++) {
    upsample(coarse.subarray((n - 1) * coarseSize, n * coarseSize), wide, taps, window, planes.subarray(n * size));
  }
  return planes;
}

function placeLatents(plane, {top, left, rows, columns}, taps, out) {
  const line = new Float64Array(columns + 6);
  for (let y = 0; y < rows; y++) {
    const at = plane.origin + (top + y) * plane.stride + left;
    if (!taps) out.set(plane.data.subarray(at, at + columns), y * columns);
    else {
      smoothDown(plane, top + y, left, taps, line);
      for (let x = 0; x < columns; x++) {
        out[y * columns + x] = taps[3] * line[x + 3] + taps[2] * (line[x + 2] + line[x + 4])
          + taps[1] * (line[x + 1] + line[x + 5]) + taps[0] * (line[x] + line[x + 6]);
      }
    }
  }
}

/** A row of a level filtered across rows, from 3 columns before `left` on; edges are repeated. */
function smoothDown(plane, row, left, taps, line) {
  const {data, origin, stride} = plane;
  const rowAt = (distance) => origin + clip(row + distance, 0, plane.rows - 1) * stride;
  const [a, b, c, d, e, f, g] = [-3, -2, -1, 0, 1, 2, 3].map(rowAt);
  for (let n = 0; n < line.length; n++) {
    const x = clip(left + n - 3, 0, plane.columns - 1);
    line[n] = taps[3] * data[d + x] + taps[2] * (data[c + x] + data[e + x]) + taps[1] * (data[b + x] + data[f + x])
      + taps[0] * (data[a + x] + data[g + x]);
  }
}

/** Doubles a plane, of which the window `wide` is there, in both directions; fills the window `fine` of the result. */
function upsample(coarse, wide, taps, fine, out) {
  const [a, b, c, d] = taps;
  const line = new Float64Array(wide.columns + 4); // a row between the rows, edges repeated
  for (let y = 0; y < fine.rows; y++) {
    const row = fine.top + y;
    const [p, q, r, s] = row & 1 ? [d, c, b, a] : taps;
    const [i, j, k, l] = [0, 1, 2, 3].map((n) => (
      clip((row >> 1) - 2 + (row & 1) + n - wide.top, 0, wide.rows - 1) * wide.columns));
    for (let x = 0; x < wide.columns; x++) {
      line[x + 2] = p * coarse[i + x] + q * coarse[j + x] + r * coarse[k + x] + s * coarse[l + x];
    }
    line[0] = line[1] = line[2];
    line[wide.columns + 2] = line[wide.columns + 3] = line[wide.columns + 1];
    doubleLine(line, fine.left - 2 * wide.left, taps, out.subarray(y * fine.columns, (y + 1) * fine.columns));
  }
}

/** Fills `out` with a doubled line, from its sample `first` on; `line` begins with two repeated samples. */
function doubleLine(line, first, [a, b, c, d], out) {
  let n = (first >> 1) + 2;
  let at = 0;
  if (first & 1) {
    out[at++] = d * line[n - 1] + c * line[n] + b * line[n + 1] + a * line[n + 2];
    n += 1;
  }
  let p = line[n - 2], q = line[n - 1], r = line[n], s = line[n + 1]; // each sample is read once
  for (; at + 1 < out.length; at += 2, n++) {
    const t = line[n + 2];
    out[at] = a * p + b * q + c * r + d * s;
    out[at + 1] = d * q + c * r + b * s + a * t;
    p = q, q = r, r = s, s = t;
  }
  if (at < out.length) out[at] = a * p + b * q + c * r + d * s;
}

/** Colours before the residual filter from `count` samples of all features. */
function synthesise({scale, first, last, linear}, planes, count, levels, colours) {
  const out = Array.from({length: colours}, () => new Float32Array(count));
  const {x} = first;
  for (let at = 0; at < count; at += 2) {
    const other = at + 1 < count ? at + 1 : at;
    for (let j = 0, n = 0; j < levels; j++, n += count) {
      x[2 * j] = scale * planes[n + at];
      x[2 * j + 1] = scale * planes[n + other];
    }
    first.apply();
    passOn(first, last, levels, true);
    last.apply();
    for (let c = 0; c < colours; c++) {
      let one = last.y[c];
      let two = last.y[c + last.width];
      for (let j = 0, n = 0; j < levels; j++, n += count) {
        one += linear[j * colours + c] * planes[n + at];
        two += linear[j * colours + c] * planes[n + other];
      }
      out[c][other] = two;
      out[c][at] = one;
    }
  }
  return out;
}

/** Adds the residual filter in a window; `near`, the window of the colours, is a pixel larger where there are any. */
function residualFilter(colours, near, window, kernel) {
  const stride = window.columns + 2;
  const padded = colours.map((plane) => padPlane(plane, near, window));
  return colours.map((_, c) => {
    const out = new Float64Array(window.rows * window.columns);
    padded.forEach((source, d) => {
      const [k0, k1, k2, k3, k4, k5, k6, k7, k8] = kernel.subarray(9 * (c * padded.length + d));
      const centre = c === d ? 1 + k4 : k4;
      for (let row = 0, at = 0; row < window.rows; row++) {
        for (let i = row * stride, end = i + window.columns; i < end; i++, at++) {
          const j = i + stride;
          const k = j + stride;
          out[at] += k0 * source[i] + k1 * source[i + 1] + k2 * source[i + 2] + k3 * source[j] + centre * source[j + 1]
            + k5 * source[j + 2] + k6 * source[k] + k7 * source[k + 1] + k8 * source[k + 2];
        }
      }
    });
    return out;
  });
}

/** A plane of the window `near` as one that is a pixel larger than `window` on every side, edges repeated. */
function padPlane(plane, near, window) {
  const out = new Float64Array((window.rows + 2) * (window.columns + 2));
  let at = 0;
  for (let row = -1; row <= window.rows; row++) {
    const from = clip(window.top + row - near.top, 0, near.rows - 1) * near.columns;
    for (let column = -1; column <= window.columns; column++) {
      out[at++] = plane[from + clip(window.left + column - near.left, 0, near.columns - 1)];
    }
  }
  return out;
}

/** The window and a pixel around it, as far as there are. */
function grown({top, left, rows, columns}, size) {
  const own = {top: Math.max(0, top - 1), left: Math.max(0, left - 1)};
  const bottom = Math.min(size.rows, top + rows + 1);
  const right = Math.min(size.columns, left + columns + 1);
  return {...own, rows: bottom - own.top, columns: right - own.left};
}

/** The features of a tile at 1 : 2^reduction in a window: those of levels that are there, and means of finer ones. */
function reducedFeatures(tile, reduction, window, expected) {
  const {levels, networks: {picture}} = tile;
  const present = features(tile, reduction, window);
  if (!reduction) return present;
  const size = window.rows * window.columns;
  const planes = new Float32Array(levels.length * size);
  let gain = 1; // of the upsampling that is left out
  for (let n = 0; n < reduction; n++) {
    placeExpected(expected[n], window, gain * smoothingGain(picture, n), planes.subarray(n * size));
    gain *= total(picture.filters.subarray(4 * n, 4 * n + 4)) ** 2;
  }
  for (let at = 0; at < present.length; at++) planes[reduction * size + at] = gain * present[at];
  return planes;
}

function smoothingGain({smoothing}, level) {
  if (!smoothing) return 1;
  const [a, b, c, d] = smoothing.subarray(4 * level, 4 * level + 4);
  return (2 * a + 2 * b + 2 * c + d) ** 2;
}

function placeExpected({data, columns: stride}, {top, left, rows, columns}, gain, out) {
  for (let row = 0, at = 0; row < rows; row++) {
    for (let x = (top + row) * stride + left, end = x + columns; x < end; x++) out[at++] = gain * data[x];
  }
}

/** The residual filter as it acts on even colour. */
function flatKernel(kernel) {
  const flat = new Float64Array(kernel.length);
  for (let at = 0; at < kernel.length; at += 9) flat[at + 4] = total(kernel.subarray(at, at + 9));
  return flat;
}

/** Draws a tile at 1 : 2^reduction part by part; yields between them. Levels finer than that need not be decoded. */
function* drawTile(tile, reduction, canvas) {
  const {config: {levels, colours}, networks: {picture}, place} = tile;
  const step = 2 ** reduction;
  const size = {rows: Math.ceil(place.rows / step), columns: Math.ceil(place.columns / step)};
  const expected = tile.expectedMeans(reduction);
  const kernel = reduction ? flatKernel(picture.kernel) : picture.kernel;
  for (let top = 0; top < size.rows; top += PART.rows) {
    for (let left = 0; left < size.columns; left += PART.columns) {
      const rows = Math.min(PART.rows, size.rows - top);
      const window = {top, left, rows, columns: Math.min(PART.columns, size.columns - left)};
      const near = grown(window, size);
      const planes = reducedFeatures(tile, reduction, near, expected);
      const plain = synthesise(picture, planes, near.rows * near.columns, levels, colours);
      const at = {...window, top: top + place.top / step, left: left + place.left / step};
      canvas.put(residualFilter(plain, near, window, kernel), at);
      yield;
    }
  }
}

/** The tiles of a grid file, none of their latents decoded. */
function openTiles(file, priors, plain) {
  const {config, critical} = file;
  const integers = readNetworks(checkCoder(critical.get(0), RANGE, 'networks'), config);
  const payload = checkCoder(critical.get(1), RANGE, 'latents');
  const arena = new Arena(plain);
  const networks = {
    integers, entropy: entropyIntegers(integers, config, priors), model: modelMemory(arena),
    picture: pictureWeights(integers, config, arena),
  };
  const reader = new Reader(payload);
  const {cut} = critical.get(1);
  const lengths = config.tiles.map(() => (file.header.tiles ? reader.varint() : payload.length));
  const streams = lengths.map((length) => reader.bytes(cut ? Math.min(length, reader.left) : length));
  check(!reader.left, "the tiles' lengths are not those of section 'latents'");
  return config.tiles.map((place, n) => {
    const isCut = cut && (streams[n].length < lengths[n] || !file.header.tiles);
    return new Tile(config, networks, place, streams[n], isCut);
  });
}

/** Draws a grid picture. With `onLevel`, each level that arrives gives a smaller picture of all tiles first. Returns
 * the canvas: a smaller one where the file is cut. */
function* drawGrid(file, canvas, {priors, plain, onLevel}) {
  const tiles = openTiles(file, priors, plain);
  const coarsest = Math.min(file.config.levels - 1, file.header.tiles ? 6 : 8); // sides of tiles are divisible so often
  let reduction = coarsest;
  for (; (onLevel || file.cut) && reduction > 0; reduction--) {
    for (const tile of tiles) yield* tile.decodeDownTo(reduction);
    if (tiles.some((tile) => tile.next >= reduction)) break; // a level of one is not whole
    if (!onLevel) continue;
    onLevel((yield* drawTiles(tiles, reduction, canvas)).image());
    yield;
  }
  if (file.cut) {
    for (const tile of reduction ? [] : tiles) yield* tile.decodeDownTo(0);
    const whole = tiles.every((tile) => tile.next < 0);
    check(whole || reduction < coarsest, 'the file is cut before its first level is whole');
    return yield* drawTiles(tiles, whole ? 0 : reduction + 1, canvas);
  }
  for (const tile of tiles) {
    yield* tile.decodeDownTo(0);
    yield* drawTile(tile, 0, canvas);
    tile.levels = []; // a picture of many tiles holds the latents of one
  }
  return canvas;
}

function* drawTiles(tiles, reduction, canvas) {
  const own = reduction ? canvas.reduced(reduction) : canvas;
  for (const tile of tiles) yield* drawTile(tile, reduction, own);
  return own;
}

// ------------------------------------------------------------------------------------------------- alpha and metadata

/** The alpha plane of a file, or null. */
function readAlpha({header, critical, cut}) {
  const {width, height, depth, channels, colours} = header;
  if (channels === colours) return null;
  if (cut && !(critical.has(ALPHA) && !critical.get(ALPHA).cut)) { // opaque until it is there
    return allocate(depth === 8 ? Uint8Array : Uint16Array, width * height).fill(2 ** depth - 1);
  }
  const payload = checkCoder(critical.get(ALPHA), ZSTD, 'alpha');
  const predictor = payload[0];
  check(predictor <= 3, "section 'alpha' does not begin with a predictor, 0 to 3");
  const count = width * height;
  const plain = unzstd(payload.subarray(1), (count * depth) / 8);
  const out = depth === 8 ? plain : allocate(Uint16Array, count);
  if (depth === 16) for (let n = 0; n < count; n++) out[n] = plain[n] | (plain[n + count] << 8);
  // Each predictor is a running sum along one axis, along both, or along none; typed arrays wrap as the format does.
  if (predictor & 1) for (let n = 0; n < count; n++) if (n % width) out[n] += out[n - 1];
  if (predictor & 2) for (let n = width; n < count; n++) out[n] += out[n - width];
  return out;
}

function readDocument({coder, payload}) {
  if (coder === 0) {
    check(payload.length && payload.length <= MAX_METADATA_BYTES, 'it is empty or too large');
    return payload.slice();
  }
  check(coder === ZSTD, `coder ${coder} is unknown`, 'unsupported');
  const reader = new Reader(payload);
  const sizeBytes = reader.varint();
  check(sizeBytes && sizeBytes <= MAX_METADATA_BYTES, 'it is empty or too large');
  return unzstd(payload.subarray(reader.at), sizeBytes);
}

/** {icc, exif, xmp, density}, as far as there are, and notes on those that are damaged: no pixel needs them. */
function readMetadata(sections) {
  const metadata = {};
  const notes = [];
  for (const [kind, name] of Object.entries(METADATA)) {
    const own = sections.filter((section) => section.kind === Number(kind) && !section.cut);
    try {
      check(own.length < 2, 'it comes twice');
      if (own.length) metadata[name] = readDocument(own[0]);
    } catch (error) {
      if (!(error instanceof FncError)) throw error;
      notes.push(`the ${name} metadata are left out: ${error.message}`);
    }
  }
  return {metadata, notes};
}

// ------------------------------------------------------------------------------------------------------------- decode

/** A picture that is being drawn: interleaved samples. */
class Canvas {
  constructor({width, height, channels, depth, activation}, alpha) {
    Object.assign(this, {width, height, channels, depth, activation, alpha, reduction: 0});
    this.data = allocate(depth === 8 ? Uint8Array : Uint16Array, width * height * channels);
    for (let n = 0, at = channels - 1; alpha && n < alpha.length; n++, at += channels) this.data[at] = alpha[n];
  }

  /** Puts planes of samples about [0, 1] into a window, rounded half to even. */
  put(planes, {top, left, rows, columns}) {
    const {data, channels, activation} = this;
    const peak = 2 ** this.depth - 1;
    planes.forEach((plane, c) => {
      for (let row = 0, n = 0; row < rows; row++) {
        let at = ((top + row) * this.width + left) * channels + c;
        for (let column = 0; column < columns; column++, n++, at += channels) {
          const y = peak * (activation ? 1 / (1 + Math.exp(-plane[n])) : plane[n]);
          data[at] = (y > 0 ? (y < peak ? y : peak) : 0) + 4503599627370496 - 4503599627370496; // 2^52: ties to even
        }
      }
    });
  }

  /** An empty canvas at 1 : 2^reduction, with the nearest samples of alpha. */
  reduced(reduction) {
    const step = 2 ** reduction;
    const width = Math.ceil(this.width / step);
    const height = Math.ceil(this.height / step);
    const nearest = (at, side) => Math.min(side - 1, at * step + step / 2);
    const alpha = this.alpha && this.alpha.constructor.from({length: width * height}, (_, n) => (
      this.alpha[nearest(Math.floor(n / width), this.height) * this.width + nearest(n % width, this.width)]));
    return Object.assign(new Canvas({...this, width, height}, alpha), {reduction});
  }

  image(others) {
    const {width, height, channels, depth, data, reduction} = this;
    return {width, height, channels, depth, data, reduction, ...others};
  }
}

let priorsLoaded = null;

async function fetchPriors() {
  const answer = await fetch(new URL('priors.bin', import.meta.url));
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  return answer.arrayBuffer();
}

/** The trained starts, one behind the other, only where the file names one. */
async function loadPriors(header, priors) {
  if (!header.prior || header.profile !== 2) return null;
  let bytes;
  try {
    bytes = asBytes(priors ?? (await (priorsLoaded ??= fetchPriors())));
  } catch (error) {
    priorsLoaded = null; // the next file may try again
    throw new FncError(`the trained starts cannot be loaded (${error.message}): pass 'priors'`, 'unsupported');
  }
  if (bytes.length % (2 * START_SIZE)) throw new RangeError("'priors' is not the content of priors.bin");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Int16Array.from({length: bytes.length / 2}, (_, n) => view.getInt16(2 * n, true));
}

const PAUSE_MS = 30;

/** Runs a generator to its result. With `responsive` it lets other events happen every PAUSE_MS. */
async function run(steps, signal, responsive) {
  let before = performance.now();
  for (;;) {
    const {done, value} = steps.next();
    if (done) return value;
    if (!responsive || performance.now() - before < PAUSE_MS) continue;
    await new Promise((resolve) => setTimeout(resolve));
    signal?.throwIfAborted();
    before = performance.now();
  }
}

/**
 * Decodes a .fnc file.
 *
 * @param {ArrayBuffer|Uint8Array} bytes the whole file
 * @param {object} [options]
 * @param {ArrayBuffer|Uint8Array} [options.priors] priors.bin; without it the decoder fetches it from beside this
 *   module, for files that need it
 * @param {(image: object) => void} [options.onLevel] is called with ever larger complete pictures before the whole one
 *   (profile grid): {width, height, channels, depth, data, reduction}, at 1 : 2^reduction, from the levels up to there
 * @param {{pixels?: number, work?: number}} [options.limits] in place of LIMITS
 * @param {AbortSignal} [options.signal] ends decoding with its reason
 * @param {boolean} [options.partial] takes the first bytes of a file that is still loading (profile grid): the picture
 *   is then that of the levels that are whole, at 1 : 2^reduction, opaque until alpha is there. The payload's checksum
 *   cannot be verified before the file is whole.
 * @param {boolean} [options.plain] does without WebAssembly; the integers are the same
 * @returns {Promise<{width: number, height: number, channels: number, depth: number, data: Uint8Array|Uint16Array,
 *   reduction: number, metadata: {icc?: Uint8Array, exif?: Uint8Array, xmp?: Uint8Array}, notes: string[], header:
 *   object}>} `reduction` is 0 for a whole file. `data` has the samples of all channels of a pixel side by side, row by
 *   row; channels are grey or RGB, then alpha, by which colours are not multiplied. The picture is upright. `notes` are
 *   sentences on metadata that are damaged and left out.
 * @throws {FncError} where the file is damaged, newer than this decoder or beyond the limits
 */
export async function decode(bytes, {priors, onLevel, limits, signal, partial, plain} = {}) {
  signal?.throwIfAborted();
  const file = open(bytes, limits, partial);
  const {header} = file;
  const starts = await loadPriors(header, priors);
  const canvas = new Canvas(header, readAlpha(file));
  const steps = header.profile === 1 ? drawFnet(file, canvas, plain)
    : drawGrid(file, canvas, {priors: starts, plain, onLevel});
  const drawn = await run(steps, signal, Boolean(signal || onLevel));
  const found = readMetadata(file.sections);
  const size = 2 ** drawn.reduction;
  if (file.cut) found.notes.push(`the file is cut: the picture is at 1:${size}, and its checksum is not verified`);
  return drawn.image({...found, header});
}

/**
 * The integers of a file, for tests: {stepIndices, symbols} of profile fnet; of profile grid {exponents, symbols,
 * tiles}, each tile a list of levels {rows, columns, data}, finest first.
 *
 * @param {ArrayBuffer|Uint8Array} bytes
 * @param {object} [options] `priors` and `limits` of `decode`
 * @returns {Promise<object>}
 * @throws {FncError}
 */
export async function decodeSymbols(bytes, {priors, limits, plain} = {}) {
  const file = open(bytes, limits);
  if (file.header.profile === 1) return fnetIntegers(file.critical.get(0), file.config.layers);
  const tiles = openTiles(file, await loadPriors(file.header, priors), plain);
  for (const tile of tiles) await run(tile.decodeDownTo(0), null, false);
  const levels = tiles.map((tile) => tile.levels.map((plane) => ({...plane, data: plane.packed()})));
  return {...tiles[0].networks.integers, tiles: levels};
}
