/**
 * A decoder of .fnc files in one module without dependencies, written from bitstream/FORMAT.md, whose terms it uses.
 *
 *     const {width, height, channels, depth, data} = await decode(bytes);
 *
 * Integers come out equal everywhere: those of the entropy model are carried by doubles, in which all its sums are
 * exact. Samples are within 1 of 255 of those of other decoders, within 3 where four tiles meet (smoothedEdges). With
 * fast.js beside it, WebAssembly and WebGL2 compute the same in less time.
 */

/** A file that cannot be decoded. `kind` is 'corrupt', 'cut' (it ends too early), 'unsupported' or 'limit'. */
export class FncError extends Error {
  constructor(message, kind = 'corrupt') {
    super(message);
    Object.assign(this, {name: 'FncError', kind});
  }
}

/** What a file may take unless told otherwise: pixels of a picture, and multiplications (docs/trust.md). */
export const LIMITS = Object.freeze({pixels: 2 ** 27, work: 2 ** 42});

const METADATA = {16: 'icc', 17: 'exif', 18: 'xmp', 19: 'density'};
const ALPHA = 8;
const [ZSTD, RANGE] = [1, 2]; // coders

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
export const total = (numbers) => numbers.reduce((sum, number) => sum + number, 0);
export const count = (length, make = (n) => n) => Array.from({length}, (_, n) => make(n));

// --- container

/** The bytes of a file, of which more may be on their way. `input`: bytes, or a ReadableStream of them. */
class Source {
  constructor(input, limit) {
    this.limit = limit;
    this.reader = input?.getReader?.();
    this.done = !this.reader;
    this.data = this.reader ? new Uint8Array(65536) : asBytes(input);
    this.size = this.reader ? 0 : this.data.length;
    check(this.size <= limit, `${this.size} bytes are more than the limit`, 'limit');
  }

  /** Waits for more bytes. False where there will be none. */
  async more() {
    if (this.done) return false;
    const {done, value} = await this.reader.read();
    this.done = done;
    if (done) return true;
    check(this.size + value.length <= this.limit, 'there are more bytes than the limit', 'limit');
    if (this.size + value.length > this.data.length) {
      const larger = allocate(Uint8Array, 2 * (this.size + value.length));
      larger.set(this.data.subarray(0, this.size));
      this.data = larger;
    }
    this.data.set(value, this.size);
    this.size += value.length;
    return true;
  }
}

function asBytes(bytes) {
  if (bytes instanceof Uint8Array) return bytes;
  if (bytes instanceof ArrayBuffer) return new Uint8Array(bytes);
  if (ArrayBuffer.isView(bytes)) return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  throw new TypeError('a file is an ArrayBuffer, a Uint8Array or a ReadableStream');
}

/** Reads bytes and varints from `at` on. */
class Reader {
  constructor(data, at = 0) {
    Object.assign(this, {data, at});
  }

  get left() {
    return this.data.length - this.at;
  }

  byte() {
    check(this.left > 0, 'the file is truncated', 'cut');
    return this.data[this.at++];
  }

  /** An integer of `size` bytes, little-endian. */
  number(size) {
    return total(count(size, (n) => this.byte() * 2 ** (8 * n)));
  }

  varint() {
    let value = 0;
    for (let n = 0; n < 5; n++) {
      const byte = this.byte();
      value += (byte & 127) * 2 ** (7 * n);
      if (byte >= 128) continue;
      check(value < 2 ** 32 && (byte || !n), 'a varint is too large or not the shortest');
      return value;
    }
    throw new FncError('a varint has more than 5 bytes');
  }

  bytes(size) {
    check(size <= this.left, `${size} bytes declared, ${this.left} left: the file is truncated`, 'cut');
    this.at += size;
    return this.data.subarray(this.at - size, this.at);
  }
}

const CRC = Uint32Array.from({length: 256}, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
  return n;
});

function crc32(data) {
  let crc = -1;
  for (let at = 0; at < data.length; at++) crc = (crc >>> 8) ^ CRC[(crc ^ data[at]) & 255];
  return ~crc >>> 0;
}

/** The header of a file, whose checksum is verified; the first 64 bytes are enough. `channels` counts alpha, `colours`
 * does not; `payloadAt` is the offset of the first section; other names are those of FORMAT.md. */
export function readHeader(bytes) {
  const data = asBytes(bytes);
  const reader = new Reader(data);
  const magic = [0x93, 0x46, 0x4e, 0x43, 0x0d, 0x0a, 0x1a, 0x0a];
  check(magic.every((byte) => reader.byte() === byte), 'not a .fnc file: it does not begin with the magic bytes');
  const minor = reader.byte();
  const version = `${minor >> 4}.${minor & 15}`;
  check(version === '0.3', `the file is of format ${version}; this decoder reads 0.3`, 'unsupported');
  const samples = reader.byte();
  const profile = reader.byte();
  const width = reader.varint() + 1;
  const height = reader.varint() + 1;
  const extended = profile & 16;
  const prior = extended ? reader.varint() : 0;
  const tiles = extended ? reader.varint() : 0;
  const architecture = count(profile >> 5, () => reader.varint());
  const payloadCrc = reader.number(4);
  const crc = crc32(data.subarray(0, reader.at));
  check(reader.number(4) === crc, "the header's checksum does not match: the file is damaged");
  check(!extended || prior || tiles, 'the header says that prior or tiles follow, and both are 0');
  check(profile & 15, 'profiles are 1 to 15, not 0');
  return {
    version, width, height, channels: (samples & 3) + 1, colours: samples & 2 ? 3 : 1,
    depth: [8, 10, 12, 16][(samples >> 2) & 3], coordinates: (samples >> 4) & 3, activation: samples >> 6,
    profile: profile & 15, prior, tiles, architecture, payloadCrc, payloadAt: reader.at,
  };
}

/** The sections of a file, as far as they are there, as {kind, coder, at, end}. The last may end behind the bytes. */
function readSections(data, at) {
  const reader = new Reader(data, at);
  const sections = [];
  for (let tag = 0; !(tag & 128);) {
    check(sections.length < 4096, 'the file has more than 4096 sections', 'limit');
    try {
      tag = reader.byte();
      const end = reader.varint() + reader.at;
      sections.push({kind: tag & 31, coder: (tag >> 5) & 3, at: reader.at, end});
      reader.bytes(end - reader.at);
    } catch (error) {
      if (error.kind !== 'cut') throw error;
      return {sections, cut: error};
    }
  }
  check(!reader.left, `${reader.left} bytes are left over after the last section`);
  return {sections};
}

/** Header, sections and the profile's configuration, all checked against the limits before anything is decoded. Of a
 * file that is `cut` the sections that pixels need first are there, and of the latents at least a beginning. */
function parse(source, {pixels, work}, partial) {
  const data = source.data.subarray(0, source.size);
  const header = readHeader(data);
  const {width, height, colours, depth, profile} = header;
  check(width * height <= pixels, `${width} x ${height} pixels are more than the limit of ${pixels}`, 'limit');
  check(Math.max(width, height) <= 2 ** 30, 'a side is too long', 'limit'); // 32-bit integers hold places
  const {sections, cut} = readSections(data, header.payloadAt);
  if (cut && source.done && !partial) throw cut;
  const intact = cut || crc32(data.subarray(header.payloadAt)) === header.payloadCrc;
  check(intact, "the payload's checksum does not match: the file is damaged");
  check(depth === 8 || depth === 16, `${depth}-bit samples are not supported`, 'unsupported');
  check(profile <= 2, `profile ${profile} is unknown`, 'unsupported');
  const own = {}; // the sections that the picture needs, by kind
  for (const section of sections.filter(({kind}) => kind < 16)) {
    const {kind} = section;
    check([0, profile - 1, ALPHA].includes(kind), `the file needs a section of kind ${kind}, unknown`, 'unsupported');
    check(!own[kind], `a section of kind ${kind} comes twice`);
    own[kind] = section;
  }
  const hasAlpha = header.channels > colours;
  check(own[ALPHA] ? hasAlpha : !hasAlpha || cut, "section 'alpha' is missing or not expected");
  const config = profile === 1 ? fnetConfig(header) : gridConfig(header);
  check(config.work <= work, `decoding takes ${config.work} multiplications, the limit is ${work}`, 'limit');
  check(config.memory <= 2 * pixels + 2 ** 20, 'so thin a picture takes more memory than the limits allow', 'limit');
  /** The bytes of a section, of which all have to be there unless told otherwise. */
  const payload = (kind, name, coders, mayBeCut) => {
    const {at, end, coder} = own[kind] ?? {};
    check(at <= data.length && (mayBeCut || end <= data.length), `section '${name}' is missing`, cut && 'cut');
    check(coders.includes(coder), `section '${name}' has coder ${coder}, unknown`, 'unsupported');
    return data.subarray(at, end);
  };
  const file = {header, sections, config, cut, own, payload, source};
  if (profile === 1) return Object.assign(file, {integers: fnetIntegers(file)});
  return Object.assign(file, {integers: gridIntegers(file), streams: tileStreams(file)});
}

// --- zstd (RFC 8878)

const sound = (condition) => check(condition, 'a zstd frame is damaged');

/** Bits of `data` from its end backwards, as FSE and Huffman streams are read; zeros before the beginning. */
class BackwardBits {
  constructor(data) {
    sound(data.at(-1));
    this.data = new Uint8Array(data.length + 12);
    this.data.set(data, 8);
    this.left = 8 * data.length - 8 + highestBit(data.at(-1));
  }

  /** The next `size` bits, at most 25. */
  peek(size) {
    const {data} = this;
    const at = this.left + 64 - size;
    const n = at >> 3;
    const word = data[n] | (data[n + 1] << 8) | (data[n + 2] << 16) | (data[n + 3] << 24);
    return (word >>> (at & 7)) & ((1 << size) - 1);
  }

  read(size) {
    if (size > 16) return this.read(size - 16) * 65536 + this.read(16);
    const value = this.peek(size);
    this.left -= size;
    sound(this.left >= -32);
    return value;
  }
}

/** An FSE decoding table, {symbols, width, base, log}, from its counts in compressed form. */
function readTable(reader, maxLog, maxSymbols) {
  const data = reader.data.subarray(reader.at);
  let at = 0;
  const bits = (size) => total(count(size, (n) => {
    sound(at < 8 * data.length);
    return ((data[at >> 3] >> (at++ & 7)) & 1) << n;
  }));
  const log = bits(4) + 5;
  const counts = [];
  let left = 1 << log;
  while (left > 0) {
    sound(log <= maxLog && counts.length < maxSymbols);
    const width = highestBit(left + 1);
    const threshold = (2 << width) - 2 - left; // smaller values have a bit less
    let value = bits(width);
    if (value >= threshold && bits(1)) value += (1 << width) - threshold;
    counts.push(value - 1);
    left -= Math.abs(value - 1);
    for (let zeros = value === 1 ? 3 : 0; zeros === 3;) counts.push(...Array((zeros = bits(2))).fill(0));
  }
  sound(!left && counts.length <= maxSymbols);
  reader.bytes((at + 7) >> 3);
  return fseTable(counts, log);
}

function fseTable(counts, log) {
  const size = 1 << log;
  const symbols = new Uint8Array(size);
  let high = size;
  let place = 0;
  counts.forEach((own, symbol) => {
    if (own < 0) symbols[--high] = symbol;
  });
  counts.forEach((own, symbol) => {
    for (let n = 0; n < own; n++) {
      symbols[place] = symbol;
      do place = (place + (size >> 1) + (size >> 3) + 3) & (size - 1);
      while (place >= high);
    }
  });
  const next = counts.map(Math.abs);
  const width = new Uint8Array(size);
  const base = Array.from(symbols, (symbol, state) => {
    width[state] = log - highestBit(next[symbol]);
    return (next[symbol]++ << width[state]) - size;
  });
  return {symbols, width, base, log};
}

/** A state of an FSE table that moves along a stream: its symbol, and a step to the next. */
function fseState({symbols, width, base, log}, bits) {
  let state = bits.read(log);
  return {symbol: () => symbols[state], step: () => (state = base[state] + bits.read(width[state]))};
}

