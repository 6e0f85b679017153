/** Each mode of a client with each error of the server, on a simulated clock: exit status and message. */
import { PassThrough } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { type Logger, silentLogger } from '../../../src/base/logger.js';
import { StopRequest } from '../../../src/cli/tuntox/context.js';
import { readCommandLine } from '../../../src/cli/tuntox/flags.js';
import { runJob } from '../../../src/cli/tuntox/modes/job.js';
import { FLAG_NAMES } from '../../../src/cli/tuntox/setting-names.js';
import { settingsOf } from '../../../src/cli/tuntox/settings.js';
import type { ClientSettings } from '../../../src/config/classic-settings.js';
import { keyWords } from '../../../src/config/words.js';
import { Engine } from '../../../src/engine/engine.js';
import { Identity } from '../../../src/engine/state/identity.js';
import { generateKeyPair } from '../../../src/tox/crypto/key-pair.js';
import { ToxId } from '../../../src/tox/crypto/tox-id.js';
import { encodeSavedata } from '../../../src/tox/savedata.js';
import type { BootstrapAddress } from '../../../src/tox/tox.js';
import { TunnelService } from '../../../src/tunnel/tunnel-service.js';
import { type FakeFriend, FakeStack } from '../../engine/support/fake-stacks.js';
import { ManualClock } from '../../support/manual-clock.js';
import { freeTcpPort } from '../../support/processes.js';
import { SeededRandom } from '../../support/seeded-random.js';

const ID = 'E776E9A993EE3CAE04F5946D9AC66FBBAA8C63A95A94B41942353C6DC1739B4B4C762C7DA7B9';
const random = new SeededRandom(1);
/** The stack is a fake, so this node is never asked. */
const NOBODY: BootstrapAddress = { host: '192.0.2.1', port: 33445, publicKey: generateKeyPair(random).publicKey };

interface Running {
  readonly clock: ManualClock;
  readonly tox: FakeStack;
  readonly friend: FakeFriend;
  readonly stopping: StopRequest;
  readonly errors: string[];
  readonly status: Promise<number>;
}

/** Starts a client whose server does nothing by itself. */
async function run(t: Test, words: string): Promise<Running> {
  const clock = new ManualClock();
  const errors: string[] = [];
  const log: Logger = { ...silentLogger, error: (text) => void errors.push(text), child: () => log };
  const settings = settingsOf(readCommandLine(['-i', ID, ...words.split(' ')]), {}) as ClientSettings;
  const identity = await Identity.open({ random, log }, { kind: 'nowhere' }, FLAG_NAMES);
  const { publicKey, nospam } = identity.savedata.identity;
  const tox = new FakeStack(new Map(), new ToxId(publicKey, nospam), encodeSavedata(identity.savedata));
  const tunnels = new TunnelService({ clock, random, log });
  const engine = new Engine(
    { clock, random, log, tox, tunnels, identity },
    { nodes: settings.nodes ?? [NOBODY], names: FLAG_NAMES },
  );
  await engine.start();
  t.teardown(() => engine.stop());
  const server = engine.connect(settings.serverId, undefined, { retry: settings.patience });
  const stopping = new StopRequest();
  const context = {
    environment: {},
    log,
    stopping,
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    hasColour: false,
    descriptors: [],
  };
  const status = runJob(settings, server, context);
  // The test may ask for the status late.
  status.catch(() => {});
  await settle();
  const [friend] = [...tox.friends.values()] as [FakeFriend];
  return { clock, tox, friend, stopping, errors, status };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await setImmediate();
}

const jobs = async (): Promise<string[]> => [`-L ${await freeTcpPort()}:127.0.0.1:22`, '-W 127.0.0.1:22', '-p'];

interface Failure {
  readonly name: string;
  readonly status: number;
  readonly message: RegExp;
  readonly happens: (running: Running) => void;
}

