/**
 * A minute of garbage of all kinds on the UDP ports of everybody: a bootstrap node in this process, a server and a client
 * of the real command, and a tunnel between these that has to deliver every byte meanwhile.
 */
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import v8 from 'node:v8';
import vm from 'node:vm';
import t from 'tap';
import { systemClock } from '../../src/base/clock.js';
import { silentLogger } from '../../src/base/logger.js';
import { systemRandom } from '../../src/base/random.js';
import { ToxId } from '../../src/tox/crypto/tox-id.js';
import { newSavedata } from '../../src/tox/savedata.js';
import { Tox, type ToxDeps } from '../../src/tox/tox.js';
import { exchange, startExchangeService } from '../support/exchange.js';
import { freeTcpPort, freeUdpPort, type Process, startTuntox } from '../support/processes.js';
import { SeededRandom } from '../support/seeded-random.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { Flooder } from './support/flooder.js';
import { forgeries, type Victim } from './support/hostile-packets.js';
import { Wiretap } from './support/wiretap.js';

const SECRET = 'canary of the flood';
/** ms: garbage before the first measurement, until all tables are as full as they get; and after it. */
const WARM_UP = 20_000;
const DURATION = 40_000;
const PACKETS_PER_SECOND = 3_000;
/** Of the well-made packets, so many of each kind. */
const FORGED = 400;
/** First bytes of packets that are to be overheard. */
const KINDS = [0x00, 0x02, 0x19, 0x1a, 0x1b, 0x80];
const MIB = 2 ** 20;
/** The garbage collector's liberty: what a process may have more at the end. A leak of 1 kB a packet would be 40 MiB. */
const MORE_RESIDENT = 20 * MIB;
const MORE_HEAP = 2 * MIB;

v8.setFlagsFromString('--expose-gc');
const collectGarbage = vm.runInNewContext('gc') as () => void;

