/**
 * Quicker ways to compute what decoder.js computes, for its option `fast`:
 *
 *     const {data} = await decode(bytes, {fast: await accelerated()});
 *
 * WebAssembly, put together here, runs sums of weighted rows with vectors: two doubles for the entropy model, four
 * floats for networks. A WebGL2 shader runs networks where a graphics processor is. What a browser lacks is left out.
 */

import {COSINE, count, evaluate, MODEL, share, SINE, total} from './decoder.js';

// --- WebAssembly

const upTo = (first, last) => Array.from({length: last - first + 1}, (_, n) => first + n);
const leb = (n) => (n < 128 ? [n] : [(n & 127) | 128, ...leb(n >> 7)]);
const get = (local) => [0x20, local];
const set = (local) => [0x21, local];
const vector = (operation) => [0xfd, ...leb(operation)];
const memory = (offset) => [2, ...leb(offset)];
const load = (address, offset) => [...get(address), ...vector(0x00), ...memory(offset)];
const store = (address, offset, code) => [...get(address), ...code, ...vector(0x0b), ...memory(offset)];
const splat = (bits, address, offset) => [...get(address), ...vector(bits === 64 ? 0x0a : 0x09), ...memory(offset)];
const DOUBLES = {plus: vector(0xf0), times: vector(0xf2), least: vector(0xf4), most: vector(0xf5), floor: vector(0x75)};
const FLOATS = {plus: vector(0xe4), minus: vector(0xe5), times: vector(0xe6), floor: vector(0x68)};
const constant = (x) => [...vector(0x0c), ...new Uint8Array(Float32Array.of(x, x, x, x).buffer)];
const signed = (n) => (n < 64 ? [n] : [(n & 127) | 128, ...signed(n >> 7)]);
const integer = (n) => [0x41, ...signed(n)]; // not below 0
const plus = (local, n) => [...get(local), ...integer(n), 0x6a];
const point = (local, address) => [...integer(address), ...set(local)];
const advance = (local, step) => [...plus(local, step), ...set(local)];
/** local = base + 8 * table[offset / 4] */
const addressFrom = (base, table, offset, local) => [
  ...get(base), ...get(table), 0x28, ...memory(offset), 0x41, 3, 0x74, 0x6a, ...set(local)];
const repeated = (count, code) => [ // as often as the local `count` says, which ends at 0; 0x7f is -1
  0x02, 0x40, 0x03, 0x40, ...get(count), 0x45, 0x0d, 1, ...code, ...get(count), 0x41, 0x7f, 0x6a, ...set(count),
  0x0c, 0, 0x0b, 0x0b];
/** sum += value * weight */
const accumulate = ({plus, times}, sum, value, weight) => [
  ...get(sum), ...get(value), ...weight, ...times, ...plus, ...set(sum)];

/** A WebAssembly module with one function `f` of six integers on an imported memory; behind them it has so many locals
 * that are integers and vectors. */
function moduleOf(integers, vectors, body) {
  const section = (id, content) => [id, ...leb(content.length), ...content];
  const code = [2, integers, 0x7f, vectors, 0x7b, ...body, 0x0b];
  return new WebAssembly.Module(new Uint8Array([
    0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, [1, 0x60, 6, ...Array(6).fill(0x7f), 0]), ...section(2, [1, 1, 0x6d, 1, 0x6d, 2, 0, 1]), // memory m.m
    ...section(3, [1, 0]), ...section(7, [1, 1, 0x66, 0, 0]), ...section(10, [1, ...leb(code.length), ...code]),
  ]));
}

/** sums += values times rows of weights. */
const rowsLoop = ([values, places, count, weights, row, value], sums, offset) => repeated(count, [
  ...addressFrom(weights, places, 0, row), ...splat(64, values, 0), ...set(value),
  ...sums.flatMap((sum, n) => accumulate(DOUBLES, sum, value, load(row, offset + 16 * n))),
  ...advance(values, 8), ...advance(places, 4),
]);

/** Puts mean and scale on the stack: sums of the first layer begin as what lies at `shared`, and `count` values, which
 * ends at 0, are added. Both are as in decoder.js. */
