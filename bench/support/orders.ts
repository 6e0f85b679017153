/**
 * The owner of a daemon and many programs at its control socket, in a process of their own. It takes one word a line and
 * answers with a line when that is done:
 *
 *     connect     50 programs are there: some watch the connections, some the log, the others are idle
 *     order N     so many orders in a row, each when the one before was answered; the line has the ms of each (JSON)
 *     leave       the programs are gone
 *
 * It is started with the path of the socket, and ends with its standard input.
 */
import { createInterface } from 'node:readline';
import { systemClock } from '../../src/base/clock.js';
import { systemRandom } from '../../src/base/random.js';
import { ControlClient } from '../../src/control/client.js';
import { generateKeyPair } from '../../src/tox/crypto/key-pair.js';

const PROGRAMS = 50;
/** Of the programs, that watch the connections, and as many the log. */
const WATCHERS = 5;
/** ms; more than any order takes. */
const PATIENCE = 60_000;

const [path = ''] = process.argv.slice(2);
const connect = (): Promise<ControlClient> =>
  ControlClient.connect(systemClock, { path, client: 'benchmark', timeout: PATIENCE });

let programs: ControlClient[] = [];

async function connectAll(): Promise<string> {
  programs = await Promise.all(Array.from({ length: PROGRAMS }, connect));
  const options = { onEvent: (): void => {} };
  // They end with their program.
  programs.slice(1, 1 + WATCHERS).map((one) => one.stream('connections.watch', {}, options).catch(() => {}));
  programs.slice(-WATCHERS).map((one) => one.stream('log.tail', {}, options).catch(() => {}));
  return 'connected';
}

async function order(count: number): Promise<string> {
  const owner = programs[0] as ControlClient;
  let listed = '';
  const mixed: readonly (() => Promise<unknown>)[] = [
    () => owner.call('status', {}),
    () => owner.call('connections.list', {}),
    () => {
      listed = generateKeyPair(systemRandom).publicKey.hex;
      return owner.call('whitelist.add', { id: listed, adopt: true });
    },
    () => owner.call('whitelist.remove', { client: listed }),
  ];
  const times: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const startedAt = performance.now();
    await mixed[index % mixed.length]?.();
    times.push(Number((performance.now() - startedAt).toFixed(2)));
  }
  return JSON.stringify(times);
}

function leave(): string {
  for (const program of programs) program.close();
  return 'left';
}

let round = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const [word, count] = line.split(' ');
  round += 1;
  const answer = word === 'connect' ? await connectAll() : word === 'order' ? await order(Number(count)) : leave();
  process.stdout.write(`${round}: ${answer}\n`);
}
