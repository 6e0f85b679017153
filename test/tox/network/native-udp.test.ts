/** Rare behaviour of the kernel, with a fake addon. */
import t from 'tap';
import { silentLogger } from '../../../src/base/logger.js';
import { type BoundSocket, logBufferSize } from '../../../src/tox/network/bound-socket.js';
import type { NativeAddon, NativeEvent } from '../../../src/tox/network/native-addon.js';
import { nativeBinder } from '../../../src/tox/network/native-udp.js';
import { defaultBinder } from '../../../src/tox/network/udp-socket.js';
import { at } from '../../support/nodes.js';

const EAGAIN_AT_ONCE = 0;
const [A, B] = [at('192.0.2.1', 1), at('192.0.2.2', 2)];

/** An addon that takes a given number of datagrams in each call, by default all. */
class ScriptedAddon implements NativeAddon {
  readonly sent: string[] = [];
  /** Datagrams that each of the next calls takes. */
  readonly takes: number[] = [];
  /** The runs of each call: datagrams, and whether they must not be fragmented. */
  readonly calls: string[][] = [];
  /** By the text of a datagram. */
  readonly errors = new Map<string, number>();
  onEvent: (event: NativeEvent) => void = () => {};

  encode(address: string, port: number): Buffer {
    return Buffer.alloc(28, `${address}:${port} `);
  }

  open(_address: string, _port: number, _isIpv6: boolean, onEvent: (event: NativeEvent) => void) {
    this.onEvent = onEvent;
    return { port: 7, receiveBuffer: 1 };
  }

  send(_socket: object, bytes: Uint8Array, runs: Int32Array, addresses: Uint8Array, count: number): number {
    let room = this.takes.shift() ?? Number.POSITIVE_INFINITY;
    let start = 0;
    const call: string[] = [];
    for (let run = 0; run < count; run += 1) {
      const [size = 0, segment = 0, isWhole = 0, done = 0] = runs.subarray(run * 5, run * 5 + 4);
      const to = Buffer.from(addresses.subarray(run * 28, run * 28 + 28))
        .toString()
        .split(' ')[0];
      call.push(`${Math.ceil((size - done) / segment)}${isWhole === 1 ? ' whole' : ''} to ${to}`);
      for (let at = done; at < size; at += segment) {
        if (room === 0) {
          this.calls.push(call);
          return run;
        }
        room -= 1;
        const text = Buffer.from(bytes.subarray(start + at, start + Math.min(size, at + segment))).toString();
        const error = this.errors.get(text);
        if (error === undefined) this.sent.push(text);
        else runs[run * 5 + 4] = error;
        runs[run * 5 + 3] = Math.min(size, at + segment);
      }
      start += size;
    }
    this.calls.push(call);
    return count;
  }

  close(): void {}
}

async function open() {
  const addon = new ScriptedAddon();
  const errors: string[] = [];
  const heard: string[] = [];
  const socket: BoundSocket = await nativeBinder(addon)(
    { isIpv6: false, address: undefined, port: 0, log: silentLogger },
    {
      onDatagram: (packet, source) => heard.push(`${packet} from ${source}`),
      onError: (error) => errors.push((error as NodeJS.ErrnoException).code ?? ''),
      onClosed: () => {},
    },
  );
  return { addon, socket, errors, heard, send: (text: string, to = A) => socket.send(Buffer.from(text), to) };
}

t.test(
  'the datagrams of a tick are sent in one call, with a run of one size to one destination as one message',
  async (t) => {
    const { addon, send } = await open();
    for (const text of ['aa', 'bb', 'c', 'dd', '\x1bx', '\x1by']) send(text);
    send('ee', B);
    send('ff', A);
    t.same(addon.calls, [], 'not yet');
    await null;
    t.same(addon.calls, [
      ['3 to 192.0.2.1:1', '1 to 192.0.2.1:1', '2 to 192.0.2.1:1', '1 to 192.0.2.2:2', '1 to 192.0.2.1:1'],
    ]);
    t.same(addon.sent, ['aa', 'bb', 'c', 'dd', '\x1bx', '\x1by', 'ee', 'ff']);
  },
);

t.test('only data packets above the safe size must not be fragmented', async (t) => {
  const { addon, socket } = await open();
  for (const [kind, size] of [
    [0x1b, 1400],
    [0x1b, 1400],
    [0x1b, 1000],
    [0x1b, 1168],
    [0x80, 1400],
  ] as const) {
    socket.send(Buffer.alloc(size, kind), A);
  }
  await null;
  t.same(addon.calls, [['3 whole to 192.0.2.1:1', '1 to 192.0.2.1:1', '1 to 192.0.2.1:1']]);
});

t.test('a run has at most 64 datagrams, and no more bytes than an IP packet', async (t) => {
  const { addon, send } = await open();
  for (let index = 0; index < 65; index += 1) send('x'.repeat(10));
  for (let index = 0; index < 50; index += 1) send('y'.repeat(1400));
  await null;
  t.same(
    addon.calls[0]?.map((run) => Number.parseInt(run, 10)),
    [64, 1, 46, 4],
  );
});