function huffmanWeights(reader) {
  const head = reader.byte();
  if (head >= 128) {
    const packed = reader.bytes((head - 126) >> 1);
    return count(head - 127, (n) => (n & 1 ? packed[n >> 1] & 15 : packed[n >> 1] >> 4));
  }
  const own = new Reader(reader.bytes(head));
  const table = readTable(own, 6, 256);
  const bits = new BackwardBits(own.bytes(own.left));
  let [state, other] = [fseState(table, bits), fseState(table, bits)];
  const weights = [];
  for (; bits.left >= 0; [state, other] = [other, state]) {
    sound(weights.length < 255);
    weights.push(state.symbol());
    state.step();
  }
  return [...weights, state.symbol()]; // the other state's step ran out of bits
}

/** A Huffman table indexed by the next `log` bits. */
function huffmanTable(reader) {
  const weights = huffmanWeights(reader);
  const sum = total(weights.map((weight) => (weight ? 2 ** (weight - 1) : 0)));
  const log = highestBit(sum) + 1;
  const rest = (1 << log) - sum;
  sound(sum && log <= 11 && weights.length < 256 && !(rest & (rest - 1)));
  weights.push(highestBit(rest) + 1); // the last one is not stored
  const symbols = new Uint8Array(1 << log);
  const width = new Uint8Array(1 << log);
  let at = 0;
  for (let weight = 1; weight <= log; weight++) {
    weights.forEach((own, symbol) => {
      if (own !== weight) return;
      symbols.fill(symbol, at, at + 2 ** (weight - 1));
      width.fill(log + 1 - weight, at, (at += 2 ** (weight - 1)));
    });
  }
  return {symbols, width, log};
}

function huffmanStream({symbols, width, log}, data, out) {
  const bits = new BackwardBits(data);
  for (let n = 0; n < out.length; n++) {
    const next = bits.peek(log);
    out[n] = symbols[next];
    bits.left -= width[next];
    sound(bits.left >= 0);
  }
  sound(!bits.left);
}

function zstdLiterals(reader, state) {
  const head = reader.byte();
  const type = head & 3;
  const format = (head >> 2) & 3;
  reader.at -= 1;
  if (type < 2) {
    const size = format & 1 ? reader.number((format + 3) >> 1) >> 4 : reader.byte() >> 3;
    sound(size <= 131072);
    return type ? new Uint8Array(size).fill(reader.byte()) : reader.bytes(size);
  }
  const unit = 2 ** [10, 10, 14, 18][format];
  const sizes = Math.floor(reader.number([3, 3, 4, 5][format]) / 16);
  const out = new Uint8Array(sizes % unit);
  const inner = new Reader(reader.bytes(Math.floor(sizes / unit)));
  if (type === 2) state.huffman = huffmanTable(inner);
  const streams = format ? 4 : 1;
  const lengths = count(streams - 1, () => inner.number(2));
  const part = Math.ceil(out.length / streams);
  sound(state.huffman && out.length <= 131072 && out.length >= (streams - 1) * part);
  lengths.push(Math.max(inner.left - total(lengths), 0));
  lengths.forEach((length, n) => {
    huffmanStream(state.huffman, inner.bytes(length), out.subarray(n * part, n < 3 ? (n + 1) * part : out.length));
  });
  return out;
}

/** A list of numbers from pairs: so many times this one. */
const runs = (...pairs) => pairs.flatMap(([times, value]) => Array(times).fill(value));

/** The codes of a sequence, literal length, offset and match length: [largest log of a table, log and counts of the
 * predefined one, bits behind each code, the first base]. */
const CODES = [
  [9, 6, [4, 3, ...runs([11, 2], [3, 1], [9, 2]), 3, 2, ...runs([5, 1], [4, -1])],
    [...runs([16, 0], [4, 1], [2, 2], [2, 3]), 4, ...count(11, (n) => n + 6)], 0],
  [8, 5, runs([6, 1], [3, 2], [15, 1], [5, -1]), count(32), 1],
  [9, 6, [1, 4, 3, ...runs([6, 2], [37, 1], [7, -1])],
    [...runs([32, 0], [4, 1], [2, 2], [2, 3], [2, 4]), 5, ...count(10, (n) => n + 7)], 3],
].map(([maxLog, log, counts, bits, base]) => ({
  maxLog, bits, bases: bits.map((width) => (base += 2 ** width) - 2 ** width), predefined: fseTable(counts, log),
}));

function sequenceTable(reader, mode, {maxLog, bits, predefined}, before) {
  if (mode === 0) return predefined;
  if (mode === 2) return readTable(reader, maxLog, bits.length);
  const symbol = mode === 1 && reader.byte();
  sound(mode === 1 ? symbol < bits.length : before);
  return mode === 1 ? {symbols: [symbol], width: [0], base: [0], log: 0} : before;
}

/** The distance that an offset's value stands for; `recent` are the last three distances. */
function distanceOf(value, length, recent) {
  const index = value > 3 ? 3 : value - (length ? 1 : 0);
  const distance = value > 3 ? value - 3 : index < 3 ? recent[index] : recent[0] - 1;
  sound(distance > 0);
  recent.splice(Math.min(index, 2), 1);
  recent.unshift(distance);
  return distance;
}

/** The `sizeBytes` bytes of a zstd frame without its magic number; the caller has bounded their number. */
function unzstd(payload, sizeBytes) {
  const reader = new Reader(payload);
  const head = reader.byte();
  const single = head & 32;
  const window = single ? 0 : reader.byte();
  const dictionary = reader.number([0, 1, 2, 4][head & 3]);
  const fieldBytes = [single ? 1 : 0, 2, 4, 8][head >> 6];
  const declared = reader.number(fieldBytes) + (head >> 6 === 1 ? 256 : 0);
  const windowBytes = single ? declared : 2 ** (10 + (window >> 3)) * (1 + (window & 7) / 8);
  sound(!(head & 8) && !dictionary && windowBytes <= 2 ** 23 && (!fieldBytes || declared === sizeBytes));
  const out = allocate(Uint8Array, sizeBytes);
  let filled = 0;
  const append = (bytes) => {
    sound(bytes.length <= sizeBytes - filled);
    out.set(bytes, filled);
    filled += bytes.length;
  };
  const state = {huffman: null, tables: [], recent: [1, 4, 8]};
  const sequences = (own, number, literals) => { // returns how many of the literals they use
    const modes = own.byte();
    state.tables = CODES.map((code, n) => sequenceTable(own, (modes >> (6 - 2 * n)) & 3, code, state.tables[n]));
    const bits = new BackwardBits(own.bytes(own.left));
    const states = state.tables.map((table) => fseState(table, bits));
    const value = (n) => CODES[n].bases[states[n].symbol()] + bits.read(CODES[n].bits[states[n].symbol()]);
    let used = 0;
    for (let n = 1; n <= number; n++) {
      const [offset, match, length] = [value(1), value(2), value(0)];
      if (n < number) for (const one of [0, 2, 1]) states[one].step();
      sound(bits.left >= 0 && used + length <= literals.length);
      append(literals.subarray(used, (used += length)));
      const distance = distanceOf(offset, length, state.recent);
      sound(distance <= filled && match <= sizeBytes - filled);
      for (const end = filled + match; filled < end; filled++) out[filled] = out[filled - distance];
    }
    sound(!bits.left && !(modes & 3));
    return used;
  };
  for (let last = 0; !last;) {
    const block = reader.number(3);
    const size = block >> 3;
    const type = (block >> 1) & 3;
    last = block & 1;
    sound(type < 3 && size <= 131072);
    if (type === 0) append(reader.bytes(size));
    else if (type === 1) append(new Uint8Array(size).fill(reader.byte()));
    else {
      const own = new Reader(reader.bytes(size));
      const literals = zstdLiterals(own, state);
      const first = own.byte();
      const number = first < 128 ? first : first < 255 ? ((first - 128) << 8) + own.byte() : own.number(2) + 0x7f00;
      append(literals.subarray(number && sequences(own, number, literals)));
      sound(!own.left);
    }
  }
  if (head & 4) reader.bytes(4); // a checksum, not verified: the payload's has been
  sound(filled === sizeBytes && !reader.left);
  return out;
}

// --- range coder

/** The range decoder of both profiles: decisions under a probability of "1" in 1/65536, and plain bits. */
class RangeDecoder {
  /** `end` is the offset of the stream's end, which may lie behind the bytes that have arrived. */
  constructor(source, at, end) {
    Object.assign(this, {source, at, end});
    this.state = new Uint32Array([0, 0xffffffff]); // code and range, which wrap as 32 bits do
    this.refresh();
    for (let n = 0; n < 4; n++) this.state[0] = (this.state[0] << 8) | this.#byte();
  }

  /** Takes notice of more bytes. */
  refresh() {
    this.data = this.source.data;
    this.size = Math.min(this.end, this.source.size);
  }

  /** True where it has read bytes that are still to come. */
  get starved() {
    return this.at > this.size && this.size < this.end;
  }

  #byte() {
    return this.at < this.size ? this.data[this.at++] : (this.at++, 0);
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

  /** Checks the end of a stream that began at `first`. */
  finish(first) {
    check(this.at >= this.end, `${this.end - this.at} bytes are left over in a section`);
    check(this.end === first || this.data[this.end - 1], 'a section of the range coder ends in a zero byte');
  }
}

const COARSE = 32; // contexts that are no finer ones: profile grid has 22 at most, fnet 18

/** The finer context, inside a coarse one, of frequencies with so many ones. */
const finerContext = (context, ones) => COARSE * (1 + ones) + context;

/** Integers of the range coder, each under the adaptive models of its context; where that is a finer one, those of the
 * coarse one learn as well. */
function rangedIntegers(payload, contexts) {
  const decoder = new RangeDecoder({data: payload, size: payload.length}, 0, payload.length);
  const probabilities = new Uint16Array(96 * finerContext(0, 11)).fill(32768); // 10 ones at most
  const counts = new Uint8Array(probabilities.length);
  const adapt = (model, bit) => {
    const probability = probabilities[model];
    const divisor = 2 * counts[model] + 3;
    probabilities[model] = clip(probability + Math.floor((2 * (65536 * bit - probability)) / divisor), 64, 65472);
    if (divisor < 512) counts[model] += 1;
  };
  const decision = (context, number) => {
    const coarse = 96 * (context % COARSE) + number;
    const model = 96 * context + number;
    if (model !== coarse && !counts[model]) { // needed for the first time
      probabilities[model] = probabilities[coarse];
      counts[model] = 2;
    }
    const bit = decoder.decision(probabilities[model]);
    adapt(coarse, bit);
    if (model !== coarse) adapt(model, bit);
    return bit;
  };
  const integers = Int32Array.from(contexts, (context) => {
    let bits = 0;
    while (bits < 20 && decision(context, bits)) bits += 1;
    let value = bits ? 1 : 0;
    if (bits >= 2) {
      const second = decision(context, 24 + bits);
      value = 2 + second;
      if (bits >= 3) value = 2 * value + decision(context, 48 + 2 * bits + second);
    }
    for (let n = bits - 3; n > 0; n--) value = 2 * value + decoder.plain();
    return bits && decoder.plain() ? -value : value;
  });
  decoder.finish(0);
  return integers;
}

// --- Fourier layers

/** The frequencies of a layer as lists of members: by size and then lexicographic, or as `binary` numbers. */
function frequencies(inputs, order, binary) {
  if (binary) return count(2 ** inputs, (k) => count(inputs).filter((j) => (k >> j) & 1));
  let last = [[]];
  const found = [[]];
  for (let size = 1; size <= order; size++) {
    last = last.flatMap((k) => count(inputs).filter((j) => !k.length || j > k.at(-1)).map((j) => [...k, j]));
    found.push(...last);
  }
  return found;
}

function frequencyCount(inputs, order) {
  let sum = 0;
  for (let n = 0, binomial = 1; n <= Math.min(inputs, order); binomial *= (inputs - n) / (n + 1), n++) sum += binomial;
  return sum;
}