function modelCode({values, places, count, model, shared, row, value}, vectors) {
  const [first, second] = [vectors.slice(0, 9), vectors.slice(9, 17)]; // hidden units in pairs, then mean and scale
  const {plus: add, times, least, most, floor} = DOUBLES;
  const constant = (n) => load(model, 8 * MODEL.constants + 16 * n);
  const bounded = (sum, factor) => [
    ...get(sum), ...constant(factor), ...times, ...floor, ...constant(2), ...most, ...constant(3), ...least,
    ...set(sum)];
  const lane = (sums, j) => [...get(sums[j >> 1]), ...vector(0x21), j & 1, ...vector(0x14), ...set(value)]; // in both
  return [
    ...first.flatMap((sum, n) => [...load(shared, 16 * n), ...set(sum)]),
    ...repeated(count, [
      ...addressFrom(model, places, 0, row), ...splat(64, values, 0), ...set(value),
      ...first.flatMap((sum, n) => accumulate(DOUBLES, sum, value, load(row, 8 * MODEL.taps + 16 * n))),
      ...advance(values, 8), ...advance(places, 4),
    ]),
    ...upTo(0, 7).flatMap((n) => [
      ...bounded(first[n], 0), ...load(model, 8 * (MODEL.second + 16 * 18) + 16 * n), ...set(second[n])]),
    ...upTo(0, 15).flatMap((j) => [...lane(first, j), ...second.flatMap((sum, n) => (
      accumulate(DOUBLES, sum, value, load(model, 8 * (MODEL.second + 18 * j) + 16 * n))))]),
    ...upTo(0, 7).flatMap((n) => bounded(second[n], 1)),
    ...upTo(0, 15).flatMap((j) => [
      ...lane(second, j), ...accumulate(DOUBLES, first[8], value, load(model, 8 * (MODEL.last + 2 * j)))]),
    ...get(first[8]), ...constant(4), ...times, ...constant(5), ...add, ...floor, ...constant(6), ...most,
    ...constant(7), ...least,
  ];
}

/** `predict` of decoder.js: values, places, count, model, out. */
function modelModule() {
  const [values, places, count, model, out, , row, value, ...others] = upTo(0, 24);
  return moduleOf(1, 18, store(out, 0, modelCode({values, places, count, model, shared: model, row, value}, others)));
}

// Where the kernel's parts lie, in bytes
const KERNEL = {model: 0, values: 8 * MODEL.size};
KERNEL.places = KERNEL.values + 384;
KERNEL.out = KERNEL.places + 192;
KERNEL.counts = KERNEL.out + 16; // of the entries of the table: parents, own taps
KERNEL.table = KERNEL.counts + 16; // of each tap its offset from the cell's in bytes, and the place of its weights
KERNEL.free = KERNEL.table + 320;

/** Means and scales of a row of cells: addresses of the first cell in parent and own level, of the sums of its blocks,
 * count, out, and how far scales lie behind means. */
function cellsModule() {
  const [parent, own, shared, count, out, stride, left, table, x, size, values, places, model, row] = upTo(0, 13);
  const [value, ...others] = upTo(14, 31);
  const collect = (base, number) => [
    ...point(left, KERNEL.counts + 4 * number), ...get(left), 0x28, ...memory(0), ...set(left),
    ...repeated(left, [
      ...get(base), ...get(table), 0x28, ...memory(0), 0x6a, 0x2e, 1, 0, ...set(x),
      ...get(values), ...get(x), 0xb7, 0x39, ...memory(0),
      ...get(places), ...get(table), 0x28, ...memory(4), 0x36, ...memory(0),
      ...get(x), 0x41, 0, 0x47, ...set(x), // 1 where it is not 0: others are overwritten
      ...get(size), ...get(x), 0x6a, ...set(size), ...get(values), ...get(x), 0x41, 3, 0x74, 0x6a, ...set(values),
      ...get(places), ...get(x), 0x41, 2, 0x74, 0x6a, ...set(places), ...advance(table, 8),
    ])];
  return moduleOf(8, 18, repeated(count, [
    ...point(size, 0), ...point(values, KERNEL.values), ...point(places, KERNEL.places), ...point(table, KERNEL.table),
    ...collect(parent, 0), ...collect(own, 1), ...point(values, KERNEL.values), ...point(places, KERNEL.places),
    ...modelCode({values, places, count: size, model, shared, row, value}, others),
    ...vector(0xfc), ...set(value), // as integers
    ...get(out), ...get(value), ...vector(0x1b), 0, 0x36, ...memory(0),
    ...get(out), ...get(stride), 0x6a, ...get(value), ...vector(0x1b), 1, 0x36, ...memory(0),
    ...advance(out, 4), ...advance(parent, 2), ...advance(own, 4),
    // Behind every second cell, the next block's
    ...get(shared), ...get(stride), 0x41, 2, 0x76, ...get(count), 0x6b, 0x41, 1, 0x71, ...integer(144), 0x6c, 0x6a,
    ...set(shared),
  ]));
}

