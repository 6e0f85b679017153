import t from 'tap';
import { Endpoint } from '../../../src/base/endpoint.js';
import { silentLogger } from '../../../src/base/logger.js';
import { broadcastOf, type ListInterfaces, LocalInterfaces } from '../../../src/tox/network/interfaces.js';

t.test('the broadcast address is the last one of the network', async (t) => {
  t.equal(broadcastOf('192.168.1.7', '255.255.255.0'), '192.168.1.255');
  t.equal(broadcastOf('10.1.2.3', '255.255.240.0'), '10.1.15.255');
  t.equal(broadcastOf('10.1.2.3', '255.255.255.255'), '10.1.2.3');
});

t.test('every listed interface has a literal address other than loopback', async (t) => {
  for (const { address, broadcast } of new LocalInterfaces({ log: silentLogger }).read()) {
    t.not(Endpoint.of(address, 1), undefined, address);
    t.notMatch(address, /^(127\.|::1$)/);
    if (broadcast !== undefined) t.equal(Endpoint.of(broadcast, 1)?.family, 4);
  }
  t.pass('whatever interfaces there are');
});

t.test('without a free descriptor the last known interfaces are returned, and one warning is logged', async (t) => {
  const said: string[] = [];
  const log = { ...silentLogger, warn: (text: string) => void said.push(text) };
  let isOut = false;
  const list: ListInterfaces = () => {
    // As Node throws it: libuv returns the number with the wrong sign.
    if (isOut) throw Object.assign(new Error('Unknown'), { code: 'ERR_SYSTEM_ERROR', info: { errno: 24 } });
    return {
      eth0: [{ address: '10.0.0.1', netmask: '255.0.0.0', family: 'IPv4', mac: '', internal: false, cidr: null }],
    };
  };
  const interfaces = new LocalInterfaces({ log, list });
  const before = interfaces.read();
  t.same(before, [{ address: '10.0.0.1', broadcast: '10.255.255.255' }]);
  isOut = true;
  t.same([interfaces.read(), interfaces.read()], [before, before]);
  t.match(said, [/\(EMFILE\)/]);
  isOut = false;
  interfaces.read();
  isOut = true;
  t.same(interfaces.read(), before);
  t.equal(said.length, 2);
});
