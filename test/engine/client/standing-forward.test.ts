import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import t, { type Test } from 'tap';
import { FloodLog } from '../../../src/base/flood-log.js';
import { type Logger, silentLogger } from '../../../src/base/logger.js';
import type { ForwardEntry } from '../../../src/engine/client/forward-entry.js';
import type { RemoteServer } from '../../../src/engine/client/remote-server.js';
import { StandingForward } from '../../../src/engine/client/standing-forward.js';
import { PublicKey } from '../../../src/tox/crypto/keys.js';
import { ToxId } from '../../../src/tox/crypto/tox-id.js';
import type { LocalSpec } from '../../../src/tunnel/client/forward-spec.js';
import { LocalForward } from '../../../src/tunnel/client/local-forward.js';
import { ManualClock } from '../../support/manual-clock.js';
import { FakeLink } from '../../tunnel/support/fake-link.js';
import { settle } from '../support/peers.js';

const id = new ToxId(new PublicKey(Buffer.alloc(32, 1)), Buffer.alloc(4));

/** A forward at a port through a server that is not there. */
function start(t: Test, port: number) {
  const clock = new ManualClock();
  const warned: string[] = [];
  const log: Logger = { ...silentLogger, warn: (text: string) => void warned.push(text) };
  const releases: true[] = [];
  const ends: ((error: Error) => void)[] = [];
  const server = {
    get givenUp() {
      return new Promise<never>((_, reject) => ends.push(reject));
    },
    isOnline: false,
    facts: { path: { kind: 'none', reason: 'searching', since: 0 }, rtt: undefined },
    reason: new Error('it has not been found'),
    forward: async (spec: LocalSpec) => {
      const deps = { clock, log, opener: new FakeLink(), floodLog: new FloodLog({ clock, log }), hasRoom: () => true };
      const local = new LocalForward(deps, { spec });
      await local.listen();
      t.teardown(() => local.close());
      return local;
    },
  };
  const held = {
    server: server as unknown as RemoteServer,
    isAdmittedBySecret: false,
    release: () => void releases.push(true),
  };
  const entry: ForwardEntry = {
    spec: { kind: 'local', at: { kind: 'port', bind: '127.0.0.1', port }, target: { host: 'db', port: 5432 } },
    server: { id, name: undefined, secret: undefined },
    addedAt: 0,
  };
  const forward = new StandingForward({ clock, log, pool: { hold: () => held } }, entry);
  return { clock, forward, warned, releases, ends };
}

async function occupiedPort(t: Test): Promise<{ readonly port: number; free(): Promise<unknown> }> {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.teardown(() => other.close());
  const free = () => new Promise((resolve) => other.close(resolve));
  return { port: (other.address() as AddressInfo).port, free };
}

t.test('a port in use is tried again until it is free, and logged once', async (t) => {
  const { port, free } = await occupiedPort(t);
  const { clock, forward, warned } = start(t, port);
  await forward.keepListening();
  t.match(forward.state.listenError, /in use by another program/);
  for (let count = 0; count < 3; count += 1) {
    clock.advance(5_000);
    await settle();
  }
  t.equal(warned.length, 1, 'however often it is tried');
  await free();
  clock.advance(5_000);
  await settle();
  t.equal(forward.state.listenError, undefined);
  t.notOk(forward.isWaiting);
  forward.close();
});

t.test('a forward that is closed while it waits for its port does not try again', async (t) => {
  const { port, free } = await occupiedPort(t);
  const { clock, forward, releases } = start(t, port);
  await forward.keepListening();
  forward.abort();
  await free();
  clock.advance(60_000);
  await settle();
  t.equal(forward.state.traffic.total, 0);
  t.equal(releases.length, 1, 'its server may go');
  t.equal(clock.pending, 0);
});

t.test('a server that said that it ends is searched again a minute later, as often as it ends', async (t) => {
  const { clock, forward, releases, ends } = start(t, 0);
  await forward.listen();
  for (let count = 1; count <= 3; count += 1) {
    ends.at(-1)?.(new Error('it has ended its share'));
    await settle();
    clock.advance(59_999);
    t.equal(ends.length, count);
    clock.advance(1);
    t.same([ends.length, releases.length], [count + 1, count]);
  }
  ends.at(-1)?.(new Error('it has ended its share'));
  await settle();
  forward.close();
  clock.advance(60_000);
  t.same([ends.length, releases.length], [4, 4], 'but not after it was closed');
});

t.test('without a connection the state says why', async (t) => {
  const { forward } = start(t, 0);
  await forward.listen();
  t.match(forward.state, { listenError: undefined, serverError: 'it has not been found', traffic: { open: 0 } });
  forward.close();
});
