import t from 'tap';
import { Endpoint } from '../../../src/base/endpoint.js';
import { PortControl } from '../../../src/tox/port-mapping/port-control.js';
import type { MapResult } from '../../../src/tox/port-mapping/port-mapper.js';
import { mutations } from '../../support/fuzz.js';
import { ManualClock } from '../../support/manual-clock.js';
import { at } from '../../support/nodes.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { FakeRouter, GATEWAY, pass } from './fake-router.js';

const UDP = { protocol: 'udp', port: 7000 } as const;
const TCP = { protocol: 'tcp', port: 7001 } as const;

function make() {
  const clock = new ManualClock();
  const router = new FakeRouter(clock);
  const control = new PortControl({ clock, random: new SeededRandom(1), openSocket: router.openSocket }, GATEWAY);
  const run = async <T>(asking: Promise<T>, duration = 2_000): Promise<T> => {
    await pass(clock, duration);
    return asking;
  };
  return { clock, router, control, run };
}

const externalOf = (result: MapResult): string =>
  result.kind === 'failed' ? result.reason : `${result.mapping.by} ${result.mapping.external.key}`;

t.test('a router with PCP maps ports for the lifetime that it grants, and deletes the mappings', async (t) => {
  const { router, control, run } = make();
  router.pcp = true;
  router.lifetime = 300;
  const result = await run(control.map(UDP));
  t.equal(externalOf(result), 'PCP 11.1.0.1:7000');
  t.equal(result.kind === 'mapped' && result.mapping.lifetime, 300_000);
  await run(control.map(TCP));
  t.same([...router.open], ['udp 7000 > 7000', 'tcp 7001 > 7001']);
  await run(control.unmap(UDP));
  t.same([...router.open], ['tcp 7001 > 7001']);
  t.same(router.asked, ['PCP', 'PCP', 'PCP']);
});

t.test('a router that answers with the older version is asked by NAT-PMP only', async (t) => {
  const { router, control, run } = make();
  router.natPmp = true;
  t.equal(externalOf(await run(control.map(UDP), 10)), 'NAT-PMP 11.1.0.1:7000', 'at once');
  await run(control.map(TCP));
  await run(control.unmap(UDP));
  t.same([...router.open], ['tcp 7001 > 7001']);
  t.same(router.asked, ['PCP', 'NAT-PMP', 'NAT-PMP', 'NAT-PMP', 'NAT-PMP', 'NAT-PMP']);
});

t.test('a router that does not answer is asked a few times, and given up', async (t) => {
  const { clock, router, control, run } = make();
  t.match(externalOf(await run(control.map(UDP))), /no answer/);
  t.same(router.asked, ['PCP', 'PCP', 'NAT-PMP', 'NAT-PMP']);
  await run(control.unmap(UDP));
  t.equal(router.asked.length, 4, 'and has nothing to give back');
  t.equal(clock.pending, 0);
});

t.test('only answers of the router count', async (t) => {
  const { router, control, run } = make();
  const asking = control.map(UDP);
  await new Promise(setImmediate);
  for (const source of ['10.1.0.1', '10.1.0.66']) {
    const port = source === '10.1.0.1' ? 5350 : 5351;
    router.inject(Buffer.from([0, 0x81, 0, 0, 0, 0, 0, 0, 0x1b, 0x58, 0x1b, 0x58, 0, 0, 1, 0]), at(source, port));
  }
  t.match(externalOf(await run(asking)), /no answer/);
});

t.test('hostile answers map nothing', async (t) => {
  const { router, control, run } = make();
  const samples = [Buffer.alloc(60, 1), Buffer.from([2, 0x81, 0, 0]), Buffer.from([0, 0x81, 0, 0, 0, 0, 0, 0])];
  for (const bytes of mutations(1, samples, 500)) {
    const asking = control.map(UDP);
    await new Promise(setImmediate);
    router.inject(bytes, Endpoint.of(GATEWAY.address, 5351) as Endpoint);
    if ((await run(asking)).kind === 'mapped') t.fail(bytes.toString('hex'));
  }
  t.equal(router.socketsOpen, 1);
});

t.test('closing ends running requests', async (t) => {
  const { clock, router, control } = make();
  const asking = control.map(UDP);
  await new Promise(setImmediate);
  control.close();
  t.equal((await asking).kind, 'failed');
  await pass(clock, 10);
  t.equal(clock.pending, 0);
  t.equal(router.socketsOpen, 0);
});

t.test('an address that this machine no longer has is a failure like others', async (t) => {
  const clock = new ManualClock();
  const openSocket = () => Promise.reject(new Error('no address of this machine'));
  const control = new PortControl({ clock, random: new SeededRandom(1), openSocket }, GATEWAY);
  t.match(externalOf(await control.map(UDP)), /no address/);
  control.close();
});

t.test('a socket that could not be opened is opened the next time', async (t) => {
  const clock = new ManualClock();
  const router = new FakeRouter(clock);
  router.pcp = true;
  let isOurs = false;
  const openSocket: typeof router.openSocket = async (onDatagram) => {
    if (!isOurs) throw new Error('no address of this machine');
    return router.openSocket(onDatagram);
  };
  const control = new PortControl({ clock, random: new SeededRandom(1), openSocket }, GATEWAY);
  t.match(await control.map(UDP), { kind: 'failed', reason: /no address/ });
  isOurs = true;
  const mapping = control.map(UDP);
  await pass(clock, 100);
  t.match(await mapping, { kind: 'mapped' });
  control.close();
});
