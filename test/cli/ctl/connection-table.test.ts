import t from 'tap';
import { Footnotes } from '../../../src/cli/ctl/connection-table.js';
import type { NoPathReason, RelayReason } from '../../../src/tox/connection-facts.js';

/** All reasons of the Tox stack; the compiler checks that none is missing. */
const RELAYED = {
  proxy: true,
  'udp-off': true,
  'udp-blocked': true,
  'peer-tcp-only': true,
  'udp-one-way': true,
  'punching-failed': true,
  'being-tried': true,
} as const satisfies Readonly<Record<RelayReason, true>>;
const NONE = {
  'no-network': true,
  searching: true,
  connecting: true,
  'no-route': true,
} as const satisfies Readonly<Record<NoPathReason, true>>;

const since = '2026-01-01T00:00:00Z';

t.test('each reason of the protocol is put into words', async (t) => {
  for (const reason of Object.keys(RELAYED)) {
    const notes = new Footnotes();
    t.equal(notes.via({ kind: 'relayed', since, address: null, reason }), 'relay¹');
    const [line = ''] = notes.lines(80);
    t.match(line, /^¹ relayed: [A-Za-z ]{20,}$/, reason);
  }
  for (const reason of Object.keys(NONE)) {
    const notes = new Footnotes();
    t.equal(notes.via({ kind: 'none', since, reason }), 'none¹');
    t.match(notes.lines(80)[0], /^¹ not connected: [A-Za-z ]{20,}$/, reason);
  }
});

t.test('a reason of a later daemon is printed as it is, and equal reasons share a footnote', async (t) => {
  const notes = new Footnotes();
  const path = { kind: 'relayed', since, address: null, reason: 'constructor' } as const;
  t.same([notes.via(path), notes.via(path)], ['relay¹', 'relay¹']);
  t.equal(notes.via({ ...path, reason: 'proxy' }), 'relay²');
  t.same(notes.lines(80), ['¹ relayed: constructor', '² relayed: all traffic goes through the proxy']);
});
