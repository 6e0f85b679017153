import t from 'tap';
import { silentLogger } from '../../../src/base/logger.js';
import { NetworkWatch, networkText } from '../../../src/engine/network/network-watch.js';
import { ManualClock } from '../../support/manual-clock.js';
import { networkFactsOf } from '../support/facts.js';

const RELAY = { publicKey: '5A40C344'.padEnd(64, '0'), endpoint: '203.0.113.7:33445' };

t.test('the text of our network has UDP, the address that others see, and the relays', async (t) => {
  const ipv4 = { kind: 'same-port', endpoint: '203.0.113.5:1024' } as const;
  const facts = networkFactsOf({ udp: 'works', ipv4, relays: [RELAY] });
  t.equal(networkText(facts), 'network: UDP works, seen as 203.0.113.5:1024, relays connected: 1');
  t.match(networkText({ ...facts, udpSocket: 'native' }), /UDP works, native sockets, seen as/);
  const symmetric = { kind: 'symmetric', endpoint: '203.0.113.5:1024' } as const;
  t.match(networkText({ ...facts, ipv4: symmetric }), /UDP works, symmetric NAT at 203\.0\.113\.5, relays/);
  t.match(networkText(networkFactsOf({ udp: 'udp-blocked' })), /\(udp-blocked\)/);
});

t.test('the network is logged only when it has changed', async (t) => {
  const clock = new ManualClock();
  const lines: string[] = [];
  const tox = { networkFacts: networkFactsOf({}) };
  const log = { ...silentLogger, debug: (text: string) => void lines.push(text) };
  const watch = new NetworkWatch({ clock, log, tox });
  watch.begin();
  clock.advance(20_000);
  t.match(lines.splice(0), [/UDP is being tried/]);
  tox.networkFacts = networkFactsOf({ udp: 'works' });
  clock.advance(20_000);
  t.match(lines.splice(0), [/UDP works/]);
  watch.end();
  t.equal(clock.pending, 0);
});
