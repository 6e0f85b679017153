/** Engines with fake stacks that reach each other, and a service. */
import { createServer } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import type { Test } from 'tap';
import { type Clock, systemClock } from '../../../src/base/clock.js';
import { type Logger, silentLogger } from '../../../src/base/logger.js';
import { FixedFactors } from '../../../src/engine/access/access-factors.js';
import { AccessPolicy } from '../../../src/engine/access/access-policy.js';
import { anyTarget } from '../../../src/engine/access/target-rules.js';
import { Engine } from '../../../src/engine/engine.js';
import { Identity, type IdentityPlace } from '../../../src/engine/state/identity.js';
import { ToxId } from '../../../src/tox/crypto/tox-id.js';
import { encodeSavedata } from '../../../src/tox/savedata.js';
import type { MayListen } from '../../../src/tunnel/server/client-ports.js';
import type { MayReach } from '../../../src/tunnel/server/request-handler.js';
import { TunnelService } from '../../../src/tunnel/tunnel-service.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { FakeStack } from './fake-stacks.js';
import { NAMES } from './names.js';

export const SECRET = Buffer.from('canary secret');
export const random = new SeededRandom(1);

export interface Peer {
  readonly engine: Engine;
  readonly tox: FakeStack;
  /** Everything, and what was a warning. */
  readonly said: string[];
  readonly warned: string[];
}

export interface PeerOptions {
  readonly mayReach?: MayReach;
  readonly mayListen?: MayListen;
  readonly place?: IdentityPlace;
  readonly clock?: Clock;
}

export async function startPeer(network: Map<string, FakeStack>, options: PeerOptions = {}): Promise<Peer> {
  const said: string[] = [];
  const warned: string[] = [];
  const say = (text: string): void => void said.push(text);
  const warn = (text: string): void => void [said, warned].map((list) => list.push(text));
  const log: Logger = { ...silentLogger, error: say, warn, info: say, debug: say };
  const clock = options.clock ?? systemClock;
  const identity = await Identity.open({ random, log }, options.place ?? { kind: 'nowhere' }, NAMES);
  const { publicKey, nospam } = identity.savedata.identity;
  const tox = new FakeStack(network, new ToxId(publicKey, nospam), encodeSavedata(identity.savedata));
  const { mayReach, mayListen } = options;
  const policy = { ...(mayReach && { mayReach }), ...(mayListen && { mayListen }) };
  const tunnels = new TunnelService({ clock, random, log: silentLogger, policy });
  const nodes = [{ host: '192.0.2.1', port: 33445, publicKey }];
  const engine = new Engine({ clock, random, log, tox, tunnels, identity }, { nodes, names: NAMES });
  await engine.start();
  return { engine, tox, said, warned };
}

export async function startServer(
  t: Test,
  network: Map<string, FakeStack>,
  factors: Partial<ConstructorParameters<typeof FixedFactors>[1]>,
  options: PeerOptions = {},
): Promise<Peer> {
  const server = await startPeer(network, { mayReach: anyTarget, ...options });
  const all = { secret: undefined, whitelist: [], isInsecureOpen: false, ...factors };
  server.engine.serve(new AccessPolicy(new FixedFactors({ random }, all)));
  t.teardown(() => server.engine.stop());
  return server;
}

/** The Tox ID of nobody in these networks. */
export function absentId(): ToxId {
  return ToxId.parse('E776E9A993EE3CAE04F5946D9AC66FBBAA8C63A95A94B41942353C6DC1739B4B4C762C7DA7B9') as ToxId;
}

/** Lets everything that is under way between fake stacks arrive. */
export async function settle(): Promise<void> {
  for (let count = 0; count < 20; count += 1) await setImmediate();
}

/** A service that answers everything in capital letters; resolves to its port. */
export function startService(t: Test): Promise<number> {
  const service = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes) => socket.write(bytes.toString().toUpperCase()));
  });
  t.teardown(() => service.close());
  return new Promise((resolve) => {
    service.listen(0, '127.0.0.1', () => resolve((service.address() as { port: number }).port));
  });
}
