import t from 'tap';
import { describeForward, parseForward } from '../../src/tunnel/forward-spec.js';
import { parseTarget } from '../../src/tunnel/target.js';

t.test('forwards are read in all their spellings', async (t) => {
  const target = { host: 'localhost', port: 80 };
  t.same(parseForward('8080:localhost:80'), { bind: '127.0.0.1', port: 8080, target });
  t.same(parseForward('8080@localhost@80'), { bind: '127.0.0.1', port: 8080, target });
  t.same(parseForward('0.0.0.0:8080:localhost:80'), { bind: '0.0.0.0', port: 8080, target });
  t.same(parseForward('*:8080:localhost:80'), { bind: undefined, port: 8080, target });
  t.same(parseForward(':8080:localhost:80'), { bind: undefined, port: 8080, target });
  t.same(parseForward('[::1]:8080:[fe80::1%eth0]:80'), {
    bind: '::1',
    port: 8080,
    target: { host: 'fe80::1%eth0', port: 80 },
  });
  t.equal(parseForward('1:bücher.example:80')?.target.host, 'xn--bcher-kva.example');
});

t.test('what is no forward is refused', async (t) => {
  const bad = [
    '',
    '80',
    '80:host',
    'x:host:80',
    '80:host:x',
    '80::80',
    '1:2:3:4:5',
    '65536:h:1',
    '1:h:65536',
    '1:h:0',
    '1:[::1:2',
  ];
  for (const text of bad) t.equal(parseForward(text), undefined, text);
});

t.test('a forward is described as it would be written', async (t) => {
  for (const text of ['127.0.0.1:1:host:2', '*:1:[::1]:2', '[::1]:1:host:2']) {
    const spec = parseForward(text);
    t.equal(spec && describeForward(spec), text);
  }
});

t.test('targets are read with names, addresses and @', async (t) => {
  t.same(parseTarget('host:22'), { host: 'host', port: 22 });
  t.same(parseTarget('host@22'), { host: 'host', port: 22 });
  t.same(parseTarget('[::1]:22'), { host: '::1', port: 22 });
  for (const text of ['', 'host', ':22', 'host:', 'host:22:33', '::1:22', 'ho st:22'])
    t.equal(parseTarget(text), undefined, text);
});
