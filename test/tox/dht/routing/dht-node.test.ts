import t from 'tap';
import { DhtNode } from '../../../../src/tox/dht/routing/dht-node.js';
import { at, keyOf } from '../../../support/nodes.js';

const KEY = keyOf('0a');
const IPV4 = at('192.0.2.1');
const IPV6 = at('2001:db8::1');

t.test('a node is good for 122 s after its answer, and dead after 182 s', async (t) => {
  const node = new DhtNode(KEY, IPV4, 0);
  const association = node.association(4);
  t.ok(node.isGood(121_999));
  t.notOk(node.isGood(122_000));
  t.notOk(association?.isDead(181_999));
  t.ok(association?.isDead(182_000));
});

t.test('a dead address that is revived is bad again, not good', async (t) => {
  const node = new DhtNode(KEY, IPV4, 0);
  node.association(4)?.revive(500_000);
  t.notOk(node.isGood(500_000));
  t.notOk(node.association(4)?.isDead(500_000));
});

t.test('a node has one address of each family, the good one that answered last in front', async (t) => {
  const node = new DhtNode(KEY, IPV4, 0);
  node.answeredFrom(IPV6, 1);
  t.same(node.goodEndpoints(2).map(String), [IPV6.key, IPV4.key]);
  node.answeredFrom(IPV4, 3);
  t.same(node.goodEndpoints(4).map(String), [IPV4.key, IPV6.key]);
  t.same(node.goodEndpoints(122_001).map(String), [IPV4.key], 'the other one went bad');
  t.equal(node.info(122_001)?.endpoint.key, IPV4.key);
  t.equal(node.info(200_000), undefined);
});

t.test('a link-local address comes after any other address', async (t) => {
  const node = new DhtNode(KEY, IPV4, 0);
  node.answeredFrom(at('fe80::1%eth0'), 1);
  t.same(node.goodEndpoints(2).map(String), [IPV4.key, '[fe80::1%eth0]:33445']);
  t.equal(node.info(2)?.endpoint.key, IPV4.key);
  t.equal(
    new DhtNode(KEY, at('fe80::1%eth0'), 0).info(1)?.endpoint.key,
    '[fe80::1%eth0]:33445',
    'unless there is none',
  );
});

t.test('a new address replaces the old one of its family', async (t) => {
  const node = new DhtNode(KEY, IPV4, 0);
  node.answeredFrom(at('192.0.2.2'), 1);
  t.notOk(node.isAt(IPV4));
  t.ok(node.isAt(at('192.0.2.2')));
});

t.test('a local address does not replace a public one as long as that is good', async (t) => {
  const node = new DhtNode(KEY, IPV4, 0);
  node.answeredFrom(at('192.168.1.1'), 1000);
  t.ok(node.isAt(IPV4));
  node.answeredFrom(at('192.168.1.1'), 122_000);
  t.ok(node.isAt(at('192.168.1.1')));
  node.answeredFrom(IPV4, 122_001);
  t.ok(node.isAt(IPV4), 'a public one replaces a local one');
});
