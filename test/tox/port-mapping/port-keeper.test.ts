import t from 'tap';
import { silentLogger } from '../../../src/base/logger.js';
import type { Gateway } from '../../../src/tox/network/default-gateway.js';
import { PortKeeper } from '../../../src/tox/port-mapping/port-keeper.js';
import { failed, type LocalPort, type MapResult } from '../../../src/tox/port-mapping/port-mapper.js';
import { ManualClock } from '../../support/manual-clock.js';
import { at } from '../../support/nodes.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { GATEWAY, pass } from './fake-router.js';

const UDP: LocalPort = { protocol: 'udp', port: 7000 };
const TCP: LocalPort = { protocol: 'tcp', port: 7001 };
const MINUTE = 60_000;
const mapped = (external: string, lifetime = 20 * MINUTE): MapResult => {
  const [address = '', port] = external.split(':');
  return { kind: 'mapped', mapping: { external: at(address, Number(port)), lifetime, by: 'PCP' } };
};

interface Setting {
  readonly ports?: readonly LocalPort[];
  readonly answer?: (port: LocalPort) => MapResult;
  readonly map?: () => Promise<MapResult>;
  readonly gateway?: Gateway | undefined;
}

function make({ ports = [UDP], map, ...setting }: Setting = {}) {
  const clock = new ManualClock();
  const world = {
    gateway: GATEWAY as Gateway | undefined,
    answer: (port: LocalPort): MapResult => mapped(`11.1.0.1:${port.port}`),
    answers: true,
    ...setting,
    events: [] as string[],
    lines: [] as string[],
    changes: 0,
  };
  const { events, lines } = world;
  const note = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
  const log = { ...silentLogger, info: note('info'), debug: note('debug') };
  const never = new Promise<never>(() => {});
  const keeper = new PortKeeper(
    {
      clock,
      random: new SeededRandom(1),
      log,
      gateway: () => world.gateway,
      mapper: ({ address }) => ({
        map: (port) => {
          events.push(`map ${port.protocol} at ${address}`);
          return map?.() ?? Promise.resolve(world.answer(port));
        },
        unmap: (port) => {
          events.push(`unmap ${port.protocol} at ${address}`);
          return world.answers ? Promise.resolve() : never;
        },
        close: () => void events.push(`close ${address}`),
      }),
    },
    ports,
    () => {
      world.changes += 1;
    },
  );
  keeper.start();
  return { clock, keeper, world };
}

const external = (keeper: PortKeeper): string | undefined => keeper.external('udp')?.key;

t.test('ports are mapped at once, and logged and reported when they are open', async (t) => {
  const { clock, keeper, world } = make({ ports: [UDP, TCP] });
  t.same(world.events, ['map udp at 10.1.0.1', 'map tcp at 10.1.0.1']);
  t.equal(external(keeper), undefined);
  await pass(clock, 1);
  t.equal(external(keeper), '11.1.0.1:7000');
  t.equal(keeper.external('tcp')?.key, '11.1.0.1:7001');
  t.same(world.lines, [
    'info UDP port 7000: reachable at 11.1.0.1:7000 (PCP)',
    'info TCP port 7001: reachable at 11.1.0.1:7001 (PCP)',
  ]);
  t.equal(world.changes, 2);
  await keeper.stop();
});

t.test('a mapping is renewed after half of its lifetime, without a line in the log', async (t) => {
  const { clock, keeper, world } = make();
  await pass(clock, 9 * MINUTE);
  t.equal(world.events.length, 1);
  await pass(clock, 2 * MINUTE);
  t.equal(world.events.length, 2);
  await pass(clock, 30 * MINUTE);
  t.equal(world.events.length, 5);
  t.equal(world.lines.length, 1);
  t.equal(world.changes, 1);
  await keeper.stop();
});

t.test('a short lifetime is renewed more often, within a limit, and a long one as the default', async (t) => {
  for (const [lifetime, times] of [
    [1_000, 21],
    [7_000 * MINUTE, 2],
  ] as const) {
    const { clock, keeper, world } = make({ answer: () => mapped('11.1.0.1:7000', lifetime) });
    await pass(clock, 10.5 * MINUTE);
    t.ok(Math.abs(world.events.length - times) <= 1, `${world.events.length} times`);
    await keeper.stop();
  }
});

t.test('a router that opens nothing is asked with growing pauses, and logged once', async (t) => {
  const { clock, keeper, world } = make({ answer: () => failed('no answer') });
  const until = async (minutes: number): Promise<number> => {
    const before = world.events.length;
    await pass(clock, minutes * MINUTE);
    return world.events.length - before;
  };
  await pass(clock, 1);
  const inFirstTwo = await until(2);
  t.ok(inFirstTwo >= 2 && inFirstTwo <= 4, `${inFirstTwo} in 2 minutes`);
  const inHour = await until(60);
  t.ok(inHour >= 5 && inHour <= 10, `${inHour} in an hour`);
  t.same(world.lines, ['debug UDP port 7000: the router 10.1.0.1 did not open it: no answer']);
  world.answer = () => mapped('11.1.0.1:7000');
  await pass(clock, 16 * MINUTE);
  t.equal(external(keeper), '11.1.0.1:7000', 'and is used once it does');
  await keeper.stop();
});

