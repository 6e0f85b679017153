import t from 'tap';
import { decodeSsdpAnswer, SEARCHES, serviceIn, Upnp } from '../../../src/tox/port-mapping/upnp.js';
import { elementsOf } from '../../../src/tox/port-mapping/xml.js';
import { mutations } from '../../support/fuzz.js';
import { ManualClock } from '../../support/manual-clock.js';
import { at } from '../../support/nodes.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { DESCRIPTION, FakeRouter, GATEWAY, pass } from './fake-router.js';

const UDP = { protocol: 'udp', port: 7000 } as const;
const ROUTER = at('10.1.0.1', 1900);
const LOCATION = new URL('http://10.1.0.1:5000/rootDesc.xml');
const answer = (location: string, kind = 'InternetGatewayDevice:1'): Buffer =>
  Buffer.from(`HTTP/1.1 200 OK\r\nST: urn:schemas-upnp-org:device:${kind}\r\nLOCATION: ${location}\r\n\r\n`);

function make() {
  const clock = new ManualClock();
  const router = new FakeRouter(clock);
  router.upnp = true;
  const { openSocket, request } = router;
  const upnp = new Upnp({ clock, random: new SeededRandom(1), openSocket, request }, GATEWAY);
  const run = async <T>(asking: Promise<T>, duration = 3_000): Promise<T> => {
    await pass(clock, duration);
    return asking;
  };
  return { clock, router, upnp, run };
}

t.test('a router is found, maps a port and deletes the mapping', async (t) => {
  const { clock, router, upnp, run } = make();
  const result = await run(upnp.map(UDP));
  t.match(result, { kind: 'mapped', mapping: { by: 'UPnP', external: { key: '11.1.0.1:7000' } } });
  t.same([...router.open], ['udp 7000 > 7000']);
  t.match(router.calls[0], /<NewInternalClient>10\.1\.0\.10<.*<NewLeaseDuration>1200</);
  await run(upnp.map(UDP));
  await run(upnp.unmap(UDP));
  t.same([...router.open], []);
  const calls = ['AddPortMapping', 'GetExternalIPAddress'];
  t.same(router.asked, ['SSDP', 'SSDP', ...calls, ...calls, 'DeletePortMapping'], 'searched for once');
  t.equal(clock.pending, 0);
  t.equal(router.socketsOpen, 0);
});

t.test('if another machine has the port, another one is requested, and kept at renewal', async (t) => {
  const { router, upnp, run } = make();
  router.upnpErrors.push(718);
  const first = await run(upnp.map(UDP));
  const second = await run(upnp.map(UDP));
  t.equal(router.open.size, 1);
  t.same(
    [...router.open].map((line) => line.split(' > ')[0]),
    ['udp 7000'],
  );
  t.equal(first.kind === 'mapped' && first.mapping.external.port !== 7000, true);
  t.strictSame(second, first);
});

t.test('a router without lifetimes is asked for a permanent mapping', async (t) => {
  const { router, upnp, run } = make();
  router.upnpErrors.push(725);
  t.equal((await run(upnp.map(UDP))).kind, 'mapped');
  t.match(router.calls[1], /<NewLeaseDuration>0</);
});

t.test('a refusal is reported with its number, and silence as silence', async (t) => {
  const { router, upnp, run } = make();
  router.upnpErrors.push(606);
  t.match(await run(upnp.map(UDP)), { kind: 'failed', reason: 'UPnP: error 606' });
  router.upnp = false;
  t.match(await run(upnp.map(UDP)), { kind: 'failed', reason: 'no answer to UPnP' });
  router.upnp = true;
  t.equal((await run(upnp.map(UDP))).kind, 'mapped', 'and is searched for again the next time');
});

t.test('an invalid external address is a failure', async (t) => {
  const { router, upnp, run } = make();
  router.external = 'no &lt;address';
  t.match(await run(upnp.map(UDP)), { kind: 'failed', reason: /external address/ });
});