/**
 * A network at groups of four points: `f(planes, out, stride, count)`, of inputs and outputs a plane every `stride`
 * bytes. `places` has the addresses of the inputs as they are (`raw`) and of those of a layer (`x`), of waves and
 * features, and of each layer's tree and weights.
 */
function networkModule({layers, scale, linear, inputs, colours}, places) {
  const [planes, out, stride, count, , , from, tree, weights, one, other, next, left] = upTo(0, 12);
  const [p, q, c, s, cosine, sine, ...sums] = upTo(13, 28);
  const {times, minus, plus: add, floor} = FLOATS;
  const product = (a, b) => [...get(a), ...get(b), ...times];
  const across = [...get(from), ...get(stride), 0x6a, ...set(from)];
  const at = (address, offset = 0) => [...integer(address + offset), ...vector(0x00), ...memory(0)];
  const put = (address, code) => [...integer(address), ...code, ...vector(0x0b), ...memory(0)];
  const series = (terms) => [...terms].reverse().flatMap((term, n) => (
    n ? [...get(q), ...times, ...constant(term), ...add] : constant(term)));
  const layerCode = ({inputs: width, outputs, residual, rows}, number) => {
    const own = sums.slice(0, outputs);
    const weigh = [
      ...own.flatMap((sum, o) => accumulate(FLOATS, sum, cosine, splat(32, weights, 4 * o))),
      ...own.flatMap((sum, o) => accumulate(FLOATS, sum, sine, splat(32, weights, 4 * (outputs + o))))];
    return [
      ...point(one, places.x), ...point(next, places.waves), ...point(left, width),
      ...repeated(left, [ // as in fourierFeatures
        ...load(one, 0), ...load(one, 0), ...floor, ...minus, ...constant(0.5), ...minus, ...set(p),
        ...product(p, p), ...set(q), ...series(SINE), ...get(p), ...times, ...set(s), ...series(COSINE), ...set(c),
        ...store(next, 0, [...product(s, s), ...constant(2), ...times, ...constant(1), ...minus]),
        ...store(next, 16, [...product(s, c), ...constant(-2), ...times]),
        ...advance(one, 16), ...advance(next, 32),
      ]),
      ...constant(1), ...set(cosine), ...[sine, ...own].flatMap((zero) => [...constant(0), ...set(zero)]),
      ...point(weights, places.weights[number]), ...point(tree, places.trees[number]), ...point(next, places.features),
      ...point(left, rows / 2 - 1), ...weigh,
      ...repeated(left, [
        ...advance(tree, 8), ...advance(next, 32), ...advance(weights, 8 * outputs),
        ...integer(places.features), ...set(one), ...addressFrom(one, tree, 0, one),
        ...integer(places.waves), ...set(other), ...addressFrom(other, tree, 4, other),
        ...load(one, 0), ...set(p), ...load(one, 16), ...set(q),
        ...load(other, 0), ...set(c), ...load(other, 16), ...set(s),
        ...product(p, c), ...product(q, s), ...minus, ...set(cosine),
        ...product(q, c), ...product(p, s), ...add, ...set(sine),
        ...store(next, 0, get(cosine)), ...store(next, 16, get(sine)), ...weigh,
      ]),
      ...own.flatMap((sum, o) => put(places.x + 16 * o, (
        residual ? [...get(sum), ...at(places.x, 16 * o), ...add] : get(sum)))),
    ];
  };
  return moduleOf(7, 16, repeated(count, [
    ...get(planes), ...set(from),
    ...upTo(0, inputs - 1).flatMap((j) => [
      ...load(from, 0), ...set(p), ...put(places.raw + 16 * j, get(p)),
      ...put(places.x + 16 * j, [...get(p), ...constant(scale), ...times]), ...across]),
    ...layers.flatMap(layerCode),
    ...get(out), ...set(from),
    ...upTo(0, colours - 1).flatMap((colour) => [
      ...get(from), ...at(places.x, 16 * colour),
      ...(linear ? upTo(0, inputs - 1).flatMap((j) => [
        ...at(places.raw, 16 * j), ...constant(linear[j * colours + colour]), ...times, ...add]) : []),
      ...vector(0x0b), ...memory(0), ...across]),
    ...advance(planes, 16), ...advance(out, 16),
  ]));
}

