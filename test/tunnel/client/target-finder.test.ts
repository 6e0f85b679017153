import type { Socket } from 'node:net';
import t, { type Test } from 'tap';
import { FloodLog } from '../../../src/base/flood-log.js';
import { silentLogger } from '../../../src/base/logger.js';
import type { DynamicSpec } from '../../../src/tunnel/client/forward-spec.js';
import { LocalForward } from '../../../src/tunnel/client/local-forward.js';
import type { Opener } from '../../../src/tunnel/client/peer-opener.js';
import type { LocalEnd } from '../../../src/tunnel/stream/local-end.js';
import type { Reason } from '../../../src/tunnel/wire/reasons.js';
import type { Target } from '../../../src/tunnel/wire/target.js';
import { FakeLink } from '../support/fake-link.js';
import { howItEnds, pairOfOurs, readAll, readSome, until, World } from '../support/world.js';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const dynamicAt = (bind: string | undefined, users?: DynamicSpec['users']): DynamicSpec => ({
  ...{ kind: 'dynamic', at: { kind: 'port', bind, port: 0 }, users },
});
const DYNAMIC = dynamicAt('127.0.0.1');
const GRANTED = hex('05 00 05 00 00 01 00000000 0000');

/** A whole request of SOCKS 5, at once. */
function socks5({ host, port }: Target): Buffer {
  const name = Buffer.from(host);
  return Buffer.concat([hex('05 01 00 05 01 00 03'), Buffer.of(name.length), name, Buffer.of(port >> 8, port & 0xff)]);
}

/** A dynamic forward whose lines are kept. */
async function dynamic(t: Test, opener: Opener, spec = DYNAMIC) {
  const world = new World(t);
  const { clock } = world;
  const warnings: string[] = [];
  const log = { ...silentLogger, warn: (text: string) => void warnings.push(text) };
  const deps = { clock, opener, log, floodLog: new FloodLog({ clock, log }), hasRoom: () => true };
  const forward = new LocalForward(deps, { spec });
  await forward.listen();
  t.teardown(() => forward.close());
  return { world, forward, warnings };
}

const refusing = (reason: Reason): Opener => ({
  terms: 'extended',
  open: (_target, { onRefused }) => {
    onRefused(reason);
    return () => {};
  },
});

t.test('a program reaches the target that it names, and what it sends with its request arrives', async (t) => {
  const { world, client, serverId, target } = await pairOfOurs(t, (socket: Socket) => void socket.pipe(socket));
  const forward = await client.forward(serverId, DYNAMIC);
  const program = await world.connect(forward.port);
  program.end(Buffer.concat([socks5(target), Buffer.from('early data')]));
  t.equal((await readAll(program)).toString('latin1'), `${GRANTED.toString('latin1')}early data`);
  t.match(forward.traffic, { total: 1 });
});

t.test('programs of all protocols use the same port, and the server refuses what they may not reach', async (t) => {
  const mayReach = (_: string, { port }: Target) =>
    port === 9 ? ({ allowed: false, reason: 'rule' } as const) : ({ allowed: true } as const);
  const { world, client, serverId, target } = await pairOfOurs(t, (socket) => void socket.end('hello'), { mayReach });
  const forward = await client.forward(serverId, DYNAMIC);
  const say = async (request: Buffer | string): Promise<string> => {
    const program = await world.connect(forward.port);
    program.end(request);
    return (await readAll(program)).toString('latin1');
  };
  const socks4a = (port: number): Buffer =>
    Buffer.concat([hex('04 01'), Buffer.of(port >> 8, port & 0xff), hex('00000001 00'), Buffer.from('127.0.0.1\0')]);
  t.equal(await say(socks4a(target.port)), '\0\x5a\0\0\0\0\0\0hello');
  t.equal(await say(socks4a(9)), '\0\x5b\0\0\0\0\0\0');
  t.match(await say(`CONNECT 127.0.0.1:${target.port} HTTP/1.1\r\n\r\n`), /^HTTP\/1.1 200 [^\n]*\r\n\r\nhello$/);
  t.match(
    await say('CONNECT 127.0.0.1:9 HTTP/1.1\r\n\r\n'),
    /^HTTP\/1.1 403 .*\r\n\r\n127.0.0.1:9: the server does not allow this target/s,
  );
  t.equal(await say(socks5({ host: '127.0.0.1', port: 9 })), '\x05\0\x05\x02\0\x01\0\0\0\0\0\0');
});

