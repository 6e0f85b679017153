/** The addon itself: invalid arguments, its build, and its batches. */
import { execFileSync, spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import {
  type NativeAddon,
  type NativeEvent,
  type NativeSocket,
  nativeAddon,
} from '../../../src/tox/network/native-addon.js';
import { ROOT } from '../../support/processes.js';
import { builtAddon, requirementsMet, tool } from '../../support/requirements.js';

const WORDS = 5;
const FILE = join(ROOT, `dist/native/${process.platform}-${process.arch}.node`);
const COMPILER = [tool('make', 'make'), tool('cc', 'gcc')];
/** The environment without the variables that tap adds for child processes. */
const ENVIRONMENT = { ...process.env, NODE_OPTIONS: '', MAKEFLAGS: '', MAKELEVEL: '' };

type Received = readonly [length: number, segment: number, address: string | null, port: number];

/** Two sockets on loopback; `heard` is what the second got. */
function pair(t: { teardown(end: () => void): void }) {
  const addon = nativeAddon({}) as NativeAddon;
  const heard: Received[] = [];
  let notify = (): void => {};
  const open = (onEvent: (event: NativeEvent) => void): NativeSocket => {
    const socket = addon.open('127.0.0.1', 0, false, onEvent) as NativeSocket;
    t.teardown(() => addon.close(socket));
    return socket;
  };
  const a = open(() => {});
  const b = open((event) => {
    if (typeof event !== 'object') return;
    for (let at = 0; at < event.length; at += 4) {
      const [bytes, ...rest] = event.slice(at, at + 4) as [Buffer, number, string | null, number];
      heard.push([bytes.length, ...rest]);
    }
    notify();
  });
  const got = (bytes: number): Promise<void> =>
    new Promise((resolve) => {
      notify = () => heard.reduce((sum, [length]) => sum + length, 0) >= bytes && resolve();
      notify();
    });
  const to = addon.encode('127.0.0.1', b.port, false) as Buffer;
  return { addon, a, b, to, heard, got };
}

t.test('datagrams of one size are sent and received as one message', async (t) => {
  if (!requirementsMet(t, builtAddon())) return;
  const { addon, a, to, heard, got } = pair(t);
  const runs = Int32Array.of(30 * 1400 + 7, 1400, 1, 0, 0);
  t.equal(addon.send(a, Buffer.alloc(50_000), runs, to, 1), 1);
  await got(30 * 1400 + 7);
  t.same(heard, [[30 * 1400 + 7, 1400, '127.0.0.1', a.port]]);
  t.equal(runs[4], 0);
});

t.test('a partly sent run continues where it stopped', async (t) => {
  if (!requirementsMet(t, builtAddon())) return;
  const { addon, a, to, got } = pair(t);
  const runs = Int32Array.of(3000, 1000, 0, 2000, 0);
  t.equal(addon.send(a, Buffer.alloc(3000), runs, to, 1), 1);
  await got(1000);
  t.equal(runs[3], 3000);
});

t.test('only the datagram that is too large for the interface is refused, if it must not be fragmented', async (t) => {
  if (!requirementsMet(t, builtAddon())) return;
  const { addon, a, to, got } = pair(t);
  // Loopback passes any datagram, so this one exceeds the maximum size of a datagram.
  const runs = Int32Array.of(65_535, 65_535, 1, 0, 0, 5, 5, 1, 0, 0);
  t.equal(addon.send(a, Buffer.alloc(65_540), runs, Buffer.concat([to, to]), 2), 2);
  t.same([runs[4], runs[WORDS + 4]], [90, 0]);
  await got(5);
});

const UNSOUND: readonly (readonly [string, readonly number[]])[] = [
  ['a negative length', [-1, 1, 0, 0, 0]],
  ['more bytes than there are', [101, 101, 0, 0, 0]],
  ['no segment', [10, 0, 0, 0, 0]],
  ['a negative segment', [10, -5, 0, 0, 0]],
  ['more segments than the kernel takes', [65, 1, 0, 0, 0]],
  ['more than all sent', [10, 5, 0, 15, 0]],
  ['all sent', [10, 5, 0, 10, 0]],
  ['a part of a datagram sent', [10, 5, 0, 3, 0]],
  ['less than nothing sent', [10, 5, 0, -5, 0]],
];

for (const [what, run] of UNSOUND) {
  t.test(`a run of ${what} is refused whole`, async (t) => {
    if (!requirementsMet(t, builtAddon())) return;
    const { addon, a, to, heard } = pair(t);
    t.equal(addon.send(a, Buffer.alloc(100), Int32Array.from(run), to, 1), -1);
    t.same(heard, []);
  });
}

t.test('runs beyond the tables, another family, and a closed socket are refused', async (t) => {
  if (!requirementsMet(t, builtAddon())) return;
  const { addon, a, to } = pair(t);
  const run = [5, 5, 0, 0, 0];
  t.equal(addon.send(a, Buffer.alloc(100), Int32Array.from(run), Buffer.concat([to, to]), 2), -1);
  t.equal(addon.send(a, Buffer.alloc(100), Int32Array.from([...run, ...run]), to, 2), -1);
  const ipv6 = addon.encode('::1', 9, true) as Buffer;
  t.equal(addon.send(a, Buffer.alloc(100), Int32Array.from(run), ipv6, 1), -1);
  addon.close(a);
  t.equal(addon.send(a, Buffer.alloc(100), Int32Array.from(run), to, 1), -1);
});

t.test('a text that is no address is refused', async (t) => {
  if (!requirementsMet(t, builtAddon())) return;
  const { addon } = pair(t);
  const [long, other] = ['a'.repeat(1000), '\u0131.2.3.4'];
  for (const text of ['localhost', '127.0.0.1\0', '1.2.3', ':::', '%', '127.0.0.1 ', long, other]) {
    t.equal(typeof addon.encode(text, 1, false), 'number', text);
    t.equal(typeof addon.encode(text, 1, true), 'number', text);
  }
  t.equal(typeof addon.encode('127.0.0.1', 65_536, false), 'number');
});

t.test('memory that another thread may change is refused', async (t) => {
  if (!requirementsMet(t, builtAddon())) return;
  const { addon, a, to } = pair(t);
  const run = [5, 5, 0, 0, 0];
  const shared = new Int32Array(new SharedArrayBuffer(20));
  shared.set(run);
  t.equal(addon.send(a, Buffer.alloc(5), shared, to, 1), -1);
  t.equal(addon.send(a, Buffer.alloc(5), Int32Array.from(run), to, 1), 1);
});

/** Runs a pair of sockets while the kernel returns the errors in `faults` (native/faults.c). */
function pairWith(faults: Readonly<Record<string, number>>) {
  const library = join(ROOT, 'dist/native-checked/faults.so');
  execFileSync('make', ['--no-print-directory', 'dist/native-checked/faults.so'], { cwd: ROOT, env: ENVIRONMENT });
  const settings = Object.fromEntries(Object.entries(faults).map(([name, value]) => [name, String(value)]));
  const { stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'dist/test/support/udp-pair.js')], {
    encoding: 'utf8',
    env: { ...ENVIRONMENT, LD_PRELOAD: library, ...settings },
  });
  return { ...JSON.parse(stdout), refusals: stderr.split('refused to cut').length - 1 };
}