const modules = new Map(); // by the function that makes them

function instance(make, memory) {
  if (!modules.has(make)) modules.set(make, make());
  return new WebAssembly.Instance(modules.get(make), {m: {m: memory}}).exports.f;
}

/** The entropy model in use, see decoder.js. */
function kernel() {
  const memory = new WebAssembly.Memory({initial: 1});
  const {model: m, values: v, places: p, out: o} = KERNEL;
  const [predict, cells] = [modelModule, cellsModule].map((make) => instance(make, memory));
  const views = () => ({
    model: new Float64Array(memory.buffer, m, MODEL.size), values: new Float64Array(memory.buffer, v, 48),
    places: new Int32Array(memory.buffer, p, 48), out: new Float64Array(memory.buffer, o, 2),
  });
  return {
    ...views(), share, predict: (size) => predict(v, p, size, m, o, 0),
    /** Room for a level: {own, parent}, arrays of so many integers. What was in it is lost. */
    begin(ownSize, parentSize, columns) {
      const shared = KERNEL.free;
      const found = shared + 144 * Math.ceil(columns / 2);
      const own = found + 16 * columns;
      const parent = own + 2 * ownSize + (ownSize & 1) * 2;
      const missing = parent + 2 * parentSize - memory.buffer.byteLength;
      try {
        if (missing > 0) memory.grow(Math.ceil(missing / 65536));
      } catch {
        return {}; // the decoder takes memory of its own, or says that there is none
      }
      const {buffer} = memory;
      new Uint8Array(buffer, own).fill(0);
      const sums = new Float64Array(buffer, shared, 18 * Math.ceil(columns / 2));
      const rows = [0, 1].map((n) => new Int32Array(buffer, found + 8 * columns * n, 2 * columns));
      return Object.assign(this, views(), {
        own: new Int16Array(buffer, own, ownSize), parent: new Int16Array(buffer, parent, parentSize),
        sums, found: rows,
        taps(parents, owns) {
          new Int32Array(buffer, KERNEL.counts, 2).set([parents.length, owns.length]);
          const entries = [...parents, ...owns].flatMap((offset, n) => (
            [2 * offset, 18 * (n + (n < parents.length ? 1 : 2))]));
          new Int32Array(buffer, KERNEL.table, entries.length).set(entries);
        },
        cells: (atParent, atOwn, row) => cells(
          parent + 2 * atParent, own + 2 * atOwn, shared, columns, found + 8 * columns * row, 4 * columns),
      });
    },
  };
}

const networks = new WeakMap();

/** A network in the memory of WebAssembly: its function, and the address behind what it needs. */
function prepare(network) {
  const {layers} = network;
  let end = 0;
  const room = (bytes) => (end += 16 * Math.ceil(bytes / 16)) - 16 * Math.ceil(bytes / 16);
  const places = {
    raw: room(192), x: room(192), waves: room(384), features: room(16 * Math.max(...layers.map(({rows}) => rows))),
    trees: layers.map(({tree}) => room(tree.byteLength)),
    weights: layers.map(({rows, outputs}) => room(4 * rows * outputs)),
  };
  const memory = new WebAssembly.Memory({initial: Math.ceil(end / 65536)});
  const {buffer} = memory;
  new Float32Array(buffer, places.features).fill(1, 0, 4);
  layers.forEach(({tree, rows, outputs, weights}, number) => {
    new Int32Array(buffer, places.trees[number], tree.length).set(tree);
    const own = new Float32Array(buffer, places.weights[number], rows * outputs);
    for (let n = 0; n < own.length; n++) {
      const o = n % outputs;
      own[n] = weights[4 * ((o >> 2) * rows + Math.floor(n / outputs)) + (o & 3)];
    }
  });
  const {f} = new WebAssembly.Instance(networkModule(network, places), {m: {m: memory}}).exports;
  return {memory, end, run: f};
}