/** A layer with `matrix`, of which row 2k is a_k and row 2k + 1 is b_k. Weights lie in blocks of four outputs. */
function fourierLayer(inputs, order, matrix, outputs, residual, binary) {
  const members = frequencies(inputs, order, binary);
  const rows = 2 * members.length;
  const weights = new Float64Array(rows * Math.ceil(outputs / 4) * 4);
  for (let n = 0; n < rows * outputs; n++) {
    const o = n % outputs;
    weights[4 * ((o >> 2) * rows + Math.floor(n / outputs)) + (o & 3)] = matrix[n];
  }
  const index = new Map(members.map((k, n) => [k.join(), n]));
  const tree = Int32Array.from(members.flatMap((k) => [4 * index.get(k.slice(0, -1).join()), 4 * (k.at(-1) ?? 0)]));
  return {inputs, outputs, residual, members, rows, weights, tree};
}

// Taylor series of sin and cos of pi r, by powers of r^2
export const SINE = [3.141592653589793, -5.16771278004997, 2.550164039877345, -0.5992645293207921, 0.08214588661112823,
  -0.007370430945714351, 0.0004663028057676126];
export const COSINE = [1, -4.934802200544679, 4.058712126416768, -1.3352627688545893, 0.2353306303588935,
  -0.02580689139001406, 0.0019295743094039231, -0.0001046381049248457];

/**
 * A network at `size` points: planes of outputs, one behind the other. `planes` are those of inputs. A network is
 * {layers, scale, linear, inputs, colours}: inputs are multiplied by `scale`; `linear`, if there is one, is a matrix
 * (inputs, colours) whose products with them are added to the outputs. Two points are computed at a time: weights
 * that are loaded once serve both.
 */
export function evaluate({layers, scale, linear, inputs, colours}, planes, size) {
  const out = new Float32Array(colours * size);
  const most = Math.max(...layers.map(({rows}) => rows));
  const x = new Float64Array(24); // both points side by side, here and below
  const y = new Float64Array(24);
  const waves = new Float64Array(48); // of each input the cosines, then the sines
  const features = new Float64Array(2 * most).fill(1, 0, 2);
  for (let at = 0; at < size; at += 2) {
    const other = Math.min(at + 1, size - 1);
    for (let j = 0; j < inputs; j++) {
      x[2 * j] = scale * planes[j * size + at];
      x[2 * j + 1] = scale * planes[j * size + other];
    }
    for (const layer of layers) {
      fourierFeatures(layer, x, waves, features);
      weightedSums(layer, features, y);
      if (layer.residual) for (let j = 0; j < 2 * layer.outputs; j++) x[j] += y[j];
      else x.set(y);
    }
    for (let c = 0; c < colours; c++) {
      let [one, two] = [x[2 * c], x[2 * c + 1]];
      for (let j = 0; linear && j < inputs; j++) {
        one += linear[j * colours + c] * planes[j * size + at];
        two += linear[j * colours + c] * planes[j * size + other];
      }
      out[c * size + other] = two;
      out[c * size + at] = one;
    }
  }
  return out;
}

/** Features of two points: cosines and sines of every frequency, each from that of a smaller frequency. */
function fourierFeatures({inputs, tree}, x, waves, features) {
  const [s0, s1, s2, s3, s4, s5, s6] = SINE;
  const [c0, c1, c2, c3, c4, c5, c6, c7] = COSINE;
  for (let n = 0; n < 2 * inputs; n++) {
    const r = x[n] - Math.floor(x[n]) - 0.5; // half a turn from x: both signs change
    const t = r * r;
    const s = r * (s0 + t * (s1 + t * (s2 + t * (s3 + t * (s4 + t * (s5 + t * s6))))));
    const c = c0 + t * (c1 + t * (c2 + t * (c3 + t * (c4 + t * (c5 + t * (c6 + t * c7))))));
    const at = n + (n & ~1);
    waves[at] = 2 * s * s - 1;
    waves[at + 2] = -2 * s * c;
  }
  for (let k = 2; k < tree.length; k += 2) {
    const p = tree[k];
    const w = tree[k + 1];
    const to = 2 * k;
    features[to] = features[p] * waves[w] - features[p + 2] * waves[w + 2];
    features[to + 1] = features[p + 1] * waves[w + 1] - features[p + 3] * waves[w + 3];
    features[to + 2] = features[p + 2] * waves[w] + features[p] * waves[w + 2];
    features[to + 3] = features[p + 3] * waves[w + 1] + features[p + 1] * waves[w + 3];
  }
}

/** Products of features and weights of a layer, four outputs at a time. */
function weightedSums({rows, outputs, weights}, features, y) {
  for (let o = 0, w = 0; o < outputs; o += 4) {
    let a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
    for (let n = 0; n < 2 * rows; n += 2, w += 4) {
      const one = features[n], two = features[n + 1];
      const p = weights[w], q = weights[w + 1], r = weights[w + 2], s = weights[w + 3];
      a += one * p, b += two * p, c += one * q, d += two * q, e += one * r, f += two * r, g += one * s, h += two * s;
    }
    const at = 2 * o;
    y[at] = a, y[at + 1] = b, y[at + 2] = c, y[at + 3] = d, y[at + 4] = e, y[at + 5] = f, y[at + 6] = g, y[at + 7] = h;
  }
}

// --- profile fnet

// the architecture fields that each trained start belongs to
const FNET_STARTS = [[8, 6], [7, 5], [8, 6, 3], [7, 5, 3], [6, 6, 3], [7, 6, 3], [9, 6, 3], [10, 6, 3]];

function fnetConfig({architecture, width, height, prior, tiles, coordinates, activation, colours}) {
  check(!tiles, 'profile fnet knows no tiles', 'unsupported');
  check(prior <= FNET_STARTS.length, `the file needs the trained start ${prior}, unknown`, 'unsupported');
  check(coordinates < 2 && activation < 2, 'unknown coordinates or activation', 'unsupported');
  const fields = architecture.length;
  const [m, depth, own] = architecture;
  const narrow = fields === 5;
  const valid = fields >= 2 && fields <= 5 && m >= 1 && m <= 10 && depth >= 1 && depth <= 16;
  const ordered = fields % 2 === 0 || (own >= 1 && own <= (narrow ? m : m - 1));
  check(valid && ordered, 'the architecture of profile fnet is invalid');
  check(!prior || `${architecture}` === `${FNET_STARTS[prior - 1]}`, 'the trained start is for another architecture');
  const cells = fields < 4 ? [1, 1] : architecture.slice(-2);
  const cellCount = cells[0] * cells[1];
  check(fields < 4 || (cellCount >= 2 && cellCount <= 1024 && !coordinates), 'the cells of profile fnet are invalid');
  const layers = fnetLayers(architecture, colours);
  const size = total(layers.map((layer) => layer.size));
  check(cellCount === 1 || cellCount * size <= 2 ** 22, 'the cells of profile fnet have too many coefficients');
  const overlap = (cells[0] > 1 ? 2 : 1) * (cells[1] > 1 ? 2 : 1); // cells with a weight at a pixel, at most
  const steps = total(layers.map(({outputs}) => outputs)) * (narrow ? cellCount : 1);
  return {layers, cells, narrow, cellCount, size, steps, work: overlap * width * height * size, memory: 0};
}

function fnetLayers([m, depth, ...more], colours) {
  const order = more.length % 2 && more[0] < m ? more[0] : Math.max(m, 2);
  return count(depth + 1, (n) => {
    const inputs = n ? m : 2;
    const outputs = n < depth ? m : colours;
    return {inputs, outputs, order, residual: n > 0 && n < depth, size: 2 * outputs * frequencyCount(inputs, order)};
  });
}

/** The bytes of the trained start of an architecture. */
const fnetStartBytes = (architecture) => 2 * total(fnetLayers(architecture, 3).map(({size}) => size));

/** The integers of section `network`: {stepIndices, symbols}. Those of a file with a trained start are not checked yet:
 * `aroundStart` does it. */
function fnetIntegers({payload, header, config, own}) {
  const {layers, cellCount, steps} = config;
  const data = payload(0, 'network', [ZSTD, RANGE]);
  const ofCell = layers.flatMap(({inputs, outputs, order}, n) => (
    frequencies(inputs, order, order >= inputs).flatMap(({length: ones}) => (
      Array(2 * outputs).fill(finerContext(n + 1, ones))))));
  const contexts = [Array(steps).fill(0), ...count(cellCount, () => ofCell)].flat();
  const integers = (own[0].coder === RANGE ? rangedIntegers : packedIntegers)(data, contexts);
  let index = 0;
  const stepIndices = Uint8Array.from(integers.subarray(0, steps), (difference) => {
    index += difference;
    check(index >= 0 && index <= 255, 'a step index is not 0 to 255');
    return index;
  });
  const symbols = integers.subarray(steps);
  if (!header.prior) checkSymbols(config, stepIndices, symbols);
  return {stepIndices, symbols};
}

function checkSymbols(config, stepIndices, symbols) {
  const {layers, cellCount, size} = config;
  check(symbols.every((q) => Math.abs(q) < 2 ** 20), 'a coefficient has more than 20 bits');
  const bounded = count(cellCount, (n) => (
    isBounded(layers, stepsOfCell(config, stepIndices, n), symbols.subarray(n * size, (n + 1) * size))));
  check(bounded.every(Boolean), 'the coefficients of a hidden state or sample sum up to too much');
}

/** The step indices of a cell: narrow ones have their own. */
function stepsOfCell({narrow, steps, cellCount}, stepIndices, cell) {
  const own = steps / cellCount;
  return narrow ? stepIndices.subarray(cell * own, (cell + 1) * own) : stepIndices;
}

/** Integers that are the differences from a trained start, a DataView, as those that they stand for. */
function aroundStart({config, header: {colours}, integers: {stepIndices, symbols}}, start) {
  check(symbols.every((q) => Math.abs(q) < 2 ** 20), 'a coefficient has more than 20 bits');
  let [at, from, output] = [0, 0, 0];
  const sums = Float64Array.from(symbols);
  const next = () => start.getInt16(2 * from++, true);
  config.layers.forEach(({outputs, size}, l) => {
    const grey = l === config.layers.length - 1 && colours === 1;
    for (let n = 0; n < size; n++) {
      const integer = grey ? Math.floor((next() + next() + next()) / 3) : next();
      sums[at++] += Math.floor(integer / 8192 / stepOf(stepIndices[output + (n % outputs)]) + 0.5);
    }
    output += outputs;
  });
  checkSymbols(config, stepIndices, sums);
  return {stepIndices, symbols: Int32Array.from(sums)};
}

/** Whether all sums of sizes of coefficients are at most 2^10, exactly: see "Bound" in FORMAT.md. */
function isBounded(layers, stepIndices, symbols) {
  const unit = 2 ** 60; // steps are whole multiples of its inverse
  const steps = Array.from(stepIndices, (index) => BigInt(stepOf(index) * unit));
  let [at, output, sums] = [0, 0, []];
  return layers.every(({outputs, residual, size}) => {
    const sizes = Array(outputs).fill(0);
    for (let n = 0; n < size; n++) sizes[n % outputs] += Math.abs(symbols[at++]);
    sums = sizes.map((own, o) => steps[output++] * BigInt(own) + (residual ? sums[o] : 0n));
    return sums.every((sum) => sum <= 1024n * BigInt(unit));
  });
}

/** Integers under zstd: zigzag-coded, all lowest bytes first. */
function packedIntegers(payload, contexts) {
  const planes = payload[0];
  const size = contexts.length;
  check(planes >= 1 && planes <= 3, "section 'network' has 1 to 3 bytes for each integer");
  const plain = unzstd(payload.subarray(1), planes * size);
  return Int32Array.from(contexts, (_, n) => {
    const zigzag = total(count(planes, (plane) => plain[n + plane * size] << (8 * plane)));
    return zigzag & 1 ? -((zigzag + 1) >> 1) : zigzag >> 1;
  });
}

const STEPS = [1, 0.917004048, 0.840896428, 0.771105409, 0.707106769, 0.648419797, 0.594603539, 0.545253873];

const stepOf = (index) => Math.fround(STEPS[index % 8]) * 2 ** -(index >> 3);

