import t from 'tap';
import { proxyCommand, quoted } from '../../../src/cli/tuntox/proxy-command.js';
import {
  findDestination,
  hostOfDestination,
  splitOwnOptions,
  withSshOptions,
} from '../../../src/cli/tuntox/ssh-words.js';

const words = (text: string): string[] => text.split(' ').filter((word) => word !== '');

t.test('the destination is the first word that is neither an option nor its value', async (t) => {
  const cases: [string, string | undefined][] = [
    ['nas', 'nas'],
    ['root@nas uptime -p', 'root@nas'],
    ['-v nas', 'nas'],
    ['-p 2222 nas', 'nas'],
    ['-p2222 nas', 'nas'],
    ['-vp 2222 -4AX nas -v', 'nas'],
    ['-oUser=root -o Port=2 -L 1:a:2 nas', 'nas'],
    ['-vvoPort=2 nas', 'nas'],
    ['-- nas', 'nas'],
    ['-t -- nas uptime', 'nas'],
    ['-', '-'],
    ['', undefined],
    ['-v', undefined],
    ['-p nas', undefined],
    ['--', undefined],
  ];
  for (const [line, found] of cases) {
    const list = words(line);
    t.equal(list[findDestination(list)?.at ?? -1], found, line);
  }
});

t.test('the host of a destination is found in each form that ssh has', async (t) => {
  for (const text of ['nas', 'root@nas', 'a@b@nas', 'ssh://nas', 'ssh://root@nas:2222', 'ssh://root@nas:22/']) {
    t.equal(hostOfDestination(text), 'nas', text);
  }
});

t.test("options are added after the user's own, which ssh prefers, and nothing else changes", async (t) => {
  t.same(withSshOptions(words('-p 2 nas ls -l'), ['-o', 'X=1']), words('-p 2 -o X=1 nas ls -l'));
  t.same(withSshOptions(words('-p 2 -- nas ls'), ['-o', 'X=1']), words('-p 2 -o X=1 -- nas ls'));
  t.same(withSshOptions(['nas', '', "it's * $HOME"], ['-x']), ['-x', 'nas', '', "it's * $HOME"]);
});

t.test('our long options stand before the destination; all other words are those of ssh', async (t) => {
  const split = (line: string): unknown => splitOwnOptions(words(line), (name) => name === '--bootstrap');
  t.same(split('-v --bootstrap n --qr -p 2 nas --color -v'), {
    own: words('--bootstrap n --qr'),
    theirs: words('-v -p 2 nas --color -v'),
  });
  t.same(split('--bootstrap=n nas'), { own: ['--bootstrap=n'], theirs: ['nas'] });
  t.same(split('-- nas --bootstrap n'), { own: [], theirs: words('-- nas --bootstrap n') });
  t.same(split('-o --bootstrap nas'), { own: [], theirs: words('-o --bootstrap nas') }, 'the value of -o');
});

t.test('words of a ProxyCommand are quoted for the shell and for ssh', async (t) => {
  const cases: [string, string][] = [
    ['/usr/bin/node', '/usr/bin/node'],
    ['/my dir/tuntox', "'/my dir/tuntox'"],
    ["it's", "'it'\\''s'"],
    ['100%h', "'100%%h'"],
    ['', "''"],
    ['$(id)', "'$(id)'"],
    ['[::1]', "'[::1]'"],
  ];
  for (const [word, text] of cases) t.equal(quoted(word), text);
  const flags = [
    { flag: '--bootstrap', written: '--bootstrap', value: 'a b' } as const,
    { flag: '--no-port-mapping', written: '--no-port-mapping', value: undefined } as const,
  ];
  t.equal(
    proxyCommand(['/x/node', '/x y/t.js'], 'nas', flags),
    "/x/node '/x y/t.js' nas --bootstrap 'a b' --no-port-mapping --ssh-pipe %p",
  );
});
