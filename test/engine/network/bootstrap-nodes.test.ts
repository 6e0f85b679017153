import { mkdirSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import {
  BootstrapNodesError,
  loadBootstrapNodes,
  parseBootstrapNodes,
} from '../../../src/engine/network/bootstrap-nodes.js';
import { mutations } from '../../support/fuzz.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const KEY = '836D1DA2BE12FE0E669334E437BE3FB02806F1528C2B2782113E0910C7711409';
const GOOD = `{ "last_scan": 1, "nodes": [
  { "ipv4": "192.0.2.1", "ipv6": "2001:db8::1", "port": 33445, "tcp_ports": [443, 3389], "public_key": "${KEY}",
    "maintainer": "somebody", "status_udp": true },
  { "ipv4": "tox.example.org", "ipv6": "-", "port": 1, "public_key": "${KEY.toLowerCase()}" },
  { "ipv4": "NONE", "ipv6": "", "port": 2, "public_key": "${KEY}" }
] }`;

t.test('each address of a node becomes a bootstrap address', async (t) => {
  const nodes = parseBootstrapNodes(GOOD, 'nodes.json');
  t.same(
    nodes.map(({ host, port, tcpPorts }) => [host, port, tcpPorts]),
    [
      ['192.0.2.1', 33445, [443, 3389]],
      ['2001:db8::1', 33445, [443, 3389]],
      ['tox.example.org', 1, []],
    ],
  );
  t.ok(nodes.every(({ publicKey }) => publicKey.hex === KEY));
});

t.test('the list of the package has dozens of nodes with literal addresses', async (t) => {
  const nodes = loadBootstrapNodes('etc/tuntox/nodes.json');
  t.ok(nodes.length >= 24, `${nodes.length} addresses`);
  t.ok(nodes.every(({ host }) => isIP(host) !== 0));
  t.ok(nodes.some(({ host }) => isIP(host) === 6));
  t.equal(new Set(nodes.map(({ host, port }) => `${host} ${port}`)).size, nodes.length, 'each once');
});

t.test('an error names the file, the line and what is wrong', async (t) => {
  const cases: [string, string, RegExp][] = [
    ['"port": 1,', '"port": 0,', /^nodes.json, line 4: "port" of this node must be a number from 1 to 65535$/],
    ['"port": 1,', '"port": "1",', /line 4: "port"/],
    ['"port": 1,', '', /line 4: "port"/],
    [KEY.toLowerCase(), KEY.slice(1), /line 4: .*"public_key" of 64 hex digits/],
    ['443,', '443000,', /line 2: "tcp_ports"/],
    ['"192.0.2.1"', '"192.0.2.256"', /line 2: "ipv4" .*must be an address/],
    ['"2001:db8::1"', '"2001:db8:::1"', /line 2: "ipv6"/],
    ['"2001:db8::1"', '7', /line 2: "ipv6"/],
    ['"port": 2,', '"port": 2', /line 5: "," or "}" is expected/],
    ['"nodes"', '"knots"', /line 1: there is no list "nodes"/],
  ];
  for (const [from, to, message] of cases) {
    t.throws(() => parseBootstrapNodes(GOOD.replace(from, to), 'nodes.json'), { code: 'bad-nodes', message }, to);
  }
  t.throws(() => parseBootstrapNodes('{"nodes": []}', 'x'), { message: /^x, line 1: .*no node with an address/ });
  t.throws(() => parseBootstrapNodes('{"nodes": [7]}', 'x'), { message: /braces/ });
  t.throws(() => parseBootstrapNodes('[]', 'x'), { message: /no list "nodes"/ });
});

t.test('a file that cannot be read is named', async (t) => {
  const directory = temporaryDirectory(t);
  t.throws(() => loadBootstrapNodes(join(directory, 'none')), {
    code: 'unreadable',
    message: /none: there is no such/,
  });
  mkdirSync(join(directory, 'dir'));
  t.throws(() => loadBootstrapNodes(join(directory, 'dir')), { code: 'unreadable', message: /it is a directory/ });
  writeFileSync(join(directory, 'huge'), Buffer.alloc(5_000_000));
  t.throws(() => loadBootstrapNodes(join(directory, 'huge')), { code: 'too-large', message: /huge: it has more than/ });
});

t.test('any content of the file yields nodes or a BootstrapNodesError', async (t) => {
  for (const bytes of mutations(11, [Buffer.from(GOOD)], 5_000)) {
    try {
      parseBootstrapNodes(bytes.toString(), 'fuzz');
    } catch (error) {
      if (!(error instanceof BootstrapNodesError)) t.fail(`${error} for ${bytes.toString('hex')}`);
    }
  }
});