/** The network of each cell. */
function fnetNetworks({config, integers: {stepIndices, symbols}, header: {colours}}) {
  let at = 0;
  return count(config.cellCount, (cell) => {
    const indices = stepsOfCell(config, stepIndices, cell);
    let output = 0;
    const layers = config.layers.map(({inputs, outputs, order, residual, size}) => {
      const steps = Array.from(indices.subarray(output, (output += outputs)), stepOf);
      const matrix = Array.from(symbols.subarray(at, (at += size)), (q, n) => Math.fround(q * steps[n % outputs]));
      return fourierLayer(inputs, order, matrix, outputs, residual, order >= inputs);
    });
    return {layers, scale: 1, linear: null, inputs: 2, colours};
  });
}

/** Along an axis, what each cell adds to points at rising `places` in pixels, for those that add anything. Only cells
 * near the points are looked at, so that the time for many cells is in proportion to the points. */
function alongCells(places, side, {cells, narrow}) {
  const reach = narrow ? 0.6 : 1.1; // of a cell from its centre, in cells, and a little more
  const clamped = (cell) => Math.min(Math.max(cell, 0), cells - 1);
  const first = clamped(Math.floor((places[0] * cells) / side - 0.5 - reach));
  const last = clamped(Math.ceil((places.at(-1) * cells) / side - 0.5 + reach));
  return count(last - first + 1, (n) => alongCell(places, side, {cells, narrow}, first + n));
}

/** Along an axis, for points at `places` in pixels: those to which a cell adds, from `first` on, its network's inputs
 * there (before they are divided by the period), and its weights. See "Cells" in FORMAT.md. */
function alongCell(places, side, {cells, narrow}, cell) {
  const weights = places.map((place) => {
    const t = (place * cells) / side - cell - 0.5;
    const distance = narrow ? Math.max(8 * Math.abs(t) - 3.5, 0) : Math.abs(t);
    const u = (t < 0 ? cell === 0 : cell === cells - 1) ? 0 : Math.min(distance, 1);
    return 1 - u * u * (3 - 2 * u);
  });
  const first = weights.findIndex((weight) => weight > 0);
  const end = weights.findLastIndex((weight) => weight > 0) + 1;
  if (first < 0) return {cell, first: 0, inputs: [], weights: []};
  const inputs = places.slice(first, end).map((place) => place - (cell * side) / cells);
  return {cell, first, inputs, weights: weights.slice(first, end)};
}

/** Adds a cell to planes (colours, points of a window). */
function addCell(planes, network, {down, across, period, columns}, compute) {
  const wide = across.inputs.length;
  const size = down.inputs.length * wide;
  if (!size) return;
  const inputs = new Float32Array(2 * size);
  for (let n = 0; n < size; n++) {
    inputs[n] = across.inputs[n % wide] / period;
    inputs[size + n] = down.inputs[Math.floor(n / wide)] / period;
  }
  const values = compute(network, inputs, size);
  const whole = planes.length / network.colours;
  for (let c = 0, n = 0; c < network.colours; c++) {
    for (let row = 0; row < down.inputs.length; row++) {
      let to = c * whole + (down.first + row) * columns + across.first;
      for (let column = 0; column < wide; column++) {
        planes[to++] += down.weights[row] * across.weights[column] * values[n++];
      }
    }
  }
}

/** Draws the points of a canvas, part by part; coarser points first where they are shown. Returns the canvas. */
function* drawFnet(file, canvas, {compute, onPart}) {
  const {header: {width, height, coordinates, colours}, config: {cells: [down, across], narrow}} = file;
  const period = coordinates ? 32 : 2 * Math.max(height / down, width / across);
  const networks = fnetNetworks(file);
  const coarse = onPart ? [new Canvas(file, latticeOf(canvas, 8))] : [];
  for (const own of [...coarse, canvas]) {
    const places = (number, first, start) => (
      count(number, (n) => start + (first + n + 0.5) * own.step - coordinates / 2));
    for (const window of parts(own, 16)) {
      const {top, left, rows, columns} = window;
      const planes = new Float32Array(colours * rows * columns);
      const rowPlaces = places(rows, top, own.top);
      const columnPlaces = places(columns, left, own.left);
      const acrossCells = alongCells(columnPlaces, width, {cells: across, narrow});
      for (const row of alongCells(rowPlaces, height, {cells: down, narrow})) {
        for (const column of acrossCells) {
          const network = networks[row.cell * across + column.cell];
          addCell(planes, network, {down: row, across: column, period, columns}, compute);
        }
      }
      own.put(planes, window);
      onPart?.(own.part(window));
      yield;
    }
  }
  return canvas;
}

/** The windows of a canvas or tile that are drawn at a time: what they need fits a processor's cache. */
function parts({rows, columns}, most = 128) {
  return count(Math.ceil(rows / most), (n) => n * most).flatMap((top) => (
    count(Math.ceil(columns / 512), (n) => n * 512).map((left) => (
      {top, left, rows: Math.min(most, rows - top), columns: Math.min(512, columns - left)}))));
}

// --- profile grid: weights

const OWN_TAPS = 23;
const TAPS = 28;
const HIDDEN = 16; // units of the entropy model at most; what a file does not have is 0 here
const WIDE = HIDDEN + 2; // sums of its first layer: hidden units, mean, scale
const FEATURED = 3; // levels with inter-level features
const START_SIZE = 3124; // integers of a trained start
const GRID_STARTS = 5;
const MAX_INTEGER = 32767;
const MAX_HIDDEN = 2 ** 24; // a value of a hidden unit

const mapRows = (levels) => count(Math.min(FEATURED, levels), (level) => Math.min(8, levels - level));

function gridConfig(header) {
  const {architecture, width, height, colours, prior} = header;
  const [levels, order, hidden, phase, smooth] = architecture;
  check(!header.coordinates && !header.activation, 'profile grid uses neither coordinates nor an activation');
  const size = architecture.length;
  const valid = (size === 4 || (size === 5 && smooth === 1)) && levels >= 1 && levels <= 9 && order <= 3;
  check(valid && hidden >= 1 && hidden <= HIDDEN && phase <= 63, 'the architecture of profile grid is invalid');
  const config = {levels, order, hidden, phase, smooth, colours, prior, tiles: tilesOf(header)};
  const groups = weightGroups(config);
  const sizes = config.tiles.flatMap((tile) => tile.sizes);
  const latents = total(sizes.map(({rows, columns}) => rows * columns));
  const work = latents * (TAPS * WIDE + HIDDEN * (HIDDEN + 3)) + width * height * (groups.length - groups.indexOf(6));
  return {...config, groups, work, memory: total(sizes.map(paddedSize))};
}

/** Places of the tiles, and the sizes of their levels; a picture without tiles is one. */
function tilesOf({width, height, tiles, architecture: [levels]}) {
  const side = 64 * tiles || Math.max(width, height);
  const across = Math.ceil(width / side);
  const number = across * Math.ceil(height / side);
  check(number <= 1024, `${number} tiles are more than 1024`);
  return count(number, (n) => {
    const [top, left] = [side * Math.floor(n / across), side * (n % across)];
    const [rows, columns] = [Math.min(side, height - top), Math.min(side, width - left)];
    const even = (pixels, level) => 2 * Math.ceil(Math.ceil(pixels / 2 ** level) / 2);
    const sizes = count(levels, (level) => ({rows: even(rows, level), columns: even(columns, level)}));
    return {top, left, rows, columns, sizes};
  });
}

/** The streams of the tiles' latents, {at, end}. */
function tileStreams({payload, own, header, config: {tiles}, cut}) {
  const reader = new Reader(payload(1, 'latents', [RANGE], true));
  const lengths = header.tiles ? tiles.map(() => reader.varint()) : [own[1].end - own[1].at];
  let {end} = own[1];
  end -= total(lengths);
  check(end === own[1].at + reader.at, "the tiles' lengths are not those of section 'latents'");
  return lengths.map((length) => ({at: end, end: (end += length)}));
}

/** The group of each weight, in the order of the file. */
function weightGroups({levels, order, hidden, colours, smooth}) {
  const groups = [];
  const put = (size, ...own) => {
    for (let n = 0; n < size; n++) groups.push(...own);
  };
  const rows = 2 * frequencyCount(levels, order) - 1;
  for (let pass = 0; pass < 4; pass++) {
    put(OWN_TAPS * hidden, 0);
    put((hidden + 1) * hidden, 1);
    put(hidden + OWN_TAPS, 2, 3);
  }
  put(6 * total(mapRows(levels)), 4);
  put(6 * (hidden + 2), 5);
  put(rows * levels, 6);
  put(colours, 8);
  put((rows - 1) * colours, 7);
  for (let level = 0; level < levels; level++) put(colours, 11 + level);
  put(4 * (levels - 1), 9);
  put(9 * colours * colours, 10);
  if (smooth) put(4 * levels, 11 + levels);
  return groups;
}

/** The integers of section `networks`: {exponents, symbols}. */
function gridIntegers({payload, config: {groups, levels, smooth}}) {
  const size = 11 + levels + (smooth ? 1 : 0);
  const contexts = [...Array(size).fill(0), ...groups.map((group) => group + 1)];
  const integers = rangedIntegers(payload(0, 'networks', [RANGE]), contexts);
  const [exponents, symbols] = [integers.subarray(0, size), integers.subarray(size)];
  check(exponents.every((e) => e >= 0 && e <= 20), 'an exponent of the networks is not 0 to 20');
  check(symbols.every((q) => Math.abs(q) <= MAX_INTEGER), 'a weight has more than 15 bits');
  return {exponents, symbols};
}

