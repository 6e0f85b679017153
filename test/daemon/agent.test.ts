/** A daemon that is the agent of its user: what `tuntox` asks of an agent, it asks of the daemon. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { carry } from '../../src/agent/carry.js';
import { Conversation } from '../../src/agent/conversation.js';
import type { AgentRequest } from '../../src/agent/messages.js';
import { type AgentPlaces, agentPlaces, pathsOf, type UserPlaces } from '../../src/agent/socket-file.js';
import { systemClock } from '../../src/base/clock.js';
import { silentLogger } from '../../src/base/logger.js';
import { endAgent } from '../../src/daemon/agent-handover.js';
import { FixedFactors } from '../../src/engine/access/access-factors.js';
import { AccessPolicy } from '../../src/engine/access/access-policy.js';
import { AgentServer } from '../../src/engine/agent/agent-server.js';
import { PublicKey } from '../../src/tox/crypto/keys.js';
import { freeTcpPort } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { startEcho, TestDaemon } from './support/test-daemon.js';

const deps = { clock: systemClock };

const placesFor = (t: Test): UserPlaces =>
  agentPlaces({ state: temporaryDirectory(t), runtime: join(temporaryDirectory(t), 'tuntox') });

async function ask(t: Test, places: AgentPlaces, request: AgentRequest): Promise<Conversation> {
  const { conversation } = await Conversation.begin(deps, places, request);
  t.teardown(() => conversation.close());
  return conversation;
}

/** A daemon that is an agent, and an open server in its network. */
async function start(t: Test) {
  const places = placesFor(t);
  const daemon = await TestDaemon.start(t, { agent: { places } });
  const { engine, id: toxId } = await daemon.server();
  const open = { secret: undefined, whitelist: [], isInsecureOpen: true };
  engine.serve(new AccessPolicy(new FixedFactors({ random: daemon.random }, open)));
  return { daemon, places, host: { toxId } };
}

t.test('programs of the user reach servers through the daemon, which a forward shares', async (t) => {
  const { daemon, places, host } = await start(t);
  const target = { host: '127.0.0.1', port: await startEcho(t) };
  const forward = `${await freeTcpPort()}:127.0.0.1:${target.port}`;
  await daemon.call('forwards.add', { server: host.toxId, forward });
  const conversation = await ask(t, places, { ask: 'open', host, target });
  await conversation.until('open', () => {});
  const [source, sink] = [new PassThrough(), new PassThrough()];
  const carried = carry(conversation, { source, sink });
  source.end('hello');
  t.equal(await text(sink), 'hello');
  await carried;
  t.match(await (await ask(t, places, { ask: 'status' })).next(), {
    program: 'tuntoxd 1.2.3',
    servers: [{ users: 1 }],
  });
});

t.test('the daemon does not end as an agent does, and says what ends it', async (t) => {
  const { places } = await start(t);
  for (const when of ['now', 'idle'] as const) {
    const conversation = await ask(t, places, { ask: 'stop', when });
    await t.rejects(conversation.next(), { code: 'not-allowed', message: /systemctl --user stop tuntox/ });
  }
  await t.rejects(endAgent({ ...deps, log: silentLogger, isRunning: () => true }, places), {
    code: 'in-use',
    message: /^a daemon of this user runs already \(tuntoxd 1\.2\.3, process \d+\): systemctl --user stop/,
  });
});

t.test('the socket ends with the daemon', async (t) => {
  const { daemon, places } = await start(t);
  const paths = pathsOf(places);
  t.same(paths.map(existsSync), [true, true]);
  await daemon.stop();
  t.same(paths.map(existsSync), [false, false]);
});

const noServers = {
  find: () => undefined,
  leave: () => 0,
  list: () => [],
  hold: (): never => {
    throw new Error('there are no servers');
  },
};

t.test('an agent that nobody uses ends for the daemon', async (t) => {
  const places = placesFor(t);
  const log = silentLogger;
  let isRunning = true;
  const handover = { ...deps, log, isRunning: () => isRunning };
  await endAgent(handover, places);
  const asked: string[] = [];
  const stop = (when: string): undefined => {
    asked.push(when);
    agent.close();
    setTimeout(() => {
      isRunning = false;
    }, 50);
  };
  const agent = new AgentServer(
    { clock: systemClock, random: (await TestDaemon.start(t)).random, log, pool: noServers, stop },
    { places, program: 'tuntox 1.2.3', pid: 4711, ownKey: new PublicKey(Buffer.alloc(32)) },
  );
  await agent.start();
  await endAgent(handover, places);
  t.same(asked, ['idle']);
  t.notOk(isRunning, 'its process has ended, and freed the identity');
});