t.test('datagrams that found no room are sent first when there is room, in order and once', async (t) => {
  const { addon, send, errors } = await open();
  addon.takes.push(2, 1);
  for (const text of ['aa', 'bb', 'cc']) send(text);
  send('dd', B);
  await null;
  t.same(addon.sent, ['aa', 'bb']);
  send('ee', B);
  await null;
  t.same(addon.sent, ['aa', 'bb'], 'it waits for the socket');
  addon.onEvent(undefined);
  t.same(addon.sent, ['aa', 'bb', 'cc']);
  addon.onEvent(undefined);
  t.same(addon.sent, ['aa', 'bb', 'cc', 'dd', 'ee']);
  t.same(errors, []);
});

t.test('no more waits than the queue holds', async (t) => {
  const { addon, send, errors } = await open();
  addon.takes.push(EAGAIN_AT_ONCE);
  for (let index = 0; index < 1000; index += 1) send('z'.repeat(1000));
  await null;
  addon.onEvent(undefined);
  t.equal(addon.sent.length, 262, '256 KiB');
  t.same(new Set(errors), new Set(['ENOBUFS']));
  t.equal(errors.length, 1000 - 262);
  send('after');
  await null;
  t.equal(addon.sent.at(-1), 'after');
});

t.test('a socket that is always writable but never takes anything loses its queue, and continues', async (t) => {
  const { addon, send, errors } = await open();
  addon.takes.push(...new Array(101).fill(EAGAIN_AT_ONCE));
  send('lost');
  await null;
  for (let index = 0; index < 100; index += 1) addon.onEvent(undefined);
  t.same(errors, ['ENOBUFS']);
  send('next');
  await null;
  t.same(addon.sent, ['next']);
});

t.test('each refusal is reported once, later, to its sender', async (t) => {
  const { addon, socket, send, errors } = await open();
  addon.errors.set('no', 101);
  let refusals = 0;
  send('aa');
  socket.send(Buffer.from('no'), A, () => {
    refusals += 1;
    send('again');
  });
  socket.send(Buffer.from('ok'), A, () => t.fail('it was sent'));
  await null;
  t.same(addon.sent, ['aa', 'ok']);
  t.same(errors, ['ENETUNREACH']);
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(refusals, 1);
  t.same(addon.sent, ['aa', 'ok', 'again']);
});

t.test('after a refusal an address is encoded again, since its interface may have a new number', async (t) => {
  const { addon, send } = await open();
  let lookUps = 0;
  const { encode } = addon;
  addon.encode = (...address) => {
    lookUps += 1;
    return encode(...address);
  };
  addon.errors.set('no', 19);
  for (const text of ['a', 'no', 'b']) send(text);
  await null;
  t.equal(lookUps, 1);
  send('c');
  t.equal(lookUps, 2);
});

t.test('a socket that failed reports no refusals', async (t) => {
  const { addon, socket, errors } = await open();
  addon.errors.set('no', 9);
  socket.send(Buffer.from('no'), A, () => t.fail('it is the socket'));
  await new Promise((resolve) => setImmediate(resolve));
  t.same(errors, ['EBADF']);
});

t.test('a received message is split into datagrams, each with its source', async (t) => {
  const { addon, heard } = await open();
  addon.onEvent([Buffer.from('aabbc'), 2, '192.0.2.9', 5, Buffer.from('dd'), 0, null, 5, Buffer.from(''), 0, '::1', 6]);
  t.same(heard, [
    'aa from 192.0.2.9:5',
    'bb from 192.0.2.9:5',
    'c from 192.0.2.9:5',
    'dd from 192.0.2.9:5',
    ' from [::1]:6',
  ]);
});

t.test('a buffer smaller than requested is logged with advice', async (t) => {
  const lines: string[] = [];
  const log = { ...silentLogger, debug: (text: string) => void lines.push(text) };
  logBufferSize(log, 'native', 2 * 4_194_304);
  logBufferSize(log, 'node', 2 * 212_992);
  t.same(lines, [
    'UDP by native sockets, receive buffer 4194304 bytes',
    'UDP by node sockets, receive buffer 212992 bytes: the kernel grants no more, and fast links lose packets with less than 4194304; set net.core.rmem_max to that in a file of /etc/sysctl.d (the package contains sysctl.d/10-tuntox.conf), then run sysctl --system',
  ]);
});

t.test('Node opens the socket if the addon cannot, unless the port is in use', async (t) => {
  const addon = new ScriptedAddon();
  const options = { isIpv6: false, address: '127.0.0.1', port: 0, log: silentLogger };
  const handlers = { onDatagram: () => {}, onError: () => {}, onClosed: () => {} };
  const failing = (errno: number) => defaultBinder(Object.assign(addon, { open: () => errno }));
  const socket = await failing(38)(options, handlers);
  t.teardown(() => socket.close());
  t.equal(socket.kind, 'node');
  await t.rejects(failing(98)(options, handlers), { code: 'EADDRINUSE' });
});