/** The parts of a trained start that a file with so many hidden units and levels has, in the file's order. */
function trainedStart(start, {hidden, levels}) {
  const found = [];
  let at = 0;
  const take = (rows, columns, wanted) => {
    for (let n = 0; n < rows * columns; n++, at++) {
      if (wanted(Math.floor(n / columns), n % columns)) found.push(start.getInt16(2 * at, true));
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
function entropyIntegers({config, integers: {exponents, symbols}}, start, kernel) {
  const {groups} = config;
  const shifts = Array.from(exponents.subarray(0, 6), (e) => (start ? Math.max(e, 10) : e));
  const base = start && trainedStart(start, config);
  const units = Float64Array.from(symbols.subarray(0, groups.indexOf(6)), (q, n) => {
    const e = shifts[groups[n]];
    return q * 2 ** (e - exponents[groups[n]]) + (base ? base[n] * 2 ** (e - 10) : 0);
  });
  check(units.every((unit) => Math.abs(unit) <= MAX_INTEGER), 'an integer of the entropy model has more than 15 bits');
  return {units, shifts, kernel};
}

/** The weights of synthesis and filters, in float32. */
function pictureWeights({config: {groups, levels, order, colours, phase, smooth}, integers: {exponents, symbols}}) {
  let at = groups.indexOf(6);
  const next = (size, base = [0]) => Float64Array.from({length: size}, (_, n) => {
    const weight = symbols[at] * 2 ** -exponents[groups[at++]];
    return Math.fround(base[n % base.length] + weight);
  });
  const rows = 2 * frequencyCount(levels, order) - 1;
  const layer = (outputs, residual) => { // b of the constant is not stored
    const stored = [...next(rows * outputs)];
    stored.splice(outputs, 0, ...Array(outputs).fill(0));
    return fourierLayer(levels, order, stored, outputs, residual);
  };
  const layers = [layer(levels, true), layer(colours, false)];
  const scale = Math.fround(2 ** (-phase / 4));
  const network = {layers, scale, linear: next(levels * colours), inputs: levels, colours};
  const filters = next(4 * (levels - 1), [-3 / 128, 29 / 128, 111 / 128, -9 / 128]);
  const kernel = next(9 * colours * colours);
  const smoothing = smooth && next(4 * levels, [0, 0, 0, 1]);
  // Filters must not amplify latents beyond what float32 holds.
  const sizes = (taps, n) => taps.subarray(4 * n, 4 * n + 4).map(Math.abs);
  let gain = 1;
  for (let n = 0; n < levels - 1; n++) gain *= Math.max(1, total(sizes(filters, n)));
  const most = smooth ? count(levels, (n) => 2 * total(sizes(smoothing, n)) - sizes(smoothing, n)[3]) : [];
  check((gain * Math.max(1, ...most)) ** 2 <= 2 ** 48, 'the filters amplify too much');
  return {network, filters, kernel, smoothing};
}

// --- profile grid: adaptive maps

const KNOTS = [22, 94, 401, 1682, 6645, 21351, 44185, 58891, 63854, 65135, 65442, 65514];
const RATES = Int32Array.from({length: 117}, (_, seen) => Math.floor(65536 / (12 + seen)));
const SURE = 320; // the place from which on decision 1 has one map

/** The numbers of the first contexts of each map: of decision 1 both, of decision 2 one, of decision 4 both. */
const MAPS = {same: 0, beside: 36, above: 576, more: 628, moreByScale: 664, size: 764};

/** Where a probability lies between the knots: 32 i + t. */
function placeOf(probability) {
  const inside = clip(probability, KNOTS[0], KNOTS.at(-1) - 1);
  const i = KNOTS.findLastIndex((knot) => knot <= inside);
  return 32 * i + Math.floor((32 * (inside - KNOTS[i])) / (KNOTS[i + 1] - KNOTS[i]));
}

/** A range decoder with adaptive maps, which correct the probabilities of decisions. It does not call `clip`, which
 * would take a tenth of its time. */
class MappingDecoder extends RangeDecoder {
  constructor(source, at, end) {
    super(source, at, end);
    this.points = Int32Array.from({length: 12 * MAPS.size}, (_, n) => 8192 * KNOTS[n % 12]); // 128 V + T
    this.kept = {points: this.points.slice(), state: this.state.slice(), at: this.at};
  }

  /** Keeps what it has come to, for `goBack`. */
  keep() {
    if (this.size === this.end) return; // all bytes are there: it takes no time then
    this.kept.points.set(this.points);
    this.kept.state.set(this.state);
    this.kept.at = this.at;
  }

  /** Returns to what was kept, with bytes that have come since. */
  goBack() {
    this.points.set(this.kept.points);
    this.state.set(this.kept.state);
    this.at = this.kept.at;
    this.refresh();
  }

  /** A decision under the probability that a map says at a place. */
  mapped(context, place) {
    const said = this.#says(context, place);
    const bit = this.decision(Math.min(Math.max(said >> 11, 4), 65532));
    this.#move(context, place, said, bit);
    return bit;
  }

  /** A decision under the mean of what two maps say. */
  mappedByTwo(context, other, place) {
    const said = this.#says(context, place);
    const otherSaid = this.#says(other, place);
    const bit = this.decision(Math.min(Math.max((said + otherSaid) >> 12, 4), 65532));
    this.#move(context, place, said, bit);
    this.#move(other, place, otherSaid, bit);
    return bit;
  }

  /** A, what a map says at a place, in units of 2^-27. */
  #says(context, place) {
    const at = 12 * context + (place >> 5);
    const t = place & 31;
    return (32 - t) * (this.points[at] >> 7) + t * (this.points[at + 1] >> 7);
  }

  /** Moves the two points beside a place, where the map had said so, towards what was decided. */
  #move(context, place, said, bit) {
    const {points} = this;
    const at = 12 * context + (place >> 5);
    const t = place & 31;
    const here = points[at];
    const there = points[at + 1];
    const seen = here & 127;
    const error = ((bit << 22) - (said >> 5)) * RATES[seen]; // up to 35 bits; its products below, 40
    const moved = (here >> 7) + (Math.floor(((32 - t) * error) / 2097152) | 0);
    const otherMoved = (there >> 7) + (Math.floor((t * error) / 2097152) | 0);
    points[at] = (Math.min(Math.max(moved, 0), 0x3fffff) << 7) + Math.min(seen + 1, 116);
    points[at + 1] = (Math.min(Math.max(otherMoved, 0), 0x3fffff) << 7) + (there & 127);
  }
}

// --- profile grid: latents

const square = (reach) => count((2 * reach + 1) ** 2, (n) => (
  [Math.floor(n / (2 * reach + 1)) - reach, (n % (2 * reach + 1)) - reach]));
const around = (...places) => places.flatMap(([a, b]) => [[-a, -b], [-a, b], [a, -b], [a, b]]);
const SIDES = [[0, -1], [0, 1], [-1, 0], [1, 0]];
const CORNERS = around([1, 1]);
const KNIGHTS = around([2, 1], [1, 2]);
const LANCES = around([3, 1], [1, 3]);

/** Of each pass: the place of its latents in a cell, and offsets (down, right) of parents and of own taps. */
const PASSES = [
  {row: 0, column: 0, parents: square(2).filter(([down, right]) => Math.abs(down * right) < 4), own: []},
  {row: 1, column: 1, parents: square(1), own: [...CORNERS, ...LANCES]},
  {row: 0, column: 1, parents: square(1), own: [...SIDES, ...KNIGHTS]},
  {row: 1, column: 0, parents: [[0, 0], [-1, 0], [1, 0], [0, -1], [0, 1]], own: [...SIDES, ...CORNERS, ...KNIGHTS]},
];
const MARGIN = 3; // rows and columns of zeros around a level, which taps beyond its edges read

const paddedSize = ({rows, columns}) => (rows + 2 * MARGIN) * (columns + 2 * MARGIN);

/** A plane of integers with its margin. With `source`, the first rows and columns of that plane. */
class Plane {
  constructor(rows, columns, source, data) {
    Object.assign(this, {rows, columns, stride: columns + 2 * MARGIN});
    this.origin = MARGIN * this.stride + MARGIN; // where sample (0, 0) lies
    this.data = data ?? allocate(Int16Array, paddedSize(this));
    for (let row = 0; source && row < rows; row++) this.data.set(source.row(row, 0, columns), this.at(row, 0));
  }

  at(row, column) {
    return this.origin + row * this.stride + column;
  }

  row(row, from, to) {
    return this.data.subarray(this.at(row, from), this.at(row, to));
  }
}

/** Where the parts of an entropy model lie, in doubles: sums of the taps that a block of cells has in common; W1 and
 * W3's rows of taps side by side; W2 and, as its last row, b2; W3's rows of hidden units; then in pairs the factors of
 * both layers, the bounds of hidden values, the factors and summands of mean and scale, and their bounds. */
export const MODEL = {taps: WIDE, second: 29 * WIDE, last: 46 * WIDE, constants: 46 * WIDE + 32, size: 46 * WIDE + 48};

/** The entropy model in use, with its inputs and outputs: `share` puts sums of the first so many values into
 * `to[at ...]`, `predict` mean and scale into `out`. fast.js has another, which also knows whole rows. */
const plainKernel = () => ({
  model: new Float64Array(MODEL.size), values: new Float64Array(48), places: new Int32Array(48),
  out: new Float64Array(2), share,
  predict(size) {
    predict(this.values, this.places, size, this.model, this.out);
  },
});

export function share({model, values, places}, size, to, at) {
  addRows(model, MODEL.taps, values, places, size, model, MODEL.taps, to, at);
}

/** out = first, from `from` on, and values times the rows of `weights` that begin places behind `base`: WIDE sums,
 * which begin at `to`. */
function addRows(first, from, values, places, size, weights, base, out, to) {
  for (let j = 0; j < WIDE; j += 6) {
    const i = from + j;
    const o = to + j;
    let a = first[i], b = first[i + 1], c = first[i + 2], d = first[i + 3], e = first[i + 4], f = first[i + 5];
    for (let n = 0; n < size; n++) {
      const v = values[n], w = base + places[n] + j;
      a += v * weights[w], b += v * weights[w + 1], c += v * weights[w + 2];
      d += v * weights[w + 3], e += v * weights[w + 4], f += v * weights[w + 5];
    }
    out[o] = a, out[o + 1] = b, out[o + 2] = c, out[o + 3] = d, out[o + 4] = e, out[o + 5] = f;
  }
}

const sums = new Float64Array(WIDE);
const hidden = {values: new Float64Array(HIDDEN), places: new Int32Array(HIDDEN)};

/** Mean and scale of a latent, into `out`, from values of taps at places; `model` as in MODEL. */
function predict(values, places, size, model, out) {
  addRows(model, 0, values, places, size, model, MODEL.taps, sums, 0);
  let [m, s] = [sums[HIDDEN], sums[HIDDEN + 1]];
  let active = 0;
  for (let j = 0; j < HIDDEN; j++) {
    const value = Math.floor(sums[j] * model[MODEL.constants]);
    hidden.values[active] = value < MAX_HIDDEN ? value : MAX_HIDDEN;
    hidden.places[active] = WIDE * j;
    active += value > 0 ? 1 : 0; // without a branch, which would often be mispredicted
  }
  addRows(model, MODEL.second + HIDDEN * WIDE, hidden.values, hidden.places, active, model, MODEL.second, sums, 0);
  for (let j = 0; j < HIDDEN; j++) {
    const value = clip(Math.floor(sums[j] * model[MODEL.constants + 2]), 0, MAX_HIDDEN);
    m += value * model[MODEL.last + 2 * j];
    s += value * model[MODEL.last + 2 * j + 1];
  }
  const at = MODEL.constants + 8;
  out[0] = clip(Math.floor(m * model[at] + model[at + 2]), model[at + 4], model[at + 6]);
  out[1] = clip(Math.floor(s * model[at + 1] + model[at + 3]), model[at + 5], model[at + 7]);
}

/** The entropy model of one level and pass, for the latents of a tile. One is in use at a time. */
class Predictor {
  /** `planes`: levels of the tile, finest first, of which coarser ones are used; `own` and `parent`: that of the level,
   * and what it sees of the next. */
  constructor({units, shifts, kernel}, {hidden: number, levels}, level, pass, planes, own, parent) {
    Object.assign(this, {...kernel, own, parent, cells: own.data === kernel.own && kernel.cells});
    const {parents, own: ownTaps, row, column} = PASSES[pass];
    const {model} = this;
    const size = number * number + 26 * number + 46;
    const weights = units.subarray(pass * size, (pass + 1) * size);
    const second = OWN_TAPS * number;
    const last = second + number * number + number;
    model.fill(0);
    for (let j = 0; j < number; j++) {
      for (let t = 0; t < OWN_TAPS; t++) model[MODEL.taps + t * WIDE + j] = weights[t * number + j];
      for (let k = 0; k < number; k++) model[MODEL.second + k * WIDE + j] = weights[second + k * number + j];
      model[MODEL.second + HIDDEN * WIDE + j] = 256 * weights[second + number * number + j];
    }
    model.set(weights.subarray(last, last + 2 * number), MODEL.last);
    const taps = model.subarray(MODEL.taps, MODEL.second);
    for (let t = 0; t < OWN_TAPS; t++) {
      const from = last + 2 * (number + t);
      taps.set(weights.subarray(from, from + 2), t * WIDE + HIDDEN);
    }
    if (level < FEATURED) this.#addFeatures(taps, units, shifts, number, mapRows(levels), level, parents, 4 * size);
    for (let n = 0; n < taps.length; n++) if (n % WIDE >= HIDDEN) taps[n] *= 256; // the units of hidden values
    const [outer, inner, mean, scale] = [8 - shifts[0], -shifts[1], -2 - shifts[2], -5 - shifts[3]].map((e) => 2 ** e);
    const bounds = [0, 0, MAX_HIDDEN, MAX_HIDDEN, mean, scale, 0.5, 32.5, -64 * MAX_INTEGER, 0, 64 * MAX_INTEGER, 96];
    model.set([outer, outer, inner, inner, ...bounds], MODEL.constants);
    this.parentOffsets = Int32Array.from(parents, ([down, right]) => down * parent.stride + right);
    this.ownOffsets = Int32Array.from(ownTaps, ([down, right]) => (down + row) * own.stride + right + column);
    if (this.cells) kernel.taps(this.parentOffsets, this.ownOffsets);
    this.ancestors = []; // {plane, place of the tap's weights, shift of block coordinates}
    for (let k = 2; k < (level < FEATURED ? 8 : 3) && planes[level + k]; k++) {
      const tap = k === 2 ? 1 + parents.length : 20 + k;
      this.ancestors.push({plane: planes[level + k], place: WIDE * tap, shift: k - 2});
    }
  }

  /** Adds the products of maps and mixing. All are below 2^53, where doubles are exact. */
  #addFeatures(taps, units, shifts, hidden, rows, level, parents, first) {
    const maps = first + 6 * total(rows.slice(0, level));
    const mixing = first + 6 * total(rows);
    const centre = 1 + parents.findIndex(([down, right]) => !down && !right);
    for (let n = 0; n < rows[level] * (hidden + 2); n++) {
      const [k, column] = [Math.floor(n / (hidden + 2)), n % (hidden + 2)];
      const sum = total(count(6, (i) => units[maps + 6 * k + i] * units[mixing + i * (hidden + 2) + column]));
      const bits = shifts[column < hidden ? 0 : 2 + column - hidden] - shifts[4] - shifts[5];
      const difference = bits >= 0 ? sum * 2 ** bits : Math.floor(sum * 2 ** bits + 0.5);
      const tap = [0, centre, 1 + parents.length][k] ?? 20 + k;
      const at = tap * WIDE + (column < hidden ? column : HIDDEN + column - hidden);
      taps[at] = clip(taps[at] + difference, -MAX_INTEGER, MAX_INTEGER);
    }
  }

  /** Means and scales of cells of the rows `row`, an even one, and row + 1, into two arrays of means, then scales. Two
   * rows and two columns of cells have the taps of ancestors in common. */
  predictRows(row, found) {
    if (this.cells) return this.#predictInKernel(row);
    const {parent: {data: parents, rows, columns, stride}, own: {data: own, stride: ownStride}} = this;
    const {parentOffsets, ownOffsets, values, places, out} = this;
    const first = WIDE * (2 + parentOffsets.length);
    const last = Math.min(row + 2, rows);
    const [even, odd] = found;
    for (let left = 0; left < columns; left += 2) {
      this.#shareAncestors(row >> 1, left >> 1);
      let mean = 0;
      let scale = -1; // not known yet, where all other taps are 0
      const right = Math.min(left + 2, columns);
      for (let r = row; r < last; r++) {
        const to = r === row ? even : odd;
        for (let column = left; column < right; column++) {
          let size = 0;
          let place = this.parent.origin + r * stride + column;
          for (let n = 0; n < parentOffsets.length; n++) {
            const value = parents[place + parentOffsets[n]];
            values[size] = value;
            places[size] = WIDE * (n + 1);
            size += value === 0 ? 0 : 1; // without a branch, which would often be mispredicted
          }
          place = this.own.origin + 2 * (r * ownStride + column);
          for (let n = 0; n < ownOffsets.length; n++) {
            const value = own[place + ownOffsets[n]];
            values[size] = value;
            places[size] = first + WIDE * n;
            size += value === 0 ? 0 : 1;
          }
          if (size || scale < 0) this.predict(size);
          if (!size && scale < 0) [mean, scale] = out;
          to[column] = size ? out[0] : mean;
          to[column + columns] = size ? out[1] : scale;
        }
      }
    }
  }

  /** Means of a whole pass. */
  means() {
    const {rows, columns} = this.parent;
    const means = new Float32Array(rows * columns);
    const found = [0, 1].map(() => new Int32Array(2 * columns));
    for (let n = 0; n < means.length; n++) {
      if (n % (2 * columns) === 0) this.predictRows(n / columns, found);
      means[n] = found[Math.floor(n / columns) & 1][n % columns] / 64;
    }
    return means;
  }

  /** Means of a first pass of which only `seen` is known: of coarser levels, next one first, the latents at places. All
   * parents are taken to be like the one at the place. */
  guesses(seen) {
    const {model, values, places, out, parentOffsets: {length}} = this;
    const taps = model.subarray(MODEL.taps, MODEL.second);
    model.set(taps.subarray(0, WIDE)); // the constant
    for (let n = 2 * WIDE; n < (length + 1) * WIDE; n++) taps[WIDE + (n % WIDE)] += taps[n];
    for (let k = 0; k < 7; k++) places[k] = WIDE * ([1, 1 + length][k] ?? 21 + k);
    return Float32Array.from(seen[0], (_, n) => {
      for (let k = 0; k < seen.length; k++) values[k] = seen[k][n];
      this.predict(seen.length);
      return out[0] / 64;
    });
  }

  #predictInKernel(row) {
    const {parent, own} = this;
    for (let column = 0; column < parent.columns; column += 2) {
      this.#shareAncestors(row >> 1, column >> 1, this.sums, (column / 2) * WIDE);
    }
    for (let r = row; r < Math.min(row + 2, parent.rows); r++) this.cells(parent.at(r, 0), own.at(2 * r, 0), r - row);
  }

  #shareAncestors(row, column, to = this.model, at = 0) {
    const {ancestors, values, places} = this;
    let size = 0;
    for (const {plane, place, shift} of ancestors) {
      values[size] = plane.data[plane.at(row >> shift, column >> shift)];
      places[size++] = place;
    }
    this.share(this, size, to, at);
  }
}

