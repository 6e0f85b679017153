import t from 'tap';
import { fragmentCounter, ipv4Fragments, ipv6Fragments } from '../../../src/tox/network/fragment-count.js';

const SNMP = `Ip: Forwarding DefaultTTL FragOKs FragFails FragCreates
Ip: 1 64 21 0 42
Icmp: InMsgs InErrors
Icmp: 7 0
`;
const SNMP6 = `Ip6FragFails                    \t3
Ip6FragCreates                  \t12
Icmp6InMsgs                     \t5
`;

t.test('the counters of IPv4 and IPv6 fragments are read', async (t) => {
  t.equal(ipv4Fragments(SNMP), 42);
  t.equal(ipv6Fragments(SNMP6), 12);
});

t.test('a system without the counters counts none', async (t) => {
  for (const text of ['', 'Ip: Forwarding\nIp: 1\n', 'Ip: FragCreates\n', 'Ip: FragCreates\nIp: ?\n']) {
    t.equal(ipv4Fragments(text), 0);
    t.equal(ipv6Fragments(text), 0);
  }
});

t.test('this system returns a number', async (t) => {
  t.ok(Number.isSafeInteger(fragmentCounter()()));
});

t.test('counters that cannot be read keep their last value', async (t) => {
  let isRefused = false;
  const count = fragmentCounter((path) => {
    if (isRefused) throw new Error('EMFILE');
    return path.endsWith('6') ? SNMP6 : SNMP;
  });
  t.equal(count(), 54);
  isRefused = true;
  t.equal(count(), 54);
  t.equal(
    fragmentCounter(() => {
      throw new Error('ENOENT');
    })(),
    0,
  );
});
