/** How a command finds the agent, with agents that are scripts. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type AgentPlaces, agentPlaces } from '../../../src/agent/socket-file.js';
import { systemClock } from '../../../src/base/clock.js';
import { silentLogger } from '../../../src/base/logger.js';
import { AgentAccess } from '../../../src/cli/tuntox/agent/agent-access.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const PROGRAM = 'tuntox 2.0.0';
const HOLD = { ask: 'hold', host: { toxId: 'E776'.padEnd(76, '0') } } as const;

interface Script {
  readonly version?: number;
  readonly program?: string;
  readonly options?: readonly string[];
  /** Whether somebody uses it, so that it does not end when it is asked to. */
  readonly isBusy?: boolean;
}

/** @returns what was asked of it */
async function startAgent(
  t: Test,
  places: AgentPlaces,
  { version = 1, program = PROGRAM, options = [], isBusy = false }: Script,
): Promise<string[]> {
  const asked: string[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.write(`${JSON.stringify({ event: 'hello', version, program, pid: 1, state: places.state, options })}\n`);
    socket.on('data', (bytes) => {
      const { ask } = JSON.parse(bytes.toString()) as { ask: string };
      asked.push(ask);
      if (ask !== 'stop') return;
      socket.end('{"event":"stopping"}\n');
      if (!isBusy) server.close();
    });
    t.teardown(() => socket.destroy());
  });
  t.teardown(() => server.close());
  server.listen(places.byIdentity);
  await once(server, 'listening');
  return asked;
}

function access(t: Test, places: AgentPlaces, networkOptions: readonly string[] = []) {
  const starts: (readonly string[])[] = [];
  const start = async (options: readonly string[]): Promise<void> => {
    starts.push(options);
    await startAgent(t, places, { options });
  };
  const options = { places, program: PROGRAM, networkOptions };
  return { starts, access: new AgentAccess({ clock: systemClock, log: silentLogger, start }, options) };
}

const placesFor = (t: Test): AgentPlaces => agentPlaces({ state: join(temporaryDirectory(t)), runtime: undefined });

t.test('where none runs, one is started for all requests that come together', async (t) => {
  const { starts, access: agent } = access(t, placesFor(t));
  const all = await Promise.all([1, 2, 3].map(() => agent.begin(HOLD)));
  t.equal(starts.length, 1);
  for (const conversation of all) conversation.close();
});

t.test('after an upgrade the old agent serves, and is asked to end when nobody uses it', async (t) => {
  const places = placesFor(t);
  const asked = await startAgent(t, places, { program: 'tuntox 1.9.0', isBusy: true });
  const { starts, access: agent } = access(t, places);
  (await agent.begin(HOLD)).close();
  t.same(asked, ['hold', 'stop']);
  t.same(starts, []);
});

t.test('an idle agent of another version of the protocol is replaced', async (t) => {
  const places = placesFor(t);
  const asked = await startAgent(t, places, { version: 0, program: 'tuntox 1.0.0' });
  const { starts, access: agent } = access(t, places);
  (await agent.begin(HOLD)).close();
  t.ok(asked.includes('stop'));
  t.equal(starts.length, 1);
});

t.test('a daemon of another version of the protocol is named, and not asked to end', async (t) => {
  const places = placesFor(t);
  const asked = await startAgent(t, places, { version: 2, program: 'tuntoxd 3.0.0' });
  await t.rejects(access(t, places).access.begin(HOLD), { code: 'version', message: /tuntoxd 3\.0\.0.*restart that/ });
  t.notOk(asked.includes('stop'));
});

t.test('an agent that runs without the options of this command is not used', async (t) => {
  const places = placesFor(t);
  await startAgent(t, places, { options: ['--proxy=none'] });
  (await access(t, places, ['--proxy=none']).access.begin(HOLD)).close();
  await t.rejects(access(t, places, ['--bootstrap=none']).access.begin(HOLD), {
    code: 'options',
    message: /^--bootstrap is an option of the agent .* run "tuntox agent stop" first, or remove --bootstrap/,
  });
});

t.test('an agent that takes the place of another one has its options, such as a proxy', async (t) => {
  const places = placesFor(t);
  const options = ['--proxy=socks5://127.0.0.1:1080'];
  await startAgent(t, places, { options });
  const { starts, access: agent } = access(t, places);
  (await agent.begin(HOLD)).close();
  const stopping = await agent.begin({ ask: 'stop', when: 'now' });
  await stopping.next();
  stopping.close();
  (await agent.begin(HOLD)).close();
  t.same(starts, [options]);
});