t.test('a port counts as open until its mapping expires, even if the router is silent', async (t) => {
  const { clock, keeper, world } = make();
  await pass(clock, 1);
  world.answer = () => failed('no answer');
  await pass(clock, 19 * MINUTE);
  t.equal(external(keeper), '11.1.0.1:7000');
  await pass(clock, 2 * MINUTE);
  t.equal(external(keeper), undefined);
  t.equal(world.changes, 2);
  world.answer = () => mapped('11.1.0.1:7000');
  await pass(clock, 16 * MINUTE);
  t.equal(external(keeper), '11.1.0.1:7000');
  await keeper.stop();
});

t.test('in another network the new router is asked at once, and the old one is not', async (t) => {
  const { clock, keeper, world } = make();
  await pass(clock, MINUTE);
  world.gateway = { address: '10.9.0.1', ownAddress: '10.9.0.7' };
  world.answer = () => mapped('11.9.0.1:7000');
  await pass(clock, 10_000);
  t.same(world.events, ['map udp at 10.1.0.1', 'close 10.1.0.1', 'map udp at 10.9.0.1']);
  t.equal(external(keeper), '11.9.0.1:7000');
  world.gateway = undefined;
  await pass(clock, 10_000);
  t.equal(external(keeper), undefined);
  await keeper.stop();
  t.equal(clock.pending, 0);
});

t.test('an answer that arrives after a change of network is ignored', async (t) => {
  let answer = (_result: MapResult): void => {};
  const late = new Promise<MapResult>((resolve) => {
    answer = resolve;
  });
  const { clock, keeper, world } = make({ map: () => late });
  world.gateway = undefined;
  await pass(clock, 10_000);
  answer(mapped('11.1.0.1:7000'));
  await pass(clock, 1);
  t.equal(external(keeper), undefined);
  t.same(world.lines, []);
  await keeper.stop();
});

t.test('after the machine slept, ports are mapped again', async (t) => {
  const { clock, keeper, world } = make();
  await pass(clock, 1);
  const unixTime = clock.unixTime.bind(clock);
  clock.unixTime = () => unixTime() + 8 * 3600;
  await pass(clock, 10_000);
  t.equal(world.events.length, 2);
  t.equal(external(keeper), '11.1.0.1:7000');
  await keeper.stop();
});

t.test('a machine with a public address, or without a router, sends no requests', async (t) => {
  for (const gateway of [undefined, { address: '192.0.2.1', ownAddress: '192.0.2.10' }]) {
    const { clock, keeper, world } = make({ gateway });
    await pass(clock, MINUTE);
    t.same(world.events, []);
    await keeper.stop();
    t.equal(clock.pending, 0);
  }
});

t.test('an external address behind another NAT, or an invalid one, is not reported', async (t) => {
  for (const address of ['192.168.1.7', '100.64.0.9', '0.0.0.0', '239.1.1.1', '127.0.0.1', '192.0.0.2']) {
    const { clock, keeper, world } = make({ answer: () => mapped(`${address}:7000`) });
    await pass(clock, 20_000);
    t.equal(external(keeper), undefined, address);
    t.same(world.lines, [`debug UDP port 7000: opened at ${address}:7000 (PCP), which is behind another NAT`]);
    await keeper.stop();
    t.match(world.events, ['map udp at 10.1.0.1', 'unmap udp at 10.1.0.1', 'close 10.1.0.1']);
  }
});

t.test('stop deletes the mappings', async (t) => {
  const { clock, keeper, world } = make({ ports: [UDP, TCP] });
  await pass(clock, 1);
  await keeper.stop();
  t.same(world.events.slice(2), ['unmap udp at 10.1.0.1', 'unmap tcp at 10.1.0.1', 'close 10.1.0.1']);
  t.equal(clock.pending, 0);
});

t.test('stop waits for a silent router half a second at most, and not at all if nothing is open', async (t) => {
  const { clock, keeper, world } = make();
  await pass(clock, 1);
  world.answers = false;
  let isStopped = false;
  const stop = keeper.stop().then(() => {
    isStopped = true;
  });
  await pass(clock, 490);
  t.notOk(isStopped);
  await pass(clock, 20);
  await stop;
  t.equal(clock.pending, 0);

  const other = make({ answer: () => failed('no answer') });
  await pass(other.clock, 1);
  await other.keeper.stop();
  t.same(other.world.events.slice(1), ['close 10.1.0.1']);
});

t.test('a mapper that throws is tried again later', async (t) => {
  let isBroken = true;
  const map = async (): Promise<MapResult> => {
    if (isBroken) throw new Error('EMFILE');
    return mapped('11.1.0.1:7000');
  };
  const { clock, keeper, world } = make({ map });
  await pass(clock, 1);
  t.match(world.lines, ['debug UDP port 7000: the router 10.1.0.1 did not open it: EMFILE']);
  isBroken = false;
  await pass(clock, MINUTE);
  t.equal(external(keeper), '11.1.0.1:7000');
});
