import t from 'tap';
import { GatewayMapper } from '../../../src/tox/port-mapping/gateway-mapper.js';
import type { MapResult } from '../../../src/tox/port-mapping/port-mapper.js';
import { Upnp } from '../../../src/tox/port-mapping/upnp.js';
import { ManualClock } from '../../support/manual-clock.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { FakeRouter, GATEWAY, pass } from './fake-router.js';

const UDP = { protocol: 'udp', port: 7000 } as const;
const TCP = { protocol: 'tcp', port: 7000 } as const;

function make() {
  const clock = new ManualClock();
  const router = new FakeRouter(clock);
  const { openSocket, request } = router;
  const deps = { clock, random: new SeededRandom(1), openSocket };
  let loads = 0;
  const loadUpnp = async (): Promise<Upnp> => {
    loads += 1;
    return new Upnp({ ...deps, request }, GATEWAY);
  };
  const mapper = new GatewayMapper({ ...deps, loadUpnp }, GATEWAY);
  const map = async (duration = 3_500): Promise<string[]> => {
    const both = Promise.all([mapper.map(UDP), mapper.map(TCP)]);
    await pass(clock, duration);
    return (await both).map((result: MapResult) => (result.kind === 'mapped' ? result.mapping.by : result.reason));
  };
  return { clock, router, mapper, map, loads: () => loads };
}

t.test('UPnP is not loaded if PCP or NAT-PMP works', async (t) => {
  for (const protocol of ['pcp', 'natPmp'] as const) {
    const { router, map, loads } = make();
    router[protocol] = true;
    const by = protocol === 'pcp' ? 'PCP' : 'NAT-PMP';
    t.same(await map(100), [by, by]);
    t.equal(loads(), 0);
  }
});

t.test('if neither answers, UPnP maps the port, and the next port begins with it', async (t) => {
  const { router, mapper, map, clock } = make();
  router.upnp = true;
  t.same(await map(1_400), ['UPnP', 'UPnP']);
  t.same([...router.open], ['udp 7000 > 7000', 'tcp 7000 > 7000']);
  t.equal(router.asked.filter((what) => what === 'PCP').length, 2, 'asked for the first port only');
  const unmapped = Promise.all([mapper.unmap(UDP), mapper.unmap(TCP)]);
  await pass(clock, 100);
  await unmapped;
  t.equal(router.open.size, 0);
});

t.test('a router that opens nothing is asked for the first port only, and again some time later', async (t) => {
  const { clock, router, map } = make();
  const [first, second] = await map();
  t.match(first, /no answer to PCP and NAT-PMP; no answer to UPnP/);
  t.equal(second, first);
  const count = router.asked.length;
  await pass(clock, 6_000);
  router.pcp = true;
  t.same(await map(), ['PCP', 'PCP']);
  t.ok(router.asked.length > count);
});

t.test('after the known protocol fails, all protocols are tried again', async (t) => {
  const { router, map } = make();
  router.pcp = true;
  t.same(await map(), ['PCP', 'PCP']);
  router.pcp = false;
  router.upnp = true;
  t.same(await map(), ['UPnP', 'UPnP']);
});

t.test('if UPnP cannot be loaded, the other protocols are still tried', async (t) => {
  const clock = new ManualClock();
  const router = new FakeRouter(clock);
  const { openSocket } = router;
  const loadUpnp = async (): Promise<Upnp> => {
    throw new Error('too many open files');
  };
  const mapper = new GatewayMapper({ clock, random: new SeededRandom(1), openSocket, loadUpnp }, GATEWAY);
  const failing = mapper.map(UDP);
  await pass(clock, 2_000);
  t.match(await failing, { kind: 'failed', reason: /cannot be loaded/ });
  router.pcp = true;
  await pass(clock, 6_000);
  const mapping = mapper.map(UDP);
  await pass(clock, 100);
  t.match(await mapping, { kind: 'mapped' });
  mapper.close();
});

t.test('closing leaves no timer and no socket', async (t) => {
  const { clock, router, mapper } = make();
  const asking = mapper.map(UDP);
  await pass(clock, 700);
  mapper.close();
  t.match(await asking, { kind: 'failed' });
  await pass(clock, 100);
  t.equal(clock.pending, 0);
  t.equal(router.socketsOpen, 0);
});

t.test('a failed action does not affect the next one', async (t) => {
  const clock = new ManualClock();
  const { openSocket } = new FakeRouter(clock);
  let isBroken = true;
  const orFail = async <T>(value: T): Promise<T> => {
    if (isBroken) throw new Error('broken');
    return value;
  };
  const upnp: Partial<Upnp> = { find: () => orFail('none'), map: () => orFail({ kind: 'failed', reason: 'none' }) };
  const loadUpnp = async (): Promise<Upnp> => upnp as Upnp;
  const mapper = new GatewayMapper({ clock, random: new SeededRandom(1), openSocket, loadUpnp }, GATEWAY);
  const first = t.rejects(mapper.map(UDP), /broken/);
  await pass(clock, 3_500);
  await first;
  isBroken = false;
  const second = mapper.map(UDP);
  await pass(clock, 3_500);
  t.match(await second, { kind: 'failed' });
});