let laplaceTables = null;

/** Probabilities of a latent's decisions by scale S, and for the first two by the mean's fraction f; of those that maps
 * correct the places. */
function makeTables() {
  const integer = (p) => clip(Math.round(65536 * p), 4, 65532);
  const [same, above] = [new Uint16Array(97 * 64), new Uint16Array(97 * 64)];
  const [low, more, bits] = [new Uint16Array(97 * 8), new Uint16Array(97), new Uint8Array(97)];
  for (let s = 0; s < 97; s++) {
    const b = 2 ** (s / 8 - 4);
    bits[s] = Math.max(0, (s >> 3) - 4);
    more[s] = integer(Math.exp(-(2 ** bits[s]) / b));
    for (let f = 0; f < 64; f++) {
      const m = (f - 32) / 64;
      const below = Math.exp(-(0.5 + m) / b) / 2;
      const over = Math.exp(-(0.5 - m) / b) / 2;
      same[64 * s + f] = integer(1 - below - over);
      above[64 * s + f] = integer(over / (over + below));
    }
    for (let j = 0; j < bits[s]; j++) {
      const ratio = Math.exp(-(2 ** j) / b);
      low[8 * s + j] = integer(ratio / (1 + ratio));
    }
  }
  const [samePlaces, abovePlaces, morePlaces] = [same, above, more].map((numbers) => numbers.map(placeOf));
  return {same, low, bits, samePlaces, abovePlaces, morePlaces};
}

/** Decodes the latents of a pass row by row. Of the last three rows it remembers the surprises of latents and the signs
 * of their differences from the rounded means, with two zeros on both sides. */
class PassDecoder {
  constructor(decoder, plane, level, pass) {
    laplaceTables ??= makeTables();
    Object.assign(this, {decoder, plane, level, pass, columns: plane.columns / 2});
    [this.surprises, this.signs] = count(2, () => count(3, () => new Int32Array(this.columns + 4)));
  }

  /** Decodes row r, under these means and scales. Nothing that it leaves here hinders decoding the row again. */
  decodeRow(r, found) {
    const {decoder, plane, level, pass, columns} = this;
    const {same, samePlaces} = laplaceTables;
    const [own, above, twoAbove] = this.surprises.map((_, n, rows) => rows[(r + 3 - n) % 3]);
    const [signs, signsAbove] = this.signs.map((_, n, rows) => rows[(r + 3 - n) % 3]);
    const map = MAPS.same + 4 * level + pass;
    let largest = 0;
    let at = plane.at(2 * r + PASSES[pass].row, PASSES[pass].column);
    for (let n = 0; n < columns; n++, at += 2) {
      const mean = found[n] + 32;
      const scale = found[n + columns];
      const entry = 64 * scale + (mean & 63);
      const place = samePlaces[entry];
      let value = mean >> 6;
      const isSame = place < SURE ? decoder.mappedByTwo(map, this.#beside(n, at, own, above, twoAbove), place)
        : decoder.mapped(map, place);
      own[n + 2] = (same[entry] - 65536 * isSame) >> 6;
      signs[n + 2] = 0;
      if (!isSame) {
        const difference = this.#difference(scale, entry, n, signs, signsAbove);
        signs[n + 2] = Math.sign(difference);
        value += difference;
        largest = Math.max(largest, Math.abs(value));
      }
      plane.data[at] = value;
    }
    check(largest <= MAX_INTEGER || decoder.starved, 'a latent has more than 15 bits');
  }

  /** The context of the second map of decision 1, from the surprises and the sizes of latents beside and above. */
  #beside(n, at, own, above, twoAbove) {
    const {plane: {data, stride}, level} = this;
    const up = at - 2 * stride;
    const sum = 2 * (own[n + 1] + above[n + 2]) + above[n + 1] + above[n + 3] + own[n] + twoAbove[n + 2]
      + above[n] + above[n + 4];
    const size = Math.min(Math.abs(data[at - 2]), 3) + Math.min(Math.abs(data[up]), 3)
      + Math.min(Math.abs(data[up - 2]), 1) + Math.min(Math.abs(data[up + 2]), 1);
    return MAPS.beside + 3 * (9 * clip((sum >> 10) + 7, 0, 19) + size) + Math.min(level, 2);
  }

  /** A latent's difference from the rounded mean, whose decision "not the same" was made. */
  #difference(scale, entry, n, signs, signsAbove) {
    const {decoder, level} = this;
    const {low, bits, abovePlaces, morePlaces} = laplaceTables;
    const sum = 2 * (signs[n + 1] + signsAbove[n + 2]) + signsAbove[n + 1] + signsAbove[n + 3];
    const up = decoder.mapped(MAPS.above + 4 * (sum + 6) + Math.min(level, 3), abovePlaces[entry]);
    let fine = 0;
    for (let j = 0; j < bits[scale]; j++) fine |= decoder.decision(low[8 * scale + j]) << j;
    const map = MAPS.more + level;
    const mapByScale = MAPS.moreByScale + 4 * (scale >> 2);
    let rest = 0;
    while (rest < 24) {
      const run = Math.min(rest, 3);
      if (!decoder.mappedByTwo(map + 9 * run, mapByScale + run, morePlaces[scale])) break;
      rest += 1;
    }
    if (rest === 24) {
      let ones = 0;
      while (ones < 20 && decoder.plain()) ones += 1;
      let value = 1;
      while (ones-- > 0) value = 2 * value + decoder.plain();
      rest = 23 + value;
    }
    const distance = rest * 2 ** bits[scale] + fine + 1;
    return up ? distance : -distance;
  }
}

const MORE = Symbol('wait for more bytes'); // what a generator yields to be resumed with true or, at the end, false

/** The latents of one tile, decoded level by level from the coarsest; `levels` are planes, finest first. */
class Tile {
  constructor(file, entropy, place, {at, end}) {
    Object.assign(this, {file, entropy, place, at, end, cut: false, next: file.config.levels - 1});
    this.levels = Array(file.config.levels).fill(null); // null at the front where a level is not decoded
  }

  /** Decodes the levels down to `finest`, or to the last that is whole; `cut` is then true. Yields now and then. */
  *decodeDownTo(finest) {
    const {source} = this.file;
    while (!this.decoder && !this.cut && source.size < Math.min(this.end, this.at + 4)) this.cut = !(yield MORE);
    this.decoder ??= new MappingDecoder(source, this.at, this.end);
    for (; this.next >= finest && !this.cut; this.next -= this.cut ? 0 : 1) {
      const {rows, columns} = this.place.sizes[this.next];
      const [half, wide] = [rows / 2, columns / 2];
      const sizes = [paddedSize({rows, columns}), paddedSize({rows: half, columns: wide})];
      const room = this.entropy.kernel.begin?.(...sizes, wide) ?? {};
      const plane = new Plane(rows, columns, null, room.own);
      const parent = new Plane(half, wide, this.levels[this.next + 1], room.parent);
      for (let pass = 0; pass < 4 && !this.cut; pass++) yield* this.#decodePass(pass, plane, parent);
      if (!this.cut) this.levels[this.next] = room.own ? new Plane(rows, columns, plane) : plane;
    }
    if (this.next < 0) this.decoder.finish(this.at);
  }