/** What `evaluate` of decoder.js does, four points at a time. */
function vectors(network, planes, size) {
  if (!networks.has(network)) networks.set(network, prepare(network));
  const {memory, end, run} = networks.get(network);
  const {inputs, colours} = network;
  const groups = Math.ceil(size / 4);
  const missing = end + 16 * groups * (inputs + colours) - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / 65536));
  const own = new Float32Array(memory.buffer, end, 4 * groups * (inputs + colours));
  for (let j = 0; j < inputs; j++) own.set(planes.subarray(j * size, (j + 1) * size), 4 * groups * j);
  const results = 4 * groups * inputs;
  // Piece by piece, since a browser replaces its first, slow machine code between two calls.
  for (let n = 0; n < groups; n += 64) {
    run(end + 16 * n, end + 4 * results + 16 * n, 16 * groups, Math.min(64, groups - n), 0, 0);
  }
  const out = new Float32Array(colours * size);
  for (let c = 0; c < colours; c++) {
    out.set(own.subarray(results + 4 * groups * c, results + 4 * groups * c + size), c * size);
  }
  return out;
}

// --- WebGL2

const four = (size) => Math.ceil(size / 4); // so many vectors hold them

/** The fragment shader of a network, and the table that it reads: for each layer and frequency the members as 0 and 1,
 * then a and b of every four outputs; behind them the linear path. */
function shaderOf({layers, linear, inputs, colours}) {
  const table = [];
  const put = (size, value) => table.push(...count(4 * four(size), (n) => (n < size ? value(n) : 0)));
  const each = (size, make) => count(four(size), make).join('');
  const body = layers.map(({inputs: p, outputs, residual, members, rows, weights}) => {
    const first = table.length / 4;
    members.forEach((k, number) => {
      put(p, (j) => +k.includes(j));
      for (let n = 0; n < 2 * four(outputs); n++) {
        put(4, (o) => weights[4 * ((n >> 1) * rows + 2 * number + (n & 1)) + o]);
      }
    });
    return `${each(p, (n) => `f[${n}]=fract(x[${n}]);`)}${each(outputs, (n) => `y[${n}]=vec4(0);`)}
for(int k=${first};k<${table.length / 4};k+=${four(p) + 2 * four(outputs)}){
  vec2 z=turn(0.${each(p, (n) => `+dot(W(k+${n}),f[${n}])`)});
  ${each(outputs, (n) => `y[${n}]+=z.x*W(k+${four(p) + 2 * n})+z.y*W(k+${four(p) + 2 * n + 1});`)}
}
${each(outputs, (n) => `x[${n}]${residual ? '+' : ''}=y[${n}];`)}`;
  });
  const direct = table.length / 4;
  for (let j = 0; linear && j < inputs; j++) put(colours, (c) => linear[j * colours + c]);
  const series = (terms) => terms.map((term) => term.toFixed(16)).join('+t*(') + ')'.repeat(terms.length - 1);
  const input = (j) => {
    const x = `x[${j >> 2}][${j & 3}]`;
    return `${x}=P(i+${j}*size);${linear ? `sum+=${x}*W(${direct + j});` : ''}`;
  };
  const source = `#version 300 es
precision highp float;precision highp int;precision highp sampler2D;
uniform sampler2D planes,table;uniform float scale;uniform int size;out vec4 colour;
float P(int n){return texelFetch(planes,ivec2(n&1023,n>>10),0).r;}
vec4 W(int n){return texelFetch(table,ivec2(n&1023,n>>10),0);}
vec2 turn(float x){float r=fract(x)-.5,t=r*r,s=r*(${series(SINE)}),c=${series(COSINE)};return vec2(2.*s*s-1.,-2.*s*c);}
void main(){
vec4 x[3],f[3],y[3],sum=vec4(0);
int i=int(gl_FragCoord.y)*1024+int(gl_FragCoord.x);
for(int n=0;n<3;n++)x[n]=vec4(0);
${count(inputs, input).join('\n')}
for(int n=0;n<3;n++)x[n]*=scale;
${body.join('\n')}
colour=x[0]+sum;}`;
  return {source, table: new Float32Array(table)};
}

