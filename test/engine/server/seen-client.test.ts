/** What a target sees of a client: each row of the table in docs/threat-model.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ownFile } from '../../../src/base/own-files.js';
import { TargetPolicy } from '../../../src/engine/server/target-policy.js';
import { TcpDialer } from '../../../src/tunnel/server/tcp-dialer.js';
import { ManualClock } from '../../support/manual-clock.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { SlowConnections } from '../../tunnel/support/slow-connections.js';

const ADDRESS = '127.64.0.9';

interface Case {
  readonly host: string;
  readonly isPerClient?: boolean;
  readonly isUnreadable?: boolean;
}

/** @returns from where a connection to port 80 of the host comes, and what its header has; or 'refused' */
function seen(file: string, { host, isPerClient = false, isUnreadable = false }: Case): string {
  const source = isUnreadable ? { error: 'client-addresses.json is damaged' } : { address: ADDRESS };
  const policy = new TargetPolicy(
    {
      entryOf: () => undefined,
      addressesOf: async () => [],
      services: { targets: new Map(), withHeader: [], error: undefined },
      addresses: { of: () => source, known: () => undefined, ownerOf: () => undefined, error: undefined },
    },
    { rulesFile: file, isAny: false, mayTestSpeed: true, hasClientSources: isPerClient },
  );
  const clock = new ManualClock();
  const net = new SlowConnections();
  const target = { host, port: 80 };
  let header: string | undefined;
  let failed = false;
  new TcpDialer(clock, { connect: net.connect, sourceOf: policy.sourceOf }).dial('peer', target, {
    mayConnect: (address) => {
      const verdict = policy.mayReach('peer', target, { address });
      header = verdict.allowed ? verdict.clientAddress : undefined;
      return verdict.allowed;
    },
    onConnected: () => {},
    onFailed: () => {
      failed = true;
    },
  });
  clock.advance(0);
  if (failed) return 'refused';
  const [from = 'the machine'] = net.sources.values();
  return header === undefined ? from : `${from}, header ${header}`;
}

t.test('each row of the documented table', (t) => {
  const file = join(temporaryDirectory(t), 'rules');
  writeFileSync(file, '*:0\n127.0.0.2:80 proxy\n10.0.0.5:80 proxy\n');
  const isPerClient = true;
  const isUnreadable = true;
  const cases: Record<string, [Case, string][]> = {
    'asks for a header (`proxy` in the rules, `expose --proxy-protocol`), and client-addresses.json cannot be read': [
      [{ host: '10.0.0.5', isUnreadable }, 'refused'],
      [{ host: '127.0.0.2', isUnreadable, isPerClient }, 'refused'],
    ],
    'asks for a header': [
      [{ host: '10.0.0.5' }, `the machine, header ${ADDRESS}`],
      [{ host: '127.0.0.2' }, `the machine, header ${ADDRESS}`],
      [{ host: '127.0.0.2', isPerClient }, `${ADDRESS}, header ${ADDRESS}`],
    ],
    'is on IPv4 loopback, `targets.source` is `per-client`, and client-addresses.json cannot be read': [
      [{ host: '127.0.0.1', isPerClient, isUnreadable }, 'refused'],
      [{ host: 'localhost', isPerClient, isUnreadable }, 'refused'],
    ],
    'is on IPv4 loopback, and `targets.source` is `per-client`': [
      [{ host: '127.0.0.1', isPerClient }, ADDRESS],
      [{ host: '0.0.0.0', isPerClient }, ADDRESS],
    ],
    'anything else': [
      [{ host: '127.0.0.1' }, 'the machine'],
      [{ host: '127.0.0.1', isUnreadable }, 'the machine'],
      [{ host: '::1', isPerClient, isUnreadable }, 'the machine'],
      [{ host: '10.0.0.6', isPerClient, isUnreadable }, 'the machine'],
    ],
  };
  const text = readFileSync(ownFile('docs/threat-model.md'), 'utf8');
  const table = text.slice(text.indexOf('What a target sees of the client')).split('\n\n')[1] ?? '';
  const rows = table.split('\n').slice(2);
  t.same(
    rows.map((row) => row.split('|')[1]?.trim()),
    Object.keys(cases),
  );
  for (const [row, ofRow] of Object.entries(cases))
    for (const [one, expected] of ofRow) t.equal(seen(file, one), expected, `${row}: ${JSON.stringify(one)}`);
  t.end();
});
