import t from 'tap';
import { Endpoint } from '../../../src/base/endpoint.js';
import { broadcastOf, localInterfaces } from '../../../src/tox/network/interfaces.js';

t.test('the broadcast address is the last one of the network', async (t) => {
  t.equal(broadcastOf('192.168.1.7', '255.255.255.0'), '192.168.1.255');
  t.equal(broadcastOf('10.1.2.3', '255.255.240.0'), '10.1.15.255');
  t.equal(broadcastOf('10.1.2.3', '255.255.255.255'), '10.1.2.3');
});

t.test('every interface of this machine has an address that is a literal, and is not loopback', async (t) => {
  for (const { address, broadcast } of localInterfaces()) {
    t.not(Endpoint.of(address, 1), undefined, address);
    t.notMatch(address, /^(127\.|::1$)/);
    if (broadcast !== undefined) t.equal(Endpoint.of(broadcast, 1)?.family, 4);
  }
  t.pass('whatever interfaces there are');
});