/** A function like `evaluate` that runs in a shader of a WebGL2 context, or null where it cannot render to floats. */
function shadingOf(gl) {
  if (!gl?.getExtension('EXT_color_buffer_float')) return null;
  const programs = new Map();
  const textures = count(3, (unit) => {
    const texture = gl.createTexture();
    gl.activeTexture(gl.TEXTURE0 + unit);
    gl.bindTexture(gl.TEXTURE_2D, texture);
    for (const name of ['MIN', 'MAG']) gl.texParameteri(gl.TEXTURE_2D, gl[`TEXTURE_${name}_FILTER`], gl.NEAREST);
    return texture;
  });
  gl.bindFramebuffer(gl.FRAMEBUFFER, gl.createFramebuffer());
  const fill = (unit, rows, channels, numbers) => {
    const padded = numbers && new Float32Array(rows * 1024 * channels);
    padded?.set(numbers);
    gl.activeTexture(gl.TEXTURE0 + unit);
    const [inside, outside] = channels === 1 ? [gl.R32F, gl.RED] : [gl.RGBA32F, gl.RGBA];
    gl.texImage2D(gl.TEXTURE_2D, 0, inside, 1024, rows, 0, outside, gl.FLOAT, padded);
  };
  const compile = (source) => {
    const program = gl.createProgram();
    const corners = '#version 300 es\nvoid main(){gl_Position=vec4(gl_VertexID==1?3:-1,gl_VertexID==2?3:-1,0,1);}';
    for (const [type, text] of [[gl.VERTEX_SHADER, corners], [gl.FRAGMENT_SHADER, source]]) {
      const shader = gl.createShader(type);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    return program;
  };
  let last = null;
  return (network, planes, size) => {
    if (network !== last) {
      const {source, table} = shaderOf(network);
      if (!programs.has(source)) programs.set(source, compile(source));
      const program = programs.get(source);
      gl.useProgram(program);
      const place = (name) => gl.getUniformLocation(program, name);
      gl.uniform1i(place('table'), 1);
      gl.uniform1f(place('scale'), network.scale);
      fill(1, Math.ceil(table.length / 4096), 4, table);
      last = Object.assign(network, {sizeAt: place('size')});
    }
    const rows = Math.ceil(size / 1024);
    fill(0, Math.ceil(planes.length / 1024), 1, planes);
    fill(2, rows, 4, null);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, textures[2], 0);
    gl.viewport(0, 0, 1024, rows);
    gl.uniform1i(network.sizeAt, size);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    const found = new Float32Array(rows * 4096);
    gl.readPixels(0, 0, 1024, rows, gl.RGBA, gl.FLOAT, found);
    if (gl.getError() || gl.isContextLost()) throw new Error('the graphics processor has failed');
    return Float32Array.from({length: network.colours * size}, (_, n) => found[4 * (n % size) + Math.floor(n / size)]);
  };
}

const IMITATED = /swiftshader|llvmpipe|software|basic render/i; // by the processor that runs this

/**
 * What is quickest here, for the option `fast` of `decode`. A graphics processor that is only imitated is not used,
 * unless `software` says so: vectors of WebAssembly are quicker.
 *
 * @param {{wasm?: boolean, webgl?: boolean, software?: boolean}} [wanted]
 * @returns {{kernel?: Function, evaluate?: Function, ways: string[]}}
 */
export function accelerated({wasm = true, webgl = true, software = false} = {}) {
  const found = {ways: []};
  try { // there may be no vectors, or the page's policy forbids WebAssembly
    if (wasm) Object.assign(found, {kernel: kernel() && kernel, evaluate: vectors, ways: ['wasm']});
  } catch {}
  try { // there may be no canvas without a page
    const context = webgl && new OffscreenCanvas(1, 1).getContext('webgl2');
    const named = context?.getExtension('WEBGL_debug_renderer_info')?.UNMASKED_RENDERER_WEBGL;
    const name = context?.getParameter(named ?? context.RENDERER);
    let shaded = context && (software || !IMITATED.test(name)) && shadingOf(context);
    if (!shaded) return found;
    const other = found.evaluate ?? evaluate;
    found.evaluate = (...given) => {
      try {
        if (shaded) return shaded(...given);
      } catch {
        shaded = null; // the context is lost
      }
      return other(...given);
    };
    found.ways.push('webgl');
  } catch {}
  return found;
}