const { EIO, EINVAL, EPERM, ENOSYS } = constants.errno;
const [SEGMENT_OPTION, GRO_OPTION] = [103, 104];
const ALL = { errors: 0, lost: [], count: 42 };

const FALLBACKS: readonly (readonly [string, Readonly<Record<string, number>>, object])[] = [
  ['a device that cannot cut is asked once', { FAULT_SEGMENTED: EIO }, { ...ALL, kind: 'native', refusals: 1 }],
  ['each run that cannot be cut goes one by one', { FAULT_SEGMENTED: EINVAL }, { ...ALL, kind: 'native', refusals: 3 }],
  [
    'of a run, what is too long is refused alone',
    { FAULT_SEGMENTED: EINVAL, FAULT_LONGER: 1200 },
    { errors: 1, lost: [1400], count: 41, kind: 'native', refusals: 3 },
  ],
  ['a kernel without segments', { FAULT_OPTION: SEGMENT_OPTION }, { ...ALL, kind: 'native', refusals: 0 }],
  ['a kernel that joins none', { FAULT_OPTION: GRO_OPTION }, { ...ALL, kind: 'native', refusals: 0 }],
  ['a filter against recvmmsg leaves it to Node', { FAULT_RECVMMSG: ENOSYS }, { ...ALL, kind: 'node', refusals: 0 }],
  ['a filter against sendmmsg leaves it to Node', { FAULT_SENDMMSG: EPERM }, { ...ALL, kind: 'node', refusals: 0 }],
];

for (const [what, faults, outcome] of FALLBACKS) {
  t.test(what, async (t) => {
    if (!requirementsMet(t, ...COMPILER, builtAddon())) return;
    t.same(pairWith(faults), outcome);
  });
}

t.test('random arguments never make it access foreign memory', async (t) => {
  if (!requirementsMet(t, ...COMPILER, builtAddon())) return;
  const output = execFileSync('make', ['--no-print-directory', 'fuzz-native', 'FUZZ_ROUNDS=5000'], {
    cwd: ROOT,
    encoding: 'utf8',
    env: ENVIRONMENT,
  });
  t.match(output, /^5000 calls came back, and datagrams arrived$/m);
});

t.test('the addon needs no C library newer than 2012', async (t) => {
  if (!requirementsMet(t, builtAddon(), tool('readelf', 'binutils'))) return;
  const text = execFileSync('readelf', ['--version-info', '--wide', FILE], { encoding: 'utf8' });
  const versions = [...text.matchAll(/GLIBC_2\.([0-9]+)/g)].map(([, minor]) => Number(minor));
  t.ok(versions.length > 0 && Math.max(...versions) <= 17, `${versions}`);
});
