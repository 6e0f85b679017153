import t from 'tap';
import { specsOf } from '../../../../src/cli/tuntox/modes/forward.js';
import { parseDynamicForward, parseLocalForward } from '../../../../src/config/forward-text.js';

const descriptors = ['web', 'db', 'web'].map((name, index) => ({ fd: 3 + index, name }));

t.test('descriptors go to the forwards that name them, and the rest to the others in order', async (t) => {
  const texts = ['fd:a:1', 'fd/web:b:2', '8080:c:3'].map(parseLocalForward);
  const specs = specsOf([...texts, parseDynamicForward('fd')], descriptors);
  t.match(specs, [
    { kind: 'local', at: { kind: 'descriptor', fd: 4, name: 'db' }, target: { host: 'a' } },
    { kind: 'local', at: { kind: 'descriptor', fd: 3, name: 'web' }, target: { host: 'b' } },
    { kind: 'local', at: { kind: 'port', port: 8080 } },
    { kind: 'dynamic', at: { kind: 'descriptor', fd: 5, name: 'web' } },
  ]);
});

t.test('a descriptor that is not there is an error that names those that are', async (t) => {
  const of = (...texts: string[]) => specsOf(texts.map(parseLocalForward), descriptors);
  t.throws(() => of('fd/x:a:1'), {
    code: 'no-descriptor',
    message: /no socket of this name, .*there are: web, db, web$/,
  });
  t.throws(() => of('fd:a:1', 'fd:a:1', 'fd:a:1', 'fd:a:1'), { message: /more forwards than sockets of systemd/ });
  t.throws(() => specsOf([parseLocalForward('fd:a:1')], []), {
    message: /has passed no socket .*systemd-socket-activate/,
  });
});
