// Gives the native part nonsense: node native/fuzz.js FILE [ROUNDS]; `make fuzz-native` does, with the sanitizers. It ends with status 0
// when every call came back, and all that was sound in between has arrived.
import { createRequire } from 'node:module';

const [file, rounds = '20000'] = process.argv.slice(2);
const addon = createRequire(import.meta.url)(file);
let state = 1;
const below = (n) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * n);
};
const pick = (list) => list[below(list.length)];

let received = 0;
const take = (event) => {
  if (typeof event !== 'object') return;
  for (let at = 0; at < event.length; at += 4) received += event[at].length;
};
const open = (isIpv6) => addon.open(isIpv6 ? '::1' : '127.0.0.1', 0, isIpv6, take);
const sockets = [open(false), open(true)].filter((socket) => typeof socket === 'object');
const detached = new Uint8Array(64);
structuredClone(detached, { transfer: [detached.buffer] });
const NUMBERS = [-1, 0, 1, 2, 5, 28, 63, 64, 65, 1400, 4096, 65_535, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 32, Number.NaN, 0.5, Infinity];
const TEXTS = ['', '127.0.0.1', '::1', 'fe80::1%lo', '%', 'fe80::1%', ':', '\0', '127.0.0.1\0x', 'a'.repeat(63), '1'.repeat(5000), '::ffff:127.0.0.1', 'ü'];
const anything = () =>
  pick([
    () => undefined, () => null, () => true, () => false, () => pick(NUMBERS), () => pick(TEXTS), () => Symbol('x'), () => 1n,
    () => ({}), () => [], () => () => {}, () => pick(sockets), () => Object.create(pick(sockets)), () => detached,
    () => new Uint8Array(below(200)), () => new Int32Array(below(80)), () => new Float64Array(8), () => new DataView(new ArrayBuffer(8)),
    () => new Uint8Array(new SharedArrayBuffer(64)), () => new Proxy({}, {}), () => Buffer.alloc(below(70_000)),
  ])();

const words = 5;
/** Sound but for one thing, often. */
function almostSend() {
  const socket = pick(sockets);
  const isIpv6 = below(2) === 0;
  const count = 1 + below(80);
  const runs = new Int32Array(count * words);
  const addresses = Buffer.alloc(count * 28);
  const to = addon.encode(isIpv6 ? '::1' : '127.0.0.1', socket.port, isIpv6);
  let total = 0;
  for (let index = 0; index < count; index += 1) {
    const segment = 1 + below(below(10) === 0 ? 65_000 : 1400);
    const size = Math.min(65_000, below(segment * pick([1, 2, 64]) + 1));
    runs.set([size, segment, below(2), 0, 0], index * words);
    addresses.set(to, index * 28);
    total += size;
  }
  if (below(3) === 0) runs[below(runs.length)] = pick(NUMBERS);
  // Family and port, no address: nothing may leave this machine.
  if (below(6) === 0) addresses[below(count) * 28 + below(4)] = below(256);
  const bytes = Buffer.alloc(below(4) === 0 ? below(total + 1) : total);
  return addon.send(socket, bytes, runs, addresses, below(8) === 0 ? pick(NUMBERS) : count);
}

function nonsense() {
  const name = pick(['encode', 'open', 'send', 'close']);
  const given = Array.from({ length: below(7) }, anything);
  // Our own two stay open.
  if (name === 'close' && sockets.includes(given[0])) return;
  const made = addon[name](...given);
  if (name === 'open' && typeof made === 'object') addon.close(made);
}

function lifeAndDeath() {
  const socket = open(below(2) === 0);
  if (typeof socket !== 'object') return;
  if (below(2) === 0) addon.close(socket);
  if (below(2) === 0) addon.close(socket);
  if (below(2) === 0) addon.send(socket, Buffer.alloc(8), Int32Array.of(8, 8, 0, 0, 0), Buffer.alloc(28), 1);
  if (below(8) !== 0) addon.close(socket);
}

for (let round = 0; round < Number(rounds); round += 1) {
  pick([almostSend, nonsense, nonsense, lifeAndDeath])();
  if (round % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
}
await new Promise((resolve) => setTimeout(resolve, 50));
for (const socket of sockets) addon.close(socket);
console.log(`${rounds} calls came back, ${received > 0 ? 'and' : 'but no'} datagrams arrived`);
process.exit(received > 0 ? 0 : 1);