const FAILURES: readonly Failure[] = [
  {
    name: 'no network',
    status: 6,
    message: /^no node of the Tox network has answered .*: check that this machine/,
    happens: () => {},
  },
  {
    name: 'a server that is not found',
    status: 3,
    message: /^E776E9A9 has not been found for 30 s: check that it runs/,
    happens: ({ tox }) => tox.setOnline(true),
  },
  {
    name: 'a server that does not admit the client',
    status: 8,
    message: /^E776E9A9 is reachable, but has not admitted this client for 30 s: check the secret/,
    happens: ({ tox, friend }) => {
      tox.setOnline(true);
      friend.standing = { kind: 'found', since: 0 };
    },
  },
  {
    name: 'a server that answers, but to which there is no route',
    status: 7,
    message: /^E776E9A9 was found, but there has been no connection to it for 30 s: try again, or wait longer/,
    happens: ({ tox, friend }) => {
      tox.setOnline(true);
      friend.standing = { kind: 'answering', since: 0 };
    },
  },
  {
    name: 'an unusable proxy',
    status: 9,
    message: /^http:..192\.0\.2\.1:3128: the proxy is gone: check that it runs/,
    happens: ({ tox }) =>
      tox.setProxyFault({ code: 'unreachable', proxy: 'http://192.0.2.1:3128', reason: 'the proxy is gone' }),
  },
];

t.test('without bootstrap nodes, the error about the network does not blame them', async (t) => {
  const { clock, status, errors } = await run(t, '-p --timeout 30 --bootstrap none');
  clock.advance(30_000);
  t.equal(await status, 6);
  t.match(errors, [/^no node of the Tox network was found in 30 s without bootstrap nodes: .*name a node with -/]);
});

for (const { name, status, message, happens } of FAILURES) {
  t.test(`${name} ends every mode with ${status} after the timeout`, async (t) => {
    for (const job of await jobs()) {
      const running = await run(t, `${job} --timeout 30`);
      happens(running);
      running.clock.advance(29_999);
      await settle();
      const before = running.errors.length;
      running.clock.advance(1);
      t.equal(await running.status, status, job);
      t.equal(running.errors.length, before + 1);
      t.match(running.errors.at(-1), message);
    }
  });
}

t.test('a server that disconnects the client and does not admit it again ends -L with 8', async (t) => {
  const { clock, tox, friend, status, errors } = await run(t, `${(await jobs())[0]} --timeout 30`);
  tox.setOnline(true);
  friend.setOnline(true);
  clock.advance(60_000);
  friend.setOnline(false);
  friend.standing = { kind: 'found', since: 61_000 };
  clock.advance(30_000);
  t.equal(await status, 8);
  t.match(errors, [/has not admitted this client for 30 s/]);
});

t.test(
  'a client that is not admitted shows the words of its key, and what the owner of the server can run',
  async (t) => {
    const { clock, tox, friend, status, errors } = await run(t, '-p --timeout 30');
    const words = await keyWords(tox.id.publicKey);
    await settle();
    tox.setOnline(true);
    friend.standing = { kind: 'found', since: 0 };
    clock.advance(1_000);
    await settle();
    clock.advance(29_000);
    t.equal(await status, 8);
    t.match(errors, [
      `the words of your key: tuntoxctl clients approve ${words} (-C keeps the key for the next run); or`,
    ]);
  },
);

t.test('without --timeout -L waits forever, and the other modes give up after a minute', async (t) => {
  for (const job of await jobs()) {
    const { clock, status, stopping } = await run(t, job);
    clock.advance(24 * 3_600_000);
    await settle();
    stopping.ask('SIGINT');
    t.equal(await status, job.startsWith('-L') ? 130 : 6, job);
  }
});

t.test('Ctrl-C while connecting ends every mode with 130 and without an error', async (t) => {
  for (const job of await jobs()) {
    const { stopping, status, errors } = await run(t, job);
    stopping.ask('SIGINT');
    t.equal(await status, 130, job);
    t.same(errors, []);
  }
});

t.test('a server that disconnects ends -W and -p with 3', async (t) => {
  for (const job of ['-W 127.0.0.1:22', '-p']) {
    const { friend, tox, status, errors, clock } = await run(t, job);
    tox.setOnline(true);
    friend.setOnline(true);
    await settle();
    friend.setOnline(false);
    await settle();
    // A request that was not accepted yet waits at most a minute for the server's return.
    clock.advance(60_000);
    t.equal(await status, 3, job);
    t.equal(errors.length, 1, errors.join());
  }
});

t.test('a server that does not answer a ping or a request ends the client with 7', async (t) => {
  for (const [job, message] of [
    ['-p', /did not answer a ping/],
    ['-W 127.0.0.1:22', /did not answer the request/],
  ] as const) {
    const { friend, status, errors, clock } = await run(t, job);
    friend.setOnline(true);
    await settle();
    clock.advance(30_000);
    t.equal(await status, 7, job);
    t.match(errors, [message]);
  }
});