function heapUsed(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

const descriptorsOf = ({ pid }: Process): number => readdirSync(`/proc/${pid}/fd`).length;

const flags = { ports: { first: 1024, last: 65_535 }, ipv6: false, lanDiscovery: false };

t.test('a flood of garbage stops nothing, and leaves nothing behind', async (t) => {
  const deps: ToxDeps = { clock: systemClock, random: systemRandom, log: silentLogger };
  const node = new Tox(deps, { ...flags, savedata: newSavedata(systemRandom) });
  await node.start();
  t.teardown(() => node.stop());
  const bootstrap = ['--bootstrap', `127.0.0.1:${node.localPort}:${node.dhtPublicKey.hex}`];

  const start = (...args: string[]): Process => {
    const command = startTuntox([...args, ...bootstrap], { env: { TUNTOX_SHARED_SECRET: SECRET } });
    t.teardown(() => command.stop('SIGKILL'));
    return command;
  };
  const service = await startExchangeService();
  t.teardown(() => service.close());
  const serverPort = await freeUdpPort();
  const server = start('-C', temporaryDirectory(t), '-u', `${serverPort}:${serverPort}`);
  const id = ToxId.parse((await server.waitFor(/^([0-9A-F]{76})\n/))[1] as string) as ToxId;
  await server.waitFor(/online/);
  const clientPort = await freeUdpPort();
  const tunnel = await freeTcpPort();
  const forward = `${tunnel}:127.0.0.1:${service.port}`;
  const client = start('-i', id.toString(), '-u', `${clientPort}:${clientPort}`, '-L', forward);
  await client.waitFor(/listening/);
  await exchange(tunnel, { seed: 'before', up: 1000, down: 1000 });

  // The packets of an admitted client are recorded: they are genuine, so the server can decrypt them.
  const wiretap = new Wiretap();
  const admitted = new Tox({ ...deps, openSocket: wiretap.open }, { ...flags, savedata: newSavedata(systemRandom) });
  await admitted.start();
  admitted.bootstrap({ host: '127.0.0.1', port: node.localPort, publicKey: node.dhtPublicKey });
  const friend = admitted.addFriend(id, Buffer.from(`${SECRET}\0`));
  await new Promise<void>((resolve) => friend.onPresence((presence) => presence === 'online' && resolve()));
  friend.sendLossless(Buffer.concat([Buffer.from([0xa2]), Buffer.alloc(1000)]));
  const isOverheard = (kind: number): boolean => wiretap.samples.some((packet) => packet[0] === kind);
  const keyOfServer = () => wiretap.keyAt(`127.0.0.1:${serverPort}`);
  while (!KINDS.every(isOverheard) || keyOfServer() === undefined) await sleep(50);
  const dhtKey = keyOfServer() as Victim['dhtKey'];
  await admitted.stop();

  const random = new SeededRandom(1);
  const victims: Victim[] = [
    { dhtKey, realKey: id.publicKey },
    { dhtKey: node.dhtPublicKey, realKey: node.publicKey },
  ];
  const genuine = wiretap.samples;
  const flooder = await Flooder.start(random, {
    ports: [serverPort, serverPort, node.localPort, clientPort],
    packetsPerSecond: PACKETS_PER_SECOND,
    genuine,
    forged: victims.flatMap((victim) => forgeries(random, victim, FORGED)),
  });

  let isOver = false;
  let exchanges = 0;
  const beside = (async () => {
    for (; !isOver; exchanges += 1) {
      await exchange(tunnel, { seed: `beside${exchanges}`, up: 300_000, down: 300_000 });
      await sleep(100);
    }
  })();
  /** A client that connects during the flood: it finds the server, and the server answers. */
  const visit = async (): Promise<void> => {
    const ping = start('-p', '-i', id.toString());
    const status = await ping.exited;
    t.equal(status, 0, 'a ping is answered');
    if (status !== 0) t.comment(ping.stderr);
  };
  const measure = async () => ({
    heap: heapUsed(),
    server: await server.resident(),
    client: await client.resident(),
    descriptors: descriptorsOf(server) + descriptorsOf(client),
  });

  await Promise.race([
    beside,
    sleep(WARM_UP / 2)
      .then(visit)
      .then(() => sleep(WARM_UP / 2)),
  ]);
  const before = await measure();
  for (let round = 0; round < 4; round += 1) await Promise.race([beside, sleep(DURATION / 4).then(visit)]);
  const after = await measure();
  isOver = true;
  await beside;
  flooder.stop();

  t.comment(
    `${flooder.sent} packets, ${flooder.answers} answers, ${exchanges} exchanges; MiB resident: server ` +
      `${Math.round(before.server / MIB)} -> ${Math.round(after.server / MIB)}, client ` +
      `${Math.round(before.client / MIB)} -> ${Math.round(after.client / MIB)}; heap of the node ` +
      `${(before.heap / MIB).toFixed(1)} -> ${(after.heap / MIB).toFixed(1)}; descriptors ${before.descriptors} -> ${after.descriptors}`,
  );
  t.ok(exchanges > 1, `the tunnel worked on: ${exchanges} exchanges`);
  t.ok(after.server < before.server + MORE_RESIDENT, 'the server has grown no more');
  t.ok(after.client < before.client + MORE_RESIDENT, 'nor has the client');
  t.ok(after.heap < before.heap + MORE_HEAP, 'nor has what the node remembers');
  t.ok(after.descriptors <= before.descriptors + 2, 'no descriptor was left open');
  t.ok(flooder.answeredBytes < 1.5 * flooder.sentBytes, 'nobody can make us flood others');
  t.equal(await server.stop(), 0, 'the server ends well');
  t.notMatch(server.stderr + client.stderr, /Error|at file:|node:internal/);
  t.notMatch(server.stderr + client.stderr, SECRET);
  client.kill('SIGINT');
  await once(client.child, 'exit');
});
