/** The relay of a real node under 1,000 connections, half of them hostile, while the other half talks. */
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { PublicKey } from '../../src/tox/crypto/keys.js';
import type { NodeInfo } from '../../src/tox/packet/node-info.js';
import { at } from '../support/nodes.js';
import { freePort, PATIENCE, type Process, startTuntox } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { RelayTalkers } from './support/relay-talker.js';
import { RelayVandals, VANDALS } from './support/relay-vandals.js';

const PAIRS = 250;
const HOSTILE = 500;
/** ms between the messages of a pair. */
const INTERVAL = 400;
/** ms that the hostile have. */
const DURATION = 6_000;
const ROUNDS = 10;
const MIB = 2 ** 20;
/** How much more the process may use than before the first client. */
const MORE_RESIDENT = 150 * MIB;

const descriptorsOf = ({ pid }: Process): number => readdirSync(`/proc/${pid}/fd`).length;

async function until(condition: () => boolean): Promise<boolean> {
  for (let waited = 0; waited < PATIENCE; waited += 50) {
    if (condition()) return true;
    await sleep(50);
  }
  return condition();
}

t.test('a relay with 1,000 connections, half of them hostile, serves the others and stays small', async (t) => {
  const port = await freePort();
  const node = startTuntox(['--node', '-C', temporaryDirectory(t), '-u', `${port}:${port}`], { name: 'node' });
  t.teardown(() => node.stop('SIGKILL'));
  const [, key] = (await node.waitFor(/^[0-9]+:([0-9A-F]{64})\n/)) as unknown as [string, string];
  const relay: NodeInfo = { publicKey: PublicKey.parse(key) as PublicKey, endpoint: at('127.0.0.1', port) };
  const before = { resident: await node.resident(), descriptors: descriptorsOf(node) };

  const pairs: RelayTalkers[] = [];
  /** Each from hosts of their own, as the decent are. */
  const talk = (): RelayTalkers => {
    const host = pairs.length * 2;
    const hostOf = (index: number): string => `127.1.${index >> 8}.${index & 0xff}`;
    const pair = new RelayTalkers(relay, [hostOf(host), hostOf(host + 1)], INTERVAL);
    t.teardown(() => pair.close());
    pairs.push(pair);
    return pair;
  };
  while (pairs.length < PAIRS) {
    talk();
    // It ends connections when more than 256 are in the handshake.
    do await sleep(5);
    while (pairs.filter(({ rounds }) => rounds === 0).length >= 50);
  }
  t.ok(await until(() => pairs.every(({ rounds }) => rounds > 0)), 'all talk');

  const vandals = new RelayVandals(
    relay,
    pairs.map(({ keys }) => keys[1].publicKey),
  );
  t.teardown(() => vandals.leave());
  vandals.come(HOSTILE);
  const start = pairs.map(({ rounds }) => rounds);
  const newcomers: RelayTalkers[] = [];
  let most = { resident: 0, connections: 0 };
  const end = performance.now() + DURATION;
  const served = (): number[] => pairs.slice(0, PAIRS).map(({ rounds }, index) => rounds - (start[index] as number));
  while (performance.now() < end) {
    await sleep(500);
    if (newcomers.every(({ rounds }) => rounds > 0)) newcomers.push(talk());
    most = {
      resident: Math.max(most.resident, await node.resident()),
      connections: Math.max(most.connections, vandals.connections),
    };
  }
  t.ok(await until(() => newcomers.every(({ rounds }) => rounds > 0)), 'who comes in the midst of it is served');
  t.ok(await until(() => Math.min(...served()) >= ROUNDS), 'each pair goes on talking');
  t.comment(
    `rounds of a pair ${Math.min(...served())} to ${Math.max(...served())}, ${pairs.reduce((sum, { lost }) => sum + lost, 0)} ` +
      `messages lost; ${newcomers.length} pairs came meanwhile; ${most.connections} hostile connections at once, in all ` +
      `${[...vandals.calls.values()].reduce((sum, calls) => sum + calls, 0)}; ` +
      `MiB resident ${Math.round(before.resident / MIB)} -> ${Math.round(most.resident / MIB)}`,
  );
  for (const [kind, calls] of vandals.calls) t.comment(`${kind}: ${calls}`);
  for (const kind of Object.keys(VANDALS)) t.ok(vandals.calls.get(kind), `one that ${kind}`);
  t.same(
    pairs.flatMap(({ complaints }) => complaints),
    [],
    'no other byte came, and none of the decent was thrown out',
  );
  t.ok(most.resident < before.resident + MORE_RESIDENT, 'the process has not grown beyond measure');

  vandals.leave();
  for (const pair of pairs) pair.close();
  t.ok(await until(() => descriptorsOf(node) <= before.descriptors), 'no descriptor is left open');
  t.equal(await node.stop(), 0, 'the node ends well');
  t.notMatch(node.stderr, /Error|at file:|node:internal/);
});