t.test('a program whose target fails learns why, before its connection ends in good order', async (t) => {
  for (const [reason, code] of [
    ['peer-offline', 3],
    ['name-not-found', 4],
    ['connection-refused', 5],
    ['timeout', 6],
  ] as const) {
    const { world, forward, warnings } = await dynamic(t, refusing(reason));
    const program = await world.connect(forward.port);
    program.write(socks5({ host: 'h', port: 80 }));
    t.same((await readAll(program)).subarray(2, 4), Buffer.of(5, code), reason);
    t.match(warnings, [/^h:80: /]);
    program.end();
    await until(() => forward.pending === 0);
  }
});

t.test('a program that leaves while its target is connected to cancels the request', async (t) => {
  const link = new FakeLink();
  const { world, forward } = await dynamic(t, link);
  const program = await world.connect(forward.port);
  program.write(socks5({ host: 'h', port: 80 }));
  await until(() => link.asked.length === 1);
  t.equal(forward.pending, 1);
  program.resetAndDestroy();
  await until(() => {
    world.clock.advance(5_000);
    return link.cancelled === 1;
  });
  t.equal(forward.pending, 0);
  t.equal(world.clock.pending, 0);
});

t.test('a forward that is closed resets the programs that have named nothing yet', async (t) => {
  const { world, forward } = await dynamic(t, new FakeLink());
  const program = await world.connect(forward.port);
  program.write(hex('05'));
  await until(() => forward.pending === 1);
  forward.close();
  t.equal(await howItEnds(program), 'ECONNRESET');
  await until(() => world.clock.pending === 0);
});

t.test('refused programs are told in the log, those that leave are not', async (t) => {
  const { world, forward, warnings } = await dynamic(t, new FakeLink());
  const page = await world.connect(forward.port);
  page.end('GET / HTTP/1.1\r\n\r\n');
  t.match((await readAll(page)).toString(), /^HTTP\/1.1 405 /);
  const scanner = await world.connect(forward.port);
  scanner.destroy();
  await until(() => forward.pending === 0);
  t.same(warnings, [`127.0.0.1:${forward.port}: a program was refused: it sent an HTTP request that is not CONNECT`]);
});

t.test('only the given users reach a target', async (t) => {
  const link = new FakeLink();
  const users = [{ name: 'ann', password: 'one' }];
  const { world, forward } = await dynamic(t, link, dynamicAt('127.0.0.1', users));
  const [wrong, right] = [await world.connect(forward.port), await world.connect(forward.port)];
  wrong.end(hex('05 01 02 01 03 616e6e 03 74776f'));
  t.same(await readAll(wrong), hex('05 02 01 01'));
  right.write(hex('05 01 02 01 03 616e6e 03 6f6e65 05 01 00 01 7f000001 0050'));
  t.same(await readSome(right, 4), hex('05 02 01 00'));
  await until(() => link.asked.length === 1);
  link.asked[0]?.onRefused('peer-offline');
  t.same(await readSome(right, 10), hex('05 03 00 01 00000000 0000'));
});

t.test('a port that others reach warns, unless they need a password', async (t) => {
  const link = new FakeLink();
  const warningsOf = async (spec: DynamicSpec): Promise<string[]> => (await dynamic(t, link, spec)).warnings;
  t.match(await warningsOf(dynamicAt(undefined)), [
    /^everybody who reaches port \d+ of this machine can use the tunnel: /,
  ]);
  t.same(await warningsOf(dynamicAt(undefined, [{ name: 'a', password: 'b' }])), []);
  t.same(await warningsOf(dynamicAt('localhost')), []);
});

t.test('the bytes of a tunnel follow the answer, whichever come first', async (t) => {
  const link = new FakeLink();
  const { world, forward } = await dynamic(t, link);
  const program = await world.connect(forward.port);
  program.write(socks5({ host: 'h', port: 80 }));
  await until(() => link.asked.length === 1);
  const end = link.asked[0]?.onAccepted() as LocalEnd | undefined;
  end?.sink.write('bytes');
  t.equal((await readSome(program, GRANTED.length + 5)).toString('latin1'), `${GRANTED.toString('latin1')}bytes`);
});