  *#decodePass(pass, plane, parent) {
    const {file: {config}, entropy, levels, decoder} = this;
    const predictor = new Predictor(entropy, config, this.next, pass, levels, plane, parent);
    const found = predictor.found ?? [0, 1].map(() => new Int32Array(2 * parent.columns));
    const rows = new PassDecoder(decoder, plane, this.next, pass);
    for (let r = 0; r < parent.rows; r++) {
      if (!(r & 1)) predictor.predictRows(r, found);
      for (;;) {
        decoder.keep();
        rows.decodeRow(r, found[r & 1]);
        if (!decoder.starved) break;
        if (!(yield MORE)) return (this.cut = true);
        decoder.goBack(); // the row again
      }
      yield;
    }
  }

  /** What the entropy model expects of the levels finer than `reduction`, one number for each pixel of the picture at
   * that size: see "Incomplete files" in FORMAT.md. */
  expected(reduction) {
    const {file: {config}, entropy, levels, place: {sizes}} = this;
    const [rows, columns] = [sizes[reduction - 1].rows / 2, sizes[reduction - 1].columns / 2];
    const seen = Array(config.levels); // of each level the latents, or what stands for them, at these pixels
    for (let n = reduction; n < config.levels; n++) {
      const shift = n - reduction;
      seen[n] = Int32Array.from({length: rows * columns}, (_, at) => (
        levels[n].data[levels[n].at(Math.floor(at / columns) >> shift, (at % columns) >> shift)]));
    }
    const parent = new Plane(rows, columns, levels[reduction]);
    const means = Array(reduction);
    for (let n = reduction - 1; n >= 0; n--) {
      const model = new Predictor(entropy, config, n, 0, levels, parent, parent);
      means[n] = n === reduction - 1 ? model.means() : model.guesses(seen.slice(n + 1, n + (n < FEATURED ? 8 : 3)));
      seen[n] = Int32Array.from(means[n], (mean) => Math.floor(mean + 0.5));
    }
    return means;
  }
}

// --- profile grid: colours

/** What of the next coarser level (`size`) upsampling to a window reads. */
function coarserWindow({top, left, rows, columns}, size) {
  const [y, x] = [Math.max(0, (top >> 1) - 2), Math.max(0, (left >> 1) - 2)];
  const end = (at, side) => Math.min(side, ((at - 1) >> 1) + 3);
  return {top: y, left: x, rows: end(top + rows, size.rows) - y, columns: end(left + columns, size.columns) - x};
}

/** Features of level `number` in a window of it: its latents, then those of all coarser levels, upsampled. */
function features(levels, {filters, smoothing}, number, window) {
  const size = window.rows * window.columns;
  const planes = new Float32Array((levels.length - number) * size);
  placeLatents(levels[number], window, smoothing?.subarray(4 * number, 4 * number + 4), planes);
  if (number + 1 === levels.length) return planes;
  const wide = coarserWindow(window, levels[number + 1]);
  const coarse = features(levels, {filters, smoothing}, number + 1, wide);
  const coarseSize = wide.rows * wide.columns;
  for (let n = 1; n < levels.length - number; n++) {
    upsample(coarse.subarray((n - 1) * coarseSize, n * coarseSize), wide, filters.subarray(4 * number, 4 * number + 4),
      window, planes.subarray(n * size));
  }
  return planes;
}

function placeLatents(plane, {top, left, rows, columns}, taps, out) {
  const line = new Float64Array(columns + 6); // a row filtered across rows, with 3 more columns on both sides
  for (let y = 0; y < rows; y++) {
    if (!taps) {
      out.set(plane.row(top + y, left, left + columns), y * columns);
      continue;
    }
    const [t0, t1, t2, t3] = taps;
    const [a, b, c, d, e, f, g] = count(7, (n) => plane.at(clip(top + y + n - 3, 0, plane.rows - 1), 0));
    const {data} = plane;
    for (let n = 0; n < line.length; n++) {
      const x = clip(left + n - 3, 0, plane.columns - 1);
      line[n] = t3 * data[d + x] + t2 * (data[c + x] + data[e + x]) + t1 * (data[b + x] + data[f + x])
        + t0 * (data[a + x] + data[g + x]);
    }
    for (let x = 0, at = y * columns; x < columns; x++, at++) {
      out[at] = t3 * line[x + 3] + t2 * (line[x + 2] + line[x + 4]) + t1 * (line[x + 1] + line[x + 5])
        + t0 * (line[x] + line[x + 6]);
    }
  }
}

/** Doubles a plane, of which the window `wide` is there, in both directions; fills the window `fine` of the result. */
function upsample(coarse, wide, [a, b, c, d], fine, out) {
  const line = new Float64Array(wide.columns + 4); // a row between the rows, edges repeated
  for (let y = 0; y < fine.rows; y++) {
    const row = fine.top + y;
    const [p, q, r, s] = row & 1 ? [d, c, b, a] : [a, b, c, d];
    const [i, j, k, l] = count(4, (n) => (
      clip((row >> 1) - 2 + (row & 1) + n - wide.top, 0, wide.rows - 1) * wide.columns));
    for (let x = 0; x < wide.columns; x++) {
      line[x + 2] = p * coarse[i + x] + q * coarse[j + x] + r * coarse[k + x] + s * coarse[l + x];
    }
    line[0] = line[1] = line[2];
    line[wide.columns + 2] = line[wide.columns + 3] = line[wide.columns + 1];
    for (let x = 0, at = y * fine.columns; x < fine.columns; x++, at++) {
      const column = fine.left + x;
      const n = (column >> 1) - wide.left;
      out[at] = column & 1 ? d * line[n + 1] + c * line[n + 2] + b * line[n + 3] + a * line[n + 4]
        : a * line[n] + b * line[n + 1] + c * line[n + 2] + d * line[n + 3];
    }
  }
}

/** Adds the residual filter in a window to planes of colours that, where there are any, are a pixel larger: `near`. */
function residualFilter(colours, near, window, kernel) {
  const {columns} = window;
  const size = window.rows * columns;
  const stride = columns + 2;
  const number = Math.sqrt(kernel.length / 9);
  const out = new Float64Array(number * size);
  const padded = new Float64Array((window.rows + 2) * stride); // a plane, edges repeated
  for (let d = 0; d < number; d++) {
    for (let row = 0, at = 0; row < window.rows + 2; row++) {
      const from = (clip(window.top + row - 1 - near.top, 0, near.rows - 1) + d * near.rows) * near.columns;
      for (let x = 0; x < stride; x++) {
        padded[at++] = colours[from + clip(window.left + x - 1 - near.left, 0, near.columns - 1)];
      }
    }
    for (let c = 0; c < number; c++) {
      const [p, q, r, s, centre, t, u, v, w] = kernel.subarray(9 * (c * number + d));
      const own = c === d ? 1 + centre : centre;
      for (let row = 0, at = c * size; row < window.rows; row++) {
        for (let i = row * stride, j = i + stride, k = j + stride, end = i + columns; i < end; i++, j++, k++, at++) {
          out[at] += p * padded[i] + q * padded[i + 1] + r * padded[i + 2] + s * padded[j] + own * padded[j + 1]
            + t * padded[j + 2] + u * padded[k] + v * padded[k + 1] + w * padded[k + 2];
        }
      }
    }
  }
  return out;
}

/** Features at 1 : 2^reduction in a window: those of levels that are there, and what is `expected` of finer ones. Gains
 * are those of the upsampling that is left out. */
function reducedFeatures(levels, picture, reduction, window, expected, width) {
  const present = features(levels, picture, reduction, window);
  if (!reduction) return present;
  const {top, left, columns} = window;
  const size = window.rows * columns;
  const planes = new Float32Array(levels.length * size);
  let gain = 1;
  for (let n = 0; n < reduction; n++) {
    const [a, b, c, d] = picture.smoothing?.subarray(4 * n, 4 * n + 4) ?? [0, 0, 0, 1];
    const factor = gain * (2 * (a + b + c) + d) ** 2;
    for (let at = 0; at < size; at++) {
      const from = (top + Math.floor(at / columns)) * width + left + (at % columns);
      planes[n * size + at] = factor * expected[n][from];
    }
    gain *= total(picture.filters.subarray(4 * n, 4 * n + 4)) ** 2;
  }
  for (let n = 0; n < present.length; n++) planes[reduction * size + n] = gain * present[n];
  return planes;
}

/** Draws a tile at 1 : 2^reduction into a canvas, part by part. Finer levels than that need not be decoded. */
function* drawTile({levels, place}, picture, reduction, canvas, compute, expected) {
  const step = 2 ** reduction;
  const size = {rows: Math.ceil(place.rows / step), columns: Math.ceil(place.columns / step)};
  const kernel = picture.kernel.map((weight, at, all) => { // at other sizes, as it acts on even colour
    if (!reduction) return weight;
    return at % 9 === 4 ? total(all.subarray(at - 4, at + 5)) : 0;
  });
  for (const window of parts(size)) {
    const {top, left, rows, columns} = window;
    const [y, x] = [Math.max(0, top - 1), Math.max(0, left - 1)];
    const [bottom, right] = [Math.min(size.rows, top + rows + 1), Math.min(size.columns, left + columns + 1)];
    const near = {top: y, left: x, rows: bottom - y, columns: right - x};
    const planes = reducedFeatures(levels, picture, reduction, near, expected, size.columns);
    const plain = compute(picture.network, planes, near.rows * near.columns);
    const [down, across] = [(place.top - canvas.top) / step, (place.left - canvas.left) / step];
    const moved = {...window, top: top + down, left: left + across};
    canvas.put(residualFilter(plain, near, window, kernel), moved);
    yield moved;
  }
}

/** Smooths a whole picture across the edges of its tiles, and yields the windows that have changed. It works on rounded
 * samples, which leaves them within 1 of what "Edges of tiles" in FORMAT.md says, within 3 where four tiles meet. */
function* smoothedEdges({data, rows, columns, header: {channels, colours, depth, tiles}}) {
  const side = 64 * tiles || Infinity;
  const peak = 2 ** depth - 1;
  const move = (at, by) => (data[at] = clip(Math.round(data[at] + by), 0, peak));
  const smooth = (edge, length, stride, count, across) => {
    for (let n = 0; n < count * colours; n++) {
      const at = edge * stride + Math.floor(n / colours) * across + (n % colours);
      const jump = data[at] - data[at - stride];
      const moved = Math.sign(jump) * Math.max(0, Math.min(Math.abs(jump), (48 / 255) * peak - Math.abs(jump)));
      for (let k = 0; k < 3; k++) {
        move(at - (k + 1) * stride, ((3 - k) / 7) * moved);
        if (edge + k < length) move(at + k * stride, ((k - 3) / 7) * moved);
      }
    }
  };
  for (let edge = side; edge < columns; edge += side) {
    smooth(edge, columns, channels, rows, columns * channels);
    yield {top: 0, left: edge - 3, rows, columns: Math.min(6, columns - edge + 3)};
  }
  for (let edge = side; edge < rows; edge += side) {
    smooth(edge, rows, columns * channels, columns, channels);
    yield {top: edge - 3, left: 0, rows: Math.min(6, rows - edge + 3), columns};
  }
}

/** Draws a grid picture. Returns the canvas: a smaller one where the file is cut. */
function* drawGrid(file, canvas, {start, kernel, compute, onPart}) {
  const {config, source} = file;
  const entropy = entropyIntegers(file, start, kernel);
  const picture = pictureWeights(file);
  const tiles = config.tiles.map((place, n) => new Tile(file, entropy, place, file.streams[n]));
  const draw = (tile, reduction, target) => (
    drawTile(tile, picture, reduction, target, compute, reduction ? tile.expected(reduction) : null));
  function* preview(tile, reduction) {
    const own = new Canvas(file, latticeOf(tile.place, 2 ** reduction));
    yield* draw(tile, reduction, own);
    onPart(own.part({...own, left: 0, top: 0}));
  }
  if (onPart && source.done && !file.cut && tiles.length > 1) { // a small picture of everything comes first
    for (const tile of tiles) {
      yield* tile.decodeDownTo(Math.min(4, config.levels - 1));
      yield* preview(tile, tile.next + 1);
    }
  }
  for (const tile of tiles) {
    while (!tile.cut && tile.next >= 0) {
      const before = source.done;
      yield* tile.decodeDownTo(tile.next);
      const reduction = tile.next + 1;
      // Where nothing has to be waited for, some coarse levels take little of the time of all.
      if (onPart && !tile.cut && reduction && (!before || (reduction > 2 && reduction % 2 === 0))) {
        yield* preview(tile, reduction);
      }
    }
    if (tile.cut) break;
    for (const window of draw(tile, 0, canvas)) {
      onPart?.(canvas.part(window));
      yield;
    }
    tile.levels = []; // a picture of many tiles holds the latents of one
  }
  if (!tiles.some((tile) => tile.cut)) for (const window of smoothedEdges(canvas)) onPart?.(canvas.part(window));
  const [{next, cut}] = tiles;
  check(!cut || next < config.levels - 1, 'the file is cut before its first level is whole', 'cut');
  if (!cut || next < 0) return canvas;
  const own = new Canvas(file, latticeOf(canvas, 2 ** (next + 1)));
  yield* draw(tiles[0], next + 1, own);
  return own;
}

