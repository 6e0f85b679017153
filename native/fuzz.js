// Calls the addon with random arguments: node --expose-gc native/fuzz.js FILE [ROUNDS]; `make fuzz-native` runs it with the sanitizers.
// It ends with status 0 if every call returned, and some valid datagrams in between arrived; native/faults.c injects errors.
import { createRequire } from 'node:module';
import { isMainThread, Worker, workerData } from 'node:worker_threads';

const [file, rounds = '20000'] = isMainThread ? process.argv.slice(2) : workerData;
const addon = createRequire(import.meta.url)(file);
let state = isMainThread ? 1 : 2;
const below = (n) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * n);
};
const pick = (list) => list[below(list.length)];

const hasBoxes = addon.sealBox !== undefined;
let received = 0;
const take = (event) => {
  if (typeof event !== 'object') return;
  for (let at = 0; at < event.length; at += 4) received += event[at].length;
};
/** The kernel may refuse to open a socket. */
const open = (isIpv6, callback = take) => {
  const socket = addon.open(isIpv6 ? '::1' : '127.0.0.1', 0, isIpv6, callback);
  return typeof socket === 'object' ? socket : undefined;
};
const tryHard = (isIpv6) => Array.from({ length: 100 }, () => undefined).reduce((socket) => socket ?? open(isIpv6), undefined);
const sockets = [tryHard(false), tryHard(true)].filter((socket) => socket !== undefined);
const detached = new Uint8Array(64);
structuredClone(detached, { transfer: [detached.buffer] });
const NUMBERS = [-1, 0, 1, 2, 5, 28, 63, 64, 65, 1400, 4096, 65_535, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 32, Number.NaN, 0.5, Infinity];
const TEXTS = ['', '127.0.0.1', '::1', 'fe80::1%lo', '%', 'fe80::1%', ':', '\0', '127.0.0.1\0x', 'a'.repeat(63), '1'.repeat(5000), '::ffff:127.0.0.1', 'ü'];
TEXTS.push('€'.repeat(20), '€'.repeat(21), '\ud800', 'fe80::1%€', '1.2.3.4%lo', `${'1'.repeat(46)}%lo`, `${'1'.repeat(47)}%lo`);
const anything = () =>
  pick([
    () => undefined, () => null, () => true, () => false, () => pick(NUMBERS), () => pick(TEXTS), () => Symbol('x'), () => 1n,
    () => ({}), () => [], () => () => {}, () => pick(sockets), () => Object.create(pick(sockets)), () => detached,
    () => new Uint8Array(below(200)), () => new Int32Array(below(80)), () => new Float64Array(8), () => new DataView(new ArrayBuffer(8)),
    () => new Uint8Array(new SharedArrayBuffer(64)), () => new Proxy({}, {}), () => Buffer.alloc(below(70_000)),
    () => new Uint8Array(new ArrayBuffer(8, { maxByteLength: 64 })),
  ])();

const words = 5;
/** Arguments of which often one is invalid. */
function almostSend(socket = pick(sockets)) {
  const isIpv6 = below(2) === 0;
  const count = 1 + below(80);
  const runs = new Int32Array(count * words);
  const addresses = Buffer.alloc(count * 28);
  const to = addon.encode(isIpv6 ? '::1' : '127.0.0.1', pick(sockets).port, isIpv6);
  let total = 0;
  for (let index = 0; index < count; index += 1) {
    const segment = 1 + below(below(10) === 0 ? 65_000 : 1400);
    const size = Math.min(65_000, below(segment * pick([1, 2, 64]) + 1));
    const done = size > segment && below(8) === 0 ? segment : 0;
    runs.set([size, segment, below(2), done, 0], index * words);
    addresses.set(to, index * 28);
    total += size;
  }
  if (below(3) === 0) runs[below(runs.length)] = pick(NUMBERS);
  // Only the family and port change, not the address: no datagram may leave this machine.
  if (below(6) === 0) addresses[below(count) * 28 + below(4)] = below(256);
  const bytes = Buffer.alloc(below(4) === 0 ? below(total + 1) : total);
  return addon.send(socket, bytes, runs, addresses, below(8) === 0 ? pick(NUMBERS) : count);
}