t.test('closing ends a search', async (t) => {
  const { clock, router, upnp } = make();
  router.upnp = false;
  const asking = upnp.map(UDP);
  await new Promise(setImmediate);
  upnp.close();
  t.equal((await asking).kind, 'failed');
  t.equal(clock.pending > 0 && router.socketsOpen, 0);
});

t.test('searches name both versions of the device', async (t) => {
  t.match(
    String(SEARCHES[0]),
    /^M-SEARCH \* HTTP\/1\.1\r\nHOST: 239\.255\.255\.250:1900\r\n.*MX: 1.*Device:1\r\n\r\n$/s,
  );
  t.match(String(SEARCHES[1]), /InternetGatewayDevice:2\r\n\r\n$/);
});

t.test('a description is read only from the host that answered, and by HTTP', async (t) => {
  t.equal(decodeSsdpAnswer(answer(LOCATION.href), ROUTER)?.href, LOCATION.href);
  const others = ['http://10.1.0.9/', 'https://10.1.0.1/', 'http://u@10.1.0.1/', 'file:///etc/passwd', 'http://[', ''];
  for (const other of others) t.equal(decodeSsdpAnswer(answer(other), ROUTER), undefined, other);
  t.equal(decodeSsdpAnswer(answer(LOCATION.href, 'MediaServer:1'), ROUTER), undefined);
  t.equal(decodeSsdpAnswer(Buffer.from('NOTIFY * HTTP/1.1\r\n\r\n'), ROUTER), undefined);
});

t.test('calls are sent only to the host that described itself', async (t) => {
  t.equal(serviceIn(DESCRIPTION, LOCATION)?.url.href, 'http://10.1.0.1:5000/ctl/IPConn');
  const elsewhere = DESCRIPTION.replace('/ctl/IPConn', 'http://10.1.0.9/ctl');
  t.equal(serviceIn(elsewhere, LOCATION), undefined);
  const based = DESCRIPTION.replace('<device>', '<URLBase>http://10.1.0.1:6000/</URLBase><device>');
  t.equal(serviceIn(based, LOCATION)?.url.href, 'http://10.1.0.1:6000/ctl/IPConn');
});

t.test('invalid XML is read as far as possible', async (t) => {
  t.same(
    [...(elementsOf('<a><x:b> 1 </x:b><b>2</b><c><![CDATA[<]]></c></a>', 'a')[0] ?? [])],
    [
      ['b', '1'],
      ['c', '<'],
    ],
  );
  t.same(elementsOf('<a><b>1</b></a>&nbsp;<junk', 'a')[0]?.get('b'), '1');
  t.same(elementsOf(`${'<a>'.repeat(1000)}`, 'a'), []);
  t.same(elementsOf('<a><b>1</b></a>'.repeat(3_000), 'a'), [], 'too many elements');
  t.same(elementsOf('<!DOCTYPE a [<!ENTITY x "boom">]><a><b>&x;</b></a>', 'a')[0]?.get('b') === 'boom', false);
});

t.test('text with too many syntax errors is given up', async (t) => {
  const good = '<a><b>1</b></a>';
  t.same(elementsOf(`${good}<c>${'&;'.repeat(60_000)}`, 'a'), []);
  t.same(elementsOf(`${good}${'<c>'.repeat(20)}${'</d>'.repeat(20_000)}`, 'a'), []);
});

t.test('hostile answers and descriptions never throw', async (t) => {
  for (const bytes of mutations(4, [answer(LOCATION.href)], 1_000)) {
    const location = decodeSsdpAnswer(bytes, ROUTER);
    if (location !== undefined && location.hostname !== '10.1.0.1') t.fail(bytes.toString());
  }
  for (const bytes of mutations(5, [Buffer.from(DESCRIPTION)], 1_000)) {
    const service = serviceIn(bytes.toString(), LOCATION);
    if (service !== undefined && service.url.hostname !== '10.1.0.1') t.fail(bytes.toString());
  }
});
