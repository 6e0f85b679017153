import t from 'tap';
import { errorText, pathText, summaryText } from '../../../src/engine/network/connection-text.js';
import { direct, factsOf, none, relayed } from '../support/facts.js';

const RELAY = { publicKey: '5A40C344'.padEnd(64, '0'), endpoint: '203.0.113.7:33445', owner: 'others' } as const;

t.test('the text of a path has its address, and that of a relayed one its reason in parentheses', async (t) => {
  t.equal(pathText(direct('1.2.3.4:33445')), 'direct to 1.2.3.4:33445');
  t.equal(
    pathText(relayed('udp-blocked', RELAY)),
    'relayed (udp-blocked) by 5A40C344 at 203.0.113.7:33445: UDP seems to be blocked here',
  );
  t.equal(pathText(none('searching')), 'not connected (searching)');
});

t.test('the text of a path names a relay of one of the two peers as such', async (t) => {
  const by = (owner: 'peer' | 'us'): string => pathText(relayed('being-tried', { ...RELAY, owner }));
  t.equal(by('peer'), 'relayed (being-tried) by its own relay at 203.0.113.7:33445: a direct path is being tried');
  t.equal(by('us'), 'relayed (being-tried) by our own relay: a direct path is being tried');
});

t.test('every reason has a word and an explanation', async (t) => {
  for (const reason of [
    'proxy',
    'udp-off',
    'udp-blocked',
    'peer-tcp-only',
    'udp-one-way',
    'punching-failed',
    'being-tried',
  ] as const) {
    t.match(pathText(relayed(reason)), new RegExp(`^relayed \\(${reason}\\): .{10,45}$`));
  }
});

t.test('a summary has path, age, round trip, bytes, rates and retransmissions on one line', async (t) => {
  const text = summaryText(factsOf(relayed('punching-failed')));
  t.equal(text, 'relayed (punching-failed) for 5s, rtt 12.3 ms, in 1.2 MiB (293 KiB/s), out 999 B (0 B/s), 3 resent');
  t.match(summaryText(factsOf(direct(), { lossyDropped: 2 })), /, 3 resent, 2 packets of datagrams dropped$/);
  t.match(summaryText(factsOf({ ...direct(), age: 7_200_000 }, { rtt: undefined })), /^direct for 2h, in 1\.2 MiB/);
  t.match(summaryText(factsOf({ ...direct(), age: 150_000 })), /^direct for 2m 30s, /);
});

t.test('the last error is in parentheses, if there was one', async (t) => {
  const lastError = { text: 'silent for 32 s', since: 1, age: 1 };
  t.equal(errorText(factsOf(direct(), { lastError })), ' (silent for 32 s)');
  t.equal(errorText(factsOf(direct())), '');
});
