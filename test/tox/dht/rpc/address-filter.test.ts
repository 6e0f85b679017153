import t from 'tap';
import { AddressFilter } from '../../../../src/tox/dht/rpc/address-filter.js';
import { at, keyOf, node } from '../../../support/nodes.js';

const OWN = keyOf('00');

t.test('the filter refuses IPv6 without IPv6, ourselves, and addresses that belong to no single host', async (t) => {
  const filter = new AddressFilter({ ownKey: OWN, ipv6: false });
  t.ok(filter.includes(node('0a', '192.0.2.1')));
  t.notOk(filter.includes(node('0a', '2001:db8::1')));
  t.notOk(filter.includes(node('00', '192.0.2.1')));
  t.notOk(filter.includes(node('0a', '255.255.255.255')));
  t.notOk(filter.includes(node('0a', '192.0.2.1', 0)));
});

t.test('broadcasts may leave, in the families that we have', async (t) => {
  t.ok(new AddressFilter({ ownKey: OWN, ipv6: false }).carries(at('255.255.255.255')));
  t.notOk(new AddressFilter({ ownKey: OWN, ipv6: false }).carries(at('ff02::1')));
  const filter = new AddressFilter({ ownKey: OWN, ipv6: true });
  t.ok(filter.carries(at('ff02::1')));
  t.ok(filter.includes(node('0a', '2001:db8::1')));
});