// --- alpha and metadata

/** The alpha plane of a file; null where there is none, or not yet. */
function readAlpha({header: {width, height, depth}, own, payload, source}) {
  if (!own[ALPHA] || own[ALPHA].end > source.size) return null;
  const bytes = payload(ALPHA, 'alpha', [ZSTD]);
  const [predictor] = bytes;
  check(predictor <= 3, "section 'alpha' does not begin with a predictor, 0 to 3");
  const size = width * height;
  const plain = unzstd(bytes.subarray(1), (size * depth) / 8);
  const out = depth === 8 ? plain : allocate(Uint16Array, size);
  if (depth === 16) for (let n = 0; n < size; n++) out[n] = plain[n] | (plain[n + size] << 8);
  // Each predictor is a running sum along one axis, along both, or along none; typed arrays wrap as the format does.
  if (predictor & 1) for (let n = 0; n < size; n++) if (n % width) out[n] += out[n - 1];
  if (predictor & 2) for (let n = width; n < size; n++) out[n] += out[n - width];
  return out;
}

/** {icc, exif, xmp, density}, as far as there are, and notes on those that are damaged: no pixel needs them. */
function readMetadata({sections, source: {data, size}}) {
  const metadata = {};
  const notes = [];
  for (const [kind, name] of Object.entries(METADATA)) {
    const own = sections.filter((section) => section.kind === Number(kind) && section.end <= size);
    try {
      check(own.length < 2, 'it comes twice');
      if (own.length) metadata[name] = readDocument(own[0].coder, data.subarray(own[0].at, own[0].end));
    } catch (error) {
      if (!(error instanceof FncError)) throw error;
      notes.push(`the ${name} metadata are left out: ${error.message}`);
    }
  }
  return {metadata, notes};
}

function readDocument(coder, payload) {
  check(coder <= ZSTD, `coder ${coder} is unknown`, 'unsupported');
  const reader = new Reader(payload);
  const sizeBytes = coder === ZSTD ? reader.varint() : payload.length;
  check(sizeBytes && sizeBytes <= 2 ** 24, 'it is empty or too large');
  return coder === ZSTD ? unzstd(reader.bytes(reader.left), sizeBytes) : payload.slice();
}

// --- decode

/** The points of a picture or tile at 1 : step. */
const latticeOf = ({left, top, step = 1, rows, columns}, times) => (
  {left, top, step: step * times, rows: Math.ceil(rows / times), columns: Math.ceil(columns / times)});

/** A picture that is being drawn, or a part of one: interleaved samples of the points of a lattice. */
class Canvas {
  constructor({header, alpha, icc}, lattice) {
    const {rows, columns} = lattice;
    const {channels, depth} = header;
    Object.assign(this, {header, icc, ...lattice});
    this.data = allocate(depth === 8 ? Uint8Array : Uint16Array, rows * columns * channels);
    this.cover(alpha);
  }

  /** Puts in the nearest samples of alpha; opaque where there are none yet. */
  cover(alpha) {
    const {left, top, step, rows, columns, header: {width, height, channels, colours, depth}} = this;
    if (channels === colours) return;
    const nearest = (first, n, side) => clip(Math.floor(first + (n + 0.5) * step), 0, side - 1);
    for (let n = 0, at = channels - 1; n < rows * columns; n++, at += channels) {
      const row = nearest(top, Math.floor(n / columns), height);
      this.data[at] = alpha ? alpha[row * width + nearest(left, n % columns, width)] : 2 ** depth - 1;
    }
  }

  /** Puts planes of samples about [0, 1], one behind the other, into a window, rounded half to even. */
  put(planes, {top, left, rows, columns}) {
    const {data, header: {channels, colours, activation, depth}} = this;
    const peak = 2 ** depth - 1;
    for (let c = 0, n = 0; c < colours; c++) {
      for (let row = 0; row < rows; row++) {
        let at = ((top + row) * this.columns + left) * channels + c;
        for (let column = 0; column < columns; column++, n++, at += channels) {
          const y = peak * (activation ? 1 / (1 + Math.exp(-planes[n])) : planes[n]);
          data[at] = (y > 0 ? (y < peak ? y : peak) : 0) + 4503599627370496 - 4503599627370496; // 2^52: ties to even
        }
      }
    }
  }

  /** A copy of a window, as a picture that says where in the whole it lies. */
  part({top, left, rows, columns}) {
    const {data, step, icc, header: {channels, depth}} = this;
    const own = new data.constructor(rows * columns * channels);
    for (let row = 0; row < rows; row++) {
      const from = ((top + row) * this.columns + left) * channels;
      own.set(data.subarray(from, from + columns * channels), row * columns * channels);
    }
    return {
      left: this.left + left * step, top: this.top + top * step, step, width: columns, height: rows, channels, depth,
      data: own, icc,
    };
  }
}

const fetched = new Map(); // trained starts by name, or promises of them

async function fetchStart(name) {
  try {
    const answer = await fetch(new URL(`start-${name}.bin`, import.meta.url));
    if (answer.ok) return await answer.arrayBuffer();
    throw new Error(`status ${answer.status}`);
  } catch ({message}) {
    fetched.delete(name); // the next file may try again
    throw new FncError(`the trained start ${name} cannot be loaded (${message}): pass 'starts'`, 'unsupported');
  }
}

/** The trained start of a file that names one. */
async function loadStart({prior, profile}, starts) {
  if (!prior) return null;
  check(profile === 1 || prior <= GRID_STARTS, `the file needs the trained start ${prior}, unknown`, 'unsupported');
  const name = `${profile === 1 ? 'fnet' : 'grid'}-${prior}`;
  if (!starts?.[name] && !fetched.has(name)) fetched.set(name, fetchStart(name));
  const bytes = asBytes(starts?.[name] ?? (await fetched.get(name)));
  const size = profile === 1 ? fnetStartBytes(FNET_STARTS[prior - 1]) : 2 * START_SIZE;
  check(bytes.length === size, `the trained start ${name} has ${bytes.length} bytes, not ${size}`, 'unsupported');
  return new DataView(bytes.buffer, bytes.byteOffset, size);
}

/** The trained start of a file that names one; integers of profile fnet, which differ from it, become those that they
 * stand for. */
async function takeStart(file, starts) {
  const start = await loadStart(file.header, starts);
  if (start && file.header.profile === 1) file.integers = aroundStart(file, start);
  return start;
}

const PAUSE_MS = 60;

/** Runs a generator to its result. With `responsive` it lets other events happen every PAUSE_MS. */
async function run(steps, source, signal, responsive) {
  let before = performance.now();
  let answer;
  for (;;) {
    const {done, value} = steps.next(answer);
    if (done) return value;
    if (value === MORE) answer = await source.more();
    else if (!responsive || performance.now() - before < PAUSE_MS) continue;
    else await new Promise((resolve) => setTimeout(resolve));
    signal?.throwIfAborted();
    before = performance.now();
  }
}

/** A file as soon as enough of it has arrived to begin drawing. */
async function open(input, limits, partial) {
  const bounds = {...LIMITS, ...limits};
  const source = new Source(input, Math.max(2 ** 28, 2 * bounds.pixels));
  for (;;) {
    try {
      return parse(source, bounds, partial);
    } catch (error) {
      if (error.kind !== 'cut' || !(await source.more())) throw error;
    }
  }
}

/**
 * Decodes a .fnc file: an ArrayBuffer, a Uint8Array, or a ReadableStream of one that still loads. Options:
 *
 * - starts: an object with trained starts by name, such as 'grid-1' or 'fnet-1'. What is not in it and a file needs the
 *   decoder fetches from beside this module, start-grid-1.bin.
 * - onHeader(header): called when the size is known.
 * - onPart(part): called with what has been drawn, coarse pictures first: {left, top, step, width, height, channels,
 *   depth, data, icc}, to be shown `step` times as large at (left, top).
 * - limits: {pixels, work} in place of LIMITS; signal: an AbortSignal; fast: what fast.js makes.
 * - partial: takes files that end too early; `step` of the result says how much smaller the picture then is.
 * - lattice: {left, top, step, rows, columns}, the points at which a network of profile fnet is evaluated in place of
 *   all pixels: centres of squares with sides of `step` pixels.
 *
 * Returns {width, height, channels, depth, data, step, metadata, notes, header}. `data` has the samples of all channels
 * of a pixel side by side, row by row: grey or RGB, then alpha, by which colours are not multiplied; the picture is
 * upright. `metadata` are bytes by name, `notes` sentences on what is damaged and left out. Throws FncError.
 */
export async function decode(input, options = {}) {
  const {starts, onPart, onHeader, limits, signal, partial, lattice, fast} = options;
  const compute = fast?.evaluate ?? evaluate;
  signal?.throwIfAborted();
  let file = await open(input, limits, partial);
  const {header, source} = file;
  onHeader?.(header);
  const start = await takeStart(file, starts);
  const late = !source.done;
  const whole = {left: 0, top: 0, rows: header.height, columns: header.width};
  let found = readMetadata(file);
  Object.assign(file, {alpha: readAlpha(file), icc: found.metadata.icc});
  const canvas = new Canvas(file, lattice ?? latticeOf(whole, 1));
  const steps = header.profile === 1 ? drawFnet(file, canvas, {compute, onPart})
    : drawGrid(file, canvas, {start, kernel: (fast?.kernel ?? plainKernel)(), compute, onPart});
  const drawn = await run(steps, source, signal, Boolean(signal || onPart));
  while (await source.more()) signal?.throwIfAborted();
  if (late) {
    file = parse(source, {...LIMITS, ...limits}, partial);
    found = readMetadata(file);
    drawn.icc = found.metadata.icc;
    const alpha = readAlpha(file);
    if (alpha) drawn.cover(alpha);
    if (alpha || drawn.icc) onPart?.(drawn.part({...drawn, left: 0, top: 0})); // drawn without them so far
  }
  const {metadata, notes} = found;
  if (file.cut) notes.push(`the file is cut: the picture is at 1:${drawn.step}, and its checksum is not verified`);
  const {columns: width, rows: height, step, data} = drawn;
  return {width, height, channels: header.channels, depth: header.depth, data, step, metadata, notes, header};
}

/** The integers of a file, for tests: {stepIndices, symbols} of profile fnet; {exponents, symbols, tiles} of profile
 * grid, each tile a list of levels {rows, columns, data}, finest first. Options are those of `decode`. */
export async function decodeSymbols(bytes, {starts, limits, fast} = {}) {
  const file = await open(bytes, limits);
  const start = await takeStart(file, starts);
  if (file.header.profile === 1) return file.integers;
  const entropy = entropyIntegers(file, start, (fast?.kernel ?? plainKernel)());
  pictureWeights(file);
  const tiles = [];
  for (const [n, place] of file.config.tiles.entries()) {
    const tile = new Tile(file, entropy, place, file.streams[n]);
    await run(tile.decodeDownTo(0), file.source);
    tiles.push(tile.levels.map((plane) => (
      {...plane, data: count(plane.rows, (row) => [...plane.row(row, 0, plane.columns)]).flat()})));
  }
  return {...file.integers, tiles};
}