/** Seals, perhaps damages, and opens a box within a larger memory, of which nothing else changes. */
function almostBox() {
  const memory = Buffer.alloc(1600, 7);
  const [from, length] = [below(40), below(1500)];
  const packet = memory.subarray(from, from + length);
  const cipher = Buffer.alloc(below(8) === 0 ? below(200) : 81);
  const nonce = Buffer.alloc(below(8) === 0 ? below(60) : 24, below(3));
  const at = below(8) === 0 ? pick(NUMBERS) : below(40);
  const start = from + (at >>> 0);
  const isSealed = addon.sealBox(packet, at, nonce, cipher);
  const isDamaged = below(2) === 0 && isSealed;
  if (isDamaged) memory[start + below(from + length - start)] ^= 1 + below(255);
  const isOpened = addon.openBox(packet, at, nonce, cipher);
  const rest = [memory.subarray(0, isSealed ? start : from), memory.subarray(from + length)];
  if (isOpened !== (isSealed && !isDamaged) || rest.some((bytes) => bytes.some((byte) => byte !== 7))) throw new Error('wrong box');
}

function nonsense() {
  const name = pick(['encode', 'open', 'send', 'close', ...(hasBoxes ? ['sealBox', 'openBox'] : [])]);
  const given = Array.from({ length: below(7) }, anything);
  // Our own sockets stay open.
  if (name === 'close' && sockets.includes(given[0])) return;
  const made = addon[name](...given);
  if (name === 'open' && typeof made === 'object') addon.close(made);
}

function lifeAndDeath() {
  const socket = open(below(2) === 0);
  if (socket === undefined) return;
  if (below(2) === 0) addon.close(socket);
  if (below(2) === 0) addon.close(socket);
  if (below(2) === 0) addon.send(socket, Buffer.alloc(8), Int32Array.of(8, 8, 0, 0, 0), Buffer.alloc(28), 1);
  // A socket that is not closed is closed by the garbage collector, or at the end.
  if (below(8) !== 0) addon.close(socket);
}

/** A callback that sends, closes or throws while it receives. */
function deathWhileCalled() {
  const socket = open(false, () => {
    if (below(2) === 0) almostSend(socket);
    if (below(2) === 0) addon.close(socket);
    if (below(4) === 0) throw new Error('on purpose');
  });
  if (socket === undefined) return;
  const to = addon.encode('127.0.0.1', socket.port, false);
  addon.send(sockets[0], Buffer.alloc(640), Int32Array.of(640, 10, 0, 0, 0), to, 1);
  setTimeout(() => addon.close(socket), below(20));
}

process.on('uncaughtException', (error) => {
  if (error.message === 'on purpose') return;
  console.error(error);
  process.exit(1);
});

/** Ends while sockets are in use. */
async function end(worker) {
  await new Promise((resolve) => setTimeout(resolve, 20));
  await worker.terminate();
}

const workers = [];
for (let round = 0; round < Number(rounds); round += 1) {
  pick([almostSend, nonsense, nonsense, lifeAndDeath, deathWhileCalled, ...(hasBoxes ? [almostBox] : [])])();
  if (round % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
  if (round % 500 === 0) globalThis.gc?.();
  if (isMainThread && round % 2500 === 0) workers.push(new Worker(new URL(import.meta.url), { workerData: [file, '1000000'] }));
  if (workers.length > 1) await end(workers.shift());
}
await Promise.all(workers.map(end));
await new Promise((resolve) => setTimeout(resolve, 50));
addon.close(sockets[0]);
console.log(`${rounds} calls came back${hasBoxes ? '' : ', without libsodium'}, ${received > 0 ? 'and' : 'but no'} datagrams arrived`);
// The second one is left open: the process ends with it.
process.exit(received > 0 ? 0 : 1);
